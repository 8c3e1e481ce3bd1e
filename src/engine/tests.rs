//! The engine on a simulated clock: the rig that the tests share.

mod account;
mod addresses;
mod announced;
mod cadence;
mod dependence;
mod detection;
mod flapping;
mod gathering;
mod maintenance;
mod network;
mod operator;
mod properties;
mod quantiles;
mod returning;
mod rules;
mod scenarios;
mod story;
mod variants;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use chrono_tz::Tz;

use super::{Decision, Engine, State};
use crate::model::{
    Action, CheckId, CheckPolicy, ClockOffset, ClockReference, ClockSource, ComponentId,
    ComponentPolicy, ComponentStatus, Event, EventKind, Finding, Input, Language, Observation,
    PlatformId, PlatformPolicy, Policy, Reason, Span, Subject, Threshold, Timestamp, Vantage,
    Variant, Verdict,
};

/// 15 September 2021, 10:40 in São Paulo.
pub(super) const START: i64 = 1_631_713_200;

/// `secs` seconds after the start.
pub(super) fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(START + secs)
}

pub(super) fn times(count: u32) -> NonZeroU32 {
    NonZeroU32::new(count).unwrap()
}

pub(super) fn component(name: &str) -> ComponentId {
    ComponentId::of(&PlatformId::new("blip"), name)
}

/// The check of a component that has one.
pub(super) fn check(name: &str) -> CheckId {
    CheckId::of(&component(name), "check")
}

pub(super) fn backend(last: u8) -> Subject {
    Subject::Address(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)))
}

/// A platform with these components, each with one check: three failures in a row, two passes.
pub(super) fn policy(names: &[&str]) -> Policy {
    let platform = PlatformId::new("blip");
    let mut policy = Policy {
        platforms: BTreeMap::from([(
            platform.clone(),
            PlatformPolicy {
                name: "Blip".to_owned(),
                time_zone: Tz::America__Sao_Paulo,
                language: Language::English,
                words: crate::model::Wording::default(),
                group_within: Span::from_secs(600),
                group_interval: Span::ZERO,
                dependency_wait: Span::ZERO,
                resolve_after: Span::from_secs(900),
                maintenance_grace: Span::ZERO,
                reopen_within: Span::ZERO,
                update_every: Span::from_secs(1800),
                update_by_impact: BTreeMap::new(),
                max_unattended_updates: None,
            },
        )]),
        ..Policy::default()
    };
    for name in names {
        let id = component(&name.to_lowercase());
        let named = ComponentPolicy {
            platform: platform.clone(),
            name: (*name).to_owned(),
            group: None,
            depends_on: BTreeSet::new(),
            major_when: None,
        };
        policy.components.insert(id.clone(), named);
        policy.checks.insert(
            check(&name.to_lowercase()),
            CheckPolicy {
                component: id,
                name: "check-name-for-the-operator".to_owned(),
                fail_after: Threshold::in_a_row(times(3)),
                degrade_after: None,
                recover_after: Threshold::in_a_row(times(2)),
                slow_quantile: None,
                at_worst: ComponentStatus::MajorOutage,
                major_when: crate::model::MajorWhen::All,
                makes: None,
                flapping: None,
                variants: std::collections::BTreeSet::new(),
                purpose: crate::model::Purpose::Use,
                steps_of_use: Default::default(),
            },
        );
    }
    policy
}

pub(super) fn refused() -> Reason {
    Reason::ConnectRefused
}

pub(super) fn slow() -> Reason {
    Reason::Slow { took: Span::from_millis(2500) }
}

/// A year ahead.
pub(super) fn skewed() -> Reason {
    let year = 31_536_000_000_000;
    let source = ClockSource::Date;
    let offset = ClockOffset { at_least: year, at_most: year + 1_000_000, source };
    Reason::ClockSkew { offset, against: ClockReference::Host }
}

pub(super) fn pass(subject: Subject) -> Finding {
    Finding::pass(subject)
}

pub(super) fn fail(subject: Subject, reason: Reason) -> Finding {
    Finding::because(subject, Verdict::Fail, reason)
}

pub(super) fn degraded(subject: Subject, reason: Reason) -> Finding {
    Finding::because(subject, Verdict::Degraded, reason)
}

pub(super) fn blind(subject: Subject) -> Finding {
    let reason = Reason::ProberOffline { detail: "no route".to_owned() };
    Finding::because(subject, Verdict::Inconclusive, reason)
}

/// `finding`, in the variant of this tenant.
pub(super) fn in_variant(tenant: &str, finding: Finding) -> Finding {
    Finding { variant: Some(tenant_of(tenant)), ..finding }
}

pub(super) fn tenant_of(name: &str) -> Variant {
    Variant::new(format!("tenant={name}"))
}

pub(super) fn observed(check: CheckId, began: Timestamp, findings: Vec<Finding>) -> Input {
    let took = Span::from_millis(40);
    let vantage = Vantage::new("here");
    Input::Observed(Observation { check, vantage, started_at: began, took, findings })
}

/// An engine with its policy, and all that it said.
pub(super) struct Rig {
    pub(super) engine: Engine,
    pub(super) actions: Vec<Action>,
    pub(super) events: Vec<Event>,
    pub(super) journal: String,
}

impl Rig {
    pub(super) fn new(policy: Policy) -> Self {
        let mut rig = Self {
            engine: Engine::new(State::default()),
            actions: Vec::new(),
            events: Vec::new(),
            journal: String::new(),
        };
        rig.adopt(0, policy);
        rig
    }

    pub(super) fn adopt(&mut self, secs: i64, policy: Policy) {
        let decision = self.engine.handle(&Input::PolicyChanged(Box::new(policy)), at(secs));
        self.keep(decision);
    }

    /// The check of `component` ran, and was heard a little later.
    pub(super) fn see(&mut self, secs: i64, component: &str, findings: Vec<Finding>) {
        let heard = at(secs) + Duration::from_millis(40);
        let decision = self.engine.handle(&observed(check(component), at(secs), findings), heard);
        self.keep(decision);
    }

    /// As [`Self::see`], of another check than the component's first.
    pub(super) fn see_by(&mut self, secs: i64, check: &CheckId, findings: Vec<Finding>) {
        let heard = at(secs) + Duration::from_millis(40);
        let decision = self.engine.handle(&observed(check.clone(), at(secs), findings), heard);
        self.keep(decision);
    }

    /// As [`Self::see`], a tenth of a second after another.
    pub(super) fn see_tenths(&mut self, tenths: u64, component: &str, findings: Vec<Finding>) {
        let began = at(0) + Duration::from_millis(tenths * 100);
        let decision = self.engine.handle(&observed(check(component), began, findings), began);
        self.keep(decision);
    }

    /// The same every ten seconds from `from` on, before `to`.
    pub(super) fn see_all(&mut self, from: i64, to: i64, component: &str, finding: &Finding) {
        for secs in (from..to).step_by(10) {
            self.see(secs, component, vec![finding.clone()]);
        }
    }

    pub(super) fn tick(&mut self, secs: i64) {
        let decision = self.engine.settle(at(secs));
        self.keep(decision);
    }

    pub(super) fn status(&self, name: &str) -> ComponentStatus {
        self.engine.state().components()[&component(name)].status
    }

    pub(super) fn last(&self) -> &Action {
        self.actions.last().unwrap()
    }

    /// What every step of every incident was, in short.
    pub(super) fn causes(&self) -> Vec<String> {
        let cause = |event: &Event| match &event.kind {
            EventKind::IncidentChanged { sequence, status, cause, .. } => {
                Some(format!("{sequence} {status} {cause}"))
            }
            EventKind::HealthChanged { .. }
            | EventKind::FlappingChanged { .. }
            | EventKind::AddressAppeared { .. }
            | EventKind::AddressVanished { .. }
            | EventKind::ComponentChanged { .. }
            | EventKind::MaintenanceChanged { .. }
            | EventKind::TroubleInMaintenance { .. }
            | EventKind::NetworkLost { .. }
            | EventKind::NetworkRegained { .. } => None,
        };
        self.events.iter().filter_map(cause).collect()
    }

    fn keep(&mut self, decision: Decision) {
        for event in &decision.events {
            tell_event(&mut self.journal, event);
        }
        for action in &decision.actions {
            tell_action(&mut self.journal, action);
        }
        self.actions.extend(decision.actions);
        self.events.extend(decision.events);
    }
}

fn local(at: Timestamp) -> String {
    at.to_utc().with_timezone(&Tz::America__Sao_Paulo).format("%H:%M:%S").to_string()
}

fn tell_event(out: &mut String, event: &Event) {
    let text = match &event.kind {
        EventKind::HealthChanged { check, variant, subject, from, to, reason, .. } => {
            let subject = subject.address().map_or("whole".to_owned(), |ip| ip.to_string());
            let subject = variant.iter().fold(subject, |subject, it| format!("{it} {subject}"));
            let reason = reason.as_ref().map_or("", Reason::name);
            format!("{check} {subject}: {from} -> {to} {reason}")
        }
        EventKind::FlappingChanged { check, since, .. } => match since {
            Some(since) => format!("{check}: unstable since {}", local(*since)),
            None => format!("{check}: settled"),
        },
        EventKind::AddressAppeared { check, subject, .. } => format!("{check} new: {subject:?}"),
        EventKind::AddressVanished { check, subject, .. } => format!("{check} gone: {subject:?}"),
        EventKind::ComponentChanged { component, from, to, because } => {
            let because = because.as_ref().map_or("", CheckId::as_str);
            format!("{component}: {from} -> {to} {because}")
        }
        EventKind::NetworkLost { failing, total } => format!("network lost: {failing} of {total}"),
        EventKind::NetworkRegained { excused } => format!("network regained: {excused} excused"),
        EventKind::MaintenanceChanged { maintenance, status, .. } => {
            format!("{maintenance}: {status}")
        }
        EventKind::TroubleInMaintenance { component, status, .. } => {
            format!("{component}: {status}, in maintenance")
        }
        // The action says it.
        EventKind::IncidentChanged { .. } => return,
    };
    writeln!(out, "{}  {}", local(event.at), text.trim_end()).unwrap();
}

fn tell_action(out: &mut String, action: &Action) {
    let components: Vec<String> =
        action.components.iter().map(|(id, status)| format!("{id}={status}")).collect();
    writeln!(
        out,
        "{}  #{} {:?}: {}, impact {}, {}\n    | {}\n    |",
        local(action.at),
        action.sequence,
        action.kind,
        action.status,
        action.impact,
        components.join(" "),
        action.title,
    )
    .unwrap();
    for line in action.body.lines() {
        writeln!(out, "{}", format!("    | {line}").trim_end()).unwrap();
    }
}
