//! The prober's own trouble: what it must not hold against a target.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One kind of trouble of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnTrouble {
    /// Our host's clock was set while we ran, or is not what others agree on.
    Clock,
    /// Our own network is lost: the references do not answer.
    Network,
    /// We did not get to run when we should have.
    Load,
    /// File descriptors, ports or memory are short.
    Exhausted,
    /// Our own resolver does not answer.
    Resolver,
    /// The journal cannot be written.
    Store,
}

impl OwnTrouble {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Clock, Self::Network, Self::Load, Self::Exhausted, Self::Resolver, Self::Store];

    /// The word for it, in metrics, files and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Network => "network",
            Self::Load => "load",
            Self::Exhausted => "exhausted",
            Self::Resolver => "resolver",
            Self::Store => "store",
        }
    }
}

impl fmt::Display for OwnTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
