//! What is known of one clock, from all that was seen of it.

use std::time::Duration;

use crate::model::{ClockOffset, ClockReference, Span, Timestamp};

/// How long it is told at least that a clock was set: a single run opens no incident.
pub const JUMP_TOLD: Duration = Duration::from_secs(300);

/// Samples this far apart show that what was read goes on with time, and is not written somewhere.
const GOES_ON: Duration = Duration::from_secs(3);

/// From when on a drift can be told from noise.
const DRIFT_SEEN: Duration = Duration::from_secs(600);

/// What goes further than a hundredth of the time it had was set, and did not drift.
const FASTEST: i64 = 100;

/// One reading of a clock.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Its offset against our own clock.
    pub offset: ClockOffset,
    /// When it was read.
    pub at: Timestamp,
    /// How far our host's clock was ahead of ours by then, in microseconds.
    pub wall_step: i64,
}

/// What is known of one clock.
#[derive(Clone, Debug)]
pub struct Sight {
    last: Sample,
    /// How long the last request and its answer were on their way, if it counts seconds.
    way: Span,
    /// Since when all samples go together.
    since: Timestamp,
    jumped: Option<(i64, Timestamp)>,
    early: Option<Early>,
}

/// An early offset against a reference.
#[derive(Clone, Copy, Debug)]
struct Early {
    offset: ClockOffset,
    against: ClockReference,
    at: Timestamp,
}

impl Sight {
    /// A clock that was not seen before.
    pub fn first(sample: Sample) -> Self {
        let way = way(sample);
        Self { last: sample, way, since: sample.at, jumped: None, early: None }
    }

    /// Adds `sample`.
    ///
    /// 1. What it has in common with what was known, widened by the time since, is known from now
    ///    on.
    /// 2. If that is nothing, one of the two clocks was set, and everything begins anew.
    /// 3. What our host's clock has stepped meanwhile may be a sleep in which ours stood still: that
    ///    is held against nobody. What is left is how far theirs was set, at least.
    /// 4. Only such a jump ends the measuring of its drift, if drifting does not explain it.
    pub fn hear(&mut self, sample: Sample) {
        let known = self.at(sample.at);
        let stepped = sample.wall_step.saturating_sub(self.last.wall_step);
        let elapsed = sample.at.since(self.last.at);
        self.way = way(sample);
        let Some(both) = known.intersect(sample.offset) else {
            let shifted = ClockOffset {
                at_least: known.at_least.saturating_add(stepped),
                at_most: known.at_most.saturating_add(stepped),
                source: known.source,
            };
            let by = sample.offset.beyond(known.hull(shifted));
            let elapsed = i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX);
            if sample.offset.beyond(known).abs() > elapsed / FASTEST {
                self.early = None;
            }
            if by != 0 {
                self.jumped = Some((by, sample.at));
            }
            (self.last, self.since) = (sample, sample.at);
            return;
        };
        self.last = Sample { offset: both, ..sample };
    }

    /// What is known of it at `now`.
    pub fn at(&self, now: Timestamp) -> ClockOffset {
        self.last.offset.aged(now.since(self.last.at))
    }

    /// How long the last request and its answer were on their way, of a clock that counts seconds.
    pub fn way(&self) -> Span {
        self.way
    }

    /// When it was seen last.
    pub fn seen_at(&self) -> Timestamp {
        self.last.at
    }

    /// Whether it was seen to go.
    pub fn goes(&self) -> bool {
        self.last.at.since(self.since) >= GOES_ON
    }

    /// How far it was set at least, in microseconds, if that was less than `told` before `now`.
    pub fn jumped(&self, now: Timestamp, told: Duration) -> Option<i64> {
        self.jumped.filter(|(_, at)| now.since(*at) < told).map(|(by, _)| by)
    }

    /// How much too fast it certainly is, in parts per million, slow if negative. `offset` is that
    /// at `now` by the word of `against`: what two of these differ by is no drift.
    pub fn drift(
        &mut self,
        (offset, against): (ClockOffset, ClockReference),
        now: Timestamp,
    ) -> Option<i64> {
        let latest = Early { offset, against, at: now };
        let early = *self.early.get_or_insert(latest);
        let elapsed = now.since(early.at);
        // The first samples are wide, and a better one is soon there.
        let better = || offset.width() < Span::from_micros(early.offset.width().as_micros() / 2);
        if early.against != against || (elapsed < DRIFT_SEEN && better()) {
            self.early = Some(latest);
        }
        if early.against != against || elapsed < DRIFT_SEEN {
            return None;
        }
        let elapsed = i128::try_from(elapsed.as_micros()).unwrap_or(i128::MAX);
        let rate = i128::from(offset.beyond(early.offset)) * 1_000_000 / elapsed;
        i64::try_from(rate).ok().filter(|rate| *rate != 0)
    }
}

fn way(sample: Sample) -> Span {
    Span::from_micros(sample.offset.width().as_micros().saturating_sub(1_000_000))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use super::{JUMP_TOLD, Sample, Sight};
    use crate::model::{ClockOffset, ClockReference, ClockSource, Timestamp};

    const SECOND: i64 = 1_000_000;

    fn around(offset: i64, doubt: i64) -> ClockOffset {
        let source = ClockSource::Date;
        ClockOffset { at_least: offset - doubt, at_most: offset + doubt, source }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + seconds)
    }

    fn sample(seconds: i64, offset: ClockOffset) -> Sample {
        Sample { offset, at: at(seconds), wall_step: 0 }
    }

    proptest! {
        /// Any number of samples, of a clock that drifts as far as it may.
        #[test]
        fn what_is_known_contains_the_truth(
            truth in -1_000 * SECOND..1_000 * SECOND,
            drift in -500..=500_i64,
            samples in proptest::collection::vec((1..300_i64, 0..SECOND, 0..SECOND), 2..20),
        ) {
            let mut now = 0;
            let mut sight = Sight::first(sample(0, around(truth, SECOND)));
            for (after, below, above) in samples {
                now += after;
                let truth = truth + now * drift;
                let (at_least, at_most) = (truth - below, truth + above);
                let offset = ClockOffset { at_least, at_most, source: ClockSource::Date };
                sight.hear(sample(now, offset));
                let known = sight.at(at(now));
                prop_assert!(known.at_least <= truth && truth <= known.at_most);
                prop_assert_eq!(sight.jumped(at(now), JUMP_TOLD), None);
            }
        }
    }

    #[test]
    fn a_clock_that_was_set_is_seen_anew_and_the_jump_is_told_for_a_while() {
        let mut sight = Sight::first(sample(0, around(0, SECOND)));
        sight.hear(sample(1000, around(30 * SECOND, SECOND)));
        // Half a second is what drifting can explain.
        assert_eq!(sight.jumped(at(1000), JUMP_TOLD), Some(27_500_000));
        assert_eq!(sight.at(at(1000)), around(30 * SECOND, SECOND));
        sight.hear(sample(1010, around(30 * SECOND, SECOND)));
        assert_eq!(sight.jumped(at(1299), JUMP_TOLD), Some(27_500_000));
        assert_eq!(sight.jumped(at(1300), JUMP_TOLD), None);
        sight.hear(sample(1310, around(0, SECOND)));
        assert!(sight.jumped(at(1310), JUMP_TOLD).unwrap() < -27_000_000);
    }

    #[test]
    fn what_our_host_may_have_slept_is_no_jump_of_theirs() {
        for (theirs, jumped) in [(3600, None), (1800, None), (3610, Some(8 * SECOND - 5_000))] {
            let mut sight = Sight::first(sample(0, around(0, SECOND)));
            let offset = around(theirs * SECOND, SECOND);
            sight.hear(Sample { wall_step: 3600 * SECOND, ..sample(10, offset) });
            assert_eq!(sight.jumped(at(10), JUMP_TOLD), jumped, "{theirs}");
            assert_eq!(sight.at(at(10)), offset);
        }
    }

    #[test]
    fn only_what_goes_on_with_time_is_a_clock() {
        // Written somewhere: each second it is one second further behind.
        let mut sight = Sight::first(sample(0, around(0, SECOND / 2)));
        for second in 1..100 {
            sight.hear(sample(second, around(-second * SECOND, SECOND / 2)));
            assert!(!sight.goes(), "{second}");
        }
        sight.hear(sample(103, around(-99 * SECOND, SECOND / 2)));
        assert!(sight.goes());
    }

    #[test]
    fn a_drift_is_told_when_it_is_certain() {
        let drifting = |rate: i64, doubt: i64| {
            let mut sight = Sight::first(sample(0, around(0, doubt)));
            let mut found = None;
            for now in (0..=3600).step_by(30) {
                sight.hear(sample(now, around(rate * now, doubt)));
                found = sight.drift((around(rate * now, doubt), ClockReference::Ntp), at(now));
            }
            found
        };
        let tenth = SECOND / 10;
        assert_eq!(drifting(0, tenth), None);
        assert_eq!(drifting(200, tenth), Some(144));
        assert_eq!(drifting(-200, tenth), Some(-144));
        // Faster than a clock may be that nobody sets: every sample begins anew.
        assert_eq!(drifting(2_000, tenth), Some(1_944));
        assert_eq!(drifting(100, SECOND), None);
    }

    #[test]
    fn two_references_that_differ_are_no_drift() {
        let mut sight = Sight::first(sample(0, around(0, 0)));
        assert_eq!(sight.drift((around(0, 0), ClockReference::Host), at(0)), None);
        let by_ntp = |offset| (around(offset, 0), ClockReference::Ntp);
        assert_eq!(sight.drift(by_ntp(SECOND), at(1000)), None);
        assert_eq!(sight.drift(by_ntp(SECOND), at(2000)), None);
        assert_eq!(sight.drift(by_ntp(SECOND + 200_000), at(2000)), Some(200));
    }
}
