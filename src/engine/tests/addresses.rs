//! Every address: how many failing ones make which status, what the public reads of it, and sets
//! of addresses that change.

use std::net::{IpAddr, Ipv6Addr};

use proptest::prelude::*;

use super::{Rig, at, backend, blind, check, degraded, fail, pass, policy, refused, slow, times};
use crate::engine::State;
use crate::model::{
    CheckPolicy, ComponentStatus, EventKind, Finding, MajorWhen, Policy, Reason, Subject,
    Threshold, Verdict,
};

const WHOLE: Subject = Subject::Whole;

fn with_check(change: impl Fn(&mut CheckPolicy)) -> Policy {
    let mut policy = policy(&["Portal"]);
    change(policy.checks.get_mut(&check("portal")).unwrap());
    policy
}

fn by_first_run(major_when: MajorWhen) -> Policy {
    with_check(|check| {
        check.fail_after = Threshold::in_a_row(times(1));
        check.recover_after = Threshold::in_a_row(times(1));
        check.major_when = major_when;
    })
}

fn too_few(found: u32) -> Finding {
    degraded(WHOLE, Reason::TooFewAddresses { found, least: 3 })
}

fn good(n: u8) -> Finding {
    pass(backend(n))
}

fn bad(n: u8) -> Finding {
    fail(backend(n), refused())
}

/// The first line of what the public reads.
fn told(rig: &Rig) -> &str {
    rig.last().body.lines().next().unwrap()
}

/// How many addresses of the check count.
fn known(rig: &Rig) -> Vec<Subject> {
    let state = &rig.engine.state().checks()[&check("portal")];
    let all = state.subjects().map(|(_, subject, _)| subject);
    all.filter(|subject| *subject != WHOLE).collect()
}

pub(super) fn when() -> impl Strategy<Value = MajorWhen> {
    prop_oneof![
        Just(MajorWhen::All),
        (1_u16..=10_000).prop_map(MajorWhen::Share),
        (1_u32..9).prop_map(|count| MajorWhen::Count(times(count))),
    ]
}

/// The status by the rules as one would say them of one round of verdicts.
pub(super) fn reference(when: MajorWhen, verdicts: &[Verdict]) -> ComponentStatus {
    let told: Vec<_> = verdicts.iter().filter(|v| **v != Verdict::Inconclusive).collect();
    let failing = told.iter().filter(|v| ***v == Verdict::Fail).count();
    let part = |failing: usize| f64::from(u32::try_from(failing).unwrap());
    let enough = match when {
        MajorWhen::All => failing == told.len(),
        MajorWhen::Share(share) => {
            part(failing) / part(told.len()) + 1e-9 >= f64::from(share) / 10_000.0
        }
        MajorWhen::Count(count) => part(failing) >= f64::from(count.get()).min(part(told.len())),
    };
    if failing > 0 && enough {
        ComponentStatus::MajorOutage
    } else if failing > 0 {
        ComponentStatus::PartialOutage
    } else if told.iter().any(|v| **v == Verdict::Degraded) {
        ComponentStatus::DegradedPerformance
    } else {
        ComponentStatus::Operational
    }
}

pub(super) fn verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![
        3 => Just(Verdict::Pass),
        1 => Just(Verdict::Inconclusive),
        1 => Just(Verdict::Degraded),
        3 => Just(Verdict::Fail),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_number_of_failing_addresses_decides(
        when in when(), verdicts in prop::collection::vec(verdict(), 1..8),
    ) {
        let mut rig = Rig::new(by_first_run(when));
        let found = (1..).zip(&verdicts).map(|(n, verdict)| match verdict {
            Verdict::Inconclusive => blind(backend(n)),
            Verdict::Pass => good(n),
            Verdict::Degraded => degraded(backend(n), slow()),
            Verdict::Fail => bad(n),
        });
        rig.see(0, "portal", found.collect());
        prop_assert_eq!(rig.status("portal"), reference(when, &verdicts));
    }

    /// However addresses come and go: while each that stays answers well, and each that leaves
    /// fails only when it was asked last, there is nothing to tell.
    #[test]
    fn a_set_that_changes_opens_nothing(
        sets in prop::collection::vec((0_u8..4, 1_u8..5, 1_i64..4), 1..30),
    ) {
        let mut rig = Rig::new(with_check(|check| {
            check.fail_after = Threshold::in_a_row(times(2));
        }));
        let (mut secs, mut first) = (0, 1);
        for (leave, size, rounds) in sets {
            for round in 0..rounds {
                let leaves = |n| n < first + leave && round == rounds - 1;
                let found = (first..first + size).map(|n| if leaves(n) { bad(n) } else { good(n) });
                rig.see(secs, "portal", found.collect());
                secs += 10;
            }
            first += leave;
        }
        prop_assert!(rig.actions.is_empty(), "{}", rig.journal);
    }
}

#[test]
fn two_of_three_or_half_of_them_can_be_major() {
    let statuses = |when| {
        (0..=3).map(move |failing| {
            let mut rig = Rig::new(by_first_run(when));
            let found = (1..=3).map(|n| if n <= failing { bad(n) } else { good(n) });
            rig.see(0, "portal", found.collect());
            rig.status("portal")
        })
    };
    use ComponentStatus::{MajorOutage as Major, Operational as Well, PartialOutage as Partial};
    assert!(statuses(MajorWhen::All).eq([Well, Partial, Partial, Major]));
    assert!(statuses(MajorWhen::Share(5_000)).eq([Well, Partial, Major, Major]));
    assert!(statuses(MajorWhen::Count(times(1))).eq([Well, Major, Major, Major]));
    assert!(statuses(MajorWhen::Count(times(5))).eq([Well, Partial, Partial, Major]));
}

#[test]
fn another_share_is_heeded_at_once() {
    let mut rig = Rig::new(by_first_run(MajorWhen::All));
    rig.see(0, "portal", vec![bad(1), bad(2), good(3)]);
    assert_eq!(rig.status("portal"), ComponentStatus::PartialOutage);
    rig.adopt(10, by_first_run(MajorWhen::Share(6_000)));
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
}

#[test]
fn a_rolling_replacement_opens_nothing_and_leaves_nobody_behind() {
    let mut rig = Rig::new(policy(&["Portal"]));
    let mut secs = 0;
    let mut see = |rig: &mut Rig, found: Vec<Finding>| {
        rig.see(secs, "portal", found);
        secs += 10;
    };
    see(&mut rig, vec![good(1), good(2), good(3)]);
    for old in 1..=3 {
        let new = old + 3;
        let stay = || ((old + 1)..new).map(good);
        // The old server goes down before the name is changed, and is still named for a while.
        see(&mut rig, stay().chain([bad(old)]).collect());
        see(&mut rig, stay().chain([bad(old)]).collect());
        // For a moment there is one too few, then the new one is named before it answers.
        see(&mut rig, stay().chain([too_few(2)]).collect());
        see(&mut rig, stay().chain([bad(new)]).collect());
        see(&mut rig, stay().chain([good(new)]).collect());
        see(&mut rig, stay().chain([good(new)]).collect());
    }
    assert!(rig.actions.is_empty(), "{}", rig.journal);
    assert_eq!(rig.status("portal"), ComponentStatus::Operational);
    assert_eq!(known(&rig), [backend(4), backend(5), backend(6)]);
    let changes = |wanted: fn(&EventKind) -> bool| {
        rig.events.iter().filter(|event| wanted(&event.kind)).count()
    };
    assert_eq!(changes(|kind| matches!(kind, EventKind::AddressAppeared { .. })), 3);
    assert_eq!(changes(|kind| matches!(kind, EventKind::AddressVanished { .. })), 3);
}

#[test]
fn too_few_addresses_degrade_and_water_down_no_outage() {
    let mut rig = Rig::new(policy(&["Portal"]));
    rig.see(0, "portal", vec![good(1), good(2), good(3)]);
    for secs in [10, 20, 30] {
        rig.see(secs, "portal", vec![too_few(2), good(1), good(2)]);
    }
    assert_eq!(rig.status("portal"), ComponentStatus::DegradedPerformance);
    assert_eq!(rig.last().title, "Portal is running with reduced capacity");
    assert_eq!(told(&rig), "Portal is currently running with reduced capacity.");
    for secs in [40, 50, 60] {
        rig.see(secs, "portal", vec![too_few(2), bad(1), bad(2)]);
    }
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    for secs in [70, 80] {
        rig.see(secs, "portal", vec![good(1), good(2), good(3)]);
    }
    assert_eq!(rig.status("portal"), ComponentStatus::Operational);
}

#[test]
fn the_public_reads_how_many_servers_and_never_which() {
    let mut rig = Rig::new(policy(&["Portal"]));
    for secs in [0, 10, 20] {
        rig.see(secs, "portal", vec![good(1), bad(2), good(3)]);
    }
    let text = "Portal is currently unavailable for some users: some requests fail. One of its \
                three servers is affected.";
    assert_eq!(told(&rig), text);
    // Another follows, and is told of with the next update.
    for secs in [30, 40, 50] {
        rig.see(secs, "portal", vec![good(1), bad(2), bad(3)]);
    }
    rig.tick(1900);
    assert!(rig.last().body.contains("Two of its three servers are affected."), "{}", rig.journal);
}

/// A second check of the same component.
fn with_second() -> Policy {
    let mut policy = policy(&["Portal"]);
    let first = policy.checks[&check("portal")].clone();
    policy.checks.insert(check("second"), first);
    policy
}

#[test]
fn two_checks_that_ask_the_same_servers_count_them_once() {
    let mut rig = Rig::new(with_second());
    for secs in [0, 10, 20, 30] {
        rig.see(secs, "second", vec![good(1), good(2), bad(3), good(4)]);
        rig.see(secs, "portal", vec![good(1), bad(2), bad(3), good(4)]);
    }
    rig.tick(1900);
    assert!(rig.last().body.contains("Two of its four servers are affected."), "{}", rig.journal);
}

#[test]
fn servers_are_not_counted_where_the_count_would_mislead() {
    let opens = |policy: Policy, found: &[Finding]| {
        let mut rig = Rig::new(policy);
        for secs in [0, 10, 20] {
            rig.see(secs, "portal", found.to_vec());
        }
        assert_eq!(rig.status("portal"), ComponentStatus::PartialOutage);
        rig.last().body.clone()
    };
    let six = Subject::Address(IpAddr::V6(Ipv6Addr::LOCALHOST));
    let one_server_twice = [bad(1), pass(six)];
    assert!(!opens(policy(&["Portal"]), &one_server_twice).contains("servers"));
    let capped = with_check(|check| check.at_worst = ComponentStatus::PartialOutage);
    assert!(!opens(capped.clone(), &[fail(WHOLE, refused())]).contains("servers"));
    assert!(!opens(capped, &[bad(1), bad(2)]).contains("servers"));
}

#[test]
fn a_state_from_before_servers_were_counted_is_gone_on_with() {
    let mut rig = Rig::new(policy(&["Portal"]));
    for secs in [0, 10, 20] {
        rig.see(secs, "portal", vec![good(1), bad(2), good(3)]);
    }
    let mut json = serde_json::to_string(rig.engine.state()).unwrap();
    let counted = r#","servers":{"failing":1,"total":3}"#;
    assert!(json.contains(counted), "{json}");
    json = json.replace(counted, "");
    for new in ["servers", "fewer", "major_when"] {
        assert!(!json.contains(new), "{new} is written where nothing is to be said: {json}");
    }
    let old: State = serde_json::from_str(&json).unwrap();
    rig.engine = crate::engine::Engine::new(old);
    for secs in [30, 40] {
        rig.see(secs, "portal", vec![good(1), good(2), good(3)]);
    }
    assert_eq!(rig.last().at.since(at(40)).as_secs(), 0);
    assert_eq!(rig.status("portal"), ComponentStatus::Operational);
}
