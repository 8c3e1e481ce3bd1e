//! From runs to a decided health: one window of verdicts for every subject of a check, with
//! hysteresis, so that one bad answer is noise and several are a fact.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::model::{
    CheckPolicy, Event, EventKind, Finding, Health, Observation, Reason, Subject, Timestamp,
    Vantage, Verdict,
};

/// What is known of one check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckState {
    /// When the latest run from each vantage began.
    seen: BTreeMap<Vantage, Timestamp>,
    whole: Option<Track>,
    addresses: BTreeMap<IpAddr, Track>,
    /// When a run last told anything about the target.
    conclusive_at: Option<Timestamp>,
    /// When the latest run that told anything was heard, if it was no worse than what is decided.
    agreed_at: Option<Timestamp>,
    unsettled: bool,
    /// When a run was last taken in, whatever it told.
    #[serde(default)]
    observed_at: Option<Timestamp>,
}

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
    window: Vec<Run>,
    /// In how many observations in a row this address was missing.
    absent: u32,
}

/// One conclusive run, as the window keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Run {
    at: Timestamp,
    verdict: Verdict,
}

/// What one observation says of one subject.
struct Word<'a> {
    subject: Subject,
    verdict: Verdict,
    reason: Option<&'a Reason>,
}

impl CheckState {
    /// Every subject that is known, the whole first.
    pub fn subjects(&self) -> impl Iterator<Item = (Subject, &Track)> {
        let whole = self.whole.iter().map(|track| (Subject::Whole, track));
        whole.chain(self.addresses.iter().map(|(ip, track)| (Subject::Address(*ip), track)))
    }

    /// When a run was last taken in, whatever it told.
    pub(super) fn observed_at(&self) -> Option<Timestamp> {
        self.observed_at
    }

    /// When a run last told anything about the target.
    pub fn conclusive_at(&self) -> Option<Timestamp> {
        self.conclusive_at
    }

    /// When the target was last heard, if what was heard then is no worse than what is decided.
    pub(super) fn agreed_at(&self) -> Option<Timestamp> {
        self.agreed_at
    }

    /// Whether the latest run disagrees with what is decided.
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// The subjects that speak for the check:
    ///
    /// 1. One that is not decided says nothing.
    /// 2. Where addresses are decided, the whole only stands for finding them: it speaks when that
    ///    is in trouble, and does not water down "all addresses fail" when it is not.
    pub(super) fn speaking(&self) -> impl Iterator<Item = &Track> {
        let decided = |track: &&Track| track.health != Health::Unknown;
        let by_address = self.addresses.values().any(|track| decided(&track));
        let whole = self.whole.iter().filter(move |track| !by_address || track.is_bad());
        whole.chain(self.addresses.values()).filter(decided)
    }

    /// The addresses that are decided.
    pub(super) fn decided_addresses(&self) -> impl Iterator<Item = (IpAddr, &Track)> {
        let all = self.addresses.iter().map(|(ip, track)| (*ip, track));
        all.filter(|(_, track)| track.health != Health::Unknown)
    }

    /// How many of the decided addresses fail, and how many there are.
    pub(super) fn failing_addresses(&self) -> (usize, usize) {
        let fails = |track: &Track| track.health == Health::Failing;
        self.decided_addresses().fold((0, 0), |(failing, total), (_, track)| {
            (failing + usize::from(fails(track)), total + 1)
        })
    }

    /// Takes in one observation, and tells whether anything was decided by it:
    ///
    /// 1. An observation that began no later than the latest one of its vantage was here before,
    ///    and is nothing.
    /// 2. An address that was not known is announced, unless it is among the first to be seen.
    /// 3. Each subject's window takes what the observation says of it ([`Self::words`]).
    /// 4. An address that has been missing for `recover_after` observations in a row, of those
    ///    that show which addresses there are, is gone: whatever it was, it no longer counts.
    pub(super) fn observe(
        &mut self,
        observation: &Observation,
        policy: &CheckPolicy,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) -> bool {
        let last = self.seen.get(&observation.vantage);
        if last.is_some_and(|last| observation.started_at <= *last) {
            return false;
        }
        self.seen.insert(observation.vantage.clone(), observation.started_at);
        self.observed_at = Some(now);

        let findings = by_subject(&observation.findings);
        self.meet(&findings, observation, now, events);
        let words = self.words(&findings);
        let at = observation.started_at.min(now);
        let mut decided = false;
        for word in &words {
            let Some(track) = self.track_mut(word.subject) else { continue };
            let from = track.health;
            if track.push(word, at, policy, now) {
                decided = true;
                let reason = track.reason.clone().filter(|_| track.health > from && track.is_bad());
                events.push(Event {
                    at: now,
                    kind: EventKind::HealthChanged {
                        check: observation.check.clone(),
                        subject: word.subject,
                        from,
                        to: track.health,
                        reason,
                    },
                });
            }
        }
        decided |= self.part(&findings, observation, policy, now, events);
        self.take_stock(&words, now);
        decided
    }

    /// Makes tracks for subjects that were not known, and announces new addresses.
    fn meet(
        &mut self,
        findings: &BTreeMap<Subject, &Finding>,
        observation: &Observation,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) {
        let first = self.addresses.is_empty();
        for subject in findings.keys() {
            match subject {
                Subject::Whole => {
                    self.whole.get_or_insert_with(|| Track::new(now));
                }
                Subject::Address(ip) => {
                    let known = self.addresses.contains_key(ip);
                    self.addresses.entry(*ip).or_insert_with(|| Track::new(now)).absent = 0;
                    if !known && !first {
                        let (check, subject) = (observation.check.clone(), *subject);
                        let kind = EventKind::AddressAppeared { check, subject };
                        events.push(Event { at: now, kind });
                    }
                }
            }
        }
    }

    /// What an observation says of the subjects that are known:
    ///
    /// 1. A finding speaks for its own subject.
    /// 2. If the whole fails (the name does not resolve), that also counts against every known
    ///    address that has no finding of its own: no customer reaches it either.
    /// 3. If the whole is known but not mentioned, and some address gave an answer, the whole has
    ///    passed: the addresses were found.
    fn words<'a>(&self, findings: &BTreeMap<Subject, &'a Finding>) -> Vec<Word<'a>> {
        let said = |subject: Subject, finding: &'a Finding| Word {
            subject,
            verdict: finding.verdict,
            reason: finding.reason.as_ref(),
        };
        let mut words: Vec<Word<'a>> =
            findings.iter().map(|(subject, finding)| said(*subject, finding)).collect();
        match findings.get(&Subject::Whole) {
            Some(whole) if whole.verdict == Verdict::Fail => {
                let others = self.addresses.keys().map(|ip| Subject::Address(*ip));
                let silent = others.filter(|subject| !findings.contains_key(subject));
                words.extend(silent.map(|subject| said(subject, whole)));
            }
            Some(_) => {}
            None => {
                let heard = words.iter().any(|word| word.verdict != Verdict::Inconclusive);
                if self.whole.is_some() && heard {
                    let (subject, verdict) = (Subject::Whole, Verdict::Pass);
                    words.push(Word { subject, verdict, reason: None });
                }
            }
        }
        words
    }

    /// Counts who is missing, and takes leave of those that have been for long enough.
    fn part(
        &mut self,
        findings: &BTreeMap<Subject, &Finding>,
        observation: &Observation,
        policy: &CheckPolicy,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) -> bool {
        // A check that no longer asks every address reports passes of the whole alone; without
        // the second half its old addresses would stand as they were for ever.
        let shows = match findings.get(&Subject::Whole).map(|whole| whole.verdict) {
            Some(Verdict::Fail) => false,
            Some(Verdict::Pass | Verdict::Degraded) => true,
            Some(Verdict::Inconclusive) | None => {
                findings.keys().any(|subject| *subject != Subject::Whole)
            }
        };
        if !shows {
            return false;
        }
        let before = self.addresses.len();
        self.addresses.retain(|ip, track| {
            let subject = Subject::Address(*ip);
            if findings.contains_key(&subject) {
                return true;
            }
            track.absent = track.absent.saturating_add(1);
            let stays = track.absent < policy.recover_after.get();
            if !stays {
                let check = observation.check.clone();
                events.push(Event { at: now, kind: EventKind::AddressVanished { check, subject } });
            }
            stays
        });
        self.addresses.len() < before
    }

    /// Notes how this observation stands to what is decided now.
    fn take_stock(&mut self, words: &[Word<'_>], now: Timestamp) {
        let heard: Vec<(Health, Health)> = words
            .iter()
            .filter_map(|word| Some((health_of(word.verdict)?, self.track(word.subject)?.health)))
            .collect();
        // A bad address that is missing is news as well: it may have been taken out of service.
        let missing = self.addresses.values().any(|track| track.absent > 0 && track.is_bad());
        self.unsettled = missing || heard.iter().any(|(said, decided)| said != decided);
        if !heard.is_empty() {
            self.conclusive_at = Some(now);
            let worse = heard.iter().any(|(said, decided)| said > decided);
            self.agreed_at = (!worse).then_some(now);
        }
    }

    fn track(&self, subject: Subject) -> Option<&Track> {
        match subject {
            Subject::Whole => self.whole.as_ref(),
            Subject::Address(ip) => self.addresses.get(&ip),
        }
    }

    fn track_mut(&mut self, subject: Subject) -> Option<&mut Track> {
        match subject {
            Subject::Whole => self.whole.as_mut(),
            Subject::Address(ip) => self.addresses.get_mut(&ip),
        }
    }
}

impl Track {
    fn new(now: Timestamp) -> Self {
        Self {
            health: Health::Unknown,
            since: now,
            bad_since: None,
            reason: None,
            latest_reason: None,
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
    fn push(
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
            (self.bad_since, self.reason) = (None, None);
        } else {
            self.reason.clone_from(&self.latest_reason);
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
fn health_of(verdict: Verdict) -> Option<Health> {
    match verdict {
        Verdict::Inconclusive => None,
        Verdict::Pass => Some(Health::Passing),
        Verdict::Degraded => Some(Health::Degraded),
        Verdict::Fail => Some(Health::Failing),
    }
}

/// One finding for each subject: the worst, should an observation name one twice.
fn by_subject(findings: &[Finding]) -> BTreeMap<Subject, &Finding> {
    let mut worst: BTreeMap<Subject, &Finding> = BTreeMap::new();
    for finding in findings {
        let slot = worst.entry(finding.subject).or_insert(finding);
        if finding.verdict > slot.verdict {
            *slot = finding;
        }
    }
    worst
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
