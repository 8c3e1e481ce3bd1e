//! The latest conclusive runs of one subject, and whether enough of them are alike.

use serde::{Deserialize, Serialize};

use crate::model::{CheckPolicy, QuantileLimit, Span, Threshold, Timestamp, Verdict};

/// The latest runs that told anything, in the order in which they were heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Window(Vec<Run>);

/// One conclusive run, as the window keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) at: Timestamp,
    pub(super) verdict: Verdict,
    /// How long it took, where that is weighed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) took: Option<Span>,
}

impl Window {
    /// Takes in a run, and forgets those that no threshold of `policy` looks back to.
    pub(super) fn push(&mut self, run: Run, policy: &CheckPolicy) {
        self.0.push(run);
        let thresholds = [policy.fail_after, policy.degrade_after(), policy.recover_after];
        let most = thresholds.into_iter().map(Threshold::remembers).max().unwrap_or_default();
        let slow = policy.slow_quantile.map_or(0, |_| Threshold::MOST_RUNS);
        self.keep_last(most.max(slow));
    }

    /// What the latest run told.
    pub(super) fn latest(&self) -> Option<Verdict> {
        self.0.last().map(|run| run.verdict)
    }

    /// Whether enough runs are `wanted` to meet `threshold`.
    pub(super) fn meets(&self, threshold: Threshold, wanted: impl Fn(Verdict) -> bool) -> bool {
        is_met(&self.0, threshold, wanted)
    }

    /// Whether enough of those runs by which `proof` is weighed are `wanted` to meet `threshold`.
    pub(super) fn also_meets(
        &self,
        proof: Threshold,
        threshold: Threshold,
        wanted: impl Fn(Verdict) -> bool,
    ) -> bool {
        is_met(weighed(&self.0, proof), threshold, wanted)
    }

    /// When the first run that is no pass began, of those by which `threshold` is weighed.
    pub(super) fn first_bad(&self, threshold: Threshold) -> Option<Timestamp> {
        let bad = weighed(&self.0, threshold).iter().find(|run| run.verdict != Verdict::Pass);
        bad.map(|run| run.at)
    }

    /// What the quantile is that `limit` is for, if enough runs tell.
    pub(super) fn quantile(&self, limit: &QuantileLimit) -> Option<Span> {
        limit.of(since(&self.0, limit.within).iter().filter_map(|run| run.took).collect())
    }

    /// Counts the latest run as degraded, although it passed.
    pub(super) fn degrade_latest(&mut self) {
        if let Some(run) = self.0.last_mut() {
            run.verdict = run.verdict.max(Verdict::Degraded);
        }
    }

    /// Forgets all but the runs by which `threshold` is weighed.
    pub(super) fn keep(&mut self, threshold: Threshold) {
        self.keep_last(weighed(&self.0, threshold).len());
    }

    fn keep_last(&mut self, count: usize) {
        self.0.drain(..self.0.len().saturating_sub(count));
    }
}

/// The runs by which `threshold` is weighed.
fn weighed(runs: &[Run], threshold: Threshold) -> &[Run] {
    match threshold {
        Threshold::Runs { .. } => runs.split_at(runs.len().saturating_sub(threshold.remembers())).1,
        Threshold::Share { within, .. } => since(runs, within),
    }
}

/// The runs from the first one on that began within this time, counted back from the run that
/// began last.
fn since(runs: &[Run], within: Span) -> &[Run] {
    let newest = runs.iter().map(|run| run.at).max();
    let is_within =
        |run: &Run| newest.is_some_and(|newest| newest.since(run.at) < within.to_duration());
    runs.split_at(runs.iter().position(is_within).unwrap_or(runs.len())).1
}

fn is_met(runs: &[Run], threshold: Threshold, wanted: impl Fn(Verdict) -> bool) -> bool {
    let runs = weighed(runs, threshold);
    threshold.is_met(runs.iter().filter(|run| wanted(run.verdict)).count(), runs.len())
}
