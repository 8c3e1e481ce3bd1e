//! The dialect of Cachet, version 3.
//!
//! An incident carries `meta` of ours, by which lists are narrowed to what this installation wrote;
//! but Cachet shows no `meta`, and an update has none, so which step stands there is told by the
//! mark in the text. An incident can be given its components only when it is made: from then on
//! their statuses are written one by one, and at the end they are operational again.

use std::num::NonZeroU32;

use http::Method;
use serde_json::{Value, json};

use crate::model::{ComponentStatus, IncidentStatus};
use crate::outbox::{Payload, RemoteId};

use super::about::written;
use super::dialect::{Call, Caps, Marker, shortened};
use super::mark;
use super::talk::{Cursor, PER_PAGE, Page, Paper, Row, Vendor, counted, id_of};

/// What Cachet can do.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Text,
    atomic: false,
    drafts: false,
    idempotent: false,
    clears_components: false,
    per_second: NonZeroU32::new(5).unwrap(),
    longest_title: 255,
    longest_text: 10_000,
};

/// A Cachet, and how to speak of it.
#[derive(Clone, Debug)]
pub(super) struct Cachet(pub(super) Paper);

fn call(method: Method, path: &[&str], body: Option<Value>) -> Call {
    let path = ["api"].into_iter().chain(path.iter().copied()).map(str::to_owned).collect();
    Call { method, path, query: Vec::new(), headers: Vec::new(), body, if_match: None }
}

fn list(path: &str, at: &Cursor) -> Call {
    let page = (at.page + 1).to_string();
    let query = vec![("page", page), ("per_page", PER_PAGE.to_string())];
    Call { query, ..call(Method::GET, &[path], None) }
}

impl Vendor for Cachet {
    fn paper(&self) -> &Paper {
        &self.0
    }

    fn create(&self, payload: &Payload) -> Call {
        let components: Vec<Value> = self
            .0
            .statuses(payload)
            .map(|(id, status)| json!({ "id": number(id), "status": component(status) }))
            .collect();
        let incident = json!({
            "name": shortened(&payload.title, CAPS.longest_title),
            "message": mark::signed(payload, CAPS.longest_text),
            "status": incident(payload.status),
            // Without it nobody sees the incident.
            "visible": true,
            "notifications": payload.notify,
            "occurred_at": written(payload.started_at),
            "components": components,
            "meta": { "farol": payload.key.as_str(), "farol_install": payload.install },
        });
        call(Method::POST, &["incidents"], Some(incident))
    }

    fn update(&self, remote: &RemoteId, payload: &Payload) -> Vec<Call> {
        let statuses = self.0.statuses(payload).map(|(id, status)| {
            let body = json!({ "status": component(status) });
            call(Method::PUT, &["components", id], Some(body))
        });
        let text = json!({
            "status": incident(payload.status),
            "message": mark::signed(payload, CAPS.longest_text),
        });
        let path = ["incidents", remote.as_str(), "updates"];
        statuses.chain([call(Method::POST, &path, Some(text))]).collect()
    }

    fn retire(&self, remote: &RemoteId) -> Call {
        let text = json!({
            "status": incident(IncidentStatus::Resolved),
            "message": "Duplicate of another incident.",
        });
        call(Method::POST, &["incidents", remote.as_str(), "updates"], Some(text))
    }

    fn read(&self, remote: &RemoteId) -> Call {
        let query = vec![("include", "updates".to_owned())];
        Call { query, ..call(Method::GET, &["incidents", remote.as_str()], None) }
    }

    fn list(&self, at: &Cursor) -> Call {
        let mut call = list("incidents", at);
        call.query.push(("include", "updates".to_owned()));
        call.query.push(("filter[meta][farol_install]", self.0.install.clone()));
        call
    }

    fn components(&self, at: &Cursor) -> Option<Call> {
        Some(list("components", at))
    }

    fn single(&self, body: &Value) -> Option<Row> {
        row(body.get("data")?, &included(body))
    }

    fn rows(&self, body: &Value, at: &Cursor) -> Option<Page<Row>> {
        let (data, updates) = (body.get("data")?.as_array()?, included(body));
        let rows = data.iter().filter_map(|data| row(data, &updates)).collect();
        Some(counted(rows, data.len() >= PER_PAGE, at))
    }

    fn component_ids(&self, body: &Value, at: &Cursor) -> Option<Page<String>> {
        let data = body.get("data")?.as_array()?;
        let ids = data.iter().filter_map(|row| id_of(row.get("id")?)).collect();
        Some(counted(ids, data.len() >= PER_PAGE, at))
    }
}

/// An incident with its own text first; an update's mark says whose it is.
fn row(data: &Value, updates: &[String]) -> Option<Row> {
    let attributes = data.get("attributes")?;
    let own = attributes.get("message").and_then(Value::as_str).unwrap_or_default();
    let texts = [own.to_owned()].into_iter().chain(updates.iter().cloned()).collect();
    // The time of its creation has no zone; the smaller id is the elder one as well.
    let created_at = None;
    let status = attributes.pointer("/status/value").and_then(Value::as_u64);
    let status = status.and_then(|status| match status {
        1 => Some(IncidentStatus::Investigating),
        2 => Some(IncidentStatus::Identified),
        3 => Some(IncidentStatus::Monitoring),
        4 => Some(IncidentStatus::Resolved),
        _ => None,
    });
    Some(Row { id: RemoteId::new(id_of(data.get("id")?)?), texts, status, created_at })
}

/// The texts of the updates that came along.
fn included(body: &Value) -> Vec<String> {
    let all = body.get("included").and_then(Value::as_array).into_iter().flatten();
    let text = |row: &Value| Some(row.pointer("/attributes/message")?.as_str()?.to_owned());
    all.filter_map(text).collect()
}

/// Ids are numbers, and Cachet wants them as such.
fn number(id: &str) -> Value {
    id.parse::<u64>().map_or_else(|_| json!(id), |id| json!(id))
}

const fn incident(status: IncidentStatus) -> u8 {
    match status {
        IncidentStatus::Investigating => 1,
        IncidentStatus::Identified => 2,
        IncidentStatus::Monitoring => 3,
        IncidentStatus::Resolved => 4,
    }
}

const fn component(status: ComponentStatus) -> u8 {
    match status {
        ComponentStatus::Operational => 1,
        ComponentStatus::DegradedPerformance => 2,
        ComponentStatus::PartialOutage => 3,
        ComponentStatus::MajorOutage => 4,
        ComponentStatus::UnderMaintenance => 6,
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPS, Cachet};
    use crate::publish::sample;

    #[test]
    fn every_request_as_it_is_said() {
        insta::assert_snapshot!(sample::said(&Cachet(sample::paper(["12", "7"]))));
    }

    #[test]
    fn every_answer_as_it_is_understood() {
        let cachet = Cachet(sample::paper(["12", "7"]));
        insta::assert_snapshot!(sample::heard(&cachet, CAPS.idempotent));
    }
}
