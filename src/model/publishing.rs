//! How much of what farol decides the public may read without a person's word.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Impact, Span};

/// What happens with an incident that farol wants to publish. The order is from least to most.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing.
    Off,
    /// The log tells what would be published.
    Observe,
    /// It waits for a person's approval.
    Draft,
    /// The statuses of its components are set, and no incident is written.
    ComponentOnly,
    /// It is published, and subscribers are not told.
    #[default]
    Quiet,
    /// It is published, and subscribers are told.
    Full,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 6] =
        [Self::Off, Self::Observe, Self::Draft, Self::ComponentOnly, Self::Quiet, Self::Full];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Observe => "observe",
            Self::Draft => "draft",
            Self::ComponentOnly => "component_only",
            Self::Quiet => "quiet",
            Self::Full => "full",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The mode for each impact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// For what nobody notices, and for slow or blemished.
    pub minor: Mode,
    /// For out for some.
    pub major: Mode,
    /// For out for all.
    pub critical: Mode,
}

impl Modes {
    /// The same for every impact.
    pub const fn all(mode: Mode) -> Self {
        Self { minor: mode, major: mode, critical: mode }
    }

    /// The mode for `impact`.
    pub const fn of(&self, impact: Impact) -> Mode {
        match impact {
            Impact::None | Impact::Minor => self.minor,
            Impact::Major => self.major,
            Impact::Critical => self.critical,
        }
    }
}

/// What becomes of an incident that is over before anything of it could be published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Late {
    /// It is published all the same, opened and resolved: the history is true.
    #[default]
    Backfill,
    /// It is not published.
    Skip,
}

/// Everything that a platform says of how it wants to be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Publishing {
    /// The mode for each impact.
    pub modes: Modes,
    /// How long a draft waits for a person before it is dropped.
    pub draft_expires: Span,
    /// How long a draft of a critical incident waits before it is published without one.
    pub approve_after: Option<Span>,
    /// What becomes of what is over before it could be published.
    pub late: Late,
    /// Whether the draft of a postmortem is put where the status API keeps such.
    pub postmortem: bool,
}

impl Default for Publishing {
    fn default() -> Self {
        Self {
            modes: Modes::default(),
            draft_expires: Span::from_secs(3_600),
            approve_after: None,
            late: Late::default(),
            postmortem: true,
        }
    }
}
