//! One pace for all that share an API key: the vendor counts requests by key, not by page.

use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::model::{Span, Timestamp};

/// Spaces the calls that are made with one API key.
#[derive(Debug)]
pub struct Pace {
    clock: Clock,
    spacing: Span,
    /// When the next call may be made.
    next: Mutex<Timestamp>,
}

impl Pace {
    /// Calls that are at least `spacing` apart.
    pub fn new(clock: Clock, spacing: Span) -> Self {
        Self { clock, spacing, next: Mutex::new(Timestamp::EPOCH) }
    }

    /// The time, for what has to say it.
    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Waits for its turn. Turns are given in the order in which they were asked for: whoever
    /// sleeps holds the lock, and the lock is fair.
    pub(super) async fn turn(&self) {
        let mut next = self.next.lock().await;
        // Who counts our requests counts them in real time.
        let clock = self.clock.real();
        tokio::time::sleep_until(clock.instant_of(*next).into()).await;
        *next = clock.now() + self.spacing;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Pace;
    use crate::clock::Clock;
    use crate::model::Span;

    #[tokio::test]
    async fn calls_of_several_pages_are_spaced() {
        let clock = Clock::start();
        let spacing = Span::from_millis(20);
        let pace = Arc::new(Pace::new(clock, spacing));
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..5 {
            let pace = Arc::clone(&pace);
            calls.spawn(async move {
                pace.turn().await;
                clock.now()
            });
        }
        let mut at = calls.join_all().await;
        at.sort();
        // A turn that is noticed late may seem close to the next, but five turns take four spaces.
        assert!(at[4].since(at[0]) >= spacing.to_duration() * 3, "{at:?}");
    }
}
