//! An incident's status and impact, with Statuspage's values.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::ComponentStatus;

/// Where an incident is in its life. Farol never says `identified` by itself: what the cause is,
/// people find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Something is wrong; nothing more is known.
    Investigating,
    /// The cause is known.
    Identified,
    /// Every affected component has recovered; being watched before it is called over.
    Monitoring,
    /// Over.
    Resolved,
}

impl IncidentStatus {
    /// Every status, in the order of an incident's life.
    pub const ALL: [Self; 4] =
        [Self::Investigating, Self::Identified, Self::Monitoring, Self::Resolved];

    /// Statuspage's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Investigating => "investigating",
            Self::Identified => "identified",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }

    /// The status that Statuspage spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

impl fmt::Display for IncidentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much an incident hurts; the order is the order of badness.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Nobody notices.
    #[default]
    None,
    /// Slow or blemished.
    Minor,
    /// Out for some, or something is out.
    Major,
    /// Everything affected is out.
    Critical,
}

impl Impact {
    /// Every impact, least first.
    pub const ALL: [Self; 4] = [Self::None, Self::Minor, Self::Major, Self::Critical];

    /// Statuspage's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minor => "minor",
            Self::Major => "major",
            Self::Critical => "critical",
        }
    }

    /// The impact of components in these states, by Statuspage's own rules
    /// ("Top-level status and incident impact calculations"):
    ///
    /// 1. All are a major outage: critical.
    /// 2. All are a partial outage, or any is a major outage: major.
    /// 3. Any is a partial outage or degraded: minor.
    /// 4. Otherwise: none.
    pub fn of(statuses: impl IntoIterator<Item = ComponentStatus>) -> Self {
        let statuses: Vec<ComponentStatus> = statuses.into_iter().collect();
        let all = |wanted| !statuses.is_empty() && statuses.iter().all(|s| *s == wanted);
        if all(ComponentStatus::MajorOutage) {
            Self::Critical
        } else if all(ComponentStatus::PartialOutage)
            || statuses.contains(&ComponentStatus::MajorOutage)
        {
            Self::Major
        } else if statuses.iter().any(|status| status.is_bad()) {
            Self::Minor
        } else {
            Self::None
        }
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::{ComponentStatus as S, Impact};

    #[test]
    fn impact_follows_the_vendors_rules() {
        let cases: [(&[S], Impact); 8] = [
            (&[], Impact::None),
            (&[S::Operational], Impact::None),
            (&[S::MajorOutage, S::MajorOutage], Impact::Critical),
            (&[S::PartialOutage, S::PartialOutage], Impact::Major),
            (&[S::MajorOutage, S::Operational], Impact::Major),
            (&[S::PartialOutage, S::Operational], Impact::Minor),
            (&[S::DegradedPerformance], Impact::Minor),
            (&[S::UnderMaintenance], Impact::None),
        ];
        for (statuses, impact) in cases {
            assert_eq!(Impact::of(statuses.iter().copied()), impact, "{statuses:?}");
        }
    }
}
