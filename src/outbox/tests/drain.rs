//! Many incidents at once against a status API that takes one request a second.

use std::collections::BTreeSet;

use super::{Outbox, Outcome, Request, State, Timing, action, at, component, done, payload};
use crate::model::{Action, ActionKind};

const INCIDENTS: u32 = 50;

/// A step of an incident on a component of its own.
fn step(key: &str, sequence: u32, kind: ActionKind, secs: i64) -> Action {
    let action = action(key, sequence, kind, secs);
    let own = action.components.values().map(|status| (component(key), *status)).collect();
    Action { components: own, ..action }
}

/// What 50 incidents and an update of each need, and in which order they get it.
#[test]
fn openings_go_first_nothing_is_lost_and_the_pace_of_the_api_is_used() {
    let mut outbox = Outbox::new("install", State::default(), Timing::default());
    let keys: Vec<String> = (0..INCIDENTS).map(|number| format!("i{number:02}")).collect();
    let mut now = at(0);
    for key in &keys {
        outbox.push(step(key, 1, ActionKind::Open, 0));
    }
    let mut order = Vec::new();
    let mut requests = 0;
    let (mut updated, mut resolved) = (false, false);
    while let Some(wakeup) = outbox.next_wakeup() {
        now = now.max(wakeup.at);
        let attempt = outbox.next(now).expect("due, but nothing to do");
        requests += 1;
        if attempt.request == Request::Survey {
            let _notices = outbox.outcome(attempt.id, Outcome::Surveyed(Vec::new()), now);
            continue;
        }
        let payload = payload(&attempt.request);
        order.push((payload.kind, payload.key.to_string()));
        // In the middle of the openings some get worse, and some are over.
        if order.len() == 10 {
            updated = true;
            for key in &keys[..5] {
                outbox.push(step(key, 2, ActionKind::Update, 12));
            }
        }
        if order.len() == 20 {
            resolved = true;
            for key in &keys[5..10] {
                outbox.push(step(key, 2, ActionKind::Resolve, 22));
            }
        }
        let outcome = done(payload.key.as_str());
        let _notices = outbox.outcome(attempt.id, outcome, now);
    }
    assert!(updated && resolved);
    let of = |kind, range: std::ops::Range<usize>| -> Vec<_> {
        keys[range].iter().map(|key| (kind, key.clone())).collect()
    };
    let expected =
        [of(ActionKind::Open, 0..50), of(ActionKind::Resolve, 5..10), of(ActionKind::Update, 0..5)];
    assert_eq!(order, expected.concat());
    assert_eq!(order.iter().collect::<BTreeSet<_>>().len(), order.len(), "none is doubled");
    assert_eq!(outbox.pending(), 0);

    // Looking at the page before openings costs a request every half a minute.
    let writes = i64::try_from(order.len()).unwrap();
    assert!(requests <= writes + 2, "{requests} requests for {writes} writes");
    let took = now.since(at(0)).as_secs_f64();
    let least = f64::from(i32::try_from(writes).unwrap());
    println!(
        "{INCIDENTS} incidents, {writes} writes in {requests} requests at one a second: all is \
         written {took} s after the first, of {} s at most",
        least * 1.1
    );
    assert!(took <= least * 1.1, "{took} s for {least} requests at one a second");
}
