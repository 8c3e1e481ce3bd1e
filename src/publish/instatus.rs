//! The dialect of Instatus.
//!
//! It keeps no data of ours and knows no idempotency key, so the mark of ownership is the last line
//! of what is said.

use std::num::NonZeroU32;

use http::Method;
use serde_json::{Value, json};

use crate::model::{ComponentStatus, IncidentStatus};
use crate::outbox::{Payload, RemoteId};

use super::about::written;
use super::dialect::{Call, Caps, Marker, shortened};
use super::mark;
use super::talk::{Cursor, PER_PAGE, Page, Paper, Row, Vendor, counted, id_of, time_of};

/// What Instatus can do.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Text,
    atomic: true,
    drafts: false,
    idempotent: false,
    clears_components: false,
    per_second: NonZeroU32::new(2).unwrap(),
    longest_title: 255,
    longest_text: 10_000,
};

/// A page at Instatus, and how to speak of it.
#[derive(Clone, Debug)]
pub(super) struct Instatus(pub(super) Paper);

impl Instatus {
    fn call(&self, method: Method, path: &[&str], body: Option<Value>) -> Call {
        let path = ["v1", &self.0.page].into_iter().chain(path.iter().copied());
        let path = path.map(str::to_owned).collect();
        Call { method, path, query: Vec::new(), headers: Vec::new(), body, if_match: None }
    }

    fn pages(&self, path: &str, at: &Cursor) -> Call {
        let page = (at.page + 1).to_string();
        let query = vec![("page", page), ("per_page", PER_PAGE.to_string())];
        Call { query, ..self.call(Method::GET, &[path], None) }
    }

    /// What a create and an update have in common.
    fn said(&self, payload: &Payload) -> Value {
        let statuses: Vec<(&str, ComponentStatus)> = self.0.statuses(payload).collect();
        let ids: Vec<&str> = statuses.iter().map(|(id, _)| *id).collect();
        let statuses: Value = statuses
            .iter()
            .map(|(id, status)| json!({ "id": id, "status": component(*status) }))
            .collect();
        json!({
            "message": mark::signed(payload, CAPS.longest_text),
            "status": payload.status.as_str().to_uppercase(),
            "components": ids,
            "statuses": statuses,
            "notify": payload.notify,
        })
    }
}

impl Vendor for Instatus {
    fn paper(&self) -> &Paper {
        &self.0
    }

    fn create(&self, payload: &Payload) -> Call {
        let mut incident = self.said(payload);
        incident["name"] = json!(shortened(&payload.title, CAPS.longest_title));
        incident["started"] = json!(written(payload.started_at));
        incident["shouldPublish"] = json!(true);
        self.call(Method::POST, &["incidents"], Some(incident))
    }

    fn update(&self, remote: &RemoteId, payload: &Payload) -> Vec<Call> {
        let mut update = self.said(payload);
        update["started"] = json!(written(payload.at));
        let path = ["incidents", remote.as_str(), "incident-updates"];
        vec![self.call(Method::POST, &path, Some(update))]
    }

    fn retire(&self, remote: &RemoteId) -> Call {
        let update = json!({
            "message": "Duplicate of another incident.",
            "status": "RESOLVED",
            "components": [],
            "statuses": [],
            "notify": false,
        });
        self.call(Method::POST, &["incidents", remote.as_str(), "incident-updates"], Some(update))
    }

    fn read(&self, remote: &RemoteId) -> Call {
        self.call(Method::GET, &["incidents", remote.as_str()], None)
    }

    fn list(&self, at: &Cursor) -> Call {
        self.pages("incidents", at)
    }

    fn components(&self, at: &Cursor) -> Option<Call> {
        Some(self.pages("components", at))
    }

    fn single(&self, body: &Value) -> Option<Row> {
        row(body)
    }

    fn rows(&self, body: &Value, at: &Cursor) -> Option<Page<Row>> {
        let rows = body.as_array()?;
        Some(counted(rows.iter().filter_map(row).collect(), rows.len() >= PER_PAGE, at))
    }

    fn component_ids(&self, body: &Value, at: &Cursor) -> Option<Page<String>> {
        let rows = body.as_array()?;
        let ids = rows.iter().filter_map(|row| id_of(row.get("id")?)).collect();
        Some(counted(ids, rows.len() >= PER_PAGE, at))
    }
}

fn row(row: &Value) -> Option<Row> {
    let text = |value: &Value| Some(value.get("message")?.as_str()?.to_owned());
    let updates = row.get("updates").and_then(Value::as_array).into_iter().flatten();
    let texts = text(row).into_iter().chain(updates.filter_map(text)).collect();
    let status = row.get("status").and_then(Value::as_str).map(str::to_lowercase);
    Some(Row {
        id: RemoteId::new(id_of(row.get("id")?)?),
        texts,
        status: status.as_deref().and_then(IncidentStatus::parse),
        created_at: row.get("started").and_then(time_of),
    })
}

const fn component(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::Operational => "OPERATIONAL",
        ComponentStatus::UnderMaintenance => "UNDERMAINTENANCE",
        ComponentStatus::DegradedPerformance => "DEGRADEDPERFORMANCE",
        ComponentStatus::PartialOutage => "PARTIALOUTAGE",
        ComponentStatus::MajorOutage => "MAJOROUTAGE",
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPS, Instatus};
    use crate::publish::sample;

    #[test]
    fn every_request_as_it_is_said() {
        insta::assert_snapshot!(sample::said(&Instatus(sample::paper(["crm0", "desk0"]))));
    }

    #[test]
    fn every_answer_as_it_is_understood() {
        let instatus = Instatus(sample::paper(["crm0", "desk0"]));
        insta::assert_snapshot!(sample::heard(&instatus, CAPS.idempotent));
    }
}
