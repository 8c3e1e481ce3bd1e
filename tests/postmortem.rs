//! The draft of a postmortem, from the real binary: at the status API, and by `farol postmortem`
//! while farol runs and after.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/process.rs"]
mod process;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use farol::clock::Clock;
use farol::model::PlatformId;
use farol::serve::page_id;
use process::Farol;
use serde_json::Value;
use tempfile::TempDir;

fn probes(dir: &Path, publish: &str) -> PathBuf {
    let path = dir.join("blip.toml");
    let text = format!(
        r#"
        [platform]
        name = "Blip"
        language = "pt"
        time_zone = "America/Sao_Paulo"
        [publish]
        {publish}
        [defaults]
        interval = "1s"
        timeout = "500ms"
        confirm_interval = "200ms"
        [[component]]
        name = "Desk"
        [[component.check]]
        name = "secret-check-name"
        tcp = "127.0.0.1:1"
        "#
    );
    std::fs::write(&path, text).unwrap();
    path
}

struct Story {
    dir: TempDir,
    farol: Farol,
}

impl Story {
    fn start(publish: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let farol = Farol::start(dir.path(), &probes(dir.path(), publish), &[]);
        Self { dir, farol }
    }

    fn run(&self, command: &str, words: &[&str]) -> Output {
        let mut run = Command::new(env!("CARGO_BIN_EXE_farol"));
        run.arg(command).args(words);
        if command == "incidents" {
            run.args(["--listen", &self.farol.address.to_string()]);
        }
        run.arg("--state-dir").arg(self.dir.path().join("state")).output().unwrap()
    }

    fn say(&self, command: &str, words: &[&str]) -> String {
        let output = self.run(command, words);
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{words:?}: {error}\n{}", self.farol.read_log());
        String::from_utf8(output.stdout).unwrap()
    }

    fn refused(&self, words: &[&str]) -> String {
        let output = self.run("postmortem", words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    async fn until<T>(&self, what: &str, mut is: impl AsyncFnMut() -> Option<T>) -> T {
        let waited = Clock::start().stopwatch();
        loop {
            if let Some(found) = is().await {
                return found;
            }
            let late = waited.elapsed().to_duration() > Duration::from_secs(30);
            assert!(!late, "never came: {what}\n{}", self.farol.read_log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The key of the only incident, once it stands on the page.
    async fn key(&self) -> String {
        self.until("it is published", async || {
            let text = String::from_utf8(self.run("incidents", &["list"]).stdout).unwrap();
            let line = text.lines().find(|line| line.contains("published"))?;
            line.split_whitespace().next().map(str::to_owned)
        })
        .await
    }

    /// The postmortem at the status API of the only incident on the page.
    async fn kept(&self) -> Option<Value> {
        let list = self.farol.json("/api/v2/incidents.json").await?;
        let id = list["incidents"][0]["id"].as_str()?.to_owned();
        let token = std::fs::read_to_string(self.dir.path().join("state/api-token")).unwrap();
        let page = page_id(&PlatformId::new("blip"));
        let path = format!("/v1/pages/{page}/incidents/{id}/postmortem?api_key={}", token.trim());
        self.farol.json(&path).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_stands_at_the_status_api_and_the_command_prints_it_while_farol_runs_and_after() {
    let mut story = Story::start("mode = \"quiet\"");
    let key = story.key().await;
    assert!(story.say("postmortem", &[]).contains("no incident that is over"));
    assert!(story.refused(&[&key]).contains("is open"));
    assert!(story.refused(&["other"]).contains("no incident other"));
    story.say("incidents", &["note", &key, "Estamos trocando um switch."]);
    story.say("incidents", &["resolve", &key]);

    let kept = story.until("there is a draft", async || story.kept().await).await;
    let text = kept["body_draft"].as_str().unwrap().to_owned();
    assert_eq!(kept["published_at"], Value::Null);
    for part in [
        "# Desk está indisponível",
        "## Linha do tempo",
        "Na página de status:",
        "> Estamos trocando um switch.",
        "a equipe encerrou o incidente",
        "America/Sao\\_Paulo (GMT-03:00)",
    ] {
        let part = part.replace("\\_", "_");
        assert!(text.contains(&part), "{part}: {text}");
    }
    for leak in ["127.0.0.1", "secret-check-name", "refused"] {
        assert!(!text.contains(leak), "{leak}: {text}");
    }
    let page = story.farol.get("/").await.unwrap();
    assert!(!page.contains("Linha do tempo"), "nobody has published it");

    // The command knows when it was published once that is saved, which may be a moment later.
    let printed = story
        .until("the command says the same", async || {
            let printed = story.say("postmortem", &[&key]);
            (printed == text).then_some(printed)
        })
        .await;
    assert!(story.say("postmortem", &[]).contains(&key));
    let private = story.say("postmortem", &[&key, "--evidence"]);
    let evidence = private.strip_prefix(&printed).unwrap();
    assert!(evidence.contains("not for the public"), "{evidence}");
    assert!(
        evidence.contains("blip/desk/secret-check-name") && evidence.contains("refused"),
        "{evidence}"
    );

    story.farol.kill();
    let file = story.dir.path().join("draft.md");
    story.say("postmortem", &[&key, "--output", &file.display().to_string()]);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed);
    let nowhere = story.refused(&[&key, "--output", "/nonexistent/draft.md"]);
    assert!(nowhere.contains("cannot write /nonexistent/draft.md"), "{nowhere}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_draft_at_the_status_api_where_nobody_wants_it() {
    let story = Story::start("mode = \"quiet\"\npostmortem = false");
    let key = story.key().await;
    story.say("incidents", &["resolve", &key]);
    story
        .until("it is resolved", async || {
            let list = story.farol.json("/api/v2/incidents.json").await?;
            (list["incidents"][0]["status"] == "resolved").then_some(())
        })
        .await;
    // What was to be published is done with, and a draft is not among it.
    story
        .until("it is done with", async || {
            story.say("incidents", &["list"]).contains("no incident is open").then_some(())
        })
        .await;
    assert_eq!(story.kept().await, None);
    assert!(story.say("postmortem", &[&key]).contains("## Resumo"));
}
