//! What an incident needs next, so that a lane can choose among its incidents.

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, Timestamp};

use super::RemoteId;

/// What an incident needs next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// When it is due.
    pub(super) at: Timestamp,
    /// How much it matters, against what other incidents need.
    pub(super) urgency: Urgency,
    /// Since when it has waited.
    pub(super) since: Timestamp,
    /// What it is.
    pub(super) errand: Errand,
}

/// How much a request matters: the public must hear of trouble first, of its end next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    Create,
    Resolve,
    Update,
    Tidy,
    /// Nobody waits for it.
    Draft,
}

/// What kind of request it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Errand {
    /// Create or update.
    Write,
    /// Say again what stands there.
    Repeat,
    /// Read, or find where the id is not known.
    Look,
    /// Find, for duplicates.
    Sweep,
    /// Ask which components are known.
    Components,
    /// See what is open on the page before something is opened.
    Survey,
    /// See which maintenances are announced on the page.
    Announcements,
    /// Set a component, apart from incidents.
    Component(ComponentId),
    /// Resolve a duplicate.
    Retire(RemoteId),
    /// Put the draft of a postmortem there.
    Draft,
}
