//! Postmortems: a draft that nobody reads, until a person publishes it.

use farol::clock::Clock;
use farol::config::Secret;
use farol::model::{IncidentKey, PlatformId, Span};
use farol::outbox::{Outcome, RemoteId, Request};
use farol::publish::{Pace, Patience, Publisher, StatuspageTarget};
use farol::serve::page_id;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::site::{Served, TOKEN, component, start};

/// An incident of farol's, resolved.
async fn resolved(site: &Served, status: &str) -> String {
    let incident = json!({ "incident": {
        "name": "Desk is unavailable",
        "status": status,
        "body": "It is over.",
        "component_ids": [component("desk")],
        "metadata": { "farol": { "k": "k1", "i": "install", "n": "2" } },
    }});
    let (_, made) = site.call(Method::POST, "/incidents", &incident).await;
    made["id"].as_str().unwrap().to_owned()
}

fn draft(text: &str) -> Value {
    json!({ "postmortem": { "body_draft": text } })
}

#[tokio::test]
async fn a_draft_is_read_by_nobody_until_it_is_published_and_can_be_taken_back() {
    let site = start().await;
    let id = resolved(&site, "resolved").await;
    let path = format!("/incidents/{id}/postmortem");
    let nothing = Value::Null;
    let page = async || site.get("/blip").await.text().await.unwrap();
    let public = async || site.public("/blip/api/v2/incidents.json").await["incidents"][0].clone();

    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::DELETE, path.clone()),
        (Method::PUT, format!("{path}/publish")),
        (Method::PUT, format!("{path}/revert")),
    ] {
        let (status, _) = site.call(method.clone(), &path, &nothing).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{method} {path}");
    }
    let (status, kept) =
        site.call(Method::PUT, &path, &draft("# We <b>forgot</b>\nA switch.")).await;
    assert_eq!((status, &kept["body"]), (StatusCode::OK, &nothing));
    assert_eq!(site.call(Method::GET, &path, &nothing).await.1, kept);
    assert!(!page().await.contains("A switch."));
    assert_eq!(public().await["status"], "resolved");
    let (_, incident) = site.call(Method::GET, &format!("/incidents/{id}"), &nothing).await;
    assert_eq!(incident["postmortem_body"], nothing);

    let (status, published) = site.call(Method::PUT, &format!("{path}/publish"), &nothing).await;
    assert_eq!((status, &published["body_draft"]), (StatusCode::OK, &nothing));
    assert!(published["published_at"].is_string(), "{published}");
    let shown = page().await;
    assert!(shown.contains("A switch.") && shown.contains("Postmortem"), "{shown}");
    assert!(!shown.contains("<b>forgot"), "what is written is text");
    let told = public().await;
    assert_eq!(told["status"], "postmortem");
    assert_eq!(told["incident_updates"][0]["body"], "# We <b>forgot</b>\nA switch.");
    let (_, incident) = site.call(Method::GET, &format!("/incidents/{id}"), &nothing).await;
    assert_eq!(incident["status"], "resolved");
    assert_eq!(incident["postmortem_body"], "# We <b>forgot</b>\nA switch.");

    // Another draft changes nothing of what is read.
    site.call(Method::PUT, &path, &draft("Second.")).await;
    assert!(page().await.contains("A switch."));
    site.call(Method::PUT, &format!("{path}/revert"), &nothing).await;
    assert!(!page().await.contains("A switch."));
    let (_, kept) = site.call(Method::GET, &path, &nothing).await;
    assert_eq!((&kept["body"], &kept["body_draft"]), (&nothing, &json!("Second.")));
    let gone = site.request(Method::DELETE, &format!("{}{path}", super::site::page_path()));
    let gone = gone.bearer_auth(TOKEN).send().await.unwrap();
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(site.call(Method::GET, &path, &nothing).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_not_over_has_no_postmortem_that_is_published_and_nonsense_is_refused() {
    let site = start().await;
    let id = resolved(&site, "monitoring").await;
    let path = format!("/incidents/{id}/postmortem");
    site.call(Method::PUT, &path, &draft("Early.")).await;
    let (status, _) = site.call(Method::PUT, &format!("{path}/publish"), &Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    for (body, wanted) in [
        (json!({}), StatusCode::BAD_REQUEST),
        (json!({ "postmortem": {} }), StatusCode::UNPROCESSABLE_ENTITY),
        (draft(&"x".repeat(25_001)), StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let (status, said) = site.call(Method::PUT, &path, &body).await;
        assert_eq!(status, wanted, "{said}");
    }
    let (status, _) = site.call(Method::POST, &path, &draft("x")).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    let (status, _) = site.call(Method::PUT, &format!("{path}/frame"), &draft("x")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    // It goes with its incident.
    site.call(Method::DELETE, &format!("/incidents/{id}"), &Value::Null).await;
    assert_eq!(site.call(Method::GET, &path, &Value::Null).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn farol_puts_its_draft_there_and_never_writes_over_a_persons() {
    let site = start().await;
    let id = resolved(&site, "resolved").await;
    let path = format!("/incidents/{id}/postmortem");
    let clock = Clock::start();
    let target = |install: &str| StatuspageTarget {
        url: format!("http://{}/v1", site.address).parse().unwrap(),
        page: page_id(&PlatformId::new("blip")),
        token: Secret::new(TOKEN),
        components: std::collections::BTreeMap::new(),
        install: install.to_owned(),
        own: true,
    };
    let pace = std::sync::Arc::new(Pace::new(clock, Span::ZERO));
    let deliver = async |install: &str, text: &str| {
        let pace = std::sync::Arc::clone(&pace);
        let publisher = Publisher::new(target(install), Patience::embedded(), pace).unwrap();
        let (remote, key) = (RemoteId::new(id.clone()), IncidentKey::new("k1"));
        publisher.deliver(&Request::Draft { remote, key, text: text.to_owned() }).await
    };
    let stands = async || site.call(Method::GET, &path, &Value::Null).await.1["body_draft"].clone();

    assert_eq!(deliver("other", "# Not theirs").await, Outcome::Gone);
    assert!(matches!(deliver("install", "# Draft\n").await, Outcome::Done { .. }));
    assert_eq!(stands().await, "# Draft\n");
    // Once more, after an answer that was lost.
    assert!(matches!(deliver("install", "# Draft\n").await, Outcome::Done { .. }));
    site.call(Method::PUT, &path, &draft("# Draft, and what we learned")).await;
    let outcome = deliver("install", "# Draft\n").await;
    assert!(matches!(outcome, Outcome::Rejected { status: 409, .. }), "{outcome:?}");
    assert_eq!(stands().await, "# Draft, and what we learned");
    // What they published is theirs as well.
    site.call(Method::PUT, &format!("{path}/publish"), &Value::Null).await;
    let outcome = deliver("install", "# Draft\n").await;
    assert!(matches!(outcome, Outcome::Rejected { status: 409, .. }), "{outcome:?}");
    assert_eq!(stands().await, Value::Null);
}
