//! What the tests of all dialects have in common: one platform, one incident, and every answer.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::about::About;
use super::dialect::{Answer, Call, Dialect, Turn};
use super::talk::Paper;
use crate::model::{
    ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus, PlatformId,
    Span, Timestamp,
};
use crate::outbox::{Outcome, Payload, RemoteId, Request};

fn component(name: &str) -> ComponentId {
    ComponentId::of(&PlatformId::new("blip"), name)
}

pub(super) fn about() -> About {
    About {
        platform: PlatformId::new("blip"),
        page: Some("https://status.example/blip".parse().unwrap()),
        components: BTreeMap::from([
            (component("desk"), "Desk".to_owned()),
            (component("crm"), "Customers".to_owned()),
        ]),
    }
}

/// A page where `crm` and `desk` have these ids.
pub(super) fn paper([crm, desk]: [&str; 2]) -> Paper {
    Paper {
        page: "page0".to_owned(),
        install: "install-1".to_owned(),
        components: BTreeMap::from([
            (component("crm"), crm.to_owned()),
            (component("desk"), desk.to_owned()),
        ]),
    }
}

pub(super) fn payload(status: IncidentStatus, of_components: ComponentStatus) -> Payload {
    Payload {
        key: IncidentKey::new("7k3f"),
        install: "install-1".to_owned(),
        sequence: 7,
        kind: match status {
            IncidentStatus::Resolved => ActionKind::Resolve,
            IncidentStatus::Investigating => ActionKind::Open,
            IncidentStatus::Identified | IncidentStatus::Monitoring => ActionKind::Update,
        },
        at: Timestamp::from_secs(1_631_664_060),
        started_at: Timestamp::from_secs(1_631_664_000),
        status,
        impact: Impact::Major,
        title: "Desk is failing for \"some\" users".to_owned(),
        body: "Our monitoring detected failures.".to_owned(),
        notify: true,
        components: BTreeMap::from([
            (component("desk"), of_components),
            (component("crm"), ComponentStatus::Operational),
        ]),
    }
}

pub(super) fn opening() -> Payload {
    payload(IncidentStatus::Investigating, ComponentStatus::PartialOutage)
}

fn requests() -> [Request; 9] {
    let (remote, key) = (RemoteId::new("41"), IncidentKey::new("7k3f"));
    let update = payload(IncidentStatus::Identified, ComponentStatus::MajorOutage);
    let end = payload(IncidentStatus::Resolved, ComponentStatus::Operational);
    [
        Request::Create(opening()),
        Request::Update { remote: remote.clone(), payload: update, expect: None },
        Request::Update { remote: remote.clone(), payload: end, expect: None },
        Request::Read { remote: remote.clone(), key: key.clone() },
        Request::Retire { remote, key: key.clone() },
        Request::Find { key },
        Request::Components,
        Request::Survey,
        Request::Announcements,
    ]
}

fn now() -> Timestamp {
    Timestamp::from_secs(1_631_664_061)
}

fn answer(status: u16, body: &[u8]) -> Answer {
    Answer { status, retry_after: Some(Span::from_secs(7)), etag: None, body: body.to_vec() }
}

fn shown(call: &Call) -> String {
    let query: String = call.query.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let headers: String =
        call.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let body = call.body.as_ref().map(|body| serde_json::to_string_pretty(body).unwrap() + "\n");
    let (path, body) = (call.path.join("/"), body.unwrap_or_default());
    format!("{} /{path}{query}\n{headers}{body}\n", call.method)
}

/// Every call of every request, each answered well.
pub(super) fn said(dialect: &dyn Dialect) -> String {
    said_after(dialect, b"{}")
}

/// Every call of every request, each answered with `body`.
pub(super) fn said_after(dialect: &dyn Dialect, body: &[u8]) -> String {
    let mut text = String::new();
    for request in requests() {
        text.push_str(&format!("# {}\n", request.name()));
        let mut conversation = dialect.begin(&request, now());
        let mut turn = conversation.open();
        while let Turn::Call(call) = &turn {
            text.push_str(&shown(call));
            turn = conversation.hear(&answer(200, body));
        }
        if let Turn::Over(outcome) = turn
            && !matches!(outcome, Outcome::Uncertain { .. })
        {
            text.push_str(&format!("{outcome:?}\n\n"));
        }
    }
    text
}

/// What becomes of each request with each answer to its first call.
pub(super) fn heard(dialect: &dyn Dialect, idempotent: bool) -> String {
    let statuses = [200, 302, 400, 401, 403, 404, 408, 422, 429, 500, 503];
    let mut text = format!("writes may be made twice: {idempotent}\n");
    for request in requests() {
        text.push_str(&format!("# {}\n", request.name()));
        let outcome = |status, body: &[u8]| {
            let mut conversation = dialect.begin(&request, now());
            match conversation.open() {
                Turn::Over(outcome) => format!("without a call: {outcome:?}"),
                Turn::Call(_) => match conversation.hear(&answer(status, body)) {
                    Turn::Over(outcome) => format!("{outcome:?}"),
                    Turn::Call(call) => format!("then {} {}", call.method, call.path.join("/")),
                },
            }
        };
        for status in statuses {
            let body = json!({ "message": "said" }).to_string();
            text.push_str(&format!("{status}: {}\n", outcome(status, body.as_bytes())));
        }
        text.push_str(&format!("nonsense: {}\n", outcome(200, b"<html>\xff")));
        text.push_str(&format!("deep: {}\n", outcome(200, b"[[[[{}]]]]")));
    }
    text
}

/// The body of the last call of a request.
pub(super) fn body_of(dialect: &dyn Dialect, request: &Request) -> Value {
    let mut conversation = dialect.begin(request, now());
    let mut body = Value::Null;
    let mut turn = conversation.open();
    while let Turn::Call(call) = turn {
        body = call.body.unwrap_or(body);
        turn = conversation.hear(&answer(200, b"[]"));
    }
    body
}
