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
}

impl Default for Outstanding {
    fn default() -> Self {
        Self { runs: 0, since: Timestamp::EPOCH, seen: false }
    }
}

impl Progress {
    /// A run was started.
    pub(super) fn started(&self, now: Timestamp) {
        let mut known = self.known();
        if known.runs == 0 {
            known.since = now;
        }
        known.runs = known.runs.saturating_add(1);
    }

    /// What so many runs found was taken in.
    pub(super) fn came_back(&self, runs: usize, now: Timestamp) {
        if runs > 0 {
            let mut known = self.known();
            *known = Outstanding { runs: known.runs.saturating_sub(runs), since: now, seen: true };
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
    /// This trouble of our own is on the board.
    Trouble(OwnTrouble),
}

impl fmt::Display for Ill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stands => f.write_str("the owner loop does not turn"),
            Self::Blind => f.write_str("no check has come back"),
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
        let mut wait = interval;
        // What was said last, so that the log is told once.
        let mut told: Option<String> = None;
        loop {
            tokio::time::sleep(wait).await;
            let failed = self.beat().await.err();
            wait = if failed.is_some() { interval.min(RETRY) } else { interval };
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
        // With any other trouble we still see, and say what we see.
        let noted = self.board.now();
        let fatal = [OwnTrouble::Network, OwnTrouble::Store];
        fatal.into_iter().find(|trouble| noted.contains_key(trouble)).map(Ill::Trouble)
    }
}

#[cfg(test)]
mod tests;
