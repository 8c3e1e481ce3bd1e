//! Trouble that returns after its incident was resolved, by example.

use super::{Rig, at, component, fail, pass, policy, refused};
use crate::model::{ActionKind, Finding, Language, Policy, Span, Subject};
use crate::words::Tongue;

fn bad() -> Finding {
    fail(Subject::Whole, refused())
}

fn good() -> Finding {
    pass(Subject::Whole)
}

fn within(names: &[&str], secs: u64) -> Policy {
    let mut policy = policy(names);
    for platform in policy.platforms.values_mut() {
        platform.reopen_within = Span::from_secs(secs);
        platform.resolve_after = Span::from_secs(300);
    }
    policy
}

/// Bad for 100 s from `from`, then well for long enough; resolved 420 s after `from`.
fn burst(rig: &mut Rig, from: i64, component: &str) {
    rig.see_all(from, from + 100, component, &bad());
    rig.see_all(from + 100, from + 430, component, &good());
    assert!(rig.engine.state().incidents().is_empty());
}

#[test]
fn what_returns_soon_is_a_new_incident_that_refers_to_the_earlier_one() {
    let mut rig = Rig::new(within(&["Desk", "Portal"], 3600));
    burst(&mut rig, 0, "desk");
    let first = rig.last().incident.clone();
    assert!(rig.actions.iter().all(|action| action.follows.is_none()));
    let told = rig.actions.len();
    burst(&mut rig, 3900, "desk");
    let [open, .., resolve] = &rig.actions[told..] else { panic!("{:?}", rig.actions) };
    assert_eq!((open.kind, resolve.kind), (ActionKind::Open, ActionKind::Resolve));
    assert_ne!(open.incident, first);
    assert_eq!((&open.follows, &resolve.follows), (&Some(first.clone()), &Some(first)));
    let sentence =
        "The problem that was resolved at 10:46 (GMT-03:00) on 15 September 2021 has returned.\n\n";
    assert!(open.body.starts_with(sentence), "{}", open.body);
    assert!(!resolve.body.contains("returned"), "{}", resolve.body);
    // Of another component nothing has returned.
    rig.see_all(5000, 5030, "portal", &bad());
    assert_eq!(rig.last().follows, None);
}

#[test]
fn trouble_that_returns_with_a_component_that_joins_later_is_told_then_and_once() {
    let mut rig = Rig::new(within(&["Desk", "Portal"], 3600));
    burst(&mut rig, 0, "desk");
    let first = rig.last().incident.clone();
    rig.see_all(1000, 1030, "portal", &bad());
    assert_eq!(rig.last().follows, None);
    rig.see_all(1030, 1060, "desk", &bad());
    let joined = rig.last();
    assert_eq!((joined.sequence, &joined.follows), (2, &Some(first)));
    let sentence =
        "The problem that was resolved at 10:46 (GMT-03:00) on 15 September 2021 has returned.\n\n";
    assert!(joined.body.starts_with(sentence), "{}", joined.body);
    rig.see_all(1060, 1100, "portal", &good());
    assert_eq!(rig.last().sequence, 3);
    assert!(!rig.last().body.contains("returned"), "{}", rig.last().body);
}

#[test]
fn what_returns_late_is_another_matter() {
    let mut rig = Rig::new(within(&["Desk"], 3600));
    burst(&mut rig, 0, "desk");
    burst(&mut rig, 4100, "desk");
    assert_eq!(rig.last().follows, None);
}

/// 20 and 21 November 2024, in short: bursts that belong together, over two days.
#[test]
fn bursts_that_belong_together_are_counted() {
    let mut rig = Rig::new(within(&["Agent"], 24 * 3600));
    for (n, from) in [0, 7200, 79_000, 90_000].into_iter().enumerate() {
        rig.see_all(from, from + 30, "agent", &bad());
        let body = &rig.last().body;
        let number = ["", "", "third", "fourth"][n];
        let time =
            format!("This is the {number} time since 10:40 (GMT-03:00) on 15 September 2021.");
        assert_eq!(body.contains(&time), n >= 2, "{body}");
        assert_eq!(body.contains("has returned"), n >= 1, "{body}");
        burst(&mut rig, from + 30, "agent");
    }
    let closed: Vec<_> = rig.engine.state().recent().collect();
    let chain: Vec<_> = closed.iter().map(|closed| closed.follows.as_ref()).collect();
    assert_eq!(chain[0], None);
    for (before, after) in closed.iter().zip(&chain[1..]) {
        assert_eq!((&after.unwrap().incident, after.unwrap().since), (&before.key, at(0)));
    }
}

/// One platform that has trouble all the time does not make another's be forgotten.
#[test]
fn what_returns_is_remembered_however_many_incidents_another_platform_has() {
    let mut both = within(&["Desk", "Portal"], 24 * 3600);
    let other = crate::model::PlatformId::new("other");
    let voice = both.platforms.values().next().unwrap().clone();
    both.platforms.insert(other.clone(), voice);
    both.components.get_mut(&component("portal")).unwrap().platform = other;
    let mut rig = Rig::new(both);
    burst(&mut rig, 0, "desk");
    let first = rig.last().incident.clone();
    for n in 1..=30 {
        burst(&mut rig, n * 1000, "portal");
    }
    rig.see_all(40_000, 40_030, "desk", &bad());
    assert_eq!(rig.last().follows, Some(first));
    let count = |name: &str| {
        let of = |closed: &&crate::engine::Closed| closed.platform.as_str() == name;
        rig.engine.state().recent().filter(of).count()
    };
    assert_eq!((count("blip"), count("other")), (1, 20));
}

#[test]
fn a_failure_while_it_is_watched_returns_to_the_same_incident() {
    let mut rig = Rig::new(within(&["Desk"], 3600));
    rig.see_all(0, 30, "desk", &bad());
    rig.see_all(30, 100, "desk", &good());
    rig.see_all(100, 130, "desk", &bad());
    assert_eq!(rig.causes().last().unwrap(), "3 investigating failed_again");
    assert_eq!(rig.last().follows, None);
    assert_eq!(rig.engine.state().incidents().len(), 1);
    assert!(rig.engine.state().incident_of(&component("desk")).is_some());
}

#[test]
fn ordinals_read_well() {
    let ordinals =
        [2, 3, 12, 13, 21, 22, 23, 111].map(|number| Tongue::of(Language::English).ordinal(number));
    assert_eq!(ordinals, ["second", "third", "twelfth", "13th", "21st", "22nd", "23rd", "111th"]);
}
