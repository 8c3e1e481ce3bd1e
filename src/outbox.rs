//! From what the public should read to requests at a status API: one lane to one page, pure.
//!
//! A status API has no way to say "do this once": a request whose answer is lost may have been
//! carried out or not, and one made twice is an incident twice, or two mails to every customer.
//! So an attempt is written down before it is made, what is in doubt is looked for by the mark
//! that it carries (key, installation, sequence) before it is made again, and one incident's steps
//! leave one after the other.
//!
//! The shell's part, in this order:
//!
//! 1. [`Outbox::push`] what the engine wants; save [`Outbox::state`] with the engine's.
//! 2. When [`Outbox::next_wakeup`] is due, ask [`Outbox::next`]; save the state; make the attempt.
//! 3. Tell the [`Outbox::outcome`]; save the state; log the notices.
//! 4. After a restart, [`Outbox::resume`] before anything else.

mod announced;
mod answer;
mod backoff;
mod board;
mod choice;
mod draft;
mod gate;
mod left;
mod notice;
mod plan;
mod publication;
mod request;
mod standing;
mod state;
mod step;
mod sweep;
mod timing;
mod view;
mod written;
mod yielding;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, IncidentKey, Publishing, Timestamp};

pub use choice::{WakeReason, Wakeup};
pub use notice::{ComponentNews, Notice, Trouble};
pub use request::{
    Attempt, AttemptId, Outcome, Payload, Remote, RemoteId, Request, Shows, Sighting,
};
pub use standing::{Foreign, Standing};
pub use state::{State, StateError};
pub use timing::Timing;
pub use view::{Lead, View};

use gate::Gate;
use plan::Errand;
use publication::Publication;

/// One lane to one status API: what is wanted of it and what is known of it.
#[derive(Clone, Debug)]
pub struct Outbox {
    install: String,
    timing: Timing,
    publishing: Publishing,
    state: State,
    /// Whether the configuration names it.
    named: bool,
    /// When the page was looked at for incidents that wait to be opened, and was clear.
    cleared: BTreeMap<IncidentKey, Timestamp>,
    /// When the whole page is to be looked over.
    next_sweep: Option<Timestamp>,
    /// When it is to be read what is announced on the page.
    next_reading: Option<Timestamp>,
    /// What carries our mark there and nobody here knows.
    orphaned: BTreeSet<RemoteId>,
}

impl Outbox {
    /// A lane of installation `install` with what was saved of it.
    pub fn new(install: impl Into<String>, state: State, timing: Timing) -> Self {
        let (publishing, cleared) = (Publishing::default(), BTreeMap::new());
        let (next_sweep, next_reading, orphaned) = (None, None, BTreeSet::new());
        let install = install.into();
        let named = true;
        Self {
            install,
            timing,
            publishing,
            state,
            named,
            cleared,
            next_sweep,
            next_reading,
            orphaned,
        }
    }

    /// Picks up after a restart. What was in flight is in doubt; a create that is not confirmed is
    /// looked for before it is sent; components that were not known are tried again. Waits are cut
    /// short, since a restart is how a key or an address is mended.
    pub fn resume(&mut self, now: Timestamp) {
        if !self.named {
            return;
        }
        self.state.unlisted.clear();
        self.sweep_from(now);
        self.read_from(now);
        self.state.lane.clamp(now, self.timing.first_retry);
        if let Some(flight) = self.state.in_flight.take()
            && let Errand::Retire(_) = flight.errand
            && let Some(publication) = self.state.incidents.get_mut(&flight.key)
        {
            publication.sweep_again(now);
        }
        self.state.board.values_mut().for_each(board::Pin::resume);
        for publication in self.state.incidents.values_mut() {
            publication.resume(now);
            if self.timing.idempotent {
                publication.resend(now);
            }
        }
    }

    /// Wants one more step of an incident. One that is known already is not wanted again.
    pub fn push(&mut self, action: Action) -> Option<Notice> {
        if !self.named || action.sequence <= self.state.seen(&action.incident) {
            return None;
        }
        self.state.latest = self.state.latest.max(Some(action.at));
        let new = self.state.recall(&action.incident).is_none();
        let action = self.without_account(action);
        let (passes, notice) = self.admit(&action);
        let key = action.incident.clone();
        if passes && let Some(publication) = self.state.incidents.get_mut(&key) {
            publication.push(action);
            if new {
                self.make_wait(&key);
            }
        }
        self.clear_away();
        notice
    }

    /// Tells what came of an attempt. An answer to anything but the attempt in flight is late, and
    /// says nothing any more.
    pub fn outcome(&mut self, id: AttemptId, outcome: Outcome, now: Timestamp) -> Vec<Notice> {
        let Some(flight) = self.state.in_flight.take_if(|flight| flight.id == id) else {
            return Vec::new();
        };
        // Spaced from the end: a request for a list is several.
        self.state.lane.hold(now + self.timing.spacing);
        let mut notices = self.pace(&flight, &outcome, now);
        notices.extend(match &flight.errand {
            Errand::Write => self.written(&flight.key, outcome, now),
            Errand::Repeat => self.repeated(&flight.key, &outcome, now),
            Errand::Look | Errand::Sweep => self.looked(&flight, outcome, now),
            Errand::Components => self.listed(&flight.key, outcome, now),
            Errand::Retire(_) => self.retired(&flight.key, outcome, now),
            Errand::Survey => self.surveyed(outcome, now),
            Errand::Draft => self.drafted(&flight.key, outcome, now).into_iter().collect(),
            Errand::Component(id) => self.component_set(&flight, id, outcome, now),
            // The engine is told, and not the outbox.
            Errand::Announcements => Vec::new(),
        });
        if flight.errand == Errand::Announcements {
            self.end_reading(now);
        } else if flight.key == sweep::all() {
            self.end_sweep(now);
        }
        self.respect(&notices, now);
        self.clear_away();
        notices
    }

    /// Remembers little more than the names of incidents that are done with.
    fn clear_away(&mut self) {
        // Before it is forgotten who has taken what over.
        self.clear_board();
        let done: Vec<IncidentKey> = self
            .state
            .incidents
            .iter()
            .filter(|(_, publication)| publication.is_done())
            .map(|(key, _)| key.clone())
            .collect();
        for key in done {
            self.state.retire(&key);
        }
        self.clear_board();
    }

    /// How many steps are not known to be published, and how many components not known to be set;
    /// steps that were joined count as one, and of what a person has none does.
    pub fn pending(&self) -> usize {
        let steps: usize = self.led().map(|publication| publication.steps().count()).sum();
        steps + if self.named { self.component_plans().len() } else { 0 }
    }

    /// When the oldest of them was decided.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.led().flat_map(Publication::steps).map(|step| step.since).min()
    }

    fn led(&self) -> impl Iterator<Item = &Publication> {
        let incidents = self.state.incidents.values().filter(|_| self.named);
        incidents.filter(|it| it.detached().is_none() && it.gate != Gate::Components)
    }

    /// How many steps were ever given up because the API refused them.
    pub fn abandoned(&self) -> u64 {
        self.state.abandoned
    }

    /// What is to be saved.
    pub fn state(&self) -> &State {
        &self.state
    }
}
