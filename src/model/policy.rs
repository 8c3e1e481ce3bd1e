//! What the engine needs to know of the configuration: thresholds and names, nothing of how a
//! check is made. It is data of its own so that a replay can try another policy on old
//! observations.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::{CheckId, ComponentId, ComponentStatus, PlatformId, Span};

/// Everything that decisions are made by.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// The platforms.
    pub platforms: BTreeMap<PlatformId, PlatformPolicy>,
    /// The components of all platforms.
    pub components: BTreeMap<ComponentId, ComponentPolicy>,
    /// The checks of all components.
    pub checks: BTreeMap<CheckId, CheckPolicy>,
}

/// How a platform's incidents are led.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlatformPolicy {
    /// The name that the public reads.
    pub name: String,
    /// The zone that public times are given in.
    pub time_zone: Tz,
    /// Components that go bad within this time of an incident's latest new component join it.
    pub group_within: Span,
    /// How long everything must stay well before a monitored incident is resolved.
    pub resolve_after: Span,
    /// How long an incident may go without a word; the "next update" that its texts promise.
    pub update_every: Span,
}

/// A component's names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentPolicy {
    /// The platform it belongs to.
    pub platform: PlatformId,
    /// The name that the public reads.
    pub name: String,
}

/// How a check's observations are weighed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CheckPolicy {
    /// The component that it speaks for.
    pub component: ComponentId,
    /// The check's name, for the operator.
    pub name: String,
    /// What it takes to call it failing or degraded.
    pub fail_after: Threshold,
    /// How many passes in a row it takes to call it well again.
    pub recover_after: NonZeroU32,
    /// The worst status that this check alone can give its component.
    pub at_worst: ComponentStatus,
}

/// `count` bad runs among the last `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// How many must be bad.
    pub count: NonZeroU32,
    /// Among how many; at least `count`.
    pub of: NonZeroU32,
}

impl Threshold {
    /// `count` bad runs in a row.
    pub const fn in_a_row(count: NonZeroU32) -> Self {
        Self { count, of: count }
    }
}
