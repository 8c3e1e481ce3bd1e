//! What came of an attempt, and what follows from it.

use std::collections::BTreeMap;

use crate::model::{IncidentKey, Span, Timestamp};

use super::plan::Errand;
use super::state::InFlight;
use super::written::Written;
use super::{Foreign, Notice, Outbox, Outcome, Remote, Trouble, sweep};

impl Outbox {
    /// Slows the lane down after trouble that is the API's as a whole, and says so.
    pub(super) fn pace(
        &mut self,
        flight: &InFlight,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Vec<Notice> {
        // What nobody waits for slows nothing down, unless the API asks for patience.
        if flight.errand == Errand::Draft && !matches!(outcome, Outcome::RateLimited { .. }) {
            return Vec::new();
        }
        let timing = &self.timing;
        let write =
            matches!(flight.errand, Errand::Write | Errand::Retire(_) | Errand::Component(_));
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
            | Outcome::Component(_)
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

    pub(super) fn written(
        &mut self,
        key: &IncidentKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        let timing = &self.timing;
        match outcome.of_write() {
            Written::Applied { remote, standing } => {
                publication.done(key, (remote, standing), timing, now)
            }
            Written::Differs(remote) => self.differed(key, &remote, now),
            Written::Gone if publication.remote.is_some() => {
                publication.missing(now);
                Vec::new()
            }
            Written::Gone => self.refused(key, 404, "not found".to_owned(), now),
            Written::Rejected { status, detail } => self.refused(key, status, detail, now),
            Written::Unknown if !timing.idempotent => {
                publication.doubt(key, timing, now);
                Vec::new()
            }
            Written::Unapplied | Written::Unknown => {
                publication.unsent();
                Vec::new()
            }
        }
    }

    pub(super) fn repeated(
        &mut self,
        key: &IncidentKey,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Vec<Notice> {
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

    pub(super) fn looked(
        &mut self,
        flight: &InFlight,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Notice> {
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

    pub(super) fn listed(
        &mut self,
        key: &IncidentKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        let Outcome::Listed(known) = outcome else {
            return match outcome.of_write() {
                // There is no such list: the refusal stands.
                Written::Rejected { .. } | Written::Gone => self.refusal(key, now),
                Written::Applied { .. }
                | Written::Differs(_)
                | Written::Unapplied
                | Written::Unknown => {
                    publication.ask_later(now + self.timing.look_again);
                    Vec::new()
                }
            };
        };
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

    pub(super) fn retired(
        &mut self,
        key: &IncidentKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        match outcome.of_write() {
            // A duplicate that a person has is left to them.
            Written::Applied { .. } | Written::Gone | Written::Differs(_) => Vec::new(),
            Written::Rejected { status, detail } => {
                let sequence = publication.applied;
                let incident = key.clone();
                vec![Notice::Rejected { incident, sequence, status, detail, given_up: true }]
            }
            Written::Unapplied | Written::Unknown => {
                // Looking again finds it resolved, or puts it back on the list.
                publication.sweep_again(now + self.timing.look_again);
                Vec::new()
            }
        }
    }
}
