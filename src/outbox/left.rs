//! What stands open on a page that the configuration no longer names. Nobody leads it any more and
//! the page goes on showing it, so the operator is told until they say that it is dealt with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, IncidentKey, Timestamp};

use super::publication::Publication;
use super::view::Lead;
use super::{Notice, Outbox, RemoteId, State, Timing, View};

/// An incident that was open on another page when its lane was led elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Left {
    page: String,
    remote: Option<RemoteId>,
    since: Timestamp,
    title: String,
    status: String,
    components: Vec<ComponentId>,
}

impl Outbox {
    /// A lane that the configuration does not name any more: nothing is wanted of it and nothing
    /// leaves it. What it has is kept, so that it goes on where the lane is named again.
    pub fn unnamed(install: impl Into<String>, state: State) -> Self {
        Self { named: false, ..Self::new(install, state, Timing::default()) }
    }

    /// Whether the configuration names the lane.
    pub fn is_named(&self) -> bool {
        self.named
    }

    /// The lane leads to `page`. If it led to another one before:
    ///
    /// 1. What may stand open there is left, and the operator is told of it.
    /// 2. On this page each incident is opened when there is something to say of it.
    /// 3. What a person has there is theirs, and no concern of this page.
    #[must_use]
    pub fn leading_to(mut self, page: &str, now: Timestamp) -> Self {
        let before = self.state.page.replace(page.to_owned());
        let Some(before) = before.filter(|before| before != page) else { return self };
        let views = self.views();
        for view in views.into_iter().filter(|view| view.state != Lead::Left) {
            let shown = |publication| self.shows_components(publication);
            let shown = self.state.incidents.get(&view.incident).is_some_and(shown);
            let Some(publication) = self.state.incidents.get_mut(&view.incident) else { continue };
            if publication.stands() || shown {
                let left = Left {
                    page: before.clone(),
                    remote: view.remote,
                    since: now,
                    title: view.title,
                    status: view.status,
                    components: view.components,
                };
                self.state.left.insert(view.incident, left);
            }
            publication.move_away();
        }
        self.state.board.clear();
        self.state.forget_remotes();
        self.state.in_flight = None;
        self
    }

    /// The incidents that stand open where nobody leads them.
    pub fn left(&self) -> Vec<View> {
        let mut views: Vec<View> =
            self.state.left.iter().map(|(key, left)| left.view(key)).collect();
        if !self.named {
            let standing =
                self.state.incidents.iter().filter(|(_, publication)| self.is_shown(publication));
            views.extend(standing.map(|(key, publication)| {
                let view = super::view::view(key, publication);
                View { state: Lead::Left, page: self.state.page.clone(), next: None, ..view }
            }));
        }
        views
    }

    /// Whether the page shows something of it.
    fn is_shown(&self, publication: &Publication) -> bool {
        publication.stands() || self.shows_components(publication)
    }

    /// Does not speak of an incident any more that stood open where nobody leads it; `None` if
    /// there is none such.
    pub fn forget(&mut self, key: &IncidentKey) -> Option<Notice> {
        let elsewhere = self.state.left.remove(key).is_some();
        let here = !self.named && self.state.incidents.get(key).is_some_and(|it| self.is_shown(it));
        if here {
            self.state.retire(key);
        }
        (elsewhere || here).then(|| Notice::Forgotten { incident: key.clone() })
    }
}

impl Left {
    fn view(&self, key: &IncidentKey) -> View {
        View {
            incident: key.clone(),
            state: Lead::Left,
            why: None,
            since: Some(self.since.to_rfc3339()),
            page: Some(self.page.clone()),
            remote: self.remote.clone(),
            title: self.title.clone(),
            status: self.status.clone(),
            components: self.components.clone(),
            waiting: 0,
            next: None,
        }
    }
}

/// Those that were left, by their keys.
pub(super) type Leavings = BTreeMap<IncidentKey, Left>;
