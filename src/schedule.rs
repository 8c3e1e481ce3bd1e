//! When each check runs next. Pure: it is told the time, says what is due, and says when to be
//! asked again.
//!
//! The rules:
//!
//! 1. A check has a grid: ticks that are its interval apart. Where in the interval they lie comes
//!    from a hash of the check's id, so that checks spread out and a restart does not shuffle them
//!    against each other.
//! 2. The first run does not wait for the grid: it comes within [`FIRST_WITHIN`], or the interval
//!    if that is shorter, spread by the same hash. The grid begins half an interval later at the
//!    earliest.
//! 3. A run never overlaps itself: a check that runs is not due before it has finished.
//! 4. A tick that passes between the time when a run was due and its end is missed: it is counted
//!    and never made up for. So a late wake-up makes each check run once, however late it is.
//! 5. After a run the check waits for the next tick of its grid; while its state is in doubt, for
//!    its confirm interval if that is over sooner.
//! 6. Whoever waits for a check may hasten it: it runs at once, though not too soon after it ran.
//! 7. Intervals shorter than [`SHORTEST`] count as that long: no configuration makes a busy loop.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use sha2::{Digest, Sha256};

use crate::model::{CheckId, Span, Timestamp};

#[cfg(test)]
mod tests;

/// How soon after the start every check has begun its first run.
pub const FIRST_WITHIN: Span = Span::from_secs(5);

/// The shortest interval that is kept.
pub const SHORTEST: Span = Span::from_millis(10);

/// How often a check is to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The check.
    pub check: CheckId,
    /// The time between two ticks of its grid.
    pub interval: Span,
    /// How soon it runs again while its state is in doubt.
    pub confirm_interval: Span,
}

/// What a run is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Occasion {
    /// The first run of the check.
    First,
    /// A tick of its grid.
    Tick,
    /// The last run left its state in doubt, or somebody waits for what it finds.
    Confirmation,
}

/// A check that must run now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// The check.
    pub check: CheckId,
    /// When it should have begun; how long ago that is, is the scheduler's lag.
    pub scheduled_at: Timestamp,
    /// What the run is for.
    pub occasion: Occasion,
}

/// When to ask again, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// The time; nothing is due before it.
    pub at: Timestamp,
    /// The check that is due then.
    pub check: CheckId,
    /// What its run is for.
    pub occasion: Occasion,
}

/// The time table of all checks.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    entries: Vec<Entry>,
    positions: BTreeMap<CheckId, usize>,
    /// Every check that is waiting, once: when, and its position in `entries`.
    waiting: BinaryHeap<Reverse<(Timestamp, usize)>>,
}

#[derive(Clone, Debug)]
struct Entry {
    check: CheckId,
    grid: Grid,
    confirm_interval: Span,
    /// The run that is being waited for, or going on.
    scheduled_at: Timestamp,
    occasion: Occasion,
    running: bool,
    /// When it was last given out.
    last_due: Option<Timestamp>,
}

impl Schedule {
    /// The time table of `checks`, starting now. A check that is named twice keeps its first plan.
    pub fn new(checks: impl IntoIterator<Item = Plan>, now: Timestamp) -> Self {
        let mut schedule = Self::default();
        for plan in checks {
            if !schedule.positions.contains_key(&plan.check) {
                schedule.add(plan, now);
            }
        }
        schedule
    }

    fn add(&mut self, plan: Plan, now: Timestamp) {
        let position = self.entries.len();
        let (first_run, grid) = Grid::starting(&plan.check, plan.interval.max(SHORTEST), now);
        self.positions.insert(plan.check.clone(), position);
        self.waiting.push(Reverse((first_run, position)));
        self.entries.push(Entry {
            check: plan.check,
            grid,
            confirm_interval: plan.confirm_interval.max(SHORTEST),
            scheduled_at: first_run,
            occasion: Occasion::First,
            running: false,
            last_due: None,
        });
    }

    /// Everything that is due at `now`, the longest overdue first. It counts as running until
    /// [`Schedule::finished`] is told.
    #[must_use = "what is due counts as running and is not said again"]
    pub fn due(&mut self, now: Timestamp) -> Vec<Due> {
        let mut due = Vec::new();
        while let Some(Reverse((at, position))) = self.waiting.peek().copied()
            && at <= now
        {
            self.waiting.pop();
            let Some(entry) = self.entries.get_mut(position) else { continue };
            entry.running = true;
            entry.last_due = Some(now);
            due.push(Due {
                check: entry.check.clone(),
                scheduled_at: entry.scheduled_at,
                occasion: entry.occasion,
            });
        }
        due
    }

    /// Takes note that the run of `check` has ended and plans its next one, sooner if its state is
    /// `unsettled`. Returns how many ticks were missed since the run was due. A check that is not
    /// running has nothing to end.
    pub fn finished(&mut self, check: &CheckId, now: Timestamp, unsettled: bool) -> u32 {
        let Some(position) = self.positions.get(check).copied() else { return 0 };
        let Some(entry) = self.entries.get_mut(position).filter(|entry| entry.running) else {
            return 0;
        };
        let missed = entry.grid.ticks_until(now) - entry.grid.ticks_until(entry.scheduled_at);
        let tick = entry.grid.next_after(now);
        let confirmation = now + entry.confirm_interval;
        (entry.scheduled_at, entry.occasion) = if unsettled && confirmation < tick {
            (confirmation, Occasion::Confirmation)
        } else {
            (tick, Occasion::Tick)
        };
        entry.running = false;
        self.waiting.push(Reverse((entry.scheduled_at, position)));
        u32::try_from(missed.max(0)).unwrap_or(u32::MAX)
    }

    /// Has `check` run sooner than planned, but not within `apart` of when it was last due. One
    /// that runs is not disturbed.
    pub fn hasten(&mut self, check: &CheckId, apart: Span, now: Timestamp) {
        let Some(position) = self.positions.get(check).copied() else { return };
        let Some(entry) = self.entries.get_mut(position).filter(|entry| !entry.running) else {
            return;
        };
        let at = entry.last_due.map_or(now, |last| (last + apart).max(now));
        if at < entry.scheduled_at {
            (entry.scheduled_at, entry.occasion) = (at, Occasion::Confirmation);
            self.waiting.retain(|Reverse((_, other))| *other != position);
            self.waiting.push(Reverse((at, position)));
        }
    }

    /// When the next check is due; `None` while all of them run. Right after [`Schedule::due`] it
    /// is always in the future.
    pub fn next_wakeup(&self) -> Option<Wakeup> {
        let Reverse((at, position)) = self.waiting.peek().copied()?;
        let entry = self.entries.get(position)?;
        Some(Wakeup { at, check: entry.check.clone(), occasion: entry.occasion })
    }
}

/// A check's ticks: one at `start` and one every `interval` after it. Reckoned in 128 bits, so
/// that no interval and no time overflows.
#[derive(Clone, Copy, Debug)]
struct Grid {
    start: i128,
    interval: i128,
}

impl Grid {
    /// The first run of `check` and its grid, by rules 1 and 2.
    fn starting(check: &CheckId, interval: Span, now: Timestamp) -> (Timestamp, Self) {
        let now = i128::from(now.as_micros());
        let phase = phase_within(check, interval);
        let first_run = now + phase_within(check, interval.min(FIRST_WITHIN));
        let interval = i128::from(interval.as_micros());
        let start = now + phase;
        let is_too_soon = start - first_run < interval / 2;
        let start = if is_too_soon { start + interval } else { start };
        (timestamp(first_run), Self { start, interval })
    }

    /// How many ticks there are up to and including `at`.
    fn ticks_until(self, at: Timestamp) -> i128 {
        let since_start = i128::from(at.as_micros()) - self.start;
        if since_start < 0 { 0 } else { since_start / self.interval + 1 }
    }

    /// The first tick after `at`.
    fn next_after(self, at: Timestamp) -> Timestamp {
        timestamp(self.start + self.ticks_until(at) * self.interval)
    }
}

/// Where in `span` a check has its place: anywhere from its beginning to just before its end, the
/// same on every run and every machine.
fn phase_within(check: &CheckId, span: Span) -> i128 {
    let digest = Sha256::digest(check.as_str());
    let hash = digest.iter().take(8).fold(0_u64, |hash, byte| hash << 8 | u64::from(*byte));
    // The hash as a fraction of 2^64, of the span: at most 2^128 before the shift.
    ((u128::from(hash) * u128::from(span.as_micros())) >> 64).cast_signed()
}

fn timestamp(micros: i128) -> Timestamp {
    Timestamp::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
}
