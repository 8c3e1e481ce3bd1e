//! What checks find, asked for real: over real sockets, of a platform that is as it is. A story's
//! hours pass in seconds, so not every run of it can be made.
//!
//! 1. Whatever the story does makes another state of the world. Every check is asked once in each,
//!    by a scout beside the prober, all at the same time.
//! 2. What took long then, be it a timeout or a slow answer, takes as long whenever it is asked: it
//!    is answered from that. Time does not pass meanwhile, so nobody could tell the difference.
//! 3. Where the world is random (packets are lost), one run is not all there is to know: the scout
//!    asks often, anew in each round, and each answer is one of those, by the round's seed. As from a
//!    pack of cards, each is told once before any is told again: what is rare must not come twice in
//!    a row because the one time that it was seen is told over and over.
//! 4. What is quick is asked for real when it is due: the first times in each state, and then as
//!    often as keeps the prober's own knowledge of clocks fresh; in between it is answered from the
//!    last time.
//! 5. What goes by the time (the age of records, clocks that are read on purpose, our own trouble)
//!    is asked for real each time; while it is slow, every ten minutes, but that what is slow by
//!    chance is asked again. What is slow and fails is answered from the scout's: no time that passes
//!    mends it.
//! 6. What says nothing, since we were in trouble ourselves, answers nothing else.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::seed::Seed;
use crate::check::Prober;
use crate::config::{Check, CheckKind, HttpExpect, JsonTest};
use crate::model::{CheckId, Observation, Span, Timestamp, Verdict};

/// What takes longer is slow.
const QUICK: Span = Span::from_millis(250);
/// How often a check is asked where the world is random.
pub const OFTEN: usize = 40;
/// How many runs the scout makes at the same time: more would wait for each other. Where each check is
/// asked often, most of the time is the network's.
const AT_ONCE: usize = 8;
const OFTEN_AT_ONCE: usize = 24;
/// How often it asks at most until something is quick: what was slow because this machine was busy
/// must not be slow for the rest of the story.
const TRIES: usize = 2;
/// So many runs in one state are real before one answers for others.
const FIRST: u32 = 2;
/// How long the last of them answers for those after it.
const FRESH: Duration = Duration::from_secs(600);

/// What was found in each state of one story's world, for all rounds of it.
#[derive(Debug, Default)]
pub struct Memory {
    states: BTreeMap<usize, BTreeMap<CheckId, Vec<Observation>>>,
}

/// What one round knows of the present state.
#[derive(Debug)]
pub(super) struct Answers {
    prober: Arc<Prober>,
    scout: Prober,
    state: usize,
    is_random: bool,
    /// What this round found itself in this state: how often, when last, and what.
    own: BTreeMap<CheckId, (u32, Timestamp, Observation)>,
    /// Which of the scout's this round has still to tell before it begins again.
    pack: BTreeMap<CheckId, Vec<usize>>,
    /// How many runs were made for real, and how many were answered from one of those.
    pub(super) real: u64,
    pub(super) retold: u64,
}

impl Answers {
    pub(super) fn new(prober: Arc<Prober>, scout: Prober) -> Self {
        let (own, pack) = (BTreeMap::new(), BTreeMap::new());
        Self { prober, scout, state: 0, is_random: false, own, pack, real: 0, retold: 0 }
    }

    /// The world is in its next state.
    pub(super) async fn changed(
        &mut self,
        memory: &mut Memory,
        checks: &BTreeMap<CheckId, Arc<Check>>,
        is_random: bool,
    ) {
        self.state += 1;
        self.is_random = is_random;
        self.own.clear();
        self.pack.clear();
        if !is_random && memory.states.contains_key(&self.state) {
            return;
        }
        let (times, at_once) = if is_random { (OFTEN, OFTEN_AT_ONCE) } else { (1, AT_ONCE) };
        let mut wanted = checks.values().flat_map(|check| std::iter::repeat_n(check, times));
        let (mut running, mut found) = (JoinSet::new(), BTreeMap::<CheckId, Vec<_>>::new());
        loop {
            while running.len() < at_once
                && let Some(check) = wanted.next()
            {
                let (scout, check) = (self.scout.clone(), Arc::clone(check));
                let tries = if is_random { 1 } else { TRIES };
                running.spawn(async move { quickest(&scout, &check, tries).await });
            }
            let Some(ended) = running.join_next().await else { break };
            // One that panicked is asked again when it is due.
            if let Ok(observation) = ended {
                found.entry(observation.check.clone()).or_default().push(observation);
            }
        }
        memory.states.insert(self.state, found);
    }

    /// What `check` finds at `now`.
    pub(super) async fn of(
        &mut self,
        check: &Check,
        now: Timestamp,
        memory: &Memory,
        seed: &mut Seed,
    ) -> Observation {
        if let Some(known) = self.known(check, now, memory, seed) {
            self.retold += 1;
            return Observation { started_at: now, ..known };
        }
        self.real += 1;
        let found = self.prober.run(check).await;
        let runs = self.own.get(&check.id).map_or(0, |(runs, ..)| *runs);
        self.own.insert(check.id.clone(), (runs + 1, now, found.clone()));
        found
    }

    fn known(
        &mut self,
        check: &Check,
        now: Timestamp,
        memory: &Memory,
        seed: &mut Seed,
    ) -> Option<Observation> {
        let scouted = memory.states.get(&self.state).and_then(|state| state.get(&check.id));
        let scouted: Vec<&Observation> =
            scouted.into_iter().flatten().filter(|seen| is_conclusive(seen)).collect();
        let is_slow = scouted.iter().any(|seen| seen.took > QUICK);
        let by_time = goes_by_the_time(check);
        let lasts = !by_time || is_slow && scouted.iter().all(|seen| fails(seen));
        if lasts && (self.is_random || is_slow) {
            let pack = self.pack.entry(check.id.clone()).or_default();
            if pack.is_empty() {
                *pack = seed.shuffled((0..scouted.len()).collect());
            }
            return scouted.get(pack.pop()?).map(|seen| (*seen).clone());
        }
        let (runs, at, last) = self.own.get(&check.id)?;
        let by_chance = self.is_random && last.took > QUICK;
        let answers = if by_time { is_slow && !by_chance } else { *runs >= FIRST };
        (answers && now.since(*at) < FRESH && is_conclusive(last)).then(|| last.clone())
    }
}

/// What is found with the least delay in so many tries; one that is quick is enough.
async fn quickest(scout: &Prober, check: &Check, tries: usize) -> Observation {
    let mut found = scout.run(check).await;
    for _ in 1..tries {
        if found.took <= QUICK {
            break;
        }
        let again = scout.run(check).await;
        if again.took < found.took {
            found = again;
        }
    }
    found
}

/// How long a run or a delivery counts to have taken in the story. What is quick takes what `seed`
/// says, up to a quarter of a second, and what is not up to the next quarter: how busy this machine
/// is, is no part of the story.
pub(super) fn counted(took: Span, seed: &mut Seed) -> Duration {
    if took <= QUICK {
        return Duration::from_millis(10) + seed.within(Duration::from_millis(240));
    }
    let quarters = took.as_micros().div_ceil(250_000);
    Duration::from_millis(quarters.saturating_mul(250))
}

fn is_conclusive(observation: &Observation) -> bool {
    observation.findings.iter().any(|finding| finding.verdict != Verdict::Inconclusive)
}

/// Whether nothing that was asked was well.
fn fails(observation: &Observation) -> bool {
    observation.findings.iter().all(|finding| finding.verdict == Verdict::Fail)
}

/// Whether a later run of `check` may find something else although nothing happened.
fn goes_by_the_time(check: &Check) -> bool {
    let own = |check: &Check| match &check.kind {
        CheckKind::Clock(_) | CheckKind::Prober(_) => true,
        CheckKind::Http(http) => has_records(&http.expect),
        CheckKind::Login(login) => login.steps.iter().any(|step| has_records(&step.expect)),
        CheckKind::Dns(_)
        | CheckKind::Tcp(_)
        | CheckKind::Tls(_)
        | CheckKind::Icmp(_)
        | CheckKind::Grpc(_)
        | CheckKind::Websocket(_) => false,
    };
    own(check) || check.variants.iter().any(|(_, variant)| own(variant))
}

fn has_records(expect: &HttpExpect) -> bool {
    let mut tests = expect.json.iter().flat_map(|json| &json.tests);
    tests.any(|test| matches!(test, JsonTest::Record(_)))
}

#[cfg(test)]
mod tests {
    use super::{Seed, counted};
    use crate::model::Span;

    #[test]
    fn how_busy_the_machine_is_is_no_part_of_the_story() {
        let of =
            |millis, seed| counted(Span::from_millis(millis), &mut Seed::new(seed)).as_millis();
        assert_eq!(of(3, 5), of(240, 5), "quick is quick");
        assert_ne!(of(3, 5), of(3, 6));
        assert!((0..200).all(|seed| (10..250).contains(&of(1, seed))));
        assert_eq!([of(251, 1), of(1_203, 1), of(2_003, 1)], [500, 1_250, 2_250]);
    }
}
