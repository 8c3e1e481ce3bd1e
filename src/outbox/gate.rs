//! What may pass to the public: the modes, drafts, and what came too late.

use serde::{Deserialize, Serialize};

use crate::model::{
    Action, ActionKind, Impact, IncidentKey, IncidentStatus, Late, Mode, Publishing, Timestamp,
};

use super::{Notice, Outbox};

/// Whether an incident may be opened on the page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Gate {
    /// It may.
    #[default]
    Open,
    /// When a person says so.
    Draft {
        /// When it was first held back.
        since: Timestamp,
    },
    /// Its components are set, and no incident is opened as long as its impact is no worse.
    Components,
    /// Not as long as its impact is no worse.
    Shut,
}

impl Gate {
    /// Whether it stands open, which need not be written down.
    pub(super) fn is_open(&self) -> bool {
        *self == Self::Open
    }

    /// When something has to be decided of a draft of an incident with this impact.
    pub(super) fn deadline(&self, impact: Impact, rules: &Publishing) -> Option<Timestamp> {
        let Self::Draft { since } = *self else { return None };
        let approval = rules.approve_after.filter(|_| impact == Impact::Critical);
        let expiry = since + rules.draft_expires;
        Some(approval.map_or(expiry, |after| expiry.min(since + after)))
    }
}

impl Outbox {
    /// Publishes by these rules.
    #[must_use]
    pub fn with_publishing(mut self, publishing: Publishing) -> Self {
        self.publishing = publishing;
        self
    }

    /// How much of an incident the public may read:
    ///
    /// 1. What stands on the page, or may stand there, is led to its end, whatever the modes say.
    /// 2. What was approved is published.
    /// 3. Otherwise the mode of its present impact decides: an incident that gets worse may pass
    ///    where it could not before. Impact never shrinks.
    /// 4. Where the components are set, they are led to the end, whatever the modes say, until the
    ///    incident is opened; where the place cannot set them, nothing passes.
    /// 5. What is over before anything of it was sent is dropped if it waits for approval, or if
    ///    what is late is to be skipped.
    pub(super) fn admit(&mut self, action: &Action) -> (bool, Option<Notice>) {
        let mode = self.publishing.modes.of(action.impact);
        let late = self.publishing.late;
        let sets_components = self.timing.sets_components;
        let until = action.at + self.publishing.draft_expires;
        let publication = self.state.incidents.entry(action.incident.clone()).or_default();
        let incident = action.incident.clone();
        if !publication.is_unsent() {
            publication.gate = Gate::Open;
            return (true, None);
        }
        let before = publication.gate.clone();
        publication.gate = match (&before, mode) {
            _ if publication.approved => Gate::Open,
            (_, Mode::Off | Mode::Observe) if publication.sets_components() => Gate::Components,
            (_, Mode::Off | Mode::Observe) => Gate::Shut,
            (Gate::Draft { .. } | Gate::Shut, Mode::Draft) if action.sequence > 1 => before.clone(),
            (_, Mode::Draft) => Gate::Draft { since: action.at },
            (_, Mode::ComponentOnly) if sets_components => Gate::Components,
            (_, Mode::ComponentOnly) => Gate::Shut,
            (_, Mode::Quiet | Mode::Full) => Gate::Open,
        };
        if publication.gate == Gate::Components || publication.sets_components() {
            publication.wish(action);
        }
        if action.kind == ActionKind::Resolve {
            let dropped = match publication.gate {
                Gate::Open => late == Late::Skip && publication.is_new(),
                Gate::Draft { .. } => true,
                Gate::Components | Gate::Shut => false,
            };
            if dropped || matches!(publication.gate, Gate::Components | Gate::Shut) {
                publication.drop_all(action.sequence);
            }
            if dropped {
                return (false, Some(Notice::Dropped { incident }));
            }
        }
        match publication.gate {
            Gate::Open => (true, None),
            Gate::Components => (action.kind != ActionKind::Resolve, None),
            Gate::Draft { .. } => {
                let new = !matches!(before, Gate::Draft { .. });
                let title = action.title.clone();
                let notice = Notice::Drafted { incident, impact: action.impact, title, until };
                (true, new.then_some(notice))
            }
            Gate::Shut => {
                publication.pass_over(action.sequence);
                let observed = mode == Mode::Observe;
                (false, observed.then(|| would_publish(action)))
            }
        }
    }

    /// Lets a draft be published, or an incident of which only the components are set; `None` if it
    /// is neither.
    pub fn approve(&mut self, key: &IncidentKey) -> Option<Notice> {
        let publication = self.state.incidents.get_mut(key).filter(|_| self.named)?;
        matches!(publication.gate, Gate::Draft { .. } | Gate::Components).then(|| {
            publication.gate = Gate::Open;
            publication.approved = true;
            Notice::Approved { incident: key.clone(), by_itself: false }
        })
    }

    /// Decides of drafts that waited long enough: a critical one is published where that is
    /// wanted, and any other dropped.
    pub(super) fn settle_drafts(&mut self, now: Timestamp) -> Vec<Notice> {
        let rules = self.publishing;
        let mut notices = Vec::new();
        for (key, publication) in &mut self.state.incidents {
            let Some(impact) = publication.impact() else { continue };
            let due = publication.gate.deadline(impact, &rules).filter(|at| *at <= now);
            let (Some(_), Gate::Draft { since }) = (due, &publication.gate) else { continue };
            let approved = impact == Impact::Critical
                && rules.approve_after.is_some_and(|after| *since + after <= now);
            let incident = key.clone();
            if approved {
                publication.gate = Gate::Open;
                publication.approved = true;
                notices.push(Notice::Approved { incident, by_itself: true });
            } else {
                publication.gate = Gate::Shut;
                publication.pass_over(0);
                notices.push(Notice::Expired { incident });
            }
        }
        notices
    }
}

fn would_publish(action: &Action) -> Notice {
    Notice::WouldPublish {
        incident: action.incident.clone(),
        status: if action.kind == ActionKind::Resolve {
            IncidentStatus::Resolved
        } else {
            action.status
        },
        impact: action.impact,
        title: action.title.clone(),
        body: action.body.clone(),
    }
}
