//! A whole incident, as the public reads it and as the operator sees it.

use std::collections::BTreeSet;

use super::{
    Rig, at, backend, check, component, degraded, fail, pass, policy, refused, skewed, slow,
};
use crate::model::{CheckId, CheckPolicy, ComponentStatus, Finding, Reason, Span, Subject};

/// 15 September 2021, told faster: the clock of one of the Portal's three servers jumps a year
/// ahead; logging in to Desk fails; the Portal's other servers fall to the piled-up connections;
/// the clock is mended.
#[test]
fn the_fifteenth_of_september() {
    let mut rig = Rig::new(policy(&["Portal", "Desk", "CRM"]));
    for secs in (-600..8000).step_by(10) {
        rig.see(secs, "portal", portal(secs));
        rig.see(secs + 3, "desk", vec![desk(secs)]);
        rig.see(secs + 6, "crm", vec![pass(Subject::Whole)]);
        rig.tick(secs + 9);
    }
    assert!(rig.engine.state().incidents().is_empty());
    assert_eq!(rig.actions[0].started_at, at(0));
    insta::assert_snapshot!(rig.journal);
}

fn portal(secs: i64) -> Vec<Finding> {
    let others = |last| match secs {
        2400..4200 => fail(backend(last), refused()),
        _ => pass(backend(last)),
    };
    let skewed = match secs {
        0..6600 => fail(backend(2), skewed()),
        _ => pass(backend(2)),
    };
    vec![others(1), skewed, others(3)]
}

fn desk(secs: i64) -> Finding {
    match secs {
        360..6300 => fail(Subject::Whole, refused()),
        _ => pass(Subject::Whole),
    }
}

/// What a wrong clock leaves behind: after it is mended the records that it has dated are still
/// there, in the same incident, until they are mended as well.
#[test]
fn a_clock_is_mended_and_its_records_are_not() {
    let ahead = || Reason::RecordAhead {
        place: "/latest/at".to_owned(),
        ahead: Span::from_secs(31_536_000),
    };
    let mut policy = policy(&["Portal"]);
    let records =
        CheckPolicy { name: "records".to_owned(), ..policy.checks[&check("portal")].clone() };
    let of_records = CheckId::of(&component("portal"), "records");
    policy.checks.insert(of_records.clone(), records);
    let mut rig = Rig::new(policy);
    for secs in (-60..4000).step_by(10) {
        let odd =
            if (0..600).contains(&secs) { fail(backend(2), skewed()) } else { pass(backend(2)) };
        rig.see(secs, "portal", vec![pass(backend(1)), odd, pass(backend(3))]);
        let records = match secs {
            120..1800 => degraded(Subject::Whole, ahead()),
            _ => pass(Subject::Whole),
        };
        rig.see_by(secs + 3, &of_records, vec![records]);
        rig.tick(secs + 9);
        if (700..1700).contains(&secs) {
            assert_eq!(rig.status("portal"), ComponentStatus::DegradedPerformance);
            assert_eq!(rig.engine.state().incidents().len(), 1);
        }
    }
    assert!(rig.engine.state().incidents().is_empty());
    let incidents: BTreeSet<_> = rig.actions.iter().map(|action| &action.incident).collect();
    assert_eq!(incidents.len(), 1);
    insta::assert_snapshot!(rig.journal);
}

/// 1 February 2023, in short: slow before down, a dependent component, a recovery that does not
/// hold.
#[test]
fn slow_before_down_and_a_recovery_that_does_not_hold() {
    let mut rig = Rig::new(policy(&["CRM", "Analytics"]));
    for secs in (-60..4000).step_by(10) {
        let crm = match secs {
            0..300 => degraded(Subject::Whole, slow()),
            300..900 | 1500..2400 => fail(Subject::Whole, refused()),
            _ => pass(Subject::Whole),
        };
        let analytics = match secs {
            200..900 => degraded(Subject::Whole, slow()),
            _ => pass(Subject::Whole),
        };
        rig.see(secs, "crm", vec![crm]);
        rig.see(secs + 3, "analytics", vec![analytics]);
    }
    assert!(rig.engine.state().incidents().is_empty());
    insta::assert_snapshot!(rig.journal);
}
