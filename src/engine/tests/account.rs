//! What an incident was, told at its end.

use std::collections::BTreeSet;

use super::{Rig, at, component, degraded, fail, pass, policy, refused, slow};
use crate::engine::Engine;
use crate::model::{
    Account, ActionKind, Cause, ComponentStatus, Doubt, Input, Order, Subject, Wish,
};

const WHOLE: Subject = Subject::Whole;

/// Portal is slow, then out; Desk joins; they recover one after the other, and stay well.
fn story() -> Rig {
    let mut rig = Rig::new(policy(&["Portal", "Desk"]));
    rig.see_all(0, 30, "portal", &degraded(WHOLE, slow()));
    rig.see_all(30, 60, "portal", &fail(WHOLE, refused()));
    rig.see_all(60, 90, "desk", &fail(WHOLE, refused()));
    rig.see_all(90, 110, "portal", &pass(WHOLE));
    rig.see_all(110, 130, "desk", &pass(WHOLE));
    rig.see_all(130, 1_100, "portal", &pass(WHOLE));
    rig.see_all(130, 1_100, "desk", &pass(WHOLE));
    rig
}

fn account(rig: &Rig) -> &Account {
    assert_eq!(rig.last().kind, ActionKind::Resolve);
    rig.last().account.as_deref().unwrap()
}

#[test]
fn an_account_tells_what_happened_to_what_and_when() {
    let rig = story();
    let account = account(&rig);
    assert_eq!(account.title, rig.last().title);
    assert_eq!((account.started_at, account.impact), (at(0), rig.last().impact));
    assert!(account.opened_at > at(20) && account.recovered_at > Some(at(110)));
    let causes: Vec<Cause> = account.timeline.iter().map(|one| one.cause).collect();
    assert_eq!(
        causes,
        [
            Cause::ComponentFailed,
            Cause::GotWorse,
            Cause::ComponentJoined,
            Cause::GotBetter,
            Cause::AllRecovered,
            Cause::StayedWell
        ]
    );
    assert_eq!(account.timeline[0].changes[0].seen, "Portal is slower than usual");
    assert_eq!(account.timeline[1].changes[0].seen, "Portal is unavailable");
    let portal = &account.components[&component("portal")];
    assert_eq!(
        (portal.worst, portal.seen.as_str()),
        (ComponentStatus::MajorOutage, "Portal is unavailable")
    );
    assert_eq!((portal.since, portal.failing, portal.checks), (at(0), 1, 1));
    let desk = &account.components[&component("desk")];
    assert!(portal.recovered_at < desk.recovered_at && desk.since == at(60));
    assert_eq!(account.doubts, BTreeSet::new());
    // It stays where a later command finds it.
    let closed = rig.engine.state().recent().next_back().unwrap();
    assert_eq!(closed.account.as_deref(), Some(account));
    assert!(rig.actions.iter().all(|it| it.account.is_some() == (it.kind == ActionKind::Resolve)));
    insta::assert_snapshot!(serde_json::to_string_pretty(account).unwrap());
}

#[test]
fn what_is_not_certain_is_said_and_a_person_is_quoted() {
    let mut rig = Rig::new(policy(&["Portal"]));
    rig.see_all(0, 30, "portal", &fail(WHOLE, refused()));
    let key = rig.last().incident.clone();
    let said = "We are on it.";
    for wish in [Wish::Note { text: said.to_owned(), identified: false }, Wish::Resolve] {
        let order = Input::Operator(Order { incident: key.clone(), wish });
        let decision = rig.engine.handle(&order, at(60));
        rig.keep(decision);
    }
    let account = account(&rig);
    assert_eq!(account.timeline[1].words.as_deref(), Some(said));
    assert_eq!(account.doubts, BTreeSet::from([Doubt::CalledOver]));
    assert_eq!(
        (account.recovered_at, account.components[&component("portal")].recovered_at),
        (None, None)
    );
}

#[test]
fn an_account_has_an_end() {
    let mut rig = Rig::new(policy(&["Portal"]));
    rig.see_all(0, 30, "portal", &fail(WHOLE, refused()));
    let mut secs = 30;
    for _ in 0..50 {
        rig.see_all(secs, secs + 30, "portal", &pass(WHOLE));
        rig.see_all(secs + 30, secs + 60, "portal", &fail(WHOLE, refused()));
        secs += 60;
    }
    let before = Engine::new(rig.engine.state().clone());
    rig.see_all(secs, secs + 1_000, "portal", &pass(WHOLE));
    let account = account(&rig);
    assert_eq!(account.timeline.len(), 60);
    assert!(account.left_out > 0);
    assert_eq!(account.timeline[0].cause, Cause::ComponentFailed);
    assert_eq!(account.timeline[59].cause, Cause::StayedWell);
    // What was noted survives a restart.
    let saved = serde_json::to_string(before.state()).unwrap();
    assert_eq!(&serde_json::from_str::<crate::engine::State>(&saved).unwrap(), before.state());
    // One that was open before anything was noted is led to its end all the same.
    let mut old: serde_json::Value = serde_json::from_str(&saved).unwrap();
    let incident = old["incidents"].as_object_mut().unwrap().values_mut().next().unwrap();
    assert!(incident.as_object_mut().unwrap().remove("chronicle").is_some());
    serde_json::from_value::<crate::engine::State>(old).unwrap();
}
