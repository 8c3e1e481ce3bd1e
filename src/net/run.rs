//! One run's bookkeeping: the deadline that all phases share, and what they took.

use std::future::Future;

use tokio::time::{Instant, timeout_at};

use super::handshake::Handshake;
use crate::clock::Clock;
use crate::model::{Phase, Phases, Reason, Span};

/// One run of a check against one address. A copy goes on from the same phases to the same
/// deadline: a check that asks all addresses resolves once and then goes on separately.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    clock: Clock,
    deadline: Instant,
    /// What the phases took, as far as the run came.
    pub phases: Phases,
    /// What the TLS handshakes showed, if there were any.
    pub tls: Option<Handshake>,
}

impl Run {
    /// Starts a run that may take `timeout` in all.
    pub fn start(clock: Clock, timeout: Span) -> Self {
        Self {
            clock,
            deadline: Instant::from_std(clock.instant_of(clock.now() + timeout)),
            phases: Phases::default(),
            tls: None,
        }
    }

    /// The same run with at most `limit` of its time left, for one of several attempts.
    pub fn at_most(mut self, limit: Span) -> Self {
        let soon = Instant::from_std(self.clock.instant_of(self.clock.now() + limit));
        self.deadline = self.deadline.min(soon);
        self
    }

    /// How much time the run has left.
    pub fn left(&self) -> Span {
        let now = self.clock.instant_of(self.clock.now());
        self.deadline.into_std().saturating_duration_since(now).into()
    }

    /// The clock that the run is timed with.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Does `work`, which is all of `phase`, in the time that the run has left.
    pub async fn phase<T>(
        &mut self,
        phase: Phase,
        work: impl Future<Output = Result<T, Reason>>,
    ) -> Result<T, Reason> {
        let watch = self.clock.stopwatch();
        let outcome = self.within_deadline(work).await;
        self.phases.add(phase, watch.elapsed());
        outcome.unwrap_or(Err(Reason::Timeout { phase }))
    }

    /// Does `work` in the time that the run has left; `None` if that was not enough. For work of
    /// several phases, which does its own timing.
    pub async fn within_deadline<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        timeout_at(self.deadline, work).await.ok()
    }

    /// Waits for `span`, which the run does not count: all that it has left it has left afterwards.
    pub async fn pause(&mut self, span: Span) {
        self.deadline += span.to_duration();
        tokio::time::sleep(span.to_duration()).await;
    }

    /// Whether the run has time left.
    pub fn has_time(&self) -> bool {
        self.time_left() > Span::ZERO
    }

    /// How much time the run has left.
    pub fn time_left(&self) -> Span {
        let now = self.clock.instant_of(self.clock.now());
        self.deadline.into_std().saturating_duration_since(now).into()
    }

    /// Notes what a handshake showed, after others that may have been before.
    pub fn note_handshake(&mut self, seen: Handshake) {
        self.tls = Some(self.tls.map_or(seen, |before| before.then(seen)));
    }
}
