//! Lanes to those who take a write twice for one: what is in doubt is said again, and what stands
//! is repeated.

use super::*;

/// A lane to such an API, which has to be told every minute what stands.
fn timing() -> Timing {
    let per_second = std::num::NonZeroU32::MIN;
    let timing = Timing::idempotent(per_second, Span::from_secs(10));
    Timing { repeat: Some(Span::from_secs(60)), ..timing }
}

fn lane() -> Outbox {
    Outbox::new("install", State::default(), timing())
}

fn is_create(request: &Request) -> bool {
    matches!(request, Request::Create(_))
}

#[test]
fn what_is_in_doubt_is_said_again_and_never_looked_for() {
    let (mut outbox, mut now) = (lane(), at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    assert!(is_create(&answer(&mut outbox, &mut now, uncertain()).0));
    assert!(is_create(&answer(&mut outbox, &mut now, done("a")).0));
    assert_eq!(outbox.pending(), 0);
}

#[test]
fn what_was_in_flight_at_a_crash_is_said_again() {
    let mut outbox = lane();
    outbox.push(action("a", 1, ActionKind::Open, 0));
    outbox.push(action("b", 1, ActionKind::Open, 0));
    let _lost = outbox.next(at(0)).unwrap();
    let saved = State::from_json(&outbox.state().to_json().unwrap()).unwrap();
    let mut outbox = Outbox::new("install", saved, timing());
    outbox.resume(at(1));
    let mut now = at(1);
    for key in ["a", "b"] {
        assert!(is_create(&answer(&mut outbox, &mut now, done(key)).0), "nothing is looked for");
    }
}

#[test]
fn what_stands_is_repeated_until_it_is_over() {
    let (mut outbox, mut now) = (lane(), at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, done("a"));
    for minute in 1..=3 {
        let (request, notices) = answer(&mut outbox, &mut now, done("a"));
        assert_eq!((payload(&request).body.as_str(), payload(&request).sequence), ("a#1", 1));
        assert_eq!(notices, [], "what was told is no news");
        assert!(now >= at(60 * minute), "{now}");
    }
    // One that fails is made again soon, and so it is after a restart.
    answer(&mut outbox, &mut now, uncertain());
    let failed = now;
    answer(&mut outbox, &mut now, done("a"));
    assert!(now < failed + Span::from_secs(30), "{now}");
    outbox.resume(now);
    assert!(outbox.next_wakeup().unwrap().at <= now + Span::from_secs(5));

    outbox.push(action("a", 2, ActionKind::Update, 5));
    assert_eq!(payload(&answer(&mut outbox, &mut now, done("a")).0).body, "a#2");
    assert_eq!(payload(&answer(&mut outbox, &mut now, done("a")).0).body, "a#2");
    outbox.push(action("a", 3, ActionKind::Resolve, 9));
    assert_eq!(payload(&answer(&mut outbox, &mut now, done("a")).0).kind, ActionKind::Resolve);
    assert_eq!(outbox.next_wakeup(), None);
}

#[test]
fn a_refusal_is_final_even_of_an_end() {
    let (mut outbox, mut now) = (lane(), at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, done("a"));
    outbox.push(action("a", 2, ActionKind::Resolve, 9));
    answer(&mut outbox, &mut now, rejected(400));
    // The components are asked after, as everywhere; there are none.
    answer(&mut outbox, &mut now, Outcome::Gone);
    assert_eq!((outbox.abandoned(), outbox.next_wakeup()), (1, None));
}

/// A lane that repeats is saved with what it repeats.
#[test]
fn the_saved_form_of_what_is_repeated_is_a_contract() {
    let (mut outbox, mut now) = (lane(), at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, done("a"));
    let _in_flight = attempt(&mut outbox, &mut now);
    let saved = outbox.state().to_json().unwrap();
    let value: serde_json::Value = serde_json::from_str(&saved).unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&value).unwrap());
    assert_eq!(&State::from_json(&saved).unwrap(), outbox.state());
}
