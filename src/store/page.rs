//! What the embedded status page shows: pages, groups, components and incidents, in an SQLite file
//! of their own, so that the page's history does not depend on how long the journal is kept.
//!
//! Names and order come from the probe files and are written by [`PageStore::sync`]; statuses and
//! incidents come in through the status API and are kept over restarts.

mod id;
mod incident;
mod maintenance;
mod postmortem;
mod read;
mod sync;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono_tz::Tz;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{StoreError, sqlite};
use crate::model::{ComponentId, ComponentStatus, Impact, PlatformId, Timestamp};

pub use id::{component_page_id, page_id};
pub use maintenance::{PageStatus, Schedule, ScheduleChange, ScheduleProblem};
pub use postmortem::Postmortem;

const MIGRATIONS: &[&str] = &[
    include_str!("page/schema.sql"),
    include_str!("page/maintenance.sql"),
    include_str!("page/postmortem.sql"),
];

/// Why something cannot be read from, or written to, a page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no such page.
    #[error("there is no such page")]
    NoPage,
    /// The page has no such incident.
    #[error("the page has no such incident")]
    NoIncident,
    /// Nobody has written a postmortem of the incident.
    #[error("the incident has no postmortem")]
    NoPostmortem,
    /// A postmortem is published of what is over.
    #[error("the incident is not resolved: its postmortem can be published after that")]
    Unresolved,
    /// The page has no such component.
    #[error("the page has no component {0:?}")]
    NoComponent(String),
    /// Another incident has the key that this one was to get.
    #[error("another incident of the page has the same metadata.farol.k")]
    KeyTaken,
    /// A request with the same `Idempotency-Key` was carried out on another incident.
    #[error("a request with the same Idempotency-Key was carried out on another incident")]
    RequestKeyTaken,
    /// Work cannot be announced like that.
    #[error(transparent)]
    Schedule(#[from] ScheduleProblem),
}

impl From<rusqlite::Error> for PageError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// What a probe file says of a platform's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageInfo {
    /// The platform.
    pub platform: PlatformId,
    /// The name that the public reads.
    pub name: String,
    /// The zone that public times are given in.
    pub time_zone: Tz,
    /// The components, in the order of the page.
    pub components: Vec<ComponentInfo>,
}

/// What a probe file says of a component on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentInfo {
    /// The component.
    pub id: ComponentId,
    /// The name that the public reads.
    pub name: String,
    /// The group that it stands in.
    pub group: Option<String>,
    /// What it is.
    pub description: Option<String>,
}

/// A platform's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its id in the API.
    pub id: String,
    /// The platform.
    pub platform: PlatformId,
    /// The name that the public reads.
    pub name: String,
    /// The zone that public times are given in.
    pub time_zone: Tz,
    /// When the page was first served.
    pub created_at: Timestamp,
    /// When anything on it last changed.
    pub updated_at: Timestamp,
}

/// A group of components.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its id in the API.
    pub id: String,
    /// Its page.
    pub page_id: String,
    /// The name that the public reads.
    pub name: String,
    /// Where it stands on the page, from 1.
    pub position: i64,
    /// When it was first served.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A component as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageComponent {
    /// Its id in the API.
    pub id: String,
    /// Its page.
    pub page_id: String,
    /// The group that it stands in.
    pub group_id: Option<String>,
    /// The name that the public reads.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Where it stands on the page, or in its group, from 1.
    pub position: i64,
    /// How it is.
    pub status: ComponentStatus,
    /// When it was first served.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whether the probe files no longer name it; then only old incidents do.
    pub retired: bool,
}

/// An incident, or a maintenance, with everything that was said of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Incident {
    /// Its id in the API.
    pub id: String,
    /// Its page.
    pub page_id: String,
    /// The title.
    pub name: String,
    /// Where it is in its life.
    pub status: PageStatus,
    /// When the work is, if it is a maintenance.
    pub schedule: Option<Schedule>,
    /// The worst impact that its components have had: a resolved incident did hurt, though all
    /// its components are well again.
    pub worst: Impact,
    /// The impact that the publisher insists on.
    pub impact_override: Option<Impact>,
    /// What the publisher keeps with it.
    pub metadata: Map<String, Value>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Since when it is monitored.
    pub monitoring_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Option<Timestamp>,
    /// What was said of it, newest first.
    pub updates: Vec<IncidentUpdate>,
    /// The components that it is about.
    pub components: Vec<PageComponent>,
    /// What was written of it after it.
    pub postmortem: Option<Postmortem>,
}

impl Incident {
    /// How much it hurts: what the publisher insists on, or else the worst that there was.
    pub fn impact(&self) -> Impact {
        self.impact_override.unwrap_or(self.worst)
    }
}

/// One thing that was said of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentUpdate {
    /// Its id in the API.
    pub id: String,
    /// The incident.
    pub incident_id: String,
    /// The incident's status from then on.
    pub status: PageStatus,
    /// The text.
    pub body: String,
    /// Whether subscribers were to be told.
    pub deliver_notifications: bool,
    /// What it did to the incident's components.
    pub affected: Vec<Affected>,
    /// When it was said.
    pub created_at: Timestamp,
    /// When it was last edited.
    pub updated_at: Timestamp,
}

/// What an update did to a component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// The component's id in the API.
    pub code: String,
    /// The component's name at that time.
    pub name: String,
    /// Its status before.
    pub old_status: ComponentStatus,
    /// Its status after.
    pub new_status: ComponentStatus,
}

/// What a publisher wants an incident to be; what is absent stays as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The title.
    pub name: Option<String>,
    /// The status.
    pub status: Option<PageStatus>,
    /// When the work is, for a maintenance.
    pub schedule: ScheduleChange,
    /// What is said about it.
    pub body: Option<String>,
    /// The impact that the publisher insists on; `Some(None)` for none any more.
    pub impact_override: Option<Option<Impact>>,
    /// The statuses that these components have from now on; they join the incident.
    pub components: BTreeMap<String, ComponentStatus>,
    /// All the components that the incident is about, beside those in `components`.
    pub component_ids: Option<BTreeSet<String>>,
    /// Whether subscribers should be told.
    pub deliver_notifications: bool,
    /// Top-level values to keep with the incident; those that are not named here stay.
    pub metadata: Map<String, Value>,
}

/// Which kinds of incidents to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    /// Incidents and maintenances.
    #[default]
    All,
    /// Incidents, and no maintenances.
    Incidents,
    /// Incidents that are not resolved.
    Unresolved,
    /// Maintenances, and no incidents.
    Maintenances,
    /// Maintenances that have not begun.
    Upcoming,
    /// Maintenances that are under way.
    Active,
}

/// Which incidents to list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// Which kinds.
    pub of: Of,
    /// Only those created, or scheduled for, this time or later.
    pub since: Timestamp,
    /// Only those whose name, status or updates contain this.
    pub query: Option<String>,
    /// At most so many.
    pub limit: u32,
    /// After so many have been left out.
    pub offset: u32,
}

impl Default for Listing {
    fn default() -> Self {
        Self { of: Of::All, since: Timestamp::EPOCH, query: None, limit: 100, offset: 0 }
    }
}

/// The status pages' database.
#[derive(Debug)]
pub struct PageStore {
    db: Connection,
}

impl PageStore {
    /// Opens or makes the database at `path`.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Ok(Self { db: sqlite::open(path, MIGRATIONS)? })
    }
}
