//! How often an incident is spoken of, by example.

use super::{Rig, at, degraded, fail, pass, policy, refused, slow};
use crate::model::{Finding, Impact, IncidentStatus, Policy, Span, Subject};

const WHOLE: Subject = Subject::Whole;

fn bad() -> Finding {
    fail(WHOLE, refused())
}

fn by_impact(most: Option<u32>) -> Policy {
    let mut policy = policy(&["Desk"]);
    for platform in policy.platforms.values_mut() {
        let secs = [(Impact::Minor, 3600), (Impact::Critical, 900)];
        let secs = secs.map(|(impact, secs)| (impact, Span::from_secs(secs)));
        platform.update_by_impact = secs.into();
        platform.max_unattended_updates = most;
    }
    policy
}

/// When each step was decided, in seconds since the first.
fn times(rig: &Rig) -> Vec<u64> {
    rig.actions.iter().map(|action| action.at.since(rig.actions[0].at).as_secs()).collect()
}

#[test]
fn the_worse_the_more_often_and_worsening_is_told_at_once() {
    let mut rig = Rig::new(by_impact(None));
    rig.see_all(0, 3700, "desk", &degraded(WHOLE, slow()));
    assert!(rig.last().body.contains("Next update in 1 hour, or"), "{}", rig.last().body);
    rig.see_all(3700, 4700, "desk", &bad());
    assert!(rig.last().body.contains("Next update in 15 minutes, or"), "{}", rig.last().body);
    // Slow from 20 s on, an update after an hour, worse with the third failure.
    assert_eq!(times(&rig), [0, 3600, 3700, 4600]);
}

#[test]
fn after_so_many_updates_without_news_people_must_tell_the_rest() {
    let mut rig = Rig::new(by_impact(Some(2)));
    rig.see_all(0, 20_000, "desk", &bad());
    assert_eq!(times(&rig), [0, 900, 1800, 2700]);
    assert_eq!(rig.causes().last().unwrap(), "4 investigating handed_over");
    let (_, last) = rig.last().body.rsplit_once("\n\n").unwrap();
    assert_eq!(
        last,
        "The last two updates had nothing new to say, so our monitoring stops repeating it. It \
         writes again as soon as something changes; any other news comes from our team."
    );
    let incident = rig.engine.state().incidents().values().next().unwrap();
    assert!(incident.waits_for_people() && incident.next_update_at().is_none());
    assert_eq!(rig.engine.next_wakeup(), None);
    // What changes is told, and promises are made again.
    rig.see_all(20_000, 20_020, "desk", &degraded(WHOLE, slow()));
    assert_eq!(rig.causes().last().unwrap(), "5 investigating got_better");
    assert!(rig.last().body.contains("Next update in 15 minutes, or"), "{}", rig.last().body);
}

#[test]
fn what_waits_for_people_still_resolves() {
    let mut rig = Rig::new(by_impact(Some(0)));
    rig.see_all(0, 2000, "desk", &bad());
    assert_eq!(times(&rig), [0, 900]);
    assert!(rig.last().body.ends_with(
        "This update had nothing new to say, so our monitoring stops repeating it. It writes \
         again as soon as something changes; any other news comes from our team."
    ));
    rig.see_all(2000, 2020, "desk", &pass(WHOLE));
    rig.see_all(2020, 3500, "desk", &super::blind(WHOLE));
    assert_eq!(rig.causes().last().unwrap(), "4 monitoring handed_over");
    assert!(rig.last().body.contains("as soon as our monitoring has new results that confirm it."));
    rig.see_all(3500, 3520, "desk", &pass(WHOLE));
    assert_eq!(rig.last().status, IncidentStatus::Resolved);
    assert!(rig.last().at > at(3500));
}
