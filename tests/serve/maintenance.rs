//! Maintenances, announced by a person through the API.

use chrono::{DateTime, Duration, Utc};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::site::{Served, component, start};

fn in_secs(secs: i64) -> String {
    (Utc::now() + Duration::seconds(secs)).to_rfc3339()
}

fn work(from: i64, until: i64) -> Value {
    json!({ "incident": {
        "name": "Moving house",
        "status": "scheduled",
        "body": "We move to new servers.",
        "impact_override": "maintenance",
        "scheduled_for": in_secs(from),
        "scheduled_until": in_secs(until),
        "scheduled_auto_in_progress": true,
        "scheduled_auto_completed": true,
        "component_ids": [component("desk")],
        "deliver_notifications": false,
    }})
}

async fn announce(site: &Served, work: &Value) -> Value {
    let (status, announced) = site.call(Method::POST, "/incidents", work).await;
    assert_eq!(status, StatusCode::CREATED, "{announced}");
    announced
}

/// The names in each list.
async fn lists(site: &Served) -> Vec<(String, usize)> {
    let mut all = Vec::new();
    for list in ["", "/unresolved", "/scheduled", "/upcoming", "/active_maintenance"] {
        let path = format!("/incidents{list}.json");
        let (_, listed) = site.call(Method::GET, &path, &Value::Null).await;
        all.push((list.to_owned(), listed.as_array().unwrap().len()));
    }
    for list in ["scheduled-maintenances", "scheduled-maintenances/upcoming", "incidents"] {
        let listed = site.public(&format!("/api/v2/{list}.json")).await;
        let listed = listed.get("scheduled_maintenances").or(listed.get("incidents")).cloned();
        all.push((list.to_owned(), listed.unwrap().as_array().unwrap().len()));
    }
    all
}

fn counts<const N: usize>(counts: [(&str, usize); N]) -> Vec<(String, usize)> {
    counts.map(|(list, count)| (list.to_owned(), count)).into()
}

#[tokio::test]
async fn what_is_announced_is_listed_apart_from_incidents() {
    let site = start().await;
    let announced = announce(&site, &work(3600, 7200)).await;
    for (field, value) in [("status", "scheduled"), ("impact", "maintenance")] {
        assert_eq!(announced[field], value);
    }
    assert_eq!(announced["scheduled_auto_in_progress"], true);
    let from = DateTime::parse_from_rfc3339(announced["scheduled_for"].as_str().unwrap()).unwrap();
    assert!((from.to_utc() - Utc::now() - Duration::seconds(3600)).abs() < Duration::minutes(5));
    assert_eq!(
        lists(&site).await,
        counts([
            ("", 1),
            ("/unresolved", 0),
            ("/scheduled", 1),
            ("/upcoming", 1),
            ("/active_maintenance", 0),
            ("scheduled-maintenances", 1),
            ("scheduled-maintenances/upcoming", 1),
            ("incidents", 0),
        ])
    );
    let summary = site.public("/api/v2/summary.json").await;
    assert_eq!(summary["scheduled_maintenances"][0]["name"], "Moving house");
    assert!(summary["scheduled_maintenances"][0].get("metadata").is_none());
    assert_eq!(summary["status"]["indicator"], "none");
}

#[tokio::test]
async fn its_components_are_under_maintenance_while_it_lasts() {
    let site = start().await;
    let running = announce(&site, &work(-60, 3600)).await;
    let path = format!("/incidents/{}", running["id"].as_str().unwrap());
    let (_, read) = site.call(Method::GET, &path, &Value::Null).await;
    assert_eq!(read["status"], "in_progress");
    assert_eq!(read["components"][0]["status"], "under_maintenance");
    assert_eq!(read["incident_updates"][0]["affected_components"][0]["old_status"], "operational");
    let status = site.public("/api/v2/status.json").await;
    assert_eq!(status["status"]["indicator"], "maintenance");
    let page = site.get("/blip").await.text().await.unwrap();
    for words in ["Maintenance under way", "Moving house", "In progress", "Under maintenance"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(!page.contains("Planned maintenance") && !page.contains("Open incidents"));
    let over = json!({ "incident": { "status": "completed", "body": "All done." } });
    let (status, read) = site.call(Method::PATCH, &path, &over).await;
    assert_eq!((status, &read["status"]), (StatusCode::OK, &json!("completed")));
    assert_eq!(read["components"][0]["status"], "operational");
    let page = site.get("/blip").await.text().await.unwrap();
    assert!(page.contains("All done.") && !page.contains("Maintenance under way"));
    assert_eq!(site.public("/api/v2/status.json").await["status"]["indicator"], "none");
}

#[tokio::test]
async fn work_without_times_or_that_ends_before_it_begins_is_refused() {
    let site = start().await;
    let cases = [
        (work(7200, 3600), "scheduled_until must be later than scheduled_for"),
        (
            json!({ "incident": { "name": "Work", "status": "in_progress" } }),
            "scheduled_for and scheduled_until can't be blank for a maintenance",
        ),
        (
            json!({ "incident": { "name": "Trouble", "status": "resolved",
                                  "scheduled_for": in_secs(0) } }),
            "scheduled_for and scheduled_until are for maintenances only",
        ),
    ];
    for (body, problem) in cases {
        let (status, answer) = site.call(Method::POST, "/incidents", &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer["message"], problem);
    }
}
