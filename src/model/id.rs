//! Names of things. Each is its own type, so that a check's name can never stand where a
//! component's is wanted.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Takes the text as it is; whoever makes an id is answerable for its form.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text of the id.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }
    };
}

id! {
    /// One platform: one probe file, one status page. `blip`.
    PlatformId
}
id! {
    /// A component, unique over all platforms: `blip/desk`.
    ComponentId
}
id! {
    /// A check, unique over all platforms: `blip/desk/agent-login`.
    CheckId
}
id! {
    /// A maintenance, unique over all platforms: `blip/weekly-backup`.
    MaintenanceId
}
id! {
    /// The place that checks run from.
    Vantage
}
id! {
    /// One of the values that a check runs for, each with a state of its own: `tenant=a`.
    Variant
}
id! {
    /// An incident's own name, derived from what it is about and when it opened, so that a replay
    /// makes the same one. Lower-case base 32.
    IncidentKey
}

id! {
    /// One way from a platform to one status API: `blip`, `blip:alertmanager`.
    LaneId
}

impl LaneId {
    /// The lane to the platform's status page, which is called as the platform is.
    pub fn of_page(platform: &PlatformId) -> Self {
        Self::new(platform.as_str())
    }

    /// Another lane of `platform`, to `target`.
    pub fn of(platform: &PlatformId, target: &str) -> Self {
        Self::new(format!("{platform}:{target}"))
    }

    /// The platform whose lane it is; no platform's id has a colon.
    pub fn platform(&self) -> PlatformId {
        PlatformId::new(self.0.split(':').next().unwrap_or_default())
    }

    /// Whether it is a lane of `platform`.
    pub fn is_of(&self, platform: &PlatformId) -> bool {
        let rest = self.0.strip_prefix(platform.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
    }
}

impl ComponentId {
    /// The component `component` of `platform`.
    pub fn of(platform: &PlatformId, component: &str) -> Self {
        Self::new(format!("{platform}/{component}"))
    }
}

impl MaintenanceId {
    /// The maintenance `maintenance` of `platform`.
    pub fn of(platform: &PlatformId, maintenance: &str) -> Self {
        Self::new(format!("{platform}/{maintenance}"))
    }

    /// What the page that `lane` leads to calls `remote`; no maintenance of a configuration has a
    /// colon in its id.
    pub fn on_page(lane: &LaneId, remote: &str) -> Self {
        Self::new(format!("{lane}/page:{remote}"))
    }
}

impl CheckId {
    /// The check `check` of `component`.
    pub fn of(component: &ComponentId, check: &str) -> Self {
        Self::new(format!("{component}/{check}"))
    }
}
