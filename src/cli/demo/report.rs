//! `farol demo --report`: scenarios played at real intervals, and a scoreboard of them.

use std::path::Path;
use std::sync::Arc;

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
        let mut stories: Vec<Story> = Vec::new();
        for scenario in chosen {
            // Named twice, it is the same story.
            if stories.iter().any(|story| story.scenario.id == scenario.id) {
                continue;
            }
            let rounds = tokio::select! {
                // First, so that signals are heard before anything is played.
                biased;
                // Whoever stops it gets no report that looks like a whole one.
                () = &mut stop => return Ok(false),
                rounds = self.rounds_of(scenario, state_dir) => rounds?,
            };
            let components = Row::all_of(scenario.platform);
            stories.push(Story { scenario: Arc::clone(scenario), components, rounds });
        }
        let scoreboard = Scoreboard { command: self.command(target.file()), stories };
        let file = target.file().display().to_string();
        match target.form() {
            Form::Html => target.write(&html(&scoreboard), &[])?,
            Form::Markdown { .. } => {
                let drawn = |story: &Story| (story.file_name(), picture(story));
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

    /// Plays a scenario as often as is asked for, and says a line of each round.
    async fn rounds_of(
        &self,
        scenario: &Arc<Scenario>,
        state_dir: &Path,
    ) -> Result<Vec<Played>, PlayError> {
        let mut memory = Memory::default();
        let mut rounds = Vec::new();
        for round in 0..self.rounds {
            print::raw(&format!("{:20} round {} of {}: ", scenario.id, round + 1, self.rounds));
            let folder = state_dir.join(format!("{}-{round}", scenario.id));
            let which = (round, self.rounds);
            let played = stepped::play(Arc::clone(scenario), which, &mut memory, folder.clone());
            let played = played.await;
            // A round is no longer needed once it was played, and the next has a folder of its own.
            let _ = std::fs::remove_dir_all(folder);
            let played = played.inspect_err(|_| print::line("could not be played"))?;
            print::line(&summed_up(&played));
            rounds.push(played);
        }
        Ok(rounds)
    }

    /// What must be typed for the same report.
    fn command(&self, file: &Path) -> String {
        let what = if self.all { "--all".to_owned() } else { self.scenarios.join(" ") };
        let rounds =
            if self.rounds == 1 { String::new() } else { format!(" --rounds {}", self.rounds) };
        format!("farol demo {what}{rounds} --report {}", file.display())
    }
}

/// What came of a round, in a line.
fn summed_up(played: &Played) -> String {
    let outcome = &played.outcome;
    let came = match outcome.wrongs.len() {
        0 => "as it should".to_owned(),
        1 => "NOT as it should, 1 thing was wrong".to_owned(),
        count => format!("NOT as it should, {count} things were wrong"),
    };
    let lag = outcome.longest_lag().map(|lag| format!("; first words after {lag} at most"));
    let lag = lag.unwrap_or_default();
    format!("{came}{lag}; {} runs of checks", played.real + played.retold)
}
