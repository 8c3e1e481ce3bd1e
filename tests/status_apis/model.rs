//! As much of each API as a publisher meets, over one list in memory. What a real one would refuse
//! is refused, and remembered as a trouble.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

#[derive(Default)]
struct Memory {
    /// What a test looks at: `texts` that were said, and whether it is `over`.
    incidents: Vec<Value>,
    /// What stands at the API beside, by the names that it knows.
    rows: BTreeMap<String, Value>,
    keys: BTreeSet<String>,
    troubles: Vec<String>,
    calls: usize,
    refuse: bool,
}

/// The server's memory.
#[derive(Clone, Default)]
pub(crate) struct Model(Arc<Mutex<Memory>>);

type Answer = (StatusCode, String);

/// Serves on a free port of loopback until the runtime stops.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

impl Model {
    pub(crate) fn router(&self) -> Router {
        Router::new().fallback(answer).with_state(self.clone())
    }

    pub(crate) fn incidents(&self) -> Vec<Value> {
        self.0.lock().unwrap().incidents.clone()
    }

    pub(crate) fn troubles(&self) -> Vec<String> {
        self.0.lock().unwrap().troubles.clone()
    }

    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap().calls
    }

    /// The next call is refused, with its key in the answer.
    pub(crate) fn refuse_once(&self) {
        self.0.lock().unwrap().refuse = true;
    }
}

async fn answer(
    State(model): State<Model>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let mut memory = model.0.lock().unwrap();
    memory.calls += 1;
    if std::mem::take(&mut memory.refuse) {
        return (StatusCode::BAD_REQUEST, json!({ "message": "bad key hush" }).to_string());
    }
    let body: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let path: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let login = headers.get("authorization").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let wanted = match path[..] {
        ["api", "v2", "alerts"] => "Basic ZmFyb2w6aHVzaA==",
        ["v2", "enqueue"] | ["hook"] => "",
        _ => "Bearer hush",
    };
    if login != wanted {
        memory.troubles.push(format!("{path:?} was entered as {login:?}"));
        return (StatusCode::UNAUTHORIZED, "{}".to_owned());
    }
    let (status, answer) = match path[..] {
        ["api", "v2", "alerts"] if method == Method::GET => memory.firing(),
        ["api", "v2", "alerts"] => memory.alerts(&body),
        ["v2", "enqueue"] => memory.event(&body),
        ["hook"] => memory.hook(&headers, &bytes, &body),
        ["api", ref rest @ ..] => memory.cachet(&method, rest, &body),
        ["v2", ref rest @ ..] => memory.incident_io(&method, rest, &body),
        ["v1", "page", ref rest @ ..] => memory.instatus(&method, rest, &body),
        _ => (404, json!({})),
    };
    if status == 404 {
        memory.troubles.push(format!("no such thing as {method} {uri}"));
    }
    (StatusCode::from_u16(status).unwrap(), answer.to_string())
}

/// What a text says without its mark, which every text of ours must have.
fn plain(text: &Value) -> Value {
    let text = text.as_str().unwrap_or_default();
    match text.split_once("\n\nref: k1.") {
        Some((text, _)) => json!(text),
        None => json!(format!("without a mark: {text}")),
    }
}

impl Memory {
    fn said(&mut self, place: usize, text: Value, over: bool) {
        let incident = &mut self.incidents[place];
        incident["texts"].as_array_mut().unwrap().push(text);
        incident["over"] = json!(over);
    }

    fn opened(&mut self, text: &Value) -> usize {
        self.incidents.push(json!({ "texts": [text], "over": false }));
        self.incidents.len() - 1
    }

    fn firing(&mut self) -> (u16, Value) {
        (200, self.rows.values().filter(|alert| alert.get("endsAt").is_none()).cloned().collect())
    }

    /// Alerts are known by their labels; all of them are one incident here.
    fn alerts(&mut self, body: &Value) -> (u16, Value) {
        for alert in body.as_array().unwrap() {
            let known = self.rows.insert(alert["labels"].to_string(), alert.clone());
            if known.is_none() && alert.get("endsAt").is_some() {
                self.troubles.push(format!("the end of what never fired: {alert}"));
            }
        }
        let text = body[0]["annotations"]["description"].clone();
        let firing = self.rows.values().filter(|alert| alert.get("endsAt").is_none()).count();
        if firing > 1 {
            self.troubles.push(format!("{firing} alerts of one component fire"));
        }
        if self.incidents.is_empty() {
            self.opened(&text);
        }
        self.incidents[0]["over"] = json!(firing == 0);
        let texts = self.incidents[0]["texts"].as_array_mut().unwrap();
        if texts.last() != Some(&text) {
            texts.push(text);
        }
        (200, json!({}))
    }

    fn event(&mut self, body: &Value) -> (u16, Value) {
        if body["routing_key"] != "hush" {
            return (400, json!({ "status": "invalid event" }));
        }
        let key = body["dedup_key"].as_str().unwrap().to_owned();
        let known = self.rows.get(&key).and_then(Value::as_u64).and_then(|it| it.try_into().ok());
        let open = known.filter(|place: &usize| self.incidents[*place]["over"] == false);
        let text = body["payload"]["summary"].clone();
        match (body["event_action"].as_str(), open) {
            (Some("resolve"), Some(place)) => self.incidents[place]["over"] = json!(true),
            (Some("trigger"), Some(place)) => {
                let texts = self.incidents[place]["texts"].as_array_mut().unwrap();
                if texts.last() != Some(&text) {
                    texts.push(text);
                }
            }
            (Some("trigger"), None) => {
                let place = self.opened(&text);
                self.rows.insert(key.clone(), json!(place));
            }
            _ => {}
        }
        (202, json!({ "status": "success", "dedup_key": key }))
    }

    fn hook(&mut self, headers: &HeaderMap, bytes: &[u8], body: &Value) -> (u16, Value) {
        let header = |name: &str| headers[name].to_str().unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(b"hush").unwrap();
        mac.update(header("x-farol-timestamp").as_bytes());
        mac.update(b".");
        mac.update(bytes);
        let right = data_encoding::HEXLOWER.encode(&mac.finalize().into_bytes());
        if header("x-farol-signature") != format!("v1={right}") {
            self.troubles.push("a wrong signature".to_owned());
            return (401, json!({}));
        }
        if self.keys.insert(header("idempotency-key").to_owned()) {
            let text = body["body"].clone();
            match body["event"].as_str() {
                Some("open") => drop(self.opened(&text)),
                event => self.said(0, text, event == Some("resolve")),
            }
        }
        (202, json!({}))
    }

    fn cachet(&mut self, method: &Method, path: &[&str], body: &Value) -> (u16, Value) {
        let row = |id: usize, incident: &Value| {
            let attributes = json!({ "message": incident["raw"], "status": { "value": 1 } });
            json!({ "id": id.to_string(), "attributes": attributes })
        };
        let updates = |incidents: &[Value]| -> Value {
            let all = incidents.iter().flat_map(|it| it["updates"].as_array().unwrap());
            all.map(|text| json!({ "type": "updates", "attributes": { "message": text } }))
                .collect()
        };
        match (method.as_str(), path) {
            ("POST", ["incidents"]) => {
                if body["visible"] != true || body["meta"]["farol"] != "k1" {
                    self.troubles.push(format!("not as Cachet wants it: {body}"));
                }
                let place = self.opened(&plain(&body["message"]));
                self.incidents[place]["raw"] = body["message"].clone();
                self.incidents[place]["updates"] = json!([]);
                (201, json!({ "data": row(place, &self.incidents[place]) }))
            }
            ("POST", ["incidents", id, "updates"]) => {
                let place = id.parse().unwrap();
                self.said(place, plain(&body["message"]), body["status"] == 4);
                let updates = self.incidents[place]["updates"].as_array_mut().unwrap();
                updates.push(body["message"].clone());
                (201, json!({ "data": { "id": "900", "attributes": {} } }))
            }
            ("PUT", ["components", "7"]) => (200, json!({ "data": { "id": "7" } })),
            ("GET", ["incidents"]) => {
                let rows = self.incidents.iter().enumerate().map(|(id, it)| row(id, it));
                let data: Vec<Value> = rows.collect();
                (200, json!({ "data": data, "included": updates(&self.incidents) }))
            }
            ("GET", ["incidents", id]) => {
                let place: usize = id.parse().unwrap();
                let data = row(place, &self.incidents[place]);
                (200, json!({ "data": data, "included": updates(&self.incidents) }))
            }
            _ => (404, json!({})),
        }
    }

    fn incident_io(&mut self, method: &Method, path: &[&str], body: &Value) -> (u16, Value) {
        let row = |id: usize, incident: &Value| json!({ "id": format!("01H{id}"), "updates": incident["updates"] });
        match (method.as_str(), path) {
            ("POST", ["status_page_incidents"]) => {
                let key = body["idempotency_key"].as_str().unwrap().to_owned();
                if self.keys.insert(key) {
                    let place = self.opened(&plain(&body["message"]));
                    self.incidents[place]["updates"] = json!([{ "message": body["message"] }]);
                }
                (201, json!({ "status_page_incident": row(0, &self.incidents[0]) }))
            }
            ("POST", ["status_page_incident_updates"]) => {
                let over = body["incident_status"] == "resolved";
                if over && body.get("component_statuses").is_some() {
                    self.troubles.push("components at the end".to_owned());
                    return (422, json!({ "errors": ["component_statuses"] }));
                }
                self.said(0, plain(&body["message"]), over);
                let updates = self.incidents[0]["updates"].as_array_mut().unwrap();
                updates.push(json!({ "message": body["message"] }));
                (201, json!({ "status_page_incident_update": { "id": "01HU" } }))
            }
            ("GET", ["status_page_incidents"]) => {
                let rows = self.incidents.iter().enumerate().map(|(id, it)| row(id, it));
                let rows: Vec<Value> = rows.collect();
                (200, json!({ "status_page_incidents": rows, "pagination_meta": {} }))
            }
            ("GET", ["status_page_incidents", "01H0"]) => {
                (200, json!({ "status_page_incident": row(0, &self.incidents[0]) }))
            }
            _ => (404, json!({})),
        }
    }

    fn instatus(&mut self, method: &Method, path: &[&str], body: &Value) -> (u16, Value) {
        // Texts come back as HTML.
        let html = |text: &Value| json!(format!("<p>{}</p>", text.as_str().unwrap()));
        let row = |id: usize, incident: &Value| json!({ "id": format!("c{id}"), "status": "INVESTIGATING", "updates": incident["updates"] });
        match (method.as_str(), path) {
            ("POST", ["incidents"]) => {
                if body["shouldPublish"] != true || body["statuses"][0]["id"] != "7" {
                    self.troubles.push(format!("not as Instatus wants it: {body}"));
                }
                let place = self.opened(&plain(&body["message"]));
                self.incidents[place]["updates"] = json!([{ "message": html(&body["message"]) }]);
                (200, row(place, &self.incidents[place]))
            }
            ("POST", ["incidents", "c0", "incident-updates"]) => {
                self.said(0, plain(&body["message"]), body["status"] == "RESOLVED");
                let updates = self.incidents[0]["updates"].as_array_mut().unwrap();
                updates.insert(0, json!({ "message": html(&body["message"]) }));
                (200, json!({ "id": "u1" }))
            }
            ("GET", ["incidents"]) => {
                let rows = self.incidents.iter().enumerate().map(|(id, it)| row(id, it));
                (200, rows.collect())
            }
            ("GET", ["incidents", "c0"]) => (200, row(0, &self.incidents[0])),
            _ => (404, json!({})),
        }
    }
}
