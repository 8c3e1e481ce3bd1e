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
use farol::demo::judge::{Outcome, WrongKind};
use farol::demo::scenario::{Scenario, collection};
use farol::demo::stepped::{self, Memory};
use played::{all_right, each_scenario, rounds, short};

#[path = "support/played.rs"]
mod played;

async fn play(scenario: Scenario, rounds: u32) -> Vec<Outcome> {
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
        all.push(played.outcome);
    }
    all
}

async fn passes(id: &str) {
    all_right(id, &play(collection::load(id).unwrap(), rounds()).await);
}

each_scenario! { passes, "minutes in all: --ignored --nocapture" }

/// The CRM is down, and that is a symptom.
const FAULT: &str = r#"
symptom = true
begin = [{ id = "down", fault = "refuse", service = "crm" }]
"#;

async fn wrongs(scenario: Scenario) -> Vec<WrongKind> {
    let played = play(scenario, 1).await;
    let wrongs = &played.first().unwrap().wrongs;
    println!("{wrongs:#?}");
    wrongs.iter().map(|wrong| wrong.kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_story_in_which_nothing_happens_is_told_to_be_wrong() {
    let found = wrongs(short("symptom = true\nwall_step = \"0s\"", "crm", "major_outage")).await;
    assert!(found.contains(&WrongKind::Missed) && found.contains(&WrongKind::Late), "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_expectation_is_told_to_be_wrong() {
    let found = wrongs(short(FAULT, "artificial-intelligence", "major_outage")).await;
    assert!(found.contains(&WrongKind::Page) && found.contains(&WrongKind::Late), "{found:?}");
}
