//! A person announces work on the page that farol serves, and the real binary keeps to it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[expect(dead_code, reason = "other tests use the rest")]
#[path = "support/story.rs"]
mod story;

use std::net::SocketAddr;

use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use story::process::component;
use story::{LONG, Story, Watched, probes};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A target that takes connections until it is taken down.
struct Target {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Target {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                drop(listener.accept().await);
            }
        });
        Self { address, task }
    }

    async fn take_down(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

fn start(desk: SocketAddr, portal: SocketAddr) -> Story {
    let dir = tempfile::tempdir().unwrap();
    let watched = [("Desk", desk), ("Portal", portal)].map(|(component, address)| Watched {
        component,
        check: "answers",
        tcp: address.to_string(),
    });
    let probes = probes(dir.path(), "", "mode = \"quiet\"", &watched);
    Story::begin(dir, probes)
}

/// A person with the key to the page.
struct Person {
    base: String,
    token: String,
    client: reqwest::Client,
}

impl Person {
    async fn new(story: &Story) -> Self {
        let farol = &story.farol;
        farol.summary_until(LONG, |summary| summary["components"].is_array()).await;
        let token = std::fs::read_to_string(story.state().join("api-token")).unwrap();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let summary = farol.json("/api/v2/summary.json").await.unwrap();
        let page = summary["page"]["id"].as_str().unwrap();
        let base = format!("http://{}/v1/pages/{page}/incidents", farol.address);
        Self { base, token, client }
    }

    async fn say(&self, method: reqwest::Method, path: &str, incident: Value) -> Value {
        let request = self.client.request(method, format!("{}{path}", self.base));
        let request = request.bearer_auth(&self.token).json(&json!({ "incident": incident }));
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }
}

fn code(summary: &Value, name: &str) -> String {
    let components = summary["components"].as_array().unwrap();
    let found = components.iter().find(|component| component["name"] == name).unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn inside_what_a_person_announced_nothing_opens_and_beyond_it_an_incident_does() {
    let (desk, portal) = (Target::start().await, Target::start().await);
    let mut story = start(desk.address, portal.address);
    let person = Person::new(&story).await;
    let summary = story.farol.json("/api/v2/summary.json").await.unwrap();
    let time = |secs| (Utc::now() + TimeDelta::seconds(secs)).to_rfc3339();
    let announced = json!({
        "name": "Moving house",
        "status": "scheduled",
        "scheduled_for": time(-5),
        "scheduled_until": time(3600),
        "scheduled_auto_in_progress": true,
        "component_ids": [code(&summary, "Desk")],
    });
    let announced = person.say(reqwest::Method::POST, "", announced).await;
    let work = format!("/{}", announced["id"].as_str().unwrap());
    story.logged(&["maintenance changed", "in_progress", "page:"]).await;

    desk.take_down().await;
    story.logged(&["in trouble during its maintenance", "blip/desk"]).await;
    // What was read of the page outlives the process.
    story.farol.kill();
    story.go_on();
    let person = Person::new(&story).await;
    portal.take_down().await;
    let summary = story.farol.summary_until(LONG, |it| it["incidents"][0].is_object()).await;
    let incident = &summary["incidents"][0];
    assert_eq!(incident["name"], "Portal is unavailable");
    let said = incident["incident_updates"][0]["body"].as_str().unwrap();
    let apart = "Maintenance is under way on Desk; this problem is not part of it.";
    assert!(said.starts_with(apart), "{said}");
    assert_eq!(component(&summary, "Desk"), "under_maintenance");
    assert_eq!(summary["incidents"].as_array().unwrap().len(), 1);
    assert_eq!(summary["scheduled_maintenances"][0]["status"], "in_progress");

    // They call it done, though Desk is down.
    person.say(reqwest::Method::PATCH, &work, json!({ "status": "completed" })).await;
    let summary = story
        .farol
        .summary_until(LONG, |summary| component(summary, "Desk") == "major_outage")
        .await;
    let incident = &summary["incidents"][0];
    let said = incident["incident_updates"][0]["body"].as_str().unwrap();
    assert!(said.starts_with("The maintenance ended at"), "{said}");
    assert_eq!(summary["incidents"].as_array().unwrap().len(), 1, "{summary:#}");
    let read = person.say(reqwest::Method::PATCH, &work, json!({})).await;
    let updates = read["incident_updates"].as_array().unwrap();
    assert_eq!(updates.len(), 3, "nobody but its owner writes of it: {read:#}");
}
