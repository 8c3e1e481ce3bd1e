//! The scenarios, played live: the whole of farol on real sockets, against a platform that fails
//! as the story says, at the story's pace.
//!
//! Each takes about a minute of mostly waiting, so the ten are ignored by default, and run by
//! `.ci/run`. What is quick runs always: that the files are right, that a story that comes as it
//! should is told so, and that one that is broken on purpose is not. `FAROL_ROUNDS=20` plays each
//! so often, and prints how soon the page told.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stdout, reason = "a test shows what was played, and the figures")]

use std::sync::Arc;
use std::time::Duration;

use farol::demo::judge::{Outcome, WrongKind};
use farol::demo::play::Play;
use farol::demo::scenario::{Scenario, collection, read};
use farol::demo::timeline::Timeline;

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

#[expect(clippy::disallowed_methods, reason = "whoever runs the tests says how often")]
fn rounds() -> u32 {
    std::env::var("FAROL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Plays a scenario as often as is asked for, and prints what it came to.
async fn passes(id: &str) {
    let mut lags = Vec::new();
    for round in 1..=rounds() {
        let outcome = play(collection::load(id).unwrap()).await;
        assert!(outcome.is_right(), "{id}, round {round}: {:#?}", outcome.wrongs);
        lags.extend(outcome.longest_lag());
    }
    let longest = lags.iter().max().map_or_else(|| "nothing told".to_owned(), ToString::to_string);
    println!("{id}: {} rounds, none failed; first words after at most {longest}", rounds());
}

macro_rules! scenarios {
    ($($name:ident: $id:literal),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "takes a minute, on a quiet machine: --ignored --test-threads=1"]
            async fn $name() {
                passes($id).await;
            }
        )+
        const PLAYED: &[&str] = &[$($id),+];
    };
}

scenarios! {
    a_clock_in_next_year: "2021-09-15",
    histories_that_are_wrong: "2021-10-08",
    a_slow_root_and_stale_data: "2023-02-01",
    a_login_that_breaks_for_some: "2024-11-14",
    a_maintenance_that_goes_wrong: "2024-11-20",
    a_healthy_day_with_loss: "healthy",
    our_own_network_down: "own-network",
    our_own_clock_set: "own-clock",
    servers_replaced_one_by_one: "rolling-deploy",
    a_maintenance_as_planned: "planned-maintenance",
}

#[test]
fn every_scenario_is_right_played_here_and_takes_no_longer_than_a_minute_and_a_half() {
    let all = collection::all().unwrap();
    assert_eq!(all.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), PLAYED);
    for scenario in all {
        let takes = scenario.tempo.takes(scenario.begins, scenario.ends);
        assert!(takes <= Duration::from_secs(90), "{} takes {takes:?}", scenario.id);
        assert!(scenario.is_silent() || scenario.events.iter().any(|event| event.symptom));
    }
}

/// A story of a quarter of an hour, told in as many seconds.
fn short(begin: &str, component: &str, status: &str) -> Scenario {
    let text = format!(
        r#"
[scenario]
id = "short"
title = "One server lives in next year"
about = "For the test."
platform = "blip"
begins = "2021-09-15 10:30"
ends = "2021-09-15 10:46"
speed = 60

[[event]]
at = "10:34"
says = "something happens"
{begin}

[[expect]]
from = "10:34"
within = "1m"
says = "it is told"
components = {{ {component} = "{status}" }}
incidents = 1
status = "investigating"
impact = "critical"
"#
    );
    read("short.toml", &text, collection::cast_of).unwrap()
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
