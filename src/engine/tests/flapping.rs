//! What changes too often is held in its worse state, by example and against a simpler model.

use std::time::Duration;

use proptest::prelude::*;

use super::maintenance::announced;
use super::{
    Rig, at, backend, blind, check, degraded, fail, observed, pass, policy, refused, slow, times,
};
use crate::engine::{Engine, State};
use crate::model::{
    ComponentStatus, EventKind, Finding, Flapping, Health, IncidentStatus, Input, Policy, Span,
    Subject, Threshold, Timestamp, Verdict,
};

const WHOLE: Subject = Subject::Whole;

fn bad() -> Finding {
    fail(WHOLE, refused())
}

fn good() -> Finding {
    pass(WHOLE)
}

/// More than so many changes in ten minutes; one run decides.
fn watched(mut policy: Policy, changes: u32) -> Policy {
    for check in policy.checks.values_mut() {
        check.flapping = Some(Flapping { changes: times(changes), within: Span::from_secs(600) });
        (check.fail_after, check.recover_after) =
            (Threshold::in_a_row(times(1)), Threshold::in_a_row(times(1)));
    }
    policy
}

/// So many times bad for half a minute and good for half a minute.
fn flap(rig: &mut Rig, from: i64, cycles: i64) {
    for cycle in 0..cycles {
        let from = from + 60 * cycle;
        rig.see_all(from, from + 30, "desk", &bad());
        rig.see_all(from + 30, from + 60, "desk", &good());
    }
}

#[test]
fn what_changes_too_often_is_held_in_its_worse_state_and_one_incident_stays_open() {
    let mut rig = Rig::new(watched(policy(&["Desk"]), 4));
    rig.see(-10, "desk", vec![good()]);
    flap(&mut rig, 0, 5);
    // Twice it recovered, and with its third failure that is enough.
    assert_eq!(
        rig.causes(),
        [
            "1 investigating component_failed",
            "2 monitoring all_recovered",
            "3 investigating failed_again",
            "4 monitoring all_recovered",
            "5 investigating failed_again",
        ]
    );
    assert_eq!(
        rig.last().body,
        "The problem has returned.\n\n\
         Desk has been unstable since 10:40 (GMT-03:00) on 15 September 2021: the problem comes \
         and goes.\n\n\
         This incident began at 10:40 (GMT-03:00) on 15 September 2021.\n\n\
         Next update in 30 minutes, or when there is something new."
    );
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    assert!(!rig.engine.is_unsettled(&check("desk")), "there is nothing to confirm");
    // It was well from 270 s on: ten minutes later that is believed, and then it is watched.
    rig.see_all(300, 860, "desk", &good());
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    rig.see_all(860, 880, "desk", &good());
    assert_eq!((rig.last().status, rig.last().at), (IncidentStatus::Monitoring, heard(870)));
    rig.see_all(880, 1790, "desk", &good());
    assert_eq!((rig.last().status, rig.last().at), (IncidentStatus::Resolved, heard(1770)));
    let told = rig.events.iter().filter_map(|event| {
        let EventKind::FlappingChanged { since, .. } = event.kind else { return None };
        Some((event.at, since))
    });
    let unstable: Vec<_> = told.collect();
    assert_eq!(unstable, [(heard(120), Some(heard(0))), (heard(870), None)]);
}

fn heard(secs: i64) -> Timestamp {
    at(secs) + Duration::from_millis(40)
}

#[test]
fn a_failure_that_stays_is_no_flapping_once_it_has_stayed() {
    let mut rig = Rig::new(watched(policy(&["Desk"]), 2));
    rig.see(-10, "desk", vec![good()]);
    flap(&mut rig, 0, 2);
    rig.see_all(120, 2400, "desk", &bad());
    assert_eq!(rig.engine.state().incidents().len(), 1);
    assert!(rig.last().body.contains("Desk is still unavailable."), "{}", rig.last().body);
}

#[test]
fn what_is_held_may_get_worse_and_settles_at_what_it_is() {
    let mut rig = Rig::new(watched(policy(&["Desk"]), 2));
    let dull = degraded(WHOLE, slow());
    for (n, finding) in [good(), dull.clone(), good(), dull.clone(), good()].iter().enumerate() {
        rig.see(10 * i64::try_from(n).unwrap(), "desk", vec![finding.clone()]);
    }
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
    rig.see(50, "desk", vec![bad()]);
    rig.see(60, "desk", vec![good()]);
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    rig.see_all(70, 700, "desk", &dull);
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
}

#[test]
fn addresses_that_come_and_go_are_no_flapping() {
    let mut rig = Rig::new(watched(policy(&["Desk"]), 2));
    let server = |n| pass(backend(n));
    rig.see(0, "desk", vec![server(0), server(1)]);
    for n in 0..20_u8 {
        let from = 10 + 20 * i64::from(n);
        // One is taken down, and another comes in its place.
        rig.see(from, "desk", vec![fail(backend(n), refused()), server(n + 1)]);
        rig.see(from + 10, "desk", vec![server(n + 1), server(n + 2)]);
    }
    let unstable =
        |event: &&crate::model::Event| matches!(event.kind, EventKind::FlappingChanged { .. });
    assert_eq!(rig.events.iter().filter(unstable).count(), 0);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
}

#[test]
fn what_is_worked_on_is_not_unstable_for_that() {
    let mut rig = Rig::new(watched(announced(0), 2));
    rig.see_all(90, 100, "desk", &good());
    for from in (100..200).step_by(20) {
        rig.see(from, "desk", vec![bad()]);
        rig.see(from + 10, "desk", vec![good()]);
    }
    rig.see_all(200, 230, "desk", &good());
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    assert!(rig.actions.is_empty());
}

#[test]
fn who_sees_nothing_settles_nothing_and_who_forgets_the_rule_does() {
    let mut rig = Rig::new(watched(policy(&["Desk"]), 2));
    rig.see(-10, "desk", vec![good()]);
    flap(&mut rig, 0, 2);
    rig.see_all(120, 7200, "desk", &blind(WHOLE));
    rig.tick(7200);
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    rig.adopt(7200, policy(&["Desk"]));
    rig.see(7210, "desk", vec![good()]);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
}

fn runs() -> impl Strategy<Value = Vec<(Verdict, i64)>> {
    let verdict = prop_oneof![
        4 => Just(Verdict::Pass),
        1 => Just(Verdict::Inconclusive),
        1 => Just(Verdict::Degraded),
        4 => Just(Verdict::Fail),
    ];
    let pause = prop_oneof![10 => 1_i64..60, 1 => 60_i64..400];
    prop::collection::vec((verdict, pause), 1..80)
}

fn finding(verdict: Verdict) -> Finding {
    match verdict {
        Verdict::Pass => good(),
        Verdict::Degraded => degraded(WHOLE, slow()),
        Verdict::Fail => bad(),
        Verdict::Inconclusive => blind(WHOLE),
    }
}

fn health(engine: &Engine) -> Health {
    let check = engine.state().checks().get(&check("desk"));
    check.and_then(|check| check.subjects().next()).map_or(Health::Unknown, |it| it.2.health())
}

/// What is told of one subject, worked out anew from all that its runs alone ever made of it.
#[derive(Default)]
struct Model {
    measured: Vec<(Timestamp, Health)>,
    held: Option<Health>,
}

impl Model {
    fn told(&mut self, limit: Flapping, at: Timestamp, measured: Health) -> Health {
        self.measured.push((at, measured));
        let changes = self.measured.windows(2).filter(|pair| {
            pair[0].1 != Health::Unknown
                && pair[0].1 != pair[1].1
                && at.since(pair[1].0) < limit.within.to_duration()
        });
        let count = changes.count();
        let before = self.measured.iter().rev().nth(1).map_or(Health::Unknown, |it| it.1);
        let most = usize::try_from(limit.changes.get()).unwrap();
        self.held = match self.held {
            Some(_) if count == 0 => None,
            Some(held) => Some(held.max(measured)),
            None if count > most && measured > before => Some(measured),
            None => None,
        };
        self.held.unwrap_or(measured)
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_told_is_what_the_runs_make_of_it_held_while_it_is_unstable(
        runs in runs(), changes in 1_u32..6, within in 30_u64..900, fail in 1_u32..3, cut in 0_usize..80,
    ) {
        let limit = Flapping { changes: times(changes), within: Span::from_secs(within) };
        let mut free = policy(&["Desk"]);
        for check in free.checks.values_mut() {
            check.fail_after = Threshold::in_a_row(times(fail));
        }
        let mut bound = free.clone();
        for check in bound.checks.values_mut() {
            check.flapping = Some(limit);
        }
        let (mut without, mut with) = (Engine::default(), Engine::default());
        let _ = without.handle(&Input::PolicyChanged(Box::new(free)), at(0));
        let _ = with.handle(&Input::PolicyChanged(Box::new(bound)), at(0));
        let (mut model, mut secs) = (Model::default(), 0);
        for (n, (verdict, pause)) in runs.into_iter().enumerate() {
            secs += pause;
            let input = observed(check("desk"), at(secs), vec![finding(verdict)]);
            let _ = without.handle(&input, at(secs));
            let _ = with.handle(&input, at(secs));
            if verdict != Verdict::Inconclusive {
                let told = model.told(limit, at(secs), health(&without));
                prop_assert_eq!(health(&with), told);
            }
            prop_assert_eq!(with.is_unsettled(&check("desk")), without.is_unsettled(&check("desk")));
            if n == cut {
                let saved = serde_json::to_string(with.state()).unwrap();
                with = Engine::new(serde_json::from_str::<State>(&saved).unwrap());
            }
        }
    }
}
