//! What is asked of the status API, over HTTP. What people announced there is read every few seconds,
//! of which a story has thousands: while nobody announces anything, a read answers for those of the
//! next minute.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::model::{LaneId, Timestamp};
use crate::outbox::{Attempt, Outcome, Request};
use crate::publish::Publisher;

/// How long it is known what is announced, while nobody does.
const FRESH: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Deliveries {
    publishers: BTreeMap<LaneId, Arc<Publisher>>,
    /// What was read last, and when.
    announced: BTreeMap<LaneId, (Timestamp, Outcome)>,
}

impl Deliveries {
    pub(super) fn new(publishers: BTreeMap<LaneId, Arc<Publisher>>) -> Self {
        Self { publishers, announced: BTreeMap::new() }
    }

    /// Something happened that may be read.
    pub(super) fn changed(&mut self) {
        self.announced.clear();
    }

    /// What comes of an attempt at `now`; nothing if the lane has no way out.
    pub(super) async fn of(
        &mut self,
        lane: &LaneId,
        attempt: &Attempt,
        now: Timestamp,
    ) -> Option<Outcome> {
        let publisher = self.publishers.get(lane)?;
        if attempt.request != Request::Announcements {
            return Some(publisher.deliver(&attempt.request).await);
        }
        if let Some((at, read)) = self.announced.get(lane)
            && now.since(*at) < FRESH
        {
            return Some(read.clone());
        }
        let read = publisher.deliver(&attempt.request).await;
        if matches!(read, Outcome::Announced(_)) {
            self.announced.insert(lane.clone(), (now, read.clone()));
        }
        Some(read)
    }
}
