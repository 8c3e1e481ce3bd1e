//! One incident on its way to the status page: what is wanted, what is known of the remote side,
//! and which of the two questions is open.

mod person;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::{Action, ActionKind, ComponentId, IncidentKey, IncidentStatus, Timestamp};

use super::backoff::Backoff;
use super::gate::Gate;
use super::plan::{Errand, Plan, Urgency};
use super::step::{Step, fold};
use super::{Notice, Remote, RemoteId, Standing, Timing};

use person::{Detached, Wait};

/// One incident. A step is in exactly one place: waiting, or in the stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Publication {
    /// The highest sequence that was ever pushed: what is not higher is known.
    pub(super) seen: u32,
    /// The highest sequence that stands on the page, as far as is known.
    pub(super) applied: u32,
    /// The incident's id at the API, once that is certain.
    pub(super) remote: Option<RemoteId>,
    /// What is still to be written, joined as far as may be.
    waiting: Vec<Step>,
    stage: Stage,
    backoff: Backoff,
    /// Refusals since the wanted state last changed.
    rejections: u32,
    /// A create was repeated: the first may yet turn up.
    repeated: bool,
    /// When to look whether it did.
    sweep_at: Option<Timestamp>,
    /// Superfluous incidents with this key, to be resolved.
    strays: Vec<RemoteId>,
    /// The resolution is published, or given up: once nothing else is open, this is done with.
    over: bool,
    /// How it stands on the page, as far as is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    /// It is a person's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detached: Option<Detached>,
    /// It is new, and has to wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wait: Option<Wait>,
    /// When it was first wanted, and whether it was told that it is old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    wanted_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    told_old: bool,
    /// Whether it may be opened.
    #[serde(default, skip_serializing_if = "Gate::is_open")]
    pub(super) gate: Gate,
    /// A person, or the time, let it pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) approved: bool,
    /// The components that its latest step was about.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    holds: BTreeSet<ComponentId>,
    /// What has to be said again and again while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat: Option<Repeat>,
}

/// What is said again, and when next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Repeat {
    step: Step,
    at: Timestamp,
}

/// What is open between us and the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    /// Nothing is.
    #[default]
    Settled,
    /// A write is in flight.
    Sending { step: Step, since: Timestamp },
    /// A write may or may not have been applied.
    Doubtful { step: Step, doubt: Doubt },
    /// A create never left, but the saved state may be older than the last thing that was done:
    /// one look before it leaves.
    Unsure { look_at: Timestamp },
    /// The API refused a step, and is asked whether it knows the components.
    Refused { step: Step, status: u16, detail: String },
}

/// What is known of a write in doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Doubt {
    /// When the write was begun.
    sent_at: Timestamp,
    /// When to look, or to look again.
    look_at: Timestamp,
    /// When it was first looked for in vain.
    missed_at: Option<Timestamp>,
    /// The API said that the incident is not there.
    gone: bool,
}

impl Publication {
    /// An incident that was done with and is wanted again.
    pub(super) fn revived(seen: u32, remote: Option<RemoteId>) -> Self {
        Self { seen, applied: seen, remote, ..Self::default() }
    }

    /// Wants one more step.
    pub(super) fn push(&mut self, action: Action) {
        self.seen = action.sequence;
        // What was refused is another request now: it need not wait out its punishment.
        if self.rejections > 0 {
            self.rejections = 0;
            self.backoff.clear();
        }
        self.over = false;
        self.wanted_at.get_or_insert(action.at);
        self.holds = action.components.keys().cloned().collect();
        // People had it from its beginning to its end: there is nothing to tell them.
        if action.kind == ActionKind::Resolve && self.wait.is_some() && self.is_new() {
            self.waiting.clear();
            self.over = true;
            return;
        }
        self.queue(Step::from(action), false);
        if self.detached.is_some() {
            self.condense();
        }
    }

    /// What the incident needs next, if anything.
    pub(super) fn plan(&self) -> Option<Plan> {
        let plan = |at, urgency, since, errand| Some(Plan { at, urgency, since, errand });
        if self.detached.is_some() || !self.gate.is_open() {
            return None;
        }
        match &self.stage {
            Stage::Sending { .. } => return None,
            Stage::Doubtful { step, doubt } => {
                return plan(doubt.look_at, self.urgency(step), step.since, Errand::Look);
            }
            Stage::Unsure { look_at } => {
                return plan(*look_at, Urgency::Create, *look_at, Errand::Look);
            }
            Stage::Refused { step, .. } => {
                let at = self.backoff.until();
                return plan(at, self.urgency(step), step.since, Errand::Components);
            }
            Stage::Settled => {}
        }
        if let Some(step) = self.waiting.first() {
            let wait = self.wait.as_ref().filter(|_| self.remote.is_none());
            let at = wait.map_or(Timestamp::EPOCH, |wait| wait.until).max(self.backoff.until());
            plan(at, self.urgency(step), step.since, Errand::Write)
        } else if let Some(stray) = self.strays.first() {
            let errand = Errand::Retire(stray.clone());
            plan(self.backoff.until(), Urgency::Tidy, self.backoff.until(), errand)
        } else {
            let repeat = self.repeat.as_ref();
            repeat
                .and_then(|it| plan(it.at, Urgency::Tidy, it.at, Errand::Repeat))
                .or_else(|| self.sweep_at.and_then(|at| plan(at, Urgency::Tidy, at, Errand::Sweep)))
        }
    }

    fn urgency(&self, step: &Step) -> Urgency {
        match (&self.remote, step.kind) {
            (None, _) => Urgency::Create,
            (Some(_), ActionKind::Resolve) => Urgency::Resolve,
            (Some(_), ActionKind::Open | ActionKind::Update) => Urgency::Update,
        }
    }

    /// Takes the first waiting step for sending.
    pub(super) fn begin(&mut self, now: Timestamp) -> Option<&Step> {
        if self.waiting.is_empty() {
            return None;
        }
        self.stage = Stage::Sending { step: self.waiting.remove(0), since: now };
        self.held()
    }

    /// The step that is in the stage.
    pub(super) fn held(&self) -> Option<&Step> {
        match &self.stage {
            Stage::Sending { step, .. }
            | Stage::Doubtful { step, .. }
            | Stage::Refused { step, .. } => Some(step),
            Stage::Settled | Stage::Unsure { .. } => None,
        }
    }

    /// The write was applied, to `remote`, which stands like `seen` now.
    pub(super) fn done(
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

    fn confirm(
        &mut self,
        key: &IncidentKey,
        step: &Step,
        remote: RemoteId,
        now: Timestamp,
    ) -> Notice {
        self.applied = self.applied.max(step.sequence);
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
    pub(super) fn unsent(&mut self) {
        if let Some(step) = self.release() {
            self.queue(step, true);
        }
    }

    /// The write may have been applied.
    pub(super) fn doubt(&mut self, key: &IncidentKey, timing: &Timing, now: Timestamp) {
        if let Stage::Sending { step, since } = std::mem::take(&mut self.stage) {
            self.backoff.fail(now, timing.first_retry, timing.longest_retry, key.as_str());
            self.stage = Stage::Doubtful { step, doubt: Doubt::since(since, now) };
        }
    }

    /// The API says that the incident it should update is not there. It may mean a component.
    pub(super) fn missing(&mut self, now: Timestamp) {
        if let Stage::Sending { step, since } = std::mem::take(&mut self.stage) {
            let doubt = Doubt { gone: true, ..Doubt::since(since, now) };
            self.stage = Stage::Doubtful { step, doubt };
        }
    }

    /// The API refused the write. Whether it is for a component is to be asked, if it may be.
    pub(super) fn refused(&mut self, status: u16, detail: String) {
        if let Some(step) = self.release() {
            self.stage = Stage::Refused { step, status, detail };
        }
    }

    /// The refusal stands. The step is tried again later, since what is wrong may be mended, but
    /// not for ever.
    pub(super) fn refusal(
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

    /// A question that is still open and due is not asked before `later`, so that other incidents
    /// get their turn.
    pub(super) fn not_before(&mut self, later: Timestamp, now: Timestamp) {
        let postpone = |at: Timestamp| if at <= now { later } else { at };
        match &mut self.stage {
            Stage::Doubtful { doubt, .. } => doubt.look_at = postpone(doubt.look_at),
            Stage::Unsure { look_at } => *look_at = postpone(*look_at),
            Stage::Settled | Stage::Sending { .. } | Stage::Refused { .. } => {}
        }
        self.sweep_at = self.sweep_at.map(postpone);
    }

    /// The question about components failed: it is asked again later.
    pub(super) fn ask_later(&mut self, later: Timestamp) {
        self.backoff.hold(later);
    }

    /// The incident is listed at the API, perhaps more than once; `listed` is never empty and its
    /// eldest is first.
    pub(super) fn found(
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
    pub(super) fn not_found(
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
    pub(super) fn swept(&mut self, now: Timestamp) {
        self.sweep_at = self.sweep_at.filter(|at| *at > now);
    }

    /// A duplicate is being resolved; unless it turns out well it is looked for again.
    pub(super) fn retiring(&mut self, stray: &RemoteId) {
        self.strays.retain(|other| other != stray);
    }

    /// Nobody can tell whether a duplicate was resolved.
    pub(super) fn sweep_again(&mut self, at: Timestamp) {
        self.sweep_at = Some(self.sweep_at.map_or(at, |planned| planned.min(at)));
    }

    /// The process was restarted: what was in flight is in doubt, and what never left is looked
    /// for before it does. Waits are forgotten, since the configuration may have been mended.
    pub(super) fn resume(&mut self, now: Timestamp) {
        self.backoff.clear();
        self.rejections = 0;
        // Saved times may have been read from a clock that was ahead.
        self.sweep_at = self.sweep_at.map(|at| at.min(now));
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Sending { step, since } => {
                Stage::Doubtful { step, doubt: Doubt::since(since.min(now), now) }
            }
            Stage::Doubtful { step, doubt } => {
                let sent_at = doubt.sent_at.min(now);
                let missed_at = doubt.missed_at.filter(|at| *at <= now);
                Stage::Doubtful { step, doubt: Doubt { sent_at, look_at: now, missed_at, ..doubt } }
            }
            Stage::Settled | Stage::Unsure { .. }
                if self.remote.is_none() && !self.waiting.is_empty() =>
            {
                Stage::Unsure { look_at: now }
            }
            Stage::Settled | Stage::Unsure { .. } => Stage::Settled,
            refused @ Stage::Refused { .. } => refused,
        };
    }

    /// After a restart, where a write may be made twice: what is in doubt is written again, and
    /// nothing is looked for.
    pub(super) fn resend(&mut self, now: Timestamp) {
        self.stage = match std::mem::take(&mut self.stage) {
            Stage::Doubtful { step, .. } | Stage::Sending { step, .. } => {
                self.queue(step, true);
                Stage::Settled
            }
            Stage::Settled | Stage::Unsure { .. } => Stage::Settled,
            refused @ Stage::Refused { .. } => refused,
        };
        if let Some(repeat) = &mut self.repeat {
            repeat.at = repeat.at.min(now);
        }
    }

    /// What is to be said again.
    pub(super) fn repeated_step(&self) -> Option<&Step> {
        self.repeat.as_ref().map(|repeat| &repeat.step)
    }

    /// It is said again at `at`.
    pub(super) fn repeat_again(&mut self, at: Timestamp) {
        if let Some(repeat) = &mut self.repeat {
            repeat.at = at;
        }
    }

    /// Whether nothing will ever be needed again, but for a step that is not expected.
    pub(super) fn is_done(&self) -> bool {
        let left = self.is_left();
        left || self.over && self.detached.is_none() && self.plan().is_none() && self.settled()
    }

    fn settled(&self) -> bool {
        self.stage == Stage::Settled
    }

    /// The steps that are not known to be published.
    pub(super) fn steps(&self) -> impl Iterator<Item = &Step> {
        self.held().into_iter().chain(&self.waiting)
    }

    fn release(&mut self) -> Option<Step> {
        match std::mem::take(&mut self.stage) {
            Stage::Sending { step, .. }
            | Stage::Doubtful { step, .. }
            | Stage::Refused { step, .. } => Some(step),
            Stage::Settled | Stage::Unsure { .. } => None,
        }
    }

    fn queue(&mut self, step: Step, first: bool) {
        let position = if first { 0 } else { self.waiting.len() };
        self.waiting.insert(position, step);
        self.waiting = fold(self.renamed());
    }

    /// The waiting steps, the first of them called what it has become: an opening of an incident
    /// that exists is an update, and an update of one that does not is its opening.
    fn renamed(&mut self) -> Vec<Step> {
        let mut waiting = std::mem::take(&mut self.waiting);
        let opened = self.remote.is_some() || self.held().is_some();
        if let Some(first) = waiting.first_mut().filter(|first| first.kind != ActionKind::Resolve) {
            first.kind = if opened { ActionKind::Update } else { ActionKind::Open };
        }
        waiting
    }
}

impl Doubt {
    fn since(sent_at: Timestamp, now: Timestamp) -> Self {
        Self { sent_at, look_at: now, missed_at: None, gone: false }
    }
}

fn reconciled(key: &IncidentKey, step: &Step, applied: bool) -> Notice {
    Notice::Reconciled { incident: key.clone(), sequence: step.sequence, applied }
}
