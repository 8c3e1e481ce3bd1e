//! The state directory: what is acknowledged is there again, whatever happens in between.

use std::num::NonZeroU32;

use super::*;
use crate::model::{
    Announcements, CheckId, ClockOffset, ClockReference, ClockSource, Finding, IncidentKey,
    MaintenanceId, Observation, Order, PageMaintenance, Phase, Policy, Reason, Span, Subject,
    Threshold, Vantage, Variant, Verdict, Window, Wish,
};

const KEEP_ALL: Options =
    Options { retain_for: Duration::from_secs(1_000_000), retain_bytes: u64::MAX };

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(1_631_664_000 + secs)
}

/// The observation made at second `secs`.
fn observed(secs: i64) -> (Timestamp, Input) {
    let address = "192.0.2.7".parse().unwrap();
    let offset = ClockOffset {
        at_least: 31_536_000_000_000,
        at_most: 31_536_001_200_000,
        source: ClockSource::Date,
    };
    let reason = Reason::ClockSkew { offset, against: ClockReference::Host };
    let mut finding = Finding::because(Subject::Address(address), Verdict::Fail, reason);
    finding.phases.add(Phase::Connect, Span::from_millis(2));
    finding.clock = Some(offset);
    let observation = Observation {
        check: CheckId::new("blip/desk/health"),
        vantage: Vantage::new("local"),
        started_at: at(secs),
        took: Span::from_millis(12),
        findings: vec![finding, Finding::pass(Subject::Whole)],
    };
    (at(secs), Input::Observed(observation))
}

fn snapshot(covers: u64) -> Snapshot {
    Snapshot { engine: Some((covers, format!("engine at {covers}"))), ..Snapshot::default() }
}

fn inputs(restored: &Restored) -> Vec<(Timestamp, Input)> {
    restored.tail.iter().map(|(_, at, input)| (*at, input.clone())).collect()
}

#[tokio::test]
async fn what_was_acknowledged_is_there_again() {
    let dir = tempfile::tempdir().unwrap();
    let (store, first) = Store::open(dir.path(), KEEP_ALL).unwrap();
    assert_eq!((first.engine, first.outboxes.len(), first.tail.len()), (None, 0, 0));
    assert_eq!(first.install.len(), 16);
    let policy = (at(0), Input::PolicyChanged(Box::<Policy>::default()));
    assert_eq!(store.append(vec![policy, observed(1)]).await.unwrap(), 2);
    assert_eq!(store.append(Vec::new()).await.unwrap(), 0);
    store.save(snapshot(2)).await.unwrap();
    let blip = LaneId::new("blip");
    let outboxes = BTreeMap::from([(blip.clone(), "lane".to_owned())]);
    store.save(Snapshot { engine: None, outboxes }).await.unwrap();
    assert_eq!(store.append(vec![observed(2), observed(3)]).await.unwrap(), 4);
    drop(store);

    let (_store, restored) = Store::open(dir.path(), KEEP_ALL).unwrap();
    assert_eq!(restored.engine, Some((2, "engine at 2".to_owned())));
    assert_eq!(restored.outboxes, BTreeMap::from([(blip, "lane".to_owned())]));
    assert_eq!(inputs(&restored), [observed(2), observed(3)]);
    assert_eq!(restored.tail[0].0, 3);
    assert_eq!(restored.install, first.install);
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_process_that_never_closes_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), KEEP_ALL).unwrap();
    store.append(vec![observed(1)]).await.unwrap();
    store.save(snapshot(0)).await.unwrap();
    // The files as a killed process leaves them: with a log that was never merged.
    let left = tempfile::tempdir().unwrap();
    for file in ["farol.db", "farol.db-wal"] {
        std::fs::copy(dir.path().join(file), left.path().join(file)).unwrap();
    }
    let (_second, restored) = Store::open(left.path(), KEEP_ALL).unwrap();
    assert_eq!(inputs(&restored), [observed(1)]);
    assert_eq!(restored.engine, Some((0, "engine at 0".to_owned())));
    drop(store);
}

#[tokio::test]
async fn a_full_disk_is_told_and_costs_nothing_but_what_did_not_fit() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), KEEP_ALL).unwrap();
    let limit = |pages: u32| {
        store.writer.run(move |db| Ok(db.pragma_update(None, "max_page_count", pages)?))
    };
    let pages: u32 = 20;
    limit(pages).await.unwrap();
    let mut written = 0;
    let error = loop {
        match store.append(vec![observed(i64::try_from(written).unwrap())]).await {
            Ok(seq) => written = seq,
            Err(error) => break error,
        }
        assert!(written < 10_000, "the disk never fills up");
    };
    assert!(error.to_string().contains("full"), "{error}");
    // All of a group or nothing of it, though some of it would fit.
    limit(pages + 2).await.unwrap();
    store.append(vec![observed(-1); 500]).await.unwrap_err();
    limit(100_000).await.unwrap();
    assert_eq!(store.append(vec![observed(-2)]).await.unwrap(), written + 1);
    drop(store);
    let (_store, restored) = Store::open(dir.path(), KEEP_ALL).unwrap();
    assert_eq!(restored.tail.len() as u64, written + 1);
    assert_eq!(restored.tail.last().unwrap().1, at(-2));
}

#[tokio::test]
async fn a_second_process_on_the_same_directory_is_told_so() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), KEEP_ALL).unwrap();
    let error = Store::open(dir.path(), KEEP_ALL).unwrap_err();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    drop(store);
    Store::open(dir.path(), KEEP_ALL).unwrap();
}

#[test]
fn a_directory_that_cannot_be_used_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Store::open(&file.join("state"), KEEP_ALL).unwrap_err();
    assert!(matches!(error, StoreError::Directory { .. }), "{error}");
    assert!(error.to_string().contains("file/state"), "{error}");
}

#[cfg(unix)]
#[test]
fn the_directory_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("a/b");
    Store::open(&state, KEEP_ALL).unwrap();
    assert_eq!(std::fs::metadata(&state).unwrap().permissions().mode() & 0o777, 0o700);
}

/// Prunes to the end.
async fn prune(store: &Store, now: Timestamp) {
    while store.prune(now).await.unwrap() {}
}

fn rows(dir: &Path) -> usize {
    Journal::read(dir, 0).unwrap().count()
}

#[tokio::test]
async fn what_is_old_and_covered_is_forgotten() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { retain_for: Duration::from_secs(100), ..KEEP_ALL };
    let (store, _) = Store::open(dir.path(), options).unwrap();
    let entries: Vec<_> = (0..6_000).map(observed).collect();
    store.append(entries).await.unwrap();
    prune(&store, at(6_000)).await;
    assert_eq!(rows(dir.path()), 6_000, "nothing is covered yet");
    store.save(snapshot(5_000)).await.unwrap();
    let before = store.size().await.unwrap();
    assert!(store.prune(at(4_100)).await.unwrap(), "one slice is not all of it");
    prune(&store, at(4_100)).await;
    assert_eq!(rows(dir.path()), 2_000);
    assert!(store.size().await.unwrap() < before / 2);
    // All of it is too old now, but the last thousand rows are not covered.
    prune(&store, at(9_000)).await;
    assert_eq!(rows(dir.path()), 1_000);
    let first = Journal::read(dir.path(), 0).unwrap().next().unwrap().unwrap();
    assert_eq!(first.0, 5_001);
    drop(store);
    let (_store, restored) = Store::open(dir.path(), options).unwrap();
    assert_eq!(restored.tail.len(), 1_000);
}

#[tokio::test]
async fn what_is_too_much_is_forgotten_oldest_first_and_the_file_shrinks() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { retain_bytes: 400_000, ..KEEP_ALL };
    let (store, _) = Store::open(dir.path(), options).unwrap();
    store.append((0..6_000).map(observed).collect::<Vec<_>>()).await.unwrap();
    store.save(snapshot(6_000)).await.unwrap();
    assert!(store.size().await.unwrap() > 1_000_000);
    prune(&store, at(6_000)).await;
    assert!(store.size().await.unwrap() <= 400_000);
    // The number goes on even if every row is gone.
    assert_eq!(store.append(vec![observed(1)]).await.unwrap(), 6_001);
    drop(store);
    assert!(std::fs::metadata(database(dir.path())).unwrap().len() <= 500_000);
}

#[tokio::test]
async fn a_journal_can_be_read_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), KEEP_ALL).unwrap();
    let entries: Vec<_> = (0..2_500).map(observed).collect();
    store.append(entries.clone()).await.unwrap();
    let read: Vec<_> = Journal::read(dir.path(), 0).unwrap().map(Result::unwrap).collect();
    assert_eq!(read.len(), 2_500);
    assert!(read.iter().map(|(_, at, input)| (*at, input.clone())).eq(entries));
    let seqs: Vec<u64> = Journal::read(dir.path(), 2_499).unwrap().map(|e| e.unwrap().0).collect();
    assert_eq!(seqs, [2_499, 2_500]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_an_error_and_not_a_gap() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(dir.path(), KEEP_ALL).unwrap();
    store.append(vec![observed(1)]).await.unwrap();
    store.writer.run(|db| Ok(db.execute("UPDATE journal SET body = '{'", [])?)).await.unwrap();
    let mut journal = Journal::read(dir.path(), 0).unwrap();
    assert!(matches!(journal.next(), Some(Err(StoreError::Damaged { .. }))));
    assert!(journal.next().is_none());
    drop(store);
    assert!(matches!(Store::open(dir.path(), KEEP_ALL), Err(StoreError::Damaged { .. })));
}

#[test]
fn a_journal_row_is_a_contract() {
    let (_, input) = observed(1);
    insta::assert_snapshot!(journal::encode(&input).unwrap());
    let two = NonZeroU32::new(2).unwrap();
    let mut policy = Policy::default();
    policy.checks.insert(
        CheckId::new("blip/desk/health"),
        crate::model::CheckPolicy {
            component: crate::model::ComponentId::new("blip/desk"),
            name: "Desk answers".to_owned(),
            fail_after: Threshold::in_a_row(two),
            degrade_after: None,
            recover_after: Threshold::in_a_row(two),
            slow_quantile: None,
            at_worst: crate::model::ComponentStatus::MajorOutage,
            major_when: crate::model::MajorWhen::All,
            makes: None,
            flapping: None,
            variants: std::collections::BTreeSet::new(),
            purpose: crate::model::Purpose::Use,
            steps_of_use: Default::default(),
        },
    );
    insta::assert_snapshot!(journal::encode(&Input::PolicyChanged(Box::new(policy))).unwrap());
    let lane = LaneId::new("blip");
    let announced = PageMaintenance {
        components: [crate::model::ComponentId::new("blip/desk")].into(),
        window: Window { from: at(1), until: at(2) },
    };
    let maintenances = [(MaintenanceId::on_page(&lane, "abc"), announced)].into();
    let announced = Input::Maintenance(Box::new(Announcements { lane, maintenances }));
    let row = journal::encode(&announced).unwrap();
    assert_eq!(serde_json::from_str::<Input>(&row).unwrap(), announced);
    insta::assert_snapshot!(row);
}

#[test]
fn a_row_says_which_variant_and_which_step_where_there_are_any() {
    let (_, input) = observed(1);
    let plain = journal::encode(&input).unwrap();
    assert!(!plain.contains("variant") && !plain.contains("step"), "{plain}");
    let Input::Observed(mut observation) = input else { panic!("an observation") };
    for finding in &mut observation.findings {
        finding.variant = Some(Variant::new("tenant=acme"));
        finding.step = Some("submit".into());
    }
    insta::assert_snapshot!(journal::encode(&Input::Observed(observation)).unwrap());
}

#[test]
fn a_row_of_what_the_operator_says_is_a_contract() {
    let order = |wish| Input::Operator(Order { incident: IncidentKey::new("7k3f"), wish });
    let note = |identified| Wish::Note { text: "We have found it.".to_owned(), identified };
    let rows: Vec<String> = [order(Wish::Resolve), order(note(false)), order(note(true))]
        .iter()
        .map(|input| journal::encode(input).unwrap())
        .collect();
    for (row, input) in rows.iter().zip([Wish::Resolve, note(false), note(true)]) {
        assert_eq!(serde_json::from_str::<Input>(row).unwrap(), order(input));
    }
    insta::assert_snapshot!(rows.join("\n"));
}
