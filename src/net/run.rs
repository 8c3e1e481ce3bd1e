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
        Self { clock, deadline: in_real_time(clock, timeout), phases: Phases::default(), tls: None }
    }

    /// The same run with at most `limit` of its time left, for one of several attempts.
    pub fn at_most(mut self, limit: Span) -> Self {
        self.deadline = self.deadline.min(in_real_time(self.clock, limit));
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

/// The end of so much time from now on, real time even in a story: a target has the time that is
/// configured, whatever is told meanwhile.
fn in_real_time(clock: Clock, span: Span) -> Instant {
    let clock = clock.real();
    Instant::from_std(clock.instant_of(clock.now() + span))
}

#[cfg(test)]
mod tests {
    use super::Run;
    use crate::clock::{Clock, Hand, Plan};
    use crate::model::{Span, Timestamp};

    #[test]
    fn a_timeout_is_real_time_whatever_the_time_of_the_story_does() {
        let begins = Timestamp::from_secs(1_631_712_600);
        let plan = Plan { begins, segments: vec![(begins, 1_000_000)], wall_steps: Vec::new() };
        let (plan, hand) = (Box::leak(Box::new(plan)), Hand::new(begins, Vec::new()));
        for clock in [Clock::paced(plan), Clock::stepped(Box::leak(Box::new(hand)))] {
            let run = Run::start(clock, Span::from_secs(3600));
            assert!(run.left() > Span::from_secs(1800) && run.left() <= Span::from_secs(3600));
            let attempt = run.at_most(Span::from_secs(60));
            assert!(attempt.left() > Span::from_secs(30) && attempt.left() <= Span::from_secs(60));
        }
    }
}
