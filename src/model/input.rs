//! What the engine is told, and what the journal keeps: all that a decision can depend on besides
//! time.

use serde::{Deserialize, Serialize};

use super::{Announcements, Observation, Order, Policy};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A check ran.
    Observed(Observation),
    /// Decisions are made by this policy from now on: at start-up and whenever the configuration
    /// changes. Checks and components that it does not name are forgotten.
    PolicyChanged(Box<Policy>),
    /// A status page announces other work than it did.
    Maintenance(Box<Announcements>),
    /// The operator has said something of an incident.
    Operator(Order),
}
