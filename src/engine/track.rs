//! One window of verdicts with hysteresis, so that one bad answer is noise and several are a fact.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::window::{Run, Window};
use crate::model::{
    CheckPolicy, Flapping, Health, QuantileLimit, Reason, Span, Subject, Timestamp, Verdict,
};

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
    window: Window,
    /// Whether most runs together were too slow when that could last be told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    slow: bool,
    /// In how many observations in a row this address was missing.
    pub(super) absent: u32,
    /// When the runs alone changed its health lately, oldest first.
    #[serde(default, skip_serializing_if = "VecDeque::is_empty")]
    turns: VecDeque<Timestamp>,
    /// That it is held in its worse state, since it is unstable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    held: Option<Held>,
}

/// A subject that changes too often to be believed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    /// When the first of the changes was that made it so.
    since: Timestamp,
    /// The health that it would have by its runs alone.
    measured: Health,
}

/// What one observation says of one subject.
pub(super) struct Word<'a> {
    pub(super) subject: Subject,
    pub(super) verdict: Verdict,
    pub(super) reason: Option<&'a Reason>,
    pub(super) step: Option<&'a Arc<str>>,
    /// How long it took, if anything was measured.
    pub(super) took: Option<Span>,
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
            window: Window::default(),
            slow: false,
            absent: 0,
            turns: VecDeque::new(),
            held: None,
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

    /// Since when it changes too often to be believed, if it does.
    pub fn unstable_since(&self) -> Option<Timestamp> {
        self.held.as_ref().map(|held| held.since)
    }

    /// The health that it has by its runs alone: what is decided of it, unless it is held.
    pub(super) fn measured(&self) -> Health {
        self.held.as_ref().map_or(self.health, |held| held.measured)
    }

    /// What the latest run counts as.
    pub(super) fn told(&self) -> Option<Verdict> {
        self.window.latest()
    }

    /// Whether it is degraded or failing.
    pub fn is_bad(&self) -> bool {
        self.health >= Health::Degraded
    }

    /// Weighs how slow the latest runs are together:
    ///
    /// 1. Only a run that has an answer tells anything of it. One that fails is no quick one.
    /// 2. While there are too few, it stays as it was.
    /// 3. While they are too slow, the latest run is no better than degraded.
    fn weigh_slowness(&mut self, verdict: Verdict, policy: &CheckPolicy) {
        let Some(limit) = policy.slow_quantile.filter(|_| verdict < Verdict::Fail) else {
            self.slow &= policy.slow_quantile.is_some();
            return;
        };
        let quantile = self.window.quantile(&limit);
        if let Some(took) = quantile {
            self.slow = limit.is_slow(took, self.slow);
        }
        if !self.slow {
            return;
        }
        self.window.degrade_latest();
        if let (Some(took), Verdict::Pass) = (quantile, verdict) {
            let QuantileLimit { quantile, limit, .. } = limit;
            self.latest_reason = Some(Reason::SlowQuantile { quantile, took, limit });
            self.latest_step = None;
        }
    }

    /// Takes one run into the window, and tells whether the health changed:
    ///
    /// 1. An inconclusive run is not taken in at all.
    /// 2. A run that passes counts as degraded while most runs together are too slow.
    /// 3. When the health gets better, all but the runs that proved it are forgotten, so that old
    ///    failures cannot join a single new one to make an outage.
    /// 4. The trouble began with the first bad run of those that proved it, and goes on for as
    ///    long as the health is degraded or failing.
    /// 5. What is unstable ([`Self::turn`]) may get worse, but no better.
    pub(super) fn push(
        &mut self,
        word: &Word<'_>,
        at: Timestamp,
        policy: &CheckPolicy,
        flapping: Option<Flapping>,
        now: Timestamp,
    ) -> bool {
        if word.verdict == Verdict::Inconclusive {
            return false;
        }
        let timed = policy.slow_quantile.is_some() && word.verdict < Verdict::Fail;
        let took = word.took.filter(|_| timed);
        self.window.push(Run { at, verdict: word.verdict, took }, policy);
        self.weigh_slowness(word.verdict, policy);
        if word.verdict != Verdict::Pass {
            self.latest_reason = word.reason.cloned();
            self.latest_step = word.step.cloned();
        }
        let before = self.measured();
        let measured = judge(before, &self.window, policy);
        if before >= Health::Degraded && measured < before {
            self.window.keep(policy.recover_after);
        }
        self.turn(before, measured, flapping, now);
        let health = if self.held.is_some() { self.health.max(measured) } else { measured };
        if self.is_bad() && measured > before {
            self.reason.clone_from(&self.latest_reason);
            self.step.clone_from(&self.latest_step);
        }
        if health == self.health {
            return false;
        }
        let was_bad = self.is_bad();
        self.health = health;
        self.since = now;
        if !self.is_bad() {
            (self.bad_since, self.reason, self.step) = (None, None, None);
        } else {
            self.reason.clone_from(&self.latest_reason);
            self.step.clone_from(&self.latest_step);
            if !was_bad {
                self.bad_since = self.window.first_bad(match health {
                    Health::Failing => policy.fail_after,
                    Health::Unknown | Health::Passing | Health::Degraded => policy.degrade_after(),
                });
            }
        }
        true
    }

    /// Notes that the runs changed the health from `before` to `measured`, and whether it does so
    /// too often:
    ///
    /// 1. A change counts for `within`. That something is decided for the first time is none.
    /// 2. What has changed more than `changes` times is unstable, beginning with the next change
    ///    for the worse, which is then told as that. It is so since the first change that counts.
    /// 3. It is so until it has not changed for `within`.
    /// 4. Where nobody asks for it, as during a maintenance, changes are forgotten.
    fn turn(
        &mut self,
        before: Health,
        measured: Health,
        flapping: Option<Flapping>,
        now: Timestamp,
    ) {
        let Some(Flapping { changes, within }) = flapping else {
            (self.turns, self.held) = (VecDeque::new(), None);
            return;
        };
        let most = usize::try_from(changes.get()).unwrap_or(usize::MAX);
        self.turns.retain(|at| now.since(*at) < within.to_duration());
        if before != Health::Unknown && measured != before {
            self.turns.push_back(now);
            if self.turns.len() > most.saturating_add(1) {
                self.turns.pop_front();
            }
        }
        match (&mut self.held, self.turns.front()) {
            (held, None) => *held = None,
            (Some(held), Some(_)) => held.measured = measured,
            (held @ None, Some(since)) if measured > before && self.turns.len() > most => {
                *held = Some(Held { since: *since, measured });
            }
            (None, Some(_)) => {}
        }
    }
}

/// Decides a subject's health from what it was and the latest conclusive runs:
///
/// 1. Failing is over when the latest run is no failure and enough are none for `recover_after`:
///    it is passing if enough of them pass, degraded if not.
/// 2. Degraded is over when the latest run passes and enough do for `recover_after`: it is passing.
/// 3. Runs that prove a recovery and would also prove what it recovers from prove nothing.
/// 4. Whatever is not failing fails when the latest run fails and enough do for `fail_after`.
/// 5. What is passing or unknown is degraded when the latest run is not a pass, and enough are not
///    for `degrade_after`, whether degraded or failed.
/// 6. Unknown is passing with the first pass.
/// 7. Otherwise nothing changes.
fn judge(health: Health, window: &Window, policy: &CheckPolicy) -> Health {
    let Some(latest) = window.latest() else { return health };
    let (proof, degrade_after) = (policy.recover_after, policy.degrade_after());
    let (fails, is_bad) = (|v| v >= Verdict::Fail, |v| v >= Verdict::Degraded);
    let recovers = |worst| {
        latest <= worst
            && window.meets(proof, |v| v <= worst)
            && !window.also_meets(proof, policy.fail_after, fails)
            && (worst > Verdict::Pass || !window.also_meets(proof, degrade_after, is_bad))
    };

    match health {
        Health::Failing | Health::Degraded if recovers(Verdict::Pass) => Health::Passing,
        Health::Failing if recovers(Verdict::Degraded) => Health::Degraded,
        Health::Failing => Health::Failing,
        Health::Unknown | Health::Passing | Health::Degraded
            if fails(latest) && window.meets(policy.fail_after, fails) =>
        {
            Health::Failing
        }
        Health::Degraded => Health::Degraded,
        Health::Unknown | Health::Passing
            if is_bad(latest) && window.meets(degrade_after, is_bad) =>
        {
            Health::Degraded
        }
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
