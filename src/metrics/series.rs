//! Every metric: its name, help, labels and buckets. Names follow Prometheus's rules: base units,
//! the unit last, `_total` for counters.

use prometheus::core::Collector;
use prometheus::{
    Error, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGaugeVec, Opts, Registry,
};

use super::prober::ProberSeries;

/// The labels that name a check.
macro_rules! check_labels {
    ($($more:literal),*) => { &["platform", "component", "check" $(, $more)*] };
}

const PHASE_BUCKETS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const RUN_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
const LAG_BUCKETS: &[f64] = &[0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];

/// The metrics and the registry that they are in.
pub(super) struct Series {
    pub(super) registry: Registry,
    pub(super) check: CheckSeries,
    pub(super) addresses: AddressSeries,
    pub(super) public: PublicSeries,
    pub(super) process: ProcessSeries,
    pub(super) prober: ProberSeries,
}

impl Series {
    pub(super) fn new() -> Result<Self, Error> {
        let registry = Registry::new();
        Ok(Self {
            check: CheckSeries::new(&registry)?,
            addresses: AddressSeries::new(&registry)?,
            public: PublicSeries::new(&registry)?,
            process: ProcessSeries::new(&registry)?,
            prober: ProberSeries::new(&registry)?,
            registry,
        })
    }
}

fn flapping(r: &Registry) -> Result<IntGaugeVec, Error> {
    let help =
        "How many subjects of the check change so often that they are held in their worse state.";
    int_gauges(r, "farol_check_flapping", help, check_labels!())
}

/// What is known of each check.
pub(super) struct CheckSeries {
    pub(super) state: IntGaugeVec,
    pub(super) variant_state: IntGaugeVec,
    pub(super) flapping: IntGaugeVec,
    pub(super) runs: IntCounterVec,
    pub(super) failures: IntCounterVec,
    pub(super) duration: HistogramVec,
    pub(super) phase_duration: HistogramVec,
    pub(super) clock_offset: GaugeVec,
    pub(super) certificate_expiry: GaugeVec,
    pub(super) missed_runs: IntCounterVec,
}

impl CheckSeries {
    fn new(r: &Registry) -> Result<Self, Error> {
        Ok(Self {
            state: int_gauges(
                r,
                "farol_check_state",
                "Whether the check is in this state, as decided by its thresholds: the worst of its subjects.",
                check_labels!("state"),
            )?,
            variant_state: int_gauges(
                r,
                "farol_check_variant_state",
                "Whether the check is in this state in one of the variants of its matrix: the worst of its subjects.",
                check_labels!("variant", "state"),
            )?,
            flapping: flapping(r)?,
            runs: counters(
                r,
                "farol_check_runs_total",
                "Runs of the check, by the worst verdict of their findings as seen, before any is excused.",
                check_labels!("verdict"),
            )?,
            failures: counters(
                r,
                "farol_check_failures_total",
                "Findings of the check that did not pass, by reason.",
                check_labels!("reason"),
            )?,
            duration: histograms(
                r,
                "farol_check_duration_seconds",
                "How long whole runs of the check took.",
                check_labels!(),
                RUN_BUCKETS,
            )?,
            phase_duration: histograms(
                r,
                "farol_check_phase_duration_seconds",
                "How long each phase of the check's runs took, for each address asked.",
                check_labels!("phase"),
                PHASE_BUCKETS,
            )?,
            clock_offset: gauges(
                r,
                "farol_clock_offset_seconds",
                "The bounds between which the address's clock is ahead of ours, from its latest answer.",
                check_labels!("address", "bound"),
            )?,
            certificate_expiry: gauges(
                r,
                "farol_certificate_expiry_timestamp_seconds",
                "When the first certificate of the chain that the address showed expires.",
                check_labels!("address"),
            )?,
            missed_runs: counters(
                r,
                "farol_scheduler_missed_runs_total",
                "Runs that were due but left out, since the one before had not ended.",
                check_labels!(),
            )?,
        })
    }
}

/// The addresses behind a check's name.
pub(super) struct AddressSeries {
    pub(super) count: IntGaugeVec,
    pub(super) changes: IntCounterVec,
}

impl AddressSeries {
    fn new(r: &Registry) -> Result<Self, Error> {
        Ok(Self {
            count: int_gauges(
                r,
                "farol_check_addresses",
                "Addresses that a check that asks them all found in its latest run that found any.",
                check_labels!(),
            )?,
            changes: counters(
                r,
                "farol_check_address_changes_total",
                "Addresses that appeared behind the check's name, and such that vanished for good.",
                check_labels!("change"),
            )?,
        })
    }
}

/// What the public is told, and the way it goes.
pub(super) struct PublicSeries {
    pub(super) component_status: IntGaugeVec,
    pub(super) incidents_open: IntGaugeVec,
    pub(super) incidents_waiting: IntGaugeVec,
    pub(super) incidents: IntCounterVec,
    pub(super) held: Gauge,
    pub(super) incidents_detached: IntGaugeVec,
    pub(super) incidents_left: IntGaugeVec,
    pub(super) incidents_orphaned: IntGaugeVec,
    pub(super) outbox_pending: IntGaugeVec,
    pub(super) outbox_oldest_age: GaugeVec,
    pub(super) outbox_attempts: IntCounterVec,
}

impl PublicSeries {
    fn new(r: &Registry) -> Result<Self, Error> {
        let by_platform = |name, help| int_gauges(r, name, help, &["platform"]);
        let by_lane = |name, help| int_gauges(r, name, help, &["platform", "lane"]);
        Ok(Self {
            component_status: int_gauges(
                r,
                "farol_component_status",
                "Whether the component has this status.",
                &["platform", "component", "status"],
            )?,
            incidents_open: int_gauges(
                r,
                "farol_incidents_open",
                "Incidents that are not resolved.",
                &["platform", "impact"],
            )?,
            incidents_waiting: by_platform(
                "farol_incidents_waiting_for_people",
                "Open incidents of which farol has nothing new to say and says nothing more.",
            )?,
            incidents: counters(
                r,
                "farol_incidents_total",
                "Incidents that were opened.",
                &["platform"],
            )?,
            held: register(
                r,
                Gauge::new(
                    "farol_publishing_held",
                    "Whether the operator wants nothing to be published: 1 or 0.",
                )?,
            )?,
            incidents_detached: by_lane(
                "farol_incidents_detached",
                "Incidents that a person has taken over, and that farol leaves alone.",
            )?,
            incidents_left: by_lane(
                "farol_incidents_left",
                "Incidents that stand open on a page that the configuration no longer names.",
            )?,
            incidents_orphaned: by_lane(
                "farol_incidents_orphaned",
                "Open incidents on the status page that carry farol's mark and that it does not know.",
            )?,
            outbox_pending: by_lane("farol_outbox_pending", "Actions that wait to be published.")?,
            outbox_oldest_age: gauges(
                r,
                "farol_outbox_oldest_age_seconds",
                "How long the oldest action that waits to be published has waited; 0 for none.",
                &["platform", "lane"],
            )?,
            outbox_attempts: counters(
                r,
                "farol_outbox_attempts_total",
                "Attempts to publish, by outcome.",
                &["platform", "lane", "outcome"],
            )?,
        })
    }
}

/// How the process itself is.
pub(super) struct ProcessSeries {
    pub(super) scheduler_lag: Histogram,
    pub(super) journal_entries: IntCounter,
    pub(super) journal_errors: IntCounter,
    pub(super) journal_lost: IntCounter,
    pub(super) clock_step: Gauge,
    pub(super) build_info: IntGaugeVec,
    pub(super) started: Gauge,
}

impl ProcessSeries {
    fn new(r: &Registry) -> Result<Self, Error> {
        Ok(Self {
            scheduler_lag: histogram(
                r,
                "farol_scheduler_lag_seconds",
                "How much later than due runs began.",
                LAG_BUCKETS,
            )?,
            journal_entries: register(
                r,
                IntCounter::new("farol_journal_entries_total", "Entries written to the journal.")?,
            )?,
            journal_errors: register(
                r,
                IntCounter::new(
                    "farol_journal_errors_total",
                    "Writes to the journal that failed.",
                )?,
            )?,
            journal_lost: register(
                r,
                IntCounter::new(
                    "farol_journal_lost_total",
                    "Entries given up because the journal could not be written for too long.",
                )?,
            )?,
            clock_step: register(
                r,
                Gauge::new(
                    "farol_clock_step_seconds",
                    "How far the host's clock has moved ahead of ours since the process started.",
                )?,
            )?,
            build_info: int_gauges(
                r,
                "farol_build_info",
                "The version of farol that runs; always 1.",
                &["version"],
            )?,
            started: register(
                r,
                // Named without the prefix as every Prometheus client does, so that generic
                // dashboards and alerts find it.
                Gauge::new("process_start_time_seconds", "When the process started.")?,
            )?,
        })
    }
}

pub(super) fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: C,
) -> Result<C, Error> {
    registry.register(Box::new(metric.clone()))?;
    Ok(metric)
}

pub(super) fn gauges(
    r: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<GaugeVec, Error> {
    register(r, GaugeVec::new(Opts::new(name, help), labels)?)
}

pub(super) fn int_gauges(
    r: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
) -> Result<IntGaugeVec, Error> {
    register(r, IntGaugeVec::new(Opts::new(name, help), labels)?)
}

fn counters(r: &Registry, name: &str, help: &str, labels: &[&str]) -> Result<IntCounterVec, Error> {
    register(r, IntCounterVec::new(Opts::new(name, help), labels)?)
}

fn histogram(r: &Registry, name: &str, help: &str, buckets: &[f64]) -> Result<Histogram, Error> {
    register(r, Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))?)
}

fn histograms(
    r: &Registry,
    name: &str,
    help: &str,
    labels: &[&str],
    buckets: &[f64],
) -> Result<HistogramVec, Error> {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    register(r, HistogramVec::new(options, labels)?)
}
