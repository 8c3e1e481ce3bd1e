//! The public API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::site::{component, start, start_with};

/// What a published description of this API says is required.
const PAGE: &[&str] = &["id", "name", "url", "updated_at"];
const COMPONENT: &[&str] = &[
    "id",
    "name",
    "status",
    "created_at",
    "updated_at",
    "position",
    "page_id",
    "only_show_if_degraded",
];
const INCIDENT: &[&str] =
    &["id", "name", "status", "impact", "created_at", "page_id", "incident_updates", "shortlink"];
const VIEWS: &[(&str, &[&str])] = &[
    ("summary", &["page", "status", "components", "incidents", "scheduled_maintenances"]),
    ("status", &["page", "status"]),
    ("components", &["page", "components"]),
    ("incidents", &["page", "incidents"]),
    ("incidents/unresolved", &["page", "incidents"]),
    ("scheduled-maintenances", &["page", "scheduled_maintenances"]),
    ("scheduled-maintenances/upcoming", &["page", "scheduled_maintenances"]),
    ("scheduled-maintenances/active", &["page", "scheduled_maintenances"]),
];

fn assert_has(value: &Value, fields: &[&str]) {
    for field in fields {
        assert!(value.get(field).is_some_and(|field| !field.is_null()), "{field} of {value}");
    }
}

fn trouble(status: &str) -> Value {
    json!({ "incident": {
        "name": "Trouble",
        "body": "Something is wrong.",
        "components": { component("desk"): status },
        "metadata": { "farol": { "k": "secret" } },
    }})
}

#[tokio::test]
async fn every_view_has_what_its_readers_require() {
    let site = start().await;
    site.call(Method::POST, "/incidents", &trouble("partial_outage")).await;
    for prefix in ["", "/blip"] {
        for (view, keys) in VIEWS {
            let body = site.public(&format!("{prefix}/api/v2/{view}.json")).await;
            let found: Vec<&String> = body.as_object().unwrap().keys().collect();
            let mut expected = keys.to_vec();
            expected.sort_unstable();
            assert_eq!(found, expected, "{view}");
            assert_has(&body["page"], PAGE);
            for component in body["components"].as_array().into_iter().flatten() {
                assert_has(component, COMPONENT);
            }
            for incident in body["incidents"].as_array().into_iter().flatten() {
                assert_has(incident, INCIDENT);
            }
        }
    }
    let summary = site.public("/api/v2/summary.json").await;
    assert_eq!(summary["incidents"].as_array().unwrap().len(), 1);
    assert!(!summary.to_string().contains("secret"), "metadata is the publisher's own");
    let url = format!("http://{}/blip", site.address);
    assert_eq!(summary["page"]["url"], url);
}

#[tokio::test]
async fn the_indicator_follows_the_components() {
    let site = start().await;
    let status = async || site.public("/api/v2/status.json").await["status"].clone();
    let well = json!({ "indicator": "none", "description": "All Systems Operational" });
    assert_eq!(status().await, well);
    let (_, opened) = site.call(Method::POST, "/incidents", &trouble("partial_outage")).await;
    let bad = json!({ "indicator": "minor", "description": "Minor Service Outage" });
    assert_eq!(status().await, bad);
    let path = format!("/incidents/{}", opened["id"].as_str().unwrap());
    let resolve = json!({ "incident": {
        "status": "resolved", "components": { component("desk"): "operational" },
    }});
    site.call(Method::PATCH, &path, &resolve).await;
    assert_eq!(status().await, well);
    let open = site.public("/api/v2/incidents/unresolved.json").await;
    assert_eq!(open["incidents"], json!([]));
    let all = site.public("/api/v2/incidents.json").await;
    assert_eq!(all["incidents"][0]["status"], "resolved");
}

#[tokio::test]
async fn each_platform_has_its_own() {
    let site = start().await;
    site.call(Method::POST, "/incidents", &trouble("major_outage")).await;
    let other = site.public("/take/api/v2/summary.json").await;
    assert_eq!(other["page"]["name"], "TAKE");
    assert_eq!(other["status"]["indicator"], "none");
    assert_eq!(other["incidents"], json!([]));
    let missing = site.get("/nobody/api/v2/summary.json").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(missing.json::<Value>().await.unwrap()["error"], "not found");
    let empty = start_with(&[]).await;
    assert_eq!(empty.get("/api/v2/summary.json").await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn browsers_of_other_sites_may_read_it_and_nobody_may_write() {
    let site = start().await;
    let head = site.request(Method::HEAD, "/api/v2/summary.json").send().await.unwrap();
    assert_eq!(head.status(), StatusCode::OK);
    assert_eq!(head.headers()["access-control-allow-origin"], "*");
    assert_eq!(head.headers()["content-type"], "application/json");
    assert_eq!(head.headers()["cache-control"], "public, max-age=5");
    assert_ne!(head.headers()["content-length"], "0");
    assert!(head.text().await.unwrap().is_empty());
    let options = site.request(Method::OPTIONS, "/api/v2/summary.json").send().await.unwrap();
    assert_eq!(options.status(), StatusCode::NO_CONTENT);
    assert_eq!(options.headers()["access-control-allow-methods"], "GET, HEAD, OPTIONS");
    let post = site.request(Method::POST, "/api/v2/summary.json").send().await.unwrap();
    assert_eq!(post.status(), StatusCode::METHOD_NOT_ALLOWED);
    let missing = site.get("/api/v2/nothing.json").await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    assert_eq!(missing.headers()["access-control-allow-origin"], "*");
}
