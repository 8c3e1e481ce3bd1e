//! One window of verdicts with hysteresis, so that one bad answer is noise and several are a fact.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{CheckPolicy, Health, Reason, Subject, Timestamp, Verdict};

/// What is known of one subject of a check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Track {
    health: Health,
    since: Timestamp,
    /// When the first of the bad runs began that led to the present trouble.
    bad_since: Option<Timestamp>,
    /// Why it is bad: the reason of the finding that decided it.
    reason: Option<Reason>,
    /// The reason of the latest run that was not a pass.
    latest_reason: Option<Reason>,
    /// The step that the reason is about, if the check has steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    step: Option<Arc<str>>,
    /// The same for the latest reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    latest_step: Option<Arc<str>>,
    window: Vec<Run>,
    /// In how many observations in a row this address was missing.
    pub(super) absent: u32,
}

/// One conclusive run, as the window keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    at: Timestamp,
    verdict: Verdict,
}

/// What one observation says of one subject.
pub(super) struct Word<'a> {
    pub(super) subject: Subject,
    pub(super) verdict: Verdict,
    pub(super) reason: Option<&'a Reason>,
    pub(super) step: Option<&'a Arc<str>>,
}

impl Track {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            health: Health::Unknown,
            since: now,
            bad_since: None,
            reason: None,
            latest_reason: None,
            step: None,
            latest_step: None,
            window: Vec::new(),
            absent: 0,
        }
    }

    /// The decided health.
    pub fn health(&self) -> Health {
        self.health
    }

    /// Since when the health is what it is.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Why it is bad, if it is: the reason of the finding that decided it.
    pub fn reason(&self) -> Option<&Reason> {
        self.reason.as_ref()
    }

    /// The step that the reason is about, if the check has steps.
    pub fn step(&self) -> Option<&Arc<str>> {
        self.step.as_ref()
    }

    /// When the first of the bad runs began that led to the present trouble.
    pub fn bad_since(&self) -> Option<Timestamp> {
        self.bad_since
    }

    /// Whether it is degraded or failing.
    pub fn is_bad(&self) -> bool {
        self.health >= Health::Degraded
    }

    /// Takes one run into the window, and tells whether the health changed:
    ///
    /// 1. An inconclusive run is not taken in at all.
    /// 2. When the health gets better, all but the runs that proved it are forgotten, so that old
    ///    failures cannot join a single new one to make an outage.
    /// 3. The trouble began with the first bad run of those that proved it, and goes on for as
    ///    long as the health is degraded or failing.
    pub(super) fn push(
        &mut self,
        word: &Word<'_>,
        at: Timestamp,
        policy: &CheckPolicy,
        now: Timestamp,
    ) -> bool {
        if word.verdict == Verdict::Inconclusive {
            return false;
        }
        let (of, recover_after) = (to_usize(policy.fail_after.of), to_usize(policy.recover_after));
        self.window.push(Run { at, verdict: word.verdict });
        keep_last(&mut self.window, of.max(recover_after));
        if word.verdict != Verdict::Pass {
            self.latest_reason = word.reason.cloned();
            self.latest_step = word.step.cloned();
        }
        let health = judge(self.health, &self.window, policy);
        if health == self.health {
            return false;
        }
        let was_bad = self.is_bad();
        if was_bad && health < self.health {
            keep_last(&mut self.window, recover_after);
        }
        self.health = health;
        self.since = now;
        if !self.is_bad() {
            (self.bad_since, self.reason, self.step) = (None, None, None);
        } else {
            self.reason.clone_from(&self.latest_reason);
            self.step.clone_from(&self.latest_step);
            if !was_bad {
                let proof = last(&self.window, of).iter();
                let first = proof.copied().find(|run| run.verdict != Verdict::Pass);
                self.bad_since = first.map(|run| run.at);
            }
        }
        true
    }
}

/// Decides a subject's health from what it was and the latest conclusive runs:
///
/// 1. Failing is over when the last `recover_after` runs have no failure: it is passing if all of
///    them pass, degraded if not.
/// 2. Degraded is over when the last `recover_after` runs all pass: it is passing.
/// 3. Whatever is not failing fails when the latest run fails and `count` of the last `of` do.
/// 4. What is passing or unknown is degraded when the latest run is not a pass, and `count` of the
///    last `of` are not, whether degraded or failed.
/// 5. Unknown is passing with the first pass.
/// 6. Otherwise nothing changes.
fn judge(health: Health, window: &[Run], policy: &CheckPolicy) -> Health {
    let (count, of) = (to_usize(policy.fail_after.count), to_usize(policy.fail_after.of));
    let recover_after = to_usize(policy.recover_after);
    let Some(latest) = window.last().map(|run| run.verdict) else { return health };

    let proof = last(window, recover_after);
    let at_most = |worst| proof.len() == recover_after && proof.iter().all(|r| r.verdict <= worst);
    let at_least = |bad| {
        latest >= bad && last(window, of).iter().filter(|r| r.verdict >= bad).count() >= count
    };

    match health {
        Health::Failing | Health::Degraded if at_most(Verdict::Pass) => Health::Passing,
        Health::Failing if at_most(Verdict::Degraded) => Health::Degraded,
        Health::Failing => Health::Failing,
        Health::Unknown | Health::Passing | Health::Degraded if at_least(Verdict::Fail) => {
            Health::Failing
        }
        Health::Degraded => Health::Degraded,
        Health::Unknown | Health::Passing if at_least(Verdict::Degraded) => Health::Degraded,
        Health::Unknown if latest == Verdict::Pass => Health::Passing,
        Health::Unknown | Health::Passing => health,
    }
}

/// The health that a subject would have if every run were like this one.
pub(super) fn health_of(verdict: Verdict) -> Option<Health> {
    match verdict {
        Verdict::Inconclusive => None,
        Verdict::Pass => Some(Health::Passing),
        Verdict::Degraded => Some(Health::Degraded),
        Verdict::Fail => Some(Health::Failing),
    }
}

fn last(window: &[Run], count: usize) -> &[Run] {
    window.split_at(window.len().saturating_sub(count)).1
}

fn keep_last(window: &mut Vec<Run>, count: usize) {
    window.drain(..window.len().saturating_sub(count));
}

fn to_usize(count: std::num::NonZeroU32) -> usize {
    usize::try_from(count.get()).unwrap_or(usize::MAX)
}
