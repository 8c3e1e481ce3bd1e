//! Announced work, by example.

use std::collections::BTreeSet;

use chrono_tz::Tz;

use super::{Rig, at, blind, check, component, fail, observed, pass, policy, refused};
use crate::engine::{State, WakeupReason};
use crate::model::{
    ComponentStatus, EventKind, Finding, IncidentStatus, MaintenanceId, MaintenancePolicy,
    PlatformId, Policy, Recurrence, Span, Subject, When, Window,
};

const WHOLE: Subject = Subject::Whole;

fn bad() -> Finding {
    fail(WHOLE, refused())
}

fn good() -> Finding {
    pass(WHOLE)
}

fn id() -> MaintenanceId {
    MaintenanceId::of(&PlatformId::new("blip"), "backup")
}

fn announce(policy: &mut Policy, names: &[&str], when: When, grace: u64) {
    let maintenance = MaintenancePolicy {
        platform: PlatformId::new("blip"),
        name: "Backup".to_owned(),
        components: names.iter().map(|name| component(name)).collect::<BTreeSet<_>>(),
        when,
        grace: Span::from_secs(grace),
    };
    policy.maintenances.insert(id(), maintenance);
}

/// Desk is worked on from 100 to 200; the Portal is not.
pub(super) fn announced(grace: u64) -> Policy {
    let mut policy = policy(&["Desk", "Portal"]);
    let when = When::Once(Window { from: at(100), until: at(200) });
    announce(&mut policy, &["desk"], when, grace);
    policy
}

#[test]
fn nothing_opens_of_what_is_worked_on_and_its_trouble_is_noted_privately() {
    let mut rig = Rig::new(announced(0));
    let wakeup = rig.engine.next_wakeup().unwrap();
    assert_eq!((wakeup.at, wakeup.reason), (at(100), WakeupReason::MaintenanceDue(id())));
    rig.see_all(0, 120, "desk", &good());
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
    rig.see_all(120, 180, "desk", &bad());
    rig.see_all(180, 230, "desk", &good());
    assert!(rig.actions.is_empty());
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
    let noted = |kind: &EventKind| matches!(kind, EventKind::TroubleInMaintenance { .. });
    assert_eq!(rig.events.iter().filter(|event| noted(&event.kind)).count(), 1);
    insta::assert_snapshot!(rig.journal);
}

#[test]
fn trouble_beyond_the_scope_opens_as_always_and_is_told_apart_from_the_maintenance() {
    let mut rig = Rig::new(announced(0));
    rig.see_all(110, 140, "desk", &bad());
    rig.see_all(110, 140, "portal", &bad());
    assert_eq!(rig.actions.len(), 1);
    assert_eq!(rig.last().title, "Portal is unavailable");
    let apart = "Maintenance is under way on Desk; this problem is not part of it.";
    assert!(rig.last().body.starts_with(apart), "{}", rig.last().body);
    assert!(rig.last().components.keys().eq([&component("portal")]));
    rig.see_all(140, 1950, "portal", &bad());
    assert_eq!(rig.actions.len(), 2);
    assert!(!rig.last().body.contains("Maintenance"), "once is enough: {}", rig.last().body);
}

#[test]
fn trouble_that_outlasts_it_opens_when_it_is_seen_again_and_says_so() {
    let mut rig = Rig::new(announced(0));
    rig.see_all(120, 200, "desk", &bad());
    rig.tick(200);
    // A run that was under way at the end may have seen the last of the work.
    let straddling = observed(check("desk"), at(198), vec![bad()]);
    let decision = rig.engine.handle(&straddling, at(202));
    rig.keep(decision);
    assert!(rig.actions.is_empty(), "nobody has looked since");
    rig.see(203, "desk", vec![bad()]);
    assert_eq!(rig.actions.len(), 1);
    assert_eq!(rig.last().started_at, at(200), "what was announced is not held against anybody");
    assert_eq!(
        rig.last().body,
        "The maintenance that was planned until 10:43 (GMT-03:00) on 15 September 2021 should be \
         over, but not all is well.\n\n\
         Desk is currently unavailable.\n\n\
         Our monitoring has detected this problem since 10:43 (GMT-03:00) on 15 September 2021.\n\n\
         Next update in 30 minutes, or when there is something new."
    );
    rig.see_all(210, 2100, "desk", &bad());
    assert_eq!(rig.actions.len(), 2);
    assert!(!rig.last().body.contains("maintenance"), "once is enough: {}", rig.last().body);
}

#[test]
fn there_may_be_a_while_to_get_well() {
    let mut rig = Rig::new(announced(60));
    rig.see_all(120, 250, "desk", &bad());
    assert!(rig.actions.is_empty());
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
    let wakeup = rig.engine.next_wakeup().unwrap();
    assert_eq!((wakeup.at, wakeup.reason), (at(260), WakeupReason::GraceOver(component("desk"))));
    rig.tick(300);
    assert_eq!((rig.last().at, rig.last().started_at), (at(260), at(200)));

    let mut rig = Rig::new(announced(60));
    rig.see_all(120, 220, "desk", &bad());
    rig.see_all(220, 400, "desk", &good());
    assert!(rig.actions.is_empty() && rig.engine.next_wakeup().is_none());
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
}

#[test]
fn what_was_last_seen_before_its_end_opens_nothing() {
    let mut rig = Rig::new(announced(60));
    rig.see_all(120, 180, "desk", &bad());
    rig.tick(8 * 3600);
    rig.see_all(8 * 3600, 8 * 3600 + 30, "desk", &blind(WHOLE));
    // A first pass is not proof that it is well, and none that it is not.
    rig.see(8 * 3600 + 30, "desk", vec![good()]);
    assert!(rig.actions.is_empty());
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
    rig.see(8 * 3600 + 40, "desk", vec![bad()]);
    assert_eq!(rig.actions.len(), 1);
}

#[test]
fn an_incident_that_was_open_before_is_led_to_its_end() {
    let mut rig = Rig::new(announced(0));
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(30, 120, "desk", &bad());
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    rig.see_all(120, 150, "desk", &good());
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);

    let mut soon = announced(0);
    for platform in soon.platforms.values_mut() {
        platform.resolve_after = Span::from_secs(30);
    }
    let mut rig = Rig::new(soon);
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(30, 150, "desk", &good());
    assert_eq!(rig.last().status, IncidentStatus::Resolved);
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
    let told = rig.actions.len();
    rig.see_all(150, 190, "desk", &bad());
    assert_eq!(rig.actions.len(), told);
}

#[test]
fn one_that_is_withdrawn_counts_no_more() {
    let mut rig = Rig::new(announced(60));
    rig.see_all(120, 150, "desk", &bad());
    rig.adopt(150, policy(&["Desk", "Portal"]));
    assert_eq!(rig.last().components[&component("desk")], ComponentStatus::MajorOutage);
    assert_eq!(rig.last().started_at, at(120));
    assert!(!rig.last().body.contains("maintenance"), "{}", rig.last().body);
    assert!(rig.engine.state().windows().is_empty());

    // And one that is announced while its time has come counts at once.
    let mut rig = Rig::new(policy(&["Desk", "Portal"]));
    rig.adopt(150, announced(0));
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
}

#[test]
fn windows_that_recur_are_settled_in_order_however_late() {
    let mut daily = policy(&["Desk"]);
    let recurrence = Recurrence {
        first: at(3600).to_utc().with_timezone(&Tz::America__Sao_Paulo).naive_local(),
        lasts: Span::from_secs(600),
        rule: "FREQ=DAILY;COUNT=3".to_owned(),
        time_zone: Tz::America__Sao_Paulo,
    };
    announce(&mut daily, &["desk"], When::Recurring(recurrence), 0);
    let mut rig = Rig::new(daily.clone());
    rig.tick(5 * 86_400);
    let turns: Vec<_> = rig
        .events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::MaintenanceChanged { .. }))
        .map(|event| event.at.since(at(0)).as_secs())
        .collect();
    let day = 86_400;
    assert_eq!(turns, [3600, 4200, day + 3600, day + 4200, 2 * day + 3600, 2 * day + 4200]);
    assert!(rig.engine.next_wakeup().is_none() && rig.engine.state().windows().is_empty());

    let mut rig = Rig::new(daily);
    rig.tick(86_400 + 3700);
    assert_eq!(rig.status("desk"), ComponentStatus::UnderMaintenance);
    let saved = serde_json::to_string(rig.engine.state()).unwrap();
    assert_eq!(serde_json::from_str::<State>(&saved).unwrap(), *rig.engine.state());
}

#[test]
fn one_that_overlaps_the_next_begins_it_as_it_ends() {
    let mut long = policy(&["Desk"]);
    let recurrence = Recurrence {
        first: at(3600).to_utc().with_timezone(&Tz::America__Sao_Paulo).naive_local(),
        lasts: Span::from_secs(30 * 3600),
        rule: "FREQ=DAILY;COUNT=3".to_owned(),
        time_zone: Tz::America__Sao_Paulo,
    };
    announce(&mut long, &["desk"], When::Recurring(recurrence), 0);
    let mut rig = Rig::new(long);
    rig.tick(6 * 86_400);
    let turns: Vec<_> = rig
        .events
        .iter()
        .filter(|event| matches!(event.kind, EventKind::MaintenanceChanged { .. }))
        .map(|event| event.at.since(at(0)).as_secs() / 3600)
        .collect();
    assert_eq!(turns, [1, 31, 31, 55, 55, 79]);
}
