//! A whole incident, as the public reads it and as the operator sees it.

use super::{Rig, at, backend, degraded, fail, pass, policy, refused, skewed, slow};
use crate::model::{Finding, Subject};

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
