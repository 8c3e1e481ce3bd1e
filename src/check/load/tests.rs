//! What load does to verdicts, and when it is told.

use std::time::Duration;

use super::{SUSTAINED, Seen};
use crate::model::Timestamp;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

#[test]
fn a_sampler_that_is_late_tells_how_much_and_before_it_comes() {
    let mut seen = Seen::start(at(0));
    seen.due = at(100);
    let early = seen.added(at(0), at(90), at(90)).most;
    let late = seen.added(at(0), at(1_100), at(1_100)).most;
    let more = late - early;
    assert!(more >= Duration::from_millis(998), "{more:?}");
    // What was told before it came is not counted twice when it does.
    seen.look(at(1_100));
    let told = seen.added(at(0), at(1_190), at(1_190)).most;
    assert!(told >= late && told < late + Duration::from_millis(90), "{late:?} {told:?}");
}

#[test]
fn load_is_told_while_it_lasts() {
    let mut seen = Seen::start(at(0));
    seen.due = at(0);
    seen.look(at(0));
    assert_eq!(seen.overload(at(0)), None);
    seen.due = at(100);
    seen.look(at(700));
    let told = seen.overload(at(700)).unwrap();
    assert_eq!(told, "the event loop came 598ms late");
    let later = at(701) + SUSTAINED;
    seen.due = later;
    seen.look(later);
    // What the machine that the test runs on adds in the meantime may be told, but not the lag.
    assert_ne!(seen.overload(later), Some(told));
}
