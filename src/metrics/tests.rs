//! Tests of the metrics: what is exposed when, under which names.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::num::NonZeroU32;

use super::Metrics;
use crate::model::{
    Cause, CheckId, CheckPolicy, ClockOffset, ClockSource, ComponentId, ComponentPolicy,
    ComponentStatus, Event, EventKind, Finding, Health, Impact, IncidentKey, IncidentStatus,
    LaneId, Language, Observation, Phase, PlatformId, PlatformPolicy, Policy, Reason, Span,
    Subject, Threshold, Timestamp, Vantage, Variant, Verdict,
};

fn platform() -> PlatformId {
    PlatformId::new("blip")
}

fn desk() -> ComponentId {
    ComponentId::of(&platform(), "desk")
}

fn login() -> CheckId {
    CheckId::of(&desk(), "login")
}

fn policy() -> Policy {
    let platform_policy = PlatformPolicy {
        name: "Blip".to_owned(),
        time_zone: chrono_tz::UTC,
        language: Language::English,
        words: crate::model::Wording::default(),
        group_within: Span::from_secs(60),
        group_interval: Span::ZERO,
        dependency_wait: Span::ZERO,
        resolve_after: Span::from_secs(60),
        maintenance_grace: Span::ZERO,
        reopen_within: Span::ZERO,
        update_every: Span::from_secs(60),
        update_by_impact: BTreeMap::new(),
        max_unattended_updates: None,
    };
    let component = ComponentPolicy {
        platform: platform(),
        name: "Desk".to_owned(),
        group: None,
        depends_on: BTreeSet::new(),
        major_when: None,
    };
    let check = CheckPolicy {
        component: desk(),
        name: "Login".to_owned(),
        fail_after: Threshold::in_a_row(NonZeroU32::MIN),
        degrade_after: None,
        recover_after: Threshold::in_a_row(NonZeroU32::MIN),
        slow_quantile: None,
        at_worst: ComponentStatus::MajorOutage,
        major_when: crate::model::MajorWhen::All,
        makes: None,
        flapping: None,
        variants: std::collections::BTreeSet::new(),
        purpose: crate::model::Purpose::Use,
        steps_of_use: Default::default(),
    };
    Policy {
        platforms: BTreeMap::from([(platform(), platform_policy)]),
        components: BTreeMap::from([(desk(), component)]),
        checks: BTreeMap::from([(login(), check)]),
        ..Policy::default()
    }
}

fn metrics() -> Metrics {
    let metrics = Metrics::new().unwrap();
    metrics.register_policy(&policy());
    metrics
}

fn address(last: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, last])
}

fn finding(last: u8) -> Finding {
    let mut finding = Finding::pass(Subject::Address(address(last)));
    finding.phases.add(Phase::Connect, Span::from_millis(2));
    finding.clock =
        Some(ClockOffset { at_least: -400_000, at_most: 1_600_000, source: ClockSource::Date });
    finding.certificate_expires_at = Some(Timestamp::from_secs(1_700_000_000));
    finding
}

fn observation(findings: Vec<Finding>) -> Observation {
    Observation {
        check: login(),
        vantage: Vantage::new("here"),
        started_at: Timestamp::from_secs(1_631_700_000),
        took: Span::from_millis(48),
        findings,
    }
}

fn happens(metrics: &Metrics, kind: EventKind) {
    metrics.event(&Event { at: Timestamp::from_secs(1_631_700_000), kind });
}

fn health(last: u8, to: Health) -> EventKind {
    let subject = Subject::Address(address(last));
    EventKind::HealthChanged {
        check: login(),
        subject,
        from: Health::Unknown,
        to,
        reason: None,
        variant: None,
        step: None,
    }
}

fn incident(sequence: u32, status: IncidentStatus) -> EventKind {
    EventKind::IncidentChanged {
        incident: IncidentKey::new("abc"),
        platform: platform(),
        sequence,
        status,
        impact: Impact::Major,
        cause: Cause::ComponentFailed,
    }
}

fn lane() -> LaneId {
    LaneId::of(&platform(), "pagerduty")
}

/// The value of the series that begins with `series`.
fn value(metrics: &Metrics, series: &str) -> Option<f64> {
    let text = metrics.render().unwrap();
    let line = text.lines().find(|line| line.strip_prefix(series).is_some_and(is_value))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn is_value(rest: &str) -> bool {
    rest.starts_with(' ')
}

#[test]
fn everything_is_exposed_under_these_names() {
    let metrics = metrics();
    let mut failed = finding(2);
    failed.verdict = Verdict::Fail;
    failed.reason = Some(Reason::Status { got: 500 });
    metrics.observed(&observation(vec![finding(1), failed]));
    happens(&metrics, health(2, Health::Failing));
    happens(
        &metrics,
        EventKind::ComponentChanged {
            component: desk(),
            from: ComponentStatus::Operational,
            to: ComponentStatus::PartialOutage,
            because: Some(login()),
        },
    );
    happens(&metrics, incident(1, IncidentStatus::Investigating));
    metrics.outbox(&lane(), 1, Span::from_millis(1_500));
    metrics.not_led(&lane(), 2, 1);
    metrics.left(&lane(), 1);
    metrics.outbox_attempt(&lane(), "delivered");
    metrics.scheduler_lag(Span::from_millis(3));
    metrics.missed(&login(), 2);
    metrics.journal_written(3);
    metrics.journal_failed();
    metrics.clock_step(-2_500_000);
    metrics.process_started(Timestamp::from_secs(1_631_700_000));
    let text = metrics.render().unwrap();
    // Changes with every release, as it should.
    let text = text.replace(env!("CARGO_PKG_VERSION"), "VERSION");
    insta::assert_snapshot!(text);
}

#[test]
fn series_are_there_at_zero_before_the_first_run() {
    let metrics = metrics();
    let check = r#"check="login",component="desk",platform="blip""#;
    let runs = format!("farol_check_runs_total{{{check},verdict=\"fail\"}}");
    assert_eq!(value(&metrics, &runs), Some(0.0));
    let unknown = format!("farol_check_state{{{check},state=\"unknown\"}}");
    assert_eq!(value(&metrics, &unknown), Some(1.0));
    let open = r#"farol_incidents_open{impact="major",platform="blip"}"#;
    assert_eq!(value(&metrics, open), Some(0.0));
}

#[test]
fn what_leaves_the_policy_leaves_nothing_behind() {
    let metrics = metrics();
    let bare = Metrics::new().unwrap().render().unwrap();
    let mut failed = finding(1);
    failed.verdict = Verdict::Fail;
    failed.reason = Some(Reason::ConnectRefused);
    metrics.observed(&observation(vec![failed]));
    happens(&metrics, incident(1, IncidentStatus::Investigating));
    metrics.outbox_attempt(&lane(), "delivered");
    metrics.register_policy(&Policy::default());
    assert_eq!(metrics.render().unwrap(), bare);
    metrics.observed(&observation(vec![finding(1)]));
    happens(&metrics, health(1, Health::Failing));
    metrics.missed(&login(), 1);
    assert_eq!(metrics.render().unwrap(), bare, "a late run brings nothing back");
}

#[test]
fn a_policy_that_stays_keeps_its_numbers() {
    let metrics = metrics();
    metrics.observed(&observation(vec![finding(1)]));
    happens(&metrics, health(1, Health::Passing));
    let before = metrics.render().unwrap();
    metrics.register_policy(&policy());
    assert_eq!(metrics.render().unwrap(), before);
}

#[test]
fn addresses_come_and_go() {
    let metrics = metrics();
    let has = |last: u8| metrics.render().unwrap().contains(&format!("\"{}\"", address(last)));
    metrics.observed(&observation(vec![finding(1), finding(2)]));
    assert!(has(1) && has(2));
    metrics.observed(&observation(vec![finding(2), finding(3)]));
    assert!(!has(1) && has(2) && has(3));
    let whole = Finding::because(Subject::Whole, Verdict::Fail, Reason::ResolveNotFound);
    metrics.observed(&observation(vec![whole]));
    assert!(has(2), "a failure to resolve says nothing about the addresses");
    let subject = Subject::Address(address(2));
    happens(&metrics, EventKind::AddressVanished { check: login(), variant: None, subject });
    assert!(!has(2) && has(3));
}

#[test]
fn an_offset_that_was_not_measured_again_is_gone_but_the_certificate_stays() {
    let metrics = metrics();
    metrics.observed(&observation(vec![finding(1)]));
    let mut down = Finding::pass(Subject::Address(address(1)));
    down.verdict = Verdict::Fail;
    down.reason = Some(Reason::ConnectRefused);
    metrics.observed(&observation(vec![down]));
    let text = metrics.render().unwrap();
    assert!(!text.contains("farol_clock_offset_seconds{"), "{text}");
    assert!(text.contains("farol_certificate_expiry_timestamp_seconds{"), "{text}");
}

#[test]
fn a_check_is_as_bad_as_its_worst_address() {
    let metrics = metrics();
    let failing =
        r#"farol_check_state{check="login",component="desk",platform="blip",state="failing"}"#;
    happens(&metrics, health(1, Health::Failing));
    happens(&metrics, health(2, Health::Passing));
    assert_eq!(value(&metrics, failing), Some(1.0));
    let subject = Subject::Address(address(1));
    happens(&metrics, EventKind::AddressVanished { check: login(), variant: None, subject });
    assert_eq!(value(&metrics, failing), Some(0.0));
}

#[test]
fn an_incident_is_open_until_it_is_resolved_and_counted_once() {
    let metrics = metrics();
    let open = r#"farol_incidents_open{impact="major",platform="blip"}"#;
    let total = r#"farol_incidents_total{platform="blip"}"#;
    happens(&metrics, incident(1, IncidentStatus::Investigating));
    happens(&metrics, incident(2, IncidentStatus::Monitoring));
    assert_eq!((value(&metrics, open), value(&metrics, total)), (Some(1.0), Some(1.0)));
    happens(&metrics, incident(3, IncidentStatus::Resolved));
    assert_eq!((value(&metrics, open), value(&metrics, total)), (Some(0.0), Some(1.0)));
}

#[test]
fn an_incident_waits_for_people_until_its_next_step() {
    let metrics = metrics();
    let waiting = || value(&metrics, r#"farol_incidents_waiting_for_people{platform="blip"}"#);
    let step = |sequence, cause| {
        let mut kind = incident(sequence, IncidentStatus::Investigating);
        if let EventKind::IncidentChanged { cause: of_step, .. } = &mut kind {
            *of_step = cause;
        }
        happens(&metrics, kind);
    };
    step(1, Cause::ComponentFailed);
    assert_eq!(waiting(), Some(0.0));
    step(2, Cause::HandedOver);
    assert_eq!(waiting(), Some(1.0));
    step(3, Cause::GotWorse);
    assert_eq!(waiting(), Some(0.0));
    step(4, Cause::HandedOver);
    metrics.register_policy(&Policy::default());
    assert_eq!(waiting(), None);
}

#[test]
fn addresses_are_counted_and_so_are_their_changes() {
    let metrics = metrics();
    let whole = Finding { address: Some(address(1)), ..Finding::pass(Subject::Whole) };
    let labels = r#"check="login",component="desk",platform="blip""#;
    let count = || value(&metrics, &format!("farol_check_addresses{{{labels}}}"));
    let changes = |change: &str| {
        let series = format!(r#"farol_check_address_changes_total{{change="{change}",{labels}}}"#);
        value(&metrics, &series)
    };
    metrics.observed(&observation(vec![whole.clone()]));
    assert_eq!((count(), changes("appeared")), (None, None), "it asks one and knows no other");
    metrics.observed(&observation(vec![finding(1), finding(2)]));
    assert_eq!(
        (count(), changes("appeared"), changes("vanished")),
        (Some(2.0), Some(0.0), Some(0.0))
    );
    let (check, subject) = (login(), Subject::Address(address(3)));
    happens(&metrics, EventKind::AddressAppeared { check: check.clone(), variant: None, subject });
    happens(&metrics, EventKind::AddressVanished { check: check.clone(), variant: None, subject });
    happens(&metrics, EventKind::AddressVanished { check, variant: None, subject });
    assert_eq!((changes("appeared"), changes("vanished")), (Some(1.0), Some(2.0)));
    // A name that does not resolve says nothing of how many there are.
    let unresolved = Finding::because(Subject::Whole, Verdict::Fail, Reason::ResolveNotFound);
    metrics.observed(&observation(vec![unresolved]));
    assert_eq!(count(), Some(2.0));
    metrics.observed(&observation(vec![whole]));
    assert_eq!(count(), None);
    metrics.register_policy(&Policy::default());
    assert_eq!((changes("appeared"), changes("vanished")), (None, None));
}

#[test]
fn a_variant_has_a_state_of_its_own_while_the_policy_names_it() {
    let metrics = metrics();
    let of = |tenant: &str| Variant::new(format!("tenant={tenant}"));
    let with = |tenants: &[&str]| {
        let mut policy = policy();
        for check in policy.checks.values_mut() {
            check.variants = tenants.iter().map(|tenant| of(tenant)).collect();
        }
        policy
    };
    let state = |tenant: &str, state: &str| {
        let labels = r#"check="login",component="desk",platform="blip""#;
        let series = "farol_check_variant_state";
        value(
            &metrics,
            &format!(r#"{series}{{{labels},state="{state}",variant="tenant={tenant}"}}"#),
        )
    };
    let becomes = |tenant: &str, to: Health| {
        let EventKind::HealthChanged { check, subject, from, reason, step, .. } = health(1, to)
        else {
            panic!("a change of health")
        };
        let variant = Some(of(tenant));
        happens(
            &metrics,
            EventKind::HealthChanged { check, variant, subject, from, to, reason, step },
        );
    };
    assert!(!metrics.render().unwrap().contains("farol_check_variant_state"));
    metrics.register_policy(&with(&["a", "b"]));
    assert_eq!((state("a", "unknown"), state("b", "unknown")), (Some(1.0), Some(1.0)));
    becomes("a", Health::Failing);
    becomes("b", Health::Passing);
    assert_eq!((state("a", "failing"), state("b", "failing")), (Some(1.0), Some(0.0)));
    let whole =
        r#"farol_check_state{check="login",component="desk",platform="blip",state="failing"}"#;
    assert_eq!(value(&metrics, whole), Some(1.0));
    metrics.register_policy(&with(&["b"]));
    assert_eq!((state("a", "failing"), state("b", "passing")), (None, Some(1.0)));
    assert_eq!(value(&metrics, whole), Some(0.0), "who is gone makes nothing bad");
    metrics.register_policy(&Policy::default());
    assert!(!metrics.render().unwrap().contains("farol_check_variant_state"));
}

#[test]
fn an_address_that_several_variants_ask_shows_the_worst_and_stays_while_one_does() {
    let metrics = metrics();
    let expires = || {
        let labels = r#"address="192.0.2.1",check="login",component="desk",platform="blip""#;
        value(&metrics, &format!("farol_certificate_expiry_timestamp_seconds{{{labels}}}"))
    };
    let (a, b) = (Some(Variant::new("tenant=a")), Some(Variant::new("tenant=b")));
    let mut policy = policy();
    for check in policy.checks.values_mut() {
        check.variants = a.iter().chain(&b).cloned().collect();
    }
    metrics.register_policy(&policy);
    let of_a = Finding { variant: a.clone(), ..finding(1) };
    let soon = Some(Timestamp::from_secs(1_600_000_000));
    let of_b = Finding { variant: b.clone(), certificate_expires_at: soon, ..finding(1) };
    metrics.observed(&observation(vec![of_b, of_a]));
    assert_eq!(expires(), Some(1_600_000_000.0));
    // One variant that comes to no address says nothing about those that it had.
    let lost = Finding::because(Subject::Whole, Verdict::Fail, Reason::ResolveNotFound);
    let lost = Finding { variant: b.clone(), ..lost };
    let elsewhere = Finding { variant: a.clone(), ..finding(2) };
    metrics.observed(&observation(vec![elsewhere, lost]));
    assert!(expires().is_some());
    let subject = Subject::Address(address(1));
    for variant in [&a, &b] {
        metrics.set_health(&login(), variant.as_ref(), subject, Health::Passing);
    }
    let vanished = |variant| EventKind::AddressVanished { check: login(), variant, subject };
    happens(&metrics, vanished(a));
    assert!(expires().is_some());
    happens(&metrics, vanished(b));
    assert_eq!(expires(), None);
}
