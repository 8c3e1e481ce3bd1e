//! What came of attempts, for logs and metrics. Nobody who decides listens.

use std::fmt;

use crate::model::{
    ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus, Span, Timestamp,
};

use super::{Foreign, RemoteId};

/// Something that an operator may want to know about publishing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A step, and all before it, stand on the status page.
    Published {
        /// The incident.
        incident: IncidentKey,
        /// The step.
        sequence: u32,
        /// The incident's id at the status API.
        remote: RemoteId,
        /// How long after the decision.
        delay: Span,
    },
    /// An attempt failed and will be made again.
    Retry {
        /// The incident that it was about.
        incident: IncidentKey,
        /// Why it failed.
        trouble: Trouble,
        /// What the API, or the system, said.
        detail: String,
        /// When the lane goes on, at the earliest.
        at: Timestamp,
    },
    /// A write in doubt was looked for.
    Reconciled {
        /// The incident.
        incident: IncidentKey,
        /// The step that was in doubt.
        sequence: u32,
        /// Whether it had been applied; if not, it is written again.
        applied: bool,
    },
    /// The API refused a step.
    Rejected {
        /// The incident.
        incident: IncidentKey,
        /// The step.
        sequence: u32,
        /// The status code.
        status: u16,
        /// What the API said.
        detail: String,
        /// Whether the step is given up; the next one is tried nevertheless.
        given_up: bool,
    },
    /// The API does not know these components: they are left out from now on.
    Unlisted {
        /// The components.
        components: Vec<ComponentId>,
    },
    /// A component was set apart from incidents, or was not.
    Component {
        /// The incident that it is about.
        incident: IncidentKey,
        /// The component.
        component: ComponentId,
        /// What happened.
        news: ComponentNews,
    },
    /// A person has the incident now: farol leaves it alone.
    Detached {
        /// The incident.
        incident: IncidentKey,
        /// Its id at the status API, if it ever had one.
        remote: Option<RemoteId>,
        /// What the person did.
        why: Foreign,
    },
    /// Farol would have something to say of an incident that a person has.
    StillDetached {
        /// The incident.
        incident: IncidentKey,
        /// Since when a person has it.
        since: Timestamp,
        /// The status that it would have.
        status: IncidentStatus,
        /// What the person did.
        why: Foreign,
    },
    /// An incident waits for approval.
    Drafted {
        /// The incident.
        incident: IncidentKey,
        /// Its impact.
        impact: Impact,
        /// Its title.
        title: String,
        /// When it is dropped, if nobody approves of it.
        until: Timestamp,
    },
    /// A draft was approved, and is published.
    Approved {
        /// The incident.
        incident: IncidentKey,
        /// Nobody answered, and it is critical.
        by_itself: bool,
    },
    /// The draft of a postmortem stands at the status API, for people to go on with.
    PostmortemDrafted {
        /// The incident.
        incident: IncidentKey,
        /// Its id there.
        remote: RemoteId,
    },
    /// There is no draft of a postmortem at the status API.
    NoPostmortem {
        /// The incident.
        incident: IncidentKey,
        /// Why.
        why: String,
    },
    /// Nobody approved of a draft in time: it is not published.
    Expired {
        /// The incident.
        incident: IncidentKey,
    },
    /// An incident was over before anything of it was published, and is not published.
    Dropped {
        /// The incident.
        incident: IncidentKey,
    },
    /// What would be published if farol did not only observe.
    WouldPublish {
        /// The incident.
        incident: IncidentKey,
        /// The status that it would have.
        status: IncidentStatus,
        /// The impact.
        impact: Impact,
        /// The title.
        title: String,
        /// The text.
        body: String,
    },
    /// An incident goes on with one on the page that carries our mark and that nobody here knew.
    Adopted {
        /// The incident.
        incident: IncidentKey,
        /// The one on the page.
        remote: RemoteId,
    },
    /// An open incident on the page carries our mark, and nobody here knows it.
    Orphaned {
        /// The one on the page.
        remote: RemoteId,
    },
    /// An incident is open for very long.
    Old {
        /// The incident.
        incident: IncidentKey,
        /// Since when it is wanted.
        since: Timestamp,
    },
    /// A new incident has to wait for a person, or for a maintenance.
    Waits {
        /// The incident.
        incident: IncidentKey,
        /// Until when, at least.
        until: Timestamp,
        /// Why.
        why: Foreign,
    },
    /// Farol goes on with an incident that a person had.
    Rejoined {
        /// The incident.
        incident: IncidentKey,
    },
    /// The operator has dealt with an incident that stood open where nobody leads it.
    Forgotten {
        /// The incident.
        incident: IncidentKey,
    },
    /// The incident exists twice; the elder is kept and this one will be resolved.
    Duplicate {
        /// The incident.
        incident: IncidentKey,
        /// The superfluous one.
        remote: RemoteId,
    },
}

/// What became of a component that was to be set apart from incidents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ComponentNews {
    /// It shows this.
    Set(ComponentStatus),
    /// A person set it to this, in the API's word: it is theirs.
    Theirs(String),
    /// Something open on the page has it; it is looked at again later.
    Held(RemoteId),
    /// The API does not want it to be set.
    Refused {
        /// The status code.
        status: u16,
        /// What the API said.
        detail: String,
    },
}

/// To go on after the component's name.
impl fmt::Display for ComponentNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(status) => write!(f, "shows {status} on the status page"),
            Self::Theirs(shown) => {
                write!(f, "was set to {shown} by somebody; farol leaves it alone")
            }
            Self::Held(by) => {
                write!(f, "is in the hands of {by}, which is open there; looked at again later")
            }
            Self::Refused { status, detail } => {
                write!(f, "cannot be set ({status}): {detail}; tried again later")
            }
        }
    }
}

/// Why an attempt has to be made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Trouble {
    /// The request never left.
    NotSent,
    /// Nobody can tell whether it was applied.
    Uncertain,
    /// The API asks for patience.
    RateLimited,
    /// The API does not know us.
    Unauthorized,
    /// The API refused a question, which was harmless.
    Refused,
}

impl Trouble {
    /// Every trouble.
    pub const ALL: [Self; 5] =
        [Self::NotSent, Self::Uncertain, Self::RateLimited, Self::Unauthorized, Self::Refused];

    /// The word for it, in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotSent => "not_sent",
            Self::Uncertain => "uncertain",
            Self::RateLimited => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::Refused => "refused",
        }
    }
}

impl Notice {
    /// Whether an operator should look into it.
    pub const fn is_trouble(&self) -> bool {
        match self {
            Self::Published { .. }
            | Self::Reconciled { .. }
            | Self::Rejoined { .. }
            | Self::Approved { .. }
            | Self::Dropped { .. }
            | Self::PostmortemDrafted { .. }
            | Self::NoPostmortem { .. }
            | Self::Forgotten { .. }
            | Self::Component { news: ComponentNews::Set(_), .. }
            | Self::WouldPublish { .. } => false,
            Self::Retry { .. }
            | Self::Rejected { .. }
            | Self::Unlisted { .. }
            | Self::Component { .. }
            | Self::Detached { .. }
            | Self::StillDetached { .. }
            | Self::Drafted { .. }
            | Self::Adopted { .. }
            | Self::Orphaned { .. }
            | Self::Old { .. }
            | Self::Expired { .. }
            | Self::Waits { .. }
            | Self::Duplicate { .. } => true,
        }
    }
}

/// One line for the operator.
impl fmt::Display for Notice {
    #[expect(clippy::too_many_lines, reason = "a sentence for each, and nothing else")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published { incident, sequence, remote, delay } => write!(
                f,
                "incident {incident}: step {sequence} stands on the status page as {remote}, \
                 {delay} after the decision"
            ),
            Self::Retry { incident, trouble, detail, at } => write!(
                f,
                "incident {incident}: the status API could not be written ({}): {detail}; \
                 tried again at {at}",
                trouble.as_str()
            ),
            Self::Reconciled { incident, sequence, applied: true } => {
                write!(f, "incident {incident}: step {sequence} had arrived after all")
            }
            Self::Reconciled { incident, sequence, applied: false } => {
                write!(f, "incident {incident}: step {sequence} had not arrived; it is sent again")
            }
            Self::Rejected { incident, sequence, status, detail, given_up } => write!(
                f,
                "incident {incident}: the status API refuses step {sequence} ({status}): {detail}; {}",
                if *given_up { "given up" } else { "tried again later" }
            ),
            Self::Unlisted { components } => {
                write!(f, "the status API does not know these components:")?;
                components.iter().try_for_each(|component| write!(f, " {component}"))
            }
            Self::Component { incident, component, news } => {
                write!(f, "incident {incident}: component {component} {news}")
            }
            Self::Detached { incident, remote: Some(remote), why } => write!(
                f,
                "incident {incident}: {why}; farol leaves {remote} alone until it is told to \
                 rejoin"
            ),
            Self::Detached { incident, remote: None, why } => {
                write!(f, "incident {incident}: {why}; farol does not open another")
            }
            Self::StillDetached { incident, since, status, why } => write!(
                f,
                "incident {incident}: {why} at {since}, so farol is silent; it would be \
                 {status} by now"
            ),
            Self::Adopted { incident, remote } => {
                write!(f, "incident {incident}: goes on with {remote}, which nobody here knew")
            }
            Self::Orphaned { remote } => write!(
                f,
                "{remote} is open on the status page with farol's mark, and farol does not know \
                 it: resolve it by hand if it is over"
            ),
            Self::Old { incident, since } => {
                write!(f, "incident {incident}: open since {since}, which is very long")
            }
            Self::Drafted { incident, impact, title, until } => write!(
                f,
                "incident {incident} ({impact}, {title:?}) waits for approval until {until}: \
                 farol incidents approve {incident}"
            ),
            Self::Approved { incident, by_itself: false } => {
                write!(f, "incident {incident}: approved, and published")
            }
            Self::Approved { incident, by_itself: true } => {
                write!(f, "incident {incident}: nobody answered, it is critical, and is published")
            }
            Self::Expired { incident } => {
                write!(f, "incident {incident}: nobody approved of it in time; it is not published")
            }
            Self::Dropped { incident } => write!(
                f,
                "incident {incident}: over before anything of it was published; it is left out"
            ),
            Self::WouldPublish { incident, status, impact, title, body } => write!(
                f,
                "incident {incident}: would be published: {status}, {impact}, {title:?}: {body:?}"
            ),
            Self::PostmortemDrafted { incident, remote } => write!(
                f,
                "incident {incident}: the draft of a postmortem stands beside {remote}, published \
                 nowhere"
            ),
            Self::NoPostmortem { incident, why } => write!(
                f,
                "incident {incident}: no draft of a postmortem at the status API ({why}): farol \
                 postmortem {incident} prints it"
            ),
            Self::Waits { incident, until, why: Foreign::Maintenance(id) } => write!(
                f,
                "incident {incident}: maintenance {id} is under way on one of its components; \
                 looked at again at {until}"
            ),
            Self::Waits { incident, until, .. } => write!(
                f,
                "incident {incident}: somebody ended one on the same component; farol opens \
                 another at {until} if the trouble lasts"
            ),
            Self::Rejoined { incident } => {
                write!(f, "incident {incident}: farol goes on with it")
            }
            Self::Forgotten { incident } => {
                write!(
                    f,
                    "incident {incident}: it was left on its page, and is not spoken of any more"
                )
            }
            Self::Duplicate { incident, remote } => {
                write!(f, "incident {incident}: {remote} is a duplicate and will be resolved")
            }
        }
    }
}
