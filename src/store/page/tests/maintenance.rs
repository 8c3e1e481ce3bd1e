//! Announced work on a page.

use std::collections::BTreeSet;

use super::super::{
    Change, Listing, Of, PageError, PageStatus, PageStore, ScheduleChange, ScheduleProblem,
};
use super::{Fixture, at, change, code, fixture};
use crate::model::{ComponentStatus, IncidentStatus, MaintenanceStatus, Timestamp};

/// Work on Desk and the API from 100 to 200, which begins and ends by itself.
fn work() -> Change {
    Change {
        name: Some("Moving house".to_owned()),
        component_ids: Some(["desk", "api"].map(code).into()),
        schedule: ScheduleChange {
            from: Some(at(100)),
            until: Some(at(200)),
            begins: Some(true),
            ends: Some(true),
            ..ScheduleChange::default()
        },
        ..Change::default()
    }
}

fn wanted(status: MaintenanceStatus) -> Change {
    Change { status: Some(status.into()), ..Change::default() }
}

impl Fixture {
    fn status(&self, name: &str) -> ComponentStatus {
        self.store.component(&self.page, &code(name)).unwrap().status
    }

    /// The only one in a list, by its id; nothing if it is empty.
    fn listed(&self, of: Of) -> Option<String> {
        let listing = Listing { of, ..Listing::default() };
        let mut listed = self.store.incidents(&self.page, &listing).unwrap();
        assert!(listed.len() <= 1, "{listed:?}");
        listed.pop().map(|incident| incident.id)
    }
}

#[test]
fn work_begins_and_ends_by_itself_at_its_own_times_however_late_somebody_looks() {
    let mut it = fixture();
    let id = it.store.create(&it.page, &work(), None, at(0)).unwrap().id;
    it.store.settle(at(99)).unwrap();
    assert_eq!(it.status("desk"), ComponentStatus::Operational);
    assert_eq!(it.listed(Of::Upcoming).as_ref(), Some(&id));
    assert!(it.listed(Of::Active).is_none() && it.listed(Of::Unresolved).is_none());
    it.store.settle(at(100)).unwrap();
    assert_eq!(it.status("desk"), ComponentStatus::UnderMaintenance);
    assert_eq!(it.status("crm"), ComponentStatus::Operational);
    assert_eq!(it.listed(Of::Active).as_ref(), Some(&id));
    it.store.settle(at(5000)).unwrap();
    assert_eq!(it.status("desk"), ComponentStatus::Operational);
    let over = it.store.incident(&it.page, &id).unwrap();
    let said: Vec<(PageStatus, Timestamp)> =
        over.updates.iter().map(|update| (update.status, update.created_at)).collect();
    assert_eq!(
        said,
        [
            (MaintenanceStatus::Completed.into(), at(200)),
            (MaintenanceStatus::InProgress.into(), at(100)),
            (MaintenanceStatus::Scheduled.into(), at(0)),
        ]
    );
    assert_eq!(over.resolved_at, Some(at(200)));
    assert_eq!(it.listed(Of::Maintenances), Some(id));
    it.store.settle(at(9000)).unwrap();
    assert_eq!(over.updates.len(), 3);
}

#[test]
fn a_person_may_begin_it_move_it_and_end_it() {
    let mut it = fixture();
    let mut by_hand = work();
    (by_hand.schedule.begins, by_hand.schedule.ends) = (None, None);
    let id = it.store.create(&it.page, &by_hand, None, at(0)).unwrap().id;
    it.store.settle(at(150)).unwrap();
    assert_eq!(it.status("desk"), ComponentStatus::Operational, "nobody began it");
    let begun = wanted(MaintenanceStatus::InProgress);
    it.store.update(&it.page, &id, &begun, None, at(150)).unwrap();
    assert_eq!(it.status("desk"), ComponentStatus::UnderMaintenance);
    let moved = Change {
        schedule: ScheduleChange { until: Some(at(300)), ..ScheduleChange::default() },
        component_ids: Some(["desk", "crm"].map(code).into()),
        ..Change::default()
    };
    let moved = it.store.update(&it.page, &id, &moved, None, at(160)).unwrap();
    assert_eq!(moved.schedule.unwrap().window.until, at(300));
    assert_eq!(it.status("api"), ComponentStatus::Operational, "it is left out");
    assert_eq!(it.status("crm"), ComponentStatus::UnderMaintenance, "it has come in");
    let over = wanted(MaintenanceStatus::Completed);
    it.store.update(&it.page, &id, &over, None, at(170)).unwrap();
    assert_eq!(it.status("desk"), ComponentStatus::Operational);
}

#[test]
fn trouble_that_is_told_is_not_hidden_and_other_work_goes_on() {
    let mut it = fixture();
    let bad = change(IncidentStatus::Investigating, &[("api", ComponentStatus::MajorOutage)]);
    it.store.create(&it.page, &bad, None, at(0)).unwrap();
    let first = it.store.create(&it.page, &work(), None, at(0)).unwrap().id;
    let mut longer = work();
    longer.schedule.until = Some(at(400));
    longer.component_ids = Some(BTreeSet::from([code("desk")]));
    let second = it.store.create(&it.page, &longer, None, at(0)).unwrap().id;
    it.store.settle(at(250)).unwrap();
    assert_eq!(it.listed(Of::Active).as_ref(), Some(&second));
    assert_eq!(it.status("api"), ComponentStatus::MajorOutage);
    assert_eq!(it.status("desk"), ComponentStatus::UnderMaintenance);
    it.store.delete(&it.page, &second, at(260)).unwrap();
    assert_eq!(it.status("desk"), ComponentStatus::Operational, "it was called off");
    assert_ne!(first, second);
}

#[test]
fn what_is_no_maintenance_is_refused_as_one() {
    let mut it = fixture();
    let mut problem = |change: &Change, id: Option<&str>| {
        let done = match id {
            None => it.store.create(&it.page, change, None, at(0)),
            Some(id) => it.store.update(&it.page, id, change, None, at(0)),
        };
        match done.map(|incident| incident.id) {
            Err(PageError::Schedule(problem)) => Err(problem),
            other => Ok(other.unwrap()),
        }
    };
    let mut reversed = work();
    reversed.schedule.until = Some(at(100));
    assert_eq!(problem(&reversed, None), Err(ScheduleProblem::EndsBeforeStart));
    let endless = wanted(MaintenanceStatus::Scheduled);
    assert_eq!(problem(&endless, None), Err(ScheduleProblem::NoTimes));
    let timed = Change { status: Some(IncidentStatus::Investigating.into()), ..work() };
    assert_eq!(problem(&timed, None), Err(ScheduleProblem::NotScheduled));
    let id = problem(&work(), None).unwrap();
    let turned = Change { status: Some(IncidentStatus::Resolved.into()), ..Change::default() };
    assert_eq!(problem(&turned, Some(&id)), Err(ScheduleProblem::OtherKind(true)));
    let incident = problem(&change(IncidentStatus::Investigating, &[]), None).unwrap();
    assert_eq!(problem(&endless, Some(&incident)), Err(ScheduleProblem::OtherKind(false)));
}

#[test]
fn a_page_of_before_there_was_work_on_pages_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("status.db");
    let first = &super::super::MIGRATIONS[..1];
    let db = crate::store::sqlite::open(&path, first).unwrap();
    db.execute_batch(
        "INSERT INTO page VALUES ('p', 'blip', 'Blip', 'UTC', 1, 0, 0, 0);
         INSERT INTO incident (id, page_id, name, status, worst_impact, created_at, updated_at)
         VALUES ('i', 'p', 'Old', 'resolved', 'minor', 0, 0)",
    )
    .unwrap();
    drop(db);
    let store = PageStore::open(&path).unwrap();
    let old = store.incident("p", "i").unwrap();
    assert_eq!((old.name.as_str(), old.schedule), ("Old", None));
}
