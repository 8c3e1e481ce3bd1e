//! The scenarios, played live: the whole of farol on real sockets, against a platform that fails
//! as the story says, at the story's pace.
//!
//! Each takes about a minute of mostly waiting, so the ten are ignored, and run by hand: `.ci/run`
//! plays the first of them live, by `farol demo --exit`, and all of them by the stepped player. What
//! is quick runs always: that the files are right, that a story that comes as it should is told so,
//! and that one that is broken on purpose is not. `FAROL_ROUNDS=20` plays each so often, and prints
//! how soon the page told.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stdout, reason = "a test shows what was played, and the figures")]

use std::sync::Arc;
use std::time::Duration;

use farol::demo::judge::{Outcome, WrongKind};
use farol::demo::play::Play;
use farol::demo::scenario::{Scenario, collection};
use farol::demo::timeline::Timeline;
use played::{all_right, each_scenario, rounds, short};

#[path = "support/played.rs"]
mod played;

async fn play(scenario: Scenario) -> Outcome {
    // Whoever comes first installs it; for the others it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let timeline = Timeline::new(|line| println!("{} {:16} {}", line.at, line.voice, line.text));
    let listen = "127.0.0.1:0".parse().unwrap();
    let tempo = scenario.tempo.clone();
    let scenario = Arc::new(scenario);
    let state_dir = folder.path().to_owned();
    let mut play = Play::start(scenario, tempo, listen, state_dir, timeline).await.unwrap();
    let outcome = play.play().await.unwrap();
    play.run_until(std::future::ready(())).await.unwrap();
    outcome
}

async fn passes(id: &str) {
    let mut outcomes = Vec::new();
    for _ in 0..rounds() {
        outcomes.push(play(collection::load(id).unwrap()).await);
    }
    all_right(id, &outcomes);
}

each_scenario! { passes, "takes a minute, on a quiet machine: --ignored --test-threads=1" }

#[test]
fn every_scenario_is_right_and_takes_no_longer_than_a_minute_and_a_half() {
    for scenario in collection::all().unwrap() {
        let takes = scenario.tempo.takes(scenario.begins, scenario.ends);
        assert!(takes <= Duration::from_secs(90), "{} takes {takes:?}", scenario.id);
        assert!(scenario.is_silent() || scenario.events.iter().any(|event| event.symptom));
    }
}

const FAULT: &str = r#"begin = [{ id = "history", fault = "history", how = "wrong" }]"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_story_that_comes_as_it_should_is_right() {
    let outcome = play(short(FAULT, "desk", "major_outage")).await;
    assert_eq!(outcome.wrongs, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_that_is_not_applied_fails_the_scenario() {
    let outcome = play(short("end = []\nwall_step = \"0s\"", "desk", "major_outage")).await;
    assert!(outcome.wrongs.iter().any(|wrong| wrong.kind == WrongKind::Missed));
    assert_eq!(outcome.components.missing, ["desk".to_owned()].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_expectation_fails_the_scenario() {
    let outcome = play(short(FAULT, "crm", "major_outage")).await;
    assert!(outcome.wrongs.iter().any(|wrong| wrong.kind == WrongKind::Page));
    assert_eq!(outcome.components.missing, ["crm".to_owned()].into());
    assert_eq!(outcome.components.wrong, ["desk".to_owned()].into());
}
