//! The vocabulary: plain data that every other room speaks and that imports none of them.
//!
//! The words are Statuspage's where Statuspage has one (component, incident, impact and their
//! values), so that what the configuration, the metrics and the status page say is one language.

pub mod account;
pub mod action;
pub mod clock;
pub mod component;
mod cron;
pub mod event;
mod flapping;
pub mod id;
pub mod incident;
pub mod input;
pub mod language;
pub mod maintenance;
pub mod observation;
pub mod order;
pub mod policy;
pub mod publishing;
pub mod quantile;
pub mod reason;
pub mod span;
pub mod threshold;
pub mod time;
pub mod trouble;
pub mod wording;

pub use account::{Account, Affected, Change, Doubt, Happening};
pub use action::{Action, ActionKind};
pub use clock::{ClockOffset, ClockReference, ClockSource};
pub use component::ComponentStatus;
pub use cron::Cron;
pub use event::{Cause, Event, EventKind, Health};
pub use flapping::Flapping;
pub use id::{
    CheckId, ComponentId, IncidentKey, LaneId, MaintenanceId, PlatformId, Vantage, Variant,
};
pub use incident::{Impact, IncidentStatus};
pub use input::Input;
pub use language::Language;
pub use maintenance::{
    Announcements, MaintenancePolicy, MaintenanceStatus, PageMaintenance, Recurrence, RuleProblem,
    When, Window, to_instant,
};
pub use observation::{Finding, Hop, Observation, Phase, Phases, Subject, TlsSeen, Verdict};
pub use order::{NoteProblem, Order, Wish};
pub use policy::{
    CheckPolicy, ComponentPolicy, MajorWhen, PlatformPolicy, Policy, ProberPolicy, Purpose,
    ReferencePolicy,
};
pub use publishing::{Late, Mode, Modes, Publishing};
pub use quantile::QuantileLimit;
pub use reason::Reason;
pub use span::Span;
pub use threshold::Threshold;
pub use time::Timestamp;
pub use trouble::OwnTrouble;
pub use wording::{TextTemplate, Wording};
