//! The dialect of Atlassian Statuspage's management API, which farol's own server speaks too.
//!
//! Every change is one call that carries status, text, components and the mark of ownership
//! together: of two calls one may be lost, and each would be a mail to every customer. The mark is
//! `metadata.farol`: `k` the incident's key, `i` the installation, `n` the step; strings, and
//! opaque, since the vendor's webhooks hand them to subscribers. What carries another
//! installation's mark, or none, is not touched.
//!
//! An incident is read before it is written, and only what is to change is said: what a person
//! does between the two is not undone. A server that knows versions (our own does) refuses the
//! write then.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use http::Method;
use serde_json::{Map, Value, json};

use crate::model::{IncidentStatus, PageMaintenance, Timestamp};
use crate::outbox::{Outcome, Payload, Remote, RemoteId, Request, Sighting, Standing};

use super::dialect::{
    Answer, Call, Caps, Conversation, Dialect, Marker, Turn, complaint, shortened,
};
use component::Setting;
use draft::Drafting;
use row::Components;

mod component;
mod draft;
mod row;

/// Rows of one page of a list: what the vendor gives at most.
const PER_PAGE: usize = 100;
/// Pages of one list that are read at most.
const MAX_PAGES: usize = 20;
/// How often an incident that changes between reading and writing is read again.
const MAX_READS: usize = 3;
const MAX_NAME: usize = 255;
const MAX_BODY: usize = 25_000;

/// What the vendor's API can do; farol's own is as able.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Metadata,
    atomic: true,
    drafts: true,
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
    pub(super) components: Components,
}

/// A request on its way, which may take several calls.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    dialect: &'a Statuspage,
    request: &'a Request,
    stage: Stage,
    found: BTreeMap<RemoteId, Remote>,
    seen: BTreeMap<RemoteId, Sighting>,
    announced: BTreeMap<RemoteId, PageMaintenance>,
    known: BTreeSet<String>,
    before: Option<Before>,
    reads: usize,
}

/// Which list is being read; the page counts from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The incident, before it is written.
    Before,
    Single,
    Unresolved(usize),
    Upcoming(usize),
    Maintenance(usize),
    Recent,
    Components(usize),
}

/// What was read of an incident before it is written.
#[derive(Debug)]
struct Before {
    standing: Standing,
    /// What others keep with it.
    metadata: Map<String, Value>,
    etag: Option<String>,
}

impl Statuspage {
    /// Begins a request.
    pub(super) fn exchange<'a>(&'a self, request: &'a Request) -> Exchange<'a> {
        let stage = match request {
            Request::Find { .. } | Request::Survey => Stage::Unresolved(1),
            Request::Components => Stage::Components(1),
            Request::Announcements => Stage::Upcoming(1),
            Request::Update { .. } | Request::Retire { .. } => Stage::Before,
            Request::Create(_)
            | Request::Read { .. }
            | Request::Draft { .. }
            | Request::SetComponent { .. } => Stage::Single,
        };
        Exchange {
            dialect: self,
            request,
            stage,
            found: BTreeMap::new(),
            seen: BTreeMap::new(),
            announced: BTreeMap::new(),
            known: BTreeSet::new(),
            before: None,
            reads: 0,
        }
    }

    fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> Call {
        let path = ["pages", &self.page].into_iter().chain(path.iter().copied());
        Call {
            method,
            path: path.map(str::to_owned).collect(),
            query: Vec::new(),
            headers: Vec::new(),
            body,
            if_match: None,
        }
    }

    fn list(&self, path: &[&str], limit: &'static str, page: usize) -> Call {
        let query = vec![("page", page.to_string()), (limit, PER_PAGE.to_string())];
        Call { query, ..self.call(Method::GET, path, None) }
    }

    /// What is said of an incident that stands as it was read `before`, or of a new one.
    fn incident(&self, payload: &Payload, before: Option<&Before>) -> Value {
        let stands = |id: &str, status: &str| {
            before
                .and_then(|before| before.standing.components.get(id))
                .is_some_and(|s| s == status)
        };
        let all = payload.components.iter();
        let all = all.filter_map(|(id, status)| Some((id, self.components.get(id)?, status)));
        let ids: Vec<&String> = all.clone().map(|(_, remote, _)| remote).collect();
        let components: Map<String, Value> = all
            .filter(|(_, remote, status)| !stands(remote.as_str(), status.as_str()))
            .map(|(_, remote, status)| (remote.clone(), json!(status.as_str())))
            .collect();
        let mut metadata = before.map(|before| before.metadata.clone()).unwrap_or_default();
        metadata.insert(
            "farol".to_owned(),
            json!({
                "k": payload.key.as_str(),
                "i": payload.install,
                "n": payload.sequence.to_string(),
            }),
        );
        let mut incident = json!({
            "status": payload.status.as_str(),
            "component_ids": ids,
            "components": components,
            "deliver_notifications": payload.notify,
            "metadata": metadata,
        });
        let name = shortened(&payload.title, MAX_NAME);
        if before.is_none_or(|before| before.standing.name != name) {
            incident["name"] = json!(name);
        }
        let impact = payload.impact.as_str();
        if before.is_none_or(|before| before.standing.impact.as_deref() != Some(impact)) {
            incident["impact_override"] = json!(impact);
        }
        // An empty text would be an empty update on the page.
        if !payload.body.is_empty() {
            incident["body"] = json!(shortened(&payload.body, MAX_BODY));
        }
        json!({ "incident": incident })
    }

    /// The incident, if it is ours.
    fn own(&self, row: &Value) -> Option<Remote> {
        row::own(row, &self.install, &self.components)
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
            (Stage::Upcoming(page), _) => {
                dialect.list(&["incidents", "upcoming"], "per_page", page)
            }
            (Stage::Maintenance(page), _) => {
                dialect.list(&["incidents", "active_maintenance"], "per_page", page)
            }
            (Stage::Recent, _) => dialect.list(&["incidents"], "limit", 1),
            (Stage::Before, Request::Update { remote, .. } | Request::Retire { remote, .. }) => {
                dialect.call(Method::GET, &["incidents", remote.as_str()], None)
            }
            (Stage::Components(page), _) => dialect.list(&["components"], "per_page", page),
            (Stage::Single, Request::Create(payload)) => {
                dialect.call(Method::POST, &["incidents"], Some(dialect.incident(payload, None)))
            }
            (Stage::Single, Request::Update { remote, payload, .. }) => {
                let body = dialect.incident(payload, self.before.as_ref());
                self.write(remote, body)
            }
            (Stage::Single, Request::Retire { remote, .. }) => {
                let body = json!({ "incident": {
                    "status": IncidentStatus::Resolved.as_str(),
                    "body": "Duplicate of another incident.",
                    "deliver_notifications": false,
                } });
                self.write(remote, body)
            }
            (Stage::Single, Request::Read { remote, .. }) => {
                dialect.call(Method::GET, &["incidents", remote.as_str()], None)
            }
            // Never begun so; asking for the first page does no harm.
            (Stage::Single | Stage::Before, _) => {
                dialect.list(&["incidents", "unresolved"], "per_page", 1)
            }
        }
    }

    fn write(&self, remote: &RemoteId, body: Value) -> Call {
        let if_match = self.before.as_ref().and_then(|before| before.etag.clone());
        let path = ["incidents", remote.as_str()];
        Call { if_match, ..self.dialect.call(Method::PATCH, &path, Some(body)) }
    }

    /// Whether nothing can have been changed so far, nor by the call to make now. A write that was
    /// refused since the incident had changed may have come twice, and changed it itself.
    pub(super) fn only_reads(&self) -> bool {
        self.stage == Stage::Before && self.reads == 0
    }

    /// Whether the call to make now is a look at what a write before it has done.
    pub(super) fn in_doubt(&self) -> bool {
        self.stage == Stage::Before && self.reads > 0
    }

    /// Takes the answer to the call.
    pub(super) fn hear(&mut self, answer: &Answer) -> Turn {
        // It was changed between reading and writing.
        if answer.status == 412 && self.before.take().is_some() {
            self.reads += 1;
            if self.reads >= MAX_READS {
                let detail = "the incident changes faster than it can be read".to_owned();
                return Turn::Over(Outcome::Uncertain { detail });
            }
            self.stage = Stage::Before;
            return Turn::Call(self.call());
        }
        // An API without maintenances has none under way. But where they are what is asked for, the
        // wrong page is no page without them.
        let surveys = *self.request == Request::Survey;
        if answer.status == 404 && surveys && matches!(self.stage, Stage::Maintenance(_)) {
            return self.page(&[]);
        }
        if let Some(outcome) = self.refusal(answer) {
            if let Outcome::Uncertain { detail } = &outcome
                && self.only_reads()
            {
                return Turn::Over(Outcome::NotSent { detail: detail.clone() });
            }
            return Turn::Over(outcome);
        }
        let value: Option<Value> = serde_json::from_slice(&answer.body).ok();
        match (self.stage, value) {
            (Stage::Before, Some(value)) => self.weigh(&value, answer.etag.clone()),
            (Stage::Single, Some(value)) => Turn::Over(self.single(&value)),
            (Stage::Before, None) if self.only_reads() => {
                Turn::Over(Outcome::NotSent { detail: "the answer is no JSON".to_owned() })
            }
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
            Request::Create(_)
            | Request::Draft { .. }
            | Request::Find { .. }
            | Request::Components
            | Request::SetComponent { .. }
            | Request::Survey
            | Request::Announcements => false,
        }
    }

    /// Whether the incident may be written as it was read.
    fn weigh(&mut self, value: &Value, etag: Option<String>) -> Turn {
        let Some(remote) = self.dialect.own(value) else { return Turn::Over(Outcome::Gone) };
        let standing = remote.standing.clone().unwrap_or_default();
        let own = self.request.key().is_none_or(|key| *key == remote.key);
        match self.request {
            // One that is adopted carries another key; but it stands as it was seen.
            Request::Update { expect: None, .. } | Request::Retire { .. } if !own => {
                return Turn::Over(Outcome::Gone);
            }
            Request::Update { payload, .. } if remote.sequence >= payload.sequence => {
                let detail = "the step stands there already".to_owned();
                return Turn::Over(Outcome::Uncertain { detail });
            }
            Request::Update { expect: Some(expect), .. } if expect.foreign(&standing).is_some() => {
                return Turn::Over(Outcome::Differs(remote));
            }
            // Of a duplicate only what made it is ours.
            Request::Retire { .. } if standing.held || standing.updates.len() > 1 => {
                return Turn::Over(Outcome::Differs(remote));
            }
            Request::Create(_)
            | Request::Update { .. }
            | Request::Retire { .. }
            | Request::Find { .. }
            | Request::Read { .. }
            | Request::Draft { .. }
            | Request::Components
            | Request::SetComponent { .. }
            | Request::Survey
            | Request::Announcements => {}
        }
        self.before = Some(Before { standing, metadata: row::others(value), etag });
        self.stage = Stage::Single;
        Turn::Call(self.call())
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
            if own.as_ref().is_some_and(|own| own.sequence < written) {
                return Outcome::Uncertain {
                    detail: "the incident was there already, at an earlier step".to_owned(),
                };
            }
            let standing = own.and_then(|own| own.standing);
            return Outcome::Done { remote: RemoteId::new(id), standing };
        };
        match own {
            Some(remote) if remote.key == *key => Outcome::Found(vec![remote]),
            // Somebody took our mark off, which is a way to say: hands off.
            Some(_) | None => Outcome::Gone,
        }
    }

    fn page(&mut self, rows: &[Value]) -> Turn {
        if *self.request == Request::Announcements {
            return self.announced(rows);
        }
        let before = self.found.len() + self.seen.len() + self.known.len();
        match self.stage {
            Stage::Unresolved(_) | Stage::Maintenance(_) if *self.request == Request::Survey => {
                let maintenance = matches!(self.stage, Stage::Maintenance(_));
                let Statuspage { install, components, .. } = self.dialect;
                let seen = rows
                    .iter()
                    .filter_map(|each| row::sighting(each, install, components, maintenance));
                self.seen.extend(seen.map(|sighting| (sighting.id.clone(), sighting)));
            }
            Stage::Before
            | Stage::Single
            | Stage::Unresolved(_)
            | Stage::Upcoming(_)
            | Stage::Maintenance(_)
            | Stage::Recent => {
                let own = rows.iter().filter_map(|row| self.dialect.own(row));
                self.found.extend(own.map(|remote| (remote.id.clone(), remote)));
            }
            Stage::Components(_) => {
                let ids = rows.iter().filter_map(|row| row.get("id").and_then(Value::as_str));
                self.known.extend(ids.map(str::to_owned));
            }
        }
        let grew = self.found.len() + self.seen.len() + self.known.len() > before;
        let full = rows.len() >= PER_PAGE;
        self.stage = match self.stage {
            Stage::Unresolved(page) if full && page < MAX_PAGES => Stage::Unresolved(page + 1),
            // What is not in a list that was cut short may exist all the same.
            Stage::Unresolved(_) if full && !self.has_found_it() => {
                let detail = format!("more than {} unresolved incidents", MAX_PAGES * PER_PAGE);
                return Turn::Over(Outcome::Uncertain { detail });
            }
            Stage::Unresolved(_) if *self.request == Request::Survey => Stage::Maintenance(1),
            // A person may have resolved it at once.
            Stage::Unresolved(_) => Stage::Recent,
            Stage::Maintenance(page) if full && grew && page < MAX_PAGES => {
                Stage::Maintenance(page + 1)
            }
            Stage::Maintenance(_) => {
                let seen = std::mem::take(&mut self.seen);
                return Turn::Over(Outcome::Surveyed(seen.into_values().collect()));
            }
            Stage::Components(page) if full && grew && page < MAX_PAGES => {
                Stage::Components(page + 1)
            }
            Stage::Components(_) => {
                let ids = self.dialect.components.iter();
                let known = ids.filter(|(_, remote)| self.known.contains(*remote));
                return Turn::Over(Outcome::Listed(known.map(|(id, _)| id.clone()).collect()));
            }
            Stage::Before | Stage::Single | Stage::Upcoming(_) | Stage::Recent => {
                let found = std::mem::take(&mut self.found);
                return Turn::Over(Outcome::Found(found.into_values().collect()));
            }
        };
        Turn::Call(self.call())
    }

    /// Takes a page of what is announced: first what comes, then what is under way. What begins in
    /// between is in both, and the later word counts.
    fn announced(&mut self, rows: &[Value]) -> Turn {
        let Statuspage { install, components, .. } = self.dialect;
        let read = rows.iter().filter_map(|row| row::announced(row, install, components));
        self.announced.extend(read);
        let full = rows.len() >= PER_PAGE;
        self.stage = match self.stage {
            // What is not in a list that was cut short may be announced all the same.
            Stage::Upcoming(page) | Stage::Maintenance(page) if full && page >= MAX_PAGES => {
                let detail = format!("more than {} maintenances", MAX_PAGES * PER_PAGE);
                return Turn::Over(Outcome::Uncertain { detail });
            }
            Stage::Upcoming(page) if full => Stage::Upcoming(page + 1),
            Stage::Maintenance(page) if full => Stage::Maintenance(page + 1),
            Stage::Maintenance(_) => {
                return Turn::Over(Outcome::Announced(std::mem::take(&mut self.announced)));
            }
            Stage::Upcoming(_)
            | Stage::Before
            | Stage::Single
            | Stage::Unresolved(_)
            | Stage::Recent
            | Stage::Components(_) => Stage::Maintenance(1),
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
        if let Request::Draft { remote, key, text } = request {
            return Box::new(Drafting::new(self, remote, key, text));
        }
        match Setting::of(self, request) {
            Some(setting) => Box::new(setting),
            None => Box::new(self.exchange(request)),
        }
    }
}

impl Conversation for Exchange<'_> {
    fn open(&mut self) -> Turn {
        Turn::Call(self.call())
    }

    fn hear(&mut self, answer: &Answer) -> Turn {
        Exchange::hear(self, answer)
    }

    fn only_reads(&self) -> bool {
        Exchange::only_reads(self)
    }

    fn in_doubt(&self) -> bool {
        Exchange::in_doubt(self)
    }
}

#[cfg(test)]
mod tests;
