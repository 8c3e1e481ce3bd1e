//! A component's status, with Statuspage's values.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a component is, from best to worst; the order is the order of badness.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ComponentStatus {
    /// All is well.
    #[default]
    Operational,
    /// Work is being done on it, as announced.
    UnderMaintenance,
    /// It works, but slowly or with blemishes.
    DegradedPerformance,
    /// It works for some.
    PartialOutage,
    /// It works for nobody.
    MajorOutage,
}

impl ComponentStatus {
    /// Every status, best first.
    pub const ALL: [Self; 5] = [
        Self::Operational,
        Self::UnderMaintenance,
        Self::DegradedPerformance,
        Self::PartialOutage,
        Self::MajorOutage,
    ];

    /// Statuspage's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Operational => "operational",
            Self::UnderMaintenance => "under_maintenance",
            Self::DegradedPerformance => "degraded_performance",
            Self::PartialOutage => "partial_outage",
            Self::MajorOutage => "major_outage",
        }
    }

    /// The status that Statuspage spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Whether customers are hurt by it.
    pub fn is_bad(self) -> bool {
        self >= Self::DegradedPerformance
    }
}

impl fmt::Display for ComponentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
