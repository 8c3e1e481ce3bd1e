//! A storm: between farol and its status APIs a proxy that loses, delays, repeats and garbles, and
//! `kill -9` again and again. Every incident stands on its page once, with every step once and in
//! order.
//!
//! A round is one incident's life from its first step to its last, during which the process was
//! killed or a write of it met a fault; what went by in calm weather is not counted. Three kinds of
//! page are published to at the same time: the one that another farol serves, which stays up behind
//! the proxy; a server that knows nothing of doing things once, behind the proxy too; and the one
//! that the process serves itself, which dies with it.
//!
//! What happens follows from a seed, which is printed and set with `FAROL_KILL_SEED`; what it hits
//! depends on the machine as well.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and what was hit is worth knowing"
)]

#[path = "kill/chance.rs"]
mod chance;
#[path = "statuspage/faults.rs"]
mod faults;
#[expect(dead_code, clippy::expect_used, reason = "other tests look at more of what was left")]
#[path = "kill/ledger.rs"]
mod ledger;
#[expect(dead_code, reason = "other tests look at more of what is served")]
#[path = "support/process.rs"]
mod process;
#[path = "statuspage/server.rs"]
mod server;
#[expect(dead_code, reason = "other tests ask whether it is open")]
#[path = "kill/target.rs"]
mod target;
#[path = "storm/weather.rs"]
mod weather;
#[path = "storm/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::time::Duration;

use farol::clock::Clock;
use farol::model::{Action, ActionKind, IncidentKey, Timestamp};

use chance::{Chance, seed};
use ledger::Replay;
use process::Farol;
use world::World;

/// How many incidents' lives are to be struck, unless `FAROL_STORM_ROUNDS` says otherwise.
const ROUNDS: usize = 500;
/// How often it is looked whether they are, at most: far more often than it takes.
const PATIENCE: usize = 600;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes: --ignored --nocapture"]
async fn in_a_storm_every_incident_is_published_once_and_in_order() {
    let (seed, wanted) = (seed(), wanted());
    println!("FAROL_KILL_SEED={seed}");
    let clock = Clock::start();
    let mut world = World::make(seed).await;
    let mut chance = Chance::new(seed, 7);
    let (mut kills, mut starts) = (Vec::new(), 0);
    let (mut lives, watch) = (0, clock.stopwatch());
    for _ in 0..PATIENCE {
        starts += 1;
        let mut farol = a_life(&mut world, &mut chance).await;
        if !farol.is_running() {
            // Its port was free a moment before.
            let log = farol.read_log();
            assert!(log.lines().last().unwrap().contains("cannot listen"), "{log}");
            continue;
        }
        if chance.below(16) == 0 {
            farol.terminate();
        } else {
            farol.kill();
            kills.push(clock.now());
        }
        tokio::time::sleep(chance.millis(300)).await;
        if starts % 10 == 0 {
            lives = rounds(&world, &kills);
            println!("{starts} starts, {lives} rounds, {:.0} s", watch.elapsed().as_secs_f64());
            if lives >= wanted {
                break;
            }
        }
    }
    assert!(lives >= wanted, "only {lives} rounds");
    world.clear_up();
    let farol = world.start();
    world.until_all_is_published(&farol).await;
    check(&world, &farol, &kills, (starts, wanted)).await;
}

#[expect(clippy::disallowed_methods, reason = "a test has no command line of its own")]
fn wanted() -> usize {
    std::env::var("FAROL_STORM_ROUNDS").map_or(ROUNDS, |text| text.parse().unwrap())
}

/// A life of the process up to a moment of its start; to one of which nobody knows anything; or to
/// one at which a write is on its way.
async fn a_life(world: &mut World, chance: &mut Chance) -> Farol {
    let kind = chance.below(4);
    if kind == 0 {
        let farol = world.start();
        tokio::time::sleep(chance.millis(600)).await;
        return farol;
    }
    let farol = world.start_up().await;
    tokio::time::sleep(Duration::from_millis(300) + chance.millis(6_000)).await;
    if kind > 1 {
        let most = Duration::from_secs(3);
        let _none = tokio::time::timeout(most, world.weather.a_write()).await;
        tokio::time::sleep(chance.millis(40)).await;
    }
    farol
}

/// The steps of every incident, in order.
fn steps(replay: &Replay) -> BTreeMap<IncidentKey, Vec<Action>> {
    let mut steps: BTreeMap<IncidentKey, Vec<Action>> = BTreeMap::new();
    for action in &replay.actions {
        steps.entry(action.incident.clone()).or_default().push(action.clone());
    }
    steps
}

/// Whether an incident's life is over and was struck.
fn is_round(world: &World, steps: &[Action], kills: &[Timestamp]) -> bool {
    let [first, .., last] = steps else { return false };
    let killed = kills.iter().any(|at| (first.at..last.at).contains(at));
    last.kind == ActionKind::Resolve && (killed || world.weather.struck(&first.incident))
}

fn rounds(world: &World, kills: &[Timestamp]) -> usize {
    let steps = steps(&Replay::of(&world.state()));
    steps.values().filter(|steps| is_round(world, steps, kills)).count()
}

async fn check(
    world: &World,
    farol: &Farol,
    kills: &[Timestamp],
    (starts, wanted): (usize, usize),
) {
    let (once, again) = (Replay::of(&world.state()), Replay::of(&world.state()));
    assert_eq!(once.json(), again.json(), "the same journal, the same decisions");
    let steps = steps(&once);
    let log = farol.read_log();
    let mut shown = world.shown(farol).await;
    let (mut updates, mut replaced, mut rounds) = (0, 0, 0);
    let mut by_page: BTreeMap<&str, usize> = BTreeMap::new();
    for (key, steps) in &steps {
        let here = shown.remove(key).unwrap_or_default();
        let [(page, incident)] = here.as_slice() else {
            panic!("{key} is {} incidents: {here:#?}\n{log}", here.len())
        };
        // What farol knew to be there before the end cannot have been replaced by the end.
        let last = steps.last().unwrap();
        let end = u64::from(last.sequence);
        let strict = world::said_to_stand(&log, key).filter(|n| *n < end).max().unwrap_or(0);
        replaced += incident.assert_tells(steps, strict);
        assert_eq!(incident.status, "resolved", "{key}");
        // More than one where others joined it.
        assert_eq!(incident.components, vec!["operational"; last.components.len()], "{key}");
        updates += incident.texts.len() - 1;
        rounds += usize::from(is_round(world, steps, kills));
        *by_page.entry(page).or_default() += 1;
    }
    assert!(shown.is_empty(), "nobody decided to open these: {shown:#?}");
    let words = |words: &str| log.matches(words).count();
    for taken_for_a_persons in ["a person", "; farol leaves ", "was there already"] {
        assert_eq!(words(taken_for_a_persons), 0, "nobody but farol wrote: {log}");
    }
    println!(
        "{rounds} rounds of {} incidents {by_page:?}; {} kills, {starts} starts; {}; {} creates, \
         {updates} updates, 0 duplicates, 0 lost ({} steps decided, {replaced} of them replaced by \
         later ones that waited with them); {} writes had arrived, {} had not",
        steps.len(),
        kills.len(),
        world.weather.report(),
        steps.len(),
        once.actions.len(),
        words("had arrived after all"),
        words("had not arrived"),
    );
    assert!(rounds >= wanted && by_page.len() == 3, "{rounds} rounds");
}
