//! Tests of the status pages' database.

mod maintenance;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Change, ComponentInfo, Incident, Listing, Of, PageError, PageInfo, PageStore,
    component_page_id, page_id,
};
use crate::model::{ComponentId, ComponentStatus, Impact, IncidentStatus, PlatformId, Timestamp};

struct Fixture {
    store: PageStore,
    page: String,
    // Holds the file for as long as the store is open.
    _dir: tempfile::TempDir,
}

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_631_700_000 + secs)
}

fn blip(components: &[(&str, Option<&str>)]) -> PageInfo {
    let platform = PlatformId::new("blip");
    let info = |&(name, group): &(&str, Option<&str>)| ComponentInfo {
        id: ComponentId::of(&platform, name),
        name: name.to_uppercase(),
        group: group.map(str::to_owned),
        description: None,
    };
    PageInfo {
        name: "Blip".to_owned(),
        time_zone: chrono_tz::America::Sao_Paulo,
        components: components.iter().map(info).collect(),
        platform,
    }
}

fn code(name: &str) -> String {
    component_page_id(&ComponentId::of(&PlatformId::new("blip"), name))
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let mut store = PageStore::open(&dir.path().join("status.db")).unwrap();
    let components = [("desk", Some("Apps")), ("api", None), ("crm", Some("Apps"))];
    store.sync(&[blip(&components)], at(0)).unwrap();
    Fixture { store, page: page_id(&PlatformId::new("blip")), _dir: dir }
}

fn change(status: IncidentStatus, components: &[(&str, ComponentStatus)]) -> Change {
    Change {
        name: Some("Trouble".to_owned()),
        status: Some(status.into()),
        body: Some("We are looking into it.".to_owned()),
        components: components.iter().map(|(name, status)| (code(name), *status)).collect(),
        ..Change::default()
    }
}

fn keyed(mut change: Change, key: &str) -> Change {
    change.metadata.insert("farol".to_owned(), serde_json::json!({ "k": key }));
    change
}

impl Fixture {
    fn open(&mut self, components: &[(&str, ComponentStatus)]) -> Incident {
        let change = change(IncidentStatus::Investigating, components);
        self.store.create(&self.page, &change, None, at(1)).unwrap()
    }

    fn status_of(&self, name: &str) -> ComponentStatus {
        self.store.component(&self.page, &code(name)).unwrap().status
    }
}

#[test]
fn components_stand_in_the_order_of_the_file_with_their_groups() {
    let fixture = fixture();
    let rows: Vec<_> = fixture.store.components(&fixture.page).unwrap();
    let names: Vec<_> =
        rows.iter().map(|c| (c.name.as_str(), c.position, c.group_id.is_some())).collect();
    assert_eq!(names, [("DESK", 1, true), ("CRM", 2, true), ("API", 2, false)]);
    let groups = fixture.store.groups(&fixture.page).unwrap();
    assert_eq!(
        groups.iter().map(|g| (g.name.as_str(), g.position)).collect::<Vec<_>>(),
        [("Apps", 1)]
    );
}

#[test]
fn what_left_the_file_is_hidden_and_comes_back_well() {
    let mut fixture = fixture();
    fixture.open(&[("desk", ComponentStatus::MajorOutage), ("api", ComponentStatus::MajorOutage)]);
    fixture.store.sync(&[blip(&[("api", None)])], at(2)).unwrap();
    let left: Vec<_> = fixture.store.components(&fixture.page).unwrap();
    assert_eq!(left.iter().map(|c| c.name.as_str()).collect::<Vec<_>>(), ["API"]);
    assert_eq!(left[0].status, ComponentStatus::MajorOutage, "a restart keeps the status");
    assert!(fixture.store.groups(&fixture.page).unwrap().is_empty());
    let listed = fixture.store.incidents(&fixture.page, &Listing::default()).unwrap();
    assert_eq!(listed[0].components.len(), 2, "an old incident still names it");

    fixture.store.sync(&[blip(&[("desk", None)])], at(3)).unwrap();
    assert_eq!(fixture.status_of("desk"), ComponentStatus::Operational);

    fixture.store.sync(&[], at(4)).unwrap();
    assert!(fixture.store.pages().unwrap().is_empty());
    assert!(matches!(fixture.store.page(&fixture.page), Err(PageError::NoPage)));
}

#[test]
fn an_incident_can_set_right_a_component_that_left_but_none_else_can() {
    let mut fixture = fixture();
    let incident = fixture.open(&[("desk", ComponentStatus::MajorOutage)]);
    fixture.store.sync(&[blip(&[("api", None)])], at(2)).unwrap();
    let well = change(IncidentStatus::Resolved, &[("desk", ComponentStatus::Operational)]);
    let resolved = fixture.store.update(&fixture.page, &incident.id, &well, None, at(3)).unwrap();
    assert_eq!(resolved.components[0].status, ComponentStatus::Operational);
    let other = change(IncidentStatus::Investigating, &[("desk", ComponentStatus::MajorOutage)]);
    let refused = fixture.store.create(&fixture.page, &other, None, at(4));
    assert!(matches!(refused, Err(PageError::NoComponent(id)) if id == code("desk")));
    let listed = fixture.store.incidents(&fixture.page, &Listing::default()).unwrap();
    assert_eq!(listed.len(), 1, "a refused incident leaves nothing behind");
}

#[test]
fn one_key_makes_one_incident_and_so_does_one_request() {
    let mut fixture = fixture();
    let page = fixture.page.clone();
    let wanted = keyed(change(IncidentStatus::Investigating, &[]), "abc");
    let first = fixture.store.create(&page, &wanted, None, at(1)).unwrap();
    let second = fixture.store.create(&page, &wanted, None, at(2)).unwrap();
    assert_eq!(first, second);
    let plain = change(IncidentStatus::Investigating, &[]);
    let third = fixture.store.create(&page, &plain, Some("r1"), at(3)).unwrap();
    let fourth = fixture.store.create(&page, &plain, Some("r1"), at(4)).unwrap();
    assert_eq!(third, fourth);
    let changed = fixture.store.update(&page, &third.id, &plain, Some("r2"), at(5)).unwrap();
    let again = fixture.store.update(&page, &third.id, &plain, Some("r2"), at(6)).unwrap();
    assert_eq!(changed.updates.len(), 2);
    assert_eq!(changed, again);
    let other = fixture.store.update(&page, &first.id, &plain, Some("r2"), at(7));
    assert!(matches!(other, Err(PageError::RequestKeyTaken)), "{other:?}");
    let stolen = fixture.store.update(&page, &third.id, &wanted, None, at(7));
    assert!(matches!(stolen, Err(PageError::KeyTaken)), "{stolen:?}");
    assert_eq!(fixture.store.incidents(&page, &Listing::default()).unwrap().len(), 2);
}

#[test]
fn one_change_makes_one_update_that_says_what_became_of_the_components() {
    let mut fixture = fixture();
    let page = fixture.page.clone();
    let opened = fixture.open(&[("desk", ComponentStatus::PartialOutage)]);
    assert_eq!(opened.impact(), Impact::Major);
    let well = change(IncidentStatus::Resolved, &[("desk", ComponentStatus::Operational)]);
    let resolved = fixture.store.update(&page, &opened.id, &well, None, at(5)).unwrap();
    assert_eq!(resolved.updates.len(), 2);
    let affected = &resolved.updates[0].affected[0];
    assert_eq!(affected.old_status, ComponentStatus::PartialOutage);
    assert_eq!(affected.new_status, ComponentStatus::Operational);
    assert_eq!(resolved.impact(), Impact::Major, "it did hurt");
    assert_eq!(resolved.resolved_at, Some(at(5)));
    assert_eq!(fixture.status_of("desk"), ComponentStatus::Operational);

    let silent = Change { component_ids: Some(BTreeSet::new()), ..Change::default() };
    let detached = fixture.store.update(&page, &opened.id, &silent, None, at(6)).unwrap();
    assert_eq!((detached.updates.len(), detached.components.len()), (2, 0));
}

#[test]
fn what_a_change_does_not_name_stays() {
    let mut fixture = fixture();
    let page = fixture.page.clone();
    let mut wanted = keyed(change(IncidentStatus::Monitoring, &[]), "abc");
    wanted.impact_override = Some(Some(Impact::Critical));
    let opened = fixture.store.create(&page, &wanted, None, at(1)).unwrap();
    let theirs = serde_json::json!({ "x": 1 });
    let only = Change {
        metadata: serde_json::Map::from_iter([("other".to_owned(), theirs.clone())]),
        components: BTreeMap::new(),
        ..Change::default()
    };
    let changed = fixture.store.update(&page, &opened.id, &only, None, at(2)).unwrap();
    assert_eq!(changed.name, "Trouble");
    assert_eq!(changed.metadata["farol"]["k"], "abc");
    assert_eq!(changed.metadata["other"], theirs);
    assert_eq!(changed.impact(), Impact::Critical);
    assert_eq!(changed.monitoring_at, Some(at(1)));
    let back = Change {
        status: Some(IncidentStatus::Investigating.into()),
        impact_override: Some(None),
        ..Change::default()
    };
    let again = fixture.store.update(&page, &opened.id, &back, None, at(3)).unwrap();
    assert_eq!((again.monitoring_at, again.impact()), (None, Impact::None));
    assert_eq!(again.updates.len(), 2, "a new status is said even without a text");
}

#[test]
fn lists_are_filtered_and_cut() {
    let mut fixture = fixture();
    let page = fixture.page.clone();
    let first = fixture.open(&[]);
    let second = fixture.open(&[]);
    let over = change(IncidentStatus::Resolved, &[]);
    fixture.store.update(&page, &first.id, &over, None, at(9)).unwrap();
    let list = |listing: Listing| -> Vec<String> {
        let found = fixture.store.incidents(&page, &listing).unwrap();
        found.into_iter().map(|incident| incident.id).collect()
    };
    assert_eq!(list(Listing::default()), [second.id.clone(), first.id.clone()]);
    assert_eq!(list(Listing { limit: 1, offset: 1, ..Listing::default() })[..], [&*first.id]);
    assert_eq!(list(Listing { of: Of::Unresolved, ..Listing::default() }), [second.id]);
    let query = |text: &str| Listing { query: Some(text.to_owned()), ..Listing::default() };
    assert_eq!(list(query("RESOLVED")), [first.id]);
    assert_eq!(list(query("looking INTO")).len(), 2);
    assert!(list(query("%")).is_empty(), "no wildcards");
    assert!(list(Listing { since: at(2), ..Listing::default() }).is_empty());
}

#[test]
fn deleting_an_incident_leaves_nothing_of_it() {
    let mut fixture = fixture();
    let page = fixture.page.clone();
    let wanted = keyed(change(IncidentStatus::Investigating, &[]), "abc");
    let first = fixture.store.create(&page, &wanted, Some("r1"), at(1)).unwrap();
    fixture.store.delete(&page, &first.id, at(2)).unwrap();
    let gone = fixture.store.incident(&page, &first.id);
    assert!(matches!(gone, Err(PageError::NoIncident)));
    let second = fixture.store.create(&page, &wanted, Some("r1"), at(3)).unwrap();
    assert_ne!(first.id, second.id);
}

#[test]
fn everything_outlives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.db");
    let page = page_id(&PlatformId::new("blip"));
    let mut store = PageStore::open(&path).unwrap();
    store.sync(&[blip(&[("desk", None)])], at(0)).unwrap();
    let trouble =
        change(IncidentStatus::Investigating, &[("desk", ComponentStatus::DegradedPerformance)]);
    let before = store.create(&page, &trouble, None, at(1)).unwrap();
    drop(store);
    let mut store = PageStore::open(&path).unwrap();
    store.sync(&[blip(&[("desk", None)])], at(2)).unwrap();
    assert_eq!(store.incident(&page, &before.id).unwrap(), before);
}
