//! The latest conclusive runs of one subject, and whether enough of them are alike.

use serde::{Deserialize, Serialize};

use crate::model::{CheckPolicy, Threshold, Timestamp, Verdict};

/// The latest runs that told anything, in the order in which they were heard.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Window(Vec<Run>);

/// One conclusive run, as the window keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    pub(super) at: Timestamp,
    pub(super) verdict: Verdict,
}

impl Window {
    /// Takes in a run, and forgets those that no threshold of `policy` looks back to.
    pub(super) fn push(&mut self, run: Run, policy: &CheckPolicy) {
        self.0.push(run);
        let thresholds = [policy.fail_after, policy.degrade_after(), policy.recover_after];
        let most = thresholds.into_iter().map(Threshold::remembers).max().unwrap_or_default();
        self.keep_last(most);
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

    /// Forgets all but the runs by which `threshold` is weighed.
    pub(super) fn keep(&mut self, threshold: Threshold) {
        self.keep_last(weighed(&self.0, threshold).len());
    }

    fn keep_last(&mut self, count: usize) {
        self.0.drain(..self.0.len().saturating_sub(count));
    }
}

/// The runs by which `threshold` is weighed: the last `of`, or from the first one on that began
/// within the time, counted back from the run that began last.
fn weighed(runs: &[Run], threshold: Threshold) -> &[Run] {
    let from = match threshold {
        Threshold::Runs { .. } => runs.len().saturating_sub(threshold.remembers()),
        Threshold::Share { within, .. } => {
            let newest = runs.iter().map(|run| run.at).max();
            let is_within = |run: &Run| {
                newest.is_some_and(|newest| newest.since(run.at) < within.to_duration())
            };
            runs.iter().position(is_within).unwrap_or(runs.len())
        }
    };
    runs.split_at(from).1
}

fn is_met(runs: &[Run], threshold: Threshold, wanted: impl Fn(Verdict) -> bool) -> bool {
    let runs = weighed(runs, threshold);
    threshold.is_met(runs.iter().filter(|run| wanted(run.verdict)).count(), runs.len())
}
