//! Latency judged by many runs together.

use proptest::prelude::*;

use super::{Rig, blind, check, fail, pass, policy, refused, times};
use crate::engine::{Engine, State};
use crate::model::{
    ComponentStatus, EventKind, Finding, Phase, Policy, QuantileLimit, Reason, Span, Subject,
};

const WHOLE: Subject = Subject::Whole;

/// `finding`, with an answer after so many milliseconds.
pub(super) fn took(mut finding: Finding, millis: u64) -> Finding {
    finding.phases.add(Phase::FirstByte, Span::from_millis(millis));
    finding
}

/// Of five runs in a minute, four may take no longer than 800 ms.
fn limited() -> Policy {
    let mut policy = policy(&["Desk"]);
    policy.checks.get_mut(&check("desk")).unwrap().slow_quantile = Some(QuantileLimit {
        quantile: 75,
        limit: Span::from_millis(800),
        within: Span::from_secs(60),
        at_least: times(4),
    });
    policy
}

/// Limits that a run every half minute can keep or break.
pub(super) fn limits() -> impl Strategy<Value = Option<QuantileLimit>> {
    let (quantile, limit) = (75, Span::from_millis(800));
    let limits = (120_u64..300, 1_u32..4).prop_map(move |(within, at_least)| {
        let (within, at_least) = (Span::from_secs(within), times(at_least));
        QuantileLimit { quantile, limit, within, at_least }
    });
    prop::option::of(limits)
}

fn see(rig: &mut Rig, from: i64, times: &[u64]) {
    for (secs, millis) in (from..).step_by(10).zip(times) {
        rig.see(secs, "desk", vec![took(pass(WHOLE), *millis)]);
    }
}

fn reasons(rig: &Rig) -> Vec<Reason> {
    let reason = |kind: &EventKind| {
        if let EventKind::HealthChanged { reason, .. } = kind { reason.clone() } else { None }
    };
    rig.events.iter().filter_map(|event| reason(&event.kind)).collect()
}

#[test]
fn many_slow_runs_degrade_and_a_few_do_not() {
    let mut rig = Rig::new(limited());
    see(&mut rig, 0, &[900, 100, 100, 100, 100, 100, 900, 100, 100, 100]);
    assert!(rig.actions.is_empty(), "{}", rig.journal);
    see(&mut rig, 100, &[900, 900]);
    assert!(rig.actions.is_empty(), "it is over the limit, but not three times in a row");
    see(&mut rig, 120, &[950]);
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
    let (quantile, took, limit) = (75, Span::from_millis(900), Span::from_millis(800));
    assert_eq!(reasons(&rig), [Reason::SlowQuantile { quantile, took, limit }]);
    assert!(rig.last().body.contains("slow"), "{}", rig.last().body);
}

#[test]
fn what_hovers_under_the_limit_stays_slow_until_it_is_well_under_it() {
    let mut rig = Rig::new(limited());
    see(&mut rig, 0, &[900; 8]);
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
    assert!(!rig.engine.is_unsettled(&check("desk")), "each run says what is decided");
    see(&mut rig, 80, &[750; 20]);
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
    see(&mut rig, 280, &[700; 8]);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    see(&mut rig, 360, &[750; 20]);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational, "750 ms is under the limit");
}

#[test]
fn failures_and_what_is_inconclusive_are_no_times() {
    let mut rig = Rig::new(limited());
    for secs in (0..60).step_by(10) {
        // Each would be too slow, and is not three failures in a row.
        let finding = match secs % 30 {
            0 => fail(WHOLE, refused()),
            10 => blind(WHOLE),
            _ => pass(WHOLE),
        };
        rig.see(secs, "desk", vec![took(finding, 5000)]);
    }
    assert!(reasons(&rig).is_empty(), "{}", rig.journal);
}

#[test]
fn too_few_runs_change_nothing() {
    let mut rig = Rig::new(limited());
    see(&mut rig, 0, &[900, 900, 900]);
    assert!(!rig.engine.is_unsettled(&check("desk")));
    see(&mut rig, 100, &[900, 900, 900, 900, 900, 900]);
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
    // After a night without farol the first two quick runs do not yet tell.
    see(&mut rig, 40_000, &[100, 100]);
    assert_eq!(rig.status("desk"), ComponentStatus::DegradedPerformance);
    let saved = serde_json::to_string(rig.engine.state()).unwrap();
    let state: State = serde_json::from_str(&saved).unwrap();
    assert_eq!(&state, rig.engine.state());
    rig.engine = Engine::new(state);
    see(&mut rig, 40_020, &[100, 100, 100]);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
}
