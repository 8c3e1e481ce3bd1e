//! The draft of a postmortem, from the real binary: at the status API, and by `farol postmortem`
//! while farol runs and after.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/story.rs"]
mod story;

use farol::model::PlatformId;
use farol::serve::page_id;
use serde_json::Value;
use story::{Story, Watched, probes};

fn start(publish: &str) -> Story {
    let dir = tempfile::tempdir().unwrap();
    let platform = "language = \"pt\"\ntime_zone = \"America/Sao_Paulo\"";
    let probes = probes(dir.path(), platform, publish, &[Watched::down("secret-check-name")]);
    Story::begin(dir, probes)
}

/// The postmortem at the status API of the only incident on the page.
async fn kept(story: &Story) -> Option<Value> {
    let list = story.farol.json("/api/v2/incidents.json").await?;
    let id = list["incidents"][0]["id"].as_str()?.to_owned();
    let token = std::fs::read_to_string(story.state().join("api-token")).unwrap();
    let page = page_id(&PlatformId::new("blip"));
    let path = format!("/v1/pages/{page}/incidents/{id}/postmortem?api_key={}", token.trim());
    story.farol.json(&path).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_stands_at_the_status_api_and_the_command_prints_it_while_farol_runs_and_after() {
    let mut story = start("mode = \"quiet\"");
    let key = story.key("published").await;
    assert!(story.say("postmortem", &[]).contains("no incident that is over"));
    assert!(story.refused("postmortem", &[&key]).contains("is open"));
    assert!(story.refused("postmortem", &["other"]).contains("no incident other"));
    story.say("incidents", &["note", &key, "Estamos trocando um switch."]);
    story.say("incidents", &["resolve", &key]);

    let kept = story.until("there is a draft", async || kept(&story).await).await;
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
    let nowhere = story.refused("postmortem", &[&key, "--output", "/nonexistent/draft.md"]);
    assert!(nowhere.contains("cannot write /nonexistent/draft.md"), "{nowhere}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_draft_at_the_status_api_where_nobody_wants_it() {
    let story = start("mode = \"quiet\"\npostmortem = false");
    let key = story.key("published").await;
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
    assert_eq!(kept(&story).await, None);
    assert!(story.say("postmortem", &[&key]).contains("## Resumo"));
}
