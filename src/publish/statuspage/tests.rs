//! What is said to Statuspage and how its answers are understood.

mod component;
mod doubt;

use super::*;
use crate::model::{
    ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, PlatformId, Span, Timestamp,
};

fn component(name: &str) -> ComponentId {
    ComponentId::of(&PlatformId::new("blip"), name)
}

fn statuspage() -> Statuspage {
    Statuspage {
        page: "kctbh9vrtdwd".to_owned(),
        install: "install-1".to_owned(),
        components: BTreeMap::from([
            (component("desk"), "p31zjtct2jer".to_owned()),
            (component("crm"), "q42akudu3kfs".to_owned()),
        ]),
    }
}

fn payload(status: IncidentStatus, component_status: ComponentStatus) -> Payload {
    Payload {
        key: IncidentKey::new("7k3f"),
        install: "install-1".to_owned(),
        sequence: 7,
        kind: ActionKind::Update,
        at: Timestamp::from_secs(60),
        started_at: Timestamp::EPOCH,
        status,
        impact: Impact::Major,
        title: "Desk is failing for some users".to_owned(),
        body: "Our monitoring detected failures.".to_owned(),
        notify: true,
        components: BTreeMap::from([
            (component("desk"), component_status),
            (component("not-on-the-page"), component_status),
        ]),
    }
}

fn remote() -> RemoteId {
    RemoteId::new("n2969465tx0b")
}

fn key() -> IncidentKey {
    IncidentKey::new("7k3f")
}

fn opening() -> Payload {
    payload(IncidentStatus::Investigating, ComponentStatus::PartialOutage)
}

fn answer(status: u16, body: &Value) -> Answer {
    Answer { status, retry_after: None, etag: None, body: body.to_string().into_bytes() }
}

/// An incident as the API lists it.
fn row(id: &str, key: &str, install: &str) -> Value {
    json!({
        "id": id, "name": "x", "status": "investigating", "created_at": "2021-09-15T00:00:01.500Z",
        "metadata": { "other": {}, "farol": { "k": key, "i": install, "n": "7" } },
        "resolved_at": null, "incident_updates": [],
    })
}

fn shown(call: &Call) -> String {
    let query: String = call.query.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let body = call.body.as_ref().map(|body| serde_json::to_string_pretty(body).unwrap());
    format!("{} {}{query}\n{}\n", call.method, call.path.join("/"), body.unwrap_or_default())
}

#[test]
fn every_request_as_it_is_said() {
    let resolution = payload(IncidentStatus::Resolved, ComponentStatus::Operational);
    let requests = [
        Request::Create(opening()),
        Request::Update { remote: remote(), payload: resolution, expect: None },
        Request::Read { remote: remote(), key: key() },
        Request::Retire { remote: remote(), key: key() },
        Request::Find { key: key() },
        Request::Components,
        Request::Survey,
        Request::Announcements,
    ];
    let statuspage = statuspage();
    let mut before = row("n2969465tx0b", "7k3f", "install-1");
    before["metadata"]["farol"]["n"] = json!("6");
    let mut said = String::new();
    for request in &requests {
        let mut exchange = statuspage.exchange(request);
        said.push_str(&shown(&exchange.call()));
        // What is written after it was read.
        if exchange.only_reads()
            && let Turn::Call(call) = exchange.hear(&answer(200, &before))
        {
            said.push_str(&shown(&call));
        }
    }
    insta::assert_snapshot!(said);
}

#[test]
fn every_answer_as_it_is_understood() {
    let incident = row("n2969465tx0b", "7k3f", "install-1");
    let cases = [
        (201, incident),
        (200, json!({ "fine": true })),
        (302, json!({})),
        (400, json!({ "error": "bad" })),
        (401, json!({ "error": "Could not authenticate" })),
        (403, json!({ "error": "not yours" })),
        (404, json!({ "error": "not found" })),
        (408, json!({})),
        (420, json!({ "error": "enhance your calm" })),
        (422, json!({ "error": ["Name can't be blank"] })),
        (429, json!({})),
        (500, json!({})),
        (502, json!("bad gateway")),
    ];
    let requests = [
        Request::Create(opening()),
        Request::Update { remote: remote(), payload: opening(), expect: None },
        Request::Read { remote: remote(), key: key() },
        Request::Find { key: key() },
    ];
    let statuspage = statuspage();
    let mut understood = String::new();
    let mut before = row("n2969465tx0b", "7k3f", "install-1");
    before["metadata"]["farol"]["n"] = json!("6");
    for request in &requests {
        understood.push_str(&format!("{}\n", request.name()));
        for (status, body) in &cases {
            let mut exchange = statuspage.exchange(request);
            if exchange.only_reads() {
                let _patch = exchange.hear(&answer(200, &before));
            }
            let turn = exchange.hear(&answer(*status, body));
            let turn = format!("{turn:?}").replace("Over", "");
            understood.push_str(&format!("  {status} {turn}\n"));
        }
    }
    insta::assert_snapshot!(understood);
}

#[test]
fn a_body_that_is_no_json_leaves_a_write_in_doubt() {
    let statuspage = statuspage();
    let request = Request::Create(opening());
    let garbage =
        Answer { status: 201, retry_after: None, etag: None, body: b"\xff<html>".to_vec() };
    let turn = statuspage.exchange(&request).hear(&garbage);
    assert!(matches!(turn, Turn::Over(Outcome::Uncertain { .. })), "{turn:?}");
}

#[test]
fn what_retry_after_says_is_passed_on() {
    let statuspage = statuspage();
    let request = Request::Create(opening());
    let retry_after = Some(Span::from_secs(60));
    let busy = Answer { status: 420, retry_after, etag: None, body: Vec::new() };
    let turn = statuspage.exchange(&request).hear(&busy);
    assert_eq!(turn, Turn::Over(Outcome::RateLimited { retry_after }));
}

#[test]
fn a_search_reads_every_page_and_then_what_is_recent_and_keeps_what_is_ours() {
    let statuspage = statuspage();
    let request = Request::Find { key: key() };
    let mut exchange = statuspage.exchange(&request);
    let mut full: Vec<Value> =
        (0..99).map(|index| row(&format!("other{index}"), "7k3f", "install-2")).collect();
    full.push(row("open", "7k3f", "install-1"));
    let Turn::Call(second) = exchange.hear(&answer(200, &json!(full))) else { panic!() };
    assert_eq!(second.query[0], ("page", "2".to_owned()));
    let strange = json!([{ "id": 5 }, null, "text", { "id": "human", "metadata": {} }]);
    let Turn::Call(recent) = exchange.hear(&answer(200, &strange)) else { panic!() };
    assert_eq!(recent.path.last().map(String::as_str), Some("incidents"));
    let both = json!([row("open", "7k3f", "install-1"), row("resolved", "7k3f", "install-1")]);
    let Turn::Over(Outcome::Found(found)) = exchange.hear(&answer(200, &both)) else { panic!() };
    let ids: Vec<_> = found.iter().map(|remote| remote.id.as_str()).collect();
    assert_eq!(ids, ["open", "resolved"]);
    assert_eq!(found[0].sequence, 7);
    assert_eq!(found[0].created_at, Timestamp::from_micros(1_631_664_001_500_000));
}

#[test]
fn a_list_without_end_proves_nothing() {
    let statuspage = statuspage();
    let request = Request::Find { key: key() };
    let mut exchange = statuspage.exchange(&request);
    let full: Vec<Value> =
        (0..100).map(|index| row(&format!("r{index}"), "x", "install-2")).collect();
    let full = answer(200, &json!(full));
    let mut calls = 1;
    let outcome = loop {
        match exchange.hear(&full) {
            Turn::Call(_) => calls += 1,
            Turn::Over(outcome) => break outcome,
        }
    };
    assert_eq!(calls, MAX_PAGES);
    assert!(matches!(outcome, Outcome::Uncertain { .. }), "{outcome:?}");
}

#[test]
fn components_are_told_by_our_names() {
    let statuspage = statuspage();
    let mut exchange = statuspage.exchange(&Request::Components);
    let list = json!([{ "id": "p31zjtct2jer" }, { "id": "somebody-elses" }]);
    let turn = exchange.hear(&answer(200, &list));
    assert_eq!(turn, Turn::Over(Outcome::Listed(BTreeSet::from([component("desk")]))));
}

/// What follows when an incident that is to be updated is read and found to be `seen`.
fn weighed(expect: Standing, seen: &Value) -> Turn {
    let request = Request::Update { remote: remote(), payload: opening(), expect: Some(expect) };
    statuspage().exchange(&request).hear(&answer(200, seen))
}

#[test]
fn an_update_says_only_what_changes_and_keeps_what_others_keep_with_the_incident() {
    let seen = json!({
        "id": "n2969465tx0b", "name": "Desk is failing for some users", "impact": "major",
        "status": "investigating",
        "metadata": { "jira": { "id": "OPS-1" }, "farol": { "k": "7k3f", "i": "install-1", "n": "6" } },
        "components": [{ "id": "p31zjtct2jer", "status": "partial_outage" }],
        "incident_updates": [{ "id": "u1", "body": "Our monitoring  detected it." }],
    });
    let expect = statuspage().own(&seen).unwrap().standing.unwrap();
    assert_eq!(expect.updates["u1"], Standing::digest("Our monitoring detected it."));
    let Turn::Call(call) = weighed(expect.clone(), &seen) else { panic!() };
    let said = &call.body.unwrap()["incident"];
    assert_eq!(said["metadata"]["jira"]["id"], "OPS-1");
    assert_eq!(said["metadata"]["farol"]["n"], "7");
    assert_eq!(said["components"], json!({}));
    assert_eq!(said["component_ids"], json!(["p31zjtct2jer"]));
    assert!(said.get("name").is_none() && said.get("impact_override").is_none(), "{said}");

    for (pointer, value) in [
        ("/name", json!("Desk is down")),
        ("/impact", json!("none")),
        ("/status", json!("resolved")),
        ("/components/0/status", json!("operational")),
        ("/incident_updates/0/body", json!("We are on it.")),
        ("/metadata/farol/hold", json!("true")),
        ("/incident_updates/0/id", json!("u2")),
    ] {
        let mut other = seen.clone();
        if let Some(place) = other.pointer_mut(pointer) {
            *place = value;
        } else {
            other["metadata"]["farol"]["hold"] = value;
        }
        let turn = weighed(expect.clone(), &other);
        assert!(matches!(turn, Turn::Over(Outcome::Differs(_))), "{pointer}: {turn:?}");
    }
}

#[test]
fn what_is_open_on_the_page_is_told_with_maintenances_whoever_made_it() {
    let statuspage = statuspage();
    let mut exchange = statuspage.exchange(&Request::Survey);
    let mut ours = row("ours", "7k3f", "install-1");
    ours["components"] = json!([{ "id": "q42akudu3kfs", "status": "major_outage" }]);
    let theirs = json!({ "id": "theirs", "components": [{ "id": "p31zjtct2jer" }, { "id": "x" }] });
    let Turn::Call(call) = exchange.hear(&answer(200, &json!([ours, theirs]))) else { panic!() };
    assert_eq!(call.path.last().map(String::as_str), Some("active_maintenance"));
    let maintenance = json!([{ "id": "m", "components": [{ "id": "p31zjtct2jer" }] }]);
    let turn = exchange.hear(&answer(200, &maintenance));
    let Turn::Over(Outcome::Surveyed(seen)) = turn else { panic!("{turn:?}") };
    let brief: Vec<_> =
        seen.iter().map(|s| (s.id.as_str(), s.key.clone(), s.maintenance)).collect();
    assert_eq!(brief, [("m", None, true), ("ours", Some(key()), false), ("theirs", None, false)]);
    assert_eq!(seen[2].components, BTreeSet::from([component("desk")]));
}

#[test]
fn what_people_announced_is_read_as_it_stands() {
    let statuspage = statuspage();
    let mut exchange = statuspage.exchange(&Request::Announcements);
    assert_eq!(exchange.call().path.last().map(String::as_str), Some("upcoming"));
    let work = |id: &str, status: &str| {
        json!({
            "id": id, "status": status, "components": [{ "id": "p31zjtct2jer" }, { "id": "x" }],
            "scheduled_for": "2021-09-15T02:00:00.000Z",
            "scheduled_until": "2021-09-15T01:00:00-03:00",
        })
    };
    let mut ours = work("ours", "scheduled");
    ours["metadata"] = json!({ "farol": { "k": "7k3f", "i": "install-1" } });
    let mut elsewhere = work("elsewhere", "scheduled");
    elsewhere["components"] = json!([{ "id": "x" }]);
    let mut endless = work("endless", "scheduled");
    endless["scheduled_until"] = Value::Null;
    let listed = json!([work("planned", "scheduled"), ours, elsewhere, endless, {}]);
    let Turn::Call(call) = exchange.hear(&answer(200, &listed)) else { panic!() };
    assert_eq!(call.path.last().map(String::as_str), Some("active_maintenance"));
    let mut early = work("early", "verifying");
    early["incident_updates"] = json!([
        { "status": "verifying", "created_at": "2021-09-15T01:50:00.000Z" },
        { "status": "in_progress", "created_at": "2021-09-15T01:30:00.000Z" },
        { "status": "scheduled", "created_at": "2021-09-14T00:00:00.000Z" },
    ]);
    let listed = json!([early, work("done", "completed")]);
    let turn = exchange.hear(&answer(200, &listed));
    let Turn::Over(Outcome::Announced(read)) = turn else { panic!("{turn:?}") };
    let brief: Vec<_> = read
        .iter()
        .map(|(id, it)| (id.as_str(), it.window.from.to_rfc3339(), it.window.until.to_rfc3339()))
        .collect();
    let (two, four) = ("2021-09-15T02:00:00.000Z", "2021-09-15T04:00:00.000Z");
    assert_eq!(
        brief,
        [
            ("early", "2021-09-15T01:30:00.000Z".to_owned(), four.to_owned()),
            ("planned", two.to_owned(), four.to_owned()),
        ]
    );
    assert!(read.values().all(|it| it.components == BTreeSet::from([component("desk")])));
    // The wrong page is no page on which nothing is announced.
    for status in [401, 404, 500] {
        let mut exchange = statuspage.exchange(&Request::Announcements);
        let turn = exchange.hear(&answer(status, &json!({ "error": "no" })));
        assert!(matches!(turn, Turn::Over(_)), "{status}: {turn:?}");
        assert!(!matches!(turn, Turn::Over(Outcome::Announced(_))), "{status}: {turn:?}");
    }
}

#[test]
fn an_incident_that_changed_after_it_was_read_is_read_again() {
    let mut before = row("n2969465tx0b", "7k3f", "install-1");
    before["metadata"]["farol"]["n"] = json!("6");
    let request = Request::Update { remote: remote(), payload: opening(), expect: None };
    let statuspage = statuspage();
    let mut exchange = statuspage.exchange(&request);
    let read = Answer { etag: Some("\"1\"".to_owned()), ..answer(200, &before) };
    for _ in 0..MAX_READS {
        assert_eq!(exchange.call().method, Method::GET);
        let Turn::Call(write) = exchange.hear(&read) else { panic!() };
        assert_eq!(write.if_match.as_deref(), Some("\"1\""));
        if let Turn::Over(outcome) = exchange.hear(&answer(412, &json!({}))) {
            assert!(matches!(outcome, Outcome::Uncertain { .. }), "{outcome:?}");
            return;
        }
        // The write that was refused may have been the second of two: it is in doubt from here on.
        assert!(!exchange.only_reads());
    }
    panic!("it is read again and again");
}

#[test]
fn an_incident_without_our_mark_is_not_ours_any_more() {
    let statuspage = statuspage();
    let request = Request::Read { remote: remote(), key: key() };
    let unmarked = json!({ "id": "n2969465tx0b", "status": "investigating", "metadata": {} });
    assert_eq!(
        statuspage.exchange(&request).hear(&answer(200, &unmarked)),
        Turn::Over(Outcome::Gone)
    );
}

#[test]
fn texts_are_cut_to_what_the_vendor_takes() {
    let mut long = opening();
    long.title = "é".repeat(300);
    long.body = "x".repeat(30_000);
    let request = Request::Create(long);
    let body = statuspage().exchange(&request).call().body.unwrap();
    assert_eq!(body["incident"]["name"].as_str().unwrap().chars().count(), 255);
    assert_eq!(body["incident"]["body"].as_str().unwrap().chars().count(), 25_000);
}
