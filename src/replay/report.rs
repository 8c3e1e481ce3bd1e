//! What came of a replay.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::model::{ComponentId, ComponentStatus, Impact, IncidentKey, PlatformId, Timestamp};

/// What came of a replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What the replay is called.
    pub name: String,
    /// When the journal's first input was taken in.
    pub from: Timestamp,
    /// When its last one was.
    pub to: Timestamp,
    /// How many observations there were.
    pub observations: u64,
    /// How many of them are of checks that the policy does not name, and decided nothing.
    pub strange: u64,
    /// The incidents that were opened.
    pub incidents: BTreeMap<IncidentKey, Incident>,
    /// How each component was, one stretch after the other; operational before the first.
    pub stretches: BTreeMap<ComponentId, Vec<Stretch>>,
    /// What the public calls the components, as far as the last policy names them.
    pub names: BTreeMap<ComponentId, String>,
    /// What it calls the platforms.
    pub platforms: BTreeMap<PlatformId, String>,
}

/// An incident, as its last step left it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// The platform.
    pub platform: PlatformId,
    /// The last title that it had while it was open.
    pub title: String,
    /// The worst impact that it had.
    pub impact: Impact,
    /// When the trouble began, as far as the observations tell.
    pub started_at: Timestamp,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was resolved, if it was.
    pub resolved_at: Option<Timestamp>,
    /// The components that it held, each with the worst status that it had.
    pub components: BTreeMap<ComponentId, ComponentStatus>,
    /// How many steps the public was told of.
    pub steps: u32,
}

/// A status, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Since when.
    pub since: Timestamp,
    /// The status.
    pub status: ComponentStatus,
}

impl Report {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            from: Timestamp::EPOCH,
            to: Timestamp::EPOCH,
            observations: 0,
            strange: 0,
            incidents: BTreeMap::new(),
            stretches: BTreeMap::new(),
            names: BTreeMap::new(),
            platforms: BTreeMap::new(),
        }
    }

    /// Leaves what overlaps the time between `from` and `to`: everything before was taken in all
    /// the same, since what is open at a moment follows from what came before it.
    #[must_use]
    pub fn between(mut self, from: Timestamp, to: Timestamp) -> Self {
        self.from = self.from.max(from);
        self.to = self.to.min(to).max(self.from);
        let (from, to) = (self.from, self.to);
        self.incidents.retain(|_, one| one.opened_at <= to && one.end(to) >= from);
        for stretches in self.stretches.values_mut() {
            stretches.retain(|one| one.since <= to);
            let begun = stretches.iter().rposition(|one| one.since <= from);
            stretches.drain(..begun.unwrap_or(0));
        }
        self.stretches.retain(|_, stretches| {
            stretches.len() > 1 || stretches.iter().any(|one| one.status.is_bad())
        });
        self
    }

    /// The incidents in the order in which they were opened.
    pub fn in_order(&self) -> Vec<&Incident> {
        let mut incidents: Vec<&Incident> = self.incidents.values().collect();
        incidents.sort_by_key(|incident| incident.opened_at);
        incidents
    }

    /// How long an incident was open, all of them together.
    pub fn open_for(&self) -> Duration {
        self.incidents.values().map(|one| one.end(self.to).since(one.opened_at)).sum()
    }
}

impl Incident {
    /// When it ended; `now` if it has not.
    pub fn end(&self, now: Timestamp) -> Timestamp {
        self.resolved_at.unwrap_or(now)
    }
}
