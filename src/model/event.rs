//! What the engine noticed and decided, for logs, metrics and the page. Events are told to
//! everybody and listened to by nobody who decides.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    CheckId, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus, MaintenanceId,
    MaintenanceStatus, PlatformId, Reason, Subject, Timestamp, Variant, Window,
};

/// Something that the engine noticed or decided, and when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it was noticed or decided.
    pub at: Timestamp,
    /// What.
    pub kind: EventKind,
}

/// What was noticed or decided.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The decided health of one subject of a check changed.
    HealthChanged {
        /// The check.
        check: CheckId,
        /// In which of its variants, if it has any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant: Option<Variant>,
        /// Which subject of it.
        subject: Subject,
        /// The health before.
        from: Health,
        /// The health now.
        to: Health,
        /// Why, if it got worse: the reason of the finding that decided it.
        reason: Option<Reason>,
        /// The step that the reason is about, if the check has steps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<Arc<str>>,
    },
    /// An address was seen behind a check's name for the first time.
    AddressAppeared {
        /// The check.
        check: CheckId,
        /// In which of its variants, if it has any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant: Option<Variant>,
        /// The address.
        subject: Subject,
    },
    /// An address has gone from behind a check's name, and no longer counts.
    AddressVanished {
        /// The check.
        check: CheckId,
        /// In which of its variants, if it has any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant: Option<Variant>,
        /// The address.
        subject: Subject,
    },
    /// One subject of a check changes so often that it is held in its worse state, or has settled.
    FlappingChanged {
        /// The check.
        check: CheckId,
        /// In which of its variants, if it has any.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        variant: Option<Variant>,
        /// Which subject of it.
        subject: Subject,
        /// Since when it is unstable; nothing once it has settled.
        since: Option<Timestamp>,
    },
    /// A component's status changed.
    ComponentChanged {
        /// The component.
        component: ComponentId,
        /// The status before.
        from: ComponentStatus,
        /// The status now.
        to: ComponentStatus,
        /// The check that decided it, if one still does.
        because: Option<CheckId>,
    },
    /// Announced work began, or its time is over.
    MaintenanceChanged {
        /// The maintenance.
        maintenance: MaintenanceId,
        /// Its platform.
        platform: PlatformId,
        /// Which of the two.
        status: MaintenanceStatus,
        /// When it was announced for.
        window: Window,
    },
    /// A component in maintenance is in trouble, which the public is not told: noted for the
    /// operator.
    TroubleInMaintenance {
        /// The component.
        component: ComponentId,
        /// The maintenance.
        maintenance: MaintenanceId,
        /// The status that it would have otherwise.
        status: ComponentStatus,
        /// The check that decides it.
        because: Option<CheckId>,
    },
    /// An incident opened, changed or ended; an action with the same sequence says what the public
    /// will read.
    IncidentChanged {
        /// The incident.
        incident: IncidentKey,
        /// Its platform.
        platform: PlatformId,
        /// Which step of the incident this is.
        sequence: u32,
        /// Its status now.
        status: IncidentStatus,
        /// Its impact now.
        impact: Impact,
        /// Why it changed.
        cause: Cause,
    },
    /// Our own network is lost: from now on no target is blamed for what may be its doing.
    NetworkLost {
        /// How many references fail.
        failing: usize,
        /// How many there are that count.
        total: usize,
    },
    /// Our own network is well again.
    NetworkRegained {
        /// How many runs of checks did not count meanwhile.
        excused: u64,
    },
}

/// What is decided of one subject of a check. The order is the order of badness.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// Not seen often enough to tell.
    #[default]
    Unknown,
    /// As expected.
    Passing,
    /// Works, but not as well as it should.
    Degraded,
    /// Does not work.
    Failing,
}

impl Health {
    /// Every health.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Passing, Self::Degraded, Self::Failing];

    /// The word for it, in metrics and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Passing => "passing",
            Self::Degraded => "degraded",
            Self::Failing => "failing",
        }
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an incident changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A component went bad and no open incident could take it.
    ComponentFailed,
    /// Another component went bad and joined.
    ComponentJoined,
    /// A component of the incident got worse.
    GotWorse,
    /// A component of the incident got better, but not all are well.
    GotBetter,
    /// Every component has recovered.
    AllRecovered,
    /// A component failed again while the incident was being monitored.
    FailedAgain,
    /// Nothing changed for so long that the promised update was due.
    UpdateDue,
    /// So many updates had nothing new to say that this is the last until something changes: what
    /// else there is to tell, people must.
    HandedOver,
    /// Everything stayed well for the quiet period.
    StayedWell,
    /// The operator had something to say.
    OperatorNoted,
    /// The operator said that it is over.
    OperatorResolved,
}

impl Cause {
    /// The word for it, in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ComponentFailed => "component_failed",
            Self::ComponentJoined => "component_joined",
            Self::GotWorse => "got_worse",
            Self::GotBetter => "got_better",
            Self::AllRecovered => "all_recovered",
            Self::FailedAgain => "failed_again",
            Self::UpdateDue => "update_due",
            Self::HandedOver => "handed_over",
            Self::StayedWell => "stayed_well",
            Self::OperatorNoted => "operator_noted",
            Self::OperatorResolved => "operator_resolved",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
