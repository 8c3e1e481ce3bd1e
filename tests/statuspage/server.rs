//! As much of a Statuspage API as a publisher needs, over a list in memory.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

/// The server's memory: what a test looks at in the end.
#[derive(Clone, Default)]
pub(crate) struct Pages(Arc<Mutex<Vec<Value>>>);

type Answer = (StatusCode, Json<Value>);

impl Pages {
    /// Every incident, with all that was ever said of it under `texts`, and under `steps` what it
    /// was said for.
    pub(crate) fn incidents(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }

    /// What is served.
    pub(crate) fn router(&self) -> Router {
        Router::new()
            .route("/v1/pages/page/incidents", get(list).post(create))
            .route("/v1/pages/page/incidents/unresolved", get(unresolved))
            .route("/v1/pages/page/incidents/{id}", get(read).patch(update))
            .with_state(self.clone())
    }
}

/// Serves on a free port of loopback until the runtime stops.
pub(crate) async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

async fn list(State(pages): State<Pages>) -> Json<Value> {
    Json(json!(pages.incidents()))
}

async fn unresolved(State(pages): State<Pages>) -> Json<Value> {
    let open = pages.incidents().into_iter().filter(|incident| incident["status"] != "resolved");
    Json(open.collect())
}

async fn read(State(pages): State<Pages>, Path(id): Path<String>) -> Answer {
    match pages.incidents().into_iter().find(|incident| incident["id"] == id.as_str()) {
        Some(incident) => (StatusCode::OK, Json(incident)),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "not found" }))),
    }
}

async fn create(State(pages): State<Pages>, headers: HeaderMap, Json(body): Json<Value>) -> Answer {
    if headers.get("authorization").is_none_or(|key| key != "OAuth secret") {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "Could not authenticate" })));
    }
    let mut incidents = pages.0.lock().unwrap();
    let id = format!("incident{:04}", incidents.len());
    let created_at = "2021-09-15T00:00:00.000Z";
    let mut incident = json!({
        "id": id, "created_at": created_at, "texts": [], "steps": [], "incident_updates": [],
        "name": "", "status": "investigating",
    });
    apply(&mut incident, &body["incident"]);
    incidents.push(incident.clone());
    (StatusCode::CREATED, Json(incident))
}

async fn update(
    State(pages): State<Pages>,
    Path(id): Path<String>,
    Json(body): Json<Value>,
) -> Answer {
    let mut incidents = pages.0.lock().unwrap();
    match incidents.iter_mut().find(|incident| incident["id"] == id.as_str()) {
        Some(incident) => {
            apply(incident, &body["incident"]);
            (StatusCode::OK, Json(incident.clone()))
        }
        None => (StatusCode::NOT_FOUND, Json(json!({ "error": "not found" }))),
    }
}

/// What a change does not name stays as it was.
fn apply(incident: &mut Value, change: &Value) {
    for field in ["name", "status", "metadata"] {
        if let Some(value) = change.get(field) {
            incident[field] = value.clone();
        }
    }
    for (id, status) in change["components"].as_object().into_iter().flatten() {
        incident["components"][id] = status.clone();
    }
    incident["texts"].as_array_mut().unwrap().push(change["body"].clone());
    let step = change["metadata"]["farol"]["n"].clone();
    let steps = incident["steps"].as_array_mut().unwrap();
    steps.push(step);
    let id = format!("update{:04}", steps.len());
    let update = json!({ "id": id, "body": change["body"] });
    incident["incident_updates"].as_array_mut().unwrap().insert(0, update);
}
