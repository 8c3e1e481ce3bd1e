//! Detection: against an independent model of itself, and by example.

use proptest::prelude::*;

use super::{
    Rig, at, backend, blind, check, degraded, fail, observed, pass, policy, refused, skewed, slow,
    times,
};
use crate::engine::{Engine, State};
use crate::model::{
    ComponentStatus, EventKind, Finding, Health, Input, Policy, Span, Subject, Threshold, Vantage,
    Verdict,
};

const WHOLE: Subject = Subject::Whole;

/// What the reference model weighs runs by.
#[derive(Clone, Copy, Debug)]
struct Weights {
    fail: Threshold,
    degrade: Threshold,
    recover: Threshold,
}

/// The runs of `evidence` that a threshold looks at: when they began, in seconds, and what they
/// told.
fn looked_at(evidence: &[(i64, Verdict)], threshold: Threshold) -> Vec<(i64, Verdict)> {
    let newest = evidence.iter().map(|(at, _)| *at).max().unwrap_or_default();
    match threshold {
        Threshold::Runs { of, .. } => {
            let skip = evidence.len().saturating_sub(usize::try_from(of.get()).unwrap());
            evidence.iter().skip(skip).copied().collect()
        }
        Threshold::Share { within, .. } => {
            let within = i64::try_from(within.as_micros() / 1_000_000).unwrap();
            evidence.iter().filter(|(at, _)| newest - at < within).copied().collect()
        }
    }
}

/// Whether enough of these are so.
fn enough(runs: &[(i64, Verdict)], threshold: Threshold, so: fn(Verdict) -> bool) -> bool {
    let runs = looked_at(runs, threshold);
    let alike = u32::try_from(runs.iter().filter(|(_, verdict)| so(*verdict)).count()).unwrap();
    let told = u32::try_from(runs.len()).unwrap();
    match threshold {
        Threshold::Runs { count, .. } => alike >= count.get(),
        Threshold::Share { share, at_least, .. } => {
            told >= at_least.get()
                && f64::from(alike) / f64::from(told) >= f64::from(share) / 10_000.0
        }
    }
}

/// The health by the rules as one would say them, looking at the whole history each time.
/// `proof_from` is where the evidence begins that was not used up by an improvement.
fn reference(history: &[(i64, Verdict)], weights: Weights) -> Health {
    let conclusive = |(_, verdict): &(i64, Verdict)| *verdict != Verdict::Inconclusive;
    let told: Vec<_> = history.iter().copied().filter(conclusive).collect();
    let (mut health, mut proof_from) = (Health::Unknown, 0);
    let is_pass: fn(Verdict) -> bool = |v| v == Verdict::Pass;
    let is_bad: fn(Verdict) -> bool = |v| v != Verdict::Pass;
    let is_fail: fn(Verdict) -> bool = |v| v == Verdict::Fail;
    let is_no_fail: fn(Verdict) -> bool = |v| v != Verdict::Fail;
    for end in 1..=told.len() {
        let (_, run) = told[end - 1];
        let evidence = &told[proof_from..end];
        let proof = looked_at(evidence, weights.recover);
        let no_outage = enough(evidence, weights.recover, is_no_fail)
            && !enough(&proof, weights.fail, is_fail)
            && is_no_fail(run);
        let well = enough(evidence, weights.recover, is_pass)
            && !enough(&proof, weights.fail, is_fail)
            && !enough(&proof, weights.degrade, is_bad)
            && is_pass(run);
        let before = health;
        let was_bad = health == Health::Failing || health == Health::Degraded;
        if was_bad && well {
            health = Health::Passing;
        } else if health == Health::Failing {
            if no_outage {
                health = Health::Degraded;
            }
        } else if is_fail(run) && enough(evidence, weights.fail, is_fail) {
            health = Health::Failing;
        } else if health != Health::Degraded
            && is_bad(run)
            && enough(evidence, weights.degrade, is_bad)
        {
            health = Health::Degraded;
        } else if health == Health::Unknown && is_pass(run) {
            health = Health::Passing;
        }
        if was_bad && health < before {
            proof_from = end - proof.len();
        }
    }
    health
}

/// Every form of threshold, small enough for a short history to reach.
pub(super) fn thresholds(shortest: u64) -> impl Strategy<Value = Threshold> {
    let runs = (1_u32..4, 0_u32..3)
        .prop_map(|(count, more)| Threshold::Runs { count: times(count), of: times(count + more) });
    let share = (1_u16..=100, shortest..200, 1_u32..5).prop_map(|(percent, within, at_least)| {
        let (share, within) = (percent * 100, Span::from_secs(within));
        Threshold::Share { share, within, at_least: times(at_least) }
    });
    prop_oneof![2 => runs, 1 => share]
}

fn weighed_by(weights: Weights) -> Policy {
    let mut policy = policy(&["Desk"]);
    let desk = policy.checks.get_mut(&check("desk")).unwrap();
    desk.fail_after = weights.fail;
    desk.degrade_after = (weights.degrade != weights.fail).then_some(weights.degrade);
    desk.recover_after = weights.recover;
    policy
}

fn with_threshold(count: u32, of: u32, recover: u32) -> Policy {
    let fail = Threshold::Runs { count: times(count), of: times(of) };
    let recover = Threshold::in_a_row(times(recover));
    weighed_by(Weights { fail, degrade: fail, recover })
}

fn verdicts() -> impl Strategy<Value = Vec<Verdict>> {
    let verdict = prop_oneof![
        4 => Just(Verdict::Pass),
        1 => Just(Verdict::Inconclusive),
        2 => Just(Verdict::Degraded),
        4 => Just(Verdict::Fail),
    ];
    prop::collection::vec(verdict, 0..40)
}

fn finding(verdict: Verdict) -> Finding {
    match verdict {
        Verdict::Inconclusive => blind(WHOLE),
        Verdict::Pass => pass(WHOLE),
        Verdict::Degraded => degraded(WHOLE, slow()),
        Verdict::Fail => fail(WHOLE, refused()),
    }
}

fn health(rig: &Rig) -> Health {
    let desk = rig.engine.state().checks().get(&check("desk"));
    desk.and_then(|desk| desk.subjects().next())
        .map_or(Health::Unknown, |(_, _, track)| track.health())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_simpler_model_of_itself(
        history in verdicts(), waits in prop::collection::vec(1_i64..60, 40),
        fail in thresholds(20), degrade in prop::option::of(thresholds(20)), recover in thresholds(20),
    ) {
        let weights = Weights { fail, degrade: degrade.unwrap_or(fail), recover };
        let mut rig = Rig::new(weighed_by(weights));
        let (mut secs, mut told) = (0, Vec::new());
        for (verdict, wait) in history.iter().zip(waits) {
            secs += wait;
            rig.see(secs, "desk", vec![finding(*verdict)]);
            told.push((secs, *verdict));
            let expected = reference(&told, weights);
            prop_assert_eq!(health(&rig), expected, "after {:?}", &told);
            let doubt = !matches!((verdict, expected),
                (Verdict::Inconclusive, _) | (Verdict::Pass, Health::Passing)
                | (Verdict::Degraded, Health::Degraded) | (Verdict::Fail, Health::Failing));
            prop_assert_eq!(rig.engine.is_unsettled(&check("desk")), doubt);
        }
    }

    #[test]
    fn fewer_failures_than_the_threshold_never_open(
        wishes in prop::collection::vec((any::<bool>(), 1_i64..60), 0..80),
        fail in thresholds(20), recover in thresholds(20),
    ) {
        let mut rig = Rig::new(weighed_by(Weights { fail, degrade: fail, recover }));
        let (mut secs, mut told): (i64, Vec<(i64, Verdict)>) = (0, Vec::new());
        for (wish, wait) in wishes {
            secs += wait;
            told.push((secs, Verdict::Fail));
            if !wish || enough(&told, fail, |v| v == Verdict::Fail) {
                told.pop();
                told.push((secs, Verdict::Pass));
            }
            rig.see(secs, "desk", vec![finding(told[told.len() - 1].1)]);
        }
        prop_assert!(rig.actions.is_empty(), "{}", rig.journal);
    }

    #[test]
    fn as_many_failures_as_the_threshold_always_open(
        fail in thresholds(20), recover in thresholds(20), before in 0_i64..20,
    ) {
        let mut rig = Rig::new(weighed_by(Weights { fail, degrade: fail, recover }));
        rig.see_all(0, 5 * before, "desk", &pass(WHOLE));
        for n in 0..60 {
            rig.see(5 * before + 5 * n, "desk", vec![finding(Verdict::Fail)]);
        }
        prop_assert_eq!(health(&rig), Health::Failing);
        for n in 60..200 {
            rig.see(5 * before + 5 * n, "desk", vec![finding(Verdict::Pass)]);
        }
        prop_assert_eq!(health(&rig), Health::Passing, "sustained passes end it");
    }
}

#[test]
fn what_recovers_does_not_fail_with_the_runs_that_proved_it() {
    let share = |percent: u16| Threshold::Share {
        share: percent * 100,
        within: Span::from_secs(100),
        at_least: times(4),
    };
    let fail = share(40);
    let mut rig = Rig::new(weighed_by(Weights { fail, degrade: fail, recover: share(70) }));
    let mut verdicts = Vec::new();
    for (secs, bad) in (0..).step_by(10).zip([0, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0]) {
        let verdict = if bad == 1 { Verdict::Fail } else { Verdict::Pass };
        rig.see(secs, "desk", vec![finding(verdict)]);
        verdicts.push(health(&rig) == Health::Failing);
    }
    // Three of seven fail at the seventh run; seven of ten pass only when the first of these is
    // older than the window.
    let failing: Vec<usize> = (0..).zip(&verdicts).filter(|(_, f)| **f).map(|(n, _)| n).collect();
    assert_eq!(failing, [6, 7, 8, 9, 10, 11, 12], "{}", rig.journal);
}

#[test]
fn a_window_of_time_is_bounded_in_runs() {
    let fail =
        Threshold::Share { share: 5_000, within: Span::from_secs(3_600), at_least: times(4) };
    let mut rig = Rig::new(weighed_by(Weights { fail, degrade: fail, recover: fail }));
    let most = i64::try_from(Threshold::MOST_RUNS).unwrap();
    for secs in 0..most {
        rig.see(secs, "desk", vec![pass(WHOLE)]);
    }
    let size = |rig: &Rig| serde_json::to_string(rig.engine.state()).unwrap().len();
    let full = size(&rig);
    for secs in most..most + 100 {
        rig.see(secs, "desk", vec![pass(WHOLE)]);
    }
    assert_eq!(size(&rig), full, "it grows no more");
}

#[test]
fn what_is_degraded_may_take_more_than_what_fails() {
    let [fail, degrade] = [2, 4].map(|count| Threshold::in_a_row(times(count)));
    let mut rig = Rig::new(weighed_by(Weights { fail, degrade, recover: fail }));
    rig.see_all(0, 30, "desk", &degraded(WHOLE, slow()));
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    rig.see(30, "desk", vec![degraded(WHOLE, slow())]);
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
    assert_eq!(rig.last().started_at, at(0));
    rig.see_all(40, 60, "desk", &finding(Verdict::Fail));
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
}

#[test]
fn all_some_and_slow_addresses_make_major_partial_and_degraded() {
    let mut rig = Rig::new(policy(&["Portal"]));
    let round = |rig: &mut Rig, from: i64, findings: Vec<Finding>| {
        for n in 0..4 {
            rig.see(from + 10 * n, "portal", findings.clone());
        }
        rig.status("portal")
    };
    let (good, bad) = (|n| pass(backend(n)), |n| fail(backend(n), skewed()));
    let partial = round(&mut rig, 0, vec![good(1), bad(2), good(3)]);
    assert_eq!(partial, ComponentStatus::PartialOutage);
    let major = round(&mut rig, 100, vec![bad(1), bad(2), bad(3)]);
    assert_eq!(major, ComponentStatus::MajorOutage);
    let slow = round(&mut rig, 200, vec![good(1), degraded(backend(2), slow()), good(3)]);
    assert_eq!(slow, ComponentStatus::DegradedPerformance);
    assert_eq!(round(&mut rig, 300, vec![good(1), good(2), good(3)]), ComponentStatus::Operational);
}

#[test]
fn a_name_that_does_not_resolve_fails_every_address_and_comes_back_with_them() {
    let mut rig = Rig::new(policy(&["Portal"]));
    let both = || vec![pass(backend(1)), pass(backend(2))];
    rig.see(0, "portal", both());
    rig.see_all(10, 40, "portal", &fail(WHOLE, refused()));
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    // One server stays down. That the name resolves must not be counted as a third subject, nor
    // may the two addresses be outvoted by the whole that failed before.
    for secs in [40, 50, 60] {
        rig.see(secs, "portal", vec![pass(backend(1)), fail(backend(2), refused())]);
    }
    assert_eq!(rig.status("portal"), ComponentStatus::PartialOutage);
    for secs in [70, 80, 90] {
        rig.see(secs, "portal", vec![fail(backend(1), refused()), fail(backend(2), refused())]);
    }
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    rig.see(100, "portal", both());
    rig.see(110, "portal", both());
    assert_eq!(rig.status("portal"), ComponentStatus::Operational);
}

#[test]
fn a_failing_address_that_is_taken_out_no_longer_counts() {
    let mut rig = Rig::new(policy(&["Portal"]));
    for secs in [0, 10, 20] {
        rig.see(secs, "portal", vec![pass(backend(1)), fail(backend(2), refused())]);
    }
    assert_eq!(rig.status("portal"), ComponentStatus::PartialOutage);
    rig.see(30, "portal", vec![pass(backend(1))]);
    assert_eq!(rig.status("portal"), ComponentStatus::PartialOutage);
    assert!(rig.engine.is_unsettled(&check("portal")), "it should be confirmed soon");
    rig.see(40, "portal", vec![pass(backend(1)), pass(backend(3))]);
    assert_eq!(rig.status("portal"), ComponentStatus::Operational);

    let news = rig.events.iter().filter_map(|event| match &event.kind {
        EventKind::AddressAppeared { subject, .. } => Some(("appeared", *subject)),
        EventKind::AddressVanished { subject, .. } => Some(("vanished", *subject)),
        EventKind::HealthChanged { .. }
        | EventKind::FlappingChanged { .. }
        | EventKind::ComponentChanged { .. }
        | EventKind::MaintenanceChanged { .. }
        | EventKind::TroubleInMaintenance { .. }
        | EventKind::IncidentChanged { .. }
        | EventKind::NetworkLost { .. }
        | EventKind::NetworkRegained { .. } => None,
    });
    let news: Vec<_> = news.collect();
    assert_eq!(news, [("appeared", backend(3)), ("vanished", backend(2))]);
}

#[test]
fn a_check_that_no_longer_asks_every_address_forgets_them() {
    let mut rig = Rig::new(policy(&["Portal"]));
    for secs in [0, 10, 20] {
        rig.see(secs, "portal", vec![pass(backend(1)), fail(backend(2), refused())]);
    }
    rig.see_all(30, 50, "portal", &pass(WHOLE));
    assert_eq!(rig.status("portal"), ComponentStatus::Operational);
}

#[test]
fn the_same_observation_counts_once_but_each_vantage_counts() {
    let mut rig = Rig::new(policy(&["Desk"]));
    for _ in 0..5 {
        rig.see(0, "desk", vec![fail(WHOLE, refused())]);
    }
    assert!(rig.actions.is_empty());
    for place in ["there", "elsewhere"] {
        let mut input = observed(check("desk"), at(0), vec![fail(WHOLE, refused())]);
        if let Input::Observed(observation) = &mut input {
            observation.vantage = Vantage::new(place);
        }
        let decision = rig.engine.handle(&input, at(1));
        rig.actions.extend(decision.actions);
    }
    assert_eq!(rig.actions.len(), 1, "three runs in all");
}

#[test]
fn an_outage_begins_with_the_first_of_the_runs_that_proved_it() {
    let mut rig = Rig::new(with_threshold(3, 5, 2));
    rig.see(0, "desk", vec![fail(WHOLE, refused())]);
    rig.see_all(10, 50, "desk", &pass(WHOLE));
    rig.see(50, "desk", vec![fail(WHOLE, refused())]);
    rig.see(60, "desk", vec![pass(WHOLE)]);
    rig.see(70, "desk", vec![degraded(WHOLE, slow())]);
    rig.see(80, "desk", vec![fail(WHOLE, refused())]);
    assert_eq!(rig.last().components.values().next(), Some(&ComponentStatus::DegradedPerformance));
    assert_eq!(rig.last().started_at, at(50));
}

#[test]
fn a_check_can_do_no_worse_than_its_cap() {
    let mut policy = policy(&["Desk"]);
    policy.checks.get_mut(&check("desk")).unwrap().at_worst = ComponentStatus::DegradedPerformance;
    let mut rig = Rig::new(policy.clone());
    rig.see_all(0, 30, "desk", &fail(WHOLE, refused()));
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);

    policy.checks.get_mut(&check("desk")).unwrap().at_worst = ComponentStatus::UnderMaintenance;
    rig.adopt(40, policy);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
}

#[test]
fn a_lower_threshold_does_not_make_an_outage_of_a_pass() {
    let mut rig = Rig::new(with_threshold(3, 3, 2));
    rig.see(0, "desk", vec![fail(WHOLE, refused())]);
    rig.see(10, "desk", vec![fail(WHOLE, refused())]);
    rig.adopt(15, with_threshold(1, 3, 2));
    rig.see(20, "desk", vec![pass(WHOLE)]);
    assert!(rig.actions.is_empty(), "{}", rig.journal);
}

#[test]
fn what_is_not_known_or_empty_is_nothing() {
    let mut engine = Engine::new(State::default());
    let decision = engine.handle(&observed(check("desk"), at(0), vec![pass(WHOLE)]), at(0));
    assert_eq!(decision, crate::engine::Decision::default());
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see(10, "desk", Vec::new());
    assert!(rig.events.is_empty());
}
