//! What stands open where nobody leads it any more: a lane that the configuration no longer names,
//! and one that is led to another page.

use super::{
    Notice, Outbox, Outcome, Request, State, Timing, action, answer, at, done, outbox, uncertain,
};
use crate::model::{ActionKind, IncidentKey, IncidentStatus};
use crate::outbox::Lead;

const HERE: &str = "https://api.example/v1 here";
const THERE: &str = "https://api.example/v1 there";

fn key() -> IncidentKey {
    IncidentKey::new("a")
}

fn saved(outbox: &Outbox) -> State {
    State::from_json(&outbox.state().to_json().unwrap()).unwrap()
}

/// A lane to `HERE` on which an incident was opened.
fn opened() -> Outbox {
    let mut outbox = outbox().leading_to(HERE, at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let _created = answer(&mut outbox, &mut at(0), done("r1"));
    outbox
}

#[test]
fn what_stands_open_on_a_lane_that_is_named_no_more_is_told_of_until_it_is_forgotten() {
    let state = saved(&opened());
    let mut outbox = Outbox::unnamed("install", state.clone());
    outbox.resume(at(10));
    let [left] = &outbox.left()[..] else { panic!("{:?}", outbox.left()) };
    assert_eq!((left.state, left.page.as_deref()), (Lead::Left, Some(HERE)));
    assert_eq!(left.remote.as_ref().map(super::RemoteId::as_str), Some("r1"));
    // It speaks to nobody, takes nothing, and changes nothing.
    assert_eq!(outbox.push(action("a", 2, ActionKind::Update, 20)), None);
    assert_eq!((outbox.next_wakeup(), outbox.next(at(9_999))), (None, None));
    assert_eq!(outbox.tick(at(999_999)), []);
    assert_eq!((outbox.pending(), outbox.leave(&key(), at(30))), (0, None));
    assert_eq!(*outbox.state(), state);

    assert_eq!(outbox.forget(&IncidentKey::new("other")), None);
    assert_eq!(outbox.forget(&key()), Some(Notice::Forgotten { incident: key() }));
    assert_eq!((outbox.left().len(), outbox.forget(&key())), (0, None));
    let again = Outbox::unnamed("install", saved(&outbox));
    assert_eq!(again.left().len(), 0);
}

#[test]
fn a_lane_that_is_named_again_goes_on_where_it_was() {
    let unnamed = Outbox::unnamed("install", saved(&opened()));
    let mut outbox = Outbox::new("install", saved(&unnamed), Timing::default());
    outbox = outbox.leading_to(HERE, at(100));
    outbox.resume(at(100));
    outbox.push(action("a", 2, ActionKind::Resolve, 110));
    let (request, _) = answer(&mut outbox, &mut at(110), done("r1"));
    assert!(matches!(request, Request::Update { ref remote, .. } if remote.as_str() == "r1"));
    assert!(outbox.left().is_empty() && outbox.views().is_empty());
}

#[test]
fn what_is_over_or_never_left_is_not_left_open() {
    let mut over = opened();
    over.push(action("a", 2, ActionKind::Resolve, 10));
    let _resolved = answer(&mut over, &mut at(10), done("r1"));
    let mut new = outbox();
    new.push(action("b", 1, ActionKind::Open, 0));
    for outbox in [over, new] {
        assert_eq!(Outbox::unnamed("install", saved(&outbox)).left().len(), 0);
    }
    // What may have arrived may stand there.
    let mut doubtful = outbox();
    doubtful.push(action("c", 1, ActionKind::Open, 0));
    let _lost = answer(&mut doubtful, &mut at(0), uncertain());
    assert_eq!(Outbox::unnamed("install", saved(&doubtful)).left().len(), 1);
}

#[test]
fn a_lane_that_is_led_elsewhere_opens_there_and_tells_what_it_left() {
    let mut outbox = Outbox::new("install", saved(&opened()), Timing::default());
    outbox = outbox.leading_to(THERE, at(100));
    outbox.resume(at(100));
    let [left] = &outbox.left()[..] else { panic!("{:?}", outbox.left()) };
    assert_eq!((left.state, left.page.as_deref()), (Lead::Left, Some(HERE)));
    assert_eq!(
        (left.since.as_deref(), left.title.as_str()),
        (Some("2021-09-15T00:01:40.000Z"), "")
    );

    outbox.push(action("a", 2, ActionKind::Update, 110));
    let mut now = at(110);
    let (mut request, _) = answer(&mut outbox, &mut now, Outcome::Found(Vec::new()));
    if matches!(request, Request::Find { .. }) {
        request = answer(&mut outbox, &mut now, done("s1")).0;
    }
    let Request::Create(payload) = request else { panic!("{request:?}") };
    assert_eq!(payload.status, IncidentStatus::Investigating);
    // A second start there changes nothing, and its end is told there; what was left stays.
    let mut outbox = Outbox::new("install", saved(&outbox), Timing::default());
    outbox = outbox.leading_to(THERE, at(200));
    assert_eq!(outbox.left().len(), 1);
    assert!(outbox.forget(&key()).is_some() && outbox.left().is_empty());
}

#[test]
fn a_lane_that_was_saved_before_pages_were_is_where_it_leads() {
    let mut before = outbox();
    before.push(action("a", 1, ActionKind::Open, 0));
    let _created = answer(&mut before, &mut at(0), done("r1"));
    let outbox = Outbox::new("install", saved(&before), Timing::default());
    assert!(outbox.leading_to(HERE, at(10)).left().is_empty());
}
