//! What holds for every journal: generated policies and observation sequences on a simulated
//! clock.

mod policies;
mod watcher;

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::quantiles::took;
use super::{at, backend, blind, check, degraded, fail, in_variant, observed, pass, tenant_of};
use crate::engine::{Decision, Engine, State};
use crate::model::{
    ActionKind, Announcements, CheckId, Finding, IncidentKey, IncidentStatus, Input, LaneId,
    MaintenanceId, Order, PageMaintenance, PlatformId, Policy, Reason, Subject, Timestamp, Variant,
    Verdict, Window, Wish,
};
use policies::policies;
use watcher::Watcher;

const NAMES: [&str; 4] = ["Portal", "Desk", "CRM", "Analytics"];

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

/// Words of the operator's that must never reach the public.
pub(super) const SECRET: &str = "db7.internal.example said errno 104";

/// An input and the time it is told.
type Entry = (Timestamp, Input);

/// One stretch of a journal: the same check finds the same thing a few times.
#[derive(Clone, Debug)]
struct Stretch {
    check: usize,
    found: Found,
    /// What the other two variants find meanwhile, if the check has variants.
    others: [Verdict; 2],
    runs: i64,
    every: i64,
    pause: i64,
}

/// What a run finds.
#[derive(Clone, Debug)]
enum Found {
    Whole(Verdict),
    Addresses(Vec<Verdict>),
    /// Fewer than there should be.
    TooFew(Vec<Verdict>),
    /// Nothing runs; a page announces this.
    Announced(Vec<Announced>),
    /// Nothing runs; the policy changes to one with only so many components, and only so many
    /// variants of what has any.
    Policy(usize, usize),
}

/// A maintenance on a page: which of a few, on which components, from when (after it is read) and
/// how long.
type Announced = (u8, Vec<&'static str>, i64, i64);

fn announced() -> impl Strategy<Value = Vec<Announced>> {
    let components = prop::sample::subsequence(&NAMES, 0..=NAMES.len());
    prop::collection::vec((0_u8..3, components, -300_i64..600, 1_i64..1500), 0..3)
}

/// What a page announces, as it is read at `secs`.
fn on_page(announced: &[Announced], secs: i64) -> Input {
    let lane = LaneId::of_page(&PlatformId::new("blip"));
    let maintenance = |(id, names, from, lasts): &Announced| {
        let from = secs + from;
        let window = Window { from: at(from), until: at(from + lasts) };
        let names = names.iter().map(|name| super::component(&name.to_lowercase()));
        let remote = format!("{id}");
        (
            MaintenanceId::on_page(&lane, &remote),
            PageMaintenance { components: names.collect(), window },
        )
    };
    let maintenances = announced.iter().map(maintenance).collect();
    Input::Maintenance(Box::new(Announcements { lane, maintenances }))
}

fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        4 => Just(Verdict::Pass),
        1 => Just(Verdict::Inconclusive),
        1 => Just(Verdict::Degraded),
        3 => Just(Verdict::Fail),
    ]
}

fn found() -> impl Strategy<Value = Found> {
    prop_oneof![
        8 => verdict().prop_map(Found::Whole),
        8 => prop::collection::vec(verdict(), 1..4).prop_map(Found::Addresses),
        1 => prop::collection::vec(verdict(), 1..3).prop_map(Found::TooFew),
        2 => announced().prop_map(Found::Announced),
        1 => (1..=NAMES.len(), 0..=TENANTS.len()).prop_map(|(most, few)| Found::Policy(most, few)),
    ]
}

fn stretches() -> impl Strategy<Value = Vec<Stretch>> {
    let pause = prop_oneof![3 => 1_i64..60, 1 => 60_i64..1500];
    let others = [verdict(), verdict()];
    let stretch = (0..NAMES.len(), found(), others, 1_i64..6, 1_i64..60, pause).prop_map(
        |(check, found, others, runs, every, pause)| Stretch {
            check,
            found,
            others,
            runs,
            every,
            pause,
        },
    );
    prop::collection::vec(stretch, 1..30)
}

/// The same, with nothing announced.
fn without_work(entries: Vec<Entry>) -> Vec<Entry> {
    let strip = |(at, mut input): Entry| {
        match &mut input {
            Input::PolicyChanged(policy) => policy.maintenances.clear(),
            Input::Maintenance(announced) => announced.maintenances.clear(),
            Input::Observed(_) | Input::Operator(_) => {}
        }
        (at, input)
    };
    entries.into_iter().map(strip).collect()
}

fn finding(subject: Subject, verdict: Verdict) -> Finding {
    match verdict {
        // One server of those that pass is slow, where quantiles are limited.
        Verdict::Pass if subject == backend(2) => took(pass(subject), 900),
        Verdict::Inconclusive => blind(subject),
        Verdict::Pass => pass(subject),
        Verdict::Degraded => degraded(subject, super::slow()),
        Verdict::Fail => fail(subject, Reason::ConnectFailed { detail: SECRET.to_owned() }),
    }
}

fn findings(verdicts: &[Verdict]) -> Vec<Finding> {
    (1..).zip(verdicts).map(|(n, verdict)| finding(backend(n), *verdict)).collect()
}

fn journal(policy: &Policy, stretches: &[Stretch]) -> Vec<Entry> {
    let mut entries = vec![(at(0), Input::PolicyChanged(Box::new(policy.clone())))];
    let mut secs = 1;
    for stretch in stretches {
        let name = NAMES[stretch.check].to_lowercase();
        let found = match &stretch.found {
            Found::Policy(most, few) => {
                let input = Input::PolicyChanged(Box::new(with_only(policy, *most, *few)));
                entries.push((at(secs), input));
                secs += stretch.pause;
                continue;
            }
            Found::Announced(announced) => {
                entries.push((at(secs), on_page(announced, secs)));
                secs += stretch.pause;
                continue;
            }
            Found::Whole(verdict) => vec![finding(Subject::Whole, *verdict)],
            Found::Addresses(verdicts) => findings(verdicts),
            Found::TooFew(verdicts) => {
                let few = degraded(Subject::Whole, Reason::TooFewAddresses { found: 1, least: 3 });
                std::iter::once(few).chain(findings(verdicts)).collect()
            }
        };
        let found = match policy.checks[&check(&name)].variants.is_empty() {
            true => found,
            false => {
                let others = TENANTS.iter().skip(1).zip(stretch.others);
                let others = others.map(|(t, v)| in_variant(t, finding(Subject::Whole, v)));
                found.into_iter().map(|one| in_variant(TENANTS[0], one)).chain(others).collect()
            }
        };
        for _ in 0..stretch.runs {
            entries.push((at(secs), observed(check(&name), at(secs), found.clone())));
            secs += stretch.every;
        }
        secs += stretch.pause;
    }
    entries
}

fn with_only(policy: &Policy, most: usize, few: usize) -> Policy {
    let names: BTreeSet<String> = NAMES[..most].iter().map(|name| name.to_lowercase()).collect();
    let mut policy = policy.clone();
    policy.checks.retain(|id, _| names.iter().any(|name| *id == check(name)));
    policy.components.retain(|id, _| names.iter().any(|name| *id == super::component(name)));
    // Work is withdrawn as well, and announced again.
    let names: Vec<MaintenanceId> = policy.maintenances.keys().skip(few).cloned().collect();
    policy.maintenances.retain(|id, _| !names.contains(id));
    for check in policy.checks.values_mut().filter(|check| !check.variants.is_empty()) {
        check.variants = TENANTS[..few].iter().map(|name| tenant_of(name)).collect();
    }
    policy
}

/// This of every variant that the engine's check has, or of the check if it has none.
fn of_each(engine: &Engine, check: &CheckId, found: &[Finding]) -> Vec<Finding> {
    let variants = &engine.state().policy().checks[check].variants;
    if variants.is_empty() {
        return found.to_vec();
    }
    let in_each = |variant: &Variant| {
        let variant = Some(variant.clone());
        let each = found.iter().cloned();
        each.map(move |finding| Finding { variant: variant.clone(), ..finding })
    };
    variants.iter().flat_map(in_each).collect()
}

/// What the operator says before which entry, and of which incident of those that are open.
fn orders() -> impl Strategy<Value = Vec<(Index, Index, Wish)>> {
    let note = |identified| Wish::Note { text: "Our team is on it.".to_owned(), identified };
    let wish = prop_oneof![
        2 => Just(Wish::Resolve),
        2 => any::<bool>().prop_map(note),
    ];
    prop::collection::vec((any::<Index>(), any::<Index>(), wish), 0..6)
}

/// The journal with the orders in it; one that comes when nothing is open is of no incident.
fn obeying(entries: Vec<Entry>, orders: &[(Index, Index, Wish)]) -> Vec<Entry> {
    let mut engine = Engine::default();
    let mut all = Vec::new();
    let count = entries.len();
    for (n, (now, input)) in entries.into_iter().enumerate() {
        let due = orders.iter().filter(|(place, _, _)| n > 0 && place.index(count) == n);
        for (_, which, wish) in due {
            let _ = engine.settle(now);
            let open: Vec<&IncidentKey> = engine.state().incidents().keys().collect();
            let none = IncidentKey::new("nobody");
            let incident = if open.is_empty() { &none } else { open[which.index(open.len())] };
            let order = Order { incident: incident.clone(), wish: wish.clone() };
            let order = Input::Operator(order);
            let _ = engine.handle(&order, now);
            all.push((now, order));
        }
        let _ = engine.handle(&input, now);
        all.push((now, input));
    }
    all
}

fn journals() -> impl Strategy<Value = Vec<Entry>> {
    (policies(), stretches(), orders())
        .prop_map(|(policy, stretches, orders)| obeying(journal(&policy, &stretches), &orders))
}

fn run(engine: &mut Engine, entries: &[Entry]) -> Decision {
    let mut all = Decision::default();
    for (now, input) in entries {
        join(&mut all, engine.handle(input, *now));
    }
    all
}

fn join(all: &mut Decision, more: Decision) {
    all.actions.extend(more.actions);
    all.events.extend(more.events);
}

fn bytes(decision: &Decision) -> String {
    serde_json::to_string(&(&decision.actions, &decision.events)).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_rules_hold_at_every_step(entries in journals(), long in 1_i64..20_000) {
        let mut engine = Engine::default();
        let mut watcher = Watcher::default();
        for (now, input) in &entries {
            let due = engine.settle(*now);
            watcher.decided(&engine, &due);
            watcher.at_rest(&engine);
            if let Input::Observed(observation) = input {
                watcher.heard(observation, *now);
            }
            let decision = engine.handle(input, *now);
            watcher.decided(&engine, &decision);
            watcher.looked(&engine, *now);
            watcher.at_rest(&engine);
        }
        let late = engine.settle(entries[entries.len() - 1].0 + Duration::from_secs(long.unsigned_abs()));
        watcher.decided(&engine, &late);
        watcher.at_rest(&engine);
    }

    #[test]
    fn the_same_journal_makes_the_same_decisions_however_often_it_ticks(
        entries in journals(), ticks in prop::collection::vec((any::<Index>(), 0.0..1.0_f64), 0..40),
    ) {
        let plain = run(&mut Engine::default(), &entries);
        let mut engine = Engine::default();
        let mut ticking = Decision::default();
        let mut before = entries[0].0;
        for (n, (now, input)) in entries.iter().enumerate() {
            let mut early: Vec<Duration> = ticks.iter()
                .filter(|(index, _)| index.index(entries.len()) == n)
                .map(|(_, part)| now.since(before).mul_f64(*part))
                .collect();
            early.sort();
            for wait in early {
                join(&mut ticking, engine.settle(before + wait));
            }
            // As the shell does: wake up when asked to, and only then.
            while let Some(wakeup) = engine.next_wakeup().filter(|wakeup| wakeup.at <= *now) {
                join(&mut ticking, engine.settle(wakeup.at));
            }
            join(&mut ticking, engine.handle(input, *now));
            before = *now;
        }
        prop_assert_eq!(bytes(&plain), bytes(&ticking));
    }

    #[test]
    fn a_snapshot_and_the_rest_equal_the_full_run(entries in journals(), cut in any::<Index>()) {
        let mut whole = Engine::default();
        let expected = run(&mut whole, &entries);
        let (first, rest) = entries.split_at(cut.index(entries.len()));
        let mut engine = Engine::default();
        let mut told = run(&mut engine, first);
        let snapshot = serde_json::to_string(engine.state()).unwrap();
        let state: State = serde_json::from_str(&snapshot).unwrap();
        prop_assert_eq!(&state, engine.state());
        let mut engine = Engine::new(state);
        join(&mut told, run(&mut engine, rest));
        prop_assert_eq!(bytes(&told), bytes(&expected));
        prop_assert_eq!(engine.state(), whole.state());
    }

    #[test]
    fn what_was_told_before_is_nothing_new(entries in journals()) {
        let mut engine = Engine::default();
        let mut told = Decision::default();
        for (now, input) in &entries {
            join(&mut told, engine.handle(input, *now));
            if matches!(input, Input::Observed(_) | Input::Maintenance(_)) {
                let state = engine.state().clone();
                prop_assert_eq!(engine.handle(input, *now), Decision::default());
                prop_assert_eq!(engine.state(), &state);
            }
        }
        prop_assert_eq!(bytes(&told), bytes(&run(&mut Engine::default(), &entries)));
    }

    #[test]
    fn sustained_passes_resolve_everything(entries in journals()) {
        let mut engine = Engine::default();
        let _ = run(&mut engine, &entries);
        let last = entries[entries.len() - 1].0;
        for round in 1..60 {
            let now = last + Duration::from_secs(30 * round);
            for id in engine.state().policy().checks.clone().into_keys() {
                let all = of_each(&engine, &id, &[pass(Subject::Whole)]);
                let _ = engine.handle(&observed(id, now, all), now);
            }
        }
        prop_assert!(engine.state().incidents().is_empty(), "{:?}", engine.state().incidents());
        prop_assert!(engine.state().components().values().all(|c| !c.status.is_bad()));
    }

    #[test]
    fn a_blind_prober_opens_nothing_and_recovers_nothing(entries in journals()) {
        let entries = without_work(entries);
        let mut engine = Engine::default();
        let _ = run(&mut engine, &entries);
        let before = engine.state().components().clone();
        // What waits for something it depends on, or until a person's word is old, has been seen
        // to be bad.
        let last = entries[entries.len() - 1].0 + Duration::from_secs(3_700);
        let _ = engine.settle(last);
        for round in 1..100 {
            let now = last + Duration::from_secs(30 * round);
            for id in engine.state().policy().checks.clone().into_keys() {
                let mut all = vec![finding(Subject::Whole, Verdict::Inconclusive)];
                all.extend(findings(&[Verdict::Inconclusive; 3]));
                let all = of_each(&engine, &id, &all);
                let decision = engine.handle(&observed(id, now, all), now);
                for action in decision.actions {
                    prop_assert!(action.kind != ActionKind::Open);
                    let moved = action.status < IncidentStatus::Monitoring;
                    prop_assert!(!moved || action.components.values().any(|s| s.is_bad()));
                }
            }
            prop_assert_eq!(engine.state().components(), &before);
        }
    }
}
