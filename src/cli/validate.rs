//! `farol validate`: is the configuration right?

use std::path::PathBuf;

use clap::Args;

use super::print::{self, Complaints};
use super::{Ending, default_probes, probes};

/// Check probe files for mistakes; needs no secrets and no network
///
/// Every mistake is shown with its file, its line and a way to mend it. The exit code is 78 if
/// there is one.
#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Probe files, or folders of them
    #[arg(value_name = "PATH", env = "FAROL_PROBES", default_values_os_t = default_probes())]
    probes: Vec<PathBuf>,

    #[command(flatten)]
    values: probes::Values,
}

impl Validate {
    pub(super) fn run(self) -> Ending {
        let config = match probes::load(&self.probes, &self.values, Complaints::Terminal) {
            Ok(config) => config,
            Err(ending) => return ending,
        };
        for platform in &config.platforms {
            let checks: usize = platform.components.iter().map(|c| c.checks.len()).sum();
            print::line(&format!(
                "{}: {}, {}",
                platform.name,
                counted(platform.components.len(), "component"),
                counted(checks, "check"),
            ));
        }
        let prober = &config.prober;
        if prober.checks().next().is_some() {
            print::line(&format!(
                "the prober: {}, {}",
                counted(prober.references.len(), "reference"),
                counted(prober.ntp.len(), "NTP server"),
            ));
        }
        Ending::Well
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
