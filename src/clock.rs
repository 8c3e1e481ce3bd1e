//! The only reader of time.
//!
//! The wall clock is read once, when the process starts, and advanced by the monotonic clock from
//! then on: a host whose clock is set in the middle of an incident must not make deadlines fire or
//! durations negative. How far the host's wall clock has since moved away is asked with
//! [`Clock::wall_step`] and is an event, not an influence.
//!
//! A story that is played has a time of its own, which all of farol lives in: see [`Plan`] and
//! [`Hand`]. What is real stays real: a [`Stopwatch`] measures real time whatever the story does, and
//! what must last as long as it lasts, be it a timeout or a look at our own load, goes by
//! [`Clock::real`].

#![expect(clippy::disallowed_methods, reason = "this is the one room that may read clocks")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Span, Timestamp};

mod story;

pub use story::{Hand, Plan};

/// Timers beyond this are as good as never, and cannot overflow the instant.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Tells the time. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    source: Source,
    anchor: Instant,
}

/// Where the time comes from.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// The host's wall clock, read once, which is taken to be so many microseconds ahead of what it
    /// says.
    Host { wall: Timestamp, ahead: i64 },
    /// Real time counted from there, beside a story.
    Counted { from: Timestamp },
    /// A story's time, by its plan.
    Paced(&'static Plan),
    /// A story's time, where the hand is.
    Stepped(&'static Hand),
}

impl Clock {
    /// Reads the host's wall clock, for the only time.
    pub fn start() -> Self {
        Self::start_ahead(0)
    }

    /// As [`Clock::start`], but never before `floor`, the latest time that is on record: a host
    /// whose clock was set back between two runs must not make what happens now look as if it had
    /// happened before.
    pub fn start_after(floor: Timestamp) -> Self {
        let source = Source::Host { wall: wall_now(0).max(floor), ahead: 0 };
        Self { source, anchor: Instant::now() }
    }

    /// As on a host whose wall clock is so many microseconds ahead, behind if negative: what farol
    /// does on one can be tried without setting any.
    pub fn start_ahead(ahead: i64) -> Self {
        Self { source: Source::Host { wall: wall_now(ahead), ahead }, anchor: Instant::now() }
    }

    /// Begins a story whose time runs by `plan`. The plan lives as long as the process, as any copy
    /// of the clock may: leaked, a few bytes for each story.
    pub fn paced(plan: &'static Plan) -> Self {
        Self { source: Source::Paced(plan), anchor: Instant::now() }
    }

    /// A story whose time is where `hand` is. No timer ever fires by it: whoever sets the hand does
    /// what is due. The hand lives as long as the process, as a plan does.
    pub fn stepped(hand: &'static Hand) -> Self {
        Self { source: Source::Stepped(hand), anchor: Instant::now() }
    }

    /// The clock by which real time passes, for what must last as long as it lasts: itself, unless
    /// a story is played. Then it counts from the story's beginning at real pace.
    pub fn real(&self) -> Self {
        let from = match self.source {
            Source::Host { .. } | Source::Counted { .. } => return *self,
            Source::Paced(plan) => plan.begins,
            Source::Stepped(hand) => hand.begins(),
        };
        Self { source: Source::Counted { from }, anchor: self.anchor }
    }

    /// Whether a second of it is a second.
    pub fn is_real(&self) -> bool {
        matches!(self.source, Source::Host { .. } | Source::Counted { .. })
    }

    /// Now: the wall clock's time at the start and the monotonic time since, or the story's.
    pub fn now(&self) -> Timestamp {
        match self.source {
            Source::Host { wall: from, .. } | Source::Counted { from } => {
                from + self.anchor.elapsed()
            }
            Source::Paced(plan) => plan.at(self.anchor.elapsed()),
            Source::Stepped(hand) => hand.now(),
        }
    }

    /// How far the host's wall clock is ahead of ours, in microseconds: zero, but for slewing,
    /// until somebody sets it, or the host wakes from a sleep, during which the monotonic clock
    /// stood still. In a story it is what the story says.
    pub fn wall_step(&self) -> i64 {
        let ahead = match self.source {
            Source::Host { ahead, .. } => ahead,
            Source::Counted { .. } => return 0,
            Source::Paced(plan) => return story::step_at(&plan.wall_steps, self.now()),
            Source::Stepped(hand) => return hand.wall_step(),
        };
        // Whoever is interrupted between two readings must not take that for a step.
        let before = self.now().as_micros();
        let wall = wall_now(ahead).as_micros();
        let after = self.now().as_micros();
        wall.saturating_sub(wall.clamp(before, after))
    }

    /// The monotonic instant of `at`, for timers. The past is now.
    pub fn instant_of(&self, at: Timestamp) -> Instant {
        let now = Instant::now();
        let ahead = match self.source {
            Source::Host { .. } | Source::Counted { .. } => at.since(self.now()),
            // From the beginning, so that it is exact across whatever changes of pace are ahead.
            Source::Paced(plan) => {
                plan.real_until(at).saturating_sub(now.saturating_duration_since(self.anchor))
            }
            Source::Stepped(_) => NEVER * u32::from(at > self.now()),
        };
        now + ahead.min(NEVER)
    }

    /// Starts measuring.
    pub fn stopwatch(&self) -> Stopwatch {
        Stopwatch { started: Instant::now() }
    }
}

/// Measures durations with the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    started: Instant,
}

impl Stopwatch {
    /// Time since the start, or since the last lap.
    pub fn elapsed(&self) -> Span {
        self.started.elapsed().into()
    }

    /// Time since the start or the last lap, and starts the next lap.
    pub fn lap(&mut self) -> Span {
        let now = Instant::now();
        let took = now.duration_since(self.started);
        self.started = now;
        took.into()
    }
}

fn wall_now(ahead: i64) -> Timestamp {
    let told = match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => Timestamp::EPOCH + since,
        Err(before) => Timestamp::EPOCH - before.duration(),
    };
    Timestamp::from_micros(told.as_micros().saturating_add(ahead))
}

#[cfg(test)]
mod tests {
    use super::{Clock, Hand, Plan};
    use crate::model::{Span, Timestamp};

    #[test]
    fn never_runs_backwards_and_agrees_with_the_wall() {
        let clock = Clock::start();
        let first = clock.now();
        let second = clock.now();
        assert!(second >= first);
        assert!(clock.wall_step().abs() < 60_000_000, "the host's clock was set during the test");
    }

    #[test]
    fn the_past_is_now_and_the_far_future_does_not_overflow() {
        let clock = Clock::start();
        let now = std::time::Instant::now();
        assert!(clock.instant_of(crate::model::Timestamp::EPOCH) >= now);
        assert!(clock.instant_of(crate::model::Timestamp::from_micros(i64::MAX)) > now);
    }

    #[test]
    fn a_paced_story_has_its_own_timers_and_wall_clock_and_real_time_goes_on_beside() {
        let from = Timestamp::from_secs(1_631_712_600);
        let hour = Span::from_secs(3600);
        let plan = Plan {
            begins: from,
            // Faster than any test is slow: the first look is beyond the step.
            segments: vec![(from, u32::MAX)],
            wall_steps: vec![(from + Span::from_micros(1), 3_600_000_000)],
        };
        let clock = Clock::paced(Box::leak(Box::new(plan)));
        let later = std::iter::repeat_with(|| clock.now()).find(|at| *at > from + hour);
        assert!(clock.now() >= later.unwrap());
        assert_eq!((clock.wall_step(), clock.is_real()), (3_600_000_000, false));
        let real = clock.real();
        assert!(real.is_real() && real.now() >= from && real.now() < clock.now());
        assert_eq!(real.wall_step(), 0);
        let now = std::time::Instant::now();
        assert!(clock.instant_of(from) >= now);
        let slow = Plan { begins: from, segments: vec![(from, 3600)], wall_steps: Vec::new() };
        let slow = Clock::paced(Box::leak(Box::new(slow)));
        let before = std::time::Instant::now();
        let due = slow.instant_of(from + Span::from_secs(36_000));
        assert!(due <= before + std::time::Duration::from_secs(10));
        assert!(due > before + std::time::Duration::from_secs(5));
    }

    #[test]
    fn a_stepped_story_stands_still_until_it_is_set() {
        let from = Timestamp::from_secs(1_631_712_600);
        let hand: &Hand = Box::leak(Box::new(Hand::new(from, Vec::new())));
        let clock = Clock::stepped(hand);
        assert_eq!(clock.now(), from);
        let (past, future) =
            (clock.instant_of(from), clock.instant_of(from + Span::from_micros(1)));
        assert!(future.duration_since(past) > std::time::Duration::from_secs(24 * 3600));
        hand.set(from + Span::from_secs(30));
        assert_eq!((clock.now(), clock.wall_step()), (from + Span::from_secs(30), 0));
        assert!(clock.real().now() < clock.now());
    }
}
