//! The only reader of time.
//!
//! The wall clock is read once, when the process starts, and advanced by the monotonic clock from
//! then on: a host whose clock is set in the middle of an incident must not make deadlines fire or
//! durations negative. How far the host's wall clock has since moved away is asked with
//! [`Clock::wall_step`] and is an event, not an influence.

#![expect(clippy::disallowed_methods, reason = "this is the one room that may read clocks")]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::{Span, Timestamp};

/// Tells the time. Copies tell the same time.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    wall: Timestamp,
    anchor: Instant,
    /// How far the host's wall clock is taken to be ahead of what it says, in microseconds.
    ahead: i64,
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
        let clock = Self::start();
        Self { wall: clock.wall.max(floor), ..clock }
    }

    /// As on a host whose wall clock is so many microseconds ahead, behind if negative: what farol
    /// does on one can be tried without setting any.
    pub fn start_ahead(ahead: i64) -> Self {
        Self { wall: wall_now(ahead), anchor: Instant::now(), ahead }
    }

    /// Now: the wall clock's time at the start and the monotonic time since.
    pub fn now(&self) -> Timestamp {
        self.wall + self.anchor.elapsed()
    }

    /// How far the host's wall clock is ahead of ours, in microseconds: zero, but for slewing,
    /// until somebody sets it, or the host wakes from a sleep, during which the monotonic clock
    /// stood still.
    pub fn wall_step(&self) -> i64 {
        // Whoever is interrupted between two readings must not take that for a step.
        let before = self.now().as_micros();
        let wall = wall_now(self.ahead).as_micros();
        let after = self.now().as_micros();
        wall.saturating_sub(wall.clamp(before, after))
    }

    /// The monotonic instant of `at`, for timers. The past is now.
    pub fn instant_of(&self, at: Timestamp) -> Instant {
        // Timers beyond a year are as good as never, and cannot overflow the instant.
        let ahead = at.since(self.now()).min(Duration::from_secs(365 * 24 * 3600));
        Instant::now() + ahead
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
    use super::Clock;

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
}
