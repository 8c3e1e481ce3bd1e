//! What passes to the public in which mode.

use super::{Notice, Outbox, Request, State, Timing, action, answer, at, done, payload, restarted};
use crate::model::{
    Action, ActionKind, Impact, IncidentKey, Late, Mode, Modes, Publishing, Span, Timestamp,
};

fn outbox(modes: Modes) -> Outbox {
    let publishing = Publishing { modes, ..Publishing::default() };
    Outbox::new("install", State::default(), Timing::default()).with_publishing(publishing)
}

fn step(sequence: u32, kind: ActionKind, secs: i64, impact: Impact) -> Action {
    Action { impact, ..action("a", sequence, kind, secs) }
}

/// Lets time pass up to `now` and gathers what is said.
fn wait(outbox: &mut Outbox, now: Timestamp) -> Vec<Notice> {
    assert_eq!(outbox.next(now), None);
    outbox.tick(now)
}

#[test]
fn what_is_only_observed_is_told_to_the_operator_and_to_nobody_else() {
    let mut outbox = outbox(Modes::all(Mode::Observe));
    let told = outbox.push(step(1, ActionKind::Open, 0, Impact::Major)).unwrap();
    assert!(matches!(told, Notice::WouldPublish { .. }), "{told}");
    assert!(told.to_string().contains("\"a is failing\""), "{told}");
    assert_eq!(outbox.push(step(1, ActionKind::Open, 0, Impact::Major)), None, "told once");
    let told = outbox.push(step(2, ActionKind::Resolve, 60, Impact::Major)).unwrap();
    assert!(told.to_string().contains("resolved"), "{told}");
    assert_eq!((outbox.next_wakeup(), outbox.pending()), (None, 0));
}

#[test]
fn nothing_passes_where_it_is_off() {
    let mut outbox = outbox(Modes::all(Mode::Off));
    assert_eq!(outbox.push(step(1, ActionKind::Open, 0, Impact::Critical)), None);
    assert_eq!(outbox.push(step(2, ActionKind::Resolve, 60, Impact::Critical)), None);
    assert_eq!(outbox.next_wakeup(), None);
}

#[test]
fn a_draft_waits_for_approval_over_a_restart_and_is_then_published_as_it_is_by_then() {
    let modes = Modes::all(Mode::Draft);
    let mut outbox = outbox(modes);
    let told = outbox.push(step(1, ActionKind::Open, 0, Impact::Major));
    assert!(matches!(told, Some(Notice::Drafted { .. })), "{told:?}");
    assert_eq!(outbox.push(step(2, ActionKind::Update, 60, Impact::Major)), None, "told once");
    assert_eq!(wait(&mut outbox, at(100)), []);
    let publishing = Publishing { modes, ..Publishing::default() };
    let mut outbox = restarted(&outbox, at(100)).with_publishing(publishing);
    assert_eq!(wait(&mut outbox, at(101)), []);
    assert_eq!(outbox.approve(&IncidentKey::new("other")), None);
    assert!(outbox.approve(&IncidentKey::new("a")).is_some());
    let mut now = at(110);
    let found = super::Outcome::Found(Vec::new());
    let (request, _) = answer(&mut outbox, &mut now, found);
    assert!(matches!(request, Request::Find { .. }), "{request:?}");
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert_eq!(payload(&request).body, "a#1\n\na#2");
    outbox.push(step(3, ActionKind::Resolve, 200, Impact::Major));
    now = now.max(at(200));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Update { .. }), "{request:?}");
}

#[test]
fn a_draft_that_nobody_approves_of_expires_and_one_that_is_over_is_dropped() {
    let mut outbox = outbox(Modes::all(Mode::Draft));
    outbox.push(step(1, ActionKind::Open, 0, Impact::Minor));
    assert_eq!(outbox.next_wakeup().map(|wakeup| wakeup.at), Some(at(3_600)));
    let told = wait(&mut outbox, at(3_600));
    assert!(matches!(&told[..], [Notice::Expired { .. }]), "{told:?}");
    assert_eq!(outbox.push(step(2, ActionKind::Update, 3_700, Impact::Minor)), None);
    assert_eq!(outbox.push(step(3, ActionKind::Resolve, 3_800, Impact::Minor)), None);
    let told = {
        outbox.push(Action { impact: Impact::Minor, ..action("b", 1, ActionKind::Open, 4_000) });
        outbox.push(Action { impact: Impact::Minor, ..action("b", 2, ActionKind::Resolve, 4_100) })
    };
    assert!(matches!(told, Some(Notice::Dropped { .. })), "{told:?}");
    assert_eq!(outbox.next_wakeup(), None);
}

#[test]
fn a_critical_draft_that_nobody_answers_is_published_where_that_is_wanted() {
    let publishing = Publishing {
        modes: Modes::all(Mode::Draft),
        approve_after: Some(Span::from_secs(600)),
        ..Publishing::default()
    };
    let mut outbox = outbox(Modes::default()).with_publishing(publishing);
    outbox.push(step(1, ActionKind::Open, 0, Impact::Critical));
    assert_eq!(outbox.next_wakeup().map(|wakeup| wakeup.at), Some(at(600)));
    let told = wait(&mut outbox, at(600));
    assert!(matches!(&told[..], [Notice::Approved { by_itself: true, .. }]), "{told:?}");
    let (request, _) = answer(&mut outbox, &mut at(600), done("r1"));
    assert!(matches!(request, Request::Create(_)), "{request:?}");
}

#[test]
fn what_gets_worse_may_pass_and_what_stands_there_is_led_to_its_end() {
    let modes = Modes { minor: Mode::Off, major: Mode::Quiet, critical: Mode::Full };
    let mut outbox = outbox(modes);
    let mut now = at(0);
    assert_eq!(outbox.push(step(1, ActionKind::Open, 0, Impact::Minor)), None);
    assert_eq!(outbox.next_wakeup(), None);
    outbox.push(step(2, ActionKind::Update, 60, Impact::Major));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(&request, Request::Create(first) if !first.notify && first.body == "a#2"));
    outbox.push(step(3, ActionKind::Update, 70, Impact::Critical));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(payload(&request).notify);
    // The configuration was changed: nothing new is published, and what is there is ended.
    let mut outbox = outbox
        .with_publishing(Publishing { modes: Modes::all(Mode::Off), ..Publishing::default() });
    outbox.push(step(4, ActionKind::Resolve, 90, Impact::Critical));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(&request, Request::Update { payload, .. } if !payload.notify), "{request:?}");
}

#[test]
fn what_is_over_before_it_could_be_published_is_published_or_left_out() {
    for late in [Late::Backfill, Late::Skip] {
        let publishing = Publishing { late, ..Publishing::default() };
        let mut outbox = outbox(Modes::default()).with_publishing(publishing);
        outbox.push(step(1, ActionKind::Open, 0, Impact::Major));
        let told = outbox.push(step(2, ActionKind::Resolve, 600, Impact::Major));
        assert_eq!(matches!(told, Some(Notice::Dropped { .. })), late == Late::Skip, "{told:?}");
        assert_eq!(outbox.pending(), if late == Late::Skip { 0 } else { 2 });
    }
    // Nobody knows whether it is there: it is found out, and ended.
    let publishing = Publishing { late: Late::Skip, ..Publishing::default() };
    let mut outbox = outbox(Modes::default()).with_publishing(publishing);
    outbox.push(step(1, ActionKind::Open, 0, Impact::Major));
    answer(&mut outbox, &mut at(0), super::uncertain());
    outbox.push(step(2, ActionKind::Resolve, 600, Impact::Major));
    assert_eq!(outbox.pending(), 2);
}
