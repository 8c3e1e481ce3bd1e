//! `farol check`: every check once, as a table or as JSON, or one of them with every request that it
//! takes.

mod har;
mod wanted;
mod waterfall;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::check::Prober;
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::model::{CheckId, Finding, Hop, Observation, Phase, Phases, Vantage, Verdict};

use super::print::{self, Complaints, Tone, paint};
use super::{Ending, default_probes, probes, runtime};

/// How many checks run at once: enough to be quick, too few to be the cause of what is measured.
const IN_FLIGHT: usize = 32;

/// Run each check once and print what was found
///
/// Nothing is published and nothing is kept. The exit code is 0 if every check passes, 1 if one
/// does not, 2 if --trace names no check, 78 if the configuration is wrong.
///
/// To look into one check: farol check --trace "Storefront answers". It prints each request in the
/// order of its making, redirects and what a page needs among them: where it went, what came back,
/// and when each of its phases was. Secrets, cookies and tokens are shown as [redacted], in the
/// HAR file as well.
#[derive(Debug, Args)]
pub(super) struct Check {
    /// Probe files, or folders of them
    #[arg(value_name = "PATH", env = "FAROL_PROBES", default_values_os_t = default_probes())]
    probes: Vec<PathBuf>,

    #[command(flatten)]
    values: probes::Values,

    /// Print one JSON object for each check instead of a table
    #[arg(long)]
    json: bool,

    /// Run only the check of this id or name, and print every request that it takes
    #[arg(long, value_name = "CHECK", conflicts_with = "json")]
    trace: Option<String>,

    /// Write these requests as HAR 1.2 too, for the network tab of a browser; without bodies
    #[arg(long, value_name = "FILE", requires = "trace")]
    har: Option<PathBuf>,
}

impl Check {
    pub(super) fn run(self) -> Ending {
        let told = Complaints::Terminal;
        let loaded = probes::load(&self.probes, &self.values, told)
            .and_then(|config| {
                Ok((probes::secrets(config.secret_refs(), config.files(), told)?, config))
            })
            .and_then(|(secrets, config)| Ok((secrets, config, runtime()?)));
        let (secrets, config, runtime) = match loaded {
            Ok(loaded) => loaded,
            Err(ending) => return ending,
        };
        let wanted = self.trace.as_deref().map(|wanted| wanted::find(&config, wanted)).transpose();
        let wanted = match wanted {
            Ok(wanted) => wanted,
            Err(problem) => {
                print::error(&problem);
                return Ending::BadArguments;
            }
        };
        let prober = match Prober::new(Clock::start(), Vantage::new("here"), secrets) {
            Ok(prober) => Arc::new(prober),
            Err(error) => {
                print::error(&error.to_string());
                return Ending::Failed;
            }
        };
        prober.heed(&config.prober);
        if let Some(check) = wanted {
            return runtime.block_on(trace(check, &prober, self.har.as_deref()));
        }
        let observations = runtime.block_on(observe(&config, prober));
        if self.json {
            print_json(&observations);
        } else {
            print::raw(&table(&observations, print::colours()));
        }
        ending(&observations)
    }
}

/// Runs one check, and prints and writes what it took.
async fn trace(check: &config::Check, prober: &Prober, har: Option<&Path>) -> Ending {
    let (observation, exchanges) = prober.run_traced(check).await;
    let paper = waterfall::Paper { width: print::width(), colours: print::colours() };
    print::raw(&waterfall::draw(&observation, &exchanges, paper));
    if let Some(file) = har {
        let text = har::text(&check.name, &observation, &exchanges);
        if let Err(error) = std::fs::write(file, text) {
            print::error(&format!("cannot write {}: {error}", file.display()));
            return Ending::Failed;
        }
    }
    ending(&[observation])
}

fn ending(observations: &[Observation]) -> Ending {
    let mut findings = observations.iter().flat_map(|seen| &seen.findings);
    let all_pass = findings.all(|finding| finding.verdict == Verdict::Pass);
    if all_pass { Ending::Well } else { Ending::Failed }
}

const fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Pass => Tone::Good,
        Verdict::Degraded => Tone::Warning,
        Verdict::Fail => Tone::Bad,
        Verdict::Inconclusive => Tone::Quiet,
    }
}

/// Runs every check of `config` once, and returns what they saw in the configuration's order.
async fn observe(config: &Config, prober: Arc<Prober>) -> Vec<Observation> {
    let slots = Arc::new(Semaphore::new(IN_FLIGHT));
    let mut runs = JoinSet::new();
    for (place, check) in config.every_check().enumerate() {
        let (check, prober, slots) = (check.clone(), Arc::clone(&prober), Arc::clone(&slots));
        runs.spawn(async move {
            let _slot = slots.acquire().await;
            (place, prober.run(&check).await)
        });
    }
    let mut seen = runs.join_all().await;
    seen.sort_by_key(|(place, _)| *place);
    seen.into_iter().map(|(_, observation)| observation).collect()
}

fn print_json(observations: &[Observation]) {
    for observation in observations {
        match serde_json::to_string(observation) {
            Ok(text) => print::line(&text),
            Err(error) => print::error(&format!("an observation cannot be written: {error}")),
        }
    }
}

/// The columns of the table, with what stands in them for a finding.
fn cells(check: &CheckId, finding: &Finding) -> Vec<String> {
    let address = finding.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
    let variant = finding.variant.iter().map(|variant| format!(" [{variant}]"));
    let name = variant.fold(check.to_string(), |name, variant| name + &variant);
    let mut cells = vec![finding.verdict.to_string(), name, address];
    cells.extend(times(&finding.phases));
    let step = finding.step.as_ref().map_or_else(String::new, |step| format!("step {step}: "));
    cells.push(
        finding
            .reason
            .as_ref()
            .map_or_else(String::new, |reason| format!("{step}{}: {reason}", reason.name())),
    );
    cells
}

/// The columns of the table, with what stands in them for a request of a finding.
fn hop_cells(hop: &Hop) -> Vec<String> {
    let status = hop.status.map_or_else(|| "---".to_owned(), |status| status.to_string());
    let mut cells = vec![String::new(), format!("  {status} {}", hop.host), String::new()];
    cells.extend(times(&hop.phases));
    cells.push(hop.step.as_ref().map_or_else(String::new, |step| format!("step {step}")));
    cells
}

/// How long it took in all and in each phase.
fn times(phases: &Phases) -> Vec<String> {
    let each =
        Phase::ALL.map(|phase| phases.get(phase).map_or_else(String::new, |t| t.to_string()));
    [phases.total().to_string()].into_iter().chain(each).collect()
}

fn table(observations: &[Observation], colours: bool) -> String {
    let mut head: Vec<String> =
        ["VERDICT", "CHECK", "ADDRESS", "TOTAL"].map(str::to_owned).to_vec();
    head.extend(Phase::ALL.map(|phase| phase.as_str().to_uppercase()));
    head.push("REASON".to_owned());
    let mut rows: Vec<(Option<Verdict>, Vec<String>)> = Vec::new();
    for (check, finding) in
        observations.iter().flat_map(|seen| seen.findings.iter().map(|f| (&seen.check, f)))
    {
        rows.push((Some(finding.verdict), cells(check, finding)));
        rows.extend(finding.hops.iter().map(|hop| (None, hop_cells(hop))));
    }
    let widths: Vec<usize> = (0..head.len())
        .map(|column| {
            let cells = rows.iter().map(|(_, cells)| &cells[column]).chain([&head[column]]);
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let lay = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let mut text = paint(&lay(&head), Tone::Strong, colours) + "\n";
    for (verdict, cells) in &rows {
        let line = lay(cells);
        let Some(verdict) = verdict else {
            text.push_str(&paint(&line, Tone::Quiet, colours));
            text.push('\n');
            continue;
        };
        let word = verdict.as_str();
        text.push_str(&paint(word, tone(*verdict), colours));
        text.push_str(&line[word.len()..]);
        text.push('\n');
    }
    text
}
