//! Every dialect against a model of its API behind a faulty network, through the real outbox and
//! the real publisher: one incident there, and everything said once and in order.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[path = "support/delivery.rs"]
mod delivery;
#[expect(dead_code, reason = "a storm has more of them")]
#[path = "statuspage/faults.rs"]
mod faults;
#[path = "status_apis/model.rs"]
mod model;

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
use farol::outbox::{Notice, Outbox, State, Timing};
use farol::publish::{
    About, AlertmanagerTarget, Caps, Login, Pace, PageTarget, PagerDutyTarget, Publisher, Target,
    WebhookTarget,
};
use serde_json::Value;

use delivery::{PATIENCE, drain};
use faults::{Fault, proxy};
use model::{Model, serve};

fn timing(caps: Caps) -> Timing {
    let rejections = if caps.idempotent { 1 } else { 3 };
    Timing { rejections, idempotent: caps.idempotent, ..delivery::timing() }
}

fn component() -> ComponentId {
    ComponentId::of(&PlatformId::new("blip"), "desk")
}

fn about() -> About {
    About {
        platform: PlatformId::new("blip"),
        page: None,
        components: BTreeMap::from([(component(), "Desk".to_owned())]),
    }
}

/// The target called `name`, at `address`.
fn target(name: &str, address: SocketAddr) -> Target {
    let url = format!("http://{address}").parse().unwrap();
    let page = |url| PageTarget {
        url,
        page: "page".to_owned(),
        token: Secret::new("hush"),
        components: BTreeMap::from([(component(), "7".to_owned())]),
        install: "install".to_owned(),
    };
    match name {
        "cachet" => Target::Cachet(page(url)),
        "incident_io" => Target::IncidentIo(page(url)),
        "instatus" => Target::Instatus(page(url)),
        "alertmanager" => Target::Alertmanager(AlertmanagerTarget {
            url,
            login: Login::Basic { user: "farol".to_owned(), password: Secret::new("hush") },
            about: about(),
        }),
        "pagerduty" => Target::PagerDuty(PagerDutyTarget {
            url,
            routing_key: Secret::new("hush"),
            about: about(),
        }),
        "webhook" => Target::Webhook(WebhookTarget {
            url: url.join("/hook").unwrap(),
            secret: Some(Secret::new("hush")),
            template: None,
            about: about(),
        }),
        other => panic!("no model of {other}"),
    }
}

fn action(sequence: u32, kind: ActionKind, at: Timestamp) -> Action {
    let (status, component_status) = match kind {
        ActionKind::Open => (IncidentStatus::Investigating, ComponentStatus::PartialOutage),
        ActionKind::Update => (IncidentStatus::Identified, ComponentStatus::MajorOutage),
        ActionKind::Resolve => (IncidentStatus::Resolved, ComponentStatus::Operational),
    };
    Action {
        incident: IncidentKey::new("k1"),
        sequence,
        follows: None,
        kind,
        platform: PlatformId::new("blip"),
        at,
        started_at: at,
        status,
        impact: Impact::Minor,
        components: BTreeMap::from([(component(), component_status)]),
        title: "Desk is failing".to_owned(),
        body: format!("text {sequence}"),
        by_person: false,
        account: None,
    }
}

fn publisher(name: &str, address: SocketAddr) -> Publisher {
    let pace = Arc::new(Pace::new(Clock::start(), Span::from_millis(1)));
    Publisher::new(target(name, address), PATIENCE, pace).unwrap()
}

/// Publishes an incident in three steps to the model of `name`, each write of which fails so at
/// the first try.
async fn three_steps(name: &'static str, caps: Caps, fault: Option<Fault>) {
    let model = Model::default();
    let mut seen = BTreeSet::new();
    let address = proxy(serve(model.router()).await, move |request| {
        let (_, body) = request.split_once("\r\n\r\n")?;
        (!body.is_empty() && seen.insert(body.to_owned())).then_some(fault?)
    })
    .await;
    let (publisher, clock) = (publisher(name, address), Clock::start());
    let mut outbox = Outbox::new("install", State::default(), timing(caps));
    let mut notices = Vec::new();
    for (sequence, kind) in
        [(1, ActionKind::Open), (2, ActionKind::Update), (3, ActionKind::Resolve)]
    {
        outbox.push(action(sequence, kind, clock.now()));
        notices.extend(drain(&mut outbox, &publisher, clock).await);
    }
    let context = format!("{name} with {fault:?}: {notices:#?}");
    let incidents = model.incidents();
    assert_eq!(incidents.len(), 1, "{context}: {incidents:#?}");
    let incident = &incidents[0];
    assert_eq!(incident["texts"], expected_texts(name), "{context}: {incident:#?}");
    assert_eq!(incident["over"], true, "{context}: {incident:#?}");
    assert!(model.troubles().is_empty(), "{context}: {:#?}", model.troubles());
    assert_eq!(outbox.abandoned(), 0, "{context}");
}

/// What was said, without marks: PagerDuty is told nothing at the end.
fn expected_texts(name: &str) -> Value {
    match name {
        "pagerduty" => serde_json::json!(["Desk is failing: text 1", "Desk is failing: text 2"]),
        _ => serde_json::json!(["text 1", "text 2", "text 3"]),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_incident_in_each_api_whatever_happens_to_the_first_try_of_each_step() {
    let mut runs = tokio::task::JoinSet::new();
    for (name, caps) in Caps::ALL.into_iter().filter(|(name, _)| *name != "statuspage") {
        for fault in Fault::ALL.map(Some).into_iter().chain([None]) {
            runs.spawn(three_steps(name, caps, fault));
        }
    }
    runs.join_all().await;
}

/// A refusal is final for those that would refuse it again, and the next step is tried.
#[tokio::test]
async fn what_pagerduty_refuses_is_given_up_at_once() {
    let model = Model::default();
    model.refuse_once();
    let address = serve(model.router()).await;
    let (publisher, clock) = (publisher("pagerduty", address), Clock::start());
    let mut outbox = Outbox::new("install", State::default(), timing(Caps::PAGERDUTY));
    outbox.push(action(1, ActionKind::Open, clock.now()));
    let notices = drain(&mut outbox, &publisher, clock).await;
    assert!(
        matches!(&notices[..], [Notice::Rejected { status: 400, given_up: true, .. }]),
        "{notices:#?}"
    );
    assert_eq!(model.incidents(), Vec::<Value>::new());
    outbox.push(action(2, ActionKind::Update, clock.now()));
    drain(&mut outbox, &publisher, clock).await;
    assert_eq!(model.incidents().len(), 1);
}

/// What fires is said again and again, until it is over.
#[tokio::test]
async fn an_alert_is_repeated_while_it_fires() {
    let model = Model::default();
    let address = serve(model.router()).await;
    let (publisher, clock) = (publisher("alertmanager", address), Clock::start());
    let repeat = Some(Span::from_millis(5));
    let mut outbox =
        Outbox::new("install", State::default(), Timing { repeat, ..timing(Caps::ALERTMANAGER) });
    outbox.push(action(1, ActionKind::Open, clock.now()));
    while model.calls() < 4 {
        match outbox.next(clock.now()) {
            Some(attempt) => {
                let outcome = publisher.deliver(&attempt.request).await;
                let _ = outbox.outcome(attempt.id, outcome, clock.now());
            }
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    }
    assert_eq!(model.incidents()[0]["over"], false);
    outbox.push(action(2, ActionKind::Resolve, clock.now()));
    drain(&mut outbox, &publisher, clock).await;
    assert_eq!(model.incidents()[0]["over"], true);
    assert!(outbox.next_wakeup().is_none(), "nothing is repeated that is over");
}

/// Whoever sends the key back in an error does not get it into our log.
#[tokio::test]
async fn a_key_that_is_sent_back_is_hidden() {
    let model = Model::default();
    let address = serve(model.router()).await;
    let publisher = publisher("pagerduty", address);
    assert!(!format!("{publisher:?}").contains("hush"));
    model.refuse_once();
    let clock = Clock::start();
    let mut outbox = Outbox::new("install", State::default(), timing(Caps::PAGERDUTY));
    outbox.push(action(1, ActionKind::Open, clock.now()));
    let notices = drain(&mut outbox, &publisher, clock).await;
    let said = format!("{notices:?}");
    assert!(said.contains("bad key") && !said.contains("hush"), "{said}");
}
