//! Whose trouble a failure is. When the references fail too, it is our own network's, and no
//! target is to blame; until they were heard, a failure that may be its doing waits.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::detect::CheckState;
use crate::model::{
    CheckId, Event, EventKind, Finding, Observation, PlatformId, Policy, ProberPolicy, Reason,
    Span, Timestamp, Verdict,
};

/// How long a failure waits for the references to be heard.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many runs of a check wait at most; the oldest are taken for the network's doing beyond it.
const MOST_WAITING: usize = 64;
/// How soon a reference may be asked again while a failure waits for it.
const SOON: Span = Span::from_secs(1);
/// How soon while the network is lost: nothing waits then but the end of it.
const WHILE_LOST: Span = Span::from_secs(5);
/// From so many on a single one is outvoted.
const MAJORITY: usize = 3;

/// What is known of our own network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Network {
    references: BTreeMap<CheckId, Heard>,
    lost_since: Option<Timestamp>,
    regained_at: Timestamp,
    /// Runs that wait for the references, in the order in which they came.
    waiting: Vec<Held>,
    /// When each platform last had a failure that may be the network's doing.
    suspects: BTreeMap<PlatformId, Timestamp>,
    excused: u64,
    /// What had been excused when the network was lost.
    excused_before: u64,
}

/// What was last heard of a reference.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Heard {
    /// When the run began.
    began: Timestamp,
    answered: bool,
    /// Whether it ever answered.
    known_to_answer: bool,
}

/// A run that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    observation: Observation,
    /// When it was heard.
    at: Timestamp,
    /// Whether it must last, since it spans several platforms.
    spans: bool,
    /// Whether it is known not to count.
    excused: bool,
}

/// How many references count, and what those say that were asked late enough.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    total: usize,
    answered: usize,
    failed: usize,
}

impl Count {
    /// More than half have answered; of fewer than three, one.
    fn is_well(self) -> bool {
        match self.total {
            0 => false,
            1..MAJORITY => self.answered > 0,
            total => self.answered * 2 > total,
        }
    }

    /// Half or more have failed; of fewer than three, all: one of two may be the one that is down.
    fn is_lost(self) -> bool {
        match self.total {
            0 => false,
            total @ 1..MAJORITY => self.failed == total,
            total => self.failed * 2 >= total,
        }
    }
}

impl Default for Network {
    fn default() -> Self {
        Self {
            references: BTreeMap::new(),
            lost_since: None,
            regained_at: Timestamp::EPOCH,
            waiting: Vec::new(),
            suspects: BTreeMap::new(),
            excused: 0,
            excused_before: 0,
        }
    }
}

impl Network {
    /// Since when our own network is lost, if it is.
    pub fn lost_since(&self) -> Option<Timestamp> {
        self.lost_since
    }

    /// From when on what was heard tells that all stayed well; `None` while nothing does.
    pub(super) fn trusted_since(&self) -> Option<Timestamp> {
        self.lost_since.is_none().then_some(self.regained_at)
    }

    /// How many runs of checks wait for the references to be heard.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many runs did not count, since our own network was to blame.
    pub fn excused(&self) -> u64 {
        self.excused
    }

    /// How soon references are to be asked again, if sooner than usual.
    pub(super) fn asks_within(&self) -> Option<Span> {
        if self.lost_since.is_some() {
            Some(WHILE_LOST)
        } else {
            (!self.waiting.is_empty()).then_some(SOON)
        }
    }

    /// Whether runs of `check` wait.
    pub(super) fn holds(&self, check: &CheckId) -> bool {
        self.waiting.iter().any(|held| held.observation.check == *check)
    }

    /// What the references say that count, in runs that began at `after` or later. One that the
    /// user did not name counts only once it has answered: what never did may be there for others.
    fn count(&self, policy: &ProberPolicy, after: Timestamp) -> Count {
        let mut count = Count::default();
        for (id, reference) in &policy.references {
            let heard = self.references.get(id);
            if !reference.named && !heard.is_some_and(|heard| heard.known_to_answer) {
                continue;
            }
            count.total += 1;
            if let Some(heard) = heard.filter(|heard| heard.began >= after) {
                count.answered += usize::from(heard.answered);
                count.failed += usize::from(!heard.answered);
            }
        }
        count
    }

    /// Whether every resolver that counts has failed.
    fn is_without_resolver(&self, policy: &ProberPolicy) -> bool {
        let resolvers = policy.references.iter().filter(|(_, reference)| reference.resolver);
        let mut heard = resolvers
            .filter_map(|(id, reference)| Some((reference, self.references.get(id)?)))
            .filter(|(reference, heard)| reference.named || heard.known_to_answer)
            .peekable();
        heard.peek().is_some() && heard.all(|(_, heard)| !heard.answered)
    }

    /// Takes in what a reference said:
    ///
    /// 1. It answered if any finding of its run is no failure, or one that shows that something
    ///    answered. If every finding is inconclusive, it said nothing.
    /// 2. The network is lost when half or more of those that count have failed when they were
    ///    asked last, and regained when more than half have answered.
    pub(super) fn hear(
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
        let known_to_answer = answered || before.is_some_and(|before| before.known_to_answer);
        let heard = Heard { began, answered, known_to_answer };
        self.references.insert(observation.check.clone(), heard);
        self.judge(policy, now, events);
    }

    /// Forgets references and platforms that a new policy does not name.
    pub(super) fn adopt(&mut self, policy: &Policy, now: Timestamp, events: &mut Vec<Event>) {
        self.references.retain(|id, _| policy.prober.references.contains_key(id));
        self.suspects.retain(|id, _| policy.platforms.contains_key(id));
        self.waiting.retain(|held| policy.checks.contains_key(&held.observation.check));
        self.judge(&policy.prober, now, events);
    }

    fn judge(&mut self, policy: &ProberPolicy, now: Timestamp, events: &mut Vec<Event>) {
        let count = self.count(policy, Timestamp::EPOCH);
        if self.lost_since.is_none() && count.is_lost() {
            self.lost_since = Some(now);
            self.excused_before = self.excused;
            let kind = EventKind::NetworkLost { failing: count.failed, total: count.total };
            events.push(Event { at: now, kind });
        } else if self.lost_since.is_some() && (count.is_well() || count.total == 0) {
            (self.lost_since, self.regained_at) = (None, now);
            let excused = self.excused.saturating_sub(self.excused_before);
            events.push(Event { at: now, kind: EventKind::NetworkRegained { excused } });
        }
    }

    /// Whether a run has to wait, and if so keeps it; one that waits already is not kept twice:
    ///
    /// 1. A failure that would make its subject worse and may be our network's doing waits, and
    ///    so does whatever comes of the same check after it.
    /// 2. Failures of several platforms within `confirm_after` must last that long, all of them.
    /// 3. A run that passes excuses those before it that must last.
    pub(super) fn keeps(
        &mut self,
        observation: &Observation,
        check: Option<&CheckState>,
        policy: &Policy,
        now: Timestamp,
    ) -> bool {
        let same = |held: &&mut Held| held.observation.check == observation.check;
        let known = self.waiting.iter_mut().filter(same).map(|held| &held.observation);
        let mut known = known.filter(|other| other.vantage == observation.vantage);
        if known.any(|other| other.started_at >= observation.started_at) {
            return true;
        }
        let is_suspect = is_suspect(observation, check);
        if !is_suspect && !self.holds(&observation.check) {
            return false;
        }
        let spans = is_suspect && self.spans(observation, policy, now);
        let passes = observation.findings.iter().any(|finding| finding.verdict == Verdict::Pass);
        if passes && !is_suspect {
            let before = self.waiting.iter_mut().filter(same).filter(|held| held.spans);
            before.for_each(|held| held.excused = true);
        }
        if self.waiting.iter_mut().filter(same).count() >= MOST_WAITING
            && let Some(oldest) = self.waiting.iter_mut().find(same)
        {
            oldest.excused = true;
        }
        let held = Held { observation: observation.clone(), at: now, spans, excused: false };
        self.waiting.push(held);
        true
    }

    /// Notes a failure that may be the network's doing, and tells whether there is one of another
    /// platform that is hardly older. Then what waits of that must last as well.
    fn spans(&mut self, observation: &Observation, policy: &Policy, now: Timestamp) -> bool {
        let within = policy.prober.confirm_after.to_duration();
        let Some(ours) = platform(&observation.check, policy) else { return false };
        self.suspects.insert(ours.clone(), now);
        self.suspects.retain(|_, at| now.since(*at) <= within);
        if self.suspects.len() < 2 {
            return false;
        }
        for held in &mut self.waiting {
            held.spans = true;
        }
        true
    }

    /// Until when a run waits at most.
    fn deadline(&self, held: &Held, policy: &ProberPolicy) -> Timestamp {
        let asked = self.count(policy, Timestamp::EPOCH).total > 0;
        let patience = if asked { PATIENCE } else { Duration::ZERO };
        held.after(policy) + patience
    }

    /// Those that no other run of the same check is in front of.
    fn first(&self) -> impl Iterator<Item = (usize, &Held)> {
        self.waiting.iter().enumerate().filter(|(place, held)| {
            let mut before = self.waiting.iter().take(*place);
            !before.any(|other| other.observation.check == held.observation.check)
        })
    }

    /// When something that waits has waited long enough.
    pub(super) fn next_deadline(&self, policy: &ProberPolicy) -> Option<Timestamp> {
        self.first().map(|(_, held)| self.deadline(held, policy)).min()
    }

    /// Gives the next run that need not wait any more, with what may be our network's doing
    /// excused if it is:
    ///
    /// 1. While the network is lost it is.
    /// 2. When more than half of the references have answered in runs that began late enough, the
    ///    network is well. Names may not be found for want of a resolver even so: that is ours.
    /// 3. What has waited long enough counts, by what is known by then.
    pub(super) fn release(
        &mut self,
        checks: &BTreeMap<CheckId, CheckState>,
        policy: &ProberPolicy,
        now: Timestamp,
    ) -> Option<Observation> {
        let lost = self.lost_since.is_some();
        let ready = |held: &Held| {
            let check = checks.get(&held.observation.check);
            lost || held.excused
                || !is_suspect(&held.observation, check)
                || self.count(policy, held.after(policy)).is_well()
                || self.deadline(held, policy) <= now
        };
        let place = self.first().find(|(_, held)| ready(held)).map(|(place, _)| place)?;
        let Held { mut observation, excused, .. } = self.waiting.remove(place);
        let is_ours: fn(&Reason) -> bool = if lost || excused {
            Reason::may_be_network
        } else if self.is_without_resolver(policy) {
            Reason::may_be_resolver
        } else {
            |_| false
        };
        self.excused += u64::from(excuse(&mut observation, is_ours));
        Some(observation)
    }
}

impl Held {
    /// From when on the references must have been asked for their answer to be about this run:
    /// from its end, as what happened in the middle of it is what it suffered from.
    fn after(&self, policy: &ProberPolicy) -> Timestamp {
        if self.spans {
            return self.at + policy.confirm_after;
        }
        (self.observation.started_at + self.observation.took).min(self.at)
    }
}

/// Makes inconclusive what `is_ours` to answer for; tells whether there was anything.
fn excuse(observation: &mut Observation, is_ours: fn(&Reason) -> bool) -> bool {
    let mut any = false;
    for finding in &mut observation.findings {
        if is_outside(finding) && finding.reason.as_ref().is_some_and(is_ours) {
            let detail = "the references do not answer either".to_owned();
            finding.verdict = Verdict::Inconclusive;
            finding.reason = Some(Reason::ProberOffline { detail });
            any = true;
        }
    }
    any
}

/// Whether the run says anything that would make a subject worse and may be our network's doing.
fn is_suspect(observation: &Observation, check: Option<&CheckState>) -> bool {
    observation.findings.iter().any(|finding| {
        is_outside(finding)
            && finding.verdict != Verdict::Inconclusive
            && finding.reason.as_ref().is_some_and(Reason::may_be_network)
            && check.is_none_or(|check| check.is_worse(finding))
    })
}

/// The loopback needs no network.
fn is_outside(finding: &Finding) -> bool {
    let address = finding.address.or(finding.subject.address());
    !address.is_some_and(|address| address.to_canonical().is_loopback())
}

fn answered(finding: &Finding) -> bool {
    finding.verdict != Verdict::Fail || finding.reason.as_ref().is_none_or(Reason::was_answered)
}

fn platform<'p>(check: &CheckId, policy: &'p Policy) -> Option<&'p PlatformId> {
    let component = &policy.checks.get(check)?.component;
    Some(&policy.components.get(component)?.platform)
}
