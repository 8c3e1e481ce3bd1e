//! `farol demo`: see it work, with nothing to configure.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::demo::story::{Demo as Play, DemoError};
use crate::demo::timeline::{Line, Timeline, Voice};

use super::print::{self, Tone, paint};
use super::run::told_to_stop;
use super::{Ending, address, runtime};

/// Watch farol find and publish a real incident, on this machine alone
///
/// Starts a small platform on the loopback (a DNS name with three servers, a login, a chat
/// service), farol watching it, and the status page. Then the clock of one server jumps a year
/// ahead and its logins fail, as on 15 September 2021 at a real company, and later it is mended.
/// Needs no internet; everything is gone afterwards.
#[derive(Debug, Args)]
pub(super) struct Demo {
    /// End when the incident is resolved, with exit code 0 only if everything came as it should
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

impl Demo {
    pub(super) fn run(self) -> Ending {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(ending) => return ending,
        };
        let process = std::process::id();
        let state_dir = match &self.state_dir {
            Some(folder) => folder.join(format!("demo-{process}")),
            None => std::env::temp_dir().join(format!("farol-demo-{process}")),
        };
        let ended = runtime.block_on(self.play(state_dir.clone()));
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

    async fn play(&self, state_dir: PathBuf) -> Result<bool, DemoError> {
        let colours = print::colours();
        let timeline = Timeline::new(move |line| print::line(&show(line, colours)));
        let demo = Play::start(self.listen, state_dir, timeline).await?;
        let stop = told_to_stop();
        tokio::pin!(stop);
        let met = tokio::select! {
            met = demo.play() => Some(met),
            () = &mut stop => None,
        };
        match met {
            Some(true) => print::line("\nEverything came as it should."),
            Some(false) => print::line("\nNot everything came as it should."),
            None => {}
        }
        if self.exit || met.is_none() {
            demo.run_until(std::future::ready(())).await?;
        } else {
            print::line("The status page stays up; Ctrl-C ends it.");
            demo.run_until(stop).await?;
        }
        Ok(met == Some(true))
    }
}

fn show(line: &Line, colours: bool) -> String {
    let tone = match line.voice {
        Voice::Story | Voice::Platform => Tone::Warning,
        Voice::Farol => Tone::Quiet,
        Voice::Page => Tone::Strong,
        Voice::Met => Tone::Good,
        Voice::Unmet => Tone::Bad,
    };
    let since =
        line.since_fault.map_or_else(String::new, |since| format!("+{:.1} s", since.as_secs_f64()));
    paint(&format!("{since:>8}  {:16}  {}", line.voice, line.text), tone, colours)
}
