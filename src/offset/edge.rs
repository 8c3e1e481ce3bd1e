//! When to ask for a clock that counts whole seconds, so that the answer tells the most.

use crate::model::{ClockOffset, Span, Timestamp};

/// One of these is what the clock counts.
const SECOND: i64 = 1_000_000;

/// What is good enough.
const NARROW: Span = Span::from_millis(100);

/// How long to wait from `now` on, so that the edge of their second falls into the middle of what
/// is unknown of `known`: whichever side of it the answer is from, half of that is gone. `way` is
/// how long a request and its answer are on their way.
///
/// 1. What is narrow enough needs no waiting,
/// 2. nor what would not become much narrower: the time on the way is unknown in any case.
pub fn before_the_edge(known: ClockOffset, now: Timestamp, way: Span) -> Option<Span> {
    let width = known.width();
    if width <= NARROW || way.as_micros() >= width.as_micros() / 2 {
        return None;
    }
    // The upper half has the time on the way on top of it, so the edge is that much later.
    Some(until_the_edge(known, now, Span::from_micros(way.as_micros() / 2)))
}

/// How long to wait from `now` on with a question to a clock that shows whole seconds, so that its
/// answer tells in which half of what is `known` the truth lies: its second must begin, if it is off
/// by the middle of it, just when the question has got there, which takes `way`.
pub fn until_the_edge(known: ClockOffset, now: Timestamp, way: Span) -> Span {
    let way = i64::try_from(way.as_micros()).unwrap_or(i64::MAX);
    let edge = known.middle().saturating_add(way);
    let theirs = now.as_micros().saturating_add(edge);
    Span::from_micros(theirs.saturating_neg().rem_euclid(SECOND).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::{NARROW, SECOND, before_the_edge};
    use crate::model::{ClockOffset, ClockSource, Span, Timestamp};
    use crate::offset::{Sample, Sight};

    proptest! {
        /// Every ten seconds, over a path of up to 20 ms each way, a clock that drifts; what is narrow
        /// enough is left to grow again until it is not.
        #[test]
        fn eight_samples_leave_less_than_a_tenth_of_a_second(
            truth in -400_000_000_000_000..400_000_000_000_000_i64,
            start in 0..SECOND,
            ways in proptest::collection::vec((0..20_000_i64, 0..20_000_i64), 8),
            drift in -400..=400_i64,
        ) {
            let start = 1_700_000_000 * SECOND + start;
            let mut sight: Option<Sight> = None;
            let mut narrowest = Span::from_secs(2);
            for (number, (there, back)) in (0..).zip(ways) {
                let mut sent = start + number * 10 * SECOND;
                if let Some(known) = sight.as_ref().map(|it| it.at(Timestamp::from_micros(sent))) {
                    let way = Span::from_millis(40);
                    let wait = before_the_edge(known, Timestamp::from_micros(sent), way);
                    let wait = wait.unwrap_or_default();
                    prop_assert!(wait < Span::from_secs(1));
                    sent += i64::try_from(wait.as_micros()).unwrap();
                }
                let truth = truth + (sent - start) * drift / SECOND;
                let date = (sent + there + truth).div_euclid(SECOND) * SECOND;
                let received = sent + there + back;
                let offset = ClockOffset {
                    at_least: date - received,
                    at_most: date + SECOND - sent,
                    source: ClockSource::Date,
                };
                let at = Timestamp::from_micros(received);
                let sample = Sample { offset, at, wall_step: 0 };
                let known = match &mut sight {
                    None => sight.insert(Sight::first(sample)).at(at),
                    Some(sight) => {
                        sight.hear(sample);
                        sight.at(at)
                    }
                };
                let contains = known.at_least <= truth + 1 && truth - 1 <= known.at_most;
                prop_assert!(contains, "{:?} lacks {}", known, truth);
                narrowest = narrowest.min(known.width());
            }
            prop_assert!(narrowest <= NARROW, "{}", narrowest);
        }
    }

    #[test]
    fn nobody_waits_for_what_is_narrow_or_cannot_be() {
        let known = |width| ClockOffset { at_least: 0, at_most: width, source: ClockSource::Date };
        let (now, none) = (Timestamp::from_secs(7), Span::ZERO);
        assert_eq!(before_the_edge(known(100_000), now, none), None);
        assert_eq!(before_the_edge(known(200_000), now, none), Some(Span::from_millis(900)));
        let way = Span::from_millis(100);
        assert_eq!(before_the_edge(known(200_000), now, way), None);
        assert_eq!(before_the_edge(known(400_000), now, way), Some(Span::from_millis(750)));
    }
}
