//! The scenarios at real intervals and on their real dates, by the stepped player: each is a test of
//! its own, and its first symptoms are on the page within one interval of 30 s and 5 s.
//!
//! `FAROL_ROUNDS` says how often each is played, every time with another phase between farol's
//! checks and the faults. Every test prints its figures.
//!
//! `cargo test --test stories -- --ignored --nocapture` shows them; `farol demo --all --rounds 20
//! --report FILE` plays the same in a release build, which is several times as quick.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and the figures are worth knowing"
)]

use std::sync::Arc;

use farol::clock::Clock;
use farol::demo::judge::WrongKind;
use farol::demo::scenario::{Scenario, collection, read};
use farol::demo::stepped::{self, Memory, Played};

async fn play(scenario: Scenario, rounds: u32) -> Vec<Played> {
    // Whoever comes first installs it; for the others it is there already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (scenario, mut memory) = (Arc::new(scenario), Memory::default());
    let mut all = Vec::new();
    for round in 0..rounds {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().to_owned();
        let watch = Clock::start().stopwatch();
        let scenario = Arc::clone(&scenario);
        let played = stepped::play(scenario, (round, rounds), &mut memory, dir).await.unwrap();
        println!(
            "round {round}: {} wrongs, lag {:?}, {} runs for real, {} retold, {} ms",
            played.outcome.wrongs.len(),
            played.outcome.longest_lag().map(|lag| lag.to_string()),
            played.real,
            played.retold,
            watch.elapsed().to_duration().as_millis()
        );
        all.push(played);
    }
    all
}

#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
fn rounds() -> u32 {
    std::env::var("FAROL_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// Plays a scenario as often as is asked for, and prints what it came to.
async fn passes(id: &str) {
    let played = play(collection::load(id).unwrap(), rounds()).await;
    let failed: Vec<_> = played.iter().filter(|one| !one.outcome.is_right()).collect();
    let lags = played.iter().filter_map(|one| one.outcome.longest_lag());
    let lag = lags.max().map_or_else(|| "nothing told".to_owned(), |lag| lag.to_string());
    println!("{id}: {} rounds, {} failed, first words {lag} at most", played.len(), failed.len());
    for one in &failed {
        println!("round {}: {:#?}", one.round, one.outcome.wrongs);
    }
    assert!(failed.is_empty(), "{id}: {} of {} rounds failed", failed.len(), played.len());
}

macro_rules! stories {
    ($($name:ident: $id:literal),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread")]
            #[ignore = "minutes in all: --ignored --nocapture"]
            async fn $name() {
                passes($id).await;
            }
        )+
        const PLAYED: &[&str] = &[$($id),+];
    };
}

stories! {
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
fn every_story_is_played_here() {
    assert_eq!(collection::ids().collect::<Vec<_>>(), PLAYED);
}

/// A quarter of an hour in which something begins at 10:34, and is told to be so.
fn short(begin: &str, component: &str, status: &str) -> Scenario {
    let text = format!(
        r#"
[scenario]
id = "short"
title = "A story for the test"
about = "For the test."
platform = "blip"
begins = "2021-09-15 10:30"
ends = "2021-09-15 10:44"
speed = 60

[[event]]
at = "10:34"
says = "something happens"
symptom = true
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

const FAULT: &str = r#"begin = [{ id = "down", fault = "refuse", service = "crm" }]"#;

async fn wrongs(scenario: Scenario) -> Vec<WrongKind> {
    let played = play(scenario, 1).await;
    let wrongs = &played.first().unwrap().outcome.wrongs;
    println!("{wrongs:#?}");
    wrongs.iter().map(|wrong| wrong.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_in_which_nothing_happens_is_told_to_be_wrong() {
    let found = wrongs(short("wall_step = \"0s\"", "crm", "major_outage")).await;
    assert!(found.contains(&WrongKind::Missed) && found.contains(&WrongKind::Late), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_expectation_is_told_to_be_wrong() {
    let found = wrongs(short(FAULT, "artificial-intelligence", "major_outage")).await;
    assert!(found.contains(&WrongKind::Page) && found.contains(&WrongKind::Late), "{found:?}");
}
