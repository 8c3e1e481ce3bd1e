//! When the heart beats: as long as checks run, what they find is kept, and there is a network. The
//! one who waits for it raises the alarm when it stops, for whatever reason: that is the point of
//! it, so it is sent from beside the loop and asks whether the loop lives.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use super::Pulse;
use crate::check::Board;
use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::model::{OwnTrouble, Span, Timestamp};
use crate::publish::Heart;

/// How long the owner loop may stand still, several times what it ever does.
const STANDSTILL: Duration = Duration::from_secs(30);
/// How soon it is tried again when it was not sent or did not arrive.
const RETRY: Duration = Duration::from_secs(10);

/// Whether observations come back from the checks that were started. Copies know the same.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Outstanding>>);

#[derive(Debug)]
struct Outstanding {
    runs: usize,
    /// Since when there are some and none of them came back.
    since: Timestamp,
    /// Whether any ever came back.
    seen: bool,
    /// When one last found out something, be it that a target is down. Before that, when the first
    /// was started.
    told: Option<Timestamp>,
}

impl Default for Outstanding {
    fn default() -> Self {
        Self { runs: 0, since: Timestamp::EPOCH, seen: false, told: None }
    }
}

impl Progress {
    /// A run was started.
    pub(super) fn started(&self, now: Timestamp) {
        let mut known = self.known();
        if known.runs == 0 {
            known.since = now;
        }
        known.told.get_or_insert(now);
        known.runs = known.runs.saturating_add(1);
    }

    /// What so many runs found was taken in, of which so many were `conclusive`.
    pub(super) fn came_back(&self, runs: usize, conclusive: usize, now: Timestamp) {
        if runs > 0 {
            let mut known = self.known();
            let told = if conclusive > 0 { Some(now) } else { known.told };
            let runs = known.runs.saturating_sub(runs);
            *known = Outstanding { runs, since: now, seen: true, told };
        }
    }

    fn known(&self) -> MutexGuard<'_, Outstanding> {
        // What a panicking thread left half done is at worst a heartbeat too few.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_stuck(&self, now: Timestamp, longest_run: Span) -> bool {
        let known = self.known();
        known.runs > 0 && now.since(known.since) > longest_run.to_duration() + STANDSTILL
    }

    /// Whether runs have told nothing for so long that each check must have had one.
    fn is_mute(&self, now: Timestamp, longest_round: Span) -> bool {
        let told = self.known().told;
        told.is_some_and(|told| now.since(told) > longest_round.to_duration() + STANDSTILL)
    }

    fn has_begun(&self) -> bool {
        let known = self.known();
        known.seen || known.runs == 0
    }
}

/// Why the heart does not beat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ill {
    /// The owner loop has not begun, has ended, or stands still.
    Stands,
    /// Nothing comes back from the checks.
    Blind,
    /// What comes back says nothing.
    Mute,
    /// This trouble of our own is on the board.
    Trouble(OwnTrouble),
}

impl fmt::Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stands => f.write_str("the owner loop does not turn"),
            Self::Blind => f.write_str("no check has come back"),
            Self::Mute => f.write_str("no check has told anything"),
            Self::Trouble(trouble) => write!(f, "own trouble: {trouble}"),
        }
    }
}

/// What it takes to know whether all is well, and to say so.
#[derive(Debug)]
pub struct Heartbeat {
    /// Tells the time.
    pub clock: Clock,
    /// Who is told.
    pub heart: Heart,
    /// How often.
    pub interval: Span,
    /// How the owner loop is.
    pub pulse: watch::Receiver<Pulse>,
    /// Whether checks come back.
    pub progress: Progress,
    /// How long one may take.
    pub longest_run: Span,
    /// How long it may take until each check has been run.
    pub longest_round: Span,
    /// What is wrong with ourselves.
    pub board: Board,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Heartbeat {
    /// Beats for as long as all is well. Never ends.
    ///
    /// The first beat comes after the first interval: a process that starts again and again, and
    /// never gets that far, is not well.
    pub async fn run(self) {
        let interval = self.interval.to_duration();
        let mut due = self.clock.now() + interval;
        // What was said last, so that the log is told once.
        let mut told: Option<String> = None;
        loop {
            tokio::time::sleep_until(self.clock.instant_of(due).into()).await;
            let failed = self.beat().await.err();
            due = next(due, interval, self.clock.now());
            if failed.is_some() {
                due = due.min(self.clock.now() + RETRY);
            }
            match &failed {
                Some(why) if failed != told => tracing::warn!(%why, "no heartbeat was sent"),
                None if told.is_some() => tracing::info!("heartbeats are sent again"),
                Some(_) | None => {}
            }
            told = failed;
        }
    }

    async fn beat(&self) -> Result<(), String> {
        if let Some(ill) = self.ill(self.clock.now()) {
            return Err(ill.to_string());
        }
        let beaten = self.heart.beat().await;
        self.metrics.heartbeat(beaten.is_ok().then(|| self.clock.now()));
        beaten.map_err(|error| error.to_string())
    }

    fn ill(&self, now: Timestamp) -> Option<Ill> {
        let turns = match *self.pulse.borrow() {
            Pulse::Ready { turned_at, .. } => now.since(turned_at) <= STANDSTILL,
            Pulse::Starting | Pulse::Stopping => false,
        };
        if !turns || self.pulse.has_changed().is_err() {
            return Some(Ill::Stands);
        }
        if self.progress.is_stuck(now, self.longest_run) || !self.progress.has_begun() {
            return Some(Ill::Blind);
        }
        if self.progress.is_mute(now, self.longest_round) {
            return Some(Ill::Mute);
        }
        // With any other trouble we still see, and say what we see.
        let noted = self.board.now();
        let fatal = [OwnTrouble::Network, OwnTrouble::Store, OwnTrouble::Exhausted];
        fatal.into_iter().find(|trouble| noted.contains_key(trouble)).map(Ill::Trouble)
    }
}

/// When it beats next, if it was due at `due`: so many intervals later, so that the time a request
/// takes delays no beat after it.
fn next(due: Timestamp, interval: Duration, now: Timestamp) -> Timestamp {
    let next = due + interval;
    if next > now { next } else { now + interval }
}

#[cfg(test)]
mod tests;
