//! What the sampler saw in the last minutes: how much time we may have added to what ran. Pure.

use std::collections::VecDeque;
use std::time::Duration;

use crate::model::Timestamp;

/// How far back it reaches. A run that began earlier is judged by what is left of it.
const DEPTH: Duration = Duration::from_secs(5 * 60);

/// One look at ourselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    pub(super) at: Timestamp,
    /// All that we may have added since the sampler started. It only grows, so that two samples
    /// tell what came between them, also where one of them was late itself.
    pub(super) added: Duration,
    /// All by which the looks were late since then: it only grows as well.
    pub(super) late: Duration,
    /// How much later than planned the look was taken.
    pub(super) lag: Duration,
}

/// What may have come into a run from us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Added {
    /// By all that is known: over all threads, more than any one run can have waited.
    pub(super) most: Duration,
    /// By how late the sampler was: any task that was ready then waited as well.
    pub(super) least: Duration,
}

/// The samples of the last minutes, in order.
#[derive(Debug, Default)]
pub(super) struct Ring(VecDeque<Sample>);

impl Ring {
    pub(super) fn push(&mut self, sample: Sample) {
        let oldest = sample.at - DEPTH;
        while self.0.front().is_some_and(|first| first.at < oldest) {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The most that we can have added between `from` and `to`, where `now` is the latest look: a
    /// delay that ended in that time may have begun before, and one that had no end yet is found
    /// in the first look after it. Nobody can have waited for longer than the time itself.
    pub(super) fn added(&self, from: Timestamp, to: Timestamp, now: Sample) -> Added {
        let before = self.0.partition_point(|sample| sample.at <= from).saturating_sub(1);
        let Some(before) = self.0.get(before) else { return Added::default() };
        let after = self.0.get(self.0.partition_point(|sample| sample.at < to)).unwrap_or(&now);
        let [most, least] = [(after.added, before.added), (after.late, before.late)]
            .map(|(after, before)| after.saturating_sub(before).min(to.since(from)));
        Added { most, least }
    }

    /// What was added since `from`, and the longest lag.
    pub(super) fn since(&self, from: Timestamp) -> (Duration, Duration) {
        let first = self.0.partition_point(|sample| sample.at < from);
        let recent = self.0.range(first..);
        let lag = recent.map(|sample| sample.lag).max().unwrap_or_default();
        let before = self.0.get(first.saturating_sub(1)).map_or(Duration::ZERO, |one| one.added);
        let added = self.0.back().map_or(Duration::ZERO, |last| last.added.saturating_sub(before));
        (added, lag)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Added, DEPTH, Ring, Sample};
    use crate::model::Timestamp;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_micros(millis * 1_000)
    }

    fn sample(millis: i64, added: u64, lag: u64) -> Sample {
        let [added, lag] = [added, lag].map(Duration::from_millis);
        Sample { at: at(millis), added, late: added / 2, lag }
    }

    fn ring() -> Ring {
        let mut ring = Ring::default();
        for one in [sample(0, 0, 0), sample(100, 10, 1), sample(250, 90, 50), sample(300, 91, 0)] {
            ring.push(one);
        }
        ring
    }

    #[test]
    fn what_was_added_is_what_came_between_the_looks_around_a_run() {
        let now = sample(350, 95, 0);
        let added = |from, to| ring().added(at(from), at(to), now).most.as_millis();
        assert_eq!(added(100, 300), 81);
        // The looks around it, and not those within.
        assert_eq!(added(130, 260), 81);
        assert_eq!(added(10, 90), 10);
        // Of what nobody looked at since, the latest look tells.
        assert_eq!(added(120, 350), 85);
        assert_eq!(added(301, 350), 4);
    }

    #[test]
    fn nobody_waits_for_longer_than_the_run_took() {
        let added = ring().added(at(200), at(240), sample(350, 95, 0));
        assert_eq!([added.most, added.least].map(|it| it.as_millis()), [40, 40]);
    }

    #[test]
    fn nothing_is_known_without_a_sampler() {
        let now = sample(350, 95, 0);
        assert_eq!(Ring::default().added(at(0), at(300), now), Added::default());
        assert_eq!(Ring::default().since(at(0)), Default::default());
    }

    #[test]
    fn the_last_seconds_are_told_by_themselves() {
        let since = |from| ring().since(at(from));
        let millis = |added, lag| (Duration::from_millis(added), Duration::from_millis(lag));
        assert_eq!(since(0), millis(91, 50));
        assert_eq!(since(101), millis(81, 50));
        assert_eq!(since(251), millis(1, 0));
    }

    #[test]
    fn it_forgets_what_is_long_ago() {
        let mut ring = Ring::default();
        let step = 100;
        let depth = i64::try_from(DEPTH.as_millis()).unwrap();
        for n in 0..10 * depth / step {
            ring.push(sample(n * step, 0, 0));
        }
        assert_eq!(i64::try_from(ring.0.len()).unwrap(), depth / step + 1);
    }
}
