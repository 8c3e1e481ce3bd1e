//! How the prober itself is: its own trouble, its load, its clock, and its heartbeat.

use prometheus::{Counter, Error, Gauge, GaugeVec, IntCounter, IntGauge, IntGaugeVec, Registry};

use super::Metrics;
use super::labels::seconds;
use super::series::{gauges, int_gauges, register};
use crate::model::{CheckId, ClockOffset, OwnTrouble, Span, Timestamp};

/// How the prober itself is.
pub(super) struct ProberSeries {
    trouble: IntGaugeVec,
    references: IntGaugeVec,
    held: IntGauge,
    excused: IntCounter,
    lag: Gauge,
    added: Counter,
    open_files: IntGauge,
    max_files: IntGauge,
    clock_offset: GaugeVec,
    heartbeats: IntCounter,
    heartbeats_lost: IntCounter,
    heartbeat_at: Gauge,
}

impl ProberSeries {
    pub(super) fn new(r: &Registry) -> Result<Self, Error> {
        let count = |name, help| register(r, IntCounter::new(name, help)?);
        let size = |name, help| register(r, IntGauge::new(name, help)?);
        let gauge = |name, help| register(r, Gauge::new(name, help)?);
        Ok(Self {
            trouble: int_gauges(
                r,
                "farol_prober_trouble",
                "Whether the prober has trouble of its own of this kind, which is not held against targets.",
                &["kind"],
            )?,
            references: int_gauges(
                r,
                "farol_reference_up",
                "Whether the reference answered when it was asked last.",
                &["reference"],
            )?,
            held: size(
                "farol_runs_held",
                "Runs that wait to be told from our own network's trouble.",
            )?,
            excused: count(
                "farol_runs_excused_total",
                "Runs that did not count, since our own network was to blame.",
            )?,
            lag: gauge(
                "farol_prober_event_loop_lag_seconds",
                "The most that the event loop was late in the last minute.",
            )?,
            added: register(
                r,
                Counter::new(
                    "farol_prober_added_seconds_total",
                    "The most that the prober can have added to the time that runs took, by being late or waiting to run.",
                )?,
            )?,
            // Named as every Prometheus client names them.
            open_files: size("process_open_fds", "How many file descriptors are open.")?,
            max_files: size("process_max_fds", "How many file descriptors may be open.")?,
            clock_offset: gauges(
                r,
                "farol_prober_clock_offset_seconds",
                "The bounds between which our clock is ahead of the reference, if there is one.",
                &["bound"],
            )?,
            heartbeats: count("farol_heartbeat_sent_total", "Heartbeats that arrived.")?,
            heartbeats_lost: count("farol_heartbeat_failures_total", "Heartbeats that did not.")?,
            heartbeat_at: gauge(
                "farol_heartbeat_last_success_timestamp_seconds",
                "When a heartbeat arrived last; 0 if none did since the start.",
            )?,
        })
    }
}

impl Metrics {
    /// Sets whether there is trouble of this kind.
    pub fn own_trouble(&self, trouble: OwnTrouble, there_is: bool) {
        let gauge = self.series.prober.trouble.with_label_values(&[trouble.as_str()]);
        gauge.set(i64::from(there_is));
    }

    /// The kinds of trouble that there is now.
    pub fn own_troubles(&self) -> impl Iterator<Item = OwnTrouble> {
        let is_there = |trouble: &OwnTrouble| {
            self.series.prober.trouble.with_label_values(&[trouble.as_str()]).get() > 0
        };
        OwnTrouble::ALL.into_iter().filter(is_there)
    }

    /// Sets which references answer, how many runs wait for them, and how many did not count.
    pub fn own_network<'a>(
        &self,
        references: impl Iterator<Item = (&'a CheckId, bool)>,
        held: usize,
        excused: u64,
    ) {
        let prober = &self.series.prober;
        for (reference, answers) in references {
            prober.references.with_label_values(&[reference.as_str()]).set(i64::from(answers));
        }
        prober.held.set(i64::try_from(held).unwrap_or(i64::MAX));
        prober.excused.inc_by(excused.saturating_sub(prober.excused.get()));
    }

    /// Sets how late the event loop was, and what we have added to runs all in all.
    pub fn own_load(&self, lag: Span, added: Span) {
        let prober = &self.series.prober;
        prober.lag.set(lag.as_secs_f64());
        prober.added.inc_by((added.as_secs_f64() - prober.added.get()).max(0.0));
    }

    /// Sets how many file descriptors are open, and how many may be.
    pub fn own_files(&self, open: u64, limit: u64) {
        let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
        self.series.prober.open_files.set(number(open));
        self.series.prober.max_files.set(number(limit));
    }

    /// Sets how far our clock is ahead of the reference, or that there is none.
    pub fn own_clock(&self, offset: Option<ClockOffset>) {
        let bounds =
            [("lower", offset.map(|one| one.at_least)), ("upper", offset.map(|one| one.at_most))];
        for (bound, micros) in bounds {
            let gauge = &self.series.prober.clock_offset;
            match micros {
                Some(micros) => gauge.with_label_values(&[bound]).set(seconds(micros)),
                // One that was never made cannot be removed, and need not be.
                None => drop(gauge.remove_label_values(&[bound])),
            }
        }
    }

    /// Counts a heartbeat that arrived at `at`, or one that did not.
    pub fn heartbeat(&self, arrived: Option<Timestamp>) {
        let prober = &self.series.prober;
        match arrived {
            Some(at) => {
                prober.heartbeats.inc();
                prober.heartbeat_at.set(seconds(at.as_micros()));
            }
            None => prober.heartbeats_lost.inc(),
        }
    }
}
