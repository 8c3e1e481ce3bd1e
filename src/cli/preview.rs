//! `farol preview`: what the public would read.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::config::Platform;
use crate::model::Language;
use crate::words::sample::{self, Sample, Stage};

use super::print::{self, Complaints, Tone, paint};
use super::{Ending, default_probes, probes};

/// Read what would be published, in incidents that never were
///
/// Every kind of text that an incident of the platform can have: how it opens, gets worse and
/// better, is watched and resolved, for all that can be wrong with a component. The names are those
/// of the probe file, all else is made up. Nothing is checked or published, and no secret is needed.
#[derive(Debug, Args)]
pub(super) struct Preview {
    /// Probe files, or folders of them
    #[arg(value_name = "PATH", env = "FAROL_PROBES", default_values_os_t = default_probes())]
    probes: Vec<PathBuf>,

    #[command(flatten)]
    values: probes::Values,

    /// Only the texts of the platform that has this id
    #[arg(long, value_name = "ID")]
    platform: Option<String>,

    /// In this language instead of the platform's: en, pt, es or fr
    #[arg(long, value_name = "CODE", value_parser = language)]
    language: Option<Language>,
}

impl Preview {
    pub(super) fn run(self) -> Ending {
        let config = match probes::load(&self.probes, &self.values, Complaints::Terminal) {
            Ok(config) => config,
            Err(ending) => return ending,
        };
        let mut wanted = config
            .platforms
            .iter()
            .filter(|platform| self.platform.as_ref().is_none_or(|id| platform.id.as_str() == id))
            .peekable();
        if let (None, Some(id)) = (wanted.peek(), &self.platform) {
            let ids: Vec<&str> = config.platforms.iter().map(|one| one.id.as_str()).collect();
            let known = ids.join(", ");
            print::error(&format!("no platform has the id `{id}`; there are: {known}"));
            return Ending::BadArguments;
        }
        for platform in wanted {
            let language = self.language.unwrap_or(platform.language);
            print::raw(&texts(platform, language, print::colours()));
        }
        Ending::Well
    }
}

fn language(text: &str) -> Result<Language, String> {
    let known = Language::ALL.map(Language::as_str).join(", ");
    Language::parse(text).ok_or_else(|| format!("known are {known}"))
}

/// Every text of `platform`, with what would have happened before it.
fn texts(platform: &Platform, language: Language, colours: bool) -> String {
    let names: Vec<&str> = platform.components.iter().map(|one| one.name.as_str()).collect();
    let stage = Stage { language, zone: platform.time_zone, names: &names };
    let name = paint(&platform.name, Tone::Strong, colours);
    let mut out = format!("{name}, in language {language}\n\n");
    for sample in sample::all(&stage).iter().filter(|sample| sample.components <= names.len()) {
        let Sample { about, impact, step, .. } = sample;
        let text = sample.tell(language);
        let head = format!("# {about} ({}, impact {impact})", step.as_str());
        let body = text.body.replace('\n', "\n  ").replace("  \n", "\n");
        // Writing to a text cannot fail.
        let _ = writeln!(
            out,
            "{}\n{}\n\n  {body}\n",
            paint(&head, Tone::Quiet, colours),
            paint(&text.title, Tone::Strong, colours),
        );
    }
    out
}
