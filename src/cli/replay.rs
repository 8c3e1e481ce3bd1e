//! `farol replay`: what the journal's observations would have led to under other thresholds.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::engine;
use crate::model::{Policy, Timestamp};
use crate::replay::{Affair, Incident, Replay as Run, Report, Rules, affairs, picture};
use crate::store::{Entry, Journal, StoreError};

use super::print::{self, Complaints, Progress};
use super::{Ending, default_probes, probes};

/// Rows that go from the reader to the engines at once.
const BATCH: usize = 4_096;
/// Batches that may wait for an engine: what is read ahead must not fill the memory.
const AHEAD: usize = 8;

/// See which incidents the observations of the past would have opened under other thresholds
///
/// Every observation in the state directory's journal goes through the same engine again: as the
/// thresholds were then ("as it was"), as the probe files have them now ("now"), and as each
/// --policy has them. What differs is told incident by incident. Nothing is published, and a farol
/// that runs on the same directory is not disturbed.
#[derive(Debug, Args)]
pub(super) struct Replay {
    /// The probe files as they are now, or folders of them
    #[arg(value_name = "PATH", env = "FAROL_PROBES", default_values_os_t = default_probes())]
    probes: Vec<PathBuf>,

    #[command(flatten)]
    values: probes::Values,

    /// Probe files, or a folder of them, with other thresholds; may be given several times
    #[arg(long, value_name = "PATH")]
    policy: Vec<PathBuf>,

    /// Where farol keeps its state
    #[arg(long, default_value = "state", env = "FAROL_STATE_DIR", value_name = "FOLDER")]
    state_dir: PathBuf,

    /// Tell of incidents since then: 7d, or 2026-11-14T05:00:00Z; of all without it
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<Moment>,

    /// Tell of incidents until then
    #[arg(long, value_name = "TIME", value_parser = moment)]
    until: Option<Moment>,

    /// Draw how each component was into this file (SVG)
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,

    /// Print JSON, for other programs
    #[arg(long)]
    json: bool,
}

/// A point in time, as an argument.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Ago(Duration),
    At(Timestamp),
}

impl Moment {
    fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(ago) => now - ago,
            Self::At(at) => at,
        }
    }
}

fn moment(text: &str) -> Result<Moment, String> {
    let ago = humantime::parse_duration(text).map(Moment::Ago);
    let at = || chrono::DateTime::parse_from_rfc3339(text).map(|at| Moment::At(at.to_utc().into()));
    ago.or_else(|_| at()).map_err(|_| {
        "write how long ago (90m, 7d), or a time with its zone: 2026-11-14T05:00:00Z".to_owned()
    })
}

type Batch = Arc<Vec<Entry>>;

impl Replay {
    pub(super) fn run(self) -> Ending {
        let replays = match self.replays() {
            Ok(replays) => replays,
            Err(ending) => return ending,
        };
        let clock = Clock::start();
        let watch = clock.stopwatch();
        let reports = match self.read(replays) {
            Ok(reports) => reports,
            Err(error) => {
                print::error(&error.to_string());
                return Ending::Failed;
            }
        };
        let took = watch.elapsed().to_duration();
        let now = clock.now();
        let since = self.since.map_or(Timestamp::EPOCH, |since| since.resolve(now));
        let until = self.until.map_or(now, |until| until.resolve(now));
        let reports: Vec<Report> =
            reports.into_iter().map(|one| one.between(since, until)).collect();
        if self.json {
            print::line(&json(&reports).to_string());
        } else {
            print::raw(&told(&reports, took));
        }
        self.svg.map_or(Ending::Well, |file| match std::fs::write(&file, picture(&reports)) {
            Ok(()) => Ending::Well,
            Err(error) => {
                print::error(&format!("cannot write {}: {error}", file.display()));
                Ending::Failed
            }
        })
    }

    /// The ways through the journal, in the order of their columns.
    fn replays(&self) -> Result<Vec<Run>, Ending> {
        let terminal = Complaints::Terminal;
        let saved = saved_policy(&self.state_dir).map_err(|error| {
            print::error(&error.to_string());
            Ending::Failed
        })?;
        let now = probes::load(&self.probes, &self.values, terminal)?.policy();
        let mut replays = vec![
            Run::new("as it was", Rules::AsTheyWere(saved)),
            Run::new("now", Rules::Fixed(now)),
        ];
        for path in &self.policy {
            let policy = probes::load(std::slice::from_ref(path), &self.values, terminal)?.policy();
            replays.push(Run::new(path.display().to_string(), Rules::Fixed(policy)));
        }
        Ok(replays)
    }

    /// Reads the journal once, and sends it through each of the engines at the same time.
    fn read(&self, replays: Vec<Run>) -> Result<Vec<Report>, StoreError> {
        let journal = Journal::read(&self.state_dir, 0)?;
        let progress = Progress::new("observations", journal.rows()?);
        std::thread::scope(|scope| {
            let (mut senders, mut running) = (Vec::new(), Vec::new());
            for replay in replays {
                let (sender, receiver) = sync_channel(AHEAD);
                senders.push(sender);
                running.push(scope.spawn(move || follow(replay, &receiver)));
            }
            let read = feed(journal, &senders, progress);
            drop(senders);
            let ended = running
                .into_iter()
                .map(|one| one.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
            let reports = ended.collect();
            read.map(|()| reports)
        })
    }
}

fn follow(mut replay: Run, batches: &Receiver<Batch>) -> Report {
    while let Ok(batch) = batches.recv() {
        for (_, at, input) in batch.iter() {
            replay.take(input, *at);
        }
    }
    replay.finish()
}

fn feed(
    journal: Journal,
    engines: &[SyncSender<Batch>],
    mut progress: Progress,
) -> Result<(), StoreError> {
    let mut batch = Vec::with_capacity(BATCH);
    let send = |batch: Vec<Entry>| {
        let batch = Arc::new(batch);
        // An engine that is gone has panicked, which is told when it is joined.
        engines.iter().for_each(|engine| drop(engine.send(Arc::clone(&batch))));
    };
    for entry in journal {
        batch.push(entry?);
        if batch.len() == BATCH {
            progress.advance(BATCH);
            send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
        }
    }
    send(batch);
    Ok(())
}

/// The policy that was last in force: by it the journal begins, if its beginning is forgotten.
fn saved_policy(dir: &std::path::Path) -> Result<Policy, StoreError> {
    let Some(json) = Journal::read(dir, 0)?.engine()? else { return Ok(Policy::default()) };
    let state: engine::State = serde_json::from_str(&json)
        .map_err(|source| StoreError::Damaged { what: "state of the engine", source })?;
    Ok(state.policy().clone())
}

/// What the reports say, for people.
fn told(reports: &[Report], took: Duration) -> String {
    let mut text = String::new();
    let Some(first) = reports.first() else { return text };
    let rate = first.observations as f64 / took.as_secs_f64().max(0.001);
    let _ = writeln!(
        text,
        "{} observations, {:.0} a second through {} engines; told of: {} to {}\n",
        first.observations,
        rate,
        reports.len(),
        brief(first.from),
        brief(first.to),
    );
    let width = reports.iter().map(|report| report.name.chars().count()).max().unwrap_or(0);
    for report in reports {
        let strange = match report.strange {
            0 => String::new(),
            all if all == report.observations => {
                "; it has none of the checks that were observed: is it of a platform of that id?"
                    .to_owned()
            }
            some => format!("; {some} observations are of checks that it does not have"),
        };
        let _ = writeln!(
            text,
            "{:width$}  {} incidents, open for {}{strange}",
            report.name,
            report.incidents.len(),
            length(report.open_for()),
        );
    }
    for affair in affairs(reports) {
        let _ = writeln!(text, "\n{} {}", brief(affair.began), affair.platform);
        one(&mut text, &affair, reports, width);
    }
    text
}

fn one(text: &mut String, affair: &Affair<'_>, reports: &[Report], width: usize) {
    let was = affair.incidents.first().and_then(|incidents| incidents.first());
    for (report, incidents) in reports.iter().zip(&affair.incidents) {
        if incidents.is_empty() {
            let _ = writeln!(text, "  {:width$}  not opened", report.name);
        }
        for incident in incidents {
            let is_first = incidents.first().is_some_and(|first| std::ptr::eq(*first, *incident));
            let than = was.filter(|was| is_first && !std::ptr::eq(**was, *incident));
            let _ = writeln!(
                text,
                "  {:width$}  {}{}, {}, {}, {} updates: {}",
                report.name,
                brief(incident.opened_at),
                than.map(|was| compared(incident, was)).unwrap_or_default(),
                incident.resolved_at.map_or_else(
                    || "still open".to_owned(),
                    |end| format!("open for {}", length(end.since(incident.opened_at)))
                ),
                incident.impact,
                incident.steps,
                incident.title,
            );
        }
    }
}

/// How much sooner or later an incident opened than what did happen.
fn compared(incident: &Incident, was: &Incident) -> String {
    match incident.opened_at.cmp(&was.opened_at) {
        std::cmp::Ordering::Equal => String::new(),
        std::cmp::Ordering::Less => {
            format!(" ({} sooner)", length(was.opened_at.since(incident.opened_at)))
        }
        std::cmp::Ordering::Greater => {
            format!(" ({} later)", length(incident.opened_at.since(was.opened_at)))
        }
    }
}

fn json(reports: &[Report]) -> Value {
    let incident = |report: &Report, incident: &Incident| {
        let components = incident.components.iter();
        let worst = components.map(|(id, status)| (id.to_string(), json!(status.as_str())));
        json!({
            "platform": incident.platform.as_str(),
            "title": incident.title,
            "impact": incident.impact.as_str(),
            "started_at": incident.started_at.to_rfc3339(),
            "opened_at": incident.opened_at.to_rfc3339(),
            "resolved_at": incident.resolved_at.map(Timestamp::to_rfc3339),
            "open_seconds": incident.end(report.to).since(incident.opened_at).as_secs_f64(),
            "updates": incident.steps,
            "worst_status": worst.collect::<serde_json::Map<String, Value>>(),
        })
    };
    let report = |report: &Report| {
        let incidents = report.in_order().into_iter().map(|one| incident(report, one));
        json!({
            "policy": report.name,
            "from": report.from.to_rfc3339(),
            "to": report.to.to_rfc3339(),
            "observations": report.observations,
            "observations_of_unknown_checks": report.strange,
            "incidents": incidents.collect::<Vec<Value>>(),
        })
    };
    Value::from(reports.iter().map(report).collect::<Vec<Value>>())
}

fn brief(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn length(time: Duration) -> String {
    humantime::format_duration(Duration::from_secs(time.as_secs())).to_string()
}
