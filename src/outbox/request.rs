//! What the outbox asks of a status API and what it hears back, in words that no vendor owns.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{
    ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus, PageMaintenance,
    Span, Timestamp,
};

use super::Standing;

/// An incident's id at the status API.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RemoteId(String);

impl RemoteId {
    /// Takes the text as the API gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemoteId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Names one attempt, so that an answer finds the attempt that it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub(super) u64);

/// One request to be made now. The outbox has marked it as in flight: save its state before the
/// request leaves, or a crash may send it twice.
#[must_use = "an attempt that is not made blocks its lane for ever"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its name, for [`Outbox::outcome`](super::Outbox::outcome).
    pub id: AttemptId,
    /// When it was handed out.
    pub at: Timestamp,
    /// What is asked.
    pub request: Request,
}

/// What is asked of the status API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Make an incident. [`Outcome::Done`] tells its id.
    Create(Payload),
    /// Bring an incident to this state, in one call.
    Update {
        /// The incident.
        remote: RemoteId,
        /// What it should say.
        payload: Payload,
        /// How it must stand before: read it first, and if it stands otherwise, write nothing and
        /// answer [`Outcome::Differs`]. `None` where whatever stands there will do.
        expect: Option<Standing>,
    },
    /// List the incidents that are ours, unresolved and recent, in search of one of them.
    Find {
        /// The one that is searched; what else is listed is welcome.
        key: IncidentKey,
    },
    /// Read one incident.
    Read {
        /// The incident.
        remote: RemoteId,
        /// The key that it should carry.
        key: IncidentKey,
    },
    /// Resolve, without telling subscribers, an incident that exists twice.
    Retire {
        /// The superfluous one.
        remote: RemoteId,
        /// The key that both carry.
        key: IncidentKey,
    },
    /// Put the draft of a postmortem beside an incident, unless one stands there that is not this
    /// one: [`Outcome::Rejected`] then.
    Draft {
        /// The incident.
        remote: RemoteId,
        /// The key that it should carry.
        key: IncidentKey,
        /// The draft, in Markdown.
        text: String,
    },
    /// Set a component apart from incidents: look at it first, and leave it alone if it shows what
    /// is not expected, or if something open on the page has it. The answer is
    /// [`Outcome::Component`].
    SetComponent {
        /// The incident that it is set for.
        key: IncidentKey,
        /// The component.
        component: ComponentId,
        /// What it should show.
        status: ComponentStatus,
        /// What it may show before; what shows anything else is a person's.
        expect: BTreeSet<ComponentStatus>,
        /// When it is asked: a maintenance that was announced to be over by then has nothing.
        at: Timestamp,
    },
    /// List the components that the API knows.
    Components,
    /// List all that is open on the page, whoever made it.
    Survey,
    /// List the maintenances that people announced on the page and that are not over.
    Announcements,
}

impl Request {
    /// What it writes of an incident, if it does.
    pub const fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Create(payload) | Self::Update { payload, .. } => Some(payload),
            Self::Retire { .. }
            | Self::Draft { .. }
            | Self::SetComponent { .. }
            | Self::Find { .. }
            | Self::Read { .. }
            | Self::Components
            | Self::Survey
            | Self::Announcements => None,
        }
    }

    /// The incident that it is about, if it is about one.
    pub const fn key(&self) -> Option<&IncidentKey> {
        match self {
            Self::Create(payload) | Self::Update { payload, .. } => Some(&payload.key),
            Self::Retire { key, .. }
            | Self::Draft { key, .. }
            | Self::SetComponent { key, .. }
            | Self::Find { key }
            | Self::Read { key, .. } => Some(key),
            Self::Components | Self::Survey | Self::Announcements => None,
        }
    }

    /// Whether it changes anything: a change that may or may not have happened must be looked for
    /// before it is asked again.
    pub const fn is_write(&self) -> bool {
        match self {
            Self::Create(_)
            | Self::Update { .. }
            | Self::Retire { .. }
            | Self::Draft { .. }
            | Self::SetComponent { .. } => true,
            Self::Find { .. }
            | Self::Read { .. }
            | Self::Components
            | Self::Survey
            | Self::Announcements => false,
        }
    }

    /// The word for it, in logs and metrics.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Update { .. } => "update",
            Self::Find { .. } => "find",
            Self::Read { .. } => "read",
            Self::Retire { .. } => "retire",
            Self::Draft { .. } => "draft",
            Self::SetComponent { .. } => "set_component",
            Self::Components => "components",
            Self::Survey => "survey",
            Self::Announcements => "announcements",
        }
    }
}

/// The whole of an incident as it should stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The incident; with `install` the mark of ownership.
    pub key: IncidentKey,
    /// The installation of farol that the incident belongs to.
    pub install: String,
    /// The latest step that this says everything of.
    pub sequence: u32,
    /// What kind of step it is.
    pub kind: ActionKind,
    /// When the latest step was decided.
    pub at: Timestamp,
    /// When the trouble began.
    pub started_at: Timestamp,
    /// The incident's status.
    pub status: IncidentStatus,
    /// Its impact.
    pub impact: Impact,
    /// Its title.
    pub title: String,
    /// What there is to say, of every step since the last that was published.
    pub body: String,
    /// Whether subscribers are told.
    pub notify: bool,
    /// The components that it holds, with the status each should have.
    pub components: BTreeMap<ComponentId, ComponentStatus>,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The write was applied.
    Done {
        /// The incident that was written.
        remote: RemoteId,
        /// How it stands now, if the API tells.
        standing: Option<Standing>,
    },
    /// Nothing was written: the incident does not stand as it should have, but like this.
    Differs(Remote),
    /// The request never left: it may be made again at once.
    NotSent {
        /// Why, for the operator.
        detail: String,
    },
    /// Nobody can tell whether the request was applied: time-out, reset, 5xx, nonsense.
    Uncertain {
        /// What happened, for the operator.
        detail: String,
    },
    /// The API asks for patience; the request was not applied.
    RateLimited {
        /// How long, if it said so.
        retry_after: Option<Span>,
    },
    /// The API does not want the request as it is.
    Rejected {
        /// The status code.
        status: u16,
        /// What it said, for the operator.
        detail: String,
    },
    /// The API does not know us; the request was not applied.
    Unauthorized {
        /// What it said, for the operator.
        detail: String,
    },
    /// The incident does not exist any more, or is not ours any more.
    Gone,
    /// The incidents that are ours, for [`Request::Find`] and [`Request::Read`].
    Found(Vec<Remote>),
    /// The components that the API knows, for [`Request::Components`].
    Listed(BTreeSet<ComponentId>),
    /// What is open on the page, for [`Request::Survey`].
    Surveyed(Vec<Sighting>),
    /// A component, for [`Request::SetComponent`].
    Component(Shows),
    /// What is announced on the page, for [`Request::Announcements`].
    Announced(BTreeMap<RemoteId, PageMaintenance>),
}

/// How a component was found, or left, for [`Request::SetComponent`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// It shows what it should.
    Wanted,
    /// It shows this, in the API's word, and was left alone.
    Other(String),
    /// This is open on the page and has it; it was left alone.
    Held(RemoteId),
}

/// Something that is open on a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Its id there.
    pub id: RemoteId,
    /// The key that it carries, if it is ours.
    pub key: Option<IncidentKey>,
    /// The components of ours that it is about.
    pub components: BTreeSet<ComponentId>,
    /// Whether it is a maintenance.
    pub maintenance: bool,
    /// Until when it is announced, if it is one.
    pub until: Option<Timestamp>,
}

/// An incident of ours as the status API holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remote {
    /// Its id there.
    pub id: RemoteId,
    /// The key that it carries.
    pub key: IncidentKey,
    /// The step that it was last brought to.
    pub sequence: u32,
    /// Its status; `None` for one that farol has no word for.
    pub status: Option<IncidentStatus>,
    /// When it was made: of two with one key the elder is kept.
    pub created_at: Timestamp,
    /// How it stands, if the API tells.
    pub standing: Option<Standing>,
}
