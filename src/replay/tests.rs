//! One day, seen by several policies.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use chrono_tz::Tz;

use super::{Replay, Report, Rules, affairs, picture};
use crate::model::{
    CheckId, CheckPolicy, ComponentId, ComponentPolicy, ComponentStatus, Finding, Impact, Input,
    Language, MajorWhen, Observation, PlatformId, PlatformPolicy, Policy, Purpose, Reason, Span,
    Subject, Threshold, Timestamp, Vantage, Verdict,
};

const START: i64 = 1_731_562_800;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(START + secs)
}

fn component(name: &str) -> ComponentId {
    ComponentId::of(&PlatformId::new("blip"), name)
}

/// Two components, each with a check that fails after so many in a row.
fn policy(fail_after: u32) -> Policy {
    let platform = PlatformId::new("blip");
    let mut policy = Policy::default();
    policy.platforms.insert(
        platform.clone(),
        PlatformPolicy {
            name: "Blip".to_owned(),
            time_zone: Tz::UTC,
            language: Language::English,
            words: crate::model::Wording::default(),
            group_within: Span::from_secs(60),
            group_interval: Span::ZERO,
            dependency_wait: Span::ZERO,
            resolve_after: Span::from_secs(60),
            maintenance_grace: Span::ZERO,
            reopen_within: Span::ZERO,
            update_every: Span::from_secs(1_800),
            update_by_impact: BTreeMap::new(),
            max_unattended_updates: None,
        },
    );
    for name in ["portal", "desk"] {
        let named = ComponentPolicy {
            platform: platform.clone(),
            name: format!("<{name}>"),
            group: None,
            depends_on: BTreeSet::new(),
            major_when: None,
        };
        policy.components.insert(component(name), named);
        policy.checks.insert(
            CheckId::of(&component(name), "check"),
            CheckPolicy {
                component: component(name),
                name: name.to_owned(),
                fail_after: Threshold::in_a_row(NonZeroU32::new(fail_after).unwrap()),
                degrade_after: None,
                recover_after: Threshold::in_a_row(NonZeroU32::MIN),
                slow_quantile: None,
                at_worst: ComponentStatus::MajorOutage,
                major_when: MajorWhen::All,
                makes: None,
                flapping: None,
                variants: BTreeSet::new(),
                purpose: Purpose::Use,
                steps_of_use: Default::default(),
            },
        );
    }
    policy
}

fn observed(name: &str, secs: i64, passes: bool) -> (Timestamp, Input) {
    let finding = if passes {
        Finding::pass(Subject::Whole)
    } else {
        Finding::because(Subject::Whole, Verdict::Fail, Reason::ConnectRefused)
    };
    let observation = Observation {
        check: CheckId::of(&component(name), "check"),
        vantage: Vantage::new("here"),
        started_at: at(secs),
        took: Span::from_millis(20),
        findings: vec![finding],
    };
    (at(secs), Input::Observed(observation))
}

/// Portal fails three times from second 100 on, and Desk five times from second 1000 on; both are
/// asked every ten seconds for half an hour.
fn day() -> Vec<(Timestamp, Input)> {
    let runs = (0..180).flat_map(|tick| {
        let secs = tick * 10;
        let portal = !(100..130).contains(&secs);
        let desk = !(1_000..1_050).contains(&secs);
        [observed("portal", secs, portal), observed("desk", secs, desk)]
    });
    runs.collect()
}

fn replayed(name: &str, rules: Rules, inputs: &[(Timestamp, Input)]) -> Report {
    let mut replay = Replay::new(name, rules);
    inputs.iter().for_each(|(at, input)| replay.take(input, *at));
    replay.finish()
}

fn reports() -> Vec<Report> {
    [2, 1, 4, 9]
        .map(|count| replayed(&format!("{count}"), Rules::Fixed(policy(count)), &day()))
        .into()
}

#[test]
fn another_threshold_opens_sooner_or_later_or_not_at_all() {
    let reports = reports();
    let affairs = affairs(&reports);
    let opened: Vec<Vec<Option<i64>>> = affairs
        .iter()
        .map(|affair| {
            let first = |ours: &Vec<&super::Incident>| Some(ours.first()?.opened_at);
            let secs = |at: Timestamp| at.as_micros() / 1_000_000 - START;
            affair.incidents.iter().map(|ours| first(ours).map(secs)).collect()
        })
        .collect();
    assert_eq!(
        opened,
        [vec![Some(110), Some(100), None, None], vec![Some(1_010), Some(1_000), Some(1_030), None],]
    );
    let portal = affairs[0].incidents[0][0];
    assert_eq!(
        portal.components,
        BTreeMap::from([(component("portal"), ComponentStatus::MajorOutage)])
    );
    assert_eq!(
        (portal.impact, portal.title.as_str()),
        (Impact::Critical, "<portal> is unavailable")
    );
    assert_eq!(portal.resolved_at.unwrap().since(portal.opened_at).as_secs(), 80);
}

#[test]
fn what_did_happen_is_told_by_the_policies_of_the_journal() {
    let mut inputs = day();
    let changed = |count| Input::PolicyChanged(Box::new(policy(count)));
    inputs.insert(0, (at(0), changed(9)));
    let later = inputs.iter().position(|(when, _)| *when >= at(500)).unwrap();
    inputs.insert(later, (at(500), changed(2)));
    let was = replayed("as it was", Rules::AsTheyWere(Policy::default()), &inputs);
    let opened: Vec<Timestamp> = was.incidents.values().map(|one| one.opened_at).collect();
    assert_eq!(opened, [at(1_010)], "portal's failure was too short for the policy of then");
    let fixed = replayed("now", Rules::Fixed(policy(2)), &inputs);
    assert_eq!(fixed.incidents.len(), 2, "the journal's policies do not count");
}

#[test]
fn a_part_of_the_time_keeps_what_overlaps_it() {
    let whole = replayed("now", Rules::Fixed(policy(2)), &day());
    let names = |from, to| {
        let report = whole.clone().between(at(from), at(to));
        let titles: Vec<String> = report.incidents.values().map(|one| one.title.clone()).collect();
        (titles, report.stretches.keys().map(ToString::to_string).collect::<Vec<_>>())
    };
    let desk = vec!["<desk> is unavailable".to_owned()];
    assert_eq!(names(1_015, 1_020), (desk, vec!["blip/desk".to_owned()]));
    assert_eq!(names(300, 900), (Vec::new(), Vec::new()));
    let two = whole.clone().between(at(0), at(1_800));
    assert_eq!((two.incidents.len(), two.stretches.len()), (2, 2));
}

#[test]
fn observations_of_checks_that_the_policy_lacks_are_counted() {
    let mut other = policy(2);
    other.checks.remove(&CheckId::of(&component("desk"), "check"));
    let report = replayed("other", Rules::Fixed(other), &day());
    assert_eq!((report.observations, report.strange), (360, 180));
}

#[test]
fn the_picture_has_every_component_and_no_markup_of_theirs() {
    let svg = picture(&reports());
    assert_eq!(svg.matches("&lt;portal&gt;</text>").count(), 1, "{svg}");
    assert!(!svg.contains("<portal>"));
    assert_eq!(svg.matches("major_outage from").count(), 5, "two, two and one");
    assert_eq!(svg.matches("#8250df").count(), 5, "each with its incident");
}
