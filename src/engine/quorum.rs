//! Whose trouble a failure is. When the references fail too, it is our own network's, and no
//! target is to blame; until they were heard, a failure that may be its doing waits.

mod references;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::references::Heard;
use super::detect::CheckState;
use crate::model::{
    CheckId, Event, Finding, Observation, PlatformId, Policy, ProberPolicy, Reason, Span,
    Timestamp, Verdict,
};

/// How long a failure waits for the references to be heard.
const PATIENCE: Duration = Duration::from_secs(15);
/// How many runs of a check wait at most. Beyond it one from the middle is left out: what began it
/// and what came last tell most.
const MOST_WAITING: usize = 64;
/// How soon a reference may be asked again while a failure waits for it.
const SOON: Span = Span::from_secs(1);
/// How soon while the network is lost: nothing waits then but the end of it.
const WHILE_LOST: Span = Span::from_secs(5);

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
    /// Whether anything ever answered, be it a reference or a target that is not on the loopback.
    #[serde(default)]
    reached: bool,
    /// Until when a start where nothing answers is taken for one without a network.
    #[serde(default)]
    starting_until: Option<Timestamp>,
}

/// A run that waits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    observation: Observation,
    /// When it was heard.
    at: Timestamp,
    /// When the first was heard of those of its check that wait together.
    #[serde(default)]
    since: Option<Timestamp>,
    /// Whether it must last, since it spans several platforms.
    spans: bool,
    /// Whether it is known not to count, as what it told of was over at once.
    excused: bool,
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
            reached: false,
            starting_until: None,
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

    /// Since when the first of them waits.
    pub fn held_since(&self) -> Option<Timestamp> {
        self.waiting.iter().map(|held| held.at).min()
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

    /// Forgets references and platforms that a new policy does not name.
    pub(super) fn adopt(&mut self, policy: &Policy, now: Timestamp, events: &mut Vec<Event>) {
        self.references.retain(|id, _| policy.prober.references.contains_key(id));
        self.suspects.retain(|id, _| policy.platforms.contains_key(id));
        self.waiting.retain(|held| policy.checks.contains_key(&held.observation.check));
        self.judge(&policy.prober, now, events);
    }

    /// Whether a run has to wait, and if so keeps it; one that waits already is not kept twice:
    ///
    /// 1. A failure that would make its subject worse and may be our network's doing waits, and
    ///    so does whatever comes of the same check after it.
    /// 2. Failures of several platforms within `confirm_after` must last that long, all of them.
    /// 3. A single failure that must last is over if the next run passes, and then does not count.
    ///    After more than one it is the check's own threshold that judges.
    pub(super) fn keeps(
        &mut self,
        observation: &Observation,
        check: Option<&CheckState>,
        policy: &Policy,
        now: Timestamp,
    ) -> bool {
        self.reached |=
            observation.findings.iter().any(|finding| is_from_outside(finding, &policy.prober));
        let same = |held: &Held| held.observation.check == observation.check;
        let known = self.waiting.iter().filter(|held| same(held)).map(|held| &held.observation);
        let mut known = known.filter(|other| other.vantage == observation.vantage);
        if known.any(|other| other.started_at >= observation.started_at) {
            return true;
        }
        let is_suspect = is_suspect(observation, check, &policy.prober);
        if !is_suspect && !self.holds(&observation.check) {
            return false;
        }
        let spans = is_suspect && self.spans(observation, policy, now);
        let passes = observation.findings.iter().any(|finding| finding.verdict == Verdict::Pass);
        let places: Vec<usize> =
            (0..self.waiting.len()).filter(|place| same(&self.waiting[*place])).collect();
        if let [only] = *places
            && passes
            && !is_suspect
            && self.waiting[only].spans
        {
            self.waiting[only].excused = true;
        }
        let since = places.first().map_or(now, |first| self.waiting[*first].since());
        if places.len() >= MOST_WAITING {
            self.waiting.remove(places[places.len() / 2]);
        }
        let since = Some(since);
        let held = Held { observation: observation.clone(), at: now, since, spans, excused: false };
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
        let asked = self.is_asked(policy, held.at);
        let patience = if asked { PATIENCE } else { Duration::ZERO };
        // Together with the first, or one that fails again and again would wait for ever.
        held.since()
            + if held.spans { policy.confirm_after.to_duration() } else { Duration::ZERO }
            + patience
    }

    /// Those that no other run of the same check is in front of.
    fn first(&self) -> impl Iterator<Item = (usize, &Held)> {
        let mut seen = BTreeSet::new();
        self.waiting
            .iter()
            .enumerate()
            .filter(move |(_, held)| seen.insert(&held.observation.check))
    }

    /// When something that waits has waited long enough.
    pub(super) fn next_deadline(&self, policy: &ProberPolicy) -> Option<Timestamp> {
        let starting = self.lost_since.and(self.starting_until).filter(|_| !self.reached);
        self.first().map(|(_, held)| self.deadline(held, policy)).chain(starting).min()
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
                || !is_suspect(&held.observation, check, policy)
                || self.count(policy, held.after(policy)).is_well()
                || self.deadline(held, policy) <= now
        };
        let place = self.first().find(|(_, held)| ready(held)).map(|(place, _)| place)?;
        let Held { mut observation, excused, .. } = self.waiting.remove(place);
        let mut excuse = |is_ours: fn(&Reason) -> bool, instead: &Reason| {
            excuse(&mut observation, policy, is_ours, instead)
        };
        let any = if lost {
            let detail = "the references do not answer either".to_owned();
            let reason = Reason::ProberOffline { detail };
            excuse(Reason::may_be_network, &reason)
        } else if excused {
            excuse(Reason::may_be_network, &Reason::ProberBlip)
        } else if self.is_without_resolver(policy) {
            let detail = "no resolver of this host answers".to_owned();
            let reason = Reason::ProberOffline { detail };
            excuse(Reason::may_be_resolver, &reason)
        } else {
            false
        };
        self.excused += u64::from(any);
        Some(observation)
    }
}

impl Held {
    /// From when on the references must have been asked for their answer to be about this run:
    /// from its end, as what happened in the middle of it is what it suffered from.
    fn after(&self, policy: &ProberPolicy) -> Timestamp {
        let end = (self.observation.started_at + self.observation.took).min(self.at);
        if self.spans { end.max(self.since() + policy.confirm_after) } else { end }
    }

    fn since(&self) -> Timestamp {
        self.since.unwrap_or(self.at)
    }
}

/// Makes inconclusive what `is_ours` to answer for; tells whether there was anything.
fn excuse(
    observation: &mut Observation,
    policy: &ProberPolicy,
    is_ours: fn(&Reason) -> bool,
    instead: &Reason,
) -> bool {
    let mut any = false;
    for finding in &mut observation.findings {
        if is_outside(finding, policy) && finding.reason.as_ref().is_some_and(is_ours) {
            finding.verdict = Verdict::Inconclusive;
            finding.reason = Some(instead.clone());
            any = true;
        }
    }
    any
}

/// Whether the run says anything that would make a subject worse and may be our network's doing.
fn is_suspect(
    observation: &Observation,
    check: Option<&CheckState>,
    policy: &ProberPolicy,
) -> bool {
    observation.findings.iter().any(|finding| {
        is_outside(finding, policy)
            && finding.verdict != Verdict::Inconclusive
            && finding.reason.as_ref().is_some_and(Reason::may_be_network)
            && check.is_none_or(|check| check.is_worse(finding))
    })
}

/// Whether it shows that something answers that only our network leads to.
fn is_from_outside(finding: &Finding, policy: &ProberPolicy) -> bool {
    let address = finding.address.or(finding.subject.address());
    address.is_some()
        && is_outside(finding, policy)
        && finding.verdict != Verdict::Inconclusive
        && answered(finding)
}

/// The loopback needs no network, unless the policy says that it leads to other hosts.
fn is_outside(finding: &Finding, policy: &ProberPolicy) -> bool {
    let address = finding.address.or(finding.subject.address());
    let is_loopback = address.is_some_and(|address| address.to_canonical().is_loopback());
    policy.loopback_leads_outside || !is_loopback
}

fn answered(finding: &Finding) -> bool {
    finding.verdict != Verdict::Fail || finding.reason.as_ref().is_none_or(Reason::was_answered)
}

fn platform<'p>(check: &CheckId, policy: &'p Policy) -> Option<&'p PlatformId> {
    let component = &policy.checks.get(check)?.component;
    Some(&policy.components.get(component)?.platform)
}
