//! Our own load: what we add to the time that targets take must not be held against them.
//!
//! A sampler looks ten times a second at how late it is itself, at how long our threads were ready
//! to run and did not, and at what the limits of our control group took. A run whose verdict is
//! about time asks how much of that came while it ran; no other run does.

mod excuse;
mod exhaustion;
mod meter;
mod ring;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::trouble::Board;
use crate::clock::Clock;
use crate::config::{Addresses, Check, CheckKind};
use crate::model::{Finding, OwnTrouble, Span, Timestamp, Variant, Verdict};
use excuse::{Exceeded, InARow};
pub use exhaustion::Files;
use meter::Meter;
use ring::{Added, Ring, Sample};

/// How often we look.
const PERIOD: Duration = Duration::from_millis(100);
/// A timer is up to this late by itself: its wheel turns in milliseconds.
const GRAIN: Duration = Duration::from_millis(2);
/// Over how long load must last to be told.
const SUSTAINED: Duration = Duration::from_secs(10);
/// The part of that time, in percent, which we may add.
const MOST_ADDED: u32 = 20;
/// A lag that is told by itself.
const MOST_LAG: Duration = Duration::from_millis(500);
/// How often files and memory are counted.
const COUNT_EVERY: Duration = Duration::from_secs(5);
/// How long the longest lag is shown: a scrape must not miss it.
const SHOWN: Duration = Duration::from_secs(60);

/// How we are, for the metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnLoad {
    /// The longest lag of the event loop in the last minute.
    pub lag: Span,
    /// What we may have added to runs since the start, all in all.
    pub added: Span,
    /// The file descriptors, where they can be counted.
    pub files: Option<Files>,
}

/// What is known of our load. Copies know the same.
#[derive(Clone, Debug)]
pub(super) struct Load {
    clock: Clock,
    seen: Arc<Mutex<Option<Seen>>>,
}

#[derive(Debug)]
struct Seen {
    meter: Meter,
    ring: Ring,
    added: Duration,
    /// How late the sampler was, all in all.
    late: Duration,
    row: InARow,
    /// When the sampler wants to look next.
    due: Timestamp,
    files: Option<Files>,
}

impl Load {
    /// Nothing is known before somebody samples.
    pub(super) fn new(clock: Clock) -> Self {
        // What we add to runs is real time, as all is that they measure.
        Self { clock: clock.real(), seen: Arc::default() }
    }

    /// The time by which load is measured.
    pub(super) fn clock(&self) -> Clock {
        self.clock
    }

    /// Looks again and again, and tells the board of what lasts. Never ends.
    pub(super) async fn sample(&self, board: &Board) {
        let (mut due, mut count_at) = (self.clock.now(), self.clock.now());
        *self.seen() = Some(Seen::start(due));
        loop {
            tokio::time::sleep_until(self.clock.instant_of(due).into()).await;
            let now = self.clock.now();
            let mut known = self.seen();
            let Some(seen) = &mut *known else { continue };
            seen.look(now);
            due = seen.due;
            board.set(OwnTrouble::Load, seen.overload(now));
            if now >= count_at {
                count_at = now + COUNT_EVERY;
                seen.files = exhaustion::files();
                board.set(OwnTrouble::Exhausted, exhaustion::shortage(seen.files));
            }
        }
    }

    /// Makes those of `findings`, of a run of `check` or its `variant` since `started_at`,
    /// inconclusive that blame the target for time that may be ours; but of runs that were given up
    /// only so many in a row.
    pub(super) fn excuse(
        &self,
        findings: &mut [Finding],
        (check, variant): (&Check, Option<&Variant>),
        started_at: Timestamp,
    ) {
        let now = self.clock.now();
        let mut seen = self.seen();
        let Some(seen) = &mut *seen else { return };
        let whose = (check.id.clone(), variant.cloned());
        let allows = seen.row.allows(&whose);
        let mut gave_up = false;
        for finding in findings {
            let Some(exceeded) = Exceeded::of(finding, check) else { continue };
            // Of several addresses the quick ones wait for the slow, which is no part of their run.
            let ended_at = match check.kind.addresses() {
                Some(Addresses::All) if !matches!(check.kind, CheckKind::Login(_)) => {
                    now.min(started_at + finding.phases.total())
                }
                _ => now,
            };
            let Some(reason) = exceeded.excuse(seen.added(started_at, ended_at, now)) else {
                continue;
            };
            let is_given_up = matches!(exceeded, Exceeded::GaveUp { .. });
            gave_up |= is_given_up;
            if allows || !is_given_up {
                (finding.verdict, finding.reason) = (Verdict::Inconclusive, Some(reason));
            }
        }
        seen.row.count(whose, gave_up);
    }

    /// How we are.
    pub(super) fn now(&self) -> OwnLoad {
        let now = self.clock.now();
        self.seen().as_ref().map_or_else(OwnLoad::default, |seen| {
            let (_, lag) = seen.ring.since(now - SHOWN);
            OwnLoad { lag: lag.into(), added: seen.added.into(), files: seen.files }
        })
    }

    fn seen(&self) -> MutexGuard<'_, Option<Seen>> {
        // What a panicking thread left half done is at worst a look too few.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn start(now: Timestamp) -> Self {
        let mut ring = Ring::default();
        let zero = Duration::ZERO;
        ring.push(Sample { at: now, added: zero, late: zero, lag: zero });
        let (meter, row) = (Meter::start(), InARow::default());
        Self { meter, ring, added: zero, late: zero, row, due: now, files: None }
    }

    /// The sampler's look.
    fn look(&mut self, now: Timestamp) {
        let lag = self.lag(now);
        self.added += self.meter.read() + lag;
        self.late += lag;
        self.ring.push(Sample { at: now, added: self.added, late: self.late, lag });
        self.due = now + PERIOD;
    }

    /// How late the sampler is.
    fn lag(&self, now: Timestamp) -> Duration {
        now.since(self.due).saturating_sub(GRAIN)
    }

    /// What may have been added between the two, by what is known now and not only since the
    /// sampler looked last.
    fn added(&mut self, from: Timestamp, to: Timestamp, now: Timestamp) -> Added {
        self.added += self.meter.read();
        // A sampler that is late will say so when it comes, and is not waited for.
        let lag = self.lag(now);
        let (added, late) = (self.added + lag, self.late + lag);
        let fresh = Sample { at: now, added, late, lag };
        self.ring.added(from, to, fresh)
    }

    /// What is too much of it, in the operator's words.
    fn overload(&self, now: Timestamp) -> Option<String> {
        let (added, lag) = self.ring.since(now - SUSTAINED);
        let [told_added, told_lag, of] = [added, lag, SUSTAINED].map(Span::from);
        if lag > MOST_LAG {
            Some(format!("the event loop came {told_lag} late"))
        } else if added > SUSTAINED * MOST_ADDED / 100 {
            Some(format!("waited {told_added} of the last {of} to run"))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests;
