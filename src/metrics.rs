//! What Prometheus scrapes. Metrics listen to observations and events and are asked by nobody who
//! decides.
//!
//! Series exist for what the policy names and for nothing else: those of a new check are there at
//! zero before its first run, so that `increase()` sees the first failure, and those of a check
//! that left are gone. An address has series while its check still talks to it, a variant while the
//! policy names it.

mod addresses;
mod labels;
mod lanes;
mod prober;
mod series;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use prometheus::{Error, TextEncoder};

use crate::model::{
    Cause, CheckId, CheckPolicy, ComponentId, ComponentStatus, Event, EventKind, Finding, Health,
    Impact, IncidentKey, IncidentStatus, LaneId, Observation, OwnTrouble, Phase, PlatformId,
    Policy, Span, Subject, Timestamp, Variant, Verdict,
};
use labels::{labels, seconds, split};
use series::Series;

/// The content type of what [`Metrics::render`] returns.
pub const CONTENT_TYPE: &str = prometheus::TEXT_FORMAT;

/// The ways in which a set of addresses changes.
const APPEARED: &str = "appeared";
const VANISHED: &str = "vanished";

/// All metrics of the process.
pub struct Metrics {
    series: Series,
    // What must be remembered to keep the series right; the numbers live in the series.
    tracked: Mutex<Tracked>,
}

#[derive(Default)]
struct Tracked {
    checks: BTreeMap<CheckId, Check>,
    components: BTreeMap<ComponentId, ComponentStatus>,
    platforms: BTreeSet<PlatformId>,
    open: BTreeMap<IncidentKey, (PlatformId, Impact)>,
    /// Those of the open ones that wait for people.
    waiting: BTreeSet<IncidentKey>,
    lanes: BTreeSet<LaneId>,
    outcomes: BTreeSet<(LaneId, &'static str)>,
}

#[derive(Default)]
struct Check {
    variants: BTreeSet<Variant>,
    health: BTreeMap<(Option<Variant>, Subject), Health>,
    flapping: BTreeSet<(Option<Variant>, Subject)>,
    addresses: BTreeSet<IpAddr>,
    reasons: BTreeSet<&'static str>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Metrics with no checks and no components.
    pub fn new() -> Result<Self, Error> {
        let series = Series::new()?;
        series.process.build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1);
        let metrics = Self { series, tracked: Mutex::default() };
        for trouble in OwnTrouble::ALL {
            metrics.own_trouble(trouble, false);
        }
        Ok(metrics)
    }

    /// The text format, as Prometheus reads it.
    pub fn render(&self) -> Result<String, Error> {
        TextEncoder::new().encode_to_string(&self.series.registry.gather())
    }

    /// Makes the series of everything that `policy` names, and forgets those of everything else.
    pub fn register_policy(&self, policy: &Policy) {
        let mut tracked = self.tracked();
        let gone = |check: &CheckId| !policy.checks.contains_key(check);
        let left: Vec<_> = tracked.checks.keys().filter(|check| gone(check)).cloned().collect();
        for check in left {
            if let Some(known) = tracked.checks.remove(&check) {
                self.forget_check(&check, &known);
            }
        }
        for (check, policy) in &policy.checks {
            let known = tracked.checks.entry(check.clone()).or_insert_with(|| {
                self.init_check(check);
                Check::default()
            });
            self.register_variants(check, known, policy);
        }
        tracked.components.retain(|component, _| {
            let stays = policy.components.contains_key(component);
            if !stays {
                self.forget_component(component);
            }
            stays
        });
        for component in policy.components.keys() {
            let status = *tracked.components.entry(component.clone()).or_default();
            self.show_component(component, status);
        }
        self.register_platforms(&mut tracked, policy);
    }

    fn register_variants(&self, check: &CheckId, known: &mut Check, policy: &CheckPolicy) {
        for variant in known.variants.difference(&policy.variants) {
            self.forget_variant(check, variant);
        }
        known.variants.clone_from(&policy.variants);
        known.health.retain(|(variant, _), _| policy.asks_about(variant.as_ref()));
        known.flapping.retain(|(variant, _)| policy.asks_about(variant.as_ref()));
        self.show_health(check, known);
        for variant in &known.variants {
            self.show_variant(check, variant, known);
        }
    }

    fn register_platforms(&self, tracked: &mut Tracked, policy: &Policy) {
        let left = |platform: &PlatformId| !policy.platforms.contains_key(platform);
        for platform in tracked.platforms.iter().filter(|platform| left(platform)) {
            let name = [platform.as_str()];
            let _ = self.series.public.incidents.remove_label_values(&name);
            let _ = self.series.public.incidents_waiting.remove_label_values(&name);
            for impact in Impact::ALL {
                let labels = [platform.as_str(), impact.as_str()];
                let _ = self.series.public.incidents_open.remove_label_values(&labels);
            }
        }
        self.forget_lanes(tracked, policy);
        tracked.open.retain(|_, (platform, _)| !left(platform));
        tracked.platforms = policy.platforms.keys().cloned().collect();
        for platform in &tracked.platforms {
            let name = [platform.as_str()];
            self.series.public.incidents.with_label_values(&name);
        }
        self.show_open(tracked);
    }

    /// Counts a run and what it found.
    pub fn observed(&self, observation: &Observation) {
        let mut tracked = self.tracked();
        // A run that was under way when its check left the policy.
        let Some(known) = tracked.checks.get_mut(&observation.check) else { return };
        let check = split(observation.check.as_str());
        let worst = observation.findings.iter().map(|finding| finding.verdict).max();
        let verdict = worst.unwrap_or(Verdict::Inconclusive).as_str();
        self.series.check.runs.with_label_values(&labels(check, [verdict])).inc();
        self.series
            .check
            .duration
            .with_label_values(&labels(check, []))
            .observe(observation.took.as_secs_f64());

        self.note_addresses(check, known, &observation.findings);
        for finding in &observation.findings {
            self.found(check, known, finding);
        }
    }

    fn found(&self, check: [&str; 3], known: &mut Check, finding: &Finding) {
        if let Some(reason) = &finding.reason {
            known.reasons.insert(reason.name());
            self.series.check.failures.with_label_values(&labels(check, [reason.name()])).inc();
        }
        for (phase, took) in finding.phases.iter() {
            let labels = labels(check, [phase.as_str()]);
            let histogram = self.series.check.phase_duration.with_label_values(&labels);
            histogram.observe(took.as_secs_f64());
        }
    }

    /// Takes note of what the engine noticed or decided.
    pub fn event(&self, event: &Event) {
        match &event.kind {
            EventKind::HealthChanged { check, variant, subject, to, .. } => {
                self.set_health(check, variant.as_ref(), *subject, *to);
            }
            EventKind::FlappingChanged { check, variant, subject, since } => {
                self.set_flapping(check, variant.as_ref(), *subject, since.is_some());
            }
            EventKind::AddressAppeared { check, .. } => self.address_changed(check, APPEARED),
            EventKind::AddressVanished { check, variant, subject } => {
                self.address_changed(check, VANISHED);
                self.address_vanished(check, variant.as_ref(), *subject);
            }
            EventKind::ComponentChanged { component, to, .. } => {
                self.set_component(component, *to);
            }
            EventKind::MaintenanceChanged { .. } | EventKind::TroubleInMaintenance { .. } => {}
            EventKind::IncidentChanged { incident, platform, sequence, status, impact, cause } => {
                if *sequence == 1 {
                    self.series.public.incidents.with_label_values(&[platform.as_str()]).inc();
                }
                self.set_incident(incident, platform, *status, *impact);
                self.set_waiting(incident, *cause == Cause::HandedOver);
            }
            // The board of our own trouble has it.
            EventKind::NetworkLost { .. } | EventKind::NetworkRegained { .. } => {}
        }
    }

    /// Sets the health of one subject of a check, as an event does: for what was restored at
    /// start-up, which no event tells.
    pub fn set_health(
        &self,
        check: &CheckId,
        variant: Option<&Variant>,
        subject: Subject,
        health: Health,
    ) {
        let mut tracked = self.tracked();
        if let Some(known) = tracked.checks.get_mut(check) {
            known.health.insert((variant.cloned(), subject), health);
            self.show_health(check, known);
            if let Some(variant) = variant.filter(|variant| known.variants.contains(*variant)) {
                self.show_variant(check, variant, known);
            }
        }
    }

    /// Sets whether one subject of a check changes too often, as an event does.
    pub fn set_flapping(
        &self,
        check: &CheckId,
        variant: Option<&Variant>,
        subject: Subject,
        flaps: bool,
    ) {
        let mut tracked = self.tracked();
        if let Some(known) = tracked.checks.get_mut(check) {
            let subject = (variant.cloned(), subject);
            if flaps {
                known.flapping.insert(subject);
            } else {
                known.flapping.remove(&subject);
            }
            self.show_health(check, known);
        }
    }

    /// Sets a component's status, as an event does.
    pub fn set_component(&self, component: &ComponentId, status: ComponentStatus) {
        let mut tracked = self.tracked();
        if let Some(known) = tracked.components.get_mut(component) {
            *known = status;
            self.show_component(component, status);
        }
    }

    /// Sets an incident's status and impact, as an event does, but counts no new incident.
    pub fn set_incident(
        &self,
        incident: &IncidentKey,
        platform: &PlatformId,
        status: IncidentStatus,
        impact: Impact,
    ) {
        let mut tracked = self.tracked();
        if status == IncidentStatus::Resolved {
            tracked.open.remove(incident);
        } else {
            tracked.open.insert(incident.clone(), (platform.clone(), impact));
        }
        self.show_open(&tracked);
    }

    /// Sets whether an open incident waits for people, as an event does.
    pub fn set_waiting(&self, incident: &IncidentKey, waits: bool) {
        let mut tracked = self.tracked();
        if waits {
            tracked.waiting.insert(incident.clone());
        } else {
            tracked.waiting.remove(incident);
        }
        self.show_open(&tracked);
    }

    /// Sets whether nothing is published.
    pub fn held(&self, held: bool) {
        self.series.public.held.set(f64::from(u8::from(held)));
    }

    /// Counts a run that began this much later than it was due.
    pub fn scheduler_lag(&self, lag: Span) {
        self.series.process.scheduler_lag.observe(lag.as_secs_f64());
    }

    /// Counts runs that were due but left out.
    pub fn missed(&self, check: &CheckId, runs: u64) {
        if self.tracked().checks.contains_key(check) {
            let labels = labels(split(check.as_str()), []);
            self.series.check.missed_runs.with_label_values(&labels).inc_by(runs);
        }
    }

    /// Counts entries written to the journal.
    pub fn journal_written(&self, entries: u64) {
        self.series.process.journal_entries.inc_by(entries);
    }

    /// Counts a write to the journal that failed.
    pub fn journal_failed(&self) {
        self.series.process.journal_errors.inc();
    }

    /// Counts inputs that waited for a store that failed until there was no room for them.
    pub fn journal_lost(&self, entries: u64) {
        self.series.process.journal_lost.inc_by(entries);
    }

    /// Sets how far the host's clock has moved ahead of ours, in microseconds.
    pub fn clock_step(&self, micros: i64) {
        self.series.process.clock_step.set(seconds(micros));
    }

    /// Sets when the process started.
    pub fn process_started(&self, at: Timestamp) {
        self.series.process.started.set(seconds(at.as_micros()));
    }

    fn tracked(&self) -> MutexGuard<'_, Tracked> {
        // What a panicking thread left half done is at worst a stale gauge.
        self.tracked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn init_check(&self, check: &CheckId) {
        let name = split(check.as_str());
        for verdict in Verdict::ALL {
            self.series.check.runs.with_label_values(&labels(name, [verdict.as_str()]));
        }
        self.series.check.duration.with_label_values(&labels(name, []));
        self.series.check.missed_runs.with_label_values(&labels(name, []));
        self.show_health(check, &Check::default());
    }

    fn show_health(&self, check: &CheckId, known: &Check) {
        let worst = known.health.values().copied().max().unwrap_or_default();
        for health in Health::ALL {
            let labels = labels(split(check.as_str()), [health.as_str()]);
            let gauge = self.series.check.state.with_label_values(&labels);
            gauge.set(i64::from(health == worst));
        }
        let flapping =
            self.series.check.flapping.with_label_values(&labels(split(check.as_str()), []));
        flapping.set(i64::try_from(known.flapping.len()).unwrap_or(i64::MAX));
    }

    fn show_variant(&self, check: &CheckId, variant: &Variant, known: &Check) {
        let ours = known.health.iter().filter(|((one, _), _)| one.as_ref() == Some(variant));
        let worst = ours.map(|(_, health)| *health).max().unwrap_or_default();
        for health in Health::ALL {
            let labels = labels(split(check.as_str()), [variant.as_str(), health.as_str()]);
            let gauge = self.series.check.variant_state.with_label_values(&labels);
            gauge.set(i64::from(health == worst));
        }
    }

    fn show_component(&self, component: &ComponentId, status: ComponentStatus) {
        let [platform, name, _] = split(component.as_str());
        for each in ComponentStatus::ALL {
            let gauge = self.series.public.component_status.with_label_values(&[
                platform,
                name,
                each.as_str(),
            ]);
            gauge.set(i64::from(each == status));
        }
    }

    fn show_open(&self, tracked: &Tracked) {
        for platform in &tracked.platforms {
            for impact in Impact::ALL {
                let is_such =
                    |open: &&(PlatformId, Impact)| open.0 == *platform && open.1 == impact;
                let count = tracked.open.values().filter(is_such).count();
                let labels = [platform.as_str(), impact.as_str()];
                let gauge = self.series.public.incidents_open.with_label_values(&labels);
                gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
            }
            let ours =
                |key: &&IncidentKey| tracked.open.get(*key).is_some_and(|(of, _)| of == platform);
            let count = tracked.waiting.iter().filter(ours).count();
            let gauge =
                self.series.public.incidents_waiting.with_label_values(&[platform.as_str()]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    // Removing a series that was never made is an error of the library's and none of ours.

    fn forget_check(&self, check: &CheckId, known: &Check) {
        let name = split(check.as_str());
        for health in Health::ALL {
            let _ = self.series.check.state.remove_label_values(&labels(name, [health.as_str()]));
        }
        for verdict in Verdict::ALL {
            let _ = self.series.check.runs.remove_label_values(&labels(name, [verdict.as_str()]));
        }
        for reason in &known.reasons {
            let _ = self.series.check.failures.remove_label_values(&labels(name, [reason]));
        }
        for phase in Phase::ALL {
            let labels = labels(name, [phase.as_str()]);
            let _ = self.series.check.phase_duration.remove_label_values(&labels);
        }
        let _ = self.series.check.flapping.remove_label_values(&labels(name, []));
        let _ = self.series.check.duration.remove_label_values(&labels(name, []));
        let _ = self.series.check.missed_runs.remove_label_values(&labels(name, []));
        let _ = self.series.addresses.count.remove_label_values(&labels(name, []));
        for change in [APPEARED, VANISHED] {
            let labels = labels(name, [change]);
            let _ = self.series.addresses.changes.remove_label_values(&labels);
        }
        for address in &known.addresses {
            self.forget_address(name, *address);
        }
        for variant in &known.variants {
            self.forget_variant(check, variant);
        }
    }

    fn forget_variant(&self, check: &CheckId, variant: &Variant) {
        for health in Health::ALL {
            let labels = labels(split(check.as_str()), [variant.as_str(), health.as_str()]);
            let _ = self.series.check.variant_state.remove_label_values(&labels);
        }
    }

    fn forget_component(&self, component: &ComponentId) {
        let [platform, name, _] = split(component.as_str());
        for status in ComponentStatus::ALL {
            let labels = [platform, name, status.as_str()];
            let _ = self.series.public.component_status.remove_label_values(&labels);
        }
    }
}
