//! The outbox, step by step; `simulated` drives it against a model of a status API.

mod again;
mod components;
mod drafts;
mod drain;
mod left;
mod modes;
mod order;
mod simulated;
mod sweep;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Attempt, Foreign, Notice, Outbox, Outcome, Payload, Remote, RemoteId, Request, State,
    StateError, Timing,
};
use crate::model::{
    Action, ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus,
    PlatformId, Span, Timestamp,
};

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_631_664_000 + secs)
}

fn component(name: &str) -> ComponentId {
    ComponentId::of(&PlatformId::new("blip"), name)
}

/// Step `sequence` of incident `key`, decided at second `secs`, with a text that names it.
fn action(key: &str, sequence: u32, kind: ActionKind, secs: i64) -> Action {
    let (status, component_status) = match kind {
        ActionKind::Open | ActionKind::Update => {
            (IncidentStatus::Investigating, ComponentStatus::PartialOutage)
        }
        ActionKind::Resolve => (IncidentStatus::Resolved, ComponentStatus::Operational),
    };
    Action {
        incident: IncidentKey::new(key),
        sequence,
        kind,
        follows: None,
        platform: PlatformId::new("blip"),
        at: at(secs),
        started_at: at(0),
        status,
        impact: Impact::Major,
        components: BTreeMap::from([(component("desk"), component_status)]),
        title: format!("{key} is failing"),
        body: format!("{key}#{sequence}"),
        by_person: false,
        account: None,
    }
}

fn outbox() -> Outbox {
    Outbox::new("install", State::default(), Timing::default())
}

/// What a crash and a restart leave of an outbox.
fn restarted(outbox: &Outbox, now: Timestamp) -> Outbox {
    let saved = State::from_json(&outbox.state().to_json().unwrap()).unwrap();
    let mut outbox = Outbox::new("install", saved, Timing::default());
    outbox.resume(now);
    outbox
}

/// Waits until the outbox has something to do, and takes it. The page has nothing else open.
fn attempt(outbox: &mut Outbox, now: &mut Timestamp) -> Attempt {
    loop {
        let attempt = attempt_any(outbox, now);
        if attempt.request != Request::Survey {
            return attempt;
        }
        let notices = outbox.outcome(attempt.id, Outcome::Surveyed(Vec::new()), *now);
        assert_eq!(notices, []);
    }
}

fn attempt_any(outbox: &mut Outbox, now: &mut Timestamp) -> Attempt {
    let wakeup = outbox.next_wakeup().expect("nothing is wanted");
    *now = (*now).max(wakeup.at);
    outbox.next(*now).expect("the wake-up was for nothing")
}

fn answer(outbox: &mut Outbox, now: &mut Timestamp, outcome: Outcome) -> (Request, Vec<Notice>) {
    let attempt = attempt(outbox, now);
    let notices = outbox.outcome(attempt.id, outcome, *now);
    (attempt.request, notices)
}

fn done(remote: &str) -> Outcome {
    Outcome::Done { remote: RemoteId::new(remote), standing: None }
}

fn uncertain() -> Outcome {
    Outcome::Uncertain { detail: "the connection was reset".to_owned() }
}

fn rejected(status: u16) -> Outcome {
    Outcome::Rejected { status, detail: "no".to_owned() }
}

fn remote(id: &str, key: &str, sequence: u32, secs: i64) -> Remote {
    Remote {
        id: RemoteId::new(id),
        key: IncidentKey::new(key),
        sequence,
        status: Some(IncidentStatus::Investigating),
        created_at: at(secs),
        standing: None,
    }
}

fn payload(request: &Request) -> Payload {
    match request {
        Request::Create(payload) | Request::Update { payload, .. } => payload.clone(),
        Request::Find { .. }
        | Request::Read { .. }
        | Request::Retire { .. }
        | Request::Draft { .. }
        | Request::Survey
        | Request::Announcements
        | Request::SetComponent { .. }
        | Request::Components => panic!("not a create or update: {request:?}"),
    }
}

#[test]
fn a_step_that_is_known_is_not_wanted_again_even_after_the_incident_is_done_with() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    assert_eq!(outbox.pending(), 1);
    answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("a", 2, ActionKind::Resolve, 1));
    answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    outbox.push(action("a", 2, ActionKind::Resolve, 1));
    assert_eq!(outbox.next_wakeup(), None);
    // A step that nobody expected goes to the incident that there was.
    outbox.push(action("a", 3, ActionKind::Update, 60));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Update { remote, .. } if remote == RemoteId::new("r1")));
}

#[test]
fn what_waits_together_is_written_as_one_with_the_latest_state_and_every_text() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let mut worse = action("a", 2, ActionKind::Update, 5);
    worse.impact = Impact::Critical;
    outbox.push(worse);
    let mut silent = action("a", 3, ActionKind::Update, 6);
    silent.body = "  ".to_owned();
    outbox.push(silent);
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Create(_)));
    let payload = payload(&request);
    assert_eq!(payload.body, "a#1\n\na#2");
    assert_eq!((payload.sequence, payload.kind), (3, ActionKind::Open));
}

#[test]
fn a_resolution_swallows_the_updates_that_wait_but_never_the_opening() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    outbox.push(action("a", 2, ActionKind::Update, 5));
    outbox.push(action("a", 3, ActionKind::Resolve, 9));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    let create = payload(&request);
    assert_eq!(
        (create.body.as_str(), create.status),
        ("a#1\n\na#2", IncidentStatus::Investigating)
    );
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert_eq!(payload(&request).body, "a#3");

    outbox.push(action("b", 1, ActionKind::Open, 10));
    answer(&mut outbox, &mut now, done("r2"));
    outbox.push(action("b", 2, ActionKind::Update, 11));
    outbox.push(action("b", 3, ActionKind::Resolve, 12));
    let (request, _) = answer(&mut outbox, &mut now, done("r2"));
    assert_eq!(payload(&request).body, "b#3");
    assert_eq!(outbox.next_wakeup(), None);
}

#[test]
fn new_incidents_go_first_then_resolutions_then_updates() {
    let mut outbox = outbox();
    let mut now = at(0);
    for key in ["a", "b"] {
        outbox.push(action(key, 1, ActionKind::Open, 0));
        answer(&mut outbox, &mut now, done(key));
    }
    outbox.push(action("a", 2, ActionKind::Update, 1));
    outbox.push(action("b", 2, ActionKind::Resolve, 2));
    // About another component, since no end is overtaken by what follows it.
    let components = BTreeMap::from([(component("crm"), ComponentStatus::PartialOutage)]);
    outbox.push(Action { components, ..action("c", 1, ActionKind::Open, 3) });
    let mut order = Vec::new();
    for remote in ["c", "b", "a"] {
        order.push(payload(&answer(&mut outbox, &mut now, done(remote)).0).key.to_string());
    }
    assert_eq!(order, ["c", "b", "a"]);
}

#[test]
fn two_requests_are_spaced_and_only_one_is_in_flight() {
    let mut outbox = outbox();
    outbox.push(action("a", 1, ActionKind::Open, 0));
    outbox.push(action("b", 1, ActionKind::Open, 0));
    let mut now = at(0);
    let first = attempt(&mut outbox, &mut now);
    assert_eq!(outbox.next(at(100)), None);
    assert_eq!(outbox.next_wakeup(), None);
    let _ = outbox.outcome(first.id, done("r1"), at(100));
    assert_eq!(outbox.next(at(101)), None);
    assert!(outbox.next(at(102)).is_some());
    // The first answer, a second time, is nobody's.
    assert_eq!(outbox.outcome(first.id, done("r9"), at(102)), []);
}

#[test]
fn a_create_in_doubt_is_found_and_adopted() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, uncertain());
    let (request, notices) =
        answer(&mut outbox, &mut now, Outcome::Found(vec![remote("r1", "a", 1, 0)]));
    assert_eq!(request, Request::Find { key: IncidentKey::new("a") });
    assert!(
        matches!(
            &notices[..],
            [Notice::Reconciled { applied: true, .. }, Notice::Published { sequence: 1, .. }]
        ),
        "{notices:?}"
    );
    assert_eq!(outbox.pending(), 0);
}

#[test]
fn a_create_in_doubt_is_repeated_only_after_two_looks_in_vain_and_once_it_is_old() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, uncertain());
    let mut looks = 0;
    loop {
        let attempt = attempt(&mut outbox, &mut now);
        if matches!(attempt.request, Request::Create(_)) {
            let _ = outbox.outcome(attempt.id, done("r2"), now);
            break;
        }
        looks += 1;
        let _ = outbox.outcome(attempt.id, Outcome::Found(Vec::new()), now);
    }
    assert!(looks >= 2, "{looks}");
    assert!(now >= at(30), "{now}");
    // The first create turned up late: the younger of the two, which is ours, is kept.
    let late = vec![remote("r1", "a", 1, 3), remote("r2", "a", 1, 40)];
    let (request, notices) = answer(&mut outbox, &mut now, Outcome::Found(late));
    assert_eq!(request, Request::Find { key: IncidentKey::new("a") });
    assert!(matches!(&notices[..], [Notice::Duplicate { .. }]), "{notices:?}");
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Retire { remote, .. } if remote == RemoteId::new("r1")));
    assert_eq!(outbox.next_wakeup(), None);
}

#[test]
fn of_two_incidents_with_one_key_the_elder_is_adopted_and_the_other_retired() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, uncertain());
    let both = vec![remote("younger", "a", 1, 9), remote("elder", "a", 1, 1)];
    answer(&mut outbox, &mut now, Outcome::Found(both.clone()));
    // Nobody knows whether the first try to resolve it worked: it is listed again before.
    let (request, _) = answer(&mut outbox, &mut now, uncertain());
    assert!(
        matches!(request, Request::Retire { remote, .. } if remote == RemoteId::new("younger"))
    );
    answer(&mut outbox, &mut now, Outcome::Found(both));
    let (request, _) = answer(&mut outbox, &mut now, done("younger"));
    assert!(matches!(request, Request::Retire { .. }));
    outbox.push(action("a", 2, ActionKind::Update, 60));
    let (request, _) = answer(&mut outbox, &mut now, done("elder"));
    assert!(matches!(request, Request::Update { remote, .. } if remote == RemoteId::new("elder")));
}

#[test]
fn an_update_in_doubt_is_read_before_it_is_repeated() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("a", 2, ActionKind::Update, 5));
    answer(&mut outbox, &mut now, uncertain());
    outbox.push(action("a", 3, ActionKind::Update, 6));
    let (request, _) = answer(&mut outbox, &mut now, Outcome::Found(vec![remote("r1", "a", 2, 0)]));
    assert!(matches!(request, Request::Read { .. }));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert_eq!(payload(&request).body, "a#3", "what had been applied was said again");
}

#[test]
fn a_create_that_is_not_confirmed_is_looked_for_after_a_restart() {
    let mut outbox = outbox();
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let mut now = at(5);
    let mut restarted = restarted(&outbox, now);
    let (request, _) = answer(&mut restarted, &mut now, Outcome::Found(Vec::new()));
    assert!(matches!(request, Request::Find { .. }));
    // It never left: one look is enough.
    let (request, _) = answer(&mut restarted, &mut now, done("r1"));
    assert!(matches!(request, Request::Create(_)));
    assert!(now < at(10), "{now}");
}

#[test]
fn what_was_in_flight_at_a_crash_is_in_doubt() {
    let mut outbox = outbox();
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let _lost = attempt(&mut outbox, &mut at(0));
    let mut now = at(3);
    let mut restarted = restarted(&outbox, now);
    let found = Outcome::Found(vec![remote("r1", "a", 1, 0)]);
    let (request, _) = answer(&mut restarted, &mut now, found);
    assert!(matches!(request, Request::Find { .. }));
    assert_eq!(restarted.pending(), 0);
}

#[test]
fn retry_after_is_honoured_and_an_unknown_key_waits_long_but_loses_nothing() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let retry_after = Some(Span::from_secs(45));
    answer(&mut outbox, &mut now, Outcome::RateLimited { retry_after });
    answer(&mut outbox, &mut now, Outcome::Unauthorized { detail: "who?".to_owned() });
    assert!(now >= at(45) && now < at(50), "{now}");
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(now >= at(45 + 45), "{now}");
    assert_eq!(payload(&request).body, "a#1");
}

#[test]
fn an_incident_that_a_person_deleted_is_left_alone() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("a", 2, ActionKind::Update, 5));
    answer(&mut outbox, &mut now, Outcome::Gone);
    let (request, notices) = answer(&mut outbox, &mut now, Outcome::Gone);
    assert!(matches!(request, Request::Read { .. }));
    assert!(matches!(&notices[..], [Notice::Detached { why: Foreign::Gone, .. }]), "{notices:?}");
    outbox.push(action("a", 3, ActionKind::Resolve, 9));
    assert_eq!(outbox.next_wakeup(), None);
}

#[test]
fn components_that_the_api_does_not_know_are_left_out() {
    let mut outbox = outbox();
    let mut now = at(0);
    let mut open = action("a", 1, ActionKind::Open, 0);
    open.components.insert(component("deleted"), ComponentStatus::MajorOutage);
    outbox.push(open);
    answer(&mut outbox, &mut now, rejected(422));
    let known = Outcome::Listed(BTreeSet::from([component("desk")]));
    let (request, notices) = answer(&mut outbox, &mut now, known);
    assert_eq!(request, Request::Components);
    assert_eq!(notices, [Notice::Unlisted { components: vec![component("deleted")] }]);
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert_eq!(payload(&request).components.keys().collect::<Vec<_>>(), [&component("desk")]);
    assert!(now < at(10), "{now}");
}

#[test]
fn a_restart_and_a_first_refusal_do_not_make_the_public_wait() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, Outcome::Unauthorized { detail: String::new() });
    assert!(outbox.next_wakeup().unwrap().at >= now + Span::from_secs(40));
    // The key was mended, by a restart.
    outbox.resume(now);
    assert!(outbox.next_wakeup().unwrap().at <= now + Span::from_secs(2));
    answer(&mut outbox, &mut now, Outcome::Found(Vec::new()));
    answer(&mut outbox, &mut now, rejected(404));
    let known = Outcome::Listed(BTreeSet::from([component("desk")]));
    answer(&mut outbox, &mut now, known);
    assert!(outbox.next_wakeup().unwrap().at <= now + Span::from_secs(60));
}

#[test]
fn a_step_that_is_refused_again_and_again_is_given_up_and_the_next_is_tried() {
    let mut outbox = outbox();
    let mut now = at(0);
    let listed = Outcome::Listed(BTreeSet::from([component("desk")]));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let mut refusals = 0;
    while outbox.next_wakeup().is_some() {
        let attempt = attempt(&mut outbox, &mut now);
        let write = attempt.request.is_write();
        let outcome = if write { rejected(422) } else { listed.clone() };
        let notices = outbox.outcome(attempt.id, outcome, now);
        refusals += u32::from(write);
        assert_eq!(notices.is_empty(), write, "every refusal is told once: {notices:?}");
    }
    assert_eq!(refusals, Timing::default().rejections);
    assert_eq!((outbox.abandoned(), outbox.pending()), (1, 0));
    outbox.push(action("a", 2, ActionKind::Update, 5));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Create(_)));
}

#[test]
fn a_state_of_a_later_version_is_refused() {
    let error = State::from_json(r#"{"version":2,"other":true}"#).unwrap_err();
    assert!(matches!(error, StateError::Newer { found: 2 }), "{error}");
}

#[test]
fn the_saved_form_is_a_contract() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("over", 1, ActionKind::Resolve, 0));
    answer(&mut outbox, &mut now, done("r0"));
    outbox.push(action("published", 1, ActionKind::Open, 1));
    answer(&mut outbox, &mut now, done("r1"));
    outbox.push(action("doubtful", 1, ActionKind::Open, 2));
    answer(&mut outbox, &mut now, uncertain());
    answer(&mut outbox, &mut now, Outcome::Found(Vec::new()));
    outbox.push(action("published", 2, ActionKind::Update, 3));
    outbox.push(action("published", 3, ActionKind::Resolve, 4));
    let _in_flight = attempt(&mut outbox, &mut now);
    let saved = outbox.state().to_json().unwrap();
    let value: serde_json::Value = serde_json::from_str(&saved).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
    assert_eq!(&State::from_json(&saved).unwrap(), outbox.state());
}
