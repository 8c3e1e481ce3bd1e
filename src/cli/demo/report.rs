//! `farol demo --report`: scenarios played at real intervals, and a scoreboard of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::demo::report::{Row, Scoreboard, Story, html, markdown, picture};
use crate::demo::scenario::Scenario;
use crate::demo::stepped::{self, Memory, Played};

use super::super::Ending;
use super::super::print;
use super::super::run::told_to_stop;
use super::target::{Form, Target, TargetError};
use super::{Demo, PlayError};

/// Why there is no scoreboard.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScoreError {
    /// A scenario could not be played.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// There is no thread to play it on.
    #[error("no thread could be started to play on: {0}")]
    Thread(#[from] std::io::Error),
    /// It could not be written.
    #[error(transparent)]
    Target(#[from] TargetError),
}

impl Demo {
    /// Where the report goes.
    pub(super) fn target(&self, file: &Path) -> Result<Target, Ending> {
        if !self.all && self.scenarios.is_empty() {
            print::error("--report needs to know what to play: --all, or scenarios by their names");
            return Err(Ending::BadArguments);
        }
        Target::new(file).map_err(|error| {
            print::error(&error.to_string());
            if error.is_argument() { Ending::BadArguments } else { Ending::Failed }
        })
    }

    /// Plays `chosen` and writes what came of them; tells whether all came as it should.
    pub(super) async fn score(
        &self,
        chosen: &[Arc<Scenario>],
        state_dir: &Path,
        target: Target,
    ) -> Result<bool, ScoreError> {
        let stop = told_to_stop();
        tokio::pin!(stop);
        let mut played = tokio::select! {
            // First, so that signals are heard before anything is played.
            biased;
            // Whoever stops it gets no report that looks like a whole one.
            () = &mut stop => return Ok(false),
            played = all_rounds(chosen, self.rounds, state_dir) => played?,
        };
        let story = |scenario: &Arc<Scenario>| {
            let rounds = played.remove(&scenario.id)?;
            let components = Row::all_of(scenario.platform);
            Some(Story { scenario: Arc::clone(scenario), components, rounds })
        };
        let stories = chosen.iter().filter_map(story).collect();
        let scoreboard = Scoreboard { command: self.command(target.file()), stories };
        let file = target.file().display().to_string();
        match target.form() {
            Form::Html => target.write(&html(&scoreboard), &[])?,
            Form::Markdown { .. } => {
                let drawn = |story: &Story| (story.scenario.id.clone(), picture(story));
                let drawings: Vec<(String, String)> =
                    scoreboard.stories.iter().map(drawn).collect();
                let text = markdown(&scoreboard, &target.folder_name());
                target.write(&text, &drawings)?;
            }
        }
        let is_right = scoreboard.is_right();
        let came = if is_right { "Everything came" } else { "Not everything came" };
        print::line(&format!("{came} as it should; the scoreboard is in {file}"));
        Ok(is_right)
    }

    /// What must be typed for the same report.
    fn command(&self, file: &Path) -> String {
        let what = if self.all { "--all".to_owned() } else { self.scenarios.join(" ") };
        let rounds =
            if self.rounds == 1 { String::new() } else { format!(" --rounds {}", self.rounds) };
        format!("farol demo {what}{rounds} --report {}", file.display())
    }
}

/// Plays every one of `chosen` so many times, as many scenarios at once as there are cores, each on
/// a thread of its own. They have different ids.
async fn all_rounds(
    chosen: &[Arc<Scenario>],
    rounds: u32,
    state_dir: &Path,
) -> Result<BTreeMap<String, Vec<Played>>, ScoreError> {
    let at_once = std::thread::available_parallelism().map_or(1, usize::from);
    let mut wanted = chosen.iter();
    let (ended, mut results) = mpsc::unbounded_channel();
    let (mut playing, mut played) = (0, BTreeMap::new());
    loop {
        while playing < at_once
            && let Some(scenario) = wanted.next()
        {
            play_apart(Arc::clone(scenario), rounds, state_dir.to_owned(), ended.clone())?;
            playing += 1;
        }
        if playing == 0 {
            return Ok(played);
        }
        // There is a sender as long as `ended` is.
        if let Some(result) = results.recv().await {
            playing -= 1;
            played.extend([result?]);
        }
    }
}

/// What came of a scenario's rounds, by its name.
type Rounds = Result<(String, Vec<Played>), PlayError>;

/// Plays a scenario on a thread of its own, which nobody waits for if all is stopped.
fn play_apart(
    scenario: Arc<Scenario>,
    rounds: u32,
    state_dir: PathBuf,
    ended: mpsc::UnboundedSender<Rounds>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let play = move || {
        // Whoever asked may have gone.
        let _ = ended.send(runtime.block_on(rounds_of(scenario, rounds, &state_dir)));
    };
    std::thread::Builder::new().name("story".to_owned()).spawn(play)?;
    Ok(())
}

/// Plays a scenario so many times, and says a line of each round.
async fn rounds_of(scenario: Arc<Scenario>, rounds: u32, state_dir: &Path) -> Rounds {
    let mut memory = Memory::default();
    let mut all = Vec::new();
    print::line(&format!("{:20} begins", scenario.id));
    for round in 0..rounds {
        let folder = state_dir.join(format!("{}-{round}", scenario.id));
        let which = (round, rounds);
        let played = stepped::play(Arc::clone(&scenario), which, &mut memory, folder.clone());
        let played = played.await;
        // A round is no longer needed once it was played, and the next has a folder of its own.
        let _ = std::fs::remove_dir_all(folder);
        let came = played.as_ref().map_or_else(|_| "could not be played".to_owned(), summed_up);
        print::line(&format!("{:20} round {} of {rounds}: {came}", scenario.id, round + 1));
        all.push(played?);
    }
    Ok((scenario.id.clone(), all))
}

/// What came of a round, in a line.
fn summed_up(played: &Played) -> String {
    let outcome = &played.outcome;
    let came = outcome
        .amount_wrong()
        .map_or_else(|| "as it should".to_owned(), |amount| format!("NOT as it should, {amount}"));
    let told = outcome.longest_lag().map(|slowest| format!("; first words {}", slowest.at_most()));
    let told = told.unwrap_or_default();
    format!("{came}{told}; {} runs of checks", played.real + played.retold)
}
