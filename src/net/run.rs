//! One run's bookkeeping: the deadline that all phases share, and what they took.

use std::future::Future;

use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::model::{Phase, Phases, Reason, Span, Timestamp};

/// One run of a check against one address. A copy goes on from the same phases to the same
/// deadline: a check that asks all addresses resolves once and then goes on separately.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    clock: Clock,
    deadline: Instant,
    /// What the phases took, as far as the run came.
    pub phases: Phases,
    /// When the first of the certificates that were shown expires.
    pub certificate_expires_at: Option<Timestamp>,
}

impl Run {
    /// Starts a run that may take `timeout` in all.
    pub fn start(clock: Clock, timeout: Span) -> Self {
        Self {
            clock,
            deadline: Instant::from_std(clock.instant_of(clock.now() + timeout)),
            phases: Phases::default(),
            certificate_expires_at: None,
        }
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

    /// Notes that a certificate expires at `at`; the first to expire counts.
    pub fn note_certificate(&mut self, at: Timestamp) {
        let earlier = self.certificate_expires_at.map_or(at, |known| known.min(at));
        self.certificate_expires_at = Some(earlier);
    }
}
