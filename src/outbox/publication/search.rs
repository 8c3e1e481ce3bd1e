//! Looking for what is in doubt, and for what may stand there twice.

use crate::model::{IncidentKey, IncidentStatus, Timestamp};

use super::{Doubt, Publication, Stage};
use crate::outbox::step::{Step, fold};
use crate::outbox::{Notice, Remote, RemoteId, Timing};

impl Publication {
    /// A question that is still open and due is not asked before `later`, so that other incidents
    /// get their turn.
    pub(in crate::outbox) fn not_before(&mut self, later: Timestamp, now: Timestamp) {
        let postpone = |at: Timestamp| if at <= now { later } else { at };
        match &mut self.stage {
            Stage::Doubtful { doubt, .. } => doubt.look_at = postpone(doubt.look_at),
            Stage::Unsure { look_at } => *look_at = postpone(*look_at),
            Stage::Settled | Stage::Sending { .. } | Stage::Refused { .. } => {}
        }
        self.sweep_at = self.sweep_at.map(postpone);
    }

    /// The incident is listed at the API, perhaps more than once; `listed` is never empty and its
    /// eldest is first.
    pub(in crate::outbox) fn found(
        &mut self,
        key: &IncidentKey,
        listed: &[&Remote],
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Notice> {
        let mut notices = Vec::new();
        if self.detached.is_some() {
            return notices;
        }
        if self.remote.is_none() {
            self.remote = listed.first().map(|eldest| eldest.id.clone());
        }
        for remote in listed {
            if Some(&remote.id) == self.remote.as_ref() {
                notices.extend(self.recognise(key, remote, timing, now));
            } else if remote.status != Some(IncidentStatus::Resolved)
                && !self.strays.contains(&remote.id)
            {
                self.strays.push(remote.id.clone());
                let remote = remote.id.clone();
                notices.push(Notice::Duplicate { incident: key.clone(), remote });
            }
        }
        notices
    }

    /// Our incident stands at the API with `remote.sequence` applied.
    fn recognise(
        &mut self,
        key: &IncidentKey,
        remote: &Remote,
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Notice> {
        let foreign = self.compare(remote);
        self.applied = self.applied.max(remote.sequence);
        let stage = std::mem::take(&mut self.stage);
        let waiting = std::mem::take(&mut self.waiting);
        let (stood, rest): (Vec<_>, Vec<_>) =
            waiting.into_iter().partition(|step| step.sequence <= self.applied);
        self.waiting = rest;
        let mut notices: Vec<Notice> =
            stood.iter().map(|step| self.confirm(key, step, remote.id.clone(), now)).collect();
        match stage {
            Stage::Doubtful { step, .. } if step.sequence <= self.applied => {
                notices.push(reconciled(key, &step, true));
                notices.push(self.confirm(key, &step, remote.id.clone(), now));
            }
            Stage::Doubtful { step, doubt } if doubt.gone => {
                // The incident is there after all: what is missing is something else.
                let detail = "not found, though the incident exists".to_owned();
                self.stage = Stage::Refused { step, status: 404, detail };
            }
            Stage::Doubtful { step, doubt } => {
                notices.extend(self.missed(key, step, doubt, timing, now));
            }
            Stage::Settled | Stage::Unsure { .. } => {}
            other @ (Stage::Sending { .. } | Stage::Refused { .. }) => self.stage = other,
        }
        self.waiting = fold(self.renamed());
        notices.extend(foreign.and_then(|why| self.detach(key, why, now)));
        notices
    }

    /// The incident is not listed at the API.
    pub(in crate::outbox) fn not_found(
        &mut self,
        key: &IncidentKey,
        timing: &Timing,
        now: Timestamp,
    ) -> Option<Notice> {
        if self.remote.is_some() {
            // A list may be too short for it; reading it by its id is what tells.
            return None;
        }
        match std::mem::take(&mut self.stage) {
            Stage::Doubtful { step, doubt } => self.missed(key, step, doubt, timing, now),
            Stage::Unsure { .. } => None,
            other @ (Stage::Settled | Stage::Sending { .. } | Stage::Refused { .. }) => {
                self.stage = other;
                None
            }
        }
    }

    /// Looked for, in vain. One look proves nothing: the request may still be on its way, or the
    /// list may lag behind.
    ///
    /// 1. The write is older than any request can be, and
    /// 2. it was missed twice, far enough apart: it was not applied, and is written again.
    /// 3. Otherwise it is looked for again.
    fn missed(
        &mut self,
        key: &IncidentKey,
        step: Step,
        mut doubt: Doubt,
        timing: &Timing,
        now: Timestamp,
    ) -> Option<Notice> {
        let first = *doubt.missed_at.get_or_insert(now);
        let twice = now.since(first) >= timing.looks_apart.to_duration() && first != now;
        if twice && now.since(doubt.sent_at) >= timing.settle.to_duration() {
            let notice = reconciled(key, &step, false);
            self.repeated |= self.remote.is_none();
            self.queue(step, true);
            return Some(notice);
        }
        doubt.look_at = now + timing.look_again;
        self.stage = Stage::Doubtful { step, doubt };
        None
    }

    /// A sweep that was due has been made.
    pub(in crate::outbox) fn swept(&mut self, now: Timestamp) {
        self.sweep_at = self.sweep_at.filter(|at| *at > now);
    }

    /// A duplicate is being resolved; unless it turns out well it is looked for again.
    pub(in crate::outbox) fn retiring(&mut self, stray: &RemoteId) {
        self.strays.retain(|other| other != stray);
    }

    /// Nobody can tell whether a duplicate was resolved.
    pub(in crate::outbox) fn sweep_again(&mut self, at: Timestamp) {
        self.sweep_at = Some(self.sweep_at.map_or(at, |planned| planned.min(at)));
    }
}

fn reconciled(key: &IncidentKey, step: &Step, applied: bool) -> Notice {
    Notice::Reconciled { incident: key.clone(), sequence: step.sequence, applied }
}
