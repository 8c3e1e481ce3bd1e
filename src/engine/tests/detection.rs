//! Detection: against an independent model of itself, and by example.

use proptest::prelude::*;

use super::{
    Rig, at, backend, blind, check, degraded, fail, observed, pass, policy, refused, skewed, slow,
    times,
};
use crate::engine::{Engine, State};
use crate::model::{
    ComponentStatus, EventKind, Finding, Health, Input, Policy, Subject, Threshold, Vantage,
    Verdict,
};

const WHOLE: Subject = Subject::Whole;

/// The health by the rules as one would say them, looking at the whole history each time.
/// `proof_from` is where the evidence begins that was not used up by an improvement.
fn reference(history: &[Verdict], count: usize, of: usize, recover: usize) -> Health {
    let told: Vec<Verdict> =
        history.iter().copied().filter(|verdict| *verdict != Verdict::Inconclusive).collect();
    let (mut health, mut proof_from) = (Health::Unknown, 0);
    for end in 1..=told.len() {
        let run = told[end - 1];
        let evidence = &told[proof_from..end];
        let recent: Vec<_> = evidence.iter().rev().take(of).collect();
        let fails = recent.iter().filter(|v| ***v == Verdict::Fail).count();
        let bads = recent.iter().filter(|v| ***v != Verdict::Pass).count();
        let proof: Vec<_> = evidence.iter().rev().take(recover).collect();
        let all_pass = proof.len() == recover && proof.iter().all(|v| **v == Verdict::Pass);
        let no_fail = proof.len() == recover && proof.iter().all(|v| **v != Verdict::Fail);
        let before = health;
        let was_bad = health == Health::Failing || health == Health::Degraded;
        if was_bad && all_pass {
            health = Health::Passing;
        } else if health == Health::Failing {
            if no_fail {
                health = Health::Degraded;
            }
        } else if fails >= count {
            health = Health::Failing;
        } else if bads >= count {
            health = Health::Degraded;
        } else if health == Health::Unknown && run == Verdict::Pass {
            health = Health::Passing;
        }
        if was_bad && health < before {
            proof_from = end - recover;
        }
    }
    health
}

fn with_threshold(count: u32, of: u32, recover: u32) -> Policy {
    let mut policy = policy(&["Desk"]);
    let desk = policy.checks.get_mut(&check("desk")).unwrap();
    desk.fail_after = Threshold { count: times(count), of: times(of) };
    desk.recover_after = times(recover);
    policy
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
        history in verdicts(), count in 1_u32..4, more in 0_u32..3, recover in 1_u32..4,
    ) {
        let mut rig = Rig::new(with_threshold(count, count + more, recover));
        for (index, verdict) in (1..).zip(&history) {
            rig.see(10 * index, "desk", vec![finding(*verdict)]);
            let told = usize::try_from(index).unwrap();
            let sizes = [count, count + more, recover].map(|n| usize::try_from(n).unwrap());
            let expected = reference(&history[..told], sizes[0], sizes[1], sizes[2]);
            prop_assert_eq!(health(&rig), expected, "after {:?}", &history[..told]);
            let doubt = !matches!((verdict, expected),
                (Verdict::Inconclusive, _) | (Verdict::Pass, Health::Passing)
                | (Verdict::Degraded, Health::Degraded) | (Verdict::Fail, Health::Failing));
            prop_assert_eq!(rig.engine.is_unsettled(&check("desk")), doubt);
        }
    }

    #[test]
    fn fewer_failures_than_the_threshold_never_open(
        wishes in prop::collection::vec(any::<bool>(), 0..80), count in 2_u32..5, more in 0_u32..4,
    ) {
        let of = usize::try_from(count + more).unwrap();
        let mut rig = Rig::new(with_threshold(count, count + more, 2));
        let mut bad: Vec<bool> = Vec::new();
        for (index, wish) in (1..).zip(wishes) {
            let before = bad.iter().rev().take(of - 1).filter(|bad| **bad).count();
            bad.push(wish && before + 1 < usize::try_from(count).unwrap());
            let verdict = if bad[bad.len() - 1] { Verdict::Fail } else { Verdict::Pass };
            rig.see(10 * index, "desk", vec![finding(verdict)]);
        }
        prop_assert!(rig.actions.is_empty(), "{}", rig.journal);
    }
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
