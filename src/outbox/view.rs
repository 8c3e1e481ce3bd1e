//! An incident on its way to the page, as the operator sees it.

use serde::Serialize;

use crate::model::{ComponentId, IncidentKey, Timestamp};

use super::gate::Gate;
use super::publication::Publication;
use super::{Outbox, RemoteId};

/// Where an incident is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lead {
    /// All of it stands on the page.
    Published,
    /// Something waits to be published.
    Waiting,
    /// It waits for approval.
    Draft,
    /// Its components are set on the page, and no incident is written.
    Components,
    /// The mode keeps it from the page.
    NotPublished,
    /// A person has it.
    Detached,
    /// It stands open on a page that the configuration no longer names.
    Left,
}

impl Lead {
    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Waiting => "waiting",
            Self::Draft => "draft",
            Self::Components => "components",
            Self::NotPublished => "not_published",
            Self::Detached => "detached",
            Self::Left => "left",
        }
    }
}

/// An incident that is not done with.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// The incident.
    pub incident: IncidentKey,
    /// Where it is on its way.
    pub state: Lead,
    /// Why a person has it, or what it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Since when it is so, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The page that it was left on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Its id at the status API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteId>,
    /// The title that it has, or would have.
    pub title: String,
    /// The status that it has, or would have.
    pub status: String,
    /// The components that it is about.
    pub components: Vec<ComponentId>,
    /// How many steps wait.
    pub waiting: usize,
    /// The text that would be published next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl Outbox {
    /// The incidents that are not done with, in the order of their keys, and then those that were
    /// left open where nobody leads them.
    pub fn views(&self) -> Vec<View> {
        let incidents = self.state.incidents.iter().filter(|_| self.named);
        let led = incidents.map(|(key, publication)| self.look_at(key, publication));
        led.chain(self.left()).collect()
    }

    /// One of them.
    pub fn view(&self, key: &IncidentKey) -> Option<View> {
        let led = self.state.incidents.get(key).filter(|_| self.named);
        let left = || self.left().into_iter().find(|view| view.incident == *key);
        led.map(|publication| self.look_at(key, publication)).or_else(left)
    }

    fn look_at(&self, key: &IncidentKey, publication: &Publication) -> View {
        let view = view(key, publication);
        let people = self.set_by_people(publication);
        View { why: view.why.or(people), ..view }
    }
}

pub(super) fn view(key: &IncidentKey, publication: &Publication) -> View {
    let next = publication.steps().next();
    let standing = publication.standing();
    let (state, why, since) = lead(publication);
    // What is kept of it there is for the day that it is published.
    let apart = state == Lead::Components;
    let stands = |part: fn(&super::Standing) -> &String| standing.map(part).cloned();
    let title = next.map(|step| step.title.clone()).or_else(|| stands(|standing| &standing.name));
    let status = next.map(|step| step.status.to_string());
    View {
        incident: key.clone(),
        state,
        why,
        since: since.map(Timestamp::to_rfc3339),
        page: None,
        remote: publication.remote.clone(),
        title: title.unwrap_or_default(),
        status: status.or_else(|| stands(|standing| &standing.status)).unwrap_or_default(),
        components: publication.holds().cloned().collect(),
        waiting: if apart { 0 } else { publication.steps().count() },
        next: next.filter(|_| !apart).map(|step| step.body(publication.applied)),
    }
}

fn lead(publication: &Publication) -> (Lead, Option<String>, Option<Timestamp>) {
    if let Some(detached) = publication.detached() {
        return (Lead::Detached, Some(detached.why.to_string()), Some(detached.at));
    }
    match publication.gate {
        Gate::Draft { since } => (Lead::Draft, None, Some(since)),
        Gate::Components => (Lead::Components, None, Some(publication.wishes_since().0)),
        Gate::Shut if publication.sets_components() => (Lead::Components, None, None),
        Gate::Shut => (Lead::NotPublished, None, None),
        Gate::Open => match publication.steps().next() {
            Some(step) => (Lead::Waiting, publication.waits_for(), Some(step.since)),
            None => (Lead::Published, None, None),
        },
    }
}
