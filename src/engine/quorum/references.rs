//! What the references say: which of them count, and what the majority of these has to tell.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Network, answered};
use crate::model::{
    CheckId, Event, EventKind, Observation, ProberPolicy, ReferencePolicy, Timestamp, Verdict,
};

/// From so many on a single one is outvoted.
const MAJORITY: usize = 3;
/// How long a reference may fail while others answer, and count nevertheless.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(3_600);
/// How long at most a start where nothing has ever answered is taken for one without a network.
const STARTING: Duration = Duration::from_secs(5 * 60);

/// What was last heard of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Heard {
    /// When the run began.
    pub(super) began: Timestamp,
    pub(super) answered: bool,
    /// Whether it ever answered, and was not given up since.
    pub(super) known_to_answer: bool,
    /// Since when it fails while others answer.
    #[serde(default)]
    outvoted_since: Option<Timestamp>,
}

/// How many references count, and what those say that were asked late enough.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) total: usize,
    answered: usize,
    failed: usize,
}

impl Count {
    /// More than half have answered; of fewer than three, one.
    pub(super) fn is_well(self) -> bool {
        match self.total {
            0 => false,
            1..MAJORITY => self.answered > 0,
            total => self.answered * 2 > total,
        }
    }

    /// More than half have failed; of fewer than three, all: one of two may be the one that is down.
    fn is_lost(self) -> bool {
        match self.total {
            0 => false,
            total @ 1..MAJORITY => self.failed == total,
            total => self.failed * 2 > total,
        }
    }
}

impl Network {
    /// Whether each reference answered when it was asked last.
    pub fn references(&self) -> impl Iterator<Item = (&CheckId, bool)> {
        self.references.iter().map(|(id, heard)| (id, heard.answered))
    }

    /// What the references say that count, in runs that began at `after` or later. What never
    /// answered says nothing: it may be there for others, or be wrongly named.
    pub(super) fn count(&self, policy: &ProberPolicy, after: Timestamp) -> Count {
        let mut count = Count::default();
        let heard = policy.references.keys().filter_map(|id| self.references.get(id));
        for heard in heard.filter(|heard| heard.known_to_answer) {
            count.total += 1;
            if heard.began >= after {
                count.answered += usize::from(heard.answered);
                count.failed += usize::from(!heard.answered);
            }
        }
        count
    }

    /// Whether every resolver that counts has failed.
    pub(super) fn is_without_resolver(&self, policy: &ProberPolicy) -> bool {
        let resolvers = policy.references.iter().filter(|(_, reference)| reference.resolver);
        let mut heard = resolvers
            .filter_map(|(id, _)| self.references.get(id))
            .filter(|heard| heard.known_to_answer)
            .peekable();
        heard.peek().is_some() && heard.all(|heard| !heard.answered)
    }

    /// Whether somebody is there who may tell how our network is.
    pub(super) fn is_asked(&self, policy: &ProberPolicy, now: Timestamp) -> bool {
        self.is_starting(policy, now) || self.count(policy, Timestamp::EPOCH).total > 0
    }

    /// Whether we have started and nothing at all has answered yet, though enough was named that
    /// might. For how long this excuses anything is bounded: all may be wrongly named.
    fn is_starting(&self, policy: &ProberPolicy, now: Timestamp) -> bool {
        !self.reached
            && self.starting_until.is_none_or(|until| now < until)
            && named(policy).count() >= MAJORITY
    }

    /// Takes in what a reference said:
    ///
    /// 1. It answered if any finding of its run is no failure, or one that shows that something
    ///    answered. If every finding is inconclusive, it said nothing.
    /// 2. The network is lost when more than half of those that count have failed when they were
    ///    asked last, and regained when more than half have answered.
    /// 3. One that fails for long while others answer is given up until it answers again.
    pub(in super::super) fn hear(
        &mut self,
        observation: &Observation,
        policy: &ProberPolicy,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let began = observation.started_at.min(now);
        let before = self.references.get(&observation.check).copied();
        if before.is_some_and(|before| began <= before.began) {
            return;
        }
        let told = observation.findings.iter().filter(|f| f.verdict != Verdict::Inconclusive);
        let answers: Vec<bool> = told.map(answered).collect();
        if answers.is_empty() {
            return;
        }
        let answered = answers.contains(&true);
        self.reached |= answered;
        let others = self.references.iter().filter(|(id, _)| **id != observation.check);
        let is_outvoted = !answered
            && self.lost_since.is_none()
            && others.into_iter().any(|(_, other)| other.known_to_answer && other.answered);
        let since = before.and_then(|before| before.outvoted_since).unwrap_or(began);
        let outvoted_since = is_outvoted.then_some(since);
        let is_given_up = outvoted_since.is_some_and(|since| began.since(since) > GIVEN_UP_AFTER);
        let was_known = before.is_some_and(|before| before.known_to_answer);
        let known_to_answer = answered || was_known && !is_given_up;
        let heard = Heard { began, answered, known_to_answer, outvoted_since };
        self.references.insert(observation.check.clone(), heard);
        self.judge(policy, now, events);
    }

    /// Ends what only time or a target's answer ends: a start without a network.
    pub(in super::super) fn go_on(
        &mut self,
        policy: &ProberPolicy,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) {
        if self.lost_since.is_some() && self.starting_until.is_some() {
            self.judge(policy, now, events);
        }
    }

    pub(super) fn judge(&mut self, policy: &ProberPolicy, now: Timestamp, events: &mut Vec<Event>) {
        let mut count = self.count(policy, Timestamp::EPOCH);
        let is_starting = count.total == 0 && self.is_starting(policy, now);
        if self.lost_since.is_none() {
            if is_starting && self.has_heard_nobody(policy) {
                let total = named(policy).count();
                count = Count { total, answered: 0, failed: total };
                self.starting_until.get_or_insert(now + STARTING);
            }
            if count.is_lost() {
                self.lost_since = Some(now);
                self.excused_before = self.excused;
                let kind = EventKind::NetworkLost { failing: count.failed, total: count.total };
                events.push(Event { at: now, kind });
            }
        } else if count.is_well() || count.total == 0 && !is_starting {
            (self.lost_since, self.regained_at) = (None, now);
            let excused = self.excused.saturating_sub(self.excused_before);
            events.push(Event { at: now, kind: EventKind::NetworkRegained { excused } });
        }
    }

    /// Whether all that the user named have been asked, and failed.
    fn has_heard_nobody(&self, policy: &ProberPolicy) -> bool {
        named(policy).all(|id| self.references.get(id).is_some_and(|heard| !heard.answered))
    }
}

fn named(policy: &ProberPolicy) -> impl Iterator<Item = &CheckId> {
    let is_named = |(_, reference): &(&CheckId, &ReferencePolicy)| reference.named;
    policy.references.iter().filter(is_named).map(|(id, _)| id)
}
