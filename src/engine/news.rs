//! What has changed of an incident and was not told yet. Components fail one by one, as their checks
//! come round; told one by one they are a dozen posts that nobody reads. So what follows on a word
//! waits for a while and is told together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::correlate::Changes;
use super::lifecycle::{Incident, Stage};
use crate::model::{Cause, ComponentId, ComponentStatus};

/// What there is to tell of one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct News {
    /// Components that it held already, with the status that was told and the one now.
    held: Changes,
    /// Components that are new to it.
    joined: BTreeSet<ComponentId>,
}

impl News {
    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.joined.is_empty()
    }

    /// A component that the incident held went from one status to another. What is as it was told
    /// is no news.
    pub(super) fn changed(
        &mut self,
        id: &ComponentId,
        (from, to): (ComponentStatus, ComponentStatus),
    ) {
        let (told, _) = self.held.get(id).copied().unwrap_or((from, to));
        if told == to {
            self.held.remove(id);
        } else {
            self.held.insert(id.clone(), (told, to));
        }
    }

    /// A component is new to the incident.
    pub(super) fn joins(&mut self, id: &ComponentId) {
        self.joined.insert(id.clone());
    }

    /// Takes in what has happened since.
    pub(super) fn add(&mut self, later: Self) {
        for (id, change) in &later.held {
            // How a newcomer is, is looked up when it is told.
            if !self.joined.contains(id) {
                self.changed(id, *change);
            }
        }
        self.joined.extend(later.joined);
    }

    /// Whether a component that the incident held already is bad.
    pub(super) fn has_bad(&self) -> bool {
        self.held.values().any(|(_, to)| to.is_bad())
    }

    /// Whether `id` is new to the incident.
    pub(super) fn has_joined(&self, id: &ComponentId) -> bool {
        self.joined.contains(id)
    }

    /// All changes of `incident`'s components; the newcomers were well before.
    pub(super) fn changes(&self, incident: &Incident) -> Changes {
        let mut changes = self.held.clone();
        for (id, now) in incident.components().filter(|(id, _)| self.joined.contains(*id)) {
            changes.insert(id.clone(), (ComponentStatus::Operational, now));
        }
        changes
    }

    /// Why `incident`, of which this is the news, takes a step; the first that holds:
    ///
    /// 1. Nothing was said of it before: a component failed.
    /// 2. It was monitored, and a component that it held is bad: that failed again.
    /// 3. A component joined, and has not recovered since.
    /// 4. All its components are well: all recovered.
    /// 5. A component that it held is worse: it got worse.
    /// 6. Otherwise one is better: it got better.
    pub(super) fn cause(&self, incident: &Incident) -> Cause {
        let monitored = matches!(incident.stage, Stage::Monitoring { .. });
        let mut newcomers = incident.components().filter(|(id, _)| self.joined.contains(*id));
        if incident.sequence() == 0 {
            Cause::ComponentFailed
        } else if monitored && self.has_bad() {
            Cause::FailedAgain
        } else if newcomers.any(|(_, status)| status.is_bad()) {
            Cause::ComponentJoined
        } else if incident.is_well() {
            Cause::AllRecovered
        } else if self.held.values().any(|(from, to)| to > from) {
            Cause::GotWorse
        } else {
            Cause::GotBetter
        }
    }
}
