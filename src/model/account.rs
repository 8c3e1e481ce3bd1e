//! What an incident was, from its beginning to its end, as far as the public may read it: what the
//! draft of a postmortem is made of.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{Cause, ComponentId, ComponentStatus, Impact, IncidentStatus, Language, Timestamp};

/// What an incident was. Its words are in the language that it was told in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The language.
    pub language: Language,
    /// The zone of its times.
    pub time_zone: Tz,
    /// The title.
    pub title: String,
    /// The worst impact that it had.
    pub impact: Impact,
    /// When the trouble began, as far as the observations tell.
    pub started_at: Timestamp,
    /// When the incident was opened.
    pub opened_at: Timestamp,
    /// Since when all was well; `None` if it was over before that was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
    /// When it was resolved.
    pub resolved_at: Timestamp,
    /// What happened, in order.
    pub timeline: Vec<Happening>,
    /// How many happenings were too many to keep, in the middle of the timeline.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
    /// The components that it held.
    pub components: BTreeMap<ComponentId, Affected>,
    /// What is not certain.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub doubts: BTreeSet<Doubt>,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Happening {
    /// When.
    pub at: Timestamp,
    /// Why the incident took a step.
    pub cause: Cause,
    /// Its status from then on.
    pub status: IncidentStatus,
    /// The components that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// What a person said, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<String>,
}

/// A component's change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// Its status from then on.
    pub to: ComponentStatus,
    /// What a customer noticed: a sentence without its full stop, and nothing if it is well.
    pub seen: String,
}

/// What became of one component.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Its name.
    pub name: String,
    /// The worst status that it had.
    pub worst: ComponentStatus,
    /// What a customer noticed then: a sentence without its full stop.
    pub seen: String,
    /// When its trouble began.
    pub since: Timestamp,
    /// Since when it is well, if it was seen to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered_at: Option<Timestamp>,
    /// How many of its checks said so at most.
    pub failing: u32,
    /// How many it had then.
    pub checks: u32,
}

/// Something that nobody can be certain of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// For a while there were no results.
    Unheard,
    /// For a while our own network was lost.
    NetworkLost,
    /// It was said to be over while trouble was still seen.
    CalledOver,
    /// It began in a maintenance, and counts from the end of that.
    Outlasted,
    /// Part of it was our own trouble.
    Ours,
}

/// As serde asks for it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it skips by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
