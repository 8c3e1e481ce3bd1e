//! What a request takes at the status pages that are written in several calls and read in lists:
//! each vendor says how a call is written and a row read, and this is the order of it.
//!
//! In an update the statuses of components go first, since they may be written twice without harm,
//! and what is said goes last: once that is answered, all is done.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use serde_json::Value;

use crate::model::{ComponentId, ComponentStatus, IncidentStatus, Timestamp};
use crate::outbox::{Outcome, Payload, Remote, RemoteId, Request};

use super::dialect::{Answer, Call, Conversation, Dialect, Turn, complaint, refusal};
use super::mark;

/// Rows of one page of a list, where a vendor lets us choose.
pub(super) const PER_PAGE: usize = 100;
/// Pages of one list that are read at most: what is in doubt is young, and stands on the first.
const MAX_PAGES: usize = 10;

/// Where in a list we are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The page, counted from 0.
    pub(super) page: usize,
    /// What the page before said that the next one is asked for with, where the vendor does so.
    pub(super) after: Option<String>,
}

/// An incident as a vendor shows it: its texts, one of which has our mark if it is ours.
pub(super) struct Row {
    pub(super) id: RemoteId,
    pub(super) texts: Vec<String>,
    pub(super) status: Option<IncidentStatus>,
    pub(super) created_at: Option<Timestamp>,
}

/// One page of a list.
pub(super) struct Page<T> {
    pub(super) rows: Vec<T>,
    /// Where the next page is, if there is one.
    pub(super) next: Option<Cursor>,
}

/// What is told of a status page in each dialect.
#[derive(Clone, Debug)]
pub(super) struct Paper {
    pub(super) page: String,
    pub(super) install: String,
    pub(super) components: BTreeMap<ComponentId, String>,
}

impl Paper {
    /// The components that are known there, with the status that each should have.
    pub(super) fn statuses<'a>(
        &'a self,
        payload: &'a Payload,
    ) -> impl Iterator<Item = (&'a str, ComponentStatus)> {
        payload
            .components
            .iter()
            .filter_map(|(id, status)| Some((self.components.get(id)?.as_str(), *status)))
    }
}

/// What a vendor is asked for is always said so.
impl<V: Vendor> Dialect for V {
    fn begin<'a>(
        &'a self,
        request: &'a Request,
        _now: Timestamp,
    ) -> Box<dyn Conversation + Send + 'a> {
        Box::new(Talk::new(self, request))
    }
}

/// How one vendor writes calls and shows rows.
pub(super) trait Vendor: fmt::Debug + Send + Sync {
    fn paper(&self) -> &Paper;
    fn create(&self, payload: &Payload) -> Call;
    /// The calls of an update, in their order; never none.
    fn update(&self, remote: &RemoteId, payload: &Payload) -> Vec<Call>;
    fn retire(&self, remote: &RemoteId) -> Call;
    fn read(&self, remote: &RemoteId) -> Call;
    fn list(&self, at: &Cursor) -> Call;
    /// `None` where there is no such list.
    fn components(&self, at: &Cursor) -> Option<Call>;
    /// The incident that stands in the answer to a create or a read.
    fn single(&self, body: &Value) -> Option<Row>;
    fn rows(&self, body: &Value, at: &Cursor) -> Option<Page<Row>>;
    fn component_ids(&self, body: &Value, at: &Cursor) -> Option<Page<String>>;
}

/// A request on its way.
pub(super) struct Talk<'a> {
    vendor: &'a dyn Vendor,
    request: &'a Request,
    /// What is still to be written.
    calls: VecDeque<Call>,
    cursor: Cursor,
    found: BTreeMap<RemoteId, Remote>,
    known: BTreeSet<String>,
}

impl<'a> Talk<'a> {
    pub(super) fn new(vendor: &'a dyn Vendor, request: &'a Request) -> Self {
        let calls = match request {
            Request::Update { remote, payload, .. } => vendor.update(remote, payload).into(),
            Request::Create(payload) => VecDeque::from([vendor.create(payload)]),
            Request::Retire { remote, .. } => VecDeque::from([vendor.retire(remote)]),
            Request::Read { remote, .. } => VecDeque::from([vendor.read(remote)]),
            Request::Find { .. } => VecDeque::from([vendor.list(&Cursor::default())]),
            Request::Components => vendor.components(&Cursor::default()).into_iter().collect(),
            // What others have open is not understood here.
            // Nor is there a place for drafts.
            Request::Survey
            | Request::Announcements
            | Request::Draft { .. }
            | Request::SetComponent { .. } => VecDeque::new(),
        };
        let cursor = Cursor::default();
        Self { vendor, request, calls, cursor, found: BTreeMap::new(), known: BTreeSet::new() }
    }

    fn next(&mut self, otherwise: impl FnOnce(&mut Self) -> Outcome) -> Turn {
        match self.calls.pop_front() {
            Some(call) => Turn::Call(call),
            None => Turn::Over(otherwise(self)),
        }
    }

    /// The incident, if it is ours.
    fn own(&self, row: Row) -> Option<Remote> {
        let install = &self.vendor.paper().install;
        let marks: Vec<_> = row.texts.iter().filter_map(|text| mark::read(text, install)).collect();
        let key = marks.first()?.0.clone();
        let sequence = marks.iter().filter(|mark| mark.0 == key).map(|mark| mark.1).max()?;
        let created_at = row.created_at.unwrap_or(Timestamp::EPOCH);
        Some(Remote { id: row.id, key, sequence, status: row.status, created_at, standing: None })
    }

    fn created(&self, body: &Value) -> Outcome {
        match self.vendor.single(body) {
            Some(row) => Outcome::Done { remote: row.id, standing: None },
            None => Outcome::Uncertain { detail: "the answer names no incident".to_owned() },
        }
    }

    fn listed(&mut self, body: &Value) -> Option<Turn> {
        let page = self.vendor.rows(body, &self.cursor)?;
        let own: Vec<Remote> = page.rows.into_iter().filter_map(|row| self.own(row)).collect();
        self.found.extend(own.into_iter().map(|remote| (remote.id.clone(), remote)));
        let Request::Find { key } = self.request else { return None };
        let found = self.found.values().any(|remote| remote.key == *key);
        match page.next {
            Some(next) if next.page < MAX_PAGES => {
                self.cursor = next;
                Some(Turn::Call(self.vendor.list(&self.cursor)))
            }
            // What is not in a list that was cut short may exist all the same.
            Some(_) if !found => {
                let detail = format!("more than {} incidents", MAX_PAGES * PER_PAGE);
                Some(Turn::Over(Outcome::Uncertain { detail }))
            }
            Some(_) | None => {
                let found = std::mem::take(&mut self.found);
                Some(Turn::Over(Outcome::Found(found.into_values().collect())))
            }
        }
    }

    fn asked_for_components(&mut self, body: &Value) -> Option<Turn> {
        let page = self.vendor.component_ids(body, &self.cursor)?;
        self.known.extend(page.rows);
        if let Some(next) = page.next.filter(|next| next.page < MAX_PAGES)
            && let Some(call) = self.vendor.components(&next)
        {
            self.cursor = next;
            return Some(Turn::Call(call));
        }
        let ids = self.vendor.paper().components.iter();
        let known = ids.filter(|(_, remote)| self.known.contains(*remote));
        Some(Turn::Over(Outcome::Listed(known.map(|(id, _)| id.clone()).collect())))
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
}

impl Conversation for Talk<'_> {
    fn open(&mut self) -> Turn {
        // No call at all: there is no list, so no component can be shown to be missing, and
        // nothing to stand in the way.
        self.next(|_| Outcome::Gone)
    }

    fn hear(&mut self, answer: &Answer) -> Turn {
        if answer.status == 404 && self.has_id() {
            // In an update it may be a component that is missing; reading the incident tells.
            return Turn::Over(Outcome::Gone);
        }
        if let Some(outcome) = refusal(answer) {
            return Turn::Over(outcome);
        }
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let turn = body.and_then(|body| match self.request {
            Request::Create(_) => Some(Turn::Over(self.created(&body))),
            Request::Update { remote, .. } | Request::Retire { remote, .. } => {
                Some(self.next(|_| Outcome::Done { remote: remote.clone(), standing: None }))
            }
            Request::Read { key, .. } => {
                let row = self.vendor.single(&body)?;
                // Somebody took our mark off, which is a way to say: hands off.
                let own = self.own(row).filter(|own| own.key == *key);
                Some(Turn::Over(own.map_or(Outcome::Gone, |own| Outcome::Found(vec![own]))))
            }
            Request::Find { .. } => self.listed(&body),
            Request::Components => self.asked_for_components(&body),
            Request::Survey
            | Request::Announcements
            | Request::Draft { .. }
            | Request::SetComponent { .. } => None,
        });
        turn.unwrap_or_else(|| {
            let said = complaint(&answer.body);
            let detail = format!("the answer is not what was asked for: {said}");
            Turn::Over(Outcome::Uncertain { detail })
        })
    }
}

/// What a vendor calls an id, whether it is a text or a number.
pub(super) fn id_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    }
}

/// A page of a list that is counted: a full one has another after it.
pub(super) fn counted<T>(rows: Vec<T>, full: bool, at: &Cursor) -> Page<T> {
    let next = full.then(|| Cursor { page: at.page + 1, after: None });
    Page { rows, next }
}

/// A time as vendors write it.
pub(super) fn time_of(value: &Value) -> Option<Timestamp> {
    let text = value.as_str()?;
    let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.to_utc().into())
}
