//! A story's time, for what is played rather than lived through: faster than real time by a plan,
//! or standing still until somebody sets it. How the two hang together is arithmetic on what the
//! monotonic clock says; nothing here reads one.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use crate::model::Timestamp;

/// How a story's time runs, fixed before it begins, so that any moment of the story is one moment
/// of real time, whatever changes of pace come between.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The story's time when the clock is started.
    pub begins: Timestamp,
    /// From when on the story runs so many times faster than real time, in order. Before the first
    /// it runs at real pace, and zero is taken for one: a story that stands still never ends.
    pub segments: Vec<(Timestamp, u32)>,
    /// From when on the prober's own wall clock is so many microseconds ahead of the story, behind
    /// if negative, in order: somebody sets it.
    pub wall_steps: Vec<(Timestamp, i64)>,
}

impl Plan {
    /// The story's time when `real` has passed since it began.
    ///
    /// 1. It never runs backwards,
    /// 2. and `self.at(self.real_until(at))` is `at`, or later by less than a microsecond of real
    ///    time: a timer that waits for a moment never comes before it.
    pub(super) fn at(&self, real: Duration) -> Timestamp {
        let mut left = real.as_nanos();
        let (mut at, mut speed) = (self.begins, 1);
        for (from, faster) in &self.segments {
            let lasts = real_nanos(from.since(at), speed);
            if left < lasts {
                break;
            }
            left -= lasts;
            (at, speed) = (at.max(*from), pace(*faster));
        }
        let micros = left.saturating_mul(u128::from(speed)) / 1_000;
        at + Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }

    /// How much real time passes from the beginning until the story is at `at`: none, if that was
    /// before.
    pub(super) fn real_until(&self, at: Timestamp) -> Duration {
        let mut nanos = 0_u128;
        let (mut since, mut speed) = (self.begins, 1);
        for (from, faster) in &self.segments {
            if at < *from {
                break;
            }
            nanos = nanos.saturating_add(real_nanos(from.since(since), speed));
            (since, speed) = (since.max(*from), pace(*faster));
        }
        nanos = nanos.saturating_add(real_nanos(at.since(since), speed));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }
}

/// A story's time that stands still until it is set. Whoever shares it sees the same.
#[derive(Debug)]
pub struct Hand {
    begins: Timestamp,
    micros: AtomicI64,
    wall_steps: Vec<(Timestamp, i64)>,
}

impl Hand {
    /// A hand at `begins`; from when on the prober's own wall clock is so many microseconds ahead
    /// of it, as in a [`Plan`].
    pub fn new(begins: Timestamp, wall_steps: Vec<(Timestamp, i64)>) -> Self {
        Self { begins, micros: AtomicI64::new(begins.as_micros()), wall_steps }
    }

    /// Sets it to `at`. It never goes backwards: the past leaves it where it is.
    pub fn set(&self, at: Timestamp) {
        self.micros.fetch_max(at.as_micros(), Ordering::SeqCst);
    }

    pub(super) fn begins(&self) -> Timestamp {
        self.begins
    }

    pub(super) fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.micros.load(Ordering::SeqCst))
    }

    pub(super) fn wall_step(&self) -> i64 {
        step_at(&self.wall_steps, self.now())
    }
}

/// How far the wall clock is ahead at `now`.
pub(super) fn step_at(steps: &[(Timestamp, i64)], now: Timestamp) -> i64 {
    let last = steps.iter().take_while(|(from, _)| *from <= now).last();
    last.map_or(0, |(_, ahead)| *ahead)
}

fn pace(speed: u32) -> u32 {
    speed.max(1)
}

/// The real time that `story` takes, rounded up: what is rounded down would come too early.
fn real_nanos(story: Duration, speed: u32) -> u128 {
    story.as_nanos().div_ceil(u128::from(pace(speed)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::collection::vec;
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{Hand, Plan, step_at};
    use crate::model::Timestamp;

    const BEGINS: i64 = 1_631_712_600;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(BEGINS + seconds)
    }

    fn plan(segments: &[(i64, u32)]) -> Plan {
        let segments = segments.iter().map(|(from, speed)| (at(*from), *speed)).collect();
        Plan { begins: at(0), segments, wall_steps: Vec::new() }
    }

    #[test]
    fn a_moment_of_the_story_is_one_of_real_time_across_changes_of_pace() {
        // Ten minutes in one second, then one minute in a second, then as fast as real time.
        let plan = plan(&[(0, 600), (600, 60), (720, 1)]);
        let seconds = Duration::from_secs;
        for (story, real) in [(0, 0), (300, 500), (600, 1_000), (660, 2_000), (720, 3_000)] {
            assert_eq!(plan.real_until(at(story)), Duration::from_millis(real), "{story}");
            assert_eq!(plan.at(Duration::from_millis(real)), at(story), "{real}");
        }
        assert_eq!(plan.at(seconds(13)), at(730));
        assert_eq!(plan.real_until(at(730)), seconds(13));
        assert_eq!(plan.real_until(at(-5)), Duration::ZERO, "what was before has passed");
    }

    #[test]
    fn before_the_first_segment_it_runs_as_real_time_does_and_what_is_over_counts_for_nothing() {
        let later = plan(&[(10, 100)]);
        assert_eq!(later.at(Duration::from_secs(4)), at(4));
        assert_eq!(later.at(Duration::from_secs(11)), at(110));
        let before = plan(&[(-100, 7), (-50, 0), (-10, 30)]);
        assert_eq!(before.at(Duration::from_secs(2)), at(60));
        assert_eq!(plan(&[(0, 0)]).at(Duration::from_secs(2)), at(2), "zero is one");
    }

    #[test]
    fn what_no_clock_can_show_overflows_nothing() {
        let plan = plan(&[(0, u32::MAX)]);
        assert_eq!(plan.at(Duration::MAX), Timestamp::from_micros(i64::MAX));
        let never = Timestamp::from_micros(i64::MAX);
        assert!(plan.real_until(never) > Duration::from_secs(1));
        assert_eq!(plan.real_until(Timestamp::from_micros(i64::MIN)), Duration::ZERO);
    }

    #[test]
    fn a_hand_is_where_it_was_set_and_never_goes_back() {
        let hand = Hand::new(at(0), vec![(at(30), 3_600_000_000), (at(60), 0)]);
        assert_eq!((hand.now(), hand.wall_step()), (at(0), 0));
        hand.set(at(30));
        assert_eq!((hand.now(), hand.wall_step()), (at(30), 3_600_000_000));
        hand.set(at(10));
        assert_eq!(hand.now(), at(30));
        hand.set(at(60));
        assert_eq!(hand.wall_step(), 0, "it was set right");
        assert_eq!(step_at(&[], at(0)), 0);
    }

    proptest! {
        #[test]
        fn it_never_runs_backwards_and_no_timer_comes_early(
            segments in vec((-100_i64..1_000, 0_u32..5_000), 0..5),
            real in vec(0_u64..5_000_000_000, 2),
            story in 0_i64..1_000_000_000,
            begins in any::<bool>(),
        ) {
            let mut segments = segments;
            segments.sort_unstable();
            if begins {
                segments.insert(0, (-200, 600));
            }
            let plan = plan(&segments);
            let mut real = real;
            real.sort_unstable();
            let told: Vec<Timestamp> =
                real.iter().map(|nanos| plan.at(Duration::from_nanos(*nanos))).collect();
            prop_assert!(told[0] <= told[1]);
            let moment = Timestamp::from_micros(at(0).as_micros() + story);
            let waited = plan.real_until(moment);
            let come = plan.at(waited);
            // At most what passes in a nanosecond at this pace.
            prop_assert!(come >= moment && come.since(moment) <= Duration::from_micros(5));
            if waited > Duration::ZERO {
                prop_assert!(plan.at(waited - Duration::from_nanos(1)) < moment);
            }
            prop_assert_eq!(plan.real_until(at(0)), Duration::ZERO);
        }
    }
}
