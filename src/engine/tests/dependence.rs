//! Components that depend on others, by example.

use super::{Rig, at, component, degraded, fail, pass, policy, refused, slow};
use crate::engine::{State, WakeupReason};
use crate::model::{ActionKind, ComponentStatus, Finding, Policy, Span, Subject};

const WHOLE: Subject = Subject::Whole;

fn bad() -> Finding {
    fail(WHOLE, refused())
}

fn good() -> Finding {
    pass(WHOLE)
}

/// Desk and Portal depend on the CRM, and that on the accounts.
fn platform() -> Policy {
    let mut policy = policy(&["Accounts", "CRM", "Desk", "Portal"]);
    for (who, whom) in [("crm", "accounts"), ("desk", "crm"), ("portal", "crm")] {
        let depends_on = &mut policy.components.get_mut(&component(who)).unwrap().depends_on;
        depends_on.insert(component(whom));
    }
    policy
}

fn with_wait(secs: u64) -> Policy {
    let mut policy = platform();
    for platform in policy.platforms.values_mut() {
        platform.dependency_wait = Span::from_secs(secs);
    }
    policy
}

#[test]
fn a_dependent_joins_the_incident_of_its_dependency_however_late() {
    let mut rig = Rig::new(platform());
    rig.see_all(0, 30, "crm", &bad());
    assert_eq!(rig.last().title, "CRM is unavailable");
    rig.see_all(5000, 5030, "desk", &degraded(WHOLE, slow()));
    assert_eq!(rig.last().title, "CRM is unavailable; Desk, which depends on it, is affected");
    assert!(rig.last().body.contains("\n\nDesk depends on CRM.\n\n"), "{}", rig.last().body);
    rig.see_all(10_000, 10_030, "portal", &bad());
    assert_eq!(
        rig.last().title,
        "CRM is unavailable; Desk and Portal, which depend on it, are affected"
    );
    assert_eq!(rig.engine.state().incidents().len(), 1);
    let lines: Vec<_> = rig.last().body.lines().filter(|line| line.starts_with('-')).collect();
    assert_eq!(
        lines,
        [
            "- CRM is still unavailable.",
            "- Desk is still slower than usual.",
            "- Portal is currently unavailable."
        ]
    );
}

#[test]
fn a_dependency_that_has_recovered_explains_nothing_new() {
    let mut rig = Rig::new(platform());
    rig.see_all(0, 30, "crm", &bad());
    rig.see_all(5000, 5020, "crm", &good());
    rig.see_all(5020, 5050, "desk", &bad());
    assert_eq!(rig.engine.state().incidents().len(), 2);
}

#[test]
fn what_lies_between_need_not_be_bad_itself() {
    let mut rig = Rig::new(platform());
    rig.see_all(0, 30, "accounts", &bad());
    rig.see_all(5000, 5030, "desk", &bad());
    assert_eq!(rig.last().title, "Accounts is unavailable; Desk, which depends on it, is affected");
}

#[test]
fn a_dependency_joins_the_incident_of_its_dependents_and_the_title_names_it_first() {
    let mut rig = Rig::new(platform());
    rig.see_all(0, 30, "desk", &bad());
    assert_eq!(rig.last().title, "Desk is unavailable");
    rig.see_all(5000, 5030, "crm", &bad());
    let title = "CRM is unavailable; Desk, which depends on it, is affected";
    assert_eq!(rig.last().title, title);
    assert!(rig.last().body.starts_with("CRM is now affected too."), "{}", rig.last().body);
    // It outlives the policy that says so.
    rig.adopt(5100, Policy::default());
    rig.tick(9000);
    assert_eq!(rig.last().kind, ActionKind::Resolve);
    assert_eq!(rig.last().title, title);
}

#[test]
fn what_depends_on_nothing_here_makes_the_title_a_list_with_the_root_first() {
    let mut mixed = platform();
    let alone = policy(&["Blog"]);
    mixed.components.extend(alone.components);
    mixed.checks.extend(alone.checks);
    let mut rig = Rig::new(mixed);
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(10, 40, "blog", &bad());
    rig.see_all(20, 50, "crm", &bad());
    assert_eq!(rig.last().title, "CRM, Blog and Desk are unavailable");
}

#[test]
fn dependents_with_long_names_are_counted() {
    let mut long = platform();
    for name in ["desk", "portal"] {
        long.components.get_mut(&component(name)).unwrap().name = "D".repeat(60);
    }
    let mut rig = Rig::new(long);
    rig.see_all(0, 30, "crm", &bad());
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(0, 30, "portal", &bad());
    assert_eq!(
        rig.last().title,
        "CRM is unavailable; two components that depend on it are affected"
    );
    assert!(rig.last().body.contains("\n\nThe others depend on CRM.\n\n"), "{}", rig.last().body);
}

#[test]
fn a_dependent_waits_for_its_dependency_and_both_open_one_incident() {
    let mut rig = Rig::new(with_wait(60));
    rig.see_all(0, 30, "desk", &bad());
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    assert!(rig.actions.is_empty() && rig.engine.state().is_waiting(&component("desk")));
    rig.see_all(10, 40, "crm", &bad());
    assert_eq!(rig.actions.len(), 0, "the CRM depends on something itself");
    rig.see_all(20, 50, "accounts", &bad());
    assert_eq!(rig.causes(), ["1 investigating component_failed"]);
    assert_eq!(
        rig.last().title,
        "Accounts is unavailable; CRM and Desk, which depend on it, are affected"
    );
    assert!(!rig.engine.state().is_waiting(&component("desk")));
}

#[test]
fn it_does_not_wait_longer_than_it_may_and_a_late_tick_does_not_matter() {
    let mut rig = Rig::new(with_wait(60));
    rig.see_all(0, 30, "desk", &bad());
    let due = at(80) + std::time::Duration::from_millis(40);
    let wakeup = rig.engine.next_wakeup().unwrap();
    assert_eq!((wakeup.at, wakeup.reason), (due, WakeupReason::OpenDue(component("desk"))));
    let saved = serde_json::to_string(rig.engine.state()).unwrap();
    assert_eq!(serde_json::from_str::<State>(&saved).unwrap(), *rig.engine.state());
    rig.tick(500);
    assert_eq!((rig.last().at, rig.last().started_at), (due, at(0)));
    assert!(rig.last().body.contains("since 10:40 "), "{}", rig.last().body);
}

#[test]
fn it_waits_no_longer_than_until_what_it_depends_on_was_seen_to_be_well_since() {
    let mut rig = Rig::new(with_wait(60));
    let asked = |rig: &Rig| rig.engine.asks_dependencies().len();
    rig.see(0, "crm", vec![good()]);
    rig.see(0, "accounts", vec![good()]);
    rig.see_all(0, 30, "desk", &bad());
    assert_eq!((rig.actions.len(), asked(&rig)), (0, 2), "what was seen before says nothing");
    rig.see(21, "accounts", vec![good()]);
    rig.see(22, "crm", vec![bad()]);
    assert_eq!((rig.actions.len(), asked(&rig)), (0, 1), "one that is in doubt is not well");
    rig.see(23, "crm", vec![good()]);
    assert_eq!((rig.actions.len(), asked(&rig)), (1, 0));
    assert_eq!(rig.last().at, at(23) + std::time::Duration::from_millis(40));
    assert_eq!(rig.last().title, "Desk is unavailable");
}

#[test]
fn what_recovers_while_it_waits_was_no_incident_and_what_left_the_policy_neither() {
    let mut rig = Rig::new(with_wait(60));
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(30, 50, "desk", &good());
    rig.see_all(60, 90, "portal", &bad());
    rig.adopt(90, policy(&["Desk"]));
    rig.tick(500);
    assert!(rig.actions.is_empty() && rig.engine.next_wakeup().is_none());
}

#[test]
fn a_newcomer_goes_to_its_kin_rather_than_to_the_latest() {
    let mut groups = policy(&["Desk", "Portal", "Chat"]);
    for (name, group) in [("desk", "Service"), ("portal", "Sales"), ("chat", "Service")] {
        let component = groups.components.get_mut(&component(name)).unwrap();
        component.group = Some(group.to_owned());
    }
    let mut rig = Rig::new(groups);
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(700, 730, "portal", &bad());
    // The first gathers again.
    rig.see_all(740, 760, "desk", &good());
    rig.see_all(760, 790, "desk", &bad());
    rig.see_all(800, 820, "portal", &good());
    rig.see_all(820, 850, "portal", &bad());
    rig.see_all(900, 930, "chat", &bad());
    assert_eq!(rig.last().title, "Desk and Chat are unavailable");
}
