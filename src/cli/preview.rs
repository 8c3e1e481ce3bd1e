//! `farol preview`: what the public would read.

use std::fmt::Write as _;
use std::path::PathBuf;

use clap::Args;

use crate::config::Platform;
use crate::model::{Impact, Language};
use crate::words::Step;
use crate::words::sample::{self, Sample, Stage};

use super::print::{self, Complaints, Tone, paint};
use super::{Ending, default_probes, probes};

/// Read what would be published, in incidents that never were
///
/// Every kind of text that an incident of the platform can have: how it opens, gets worse and
/// better, is watched and resolved, for all that can be wrong with a component. The names and the words of
/// your own are those of the probe file, all else is made up. Nothing is checked or published, and no secret is needed.
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

    /// Only the texts of this step: investigating, monitoring or resolved
    #[arg(long, value_name = "STEP", value_parser = step)]
    step: Option<Step>,

    /// Only the texts of incidents of this impact: minor, major or critical
    #[arg(long, value_name = "IMPACT", value_parser = impact)]
    impact: Option<Impact>,
}

/// The steps that have a text of their own.
const STEPS: [Step; 3] = [Step::Investigating, Step::Monitoring, Step::Resolved];

/// The impacts that an incident can have: nobody is told of what nobody notices.
const IMPACTS: [Impact; 3] = [Impact::Minor, Impact::Major, Impact::Critical];

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
            print::raw(&self.texts(platform, language, print::colours()));
        }
        Ending::Well
    }

    /// Whether `sample` is asked for, and can be of a platform with so many components.
    fn shows(&self, sample: &Sample, components: usize) -> bool {
        sample.components <= components
            && self.step.is_none_or(|step| step == sample.step)
            && self.impact.is_none_or(|impact| impact == sample.impact)
    }

    /// The texts of `platform` that are asked for, with what would have happened before it.
    fn texts(&self, platform: &Platform, language: Language, colours: bool) -> String {
        let names: Vec<&str> = platform.components.iter().map(|one| one.name.as_str()).collect();
        let stage = Stage { language, zone: platform.time_zone, names: &names };
        let name = paint(&platform.name, Tone::Strong, colours);
        let mut out = format!("{name}, in language {language}\n\n");
        for sample in sample::all(&stage).iter().filter(|sample| self.shows(sample, names.len())) {
            let Sample { about, impact, step, .. } = sample;
            let text = sample.tell_as(language, &platform.words);
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
}

fn language(text: &str) -> Result<Language, String> {
    let known = Language::ALL.map(Language::as_str).join(", ");
    Language::parse(text).ok_or_else(|| format!("known are {known}"))
}

fn step(text: &str) -> Result<Step, String> {
    let known = STEPS.map(Step::as_str).join(", ");
    STEPS.into_iter().find(|step| step.as_str() == text).ok_or_else(|| format!("known are {known}"))
}

fn impact(text: &str) -> Result<Impact, String> {
    let known = IMPACTS.map(Impact::as_str).join(", ");
    IMPACTS
        .into_iter()
        .find(|impact| impact.as_str() == text)
        .ok_or_else(|| format!("known are {known}"))
}
