//! What belongs to a person: an incident that somebody changed is not written any more, and farol
//! says so privately.

use serde::{Deserialize, Serialize};

use crate::model::{ActionKind, ComponentId, Impact, IncidentKey, IncidentStatus, Span, Timestamp};

use super::{Publication, Stage};
use crate::outbox::standing::Written;
use crate::outbox::step::Step;
use crate::outbox::{Foreign, Notice, Remote, Standing};

/// How long after it stepped back farol says again that it did.
const SAID_AGAIN: [Span; 2] = [Span::from_secs(30 * 60), Span::from_secs(2 * 3_600)];

/// What a new incident waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wait {
    why: Foreign,
    pub(super) until: Timestamp,
    told: bool,
}

/// An incident that farol leaves to people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::outbox) struct Detached {
    /// Why.
    pub(in crate::outbox) why: Foreign,
    /// Since when.
    pub(in crate::outbox) at: Timestamp,
    /// How often that was said again.
    said_again: usize,
}

impl Publication {
    /// Whether it is a person's.
    pub(in crate::outbox) fn detached(&self) -> Option<&Detached> {
        self.detached.as_ref()
    }

    /// How it stood when farol last wrote or read it.
    pub(in crate::outbox) fn standing(&self) -> Option<&Standing> {
        self.standing.as_ref()
    }

    /// Steps back. What is still to be said is kept, the latest of it, should farol be asked to take
    /// the incident up again.
    pub(in crate::outbox) fn detach(
        &mut self,
        key: &IncidentKey,
        why: Foreign,
        now: Timestamp,
    ) -> Option<Notice> {
        if self.detached.is_some() {
            return None;
        }
        self.unsent();
        self.stage = Stage::Settled;
        self.strays.clear();
        self.sweep_at = None;
        self.detached = Some(Detached { why: why.clone(), at: now, said_again: 0 });
        self.condense();
        let remote = self.remote.clone();
        Some(Notice::Detached { incident: key.clone(), remote, why })
    }

    /// Of a detached incident only the latest state matters.
    pub(super) fn condense(&mut self) {
        let surplus = self.waiting.len().saturating_sub(1);
        self.waiting.drain(..surplus);
    }

    /// Takes up again what a person held: whatever stands there now is where farol goes on from.
    /// What was deleted is made anew.
    pub(in crate::outbox) fn rejoin(&mut self) -> bool {
        let Some(detached) = self.detached.take() else { return false };
        self.standing = None;
        if detached.why == Foreign::Gone {
            self.remote = None;
        }
        self.over = false;
        self.backoff.clear();
        self.waiting = crate::outbox::step::fold(self.renamed());
        true
    }

    /// When to say again that it is a person's.
    pub(in crate::outbox) fn say_again_at(&self) -> Option<Timestamp> {
        let detached = self.detached.as_ref()?;
        self.waiting.first()?;
        SAID_AGAIN.get(detached.said_again).map(|span| detached.at + *span)
    }

    /// Says so again, if that is due and there would be something to say on the page.
    pub(in crate::outbox) fn say_again(
        &mut self,
        key: &IncidentKey,
        now: Timestamp,
    ) -> Option<Notice> {
        self.say_again_at().filter(|at| *at <= now)?;
        let status = self.waiting.first()?.status;
        let detached = self.detached.as_mut()?;
        detached.said_again = detached.said_again.saturating_add(1);
        let (since, why) = (detached.at, detached.why.clone());
        Some(Notice::StillDetached { incident: key.clone(), since, status, why })
    }

    /// Whether farol is done with it: its own trouble is over, and either the page has nothing
    /// open any more, as far as is known, or it was said often enough.
    pub(super) fn is_left(&self) -> bool {
        let Some(detached) = &self.detached else { return false };
        let ended = self.over || self.waiting.first().is_some_and(is_end);
        let closed = matches!(detached.why, Foreign::Resolved | Foreign::Gone)
            || self.remote.is_none()
            || self.waiting.is_empty();
        ended && (closed || detached.said_again >= SAID_AGAIN.len())
    }

    /// Whether it waits to be opened, and nothing of it was ever sent as far as is known.
    pub(in crate::outbox) fn is_new(&self) -> bool {
        self.remote.is_none()
            && self.detached.is_none()
            && self.gate.is_open()
            && self.stage == Stage::Settled
            && !self.waiting.is_empty()
    }

    /// Whether nothing of it can stand on the page.
    pub(in crate::outbox) fn is_unsent(&self) -> bool {
        let asked = matches!(self.stage, Stage::Settled | Stage::Unsure { .. });
        self.remote.is_none() && self.applied == 0 && asked && !self.repeated
    }

    /// The impact of what waits.
    pub(in crate::outbox) fn impact(&self) -> Option<Impact> {
        self.waiting.last().map(|step| step.impact)
    }

    /// It is over, and nothing of it was published.
    pub(in crate::outbox) fn drop_all(&mut self, sequence: u32) {
        self.pass_over(sequence);
        self.sets.clear();
        self.over = true;
    }

    /// Nothing that was wanted up to `sequence` is published.
    pub(in crate::outbox) fn pass_over(&mut self, sequence: u32) {
        self.seen = self.seen.max(sequence);
        self.waiting.clear();
        self.stage = Stage::Settled;
    }

    /// Whether it waits to be opened, and could go on with what is open already.
    pub(in crate::outbox) fn may_adopt(&self) -> bool {
        self.is_unsent()
            && self.detached.is_none()
            && self.gate.is_open()
            && !self.waiting.is_empty()
    }

    /// Goes on with an incident that nobody here knows.
    pub(in crate::outbox) fn adopt(&mut self, remote: &Remote) {
        self.remote = Some(remote.id.clone());
        self.standing.clone_from(&remote.standing);
        self.stage = Stage::Settled;
        self.waiting = crate::outbox::step::fold(self.renamed());
    }

    /// Says, once, that it has been open for as long as `most`.
    pub(in crate::outbox) fn grow_old(
        &mut self,
        key: &IncidentKey,
        most: std::time::Duration,
        now: Timestamp,
    ) -> Option<Notice> {
        let since = self.wanted_at.filter(|_| !self.told_old && !self.over)?;
        if now.since(since) < most {
            return None;
        }
        self.told_old = true;
        Some(Notice::Old { incident: key.clone(), since })
    }

    /// Does not open before `until`.
    pub(in crate::outbox) fn wait(&mut self, why: Foreign, until: Timestamp) {
        let told = self.wait.as_ref().is_some_and(|wait| wait.told && wait.why == why);
        self.wait = Some(Wait { why, until, told });
    }

    /// What it waits for, if it waits for people.
    pub(in crate::outbox) fn waits_for(&self) -> Option<String> {
        let wait = self.wait.as_ref().filter(|_| self.remote.is_none())?;
        Some(format!("{}; until {} at least", wait.why, wait.until))
    }

    /// Whether it waits and nobody was told.
    pub(in crate::outbox) fn waits_untold(&self) -> bool {
        self.is_new() && self.wait.as_ref().is_some_and(|wait| !wait.told)
    }

    /// Says, once, what it waits for.
    pub(in crate::outbox) fn say_wait(&mut self, key: &IncidentKey) -> Option<Notice> {
        if !self.waits_untold() {
            return None;
        }
        let wait = self.wait.as_mut()?;
        wait.told = true;
        let (until, why) = (wait.until, wait.why.clone());
        Some(Notice::Waits { incident: key.clone(), until, why })
    }

    /// Looks for it before it is opened.
    pub(in crate::outbox) fn look_first(&mut self, now: Timestamp) {
        if self.stage == Stage::Settled {
            self.stage = Stage::Unsure { look_at: now };
        }
    }

    /// The components that its latest step was about.
    pub(in crate::outbox) fn holds(&self) -> impl Iterator<Item = &ComponentId> {
        self.holds.iter()
    }

    /// Holds what the API shows of our incident against what is remembered of it.
    ///
    /// 1. A write in doubt that stands there must stand there as it was written.
    /// 2. What was not written by us since is somebody else's.
    /// 3. Where nothing is remembered, what stands there is believed to be ours.
    pub(super) fn compare(&mut self, remote: &Remote) -> Option<Foreign> {
        let seen = remote.standing.as_ref()?;
        if self.detached.is_some() {
            return None;
        }
        let verified = match &self.stage {
            Stage::Doubtful { step, .. } if step.sequence <= remote.sequence => {
                let written = Written::by(step, self.applied);
                written.verify(self.standing.as_ref(), seen, false)
            }
            Stage::Doubtful { .. }
            | Stage::Settled
            | Stage::Unsure { .. }
            | Stage::Refused { .. } => {
                let foreign = self.standing.as_ref().and_then(|standing| standing.foreign(seen));
                let held = seen.held.then_some(Foreign::Held);
                foreign.or(held).map_or_else(|| Ok(seen.clone()), Err)
            }
            Stage::Sending { .. } => return None,
        };
        match verified {
            Ok(standing) => {
                self.standing = Some(standing);
                None
            }
            Err(foreign) => Some(foreign),
        }
    }

    /// Remembers how the incident stands after a write, from the API's own answer to it.
    pub(super) fn remember(&mut self, step: &Step, seen: Option<Standing>) -> Option<Foreign> {
        let seen = seen?;
        let written = Written::by(step, self.applied);
        match written.verify(self.standing.as_ref(), &seen, true) {
            Ok(standing) => {
                self.standing = Some(standing);
                None
            }
            Err(foreign) => Some(foreign),
        }
    }
}

fn is_end(step: &Step) -> bool {
    step.kind == ActionKind::Resolve || step.status == IncidentStatus::Resolved
}
