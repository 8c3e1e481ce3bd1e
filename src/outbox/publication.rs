//! One incident on its way to the status page: what is wanted, what is known of the remote side,
//! and which of the two questions is open.

mod components;
mod person;
mod restart;
mod search;
mod write;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{Action, ActionKind, ComponentId, ComponentStatus, Timestamp};

use super::backoff::Backoff;
use super::draft::Draft;
use super::gate::Gate;
use super::plan::{Errand, Plan, Urgency};
use super::step::{Step, fold};
use super::{RemoteId, Standing};

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
    /// What its components should show where only they are set.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    sets: BTreeMap<ComponentId, ComponentStatus>,
    /// What has to be said again and again while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    repeat: Option<Repeat>,
    /// When it was first known to stand on the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) published_at: Option<Timestamp>,
    /// The draft of its postmortem, until that is where it belongs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) draft: Option<Draft>,
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
    pub(super) fn push(&mut self, mut action: Action) {
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
        self.draft = action.account.take().map(Draft::new);
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
                .or_else(|| {
                    let due = self.over && self.remote.is_some();
                    let draft = self.draft.as_ref().filter(|_| due)?;
                    plan(draft.at, Urgency::Draft, draft.at, Errand::Draft)
                })
        }
    }

    fn urgency(&self, step: &Step) -> Urgency {
        match (&self.remote, step.kind) {
            (None, _) => Urgency::Create,
            (Some(_), ActionKind::Resolve) => Urgency::Resolve,
            (Some(_), ActionKind::Open | ActionKind::Update) => Urgency::Update,
        }
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

    /// Whether what is still to be said of it comes before what is written of `other`:
    ///
    /// 1. They are about a component that both hold, one after the other.
    /// 2. What the API refuses, and what is a person's or held back, is not waited for.
    /// 3. One that ends comes before one that goes on, as that took the component over, and before
    ///    one that ends later.
    /// 4. Of two that go on, the elder is opened first.
    pub(super) fn goes_before(&self, other: &Self) -> bool {
        let shares = self.holds.iter().any(|component| other.holds.contains(component));
        let moves = self.detached.is_none() && self.gate.is_open() && self.rejections == 0;
        let refused = matches!(self.stage, Stage::Refused { .. });
        if !shares || !moves || refused || self.steps().next().is_none() {
            return false;
        }
        match (self.end(), other.end()) {
            (Some(end), Some(later)) => (end, self.wanted_at) < (later, other.wanted_at),
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => other.is_new() && self.wanted_at < other.wanted_at,
        }
    }

    /// When the end that is still to be said was decided.
    fn end(&self) -> Option<Timestamp> {
        self.steps().last().filter(|step| step.kind == ActionKind::Resolve).map(|step| step.at)
    }

    /// Whether what it needs next is to be written.
    pub(super) fn writes_next(&self) -> bool {
        self.settled() && !self.waiting.is_empty()
    }

    /// Whether it is open on the page as far as is known, or may be, and farol leads it.
    pub(super) fn stands(&self) -> bool {
        let sent = matches!(self.stage, Stage::Sending { .. } | Stage::Doubtful { .. });
        !self.over && self.detached.is_none() && (self.remote.is_some() || sent || self.repeated)
    }

    /// It is led on another page from here on, where nothing of it stands.
    pub(super) fn move_away(&mut self) {
        let mut waiting: Vec<Step> = self.release().into_iter().collect();
        waiting.append(&mut self.waiting);
        let Self { seen, wanted_at, told_old, .. } = *self;
        let (gate, holds) = (self.gate.clone(), std::mem::take(&mut self.holds));
        let (over, approved) = (self.over, self.approved);
        let sets = std::mem::take(&mut self.sets);
        let fresh =
            Self { seen, wanted_at, told_old, gate, holds, over, approved, ..Self::default() };
        *self = Self { waiting, sets, ..fresh };
        self.waiting = fold(self.renamed());
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
