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
mod backoff;
mod gate;
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
mod yielding;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Action, IncidentKey, Mode, Publishing, Span, Timestamp};

pub use notice::{Notice, Trouble};
pub use request::{Attempt, AttemptId, Outcome, Payload, Remote, RemoteId, Request, Sighting};
pub use standing::{Foreign, Standing};
pub use state::{State, StateError};
pub use timing::Timing;
pub use view::{Lead, View};

use plan::{Errand, Plan};
use publication::Publication;
use state::InFlight;

/// One lane to one status API: what is wanted of it and what is known of it.
#[derive(Clone, Debug)]
pub struct Outbox {
    install: String,
    timing: Timing,
    publishing: Publishing,
    state: State,
    /// When the page was looked at for incidents that wait to be opened, and was clear.
    cleared: BTreeMap<IncidentKey, Timestamp>,
    /// When the whole page is to be looked over.
    next_sweep: Option<Timestamp>,
    /// When it is to be read what is announced on the page.
    next_reading: Option<Timestamp>,
    /// What carries our mark there and nobody here knows.
    orphaned: BTreeSet<RemoteId>,
}

/// When to ask for the next attempt, and why then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// When.
    pub at: Timestamp,
    /// Why then.
    pub reason: WakeReason,
}

/// What a lane waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeReason {
    /// Its own pace, or the end of a wait after a failure.
    Lane,
    /// A step may be written.
    Write,
    /// Something is to be looked up.
    Look,
    /// A duplicate is to be resolved.
    Tidy,
    /// The operator is to be told something.
    Say,
}

impl Outbox {
    /// A lane of installation `install` with what was saved of it.
    pub fn new(install: impl Into<String>, state: State, timing: Timing) -> Self {
        let (publishing, cleared) = (Publishing::default(), BTreeMap::new());
        let (next_sweep, next_reading, orphaned) = (None, None, BTreeSet::new());
        let install = install.into();
        Self { install, timing, publishing, state, cleared, next_sweep, next_reading, orphaned }
    }

    /// Picks up after a restart. What was in flight is in doubt; a create that is not confirmed is
    /// looked for before it is sent; components that were not known are tried again. Waits are cut
    /// short, since a restart is how a key or an address is mended.
    pub fn resume(&mut self, now: Timestamp) {
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
        for publication in self.state.incidents.values_mut() {
            publication.resume(now);
            if self.timing.idempotent {
                publication.resend(now);
            }
        }
    }

    /// Wants one more step of an incident. One that is known already is not wanted again.
    pub fn push(&mut self, action: Action) -> Option<Notice> {
        if action.sequence <= self.state.seen(&action.incident) {
            return None;
        }
        self.state.latest = self.state.latest.max(Some(action.at));
        let new = self.state.recall(&action.incident).is_none();
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

    /// The request to make now, if one is due and none is under way.
    ///
    /// 1. At most one request of a lane is in flight, and two are spaced.
    /// 2. A new incident goes before the end of one, that before other updates, that before tidying.
    /// 3. Among equals, what has waited longest.
    pub fn next(&mut self, now: Timestamp) -> Option<Attempt> {
        if self.state.in_flight.is_some() || now < self.state.lane.until() {
            return None;
        }
        let due = self
            .plans()
            .filter(|(_, plan)| plan.at <= now)
            .min_by(|(a_key, a), (b_key, b)| {
                (a.urgency, a.since, a_key).cmp(&(b.urgency, b.since, b_key))
            })
            .map(|(key, plan)| (key.clone(), plan));
        let Some((key, plan)) = due else {
            return self.begin_reading(now).or_else(|| self.begin_sweep(now));
        };
        let new = self.state.incidents.get(&key).is_some_and(Publication::is_new);
        let looks = !self.timing.idempotent;
        let unseen = looks && new && plan.errand == Errand::Write && !self.is_clear(&key, now);
        let plan = if unseen { Plan { errand: Errand::Survey, ..plan } } else { plan };
        let request = self.request(&key, &plan.errand, now)?;
        self.state.last_attempt += 1;
        let id = AttemptId(self.state.last_attempt);
        self.state.in_flight = Some(InFlight { id, at: now, key, errand: plan.errand });
        Some(Attempt { id, at: now, request })
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
            // The engine is told, and not the outbox.
            Errand::Announcements => Vec::new(),
        });
        match flight.errand {
            Errand::Announcements => self.end_reading(now),
            _ if flight.key == sweep::all() => self.end_sweep(now),
            _ => {}
        }
        self.respect(&notices, now);
        self.clear_away();
        notices
    }

    /// Remembers little more than the names of incidents that are done with.
    fn clear_away(&mut self) {
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
    }

    /// When to ask for the next attempt; `None` while one is in flight or nothing is wanted.
    pub fn next_wakeup(&self) -> Option<Wakeup> {
        if self.state.in_flight.is_some() {
            return None;
        }
        let word = self.next_word().map(|at| Wakeup { at, reason: WakeReason::Say });
        word.into_iter().chain(self.next_request()).min_by_key(|wakeup| wakeup.at)
    }

    fn next_request(&self) -> Option<Wakeup> {
        let sweep = self.sweep_at().map(|at| (at, Errand::Sweep));
        let reading = self.reading_at().map(|at| (at, Errand::Announcements));
        let plans = self.plans().map(|(_, plan)| (plan.at, plan.errand));
        let (at, errand) = plans.chain(sweep).chain(reading).min_by_key(|(at, _)| *at)?;
        let lane = self.state.lane.until();
        let reason = match errand {
            _ if lane > at => WakeReason::Lane,
            Errand::Write | Errand::Repeat => WakeReason::Write,
            Errand::Look
            | Errand::Sweep
            | Errand::Components
            | Errand::Survey
            | Errand::Announcements => WakeReason::Look,
            Errand::Retire(_) => WakeReason::Tidy,
        };
        Some(Wakeup { at: at.max(lane), reason })
    }

    /// How many steps are not known to be published; steps that were joined count as one, and of
    /// what a person has none does.
    pub fn pending(&self) -> usize {
        self.led().map(|publication| publication.steps().count()).sum()
    }

    /// When the oldest of them was decided.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.led().flat_map(Publication::steps).map(|step| step.since).min()
    }

    fn led(&self) -> impl Iterator<Item = &Publication> {
        self.state.incidents.values().filter(|publication| publication.detached().is_none())
    }

    /// How many steps were ever given up because the API refused them.
    pub fn abandoned(&self) -> u64 {
        self.state.abandoned
    }

    /// What is to be saved.
    pub fn state(&self) -> &State {
        &self.state
    }

    fn plans(&self) -> impl Iterator<Item = (&IncidentKey, Plan)> {
        let incidents = self.state.incidents.iter();
        incidents.filter_map(|(key, publication)| Some((key, publication.plan()?)))
    }

    fn request(&mut self, key: &IncidentKey, errand: &Errand, now: Timestamp) -> Option<Request> {
        let publication = self.state.incidents.get_mut(key)?;
        let key = key.clone();
        Some(match (errand, publication.remote.clone()) {
            (Errand::Write, remote) => {
                let applied = publication.applied;
                let expect = publication.standing().cloned();
                let modes = self.publishing.modes;
                let step = publication.begin(now)?;
                let mut payload = step.payload(&key, &self.install, applied, &self.state.unlisted);
                payload.notify = modes.of(payload.impact) == Mode::Full;
                match remote {
                    Some(remote) => Request::Update { remote, payload, expect },
                    None => Request::Create(payload),
                }
            }
            (Errand::Repeat, remote) => {
                let step = publication.repeated_step()?;
                let payload = step.payload(&key, &self.install, 0, &self.state.unlisted);
                Request::Update { remote: remote?, payload, expect: None }
            }
            (Errand::Look, Some(remote)) => Request::Read { remote, key },
            (Errand::Look, None) | (Errand::Sweep, _) => Request::Find { key },
            (Errand::Components, _) => Request::Components,
            (Errand::Survey, _) => Request::Survey,
            (Errand::Announcements, _) => Request::Announcements,
            (Errand::Retire(stray), _) => {
                publication.retiring(stray);
                Request::Retire { remote: stray.clone(), key }
            }
        })
    }

    /// Slows the lane down after trouble that is the API's as a whole, and says so.
    fn pace(&mut self, flight: &InFlight, outcome: &Outcome, now: Timestamp) -> Vec<Notice> {
        let timing = &self.timing;
        let write = matches!(flight.errand, Errand::Write | Errand::Retire(_));
        let first = timing.first_retry;
        // What is only asked now and then need not be had, and must not delay what is told.
        if flight.errand == Errand::Announcements && !matches!(outcome, Outcome::RateLimited { .. })
        {
            return Vec::new();
        }
        let (trouble, detail, first) = match outcome {
            Outcome::NotSent { detail } => (Trouble::NotSent, detail.clone(), first),
            Outcome::Uncertain { detail } => (Trouble::Uncertain, detail.clone(), first),
            Outcome::RateLimited { .. } => (Trouble::RateLimited, String::new(), first),
            Outcome::Unauthorized { detail } => {
                (Trouble::Unauthorized, detail.clone(), timing.unauthorized)
            }
            // Where the API has no such list there is nothing to wait for.
            Outcome::Rejected { .. }
                if flight.errand == Errand::Survey || flight.key == sweep::all() =>
            {
                self.state.lane.succeed();
                return Vec::new();
            }
            Outcome::Rejected { status, detail } if !write => {
                (Trouble::Refused, format!("status {status}: {detail}"), timing.unauthorized)
            }
            Outcome::Done { .. }
            | Outcome::Rejected { .. }
            | Outcome::Gone
            | Outcome::Differs(_)
            | Outcome::Found(_)
            | Outcome::Surveyed(_)
            | Outcome::Announced(_)
            | Outcome::Listed(_) => {
                self.state.lane.succeed();
                return Vec::new();
            }
        };
        if let Outcome::RateLimited { retry_after: Some(wait) } = outcome {
            // It said when: nothing to guess. But not for ever, whatever it said.
            self.state.lane.hold(now + (*wait).min(Span::from_secs(3_600)));
        } else {
            self.state.lane.fail(now, first, timing.longest_retry, &self.install);
        }
        let at = self.state.lane.until();
        vec![Notice::Retry { incident: flight.key.clone(), trouble, detail, at }]
    }

    fn written(&mut self, key: &IncidentKey, outcome: Outcome, now: Timestamp) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        let timing = &self.timing;
        match outcome {
            Outcome::Done { remote, standing } => {
                publication.done(key, (remote, standing), timing, now)
            }
            Outcome::Differs(remote) => self.differed(key, &remote, now),
            Outcome::NotSent { .. }
            | Outcome::RateLimited { .. }
            | Outcome::Unauthorized { .. } => {
                publication.unsent();
                Vec::new()
            }
            Outcome::Gone if publication.remote.is_some() => {
                publication.missing(now);
                Vec::new()
            }
            Outcome::Gone => self.refused(key, 404, "not found".to_owned(), now),
            Outcome::Rejected { status, detail } => self.refused(key, status, detail, now),
            Outcome::Uncertain { .. } if timing.idempotent => {
                publication.unsent();
                Vec::new()
            }
            // Lists are no answer to a write: whoever answered, nobody can tell.
            Outcome::Uncertain { .. }
            | Outcome::Found(_)
            | Outcome::Surveyed(_)
            | Outcome::Announced(_)
            | Outcome::Listed(_) => {
                publication.doubt(key, timing, now);
                Vec::new()
            }
        }
    }

    fn repeated(&mut self, key: &IncidentKey, outcome: &Outcome, now: Timestamp) -> Vec<Notice> {
        let well = matches!(outcome, Outcome::Done { .. });
        let every = self.timing.repeat.filter(|_| well).unwrap_or(self.timing.first_retry);
        if let Some(publication) = self.state.incidents.get_mut(key) {
            publication.repeat_again(now + every);
        }
        Vec::new()
    }

    /// A refusal may be for a component that was deleted; otherwise it stands.
    fn refused(
        &mut self,
        key: &IncidentKey,
        status: u16,
        detail: String,
        now: Timestamp,
    ) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        publication.refused(status, detail);
        let unlisted = &self.state.unlisted;
        let suspects = publication
            .held()
            .is_some_and(|step| step.components.keys().any(|id| !unlisted.contains(id)));
        if suspects && matches!(status, 400 | 404 | 422) {
            return Vec::new();
        }
        self.refusal(key, now)
    }

    fn refusal(&mut self, key: &IncidentKey, now: Timestamp) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        let notice = publication.refusal(key, &self.timing, now);
        if let Some(Notice::Rejected { given_up: true, .. }) = notice {
            self.state.abandoned += 1;
        }
        notice.into_iter().collect()
    }

    fn looked(&mut self, flight: &InFlight, outcome: Outcome, now: Timestamp) -> Vec<Notice> {
        let key = &flight.key;
        let remote = self.state.incidents.get(key).and_then(|p| p.remote.clone());
        let whole = flight.errand == Errand::Sweep || remote.is_none();
        let notices = match (outcome, remote) {
            (Outcome::Found(remotes), _) => self.settle(remotes, whole, now),
            (Outcome::Gone, Some(_)) if !whole => {
                self.detach(key, Foreign::Gone, now).into_iter().collect()
            }
            _ => Vec::new(),
        };
        // Whatever was answered, the same question is not asked again at once.
        if let Some(publication) = self.state.incidents.get_mut(key) {
            publication.not_before(now + self.timing.look_again, now);
        }
        notices
    }

    /// Holds what the API has against what we know. A whole list settles the doubts of every
    /// incident; one that was read settles its own.
    fn settle(&mut self, mut remotes: Vec<Remote>, whole: bool, now: Timestamp) -> Vec<Notice> {
        remotes.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
        let mut listed: BTreeMap<&IncidentKey, Vec<&Remote>> = BTreeMap::new();
        for remote in &remotes {
            listed.entry(&remote.key).or_default().push(remote);
        }
        let mut notices = Vec::new();
        for (key, publication) in &mut self.state.incidents {
            match listed.get(key) {
                Some(remotes) => notices.extend(publication.found(key, remotes, &self.timing, now)),
                None if whole => notices.extend(publication.not_found(key, &self.timing, now)),
                None => {}
            }
            if whole {
                publication.swept(now);
            }
        }
        if whole {
            notices.extend(self.orphans(&remotes, now));
        }
        notices
    }

    fn listed(&mut self, key: &IncidentKey, outcome: Outcome, now: Timestamp) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        match outcome {
            Outcome::Listed(known) => {
                let unknown: Vec<_> = publication
                    .held()
                    .into_iter()
                    .flat_map(|step| step.components.keys())
                    .filter(|id| !known.contains(*id) && !self.state.unlisted.contains(*id))
                    .cloned()
                    .collect();
                if unknown.is_empty() {
                    return self.refusal(key, now);
                }
                self.state.unlisted.extend(unknown.iter().cloned());
                publication.unsent();
                vec![Notice::Unlisted { components: unknown }]
            }
            Outcome::Rejected { .. } | Outcome::Gone => self.refusal(key, now),
            Outcome::Done { .. }
            | Outcome::NotSent { .. }
            | Outcome::Uncertain { .. }
            | Outcome::RateLimited { .. }
            | Outcome::Unauthorized { .. }
            | Outcome::Differs(_)
            | Outcome::Surveyed(_)
            | Outcome::Announced(_)
            | Outcome::Found(_) => {
                publication.ask_later(now + self.timing.look_again);
                Vec::new()
            }
        }
    }

    fn retired(&mut self, key: &IncidentKey, outcome: Outcome, now: Timestamp) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        match outcome {
            // A duplicate that a person has is left to them.
            Outcome::Done { .. } | Outcome::Gone | Outcome::Differs(_) => Vec::new(),
            Outcome::Rejected { status, detail } => {
                let sequence = publication.applied;
                let incident = key.clone();
                vec![Notice::Rejected { incident, sequence, status, detail, given_up: true }]
            }
            Outcome::NotSent { .. }
            | Outcome::Uncertain { .. }
            | Outcome::RateLimited { .. }
            | Outcome::Unauthorized { .. }
            | Outcome::Found(_)
            | Outcome::Surveyed(_)
            | Outcome::Announced(_)
            | Outcome::Listed(_) => {
                // Looking again finds it resolved, or puts it back on the list.
                publication.sweep_again(now + self.timing.look_again);
                Vec::new()
            }
        }
    }
}
