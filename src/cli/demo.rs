//! `farol demo`: see it work, with nothing to configure.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use crate::app;
use crate::clock::Clock;
use crate::demo::judge::Outcome;
use crate::demo::play::{Play, PlayError};
use crate::demo::scenario::{self, Scenario, collection};
use crate::demo::timeline::{Line, Timeline, Voice};

use super::print::{self, Tone, paint};
use super::run::told_to_stop;
use super::{Ending, address, runtime};

mod report;
mod target;

/// Watch farol find and publish real incidents, on this machine alone
///
/// Plays a scenario made after the report of a real incident: a small platform on the loopback fails
/// as that of the real company did, with farol watching it from the outside and the status page in
/// your browser. Time runs faster than it did then, and the timeline shows the clock of that day;
/// hours take a minute. At the end it is told whether the page said what it should, when it should,
/// and nothing else. Other scenarios are days on which nothing may be published at all.
///
/// What customers notice first must be on the page within an interval of the checks, 30 s by the
/// clock of the story, and 5 s more. Checks and deliveries are real, so these 5 s are real ones too:
/// where a second is worth 40 of the story, they are more than three minutes of it.
///
/// Without the name of a scenario it lists them, and plays the first. Needs no internet; everything
/// is gone afterwards.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Demo {
    /// The scenarios to play, such as 2024-11-14, or files of your own that end in .toml; without any,
    /// the first
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// Only list the scenarios
    #[arg(long, conflicts_with_all = ["all", "scenarios"])]
    list: bool,

    /// Play every scenario, one after the other, and sum them up in a table
    #[arg(long, conflicts_with = "scenarios")]
    all: bool,

    /// Write a scoreboard of them into this file, which ends in .md or .html: how soon farol told
    /// the public, beside how soon the real company did, and a picture of each. They are played at
    /// real intervals by the clock of the story, which takes a minute or two for each, with no
    /// timeline and no page to look at meanwhile. The pictures of FILE.md are written into the
    /// folder FILE beside it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["list", "speed", "listen", "exit"])]
    report: Option<PathBuf>,

    /// How often each is played for the report, every time with another phase between farol's checks
    /// and what goes wrong
    #[arg(long, default_value = "1", value_name = "N", requires = "report", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rounds: u32,

    /// How fast, against a scenario's own pace: 2 is twice as fast, 0.5 half as fast. Much faster,
    /// checks cannot keep up, and what should come in time comes late
    #[arg(long, default_value = "1", value_name = "FACTOR", value_parser = factor)]
    speed: u32,

    /// End when the story is over, with exit code 0 only if everything came as it should; several
    /// scenarios always end so
    #[arg(long)]
    exit: bool,

    /// Where the status page is served; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDRESS", value_parser = address)]
    listen: SocketAddr,

    /// Where the demo keeps its state, in a folder of its own that is removed at the end; without
    /// it in the folder for temporary files
    #[arg(long, env = "FAROL_STATE_DIR", value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  farol demo                        list the scenarios and play the first
  farol demo 2024-11-14             play that one; the status page stays up until Ctrl-C
  farol demo 2024-11-14 --speed 0.5 the same at half the pace
  farol demo healthy own-network    play two, and sum them up
  farol demo --all                  play them all; exit code 0 only if all came as they should
  farol demo --all --report scoreboard.html
                                    the same at real intervals, written into a page
  farol demo --all --rounds 20 --report scoreboard.md
                                    each twenty times, with the figures of the worst";

/// What came of one scenario.
struct Played {
    scenario: Arc<Scenario>,
    outcome: Outcome,
    took: Duration,
}

impl Demo {
    pub(super) fn run(self) -> Ending {
        let target = match self.report.as_deref().map(|file| self.target(file)).transpose() {
            Ok(target) => target,
            Err(ending) => return ending,
        };
        let chosen = match self.choose() {
            Ok(chosen) => chosen,
            Err(ending) => return ending,
        };
        if chosen.is_empty() {
            return Ending::Well;
        }
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(ending) => return ending,
        };
        let process = std::process::id();
        let state_dir = match &self.state_dir {
            Some(folder) => folder.join(format!("demo-{process}")),
            None => std::env::temp_dir().join(format!("farol-demo-{process}")),
        };
        let ended = runtime.block_on(async {
            match target {
                Some(target) => self.score(&chosen, &state_dir, target).await,
                None => Ok(self.play_all(&chosen, &state_dir).await?),
            }
        });
        runtime.shutdown_timeout(Duration::from_millis(200));
        // What is left in a folder for temporary files is a nuisance, not an error.
        let _ = std::fs::remove_dir_all(state_dir);
        match ended {
            Ok(true) => Ending::Well,
            Ok(false) => Ending::Failed,
            Err(error) => {
                print::error(&error.to_string());
                Ending::Failed
            }
        }
    }

    /// The scenarios that are meant; none if only the list was asked for.
    fn choose(&self) -> Result<Vec<Arc<Scenario>>, Ending> {
        let all = collection::all().map_err(|error| {
            print::error(&error.to_string());
            Ending::Failed
        })?;
        let all: Vec<Arc<Scenario>> = all.into_iter().map(Arc::new).collect();
        if self.list || (self.scenarios.is_empty() && !self.all) {
            list(&all);
        }
        if self.list {
            return Ok(Vec::new());
        }
        if self.all {
            return Ok(all);
        }
        if self.scenarios.is_empty() {
            return Ok(all.into_iter().take(1).collect());
        }
        let chosen: Vec<Arc<Scenario>> =
            self.scenarios.iter().map(|name| named(name, &all)).collect::<Result<_, _>>()?;
        if let Some(same) = same(&self.scenarios, &chosen) {
            print::error(&same);
            return Err(Ending::BadArguments);
        }
        Ok(chosen)
    }

    async fn play_all(
        &self,
        chosen: &[Arc<Scenario>],
        state_dir: &Path,
    ) -> Result<bool, PlayError> {
        let stop = told_to_stop();
        tokio::pin!(stop);
        let mut played = Vec::new();
        for scenario in chosen {
            let state_dir = state_dir.join(&scenario.id);
            let stays = !self.exit && chosen.len() == 1;
            let one = self.play(Arc::clone(scenario), state_dir, stays, stop.as_mut());
            // Whoever stops it has not seen that everything came as it should.
            let Some(one) = one.await? else { return Ok(false) };
            played.push(one);
        }
        if chosen.len() > 1 {
            summary(&played);
        }
        Ok(played.iter().all(|one| one.outcome.is_right()))
    }

    /// Plays one; `None` if it was stopped before its end.
    async fn play(
        &self,
        scenario: Arc<Scenario>,
        state_dir: PathBuf,
        stays: bool,
        mut stop: std::pin::Pin<&mut impl Future<Output = ()>>,
    ) -> Result<Option<Played>, PlayError> {
        let tempo = scenario.tempo.faster(self.speed);
        let takes = tempo.takes(scenario.begins, scenario.ends).as_secs();
        print::line(&format!("\n{}: {}", scenario.id, scenario.title));
        print::line(&fill(&scenario.about, "  "));
        let timeline = timeline(Arc::clone(&scenario));
        let watch = Clock::start().stopwatch();
        let mut play =
            Play::start(Arc::clone(&scenario), tempo, self.listen, state_dir, timeline).await?;
        let page = app::own_url(play.address(), "/").map_err(PlayError::App)?;
        print::line(&format!("  It takes {takes} s; the status page is at {page}\n"));
        let outcome = tokio::select! {
            outcome = play.play() => Some(outcome?),
            () = &mut stop => None,
        };
        let took = watch.elapsed().to_duration();
        if let Some(outcome) = &outcome {
            print::line(&verdict(outcome));
        }
        if stays && outcome.is_some() {
            print::line("The status page stays up; Ctrl-C ends it.");
            play.run_until(stop).await?;
        } else {
            play.run_until(std::future::ready(())).await?;
        }
        Ok(outcome.map(|outcome| Played { scenario, outcome, took }))
    }
}

/// The scenario that is called so, or that stands in that file.
fn named(name: &str, all: &[Arc<Scenario>]) -> Result<Arc<Scenario>, Ending> {
    if Path::new(name).extension().is_some_and(|extension| extension == "toml") {
        let text = std::fs::read_to_string(name).map_err(|error| {
            print::error(&format!("{name} cannot be read: {error}"));
            Ending::BadArguments
        })?;
        return scenario::read(name, &text, collection::cast_of).map(Arc::new).map_err(|error| {
            print::error(&format!("{error}"));
            Ending::BadConfiguration
        });
    }
    let found = all.iter().find(|scenario| scenario.id == name).cloned();
    found.ok_or_else(|| {
        let help = crate::config::nearest(name, collection::ids())
            .map_or_else(String::new, |near| format!("; did you mean {near}?"));
        print::error(&format!("there is no scenario {name}{help} (farol demo --list)"));
        Ending::BadArguments
    })
}

/// Which of the chosen scenarios have the same id, in words. Each has a folder and a place in the
/// report that are called by it.
fn same(names: &[String], chosen: &[Arc<Scenario>]) -> Option<String> {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, scenario) in names.iter().zip(chosen) {
        let id = scenario.id.as_str();
        match known.insert(id, name) {
            Some(before) if before == name => {
                return Some(format!("{name} is named twice; name each scenario once"));
            }
            Some(before) => {
                return Some(format!(
                    "{before} and {name} have the same id, {id}; give one of them another"
                ));
            }
            None => {}
        }
    }
    None
}

/// What every scenario is, for choosing one.
fn list(all: &[Arc<Scenario>]) {
    print::line("Scenarios that farol demo plays:\n");
    for scenario in all {
        let takes = scenario.tempo.takes(scenario.begins, scenario.ends).as_secs();
        print::line(&format!("  {:20} {takes:>3} s  {}", scenario.id, scenario.title));
    }
    print::line(
        "\nThose called by a day are made after the reports of real incidents; on the others \
         nothing may be published.",
    );
    print::line("Play one with `farol demo SCENARIO`, all with `farol demo --all`.");
}

fn verdict(outcome: &Outcome) -> String {
    let told = outcome.longest_lag().map_or_else(String::new, |slowest| {
        let told = slowest.at_most();
        format!(" What customers noticed first came to the page {told}, by the story's clock.")
    });
    match outcome.amount_wrong() {
        None => format!("\nEverything came as it should.{told}"),
        Some(amount) => format!("\nNot everything came as it should: {amount}.{told}"),
    }
}

/// A table of what came of each.
fn summary(played: &[Played]) {
    let colours = print::colours();
    print::line(&format!(
        "\n{:20} {:>6} {:>12} {:>28} {:>9} {:>5}  as it should",
        "scenario", "took", "slowest word", "components", "lifecycle", "words"
    ));
    for Played { scenario, outcome, took } in played {
        let slowest = outcome.longest_lag().map_or_else(|| "-".to_owned(), |it| it.to_string());
        let score = &outcome.components;
        let (right, missing, wrong) = (score.right.len(), score.missing.len(), score.wrong.len());
        let components = format!("{right} right, {missing} missing, {wrong} wrong");
        let word = |right: bool| if right { "yes" } else { "NO" };
        let line = format!(
            "{:20} {:>4} s {slowest:>12} {components:>28} {:>9} {:>5}  {}",
            scenario.id,
            took.as_secs(),
            word(outcome.lifecycle_is_right()),
            word(outcome.words_are_right()),
            word(outcome.is_right()),
        );
        let tone = if outcome.is_right() { Tone::Good } else { Tone::Bad };
        print::line(&paint(&line, tone, colours));
    }
}

/// A timeline on the terminal, by the story's clock.
fn timeline(scenario: Arc<Scenario>) -> Timeline {
    let colours = print::colours();
    Timeline::new(move |line| print::line(&show(line, &scenario.clock(line.at), colours)))
}

fn show(line: &Line, at: &str, colours: bool) -> String {
    let tone = match line.voice {
        Voice::Platform => Tone::Warning,
        Voice::Farol => Tone::Quiet,
        Voice::Page => Tone::Strong,
        Voice::Met => Tone::Good,
        Voice::Unmet => Tone::Bad,
    };
    paint(&format!("{at:>8}  {:16}  {}", line.voice, line.text), tone, colours)
}

/// How fast, in hundredths.
fn factor(text: &str) -> Result<u32, String> {
    let wrong = || "write a factor from 0.01 to 100, such as 2 or 0.5".to_owned();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let whole: u32 = whole.parse().map_err(|_| wrong())?;
    let part: u32 = format!("{part:0<2}").get(..2).unwrap_or("00").parse().map_err(|_| wrong())?;
    let hundredths = whole.saturating_mul(100).saturating_add(part);
    if (1..=10_000).contains(&hundredths) { Ok(hundredths) } else { Err(wrong()) }
}

/// A text in lines of about the width of the terminal, each behind `indent`.
fn fill(text: &str, indent: &str) -> String {
    let width = print::width().clamp(40, 100);
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        if let Some(line) = lines.last_mut()
            && (line.is_empty() || indent.len() + line.len() + 1 + word.len() <= width)
        {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.iter().map(|line| format!("{indent}{line}")).collect::<Vec<_>>().join("\n")
}
