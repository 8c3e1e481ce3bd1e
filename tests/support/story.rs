//! The real binary on a small probe file of one platform, and the commands that talk to it.

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "process.rs"]
pub(crate) mod process;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use farol::clock::Clock;
use process::Farol;
use tempfile::TempDir;

/// How long anything may take to come on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// A component with its only check.
pub(crate) struct Watched {
    pub(crate) component: &'static str,
    pub(crate) check: &'static str,
    /// The address that must take connections.
    pub(crate) tcp: String,
}

impl Watched {
    /// Desk, with a check of that name, and nobody there to answer it.
    pub(crate) fn down(check: &'static str) -> Self {
        Self { component: "Desk", check, tcp: "127.0.0.1:1".to_owned() }
    }
}

/// Writes the probe file of Blip into `dir`, with what else `[platform]` and `[publish]` say.
pub(crate) fn probes(dir: &Path, platform: &str, publish: &str, watched: &[Watched]) -> PathBuf {
    let path = dir.join("blip.toml");
    let mut text = format!(
        r#"
        [platform]
        name = "Blip"
        {platform}
        [publish]
        {publish}
        [defaults]
        interval = "1s"
        timeout = "500ms"
        confirm_interval = "200ms"
        "#
    );
    for Watched { component, check, tcp } in watched {
        text.push_str(&format!(
            "\n[[component]]\nname = \"{component}\"\ncheck = [{{ name = \"{check}\", tcp = \"{tcp}\" }}]\n"
        ));
    }
    std::fs::write(&path, text).unwrap();
    path
}

/// A farol that runs, and its folder.
pub(crate) struct Story {
    pub(crate) dir: TempDir,
    pub(crate) farol: Farol,
    probes: PathBuf,
}

impl Story {
    /// Begins in `dir`, which may have a state already, on the probe file there.
    pub(crate) fn begin(dir: TempDir, probes: PathBuf) -> Self {
        let farol = Farol::start(dir.path(), &probes, &[]);
        Self { dir, farol, probes }
    }

    /// Starts farol once more, after it has ended, on the probe file that it had.
    pub(crate) fn go_on(&mut self) {
        self.farol = Farol::start(self.dir.path(), &self.probes, &[]);
    }

    /// The same on another probe file.
    pub(crate) fn go_on_with(&mut self, probes: PathBuf) {
        self.probes = probes;
        self.go_on();
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// Runs a command of farol's on the state directory, and on the address where it is one that
    /// talks to the running farol.
    pub(crate) fn run(&self, command: &str, words: &[&str]) -> Output {
        let mut run = Command::new(env!("CARGO_BIN_EXE_farol"));
        run.arg(command).args(words);
        if command == "incidents" {
            run.args(["--listen", &self.farol.address.to_string()]);
        }
        run.arg("--state-dir").arg(self.state()).output().unwrap()
    }

    /// What the command prints when all is well.
    pub(crate) fn say(&self, command: &str, words: &[&str]) -> String {
        let output = self.run(command, words);
        let text = String::from_utf8(output.stdout).unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words:?}: {error}{text}\n{}", self.farol.read_log());
        text
    }

    /// What it complains of when it refuses.
    pub(crate) fn refused(&self, command: &str, words: &[&str]) -> String {
        let output = self.run(command, words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Waits for something to come.
    pub(crate) async fn until<T>(&self, what: &str, mut is: impl AsyncFnMut() -> Option<T>) -> T {
        let waited = Clock::start().stopwatch();
        loop {
            if let Some(found) = is().await {
                return found;
            }
            let late = waited.elapsed().to_duration() > LONG;
            assert!(!late, "never came: {what}\n{}", self.farol.read_log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits for a line of the log that has all of these words.
    pub(crate) async fn logged(&self, words: &[&str]) {
        self.until(&format!("{words:?} in the log"), async || {
            let log = self.farol.read_log();
            let has_all = |line: &str| words.iter().all(|word| line.contains(word));
            log.lines().any(has_all).then_some(())
        })
        .await;
    }

    /// The key of the only incident, once it is in this state.
    pub(crate) async fn key(&self, state: &str) -> String {
        self.until(state, async || {
            let text = String::from_utf8(self.run("incidents", &["list"]).stdout).unwrap();
            let line = text.lines().find(|line| line.contains(state))?;
            line.split_whitespace().next().map(str::to_owned)
        })
        .await
    }
}
