//! A step on its way out: it leaves, and stands on the page, or did not leave, or may have, or is
//! refused.

use crate::model::{ActionKind, IncidentKey, Timestamp};

use super::{Doubt, Publication, Repeat, Stage};
use crate::outbox::step::Step;
use crate::outbox::{Notice, RemoteId, Standing, Timing};

impl Publication {
    /// Takes the first waiting step for sending.
    pub(in crate::outbox) fn begin(&mut self, now: Timestamp) -> Option<&Step> {
        if self.waiting.is_empty() {
            return None;
        }
        self.stage = Stage::Sending { step: self.waiting.remove(0), since: now };
        self.held()
    }

    /// The write was applied, to `remote`, which stands like `seen` now.
    pub(in crate::outbox) fn done(
        &mut self,
        key: &IncidentKey,
        (remote, seen): (RemoteId, Option<Standing>),
        timing: &Timing,
        now: Timestamp,
    ) -> Vec<Notice> {
        let Some(step) = self.release() else { return Vec::new() };
        if self.remote.is_none() && self.repeated {
            self.sweep_at = Some(now + timing.sweep);
        }
        self.remote = Some(remote.clone());
        let every = timing.repeat.filter(|_| step.kind != ActionKind::Resolve);
        self.repeat = every.map(|every| Repeat { step: step.clone(), at: now + every });
        let foreign = self.remember(&step, seen);
        let mut notices = vec![self.confirm(key, &step, remote, now)];
        notices.extend(foreign.and_then(|why| self.detach(key, why, now)));
        notices
    }

    pub(super) fn confirm(
        &mut self,
        key: &IncidentKey,
        step: &Step,
        remote: RemoteId,
        now: Timestamp,
    ) -> Notice {
        self.applied = self.applied.max(step.sequence);
        self.published_at.get_or_insert(now);
        self.over = step.kind == ActionKind::Resolve;
        self.rejections = 0;
        self.backoff.clear();
        Notice::Published {
            incident: key.clone(),
            sequence: step.sequence,
            remote,
            delay: now.since(step.at).into(),
        }
    }

    /// The write was certainly not applied: it waits again.
    pub(in crate::outbox) fn unsent(&mut self) {
        if let Some(step) = self.release() {
            self.queue(step, true);
        }
    }

    /// The write may have been applied.
    pub(in crate::outbox) fn doubt(&mut self, key: &IncidentKey, timing: &Timing, now: Timestamp) {
        if let Stage::Sending { step, since } = std::mem::take(&mut self.stage) {
            self.backoff.fail(now, timing.first_retry, timing.longest_retry, key.as_str());
            self.stage = Stage::Doubtful { step, doubt: Doubt::since(since, now) };
        }
    }

    /// The API says that the incident it should update is not there. It may mean a component.
    pub(in crate::outbox) fn missing(&mut self, now: Timestamp) {
        if let Stage::Sending { step, since } = std::mem::take(&mut self.stage) {
            let doubt = Doubt { gone: true, ..Doubt::since(since, now) };
            self.stage = Stage::Doubtful { step, doubt };
        }
    }

    /// The API refused the write. Whether it is for a component is to be asked, if it may be.
    pub(in crate::outbox) fn refused(&mut self, status: u16, detail: String) {
        if let Some(step) = self.release() {
            self.stage = Stage::Refused { step, status, detail };
        }
    }

    /// The refusal stands. The step is tried again later, since what is wrong may be mended, but
    /// not for ever.
    pub(in crate::outbox) fn refusal(
        &mut self,
        key: &IncidentKey,
        timing: &Timing,
        now: Timestamp,
    ) -> Option<Notice> {
        let (step, status, detail) = match std::mem::take(&mut self.stage) {
            Stage::Refused { step, status, detail } => (step, status, detail),
            other @ (Stage::Settled
            | Stage::Sending { .. }
            | Stage::Doubtful { .. }
            | Stage::Unsure { .. }) => {
                self.stage = other;
                return None;
            }
        };
        self.rejections = self.rejections.saturating_add(1);
        // The end of what stands there is never given up: the page would show an outage for ever.
        // But where one refusal is enough, another try would be refused as well.
        let final_at_once = timing.rejections <= 1;
        let must_end = step.kind == ActionKind::Resolve && self.remote.is_some() && !final_at_once;
        let given_up = self.rejections >= timing.rejections && !must_end;
        let sequence = step.sequence;
        if given_up {
            self.rejections = 0;
            self.backoff.clear();
            self.over = step.kind == ActionKind::Resolve;
            self.repeat = self.repeat.take().filter(|_| !self.over);
        } else {
            self.backoff.fail(now, timing.rejected, timing.longest_retry, key.as_str());
            self.queue(step, true);
        }
        Some(Notice::Rejected { incident: key.clone(), sequence, status, detail, given_up })
    }

    /// The question about components failed: it is asked again later.
    pub(in crate::outbox) fn ask_later(&mut self, later: Timestamp) {
        self.backoff.hold(later);
    }
}
