//! A person at the status API beside farol, at random moments: what they touched stays as they left
//! it, and what is theirs is never written.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use farol::clock::Clock;
use farol::config::Secret;
use farol::model::{
    Action, ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus,
    PlatformId, Span, Timestamp,
};
use farol::outbox::{Outbox, State, Timing};
use farol::publish::{Pace, Patience, Publisher, StatuspageTarget};
use farol::serve::page_id;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::chance::{Chance, seed};
use super::site::{Served, TOKEN, component, platform, start_with};

const ROUNDS: usize = 48;
const STEPS: u32 = 10;

#[derive(Clone, Copy, Debug)]
enum Deed {
    Says,
    Edits,
    Renames,
    Resolves,
    SetsComponent,
    Holds,
    Deletes,
    Opens,
}

const DEEDS: [Deed; 8] = [
    Deed::Says,
    Deed::Edits,
    Deed::Renames,
    Deed::Resolves,
    Deed::SetsComponent,
    Deed::Holds,
    Deed::Deletes,
    Deed::Opens,
];

fn name(round: usize) -> String {
    format!("c{round}")
}

fn key(round: usize) -> IncidentKey {
    IncidentKey::new(format!("round{round}"))
}

fn step(round: usize, sequence: u32, at: Timestamp) -> Action {
    let over = sequence == STEPS;
    let (kind, status, is) = match sequence {
        1 => (ActionKind::Open, IncidentStatus::Investigating, ComponentStatus::PartialOutage),
        _ if over => (ActionKind::Resolve, IncidentStatus::Resolved, ComponentStatus::Operational),
        _ => (ActionKind::Update, IncidentStatus::Investigating, ComponentStatus::MajorOutage),
    };
    let component = ComponentId::of(&PlatformId::new("blip"), &name(round));
    Action {
        incident: key(round),
        sequence,
        kind,
        platform: PlatformId::new("blip"),
        at,
        started_at: at,
        status,
        impact: Impact::Major,
        components: BTreeMap::from([(component, is)]),
        title: format!("It fails, as of step {sequence}"),
        body: format!("Step {sequence}."),
        by_person: false,
        account: None,
        follows: None,
    }
}

/// Publishes one incident in steps, and tells whether a person has it in the end.
async fn lead(site: Arc<Served>, round: usize, at: watch::Sender<u32>) -> bool {
    let clock = Clock::start();
    let ours = ComponentId::of(&PlatformId::new("blip"), &name(round));
    let target = StatuspageTarget {
        url: format!("http://{}/v1", site.address).parse().unwrap(),
        page: page_id(&PlatformId::new("blip")),
        token: Secret::new(TOKEN),
        components: BTreeMap::from([(ours, component(&name(round)))]),
        install: "install".to_owned(),
        own: true,
    };
    let pace = Arc::new(Pace::new(clock, Span::ZERO));
    let publisher = Publisher::new(target, Patience::embedded(), pace).unwrap();
    let timing = Timing { spacing: Span::from_millis(1), ..Timing::embedded() };
    let mut outbox = Outbox::new("install", State::default(), timing);
    let mut detached = false;
    for sequence in 1..=STEPS {
        outbox.push(step(round, sequence, clock.now()));
        at.send_replace(sequence);
        for _ in 0..20 {
            let _said = outbox.tick(clock.now());
            if let Some(attempt) = outbox.next(clock.now()) {
                let outcome = publisher.deliver(&attempt.request).await;
                let _notices = outbox.outcome(attempt.id, outcome, clock.now());
            } else {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            detached |= outbox.detached() > 0;
        }
    }
    detached
}

async fn listed(site: &Served) -> Vec<Value> {
    let (status, list) = site.call(Method::GET, "/incidents", &Value::Null).await;
    assert_eq!(status, StatusCode::OK);
    list.as_array().unwrap().clone()
}

async fn incident(site: &Served, round: usize) -> Option<Value> {
    let own = |incident: &Value| incident["metadata"]["farol"]["k"] == key(round).as_str();
    listed(site).await.into_iter().find(own)
}

/// Does it, and gives the incident as it was left; nothing where there was none to do it to.
async fn meddle(site: &Served, round: usize, deed: Deed) -> Option<(String, Option<Value>)> {
    if let Deed::Opens = deed {
        let own = json!({ "incident": {
            "name": "A person's", "body": "We know.",
            "components": { component(&name(round)): "under_maintenance" },
        } });
        let (status, made) = site.call(Method::POST, "/incidents", &own).await;
        assert_eq!(status, StatusCode::CREATED);
        return Some((made["id"].as_str()?.to_owned(), Some(made)));
    }
    let found = incident(site, round).await?;
    let id = found["id"].as_str()?.to_owned();
    let path = format!("/incidents/{id}");
    let (method, path, body) = match deed {
        Deed::Says => (Method::PATCH, path, json!({ "incident": { "body": "A person's." } })),
        Deed::Edits => {
            let update = found["incident_updates"][0]["id"].as_str()?;
            let path = format!("{path}/incident_updates/{update}");
            (Method::PATCH, path, json!({ "incident_update": { "body": "A person's." } }))
        }
        Deed::Renames => (Method::PATCH, path, json!({ "incident": { "name": "A person's" } })),
        Deed::Resolves => (Method::PATCH, path, json!({ "incident": { "status": "resolved" } })),
        Deed::SetsComponent => {
            let path = format!("/components/{}", component(&name(round)));
            (Method::PATCH, path, json!({ "component": { "status": "under_maintenance" } }))
        }
        Deed::Holds => {
            let mut mark = found["metadata"].clone();
            mark["farol"]["hold"] = json!("true");
            (Method::PATCH, path, json!({ "incident": { "metadata": mark } }))
        }
        Deed::Deletes => (Method::DELETE, path, Value::Null),
        Deed::Opens => unreachable!(),
    };
    let (status, _) = site.call(method, &path, &body).await;
    assert_eq!(status, StatusCode::OK);
    Some((id, incident(site, round).await))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_touched_stays_as_they_left_it() {
    let names: Vec<String> = (0..ROUNDS).map(name).collect();
    let components: Vec<_> =
        names.iter().map(|name| (name.as_str(), name.as_str(), None)).collect();
    let site = Arc::new(start_with(&[platform("blip", &components)]).await);
    let seed = seed();
    println!("FAROL_KILL_SEED={seed}");
    let mut rounds = tokio::task::JoinSet::new();
    for round in 0..ROUNDS {
        let site = Arc::clone(&site);
        rounds.spawn(async move {
            let (at, mut steps) = watch::channel(0);
            let farol = tokio::spawn(lead(Arc::clone(&site), round, at));
            let deed = DEEDS[round % DEEDS.len()];
            let mut chance = Chance::new(seed, round as u64);
            let moment = u32::try_from(chance.below(u64::from(STEPS))).unwrap();
            let _ = steps.wait_for(|step| *step >= moment).await;
            tokio::time::sleep(chance.millis(50)).await;
            let left = meddle(&site, round, deed).await;
            let detached = farol.await.unwrap();
            let Some((id, left)) = left else { return detached };
            let is = listed(&site).await.into_iter().find(|is| is["id"] == id.as_str());
            match &left {
                // Its component may have been written for another incident before that was here.
                Some(_) if matches!(deed, Deed::Opens) => {
                    let of =
                        |value: &Option<Value>, part: &str| value.as_ref().unwrap()[part].clone();
                    for part in ["name", "status", "metadata", "incident_updates", "updated_at"] {
                        assert_eq!(of(&is, part), of(&left, part), "round {round}");
                    }
                }
                _ => assert_eq!(is, left, "round {round}: {deed:?}"),
            }
            detached
        });
    }
    let detached = rounds.join_all().await.into_iter().filter(|detached| *detached).count();
    println!("{ROUNDS} rounds, a person had the incident in {detached}");
    assert!(detached >= ROUNDS / 4, "the person was always too late: {detached}");
}
