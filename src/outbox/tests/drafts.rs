//! Drafts of postmortems: last of all, once, and never in anybody's way.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;

use super::{
    Notice, Outbox, Outcome, Request, State, Timing, action, at, attempt_any, done, rejected,
    uncertain,
};
use crate::model::{
    Account, Action, ActionKind, ComponentStatus, Impact, IncidentKey, Language, Mode, Modes,
    Publishing, Span, Timestamp,
};
use crate::outbox::{Foreign, WakeReason};

pub(super) fn account(resolved_at: Timestamp) -> Box<Account> {
    Box::new(Account {
        language: Language::English,
        time_zone: Tz::UTC,
        title: "Desk is unavailable".to_owned(),
        impact: Impact::Major,
        started_at: at(0),
        opened_at: at(30),
        recovered_at: Some(at(50)),
        resolved_at,
        timeline: Vec::new(),
        left_out: 0,
        components: BTreeMap::new(),
        doubts: BTreeSet::new(),
    })
}

fn timing() -> Timing {
    Timing { drafts: true, ..Timing::default() }
}

fn outbox(publishing: Publishing, timing: Timing) -> Outbox {
    Outbox::new("install", State::default(), timing).with_publishing(publishing)
}

fn end(key: &str, secs: i64) -> Action {
    Action { account: Some(account(at(secs))), ..action(key, 2, ActionKind::Resolve, secs) }
}

/// Answers all that is asked but drafts, and gives what is asked after that.
fn lead(outbox: &mut Outbox, now: &mut Timestamp) -> Option<Request> {
    for _ in 0..20 {
        outbox.next_wakeup().filter(|wakeup| wakeup.reason != WakeReason::Say)?;
        let attempt = attempt_any(outbox, now);
        if let Request::Draft { .. } = attempt.request {
            return Some(attempt.request);
        }
        let survey = attempt.request == Request::Survey;
        let outcome = if survey { Outcome::Surveyed(Vec::new()) } else { done("r1") };
        let _told = outbox.outcome(attempt.id, outcome, *now);
    }
    panic!("no end of it");
}

fn opened_and_ended(outbox: &mut Outbox) -> Timestamp {
    let mut now = at(31);
    outbox.push(action("a", 1, ActionKind::Open, 30));
    let _none = lead(outbox, &mut now);
    outbox.push(end("a", 60));
    now.max(at(60))
}

#[test]
fn a_draft_comes_when_the_end_stands_there_and_is_the_last_of_an_incident() {
    let mut outbox = outbox(Publishing::default(), timing());
    let mut now = opened_and_ended(&mut outbox);
    // About another component, since no end is overtaken by what follows it.
    let core = [(super::component("core"), ComponentStatus::MajorOutage)].into();
    outbox.push(Action { components: core, ..action("b", 1, ActionKind::Open, 60) });
    let mut asked = Vec::new();
    let text = loop {
        let attempt = attempt_any(&mut outbox, &mut now);
        asked.push(attempt.request.name());
        if let Request::Draft { text, remote, .. } = &attempt.request {
            assert_eq!(remote.as_str(), "r1");
            let told = outbox.outcome(attempt.id, done("r1"), now);
            assert!(matches!(told[..], [Notice::PostmortemDrafted { .. }]), "{told:?}");
            break text.clone();
        }
        let outcome = match attempt.request.name() {
            "survey" => Outcome::Surveyed(Vec::new()),
            "create" => done("r2"),
            _ => done("r1"),
        };
        let _told = outbox.outcome(attempt.id, outcome, now);
    };
    assert_eq!(asked, ["survey", "create", "update", "draft"], "what is new goes first");
    assert!(text.contains("On the status page: 2021-09-15 00:00:3"), "{text}");
    assert_eq!(outbox.next_wakeup(), None);
    assert!(outbox.state().published_at(&IncidentKey::new("a")).is_some(), "that is remembered");
    assert!(outbox.views().iter().all(|view| view.incident.as_str() == "b"));
}

#[test]
fn trouble_with_a_draft_holds_up_nobody_and_has_an_end() {
    let mut outbox = outbox(Publishing::default(), timing());
    let mut now = opened_and_ended(&mut outbox);
    let mut tries = 0;
    let told = loop {
        let attempt = attempt_any(&mut outbox, &mut now);
        if attempt.request.name() != "draft" {
            let survey = attempt.request == Request::Survey;
            let outcome = if survey { Outcome::Surveyed(Vec::new()) } else { done("r1") };
            let _told = outbox.outcome(attempt.id, outcome, now);
            continue;
        }
        tries += 1;
        let mut told = outbox.outcome(attempt.id, uncertain(), now);
        assert!(!told.iter().any(|it| matches!(it, Notice::Retry { .. })), "{told:?}");
        // Somebody else's turn comes as if nothing had happened.
        outbox.push(action(&format!("other{tries}"), 1, ActionKind::Open, 60));
        let next = outbox.next_wakeup().unwrap().at;
        assert!(next <= now + Timing::default().spacing, "the lane is held up");
        if let Some(end) = told.pop() {
            break end;
        }
    };
    assert_eq!(tries, 5);
    assert!(told.to_string().contains("farol postmortem a"), "{told}");
}

#[test]
fn what_stands_there_is_left_and_a_restart_asks_again() {
    let mut first = outbox(Publishing::default(), timing());
    let mut now = opened_and_ended(&mut first);
    assert!(matches!(lead(&mut first, &mut now), Some(Request::Draft { .. })));
    // The process dies with the draft on its way: it is asked for again, looks, and finds it.
    let saved = State::from_json(&first.state().to_json().unwrap()).unwrap();
    let mut again = Outbox::new("install", saved, timing());
    again.resume(now);
    let attempt = attempt_any(&mut again, &mut now);
    assert!(matches!(attempt.request, Request::Draft { .. }), "{attempt:?}");
    let told = again.outcome(attempt.id, rejected(409), now);
    assert!(matches!(told[..], [Notice::NoPostmortem { .. }]), "{told:?}");
    assert_eq!(again.next_wakeup(), None);
}

#[test]
fn there_is_none_where_nobody_wants_it_or_a_person_has_the_incident_or_nothing_was_published() {
    let none = |publishing, timing| {
        let mut outbox = outbox(publishing, timing);
        let mut now = opened_and_ended(&mut outbox);
        assert_eq!(lead(&mut outbox, &mut now), None);
    };
    none(Publishing { postmortem: false, ..Publishing::default() }, timing());
    none(Publishing::default(), Timing { drafts: false, ..timing() });
    for mode in [Mode::Off, Mode::Observe, Mode::Draft] {
        none(Publishing { modes: Modes::all(mode), ..Publishing::default() }, timing());
    }
    // A person takes it before its end, or between the end and the draft.
    let key = IncidentKey::new("a");
    for before in [true, false] {
        let mut outbox = outbox(Publishing::default(), timing());
        let mut now = at(31);
        outbox.push(action("a", 1, ActionKind::Open, 30));
        let _none = lead(&mut outbox, &mut now);
        if before {
            assert!(outbox.leave(&key, now).is_some());
        }
        outbox.push(end("a", 60));
        now = now.max(at(60));
        if !before {
            let attempt = attempt_any(&mut outbox, &mut now);
            let _told = outbox.outcome(attempt.id, done("r1"), now);
            let told = outbox.detach(&key, Foreign::Held, now);
            assert!(matches!(told, Some(Notice::Detached { .. })));
        }
        for minutes in 0..200 {
            let now = now + Span::from_secs(60 * minutes);
            let _told = outbox.tick(now);
            assert_eq!(outbox.next(now), None, "a person has it");
        }
    }
}
