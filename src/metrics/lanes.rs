//! What waits on the lanes to the status APIs, and what became of what was sent.

use crate::model::{LaneId, Policy, Span};

use super::{Metrics, Tracked};

impl Metrics {
    /// Makes the series of these lanes, at zero.
    pub fn register_lanes<'a>(&self, lanes: impl IntoIterator<Item = &'a LaneId>) {
        for lane in lanes {
            self.outbox(lane, 0, Span::ZERO);
            self.not_led(lane, 0, 0);
            self.left(lane, 0);
        }
    }

    /// Sets how many actions wait to be published, and how long the oldest has waited.
    pub fn outbox(&self, lane: &LaneId, pending: usize, oldest_age: Span) {
        self.tracked().lanes.insert(lane.clone());
        let platform = lane.platform();
        let labels = [platform.as_str(), lane.as_str()];
        let pending = i64::try_from(pending).unwrap_or(i64::MAX);
        self.series.public.outbox_pending.with_label_values(&labels).set(pending);
        self.series
            .public
            .outbox_oldest_age
            .with_label_values(&labels)
            .set(oldest_age.as_secs_f64());
    }

    /// Sets how many incidents people have taken over, and how many on the page nobody knows.
    pub fn not_led(&self, lane: &LaneId, detached: usize, orphaned: usize) {
        self.tracked().lanes.insert(lane.clone());
        let count = |n| i64::try_from(n).unwrap_or(i64::MAX);
        let platform = lane.platform();
        let (labels, public) = ([platform.as_str(), lane.as_str()], &self.series.public);
        public.incidents_detached.with_label_values(&labels).set(count(detached));
        public.incidents_orphaned.with_label_values(&labels).set(count(orphaned));
    }

    /// Sets how many incidents stand open where nobody leads them any more.
    pub fn left(&self, lane: &LaneId, left: usize) {
        self.tracked().lanes.insert(lane.clone());
        let platform = lane.platform();
        let labels = [platform.as_str(), lane.as_str()];
        let left = i64::try_from(left).unwrap_or(i64::MAX);
        self.series.public.incidents_left.with_label_values(&labels).set(left);
    }

    /// Counts an attempt to publish. Outcomes are words from a closed set.
    pub fn outbox_attempt(&self, lane: &LaneId, outcome: &'static str) {
        self.tracked().outcomes.insert((lane.clone(), outcome));
        let platform = lane.platform();
        let labels = [platform.as_str(), lane.as_str(), outcome];
        self.series.public.outbox_attempts.with_label_values(&labels).inc();
    }

    /// Forgets the lanes of platforms that left the policy.
    pub(super) fn forget_lanes(&self, tracked: &mut Tracked, policy: &Policy) {
        // Removing a series that was never made is an error of the library's and none of ours.
        let stays = |lane: &LaneId| policy.platforms.contains_key(&lane.platform());
        tracked.lanes.retain(|lane| {
            if !stays(lane) {
                let platform = lane.platform();
                let labels = [platform.as_str(), lane.as_str()];
                let _ = self.series.public.outbox_pending.remove_label_values(&labels);
                let _ = self.series.public.outbox_oldest_age.remove_label_values(&labels);
                let _ = self.series.public.incidents_detached.remove_label_values(&labels);
                let _ = self.series.public.incidents_orphaned.remove_label_values(&labels);
                let _ = self.series.public.incidents_left.remove_label_values(&labels);
            }
            stays(lane)
        });
        tracked.outcomes.retain(|(lane, outcome)| {
            if !stays(lane) {
                let platform = lane.platform();
                let labels = [platform.as_str(), lane.as_str(), *outcome];
                let _ = self.series.public.outbox_attempts.remove_label_values(&labels);
            }
            stays(lane)
        });
    }
}
