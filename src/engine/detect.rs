//! From runs to a decided health: a window of verdicts for every subject of a check, in each of
//! the variants that it runs for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::track::{Track, Word, health_of};
use crate::model::{
    CheckId, CheckPolicy, Event, EventKind, Finding, Flapping, Health, Observation, Span, Subject,
    Timestamp, Vantage, Variant, Verdict,
};

/// What is known of one check.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckState {
    /// When the latest run from each vantage began.
    seen: BTreeMap<Vantage, Timestamp>,
    /// Its subjects, if it has no variants.
    #[serde(flatten)]
    plain: Tracks,
    /// Those of each of its variants.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    variants: BTreeMap<Variant, Tracks>,
    /// When a run last told anything about the target.
    conclusive_at: Option<Timestamp>,
    /// When the latest run that told anything was heard, if it was no worse than what is decided.
    agreed_at: Option<Timestamp>,
    unsettled: bool,
    /// When a run was last taken in, whatever it told.
    #[serde(default)]
    observed_at: Option<Timestamp>,
}

/// What is known of the subjects of one variant, or of a check that has none. No variant has to do
/// with another: each may have a name of its own, with addresses of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Tracks {
    whole: Option<Track>,
    addresses: BTreeMap<IpAddr, Track>,
}

/// What one observation says of one variant, and by which rules it is weighed.
struct Round<'a> {
    check: &'a CheckId,
    variant: Option<&'a Variant>,
    policy: &'a CheckPolicy,
    flapping: Option<Flapping>,
    findings: BTreeMap<Subject, &'a Finding>,
    /// When the run began.
    at: Timestamp,
    now: Timestamp,
}

/// How an observation stands to what is decided.
#[derive(Debug, Default)]
struct Stock {
    /// Whether anything was decided by it.
    decided: bool,
    /// What it said of each subject that it told anything of, and what is decided of that.
    heard: Vec<(Health, Health)>,
    /// Whether a bad address was not mentioned.
    missing: bool,
}

impl CheckState {
    /// Every subject that is known in each variant, the whole first.
    pub fn subjects(&self) -> impl Iterator<Item = (Option<&Variant>, Subject, &Track)> {
        self.tracks().flat_map(|(variant, tracks)| {
            tracks.subjects().map(move |(subject, track)| (variant, subject, track))
        })
    }

    /// What is known of each variant, or of the check if it has none.
    pub(super) fn tracks(&self) -> impl Iterator<Item = (Option<&Variant>, &Tracks)> {
        let variants = self.variants.iter().map(|(variant, tracks)| (Some(variant), tracks));
        std::iter::once((None, &self.plain)).chain(variants)
    }

    /// When a run was last taken in, whatever it told.
    pub(super) fn observed_at(&self) -> Option<Timestamp> {
        self.observed_at
    }

    /// When a run last told anything about the target.
    pub fn conclusive_at(&self) -> Option<Timestamp> {
        self.conclusive_at
    }

    /// When the latest run that was taken in began.
    pub(super) fn latest_began_at(&self) -> Option<Timestamp> {
        self.seen.values().copied().max()
    }

    /// When the target was last heard, if what was heard then is no worse than what is decided.
    pub(super) fn agreed_at(&self) -> Option<Timestamp> {
        self.agreed_at
    }

    /// Whether the latest run disagrees with what is decided.
    pub(super) fn is_unsettled(&self) -> bool {
        self.unsettled
    }

    /// The subjects that speak for the check, of all its variants.
    pub(super) fn speaking(&self) -> impl Iterator<Item = &Track> {
        self.tracks().flat_map(|(_, tracks)| tracks.speaking())
    }

    /// Whether the observation began no later than the latest one of its vantage.
    pub(super) fn has_seen(&self, observation: &Observation) -> bool {
        let last = self.seen.get(&observation.vantage);
        last.is_some_and(|last| observation.started_at <= *last)
    }

    /// Whether a finding says something worse of its subject than is decided. What fails as a
    /// whole also says it of every address.
    pub(super) fn is_worse(&self, finding: &Finding) -> bool {
        let Some(said) = health_of(finding.verdict) else { return false };
        let tracks = match &finding.variant {
            None => Some(&self.plain),
            Some(variant) => self.variants.get(variant),
        };
        let Some(tracks) = tracks else { return true };
        let own = tracks.track(finding.subject);
        let others = tracks.addresses.values().filter(|_| finding.subject == Subject::Whole);
        own.is_none_or(|track| track.measured() < said)
            || others.into_iter().any(|track| track.measured() < said)
    }

    /// Forgets what the check no longer asks about.
    pub(super) fn adopt(&mut self, policy: &CheckPolicy) {
        if !policy.asks_about(None) {
            self.plain = Tracks::default();
        }
        self.variants.retain(|variant, _| policy.asks_about(Some(variant)));
    }

    /// Takes in one observation, and tells whether anything was decided by it:
    ///
    /// 1. An observation that began no later than the latest one of its vantage was here before,
    ///    and is nothing.
    /// 2. A finding of a variant that is not among the check's is of a run that was under way when
    ///    they changed, and is nothing either.
    /// 3. What is said of each variant goes to that variant's subjects ([`Tracks::observe`]).
    /// 4. What changes while its component is worked on is not unstable for it.
    pub(super) fn observe(
        &mut self,
        observation: &Observation,
        policy: &CheckPolicy,
        worked_on: bool,
        now: Timestamp,
        events: &mut Vec<Event>,
    ) -> bool {
        if self.has_seen(observation) {
            return false;
        }
        self.seen.insert(observation.vantage.clone(), observation.started_at);
        self.observed_at = Some(now);

        let mut stock = Stock::default();
        for (variant, findings) in by_variant(&observation.findings, policy) {
            let tracks = match variant {
                None => &mut self.plain,
                Some(variant) => self.variants.entry(variant.clone()).or_default(),
            };
            let (check, at) = (&observation.check, observation.started_at.min(now));
            let flapping = policy.flapping.filter(|_| !worked_on);
            let round = Round { check, variant, policy, flapping, findings, at, now };
            tracks.observe(&round, &mut stock, events);
        }
        self.take_stock(&stock, now);
        stock.decided
    }

    /// Notes how this observation stands to what is decided now.
    fn take_stock(&mut self, stock: &Stock, now: Timestamp) {
        let heard = &stock.heard;
        // A bad address that is missing is news as well: it may have been taken out of service.
        self.unsettled = stock.missing || heard.iter().any(|(said, decided)| said != decided);
        if !heard.is_empty() {
            self.conclusive_at = Some(now);
            let worse = heard.iter().any(|(said, decided)| said > decided);
            self.agreed_at = (!worse).then_some(now);
        }
    }
}

impl Tracks {
    fn subjects(&self) -> impl Iterator<Item = (Subject, &Track)> {
        let whole = self.whole.iter().map(|track| (Subject::Whole, track));
        whole.chain(self.addresses.iter().map(|(ip, track)| (Subject::Address(*ip), track)))
    }

    /// The subjects that speak for the variant:
    ///
    /// 1. One that is not decided says nothing.
    /// 2. Where addresses are decided, the whole only stands for finding them: it speaks when that
    ///    is in trouble, and does not water down "all addresses fail" when it is not.
    pub(super) fn speaking(&self) -> impl Iterator<Item = &Track> {
        let decided = |track: &&Track| track.health() != Health::Unknown;
        let by_address = self.addresses.values().any(|track| decided(&track));
        let whole = self.whole.iter().filter(move |track| !by_address || track.is_bad());
        whole.chain(self.addresses.values()).filter(decided)
    }

    /// The addresses that are decided.
    pub(super) fn decided_addresses(&self) -> impl Iterator<Item = (IpAddr, &Track)> {
        let all = self.addresses.iter().map(|(ip, track)| (*ip, track));
        all.filter(|(_, track)| track.health() != Health::Unknown)
    }

    /// How many of the decided addresses fail, and how many there are.
    pub(super) fn failing_addresses(&self) -> (usize, usize) {
        let fails = |track: &Track| track.health() == Health::Failing;
        self.decided_addresses().fold((0, 0), |(failing, total), (_, track)| {
            (failing + usize::from(fails(track)), total + 1)
        })
    }

    /// Takes in what an observation says of this variant:
    ///
    /// 1. An address that was not known is announced, unless it is among the first to be seen.
    /// 2. Each subject's window takes what the observation says of it ([`Self::words`]).
    /// 3. An address that has been missing for `recover_after` observations in a row, of those
    ///    that show which addresses there are, is gone: whatever it was, it no longer counts.
    fn observe(&mut self, round: &Round<'_>, stock: &mut Stock, events: &mut Vec<Event>) {
        self.meet(round, events);
        let words = self.words(&round.findings);
        for word in &words {
            let Some(track) = self.track_mut(word.subject) else { continue };
            let (from, unstable) = (track.health(), track.unstable_since());
            let changed = track.push(word, round.at, round.policy, round.flapping, round.now);
            if track.unstable_since() != unstable {
                events.push(round.event(EventKind::FlappingChanged {
                    check: round.check.clone(),
                    variant: round.variant.cloned(),
                    subject: word.subject,
                    since: track.unstable_since(),
                }));
            }
            if changed {
                stock.decided = true;
                let got_worse = track.health() > from && track.is_bad();
                events.push(round.event(EventKind::HealthChanged {
                    check: round.check.clone(),
                    variant: round.variant.cloned(),
                    subject: word.subject,
                    from,
                    to: track.health(),
                    reason: track.reason().filter(|_| got_worse).cloned(),
                    step: track.step().filter(|_| got_worse).cloned(),
                }));
            }
        }
        stock.decided |= self.part(round, events);
        stock.heard.extend(words.iter().filter_map(|word| {
            let track = self.track(word.subject)?;
            // A run that passes may count for less.
            let said = if word.verdict == Verdict::Pass { track.told()? } else { word.verdict };
            Some((health_of(said)?, track.measured()))
        }));
        stock.missing |= self.addresses.values().any(|track| track.absent > 0 && track.is_bad());
    }

    /// Makes tracks for subjects that were not known, and announces new addresses.
    fn meet(&mut self, round: &Round<'_>, events: &mut Vec<Event>) {
        let first = self.addresses.is_empty();
        for subject in round.findings.keys() {
            match subject {
                Subject::Whole => {
                    self.whole.get_or_insert_with(|| Track::new(round.now));
                }
                Subject::Address(ip) => {
                    let known = self.addresses.contains_key(ip);
                    self.addresses.entry(*ip).or_insert_with(|| Track::new(round.now)).absent = 0;
                    if !known && !first {
                        events.push(round.event(EventKind::AddressAppeared {
                            check: round.check.clone(),
                            variant: round.variant.cloned(),
                            subject: *subject,
                        }));
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
            step: finding.step.as_ref(),
            took: Some(finding.phases.total()).filter(|total| *total > Span::ZERO),
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
                    words.push(Word { subject, verdict, reason: None, step: None, took: None });
                }
            }
        }
        words
    }

    /// Counts who is missing, and takes leave of those that have been for long enough.
    fn part(&mut self, round: &Round<'_>, events: &mut Vec<Event>) -> bool {
        let findings = &round.findings;
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
            let stays = track.absent < round.policy.recover_after.fewest().get();
            if !stays {
                events.push(round.event(EventKind::AddressVanished {
                    check: round.check.clone(),
                    variant: round.variant.cloned(),
                    subject,
                }));
            }
            stays
        });
        self.addresses.len() < before
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

impl Round<'_> {
    fn event(&self, kind: EventKind) -> Event {
        Event { at: self.now, kind }
    }
}

/// For each variant that the check asks about, one finding for each subject: the worst, should an
/// observation name one twice.
fn by_variant<'a>(
    findings: &'a [Finding],
    policy: &CheckPolicy,
) -> BTreeMap<Option<&'a Variant>, BTreeMap<Subject, &'a Finding>> {
    let mut each: BTreeMap<_, BTreeMap<Subject, &'a Finding>> = BTreeMap::new();
    for finding in findings {
        let variant = finding.variant.as_ref();
        if !policy.asks_about(variant) {
            continue;
        }
        let slot = each.entry(variant).or_default().entry(finding.subject).or_insert(finding);
        if finding.verdict > slot.verdict {
            *slot = finding;
        }
    }
    each
}
