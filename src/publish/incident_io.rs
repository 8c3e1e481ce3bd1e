//! The dialect of incident.io's status pages, version 2.
//!
//! A create carries an idempotency key, so that one that comes twice makes one incident. Updates
//! have none: which of them stand there is told by the mark in the text. The call that resolves an
//! incident must not name components: all of them are operational by it.

use std::num::NonZeroU32;

use http::Method;
use serde_json::{Value, json};

use crate::model::{ComponentStatus, IncidentStatus};
use crate::outbox::{Payload, RemoteId};

use super::dialect::{Call, Caps, Marker, shortened};
use super::mark;
use super::talk::{Cursor, PER_PAGE, Page, Paper, Row, Vendor, id_of, time_of};

/// What incident.io can do.
pub(super) const CAPS: Caps = Caps {
    marker: Marker::Text,
    atomic: true,
    drafts: false,
    idempotent: false,
    clears_components: true,
    per_second: NonZeroU32::new(5).unwrap(),
    longest_title: 200,
    longest_text: 4_096,
};

const INCIDENTS: &str = "status_page_incidents";
const UPDATES: &str = "status_page_incident_updates";

/// A page at incident.io, and how to speak of it.
#[derive(Clone, Debug)]
pub(super) struct IncidentIo(pub(super) Paper);

fn call(method: Method, path: &[&str], body: Option<Value>) -> Call {
    let path = ["v2"].into_iter().chain(path.iter().copied()).map(str::to_owned).collect();
    Call { method, path, query: Vec::new(), headers: Vec::new(), body, if_match: None }
}

impl IncidentIo {
    fn component_statuses(&self, payload: &Payload) -> Value {
        let statuses = self.0.statuses(payload).map(
            |(id, status)| json!({ "component_id": id, "component_status": component(status) }),
        );
        statuses.collect()
    }
}

impl Vendor for IncidentIo {
    fn paper(&self) -> &Paper {
        &self.0
    }

    fn create(&self, payload: &Payload) -> Call {
        let incident = json!({
            "status_page_id": self.0.page,
            "idempotency_key": format!("farol-{}-{}", payload.install, payload.key),
            "name": shortened(&payload.title, CAPS.longest_title),
            "message": mark::signed(payload, CAPS.longest_text),
            "incident_status": payload.status.as_str(),
            "notify_subscribers": payload.notify,
            "component_statuses": self.component_statuses(payload),
        });
        call(Method::POST, &[INCIDENTS], Some(incident))
    }

    fn update(&self, remote: &RemoteId, payload: &Payload) -> Vec<Call> {
        let mut update = json!({
            "status_page_incident_id": remote.as_str(),
            "message": mark::signed(payload, CAPS.longest_text),
            "incident_status": payload.status.as_str(),
            "notify_subscribers": payload.notify,
        });
        if payload.status != IncidentStatus::Resolved {
            update["component_statuses"] = self.component_statuses(payload);
        }
        vec![call(Method::POST, &[UPDATES], Some(update))]
    }

    fn retire(&self, remote: &RemoteId) -> Call {
        let update = json!({
            "status_page_incident_id": remote.as_str(),
            "message": "Duplicate of another incident.",
            "incident_status": IncidentStatus::Resolved.as_str(),
            "notify_subscribers": false,
        });
        call(Method::POST, &[UPDATES], Some(update))
    }

    fn read(&self, remote: &RemoteId) -> Call {
        call(Method::GET, &[INCIDENTS, remote.as_str()], None)
    }

    fn list(&self, at: &Cursor) -> Call {
        let mut query =
            vec![("status_page_id", self.0.page.clone()), ("page_size", PER_PAGE.to_string())];
        query.extend(at.after.clone().map(|after| ("after", after)));
        Call { query, ..call(Method::GET, &[INCIDENTS], None) }
    }

    /// There is no plain list of them.
    fn components(&self, _at: &Cursor) -> Option<Call> {
        None
    }

    fn single(&self, body: &Value) -> Option<Row> {
        row(body.get("status_page_incident")?)
    }

    fn rows(&self, body: &Value, at: &Cursor) -> Option<Page<Row>> {
        let rows = body.get(INCIDENTS)?.as_array()?;
        let after = body.pointer("/pagination_meta/after").and_then(Value::as_str);
        // The last page may name itself.
        let after = after.filter(|after| !after.is_empty() && rows.len() >= PER_PAGE);
        let next = after.map(|it| Cursor { page: at.page + 1, after: Some(it.to_owned()) });
        Some(Page { rows: rows.iter().filter_map(row).collect(), next })
    }

    fn component_ids(&self, _body: &Value, _at: &Cursor) -> Option<Page<String>> {
        None
    }
}

fn row(row: &Value) -> Option<Row> {
    let text = |value: &Value| Some(value.get("message")?.as_str()?.to_owned());
    let updates = row.get("updates").and_then(Value::as_array).into_iter().flatten();
    let texts = text(row).into_iter().chain(updates.filter_map(text)).collect();
    let status = row.get("incident_status").or_else(|| row.get("status"));
    Some(Row {
        id: RemoteId::new(id_of(row.get("id")?)?),
        texts,
        status: status.and_then(Value::as_str).and_then(IncidentStatus::parse),
        created_at: row.get("published_at").and_then(time_of),
    })
}

const fn component(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::Operational => "operational",
        ComponentStatus::UnderMaintenance => "under_maintenance",
        ComponentStatus::DegradedPerformance => "degraded_performance",
        ComponentStatus::PartialOutage => "partial_outage",
        ComponentStatus::MajorOutage => "full_outage",
    }
}

#[cfg(test)]
mod tests {
    use super::{CAPS, IncidentIo};
    use crate::model::{ComponentStatus, IncidentStatus};
    use crate::outbox::{RemoteId, Request};
    use crate::publish::sample;

    fn incident_io() -> IncidentIo {
        IncidentIo(sample::paper(["01HCRM", "01HDESK"]))
    }

    #[test]
    fn every_request_as_it_is_said() {
        insta::assert_snapshot!(sample::said(&incident_io()));
    }

    #[test]
    fn every_answer_as_it_is_understood() {
        insta::assert_snapshot!(sample::heard(&incident_io(), CAPS.idempotent));
    }

    #[test]
    fn what_resolves_names_no_components() {
        let payload = sample::payload(IncidentStatus::Resolved, ComponentStatus::Operational);
        let request = Request::Update { remote: RemoteId::new("01HI"), payload, expect: None };
        assert!(sample::body_of(&incident_io(), &request).get("component_statuses").is_none());
    }
}
