//! Outbox and publisher against a status API behind a faulty network: whatever happens on the way,
//! the page shows one incident, and says everything once and in order.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[path = "support/delivery.rs"]
mod delivery;
#[expect(dead_code, reason = "a storm has more of them")]
#[path = "statuspage/faults.rs"]
mod faults;
#[path = "statuspage/server.rs"]
mod server;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use farol::clock::Clock;
use farol::config::Secret;
use farol::model::{
    Action, ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus,
    PlatformId, Span, Timestamp,
};
use farol::outbox::{Notice, Outbox, Outcome, Request, State, Timing};
use farol::publish::{Pace, Patience, PublishError, Publisher, StatuspageTarget};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use delivery::{PATIENCE, drain};
use faults::{Fault, proxy};
use server::{Pages, serve};

fn timing() -> Timing {
    Timing { survey: Span::from_millis(500), ..delivery::timing() }
}

fn component() -> ComponentId {
    ComponentId::of(&PlatformId::new("blip"), "desk")
}

fn target(address: SocketAddr) -> StatuspageTarget {
    StatuspageTarget {
        url: format!("http://{address}/v1").parse().unwrap(),
        page: "page".to_owned(),
        token: Secret::new("secret"),
        components: BTreeMap::from([(component(), "p31zjtct2jer".to_owned())]),
        install: "install".to_owned(),
        own: false,
    }
}

fn pace() -> Arc<Pace> {
    Arc::new(Pace::new(Clock::start(), Span::from_millis(1)))
}

fn publisher(address: SocketAddr) -> Publisher {
    Publisher::new(target(address), PATIENCE, pace()).unwrap()
}

fn action(key: &str, sequence: u32, kind: ActionKind, at: Timestamp) -> Action {
    let (status, component_status) = match kind {
        ActionKind::Open | ActionKind::Update => {
            (IncidentStatus::Investigating, ComponentStatus::PartialOutage)
        }
        ActionKind::Resolve => (IncidentStatus::Resolved, ComponentStatus::Operational),
    };
    Action {
        incident: IncidentKey::new(key),
        sequence,
        kind,
        follows: None,
        platform: PlatformId::new("blip"),
        at,
        started_at: at,
        status,
        impact: Impact::Minor,
        components: BTreeMap::from([(component(), component_status)]),
        title: "Desk is failing for some users".to_owned(),
        body: format!("{key}#{sequence}"),
        by_person: false,
        account: None,
    }
}

/// Publishes an incident in three steps, each one after the other was published.
async fn three_steps(key: &str, publisher: &Publisher) -> Vec<Notice> {
    let clock = Clock::start();
    let mut outbox = Outbox::new("install", State::default(), timing());
    let mut notices = Vec::new();
    for (sequence, kind) in
        [(1, ActionKind::Open), (2, ActionKind::Update), (3, ActionKind::Resolve)]
    {
        outbox.push(action(key, sequence, kind, clock.now()));
        notices.extend(drain(&mut outbox, publisher, clock).await);
    }
    notices
}

fn assert_right(incident: &Value, texts: &[&str]) {
    assert_eq!(incident["texts"], serde_json::json!(texts), "{incident}");
    assert_eq!(incident["status"], "resolved");
    assert_eq!(incident["components"]["p31zjtct2jer"], "operational");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_at_the_first_try_of_each_step() {
    let runs = Fault::ALL.map(|fault| tokio::spawn(first_tries_fail(fault)));
    for run in runs {
        run.await.unwrap();
    }
}

async fn first_tries_fail(fault: Fault) {
    let pages = Pages::default();
    let mut seen = BTreeSet::new();
    let address = proxy(serve(pages.router()).await, move |request| {
        // The body names the step; only a write has one.
        let (_, body) = request.split_once("\r\n\r\n")?;
        (!body.is_empty() && seen.insert(body.to_owned())).then_some(fault)
    })
    .await;
    let notices = three_steps("a", &publisher(address)).await;
    let incidents = pages.incidents();
    assert_eq!(incidents.len(), 1, "{fault:?}: {incidents:#?}");
    assert_right(&incidents[0], &["a#1", "a#2", "a#3"]);
    let retries = notices.iter().filter(|notice| matches!(notice, Notice::Retry { .. })).count();
    assert!(retries >= 3, "{fault:?}: every failure is told: {notices:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_one_after_the_other_hit_writes_and_looks_alike() {
    let pages = Pages::default();
    let mut faults = [Fault::ALL, Fault::ALL].concat().into_iter();
    let address = proxy(serve(pages.router()).await, move |_| faults.next()).await;
    let publisher = publisher(address);
    let clock = Clock::start();
    let mut outbox = Outbox::new("install", State::default(), timing());
    for (key, sequence, kind) in [
        ("a", 1, ActionKind::Open),
        ("a", 2, ActionKind::Update),
        ("b", 1, ActionKind::Open),
        ("b", 2, ActionKind::Resolve),
        ("a", 3, ActionKind::Resolve),
    ] {
        outbox.push(action(key, sequence, kind, clock.now()));
    }
    drain(&mut outbox, &publisher, clock).await;
    let mut incidents = pages.incidents();
    incidents.sort_by_key(|incident| incident["metadata"]["farol"]["k"].to_string());
    assert_eq!(incidents.len(), 2, "{incidents:#?}");
    assert_right(&incidents[0], &["a#1\n\na#2", "a#3"]);
    assert_right(&incidents[1], &["b#1", "b#2"]);
}

#[tokio::test]
async fn nobody_listens() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = publisher(address).deliver(&Request::Components).await;
    assert!(matches!(outcome, Outcome::NotSent { .. }), "{outcome:?}");
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        let _request = client.read(&mut [0; 4_096]).await.unwrap();
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        while client.write_all(&[b' '; 65_536]).await.is_ok() {}
    });
    let patience = Patience { total: Duration::from_secs(60), ..PATIENCE };
    let publisher = Publisher::new(target(address), patience, pace()).unwrap();
    let outcome = publisher.deliver(&Request::Components).await;
    let Outcome::Uncertain { detail } = outcome else { panic!("{outcome:?}") };
    assert!(detail.contains("longer than"), "{detail}");
}

#[tokio::test]
async fn a_wrong_key_is_told_and_never_shown() {
    let pages = Pages::default();
    let address = serve(pages.router()).await;
    let wrong = StatuspageTarget { token: Secret::new("hush-hush"), ..target(address) };
    assert!(!format!("{wrong:?}").contains("hush"));
    let publisher = Publisher::new(wrong, PATIENCE, pace()).unwrap();
    assert!(!format!("{publisher:?}").contains("hush"));
    let clock = Clock::start();
    let mut outbox = Outbox::new("install", State::default(), timing());
    outbox.push(action("a", 1, ActionKind::Open, clock.now()));
    let survey = outbox.next(clock.now()).unwrap();
    let _notices = outbox.outcome(survey.id, Outcome::Surveyed(Vec::new()), clock.now());
    tokio::time::sleep_until(clock.instant_of(outbox.next_wakeup().unwrap().at).into()).await;
    let attempt = outbox.next(clock.now()).unwrap();
    let outcome = publisher.deliver(&attempt.request).await;
    assert_eq!(outcome, Outcome::Unauthorized { detail: "Could not authenticate".to_owned() });

    let broken = StatuspageTarget { token: Secret::new("hush\nhush"), ..target(address) };
    let error = Publisher::new(broken, PATIENCE, pace()).unwrap_err();
    assert!(matches!(error, PublishError::Token), "{error}");
    assert!(!error.to_string().contains("hush"));
}
