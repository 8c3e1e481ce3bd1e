//! What several readings of one clock come to. Pure.

use crate::model::ClockOffset;

/// What the readings of a run have come to.
#[derive(Debug, Default)]
pub(super) struct Readings {
    /// One interval for each clock there is: those that agree have made each other narrower, those
    /// that do not are of several servers behind one address.
    clocks: Vec<ClockOffset>,
}

impl Readings {
    /// Adds one, and gives what is known since of the clock that it is of.
    pub(super) fn add(&mut self, read: ClockOffset) -> ClockOffset {
        for clock in &mut self.clocks {
            if let Some(both) = clock.intersect(read) {
                *clock = both;
                return both;
            }
        }
        self.clocks.push(read);
        read
    }

    /// The worst of the clocks, which is what somebody gets to see sooner or later.
    pub(super) fn worst(&self) -> Option<ClockOffset> {
        // Of those that are equally bad, the first.
        self.clocks.iter().copied().rev().max_by_key(|clock| clock.certain())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, proptest};

    use super::Readings;
    use crate::model::{ClockOffset, ClockSource, Span, Timestamp};
    use crate::offset::until_the_edge;

    const SECOND: i64 = 1_000_000;

    fn offset(at_least: i64, at_most: i64) -> ClockOffset {
        ClockOffset { at_least, at_most, source: ClockSource::Date }
    }

    proptest! {
        /// Whatever the offset: five questions on an even way know it to a sixteenth of a second
        /// and the way, and never exclude it.
        #[test]
        fn questions_at_the_edge_halve_what_is_unknown(
            start in 0..1_000_000 * SECOND,
            truth in -1_000_000 * SECOND..1_000_000 * SECOND,
            there in 0..20_000_i64,
            back in 0..20_000_i64,
        ) {
            let (mut readings, mut now) = (Readings::default(), start);
            for _ in 0..5 {
                let date = (now + there + truth).div_euclid(SECOND) * SECOND;
                let received = now + there + back;
                let known = readings.add(offset(date - received, date + SECOND - now));
                prop_assert!(known.at_least <= truth && truth <= known.at_most, "{known:?}");
                let way = Span::from_micros(u64::midpoint(there.unsigned_abs(), back.unsigned_abs()));
                let wait = until_the_edge(known, Timestamp::from_micros(received), way);
                prop_assert!(wait < Span::from_secs(1));
                now = received + i64::try_from(wait.as_micros()).unwrap();
            }
            let known = readings.worst().unwrap();
            let width = known.at_most - known.at_least;
            prop_assert!(width <= SECOND / 16 + 2 * (there + back), "{width}");
        }
    }

    #[test]
    fn of_several_clocks_behind_one_address_the_worst_counts() {
        let mut readings = Readings::default();
        assert_eq!(readings.worst(), None);
        assert_eq!(readings.add(offset(-5, 5)), offset(-5, 5));
        assert_eq!(readings.add(offset(90, 110)), offset(90, 110));
        assert_eq!(readings.add(offset(0, 9)), offset(0, 5));
        assert_eq!(readings.worst(), Some(offset(90, 110)));
        assert_eq!(readings.add(offset(80, 95)), offset(90, 95));
        readings.add(offset(-200, -91));
        assert_eq!(readings.worst(), Some(offset(-200, -91)));
    }
}
