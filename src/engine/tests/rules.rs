//! Rules of a component's status where the default does not fit, by example.

use super::{Rig, backend, check, component, fail, pass, policy, refused, times};
use crate::model::{CheckId, ComponentStatus, MajorWhen, Policy, Subject};

const WHOLE: Subject = Subject::Whole;

/// Desk has four checks: its own, and three more.
fn four() -> (Policy, Vec<CheckId>) {
    let mut policy = policy(&["Desk"]);
    let first = policy.checks[&check("desk")].clone();
    let more = ["search", "reviews", "pay"].map(|name| CheckId::of(&component("desk"), name));
    policy.checks.extend(more.iter().map(|id| (id.clone(), first.clone())));
    (policy, std::iter::once(check("desk")).chain(more).collect())
}

/// What Desk is when these of its checks fail, one after the other.
fn statuses(policy: &Policy, all: &[CheckId], failing: &[usize]) -> Vec<ComponentStatus> {
    let mut rig = Rig::new(policy.clone());
    for id in all {
        rig.see_by(0, id, vec![pass(WHOLE)]);
    }
    let rounds = (1..).map(|round| round * 100);
    let each = failing.iter().zip(rounds).map(|(n, from)| {
        for secs in [from, from + 10, from + 20] {
            rig.see_by(secs, &all[*n], vec![fail(WHOLE, refused())]);
        }
        rig.status("desk")
    });
    each.collect()
}

#[test]
fn so_many_checks_make_a_major_outage_and_fewer_a_partial_one() {
    use ComponentStatus::{MajorOutage as Major, PartialOutage as Partial};
    let (mut policy, all) = four();
    assert_eq!(statuses(&policy, &all, &[0]), [Major], "one is enough by default");
    let cases = [
        (MajorWhen::All, [Partial, Partial, Partial, Major]),
        (MajorWhen::Share(5_000), [Partial, Major, Major, Major]),
        (MajorWhen::Count(times(3)), [Partial, Partial, Major, Major]),
    ];
    for (when, expected) in cases {
        policy.components.get_mut(&component("desk")).unwrap().major_when = Some(when);
        assert_eq!(statuses(&policy, &all, &[0, 1, 2, 3]), expected, "{when:?}");
    }
    // One that says so is always enough.
    policy.checks.get_mut(&all[3]).unwrap().makes = Some(Major);
    assert_eq!(statuses(&policy, &all, &[0, 3]), [Partial, Major]);
}

#[test]
fn a_check_says_what_any_failure_of_it_makes() {
    let status = |makes, at_worst, failing: u8| {
        let mut policy = policy(&["Desk"]);
        let check = policy.checks.get_mut(&check("desk")).unwrap();
        (check.makes, check.at_worst) = (makes, at_worst);
        let mut rig = Rig::new(policy);
        let findings = (1..=3).map(|n| match n <= failing {
            true => fail(backend(n), refused()),
            false => pass(backend(n)),
        });
        let findings: Vec<_> = findings.collect();
        for secs in [0, 10, 20] {
            rig.see(secs, "desk", findings.clone());
        }
        let body = rig.actions.last().map_or(String::new(), |action| action.body.clone());
        (rig.status("desk"), body)
    };
    use ComponentStatus::{
        DegradedPerformance as Degraded, MajorOutage as Major, Operational,
        PartialOutage as Partial,
    };
    assert_eq!(status(None, Major, 1).0, Partial);
    assert_eq!(status(Some(Major), Major, 0).0, Operational);
    let (one, body) = status(Some(Major), Major, 1);
    assert_eq!(one, Major);
    assert!(body.contains("Desk is currently unavailable.\n"), "{body}");
    assert_eq!(status(Some(Partial), Major, 3).0, Partial);
    assert_eq!(status(Some(Degraded), Major, 3).0, Degraded);
    // An old journal may say both.
    assert_eq!(status(Some(Major), Degraded, 1).0, Degraded);
}
