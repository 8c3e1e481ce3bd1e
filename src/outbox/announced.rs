//! Reading now and then what people announced on the page. What is read is for the engine, which
//! knows best what to make of it: the lane only asks.

use crate::model::Timestamp;

use super::plan::Errand;
use super::state::InFlight;
use super::sweep::all;
use super::{Attempt, AttemptId, Outbox, Request};

impl Outbox {
    /// When the page is to be read.
    pub(super) fn reading_at(&self) -> Option<Timestamp> {
        self.next_reading
    }

    /// Reads the page at `now`, and then as often as is wanted.
    pub(super) fn read_from(&mut self, now: Timestamp) {
        self.next_reading = self.timing.read_announcements_every.map(|_| now);
    }

    /// The request that reads the page, if it is due. It comes after all that is to be told.
    pub(super) fn begin_reading(&mut self, now: Timestamp) -> Option<Attempt> {
        self.next_reading.filter(|at| *at <= now)?;
        self.state.last_attempt += 1;
        let id = AttemptId(self.state.last_attempt);
        let errand = Errand::Announcements;
        self.state.in_flight = Some(InFlight { id, at: now, key: all(), errand });
        Some(Attempt { id, at: now, request: Request::Announcements })
    }

    /// The page was read, or could not be: what was known of it lasts.
    pub(super) fn end_reading(&mut self, now: Timestamp) {
        self.next_reading = self.timing.read_announcements_every.map(|every| now + every);
    }
}
