//! What the engine wants the public to read: the whole of an incident as it should stand, never a
//! difference, so that the last of several waiting actions says everything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Account, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus, PlatformId,
    Timestamp,
};

/// One step of an incident, to be published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// The incident.
    pub incident: IncidentKey,
    /// Counts the steps of one incident from 1; together with `incident` it names this action, so
    /// that one that is made again (after a crash, by a replay) is known for the same.
    pub sequence: u32,
    /// What kind of step it is.
    pub kind: ActionKind,
    /// The resolved incident whose trouble has returned with this one, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<IncidentKey>,
    /// The platform whose status page it goes to.
    pub platform: PlatformId,
    /// When it was decided.
    pub at: Timestamp,
    /// When the trouble began, as far as the observations tell.
    pub started_at: Timestamp,
    /// The incident's status after this step.
    pub status: IncidentStatus,
    /// The incident's impact: the worst it has had.
    pub impact: Impact,
    /// Every component that the incident holds, with the status it should have.
    pub components: BTreeMap<ComponentId, ComponentStatus>,
    /// The public title.
    pub title: String,
    /// The public text of this step.
    pub body: String,
    /// Whether the text is a person's, which is never left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_person: bool,
    /// What the incident was, if it is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<Account>>,
}

/// What kind of step an action is; it decides how urgent the action is and how it may merge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionKind {
    /// The incident is new.
    Open,
    /// It changed.
    Update,
    /// It is over.
    Resolve,
}
