//! Whose trouble a failure is: the references, and what waits for them.

use std::time::Duration;

use super::{Rig, at, check, component, fail, observed, pass, policy, refused};
use crate::model::{
    CheckId, ComponentId, ComponentStatus, EventKind, Finding, Input, PlatformId, Policy, Reason,
    ReferencePolicy, Subject, Threshold, Timestamp,
};

mod properties;

const REFERENCES: [&str; 3] = ["gateway", "office", "site"];

fn reference(name: &str) -> CheckId {
    CheckId::new(format!("prober/reference/{name}"))
}

fn timeout() -> Finding {
    let reason = Reason::Timeout { phase: crate::model::Phase::Connect };
    let address = Some("192.0.2.1".parse().unwrap());
    Finding { address, ..fail(Subject::Whole, reason) }
}

fn refusal() -> Finding {
    Finding { address: Some("192.0.2.1".parse().unwrap()), ..fail(Subject::Whole, refused()) }
}

fn well() -> Finding {
    pass(Subject::Whole)
}

/// Two platforms, with three references that the user named.
fn guarded() -> Policy {
    let mut policy = policy(&["Portal", "Desk"]);
    let other = PlatformId::new("chirp");
    policy.platforms.insert(other.clone(), policy.platforms[&PlatformId::new("blip")].clone());
    policy.components.get_mut(&component("desk")).unwrap().platform = other;
    for name in REFERENCES {
        let named = ReferencePolicy { named: true, resolver: false };
        policy.prober.references.insert(reference(name), named);
    }
    policy
}

impl Rig {
    /// References ran, one after the other, and these of them answered.
    fn ask(&mut self, secs: i64, answers: [bool; 3]) {
        for (name, answers) in REFERENCES.into_iter().zip(answers) {
            let finding = if answers { well() } else { timeout() };
            let input = observed(reference(name), at(secs), vec![finding]);
            let decision = self.engine.handle(&input, at(secs) + Duration::from_millis(100));
            self.keep(decision);
        }
    }

    fn network(&self) -> (bool, usize, u64) {
        let network = self.engine.state().network();
        (network.lost_since().is_some(), network.waiting(), network.excused())
    }
}

#[test]
fn a_failure_waits_for_the_references_and_counts_when_they_answer() {
    let mut rig = Rig::new(guarded());
    rig.ask(0, [true; 3]);
    for secs in [10, 20, 30] {
        rig.see(secs, "portal", vec![timeout()]);
        assert_eq!(rig.network(), (false, 1, 0));
        assert!(rig.engine.is_unsettled(&check("portal")), "it is asked again soon");
        assert!(rig.engine.asks_references_within().is_some());
        rig.ask(secs + 1, [true, true, false]);
        assert_eq!(rig.network(), (false, 0, 0));
    }
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    assert_eq!(rig.actions.len(), 1);
    assert!(rig.engine.asks_references_within().is_none());
}

#[test]
fn what_something_answered_need_not_wait() {
    let mut rig = Rig::new(guarded());
    for secs in [10, 20, 30] {
        rig.see(secs, "portal", vec![refusal()]);
        assert_eq!(rig.network(), (false, 0, 0));
    }
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
}

#[test]
fn the_loopback_needs_no_network() {
    let mut rig = Rig::new(guarded());
    for (name, address) in [("portal", "::ffff:127.0.0.1"), ("desk", "127.77.3.1")] {
        let own = Finding { address: Some(address.parse().unwrap()), ..timeout() };
        rig.see_all(10, 40, name, &own);
        assert_eq!(rig.status(name), ComponentStatus::MajorOutage, "{address}");
    }
}

#[test]
fn a_loopback_that_leads_outside_needs_the_network() {
    let mut policy = guarded();
    policy.prober.loopback_leads_outside = true;
    let mut rig = Rig::new(policy);
    let own = Finding { address: Some("::1".parse().unwrap()), ..timeout() };
    rig.ask(0, [true; 3]);
    rig.see(10, "portal", vec![own.clone()]);
    rig.ask(11, [false; 3]);
    rig.see_all(20, 40, "portal", &own);
    assert!(rig.network().0 && rig.actions.is_empty(), "{:?}", rig.network());
}

#[test]
fn while_the_network_is_lost_nothing_opens_and_afterwards_what_is_down_is_found() {
    let mut rig = Rig::new(guarded());
    rig.ask(0, [true; 3]);
    rig.see(10, "portal", vec![timeout()]);
    rig.ask(11, [false, false, true]);
    assert_eq!(rig.network(), (true, 0, 1));
    for secs in [20, 30, 40, 50, 60] {
        rig.see(secs, "portal", vec![timeout()]);
        rig.see(secs, "desk", vec![timeout()]);
    }
    assert_eq!(rig.network(), (true, 0, 11));
    assert!(rig.actions.is_empty());
    rig.ask(65, [false, true, true]);
    let regained = EventKind::NetworkRegained { excused: 11 };
    assert_eq!(rig.events.last().map(|event| &event.kind), Some(&regained));
    for secs in [70, 80, 90] {
        rig.see(secs, "portal", vec![timeout()]);
        rig.see(secs, "desk", vec![well()]);
        rig.ask(secs + 6, [true; 3]);
    }
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    assert_eq!(rig.status("desk"), ComponentStatus::Operational);
}

#[test]
fn an_incident_that_is_open_stays_so_while_the_network_is_lost() {
    let mut rig = Rig::new(guarded());
    rig.see_all(10, 40, "portal", &refusal());
    rig.see_all(40, 60, "portal", &well());
    rig.ask(60, [true; 3]);
    assert_eq!(rig.causes().last().unwrap(), "2 monitoring all_recovered");
    rig.ask(61, [false; 3]);
    rig.see_all(70, 1500, "portal", &timeout());
    rig.tick(1500);
    let causes = rig.causes();
    assert!(causes.iter().all(|cause| !cause.contains("failed_again")), "{causes:?}");
    assert!(!causes.iter().any(|cause| cause.contains("resolved")), "{causes:?}");
    rig.ask(1501, [true; 3]);
    rig.see(1510, "portal", vec![well()]);
    assert!(rig.causes().last().unwrap().ends_with("stayed_well"), "{:?}", rig.causes());
}

#[test]
fn references_that_are_not_heard_do_not_keep_a_failure_for_ever() {
    let mut rig = Rig::new(guarded());
    for secs in [10, 40, 70] {
        rig.see(secs, "portal", vec![timeout()]);
        assert_eq!(rig.network(), (false, 1, 0));
        rig.tick(secs + 16);
        assert_eq!(rig.network(), (false, 0, 0));
    }
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    assert_eq!(rig.last().at, at(70) + Duration::from_millis(15_040));
}

#[test]
fn one_that_we_found_ourselves_counts_once_it_has_answered() {
    let mut policy = guarded();
    policy.prober.references.values_mut().for_each(|reference| reference.named = false);
    let mut rig = Rig::new(policy);
    rig.ask(1, [false; 3]);
    assert_eq!(rig.network(), (false, 0, 0));
    rig.see(10, "portal", vec![timeout()]);
    assert_eq!(rig.network(), (false, 0, 0), "as if there were none");
    rig.ask(20, [true, false, false]);
    rig.ask(30, [false; 3]);
    assert_eq!(rig.network(), (true, 0, 0), "the one that counts has failed");
}

#[test]
fn one_of_two_that_fails_is_no_network_that_is_lost() {
    let mut policy = guarded();
    policy.prober.references.remove(&reference("site"));
    let mut rig = Rig::new(policy);
    rig.ask(0, [true; 3]);
    rig.ask(1, [true, false, false]);
    assert_eq!(rig.network(), (false, 0, 0));
    rig.ask(11, [false; 3]);
    assert_eq!(rig.network(), (true, 0, 0));
}

#[test]
fn without_a_resolver_names_that_are_not_found_are_nobodys_fault() {
    let mut policy = guarded();
    policy.prober.references.get_mut(&reference("gateway")).unwrap().resolver = true;
    let mut rig = Rig::new(policy);
    let unfound = fail(Subject::Whole, Reason::ResolveFailed { detail: "timed out".to_owned() });
    rig.ask(0, [true; 3]);
    for secs in [10, 20, 30] {
        rig.see(secs, "portal", vec![unfound.clone()]);
        rig.see(secs, "desk", vec![refusal()]);
        rig.ask(secs + 1, [false, true, true]);
    }
    assert_eq!(rig.network(), (false, 0, 3));
    assert_eq!(rig.status("portal"), ComponentStatus::Operational);
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
}

#[test]
fn what_spans_platforms_must_last() {
    for with_references in [true, false] {
        let mut policy = guarded();
        if !with_references {
            policy.prober.references.clear();
        }
        let once = Threshold::in_a_row(super::times(1));
        policy.checks.values_mut().for_each(|check| check.fail_after = once);
        let mut rig = Rig::new(policy);
        if with_references {
            rig.see(10, "portal", vec![timeout()]);
            rig.see(11, "desk", vec![timeout()]);
            rig.ask(12, [true; 3]);
            assert_eq!(rig.network(), (false, 2, 0), "they were asked too early");
        } else {
            // The first one could not know yet.
            rig.see(10, "portal", vec![timeout()]);
            rig.see(11, "desk", vec![timeout()]);
            assert_eq!(rig.network(), (false, 1, 0));
        }
        // One passes meanwhile: it was the network, whatever that was.
        rig.see(13, "desk", vec![well()]);
        let excused = rig.network().2;
        if with_references {
            rig.ask(17, [true; 3]);
        } else {
            rig.tick(17);
        }
        assert_eq!(rig.network(), (false, 0, 1), "{excused}");
        assert_eq!(rig.status("desk"), ComponentStatus::Operational);
        assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    }
}

#[test]
fn what_never_answered_does_not_make_the_network_lost() {
    let mut rig = Rig::new(guarded());
    rig.ask(1, [true, false, false]);
    assert_eq!(rig.network(), (false, 0, 0));
    rig.ask(11, [false; 3]);
    assert_eq!(rig.network(), (true, 0, 0), "the one that counts has failed");
    rig.ask(21, [true, false, false]);
    assert_eq!(rig.network(), (false, 0, 0));
}

#[test]
fn a_start_without_a_network_excuses_for_a_while() {
    let mut rig = Rig::new(guarded());
    rig.see(1, "portal", vec![timeout()]);
    assert_eq!(rig.network(), (false, 1, 0), "it waits for them");
    rig.ask(2, [false; 3]);
    assert_eq!(rig.network(), (true, 0, 1));
    rig.see(200, "portal", vec![timeout()]);
    assert_eq!(rig.network(), (true, 0, 2));
    rig.tick(303);
    assert_eq!(rig.network(), (false, 0, 2));
    rig.ask(304, [false; 3]);
    rig.see_all(310, 340, "portal", &timeout());
    assert_eq!(rig.network(), (false, 0, 2), "they are taken for wrongly named");
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
}

#[test]
fn a_target_that_answers_shows_that_the_references_are_wrong() {
    let mut rig = Rig::new(guarded());
    rig.see(1, "desk", vec![refusal()]);
    rig.ask(2, [false; 3]);
    assert_eq!(rig.network(), (false, 0, 0));
    let mut rig = Rig::new(guarded());
    rig.ask(2, [false; 3]);
    assert_eq!(rig.network(), (true, 0, 0));
    rig.see(10, "desk", vec![refusal()]);
    assert_eq!(rig.network(), (false, 0, 0));
}

#[test]
fn half_of_them_are_no_majority() {
    let mut policy = guarded();
    let fourth = reference("fourth");
    let named = ReferencePolicy { named: true, resolver: false };
    policy.prober.references.insert(fourth.clone(), named);
    let mut rig = Rig::new(policy);
    rig.ask(1, [true; 3]);
    let decision = rig.engine.handle(&observed(fourth, at(1), vec![well()]), at(2));
    rig.keep(decision);
    rig.ask(11, [false, false, true]);
    assert_eq!(rig.network(), (false, 0, 0));
    rig.ask(21, [false; 3]);
    assert_eq!(rig.network(), (true, 0, 0));
}

#[test]
fn one_that_stays_down_stops_counting_until_it_answers() {
    let mut rig = Rig::new(guarded());
    rig.ask(0, [true; 3]);
    for minute in 1..=62 {
        rig.ask(minute * 60, [true, true, false]);
    }
    rig.ask(63 * 60, [false, true, false]);
    assert_eq!(rig.network(), (false, 0, 0), "one of the two that count");
    rig.ask(64 * 60, [true; 3]);
    rig.ask(65 * 60, [false, true, false]);
    assert_eq!(rig.network(), (true, 0, 0));
}

#[test]
fn however_long_what_spans_platforms_must_last_it_counts_in_the_end() {
    let mut policy = guarded();
    policy.prober.confirm_after = crate::model::Span::from_secs(300);
    let mut rig = Rig::new(policy);
    rig.ask(5, [true; 3]);
    for secs in 10..312 {
        rig.see(secs, "portal", vec![timeout()]);
        rig.see(secs, "desk", vec![timeout()]);
        assert!(rig.engine.state().network().waiting() <= 128);
    }
    rig.ask(312, [true; 3]);
    assert_eq!(rig.network(), (false, 0, 0));
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
}

#[test]
fn what_failed_more_than_once_counts_though_it_passes_then() {
    let mut policy = guarded();
    let twice = Threshold::in_a_row(super::times(2));
    policy.checks.values_mut().for_each(|check| check.fail_after = twice);
    let mut rig = Rig::new(policy);
    rig.ask(5, [true; 3]);
    for secs in [10, 12] {
        rig.see(secs, "portal", vec![timeout()]);
        rig.see(secs, "desk", vec![timeout()]);
    }
    rig.see(13, "desk", vec![well()]);
    assert_eq!(rig.network(), (false, 5, 0));
    rig.ask(20, [true; 3]);
    assert_eq!(rig.network(), (false, 0, 0));
    assert_eq!(rig.status("desk"), ComponentStatus::MajorOutage);
    assert_eq!(rig.status("portal"), ComponentStatus::MajorOutage);
}
