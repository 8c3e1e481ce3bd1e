//! The dialect of Atlassian Statuspage's management API, which farol's own server speaks too.
//!
//! Every change is one call that carries status, text, components and the mark of ownership
//! together: of two calls one may be lost, and each would be a mail to every customer. The mark is
//! `metadata.farol`: `k` the incident's key, `i` the installation, `n` the step; strings, and
//! opaque, since the vendor's webhooks hand them to subscribers. What carries another
//! installation's mark, or none, is not touched.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use chrono::DateTime;
use http::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::model::{ComponentId, IncidentKey, IncidentStatus, Timestamp};
use crate::outbox::{Outcome, Payload, Remote, RemoteId, Request};

use super::dialect::{
    Answer, Call, Caps, Conversation, Dialect, Marker, Turn, complaint, shortened,
};

/// Rows of one page of a list: what the vendor gives at most.
const PER_PAGE: usize = 100;
/// Pages of one list that are read at most.
const MAX_PAGES: usize = 20;
const MAX_NAME: usize = 255;
const MAX_BODY: usize = 25_000;

/// What the vendor's API can do; farol's own is as able.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Metadata,
    atomic: true,
    idempotent: false,
    clears_components: false,
    per_second: NonZeroU32::MIN,
    longest_title: MAX_NAME,
    longest_text: MAX_BODY,
};

/// One page, and how to speak of it.
#[derive(Clone, Debug)]
pub(super) struct Statuspage {
    pub(super) page: String,
    pub(super) install: String,
    pub(super) notify: bool,
    pub(super) components: BTreeMap<ComponentId, String>,
}

/// A request on its way, which may take several calls.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    dialect: &'a Statuspage,
    request: &'a Request,
    stage: Stage,
    found: BTreeMap<RemoteId, Remote>,
    known: BTreeSet<String>,
}

/// Which list is being read; the page counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Single,
    Unresolved(usize),
    Recent,
    Components(usize),
}

/// An incident as the API shows it, as far as we look.
#[derive(Deserialize)]
struct Incident {
    id: String,
    status: Option<String>,
    created_at: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    farol: Option<Mark>,
}

/// The mark of ownership.
#[derive(Deserialize)]
struct Mark {
    k: String,
    i: String,
    n: Option<String>,
}

impl Statuspage {
    /// Begins a request.
    pub(super) fn exchange<'a>(&'a self, request: &'a Request) -> Exchange<'a> {
        let stage = match request {
            Request::Find { .. } => Stage::Unresolved(1),
            Request::Components => Stage::Components(1),
            Request::Create(_)
            | Request::Update { .. }
            | Request::Read { .. }
            | Request::Retire { .. } => Stage::Single,
        };
        let (found, known) = (BTreeMap::new(), BTreeSet::new());
        Exchange { dialect: self, request, stage, found, known }
    }

    fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> Call {
        let path = ["pages", &self.page].into_iter().chain(path.iter().copied());
        Call {
            method,
            path: path.map(str::to_owned).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body,
        }
    }

    fn list(&self, path: &[&str], limit: &'static str, page: usize) -> Call {
        let query = vec![("page", page.to_string()), (limit, PER_PAGE.to_string())];
        Call { query, ..self.call(Method::GET, path, None) }
    }

    fn incident(&self, payload: &Payload) -> Value {
        let components: Map<String, Value> = payload
            .components
            .iter()
            .filter_map(|(id, status)| Some((self.components.get(id)?, status)))
            .map(|(remote, status)| (remote.clone(), json!(status.as_str())))
            .collect();
        let ids: Vec<&String> = components.keys().collect();
        let mut incident = json!({
            "name": shortened(&payload.title, MAX_NAME),
            "status": payload.status.as_str(),
            "impact_override": payload.impact.as_str(),
            "component_ids": ids,
            "components": components,
            "deliver_notifications": self.notify,
            "metadata": { "farol": {
                "k": payload.key.as_str(),
                "i": payload.install,
                "n": payload.sequence.to_string(),
            } },
        });
        // An empty text would be an empty update on the page.
        if !payload.body.is_empty() {
            incident["body"] = json!(shortened(&payload.body, MAX_BODY));
        }
        json!({ "incident": incident })
    }

    /// The incident, if it is ours.
    fn own(&self, row: &Value) -> Option<Remote> {
        let incident = Incident::deserialize(row).ok()?;
        let mark = incident.metadata?.farol.filter(|mark| mark.i == self.install)?;
        Some(Remote {
            id: RemoteId::new(incident.id),
            key: IncidentKey::new(mark.k),
            sequence: mark.n.and_then(|n| n.parse().ok()).unwrap_or(0),
            status: incident.status.as_deref().and_then(IncidentStatus::parse),
            created_at: incident
                .created_at
                .and_then(|at| DateTime::parse_from_rfc3339(&at).ok())
                .map_or(Timestamp::EPOCH, |at| at.to_utc().into()),
        })
    }
}

impl Exchange<'_> {
    /// The call to make now.
    pub(super) fn call(&self) -> Call {
        let dialect = self.dialect;
        match (self.stage, self.request) {
            (Stage::Unresolved(page), _) => {
                dialect.list(&["incidents", "unresolved"], "per_page", page)
            }
            (Stage::Recent, _) => dialect.list(&["incidents"], "limit", 1),
            (Stage::Components(page), _) => dialect.list(&["components"], "per_page", page),
            (Stage::Single, Request::Create(payload)) => {
                dialect.call(Method::POST, &["incidents"], Some(dialect.incident(payload)))
            }
            (Stage::Single, Request::Update { remote, payload }) => {
                let body = Some(dialect.incident(payload));
                dialect.call(Method::PATCH, &["incidents", remote.as_str()], body)
            }
            (Stage::Single, Request::Retire { remote, .. }) => {
                let body = json!({ "incident": {
                    "status": IncidentStatus::Resolved.as_str(),
                    "body": "Duplicate of another incident.",
                    "deliver_notifications": false,
                } });
                dialect.call(Method::PATCH, &["incidents", remote.as_str()], Some(body))
            }
            (Stage::Single, Request::Read { remote, .. }) => {
                dialect.call(Method::GET, &["incidents", remote.as_str()], None)
            }
            // Never begun as single calls; asking for the first page does no harm.
            (Stage::Single, Request::Find { .. } | Request::Components) => {
                dialect.list(&["incidents", "unresolved"], "per_page", 1)
            }
        }
    }

    /// Takes the answer to the call.
    pub(super) fn hear(&mut self, answer: &Answer) -> Turn {
        if let Some(outcome) = self.refusal(answer) {
            return Turn::Over(outcome);
        }
        let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
        match (self.stage, value) {
            (Stage::Single, Some(value)) => Turn::Over(self.single(&value)),
            (_, Some(Value::Array(rows))) => self.page(&rows),
            (_, _) => Turn::Over(nonsense(answer)),
        }
    }

    /// What the status code alone says, if that is all there is to it.
    fn refusal(&self, answer: &Answer) -> Option<Outcome> {
        let detail = || complaint(&answer.body);
        Some(match answer.status {
            200..=299 => return None,
            401 | 403 => Outcome::Unauthorized { detail: detail() },
            404 if self.has_id() => Outcome::Gone,
            // The vendor's older clients rely on 420, and both are seen.
            420 | 429 => Outcome::RateLimited { retry_after: answer.retry_after },
            408 | 500.. => {
                Outcome::Uncertain { detail: format!("status {}: {}", answer.status, detail()) }
            }
            status => Outcome::Rejected { status, detail: detail() },
        })
    }

    fn has_id(&self) -> bool {
        match self.request {
            Request::Update { .. } | Request::Read { .. } | Request::Retire { .. } => true,
            Request::Create(_) | Request::Find { .. } | Request::Components => false,
        }
    }

    fn single(&self, value: &Value) -> Outcome {
        let id = value.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let Some(id) = id else {
            return Outcome::Uncertain { detail: "the answer names no incident".to_owned() };
        };
        let own = self.dialect.own(value);
        let Request::Read { key, .. } = self.request else {
            let written = self.request.payload().map_or(0, |payload| payload.sequence);
            // An API that knows our key answers a second create with what the first one made.
            if own.is_some_and(|own| own.sequence < written) {
                return Outcome::Uncertain {
                    detail: "the incident was there already, at an earlier step".to_owned(),
                };
            }
            return Outcome::Done { remote: RemoteId::new(id) };
        };
        match own {
            Some(remote) if remote.key == *key => Outcome::Found(vec![remote]),
            // Somebody took our mark off, which is a way to say: hands off.
            Some(_) | None => Outcome::Gone,
        }
    }

    fn page(&mut self, rows: &[Value]) -> Turn {
        let before = self.found.len() + self.known.len();
        match self.stage {
            Stage::Single | Stage::Unresolved(_) | Stage::Recent => {
                let own = rows.iter().filter_map(|row| self.dialect.own(row));
                self.found.extend(own.map(|remote| (remote.id.clone(), remote)));
            }
            Stage::Components(_) => {
                let ids = rows.iter().filter_map(|row| row.get("id").and_then(Value::as_str));
                self.known.extend(ids.map(str::to_owned));
            }
        }
        let grew = self.found.len() + self.known.len() > before;
        let full = rows.len() >= PER_PAGE;
        self.stage = match self.stage {
            Stage::Unresolved(page) if full && page < MAX_PAGES => Stage::Unresolved(page + 1),
            // What is not in a list that was cut short may exist all the same.
            Stage::Unresolved(_) if full && !self.has_found_it() => {
                let detail = format!("more than {} unresolved incidents", MAX_PAGES * PER_PAGE);
                return Turn::Over(Outcome::Uncertain { detail });
            }
            // A person may have resolved it at once.
            Stage::Unresolved(_) => Stage::Recent,
            Stage::Components(page) if full && grew && page < MAX_PAGES => {
                Stage::Components(page + 1)
            }
            Stage::Components(_) => {
                let ids = self.dialect.components.iter();
                let known = ids.filter(|(_, remote)| self.known.contains(*remote));
                return Turn::Over(Outcome::Listed(known.map(|(id, _)| id.clone()).collect()));
            }
            Stage::Single | Stage::Recent => {
                let found = std::mem::take(&mut self.found);
                return Turn::Over(Outcome::Found(found.into_values().collect()));
            }
        };
        Turn::Call(self.call())
    }

    fn has_found_it(&self) -> bool {
        let Request::Find { key } = self.request else { return true };
        self.found.values().any(|remote| remote.key == *key)
    }
}

fn nonsense(answer: &Answer) -> Outcome {
    let detail = format!("the answer is not what was asked for: {}", complaint(&answer.body));
    Outcome::Uncertain { detail }
}

impl Dialect for Statuspage {
    fn begin<'a>(
        &'a self,
        request: &'a Request,
        _now: Timestamp,
    ) -> Box<dyn Conversation + Send + 'a> {
        Box::new(self.exchange(request))
    }
}

impl Conversation for Exchange<'_> {
    fn open(&mut self) -> Turn {
        Turn::Call(self.call())
    }

    fn hear(&mut self, answer: &Answer) -> Turn {
        Exchange::hear(self, answer)
    }
}

#[cfg(test)]
mod tests;
