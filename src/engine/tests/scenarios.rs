//! Correlation and lifecycle by example.

use std::time::Duration;

use super::{Rig, at, blind, check, component, fail, pass, policy, refused, times};
use crate::engine::{Engine, State, WakeupReason, correlate};
use crate::model::{
    ActionKind, ComponentStatus, Finding, Impact, IncidentStatus, PlatformId, Span, Subject,
    Threshold,
};

const WHOLE: Subject = Subject::Whole;

fn bad() -> Finding {
    fail(WHOLE, refused())
}

fn good() -> Finding {
    pass(WHOLE)
}

#[test]
fn what_goes_bad_together_is_one_incident_and_what_does_not_is_another() {
    let mut rig = Rig::new(policy(&["Portal", "Desk", "CRM"]));
    rig.see_all(0, 30, "portal", &bad());
    rig.see_all(590, 620, "desk", &bad());
    // Within ten minutes of the latest newcomer, though not of the first.
    rig.see_all(1180, 1210, "crm", &bad());
    assert_eq!(
        rig.causes(),
        [
            "1 investigating component_failed",
            "2 investigating component_joined",
            "3 investigating component_joined"
        ]
    );
    assert_eq!(rig.last().impact, Impact::Critical);

    let mut rig = Rig::new(policy(&["Portal", "Desk"]));
    rig.see_all(0, 30, "portal", &bad());
    rig.see_all(700, 730, "desk", &bad());
    assert_eq!(rig.engine.state().incidents().len(), 2);
}

#[test]
fn platforms_do_not_share_incidents() {
    let mut both = policy(&["Portal", "Desk"]);
    let other = PlatformId::new("other");
    let settings = both.platforms[&PlatformId::new("blip")].clone();
    both.platforms.insert(other.clone(), settings);
    both.components.get_mut(&component("desk")).unwrap().platform = other;
    let mut rig = Rig::new(both);
    rig.see_all(0, 30, "portal", &bad());
    rig.see_all(5, 35, "desk", &bad());
    assert_eq!(rig.engine.state().incidents().len(), 2);
}

#[test]
fn components_that_a_new_cap_makes_bad_at_once_open_one_incident() {
    let mut lenient = policy(&["Portal", "Desk"]);
    for check in lenient.checks.values_mut() {
        check.at_worst = ComponentStatus::Operational;
    }
    let mut rig = Rig::new(lenient);
    rig.see_all(0, 30, "portal", &bad());
    rig.see_all(5, 35, "desk", &bad());
    assert!(rig.actions.is_empty());
    rig.adopt(60, policy(&["Portal", "Desk"]));
    assert_eq!(rig.actions.len(), 1);
    assert_eq!(rig.last().kind, ActionKind::Open);
    assert_eq!(rig.last().components.len(), 2);
    assert_eq!(rig.last().title, "Desk and Portal are unavailable");
}

#[test]
fn a_relapse_takes_up_the_same_incident_and_gathers_others_again() {
    let mut rig = Rig::new(policy(&["Portal", "Desk"]));
    rig.see_all(0, 30, "portal", &bad());
    rig.see_all(700, 720, "portal", &good());
    rig.see_all(800, 830, "portal", &bad());
    rig.see_all(805, 835, "desk", &bad());
    rig.see_all(900, 2000, "portal", &good());
    rig.see_all(2000, 3100, "desk", &good());
    rig.see(3100, "portal", vec![good()]);
    assert_eq!(
        rig.causes(),
        [
            "1 investigating component_failed",
            "2 monitoring all_recovered",
            "3 investigating failed_again",
            "4 investigating component_joined",
            "5 investigating got_better",
            "6 monitoring all_recovered",
            "7 resolved stayed_well",
        ]
    );
}

#[test]
fn time_alone_resolves_nothing() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(30, 50, "desk", &good());
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.see_all(50, 2000, "desk", &blind(WHOLE));
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    assert!(rig.last().body.contains("has not confirmed yet"), "{}", rig.last().body);
    // The quiet period is over: it is not waited for, only the next promised update is.
    let wakeup = rig.engine.next_wakeup().unwrap();
    assert!(matches!(wakeup.reason, WakeupReason::UpdateDue(_)), "{wakeup:?}");
    // A failure that is not decided yet is no proof either.
    rig.see(2000, "desk", vec![bad()]);
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.see(2010, "desk", vec![good()]);
    assert_eq!(rig.last().status, IncidentStatus::Resolved);
    assert_eq!(rig.last().at.as_micros(), at(2010).as_micros() + 40_000);
    assert!(rig.engine.next_wakeup().is_none());
}

#[test]
fn a_late_tick_settles_a_deadline_at_its_own_time() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see_all(0, 40, "desk", &bad());
    let opened = rig.last().at;
    rig.tick(1800 + 600);
    let due: Vec<_> = rig.actions.iter().map(|action| action.at.since(opened).as_secs()).collect();
    assert_eq!(due, [0, 1800]);
}

#[test]
fn after_a_night_without_farol_there_is_one_thing_to_tell() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see_all(0, 40, "desk", &bad());
    rig.tick(8 * 3600);
    let told = rig.actions.len();
    assert_eq!(rig.causes().last().unwrap(), "2 investigating update_due");
    rig.see(8 * 3600 + 60, "desk", vec![bad()]);
    assert_eq!(rig.actions.len(), told + 1);
    assert_eq!(rig.last().at, at(8 * 3600 + 60) + Duration::from_millis(40));
}

#[test]
fn a_blind_prober_says_that_it_sees_nothing() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(30, 4000, "desk", &blind(crate::model::Subject::Whole));
    assert!(rig.last().body.contains("could not get a new result"), "{}", rig.last().body);
}

#[test]
fn a_long_quiet_period_has_its_updates() {
    let mut slow = policy(&["Desk"]);
    for platform in slow.platforms.values_mut() {
        platform.resolve_after = Span::from_secs(3600);
    }
    let mut rig = Rig::new(slow);
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(30, 3700, "desk", &good());
    assert_eq!(
        rig.causes(),
        [
            "1 investigating component_failed",
            "2 monitoring all_recovered",
            "3 monitoring update_due",
            "4 resolved stayed_well"
        ]
    );
    assert!(rig.actions[1].body.contains("Next update in 30 minutes"), "{}", rig.actions[1].body);
    assert!(!rig.actions[2].body.contains("Next update"), "{}", rig.actions[2].body);
    assert!(
        rig.actions[2].body.contains("resolved at 11:40 (GMT-03:00)"),
        "{}",
        rig.actions[2].body
    );
}

#[test]
fn an_incident_outlives_its_component_and_its_platform() {
    let mut rig = Rig::new(policy(&["Portal", "Desk"]));
    rig.see_all(0, 30, "portal", &bad());
    rig.see_all(5, 35, "desk", &bad());
    rig.adopt(60, policy(&["Desk"]));
    assert_eq!(rig.last().components[&component("portal")], ComponentStatus::Operational);
    assert_eq!(rig.last().status, IncidentStatus::Investigating);
    rig.adopt(70, crate::model::Policy::default());
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.tick(1000);
    assert_eq!(rig.last().status, IncidentStatus::Resolved);
    assert_eq!(rig.last().title, "Portal and Desk are unavailable");
    let closed: Vec<_> = rig.engine.state().recent().collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].components, [component("desk"), component("portal")]);
    assert_eq!((closed[0].started_at, closed[0].resolved_at), (at(0), at(970)));
}

#[test]
fn a_check_that_replaces_a_failing_one_must_be_heard_before_the_end() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see_all(0, 30, "desk", &bad());
    let mut renamed = policy(&["Desk"]);
    let settings = renamed.checks.remove(&check("desk")).unwrap();
    renamed.checks.insert(check("desk-renamed"), settings);
    rig.adopt(40, renamed);
    rig.tick(1000);
    assert_eq!(rig.last().status, IncidentStatus::Investigating, "nobody knows how it is");
    rig.see(1010, "desk-renamed", vec![good()]);
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.tick(2000);
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.see(2010, "desk-renamed", vec![good()]);
    assert_eq!(rig.last().status, IncidentStatus::Resolved);
}

#[test]
fn a_promise_survives_a_change_of_policy() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see_all(0, 30, "desk", &bad());
    let promised = rig.engine.next_wakeup().unwrap().at;
    let mut changed = policy(&["Desk"]);
    for platform in changed.platforms.values_mut() {
        platform.update_every = Span::from_secs(7200);
    }
    rig.adopt(60, changed);
    assert_eq!(rig.engine.next_wakeup().unwrap().at, promised);
    rig.see(90, "desk", vec![bad()]);
    rig.tick(2000);
    assert_eq!(rig.last().at, promised);
    assert!(rig.last().body.contains("Next update in 2 hours,"), "{}", rig.last().body);
}

#[test]
fn no_period_is_so_short_that_time_stands_still() {
    let mut hasty = policy(&["Desk"]);
    for platform in hasty.platforms.values_mut() {
        platform.update_every = Span::ZERO;
        platform.resolve_after = Span::ZERO;
    }
    let once = Threshold::Runs { count: times(1), of: times(3) };
    hasty.checks.get_mut(&check("desk")).unwrap().fail_after = once;
    let mut rig = Rig::new(hasty);
    rig.see(0, "desk", vec![bad()]);
    for tenths in 1..=100 {
        rig.see_tenths(tenths, "desk", vec![bad()]);
    }
    assert_eq!(rig.actions.len(), 10, "one a second");
    rig.see_all(20, 40, "desk", &good());
    assert_eq!(rig.last().status, IncidentStatus::Monitoring);
    rig.see(40, "desk", vec![good()]);
    assert_eq!(rig.last().status, IncidentStatus::Resolved);
}

#[test]
fn time_never_runs_back() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.tick(100);
    rig.see_all(0, 30, "desk", &bad());
    assert_eq!(rig.last().at, at(100));
    assert_eq!(rig.last().started_at, at(0));
}

#[test]
fn only_the_latest_incidents_are_remembered() {
    let mut rig = Rig::new(policy(&["Desk"]));
    for n in 0..25 {
        rig.see_all(n * 2000, n * 2000 + 30, "desk", &bad());
        rig.see_all(n * 2000 + 30, n * 2000 + 1000, "desk", &good());
    }
    let opened: Vec<_> = rig.engine.state().recent().map(|closed| closed.opened_at).collect();
    assert_eq!(opened.len(), 20);
    assert!(opened.is_sorted() && opened[0] > at(10_000));
}

#[test]
fn a_key_is_the_same_wherever_it_is_made() {
    // printf 'blip\0blip/desk\0%d' 1631713200000000 | openssl dgst -sha256 -binary | base32
    let key = correlate::key(&PlatformId::new("blip"), &component("desk"), at(0));
    assert_eq!(key.as_str(), "2ekkxu4ojhpr26qg");
}

#[test]
fn a_state_of_another_format_is_refused() {
    let text = serde_json::to_string(&State::default()).unwrap();
    assert_eq!(serde_json::from_str::<State>(&text).unwrap(), State::default());
    let newer = text.replace(r#""format":1"#, r#""format":2"#);
    let error = serde_json::from_str::<State>(&newer).unwrap_err();
    assert!(error.to_string().contains("has format 2"), "{error}");
    assert_eq!(Engine::default().next_wakeup(), None);
}

/// A change of this sample is a change of what is on disks: old states must still be read.
#[test]
fn the_saved_form_is_a_contract() {
    let mut rig = Rig::new(policy(&["Desk"]));
    rig.see_all(0, 30, "desk", &bad());
    let saved = serde_json::to_string_pretty(rig.engine.state()).unwrap();
    insta::assert_snapshot!(saved);
    let read: State = serde_json::from_str(&saved).unwrap();
    assert_eq!(read, *rig.engine.state());
}
