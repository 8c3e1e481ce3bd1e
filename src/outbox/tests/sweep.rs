//! Looking over the page: orphans, duplicates, what a person did meanwhile, and what grows old.

use std::collections::BTreeMap;

use super::{
    Foreign, Notice, Outbox, Outcome, Payload, Remote, Request, State, Timing, action, answer, at,
    done, payload, remote,
};
use crate::model::{ActionKind, Span, Timestamp};
use crate::outbox::Standing;

const EVERY: Span = Span::from_secs(600);

fn outbox() -> Outbox {
    let timing = Timing { sweep_every: Some(EVERY), ..Timing::default() };
    let mut outbox = Outbox::new("install", State::default(), timing);
    outbox.resume(at(0));
    outbox
}

/// How what was written stands on the page.
fn standing(payload: &Payload) -> Standing {
    let components = payload.components.iter();
    Standing {
        name: payload.title.clone(),
        status: payload.status.to_string(),
        impact: Some(payload.impact.to_string()),
        components: components.clone().map(|(id, is)| (id.to_string(), is.to_string())).collect(),
        ids: components.map(|(id, _)| (id.clone(), id.to_string())).collect(),
        updates: BTreeMap::from([("u1".to_owned(), Standing::digest(&payload.body))]),
        held: false,
    }
}

fn listed(id: &str, key: &str, standing: Standing) -> Remote {
    Remote { standing: Some(standing), ..remote(id, key, 1, 0) }
}

fn swept(outbox: &mut Outbox, now: &mut Timestamp, found: Vec<Remote>) -> Vec<Notice> {
    let (request, notices) = answer(outbox, now, Outcome::Found(found));
    assert!(matches!(request, Request::Find { .. }), "{request:?}");
    notices
}

#[test]
fn the_page_is_looked_over_at_the_start_and_every_so_often() {
    let mut outbox = outbox();
    let mut now = at(0);
    assert_eq!(swept(&mut outbox, &mut now, Vec::new()), []);
    assert_eq!(now, at(0));
    assert_eq!(swept(&mut outbox, &mut now, Vec::new()), []);
    assert_eq!(now, at(600));
    // An API that refuses to list does not stop what is to be written.
    let (_, notices) = answer(&mut outbox, &mut now, super::rejected(400));
    assert_eq!(notices, []);
    outbox.push(action("a", 1, ActionKind::Open, 1_200));
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Create(_)) && now < at(1_210), "{now}");
}

#[test]
fn what_a_person_did_is_found_though_there_is_nothing_to_write() {
    let mut outbox = outbox();
    let mut now = at(0);
    swept(&mut outbox, &mut now, Vec::new());
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let attempt = super::attempt(&mut outbox, &mut now);
    let stands = standing(&payload(&attempt.request));
    let done = Outcome::Done { remote: super::RemoteId::new("r1"), standing: Some(stands.clone()) };
    let _published = outbox.outcome(attempt.id, done, now);
    assert_eq!(swept(&mut outbox, &mut now, vec![listed("r1", "a", stands.clone())]), []);
    let renamed = Standing { name: "We know".to_owned(), ..stands };
    let notices = swept(&mut outbox, &mut now, vec![listed("r1", "a", renamed)]);
    assert!(
        matches!(&notices[..], [Notice::Detached { why: Foreign::Renamed, .. }]),
        "{notices:?}"
    );
}

#[test]
fn a_component_that_leaves_the_configuration_is_no_persons_doing() {
    let mut outbox = outbox();
    let mut now = at(0);
    swept(&mut outbox, &mut now, Vec::new());
    let mut open = action("a", 1, ActionKind::Open, 0);
    open.components.insert(super::component("crm"), crate::model::ComponentStatus::MajorOutage);
    outbox.push(open);
    let attempt = super::attempt(&mut outbox, &mut now);
    let mut stands = standing(&payload(&attempt.request));
    let is = Outcome::Done { remote: super::RemoteId::new("r1"), standing: Some(stands.clone()) };
    let _published = outbox.outcome(attempt.id, is, now);
    // The dialect has no name for it any more, and does not write it any more.
    stands.ids.remove(&super::component("crm"));
    assert_eq!(swept(&mut outbox, &mut now, vec![listed("r1", "a", stands.clone())]), []);
    outbox.push(action("a", 2, ActionKind::Resolve, 700));
    now = now.max(at(700));
    let attempt = super::attempt(&mut outbox, &mut now);
    stands.components.remove("blip/crm");
    stands.status = "resolved".to_owned();
    stands.components.insert("blip/desk".to_owned(), "operational".to_owned());
    stands.updates.insert("u2".to_owned(), Standing::digest("a#2"));
    let is = Outcome::Done { remote: super::RemoteId::new("r1"), standing: Some(stands) };
    let notices = outbox.outcome(attempt.id, is, now);
    assert!(matches!(&notices[..], [Notice::Published { .. }]), "{notices:?}");
}

#[test]
fn what_nobody_here_knows_is_adopted_where_it_still_fails_and_told_of_where_it_does_not() {
    let mut outbox = outbox();
    let mut now = at(0);
    outbox.push(action("new", 1, ActionKind::Open, 0));
    let attempt = super::attempt(&mut outbox, &mut now);
    let mut stands = standing(&payload(&attempt.request));
    let _unsent = outbox.outcome(attempt.id, Outcome::NotSent { detail: String::new() }, now);
    // The API is away for a while; when it is back the page is looked over.
    stands.updates = BTreeMap::from([("u9".to_owned(), Standing::digest("long ago"))]);
    let elsewhere = Standing { ids: BTreeMap::new(), ..stands.clone() };
    let found = vec![listed("old", "lost", stands), listed("other", "lost2", elsewhere)];
    let sweep = outbox.begin_sweep(now).expect("it is due");
    let notices = outbox.outcome(sweep.id, Outcome::Found(found.clone()), now);
    assert!(
        matches!(&notices[..], [Notice::Adopted { .. }, Notice::Orphaned { .. }]),
        "{notices:?}"
    );
    assert_eq!(outbox.orphaned(), 1);
    let (request, _) = answer(&mut outbox, &mut now, done("old"));
    let Request::Update { remote, expect, payload } = request else { panic!("{request:?}") };
    assert_eq!((remote.as_str(), payload.key.as_str()), ("old", "new"));
    assert!(expect.is_some_and(|expect| expect.updates.contains_key("u9")));
    let again = swept(&mut outbox, &mut now, found[1..].to_vec());
    assert_eq!(again, [], "told once");
}

#[test]
fn an_incident_that_is_open_for_a_day_is_told_of_once() {
    let mut outbox = outbox();
    let mut now = at(0);
    swept(&mut outbox, &mut now, Vec::new());
    outbox.push(action("a", 1, ActionKind::Open, 0));
    answer(&mut outbox, &mut now, done("r1"));
    assert_eq!(outbox.tick(at(86_399)), []);
    let told = outbox.tick(at(86_400));
    assert!(matches!(&told[..], [Notice::Old { .. }]), "{told:?}");
    assert_eq!(outbox.tick(at(90_000)), []);
}

#[test]
fn what_is_announced_is_read_every_so_often_and_only_while_nothing_is_to_be_told() {
    let every = Some(Span::from_secs(60));
    let timing = Timing { read_announcements_every: every, ..Timing::default() };
    let mut outbox = Outbox::new("install", State::default(), timing);
    outbox.resume(at(0));
    outbox.push(action("a", 1, ActionKind::Open, 0));
    let mut now = at(0);
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Create(_)));
    let read = |outbox: &mut Outbox, now: &mut Timestamp, outcome| {
        let (request, notices) = answer(outbox, now, outcome);
        assert_eq!((request, notices), (Request::Announcements, Vec::new()));
    };
    read(&mut outbox, &mut now, Outcome::Announced(BTreeMap::new()));
    let first = now;
    // What cannot be read is read again later, and delays nothing.
    let detail = "status 500".to_owned();
    read(&mut outbox, &mut now, Outcome::Uncertain { detail });
    assert_eq!(now, first + Span::from_secs(60));
    outbox.push(action("a", 2, ActionKind::Update, 60));
    let failed = now;
    let (request, _) = answer(&mut outbox, &mut now, done("r1"));
    assert!(matches!(request, Request::Update { .. }) && now <= failed + Span::from_secs(2));
    read(&mut outbox, &mut now, super::rejected(404));
    assert_eq!(now, failed + Span::from_secs(60));
}

#[test]
fn a_maintenance_is_in_the_way_until_the_end_that_was_announced() {
    let sighting = |until| crate::outbox::Sighting {
        id: crate::outbox::RemoteId::new("m"),
        key: None,
        components: action("a", 1, ActionKind::Open, 0).components.into_keys().collect(),
        maintenance: true,
        until,
    };
    for (until, waits) in [(Some(at(10_000)), true), (None, true), (Some(at(0)), false)] {
        let mut outbox = Outbox::new("install", State::default(), Timing::default());
        outbox.push(action("a", 1, ActionKind::Open, 0));
        let attempt = outbox.next(at(1)).unwrap();
        assert_eq!(attempt.request, Request::Survey);
        let found = Outcome::Surveyed(vec![sighting(until)]);
        let _notices = outbox.outcome(attempt.id, found, at(1));
        let next = outbox.next(at(30)).map(|attempt| attempt.request);
        assert_eq!(next.is_none(), waits, "{until:?}: {next:?}");
    }
}
