//! `farol validate`: is the configuration right?

use std::path::PathBuf;

use clap::Args;

use super::{Ending, default_probes, print, probes};

/// Check probe files for mistakes
///
/// Every mistake is shown with its file, its line and a way to mend it. Neither secrets nor a
/// network are needed. The exit code is 78 if there is a mistake.
#[derive(Debug, Args)]
pub(super) struct Validate {
    /// Probe files, or folders of them
    #[arg(value_name = "PATH", env = "FAROL_PROBES", default_values_os_t = default_probes())]
    probes: Vec<PathBuf>,
}

impl Validate {
    pub(super) fn run(self) -> Ending {
        let config = match probes::load(&self.probes) {
            Ok(config) => config,
            Err(ending) => return ending,
        };
        for platform in &config.platforms {
            let checks: usize = platform.components.iter().map(|c| c.checks.len()).sum();
            print::line(&format!(
                "{}: {} components, {checks} checks",
                platform.name,
                platform.components.len(),
            ));
        }
        Ending::Well
    }
}
