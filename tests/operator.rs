//! The operator's word in what a running farol publishes: `farol incidents`, the file that holds
//! publishing, and the signal.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/story.rs"]
mod story;

use std::process::{Command, Output};

use serde_json::Value;
use story::process::Farol;
use story::{Story, Watched, probes};
use tempfile::TempDir;

fn start(publish: &str) -> Story {
    begin(tempfile::tempdir().unwrap(), publish)
}

fn begin(dir: TempDir, publish: &str) -> Story {
    let probes = probes(dir.path(), "", publish, &[Watched::down("answers")]);
    Story::begin(dir, probes)
}

/// What only these tests ask of a story.
impl Story {
    fn incidents(&self, words: &[&str]) -> Output {
        self.run("incidents", words)
    }

    fn tell(&self, words: &[&str]) -> String {
        self.say("incidents", words)
    }

    async fn shown(&self) -> Vec<Value> {
        let list = self.farol.json("/api/v2/incidents.json").await;
        list.and_then(|list| list["incidents"].as_array().cloned()).unwrap_or_default()
    }

    /// What the component shows.
    async fn desk(&self) -> Option<String> {
        let list = self.farol.json("/api/v2/components.json").await?;
        list["components"][0]["status"].as_str().map(str::to_owned)
    }

    async fn published(&self) -> Value {
        self.until("it is published", async || self.shown().await.pop()).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_on_no_page_until_it_is_approved() {
    let story = start("mode = \"draft\"");
    let key = story.key("draft").await;
    assert_eq!(story.shown().await, Vec::<Value>::new());
    let shown = story.tell(&["show", &key]);
    assert!(shown.contains("blip/desk") && shown.contains("next"), "{shown}");
    assert!(story.farol.read_log().contains("waits for approval"));

    let other = story.incidents(&["approve", "other"]);
    let error = String::from_utf8(other.stderr).unwrap();
    assert!(other.status.code() == Some(1) && error.contains("no incident other"), "{error}");
    let pointless = story.incidents(&["rejoin", &key]);
    let error = String::from_utf8(pointless.stderr).unwrap();
    assert!(error.contains("is draft"), "{error}");

    story.tell(&["approve", &key]);
    assert_eq!(story.published().await["status"], "investigating");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn publishing_is_held_by_the_command_the_file_and_the_signal_and_goes_on() {
    let story = start("mode = \"quiet\"");
    // Before anything fails often enough to be published, or soon after: whatever is open then
    // stays as it is.
    story.until("it serves", async || story.farol.get("/readyz").await).await;
    assert!(story.tell(&["hold"]).contains("publishing is held"));
    let held = story.farol.get("/readyz").await.unwrap();
    assert!(held.contains("held"), "{held}");
    let metrics = story.farol.get("/metrics").await.unwrap();
    assert!(metrics.contains("farol_publishing_held 1"), "{metrics}");
    assert!(story.state().join("hold").exists());
    story
        .until("it is decided", async || {
            story.farol.read_log().contains("incident opened").then_some(())
        })
        .await;
    let before = story.shown().await;

    // The signal toggles: it goes on, and what waited is published.
    signal(&story.farol);
    story
        .until("it goes on", async || {
            story.farol.read_log().contains("publishing goes on").then_some(())
        })
        .await;
    assert!(!story.state().join("hold").exists());
    let incident = story.published().await;
    assert!(before.is_empty() || before[0]["id"] == incident["id"], "{before:?}");

    std::fs::write(story.state().join("hold"), "").unwrap();
    let held = async || story.farol.get("/readyz").await.filter(|text| text.contains("held"));
    story.until("the file is seen", held).await;
    assert!(story.tell(&["lift"]).contains("published"));
    assert!(!story.tell(&[]).contains("publishing is held"));
}

fn signal(farol: &Farol) {
    let sent = Command::new("kill").arg("-USR1").arg(farol.id().to_string()).status().unwrap();
    assert!(sent.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_operator_leaves_to_people_is_taken_up_again_when_told() {
    let story = start("mode = \"quiet\"");
    let key = story.key("published").await;
    let list = story.tell(&["hold", &key]);
    assert!(list.contains("detached") && list.contains("the operator asked"), "{list}");
    let metrics = story.farol.get("/metrics").await.unwrap();
    assert!(
        metrics.contains("farol_incidents_detached{lane=\"blip\",platform=\"blip\"} 1"),
        "{metrics}"
    );
    let list = story.tell(&["rejoin", &key]);
    assert!(list.contains("published") || list.contains("waiting"), "{list}");
    assert!(!list.contains("detached"), "{list}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_components_are_set_while_nothing_holds_them_and_set_back_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("state")).unwrap();
    std::fs::write(dir.path().join("state/hold"), "").unwrap();
    let mut story = begin(dir, "mode = \"component_only\"");
    let key = story.key("components").await;
    assert_eq!(story.desk().await.as_deref(), Some("operational"), "publishing is held");

    story.tell(&["lift"]);
    let set = async || story.desk().await.filter(|status| status == "major_outage");
    story.until("the component is set", set).await;
    let log = story.farol.read_log();
    assert!(log.contains("component blip/desk shows major_outage on the status page"), "{log}");
    assert_eq!(story.farol.terminate().0, Some(0));
    story.go_on();
    assert_eq!(story.key("components").await, key);
    assert_eq!(story.desk().await.as_deref(), Some("major_outage"));

    story.tell(&["resolve", &key]);
    let back = async || story.desk().await.filter(|status| status == "operational");
    story.until("it is set back", back).await;
    assert_eq!(story.shown().await, Vec::<Value>::new(), "no incident was ever written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_without_the_token_is_told_or_heard() {
    let story = start("mode = \"draft\"");
    story.key("draft").await;
    assert_eq!(story.farol.get("/v1/farol/incidents").await, None);
    std::fs::write(story.dir.path().join("token"), "wrong").unwrap();
    let file = story.dir.path().join("token").display().to_string();
    let output = story.incidents(&["hold", "--api-token-file", &file]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("401"), "{error}");
    assert!(!story.state().join("hold").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_stood_open_when_its_platform_left_is_told_of_until_it_is_forgotten() {
    let mut story = start("mode = \"quiet\"");
    let key = story.key("published").await;
    assert_eq!(story.farol.terminate().0, Some(0));

    let other = story.dir.path().join("other.toml");
    let text = std::fs::read_to_string(story.dir.path().join("blip.toml")).unwrap();
    std::fs::write(&other, text.replace("\"Blip\"", "\"Other\"")).unwrap();
    story.go_on_with(other);
    assert_eq!(story.key("left").await, key);
    let shown = story.tell(&["show", &key]);
    assert!(shown.contains("page         the page that farol serves"), "{shown}");
    let log = story.farol.read_log();
    assert!(log.contains("nobody leads it") && log.contains(&key), "{log}");
    let gauge = "farol_incidents_left{lane=\"blip\",platform=\"blip\"}";
    let counted = async || {
        let metrics = story.farol.get("/metrics").await?;
        metrics.contains(&format!("{gauge} 1")).then_some(())
    };
    story.until("it is counted", counted).await;
    let pointless = story.incidents(&["rejoin", &key]);
    assert!(String::from_utf8(pointless.stderr).unwrap().contains("is left"));

    assert!(!story.tell(&["forget", &key]).contains(&key));
    assert_eq!(story.farol.terminate().0, Some(0));
    let before = story.farol.read_log().len();
    story.go_on();
    story.until("it serves", async || story.farol.get("/readyz").await).await;
    assert!(!story.tell(&["list"]).contains(&key));
    assert!(!story.farol.read_log()[before..].contains("nobody leads it"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_operator_tells_the_public_and_says_when_it_is_over_and_a_restart_remembers() {
    let mut story = start("mode = \"quiet\"");
    let key = story.key("published").await;
    let refused = |words: &[&str]| story.refused("incidents", words);
    assert!(refused(&["note", &key, "  "]).contains("empty"));
    assert!(refused(&["note", &key, "x", "--status", "resolved"]).contains("only \"identified\""));
    assert!(refused(&["note", "other", "x"]).contains("no incident other"));
    assert!(refused(&["resolve", "other"]).contains("no incident other"));
    assert_eq!(story.shown().await[0]["incident_updates"].as_array().unwrap().len(), 1);

    let said = "A switch is broken; we are replacing it.";
    story.tell(&["note", &key, said, "--status", "identified"]);
    story
        .until("the note is published", async || {
            let incident = story.shown().await.pop()?;
            let update = &incident["incident_updates"][0];
            (update["body"] == said && update["status"] == "identified").then_some(())
        })
        .await;

    story.tell(&["resolve", &key]);
    let resolved = async |story: &Story| {
        let incident = story.shown().await.pop()?;
        let text = incident["incident_updates"][0]["body"].as_str()?.to_owned();
        let well = incident["components"][0]["status"] == "operational";
        (incident["status"] == "resolved" && well).then_some(text)
    };
    let text = story.until("it is resolved", async || resolved(&story).await).await;
    assert!(text.starts_with("Our team has resolved this incident."), "{text}");
    let shown = story.tell(&["show", &key]);
    assert!(shown.contains("blip/desk") && shown.contains("major_outage"), "{shown}");
    let list = story.tell(&[]);
    assert!(list.contains("until it was well once"), "{list}");
    assert!(refused(&["resolve", &key]).contains("is open here"));

    // The check goes on failing. After a kill the journal leads to the same.
    story.farol.kill();
    story.go_on();
    story.until("it is up", async || story.farol.get("/readyz").await).await;
    let list = story.until("it answers", async || {
        let output = story.incidents(&[]);
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    });
    let list = list.await;
    assert!(list.contains("no incident is open") && list.contains(&key), "{list}");
    let log = || story.farol.read_log();
    story
        .until("it checks", async || {
            story.farol.get("/metrics").await.filter(|m| m.contains("farol_check_runs_total{"))
        })
        .await;
    assert_eq!(story.shown().await.len(), 1, "{}", log());
}
