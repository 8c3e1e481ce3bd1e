//! Delivery in a hurry: as in production, but that a second takes some tens of milliseconds.

use std::time::Duration;

use farol::clock::Clock;
use farol::model::Span;
use farol::outbox::{Notice, Outbox, Timing};
use farol::publish::{Patience, Publisher};

pub(crate) const PATIENCE: Patience =
    Patience { connect: Duration::from_millis(500), total: Duration::from_millis(500) };

/// A write is taken for lost only long after the client has given up on it.
pub(crate) fn timing() -> Timing {
    Timing {
        spacing: Span::from_millis(1),
        first_retry: Span::from_millis(20),
        longest_retry: Span::from_millis(100),
        unauthorized: Span::from_millis(100),
        settle: Span::from_millis(3_000),
        look_again: Span::from_millis(200),
        looks_apart: Span::from_millis(150),
        rejected: Span::from_millis(100),
        rejections: 3,
        sweep: Span::from_millis(200),
        ..Timing::default()
    }
}

/// Delivers until nothing is wanted any more.
pub(crate) async fn drain(outbox: &mut Outbox, publisher: &Publisher, clock: Clock) -> Vec<Notice> {
    let mut notices = Vec::new();
    for _ in 0..500 {
        if let Some(attempt) = outbox.next(clock.now()) {
            let outcome = publisher.deliver(&attempt.request).await;
            notices.extend(outbox.outcome(attempt.id, outcome, clock.now()));
        } else if let Some(wakeup) = outbox.next_wakeup() {
            tokio::time::sleep_until(clock.instant_of(wakeup.at).into()).await;
        } else {
            return notices;
        }
    }
    panic!("no end in sight: {notices:#?}");
}
