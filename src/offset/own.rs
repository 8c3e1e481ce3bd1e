//! Our own clock among the others: what the time is, and who says so.

use std::collections::BTreeMap;

use super::{agreement, agreement_of};
use crate::model::{ClockOffset, ClockReference, ClockSource, Span, Timestamp};

/// What the host's clock differs from ours by more than reading both can explain.
const STEP: u64 = 100_000;

/// What the host's clock may step by, however little ours may be off, and others' word still hold:
/// a time service sets it by less, and no date on the web is known much better.
const SMALL_STEP: u64 = 1_000_000;

/// So many must speak before most of them are believed.
const VOICES: usize = 3;

/// What the time is, as an offset against our own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its offset.
    pub offset: ClockOffset,
    /// Who says so.
    pub against: ClockReference,
}

/// One clock that speaks for the time.
#[derive(Clone, Copy, Debug)]
pub struct Voice<'a> {
    /// What it says.
    pub offset: ClockOffset,
    /// On whose behalf it is watched: those of one platform may well be wrong together.
    pub platform: &'a str,
}

/// The servers that were named to be trusted.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// What those say that were heard, one for each.
    pub heard: &'a [ClockOffset],
    /// How many they are.
    pub count: usize,
}

/// What is known of our own clock.
#[derive(Clone, Debug)]
pub struct Own {
    /// How far the host's clock is ahead of ours.
    wall_step: i64,
    /// How far it was, when it last stepped far.
    steady_step: i64,
    /// When that was: what was seen before may be by another time.
    stepped_at: Timestamp,
    /// The time that others have confirmed since, and when they last did.
    proven: Option<(Reference, Timestamp)>,
    now: Option<Reference>,
    /// Whether those who could tell the time contradict each other.
    unsure: bool,
}

impl Own {
    /// At the start nothing is proven.
    pub fn new(now: Timestamp, wall_step: i64) -> Self {
        let (steady_step, stepped_at) = (wall_step, now);
        Self { wall_step, steady_step, stepped_at, proven: None, now: None, unsure: false }
    }

    /// Notes how far the host's clock is ahead of ours, which may be off by `max_error`. After a
    /// step by more nothing is proven any more: either somebody set it, or the host slept and our
    /// clock stood still.
    pub fn look(&mut self, now: Timestamp, wall_step: i64, max_error: Span) {
        if wall_step.abs_diff(self.steady_step) > max_error.as_micros().max(SMALL_STEP) {
            *self = Self::new(now, wall_step);
        }
        self.wall_step = wall_step;
    }

    /// Since when the host's clock has not stepped.
    pub fn steady_since(&self) -> Timestamp {
        self.stepped_at
    }

    /// How far the host's clock is ahead of ours, where that is a step.
    pub fn step(&self) -> Option<i64> {
        Some(self.wall_step).filter(|step| step.unsigned_abs() > STEP)
    }

    /// What the time was last found to be.
    pub fn latest(&self) -> Option<Reference> {
        self.now
    }

    /// Whether those who could tell the time contradicted each other when they were last asked.
    pub fn is_unsure(&self) -> bool {
        self.unsure
    }

    /// What the time is at `now`, where anybody knows.
    ///
    /// 1. What more than half of `named`, the servers that were named to be trusted, agree on:
    ///    who is silent agrees with nobody. Fewer than three can be wrong together, or be alone in
    ///    the right; they are believed where our clock or most of `others` agree with them, and
    ///    where they contradict both nobody is sure.
    /// 2. Without that, what most of at least three voices agree on: each of `others`, and our
    ///    host. Before our host alone is believed (`settled`) nobody is believed against it.
    /// 3. Nor is ever a majority of one platform, which may well be wrong together. Then, and where
    ///    there is no majority, each platform has one voice, and our host has one.
    /// 4. A time that others have confirmed to be ours, within `max_error`, is proven, until the
    ///    host's clock steps: ours runs on by itself and cannot jump. So a majority that moves later
    ///    changes nothing.
    /// 5. Unless it is everybody that moves, of more than one platform: then it is us after all, as
    ///    after a pause of a virtual machine.
    /// 6. Where three or more speak and there is no such majority, nobody knows.
    /// 7. Where fewer speak, our host is believed, if it is `settled`.
    pub fn reference(
        &mut self,
        named: Named<'_>,
        others: &[Voice<'_>],
        (max_error, settled): (Span, bool),
        now: Timestamp,
    ) -> Option<Reference> {
        let remembered = self.remembered(now);
        (self.now, self.unsure) = self.find(named, others, settled, now);
        let confirmed = self.now.filter(|found| {
            found.against != ClockReference::Host && found.offset.certain() <= max_error
        });
        // What is only remembered is not confirmed.
        if let Some(found) = confirmed.filter(|found| Some(*found) != remembered) {
            self.proven = Some((found, now));
        }
        self.now
    }

    /// What the time is, and whether somebody contradicts it who may be right.
    fn find(
        &mut self,
        named: Named<'_>,
        others: &[Voice<'_>],
        settled: bool,
        now: Timestamp,
    ) -> (Option<Reference>, bool) {
        let agreed = agreement_of(named.count, named.heard);
        let agreed = agreed.map(|offset| Reference { offset, against: ClockReference::Ntp });
        if agreed.is_some() && named.count >= VOICES {
            return (agreed, false);
        }
        let ours = self.remembered(now).map_or_else(|| self.host(), |proven| proven.offset);
        let rest = self.by_others(others, settled, now);
        let Some(few) = agreed else { return (rest, settled && rest.is_none()) };
        let most = rest.filter(|rest| rest.against != ClockReference::Host);
        if [Some(ours), most.map(|most| most.offset)]
            .iter()
            .flatten()
            .any(|it| it.overlaps(few.offset))
        {
            return (agreed, false);
        }
        (most, settled)
    }

    fn by_others(
        &mut self,
        others: &[Voice<'_>],
        settled: bool,
        now: Timestamp,
    ) -> Option<Reference> {
        let proven = self.remembered(now);
        let host = proven.map_or_else(|| self.host(), |proven| proven.offset);
        let agreed = most(others, host);
        let by_agreement = |offset| Reference { offset, against: ClockReference::Agreement };
        match (agreed, proven) {
            (Some(agreed), Some(proven)) => Some(match agreed.intersect(proven.offset) {
                Some(both) => by_agreement(both),
                None if all_contradict(others, proven.offset) => {
                    self.proven = None;
                    by_agreement(agreed)
                }
                None => proven,
            }),
            (None, Some(proven)) => Some(proven),
            (Some(agreed), None) => {
                (settled || agreed.overlaps(host)).then(|| by_agreement(agreed))
            }
            (None, None) => (settled && others.len() + 1 < VOICES)
                .then_some(Reference { offset: host, against: ClockReference::Host }),
        }
    }

    /// What was proven, as far as it still holds.
    fn remembered(&self, now: Timestamp) -> Option<Reference> {
        let (reference, at) = self.proven?;
        Some(Reference { offset: reference.offset.aged(now.since(at)), ..reference })
    }

    /// What our host says. Where its clock and ours differ, one of them is wrong and nobody can tell
    /// which, so it is wide enough for both.
    fn host(&self) -> ClockOffset {
        let step = self.step().unwrap_or(0);
        ClockOffset { at_least: step.min(0), at_most: step.max(0), source: ClockSource::default() }
    }
}

/// What most of `others` and our `host` agree on, unless that is one platform against our host:
/// then, and where there is no majority, what most agree on if each platform has one voice.
fn most(others: &[Voice<'_>], host: ClockOffset) -> Option<ClockOffset> {
    let by_majority = |mut voices: Vec<ClockOffset>| {
        voices.push(host);
        if voices.len() < VOICES { None } else { agreement(&voices) }
    };
    let each = by_majority(others.iter().map(|voice| voice.offset).collect());
    let is_fair = |agreed: &ClockOffset| {
        let those = others.iter().filter(|voice| voice.offset.overlaps(*agreed));
        agreed.overlaps(host) || are_several(those)
    };
    each.filter(is_fair).or_else(|| {
        let mut platforms = BTreeMap::<&str, Vec<ClockOffset>>::new();
        for voice in others {
            platforms.entry(voice.platform).or_default().push(voice.offset);
        }
        by_majority(platforms.values().filter_map(|platform| agreement(platform)).collect())
    })
}

/// Whether none of those who speak admits `offset`, and they are of more than one platform.
fn all_contradict(others: &[Voice<'_>], offset: ClockOffset) -> bool {
    are_several(others) && !others.iter().any(|voice| voice.offset.overlaps(offset))
}

/// Whether they are of more than one platform.
fn are_several<'a>(voices: impl IntoIterator<Item = &'a Voice<'a>>) -> bool {
    let mut platforms = voices.into_iter().map(|voice| voice.platform);
    platforms.next().is_some_and(|first| platforms.any(|other| other != first))
}

#[cfg(test)]
mod tests {
    use super::{Named, Own, Reference, Voice};
    use crate::model::{ClockOffset, ClockReference, ClockSource, Span, Timestamp};

    const SECOND: i64 = 1_000_000;
    const YEAR: i64 = 365 * 24 * 3600 * SECOND;

    fn around(offset: i64) -> ClockOffset {
        let (at_least, at_most) = (offset - SECOND / 2, offset + SECOND / 2);
        ClockOffset { at_least, at_most, source: ClockSource::Date }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + seconds)
    }

    /// Our clock, and what others have said of it.
    struct World(Own);

    impl World {
        fn new() -> Self {
            Self(Own::new(at(0), 0))
        }

        fn hear(&mut self, seconds: i64, ntp: &[i64], others: &[(&str, i64)]) -> Option<Reference> {
            self.hear_of(ntp.len(), seconds, ntp, others)
        }

        /// Of so many servers that are named, only these are heard.
        fn hear_of(
            &mut self,
            count: usize,
            seconds: i64,
            ntp: &[i64],
            others: &[(&str, i64)],
        ) -> Option<Reference> {
            let ntp: Vec<ClockOffset> = ntp.iter().map(|offset| around(*offset)).collect();
            let others: Vec<Voice<'_>> = others
                .iter()
                .map(|(platform, offset)| Voice { offset: around(*offset), platform })
                .collect();
            let rules = (Span::from_secs(1), seconds >= 15);
            self.0.reference(Named { heard: &ntp, count }, &others, rules, at(seconds))
        }

        fn look(&mut self, seconds: i64, wall_step: i64) {
            self.0.look(at(seconds), wall_step, Span::from_secs(1));
        }

        /// By whom it is known that the time is `offset`.
        fn says(
            &mut self,
            seconds: i64,
            ntp: &[i64],
            others: &[(&str, i64)],
        ) -> Option<(ClockReference, bool)> {
            let found = self.hear(seconds, ntp, others)?;
            Some((found.against, found.offset.overlaps(around(0))))
        }
    }

    use ClockReference::{Agreement, Host, Ntp};

    #[test]
    fn those_that_were_named_come_first_then_most_of_all_and_our_host_last() {
        let mut world = World::new();
        assert_eq!(world.says(14, &[], &[("a", YEAR)]), None, "others may yet speak");
        assert_eq!(world.says(15, &[], &[("a", YEAR)]), Some((Host, true)));
        assert_eq!(world.says(16, &[], &[("a", YEAR), ("a", 0)]), Some((Agreement, true)));
        let mut world = World::new();
        assert_eq!(world.says(1, &[0, 0, YEAR], &[("a", YEAR)]), Some((Ntp, true)));
        let mut world = World::new();
        assert_eq!(world.says(1, &[YEAR; 3], &[("a", 0), ("a", 0)]), Some((Ntp, false)));
        assert!(World::new().says(20, &[0, YEAR], &[]).is_some_and(|it| it == (Host, true)));
    }

    #[test]
    fn where_three_disagree_nobody_knows() {
        let mut world = World::new();
        assert_eq!(world.says(20, &[], &[("a", YEAR), ("b", 2 * YEAR)]), None);
        // Two of four: our own clock and one that differs from all are the others.
        assert_eq!(world.says(20, &[], &[("a", YEAR), ("a", YEAR), ("a", 2 * YEAR)]), None);
    }

    #[test]
    fn what_was_proven_stands_against_a_majority_but_not_against_everybody() {
        let all = |a: i64, b: i64| [("a", a), ("a", a), ("a", a), ("b", b)];
        let mut world = World::new();
        assert_eq!(world.says(20, &[], &all(0, 0)), Some((Agreement, true)));
        assert_eq!(world.says(50, &[], &all(YEAR, 0)), Some((Agreement, true)));
        assert_eq!(world.says(90, &[], &all(YEAR, 0)[..3]), Some((Agreement, true)));
        assert_eq!(world.says(99, &[], &[]), Some((Agreement, true)));
        assert_eq!(world.says(100, &[], &all(YEAR, YEAR)), Some((Agreement, false)));
        // Not proven before, it is the majority that counts.
        let both = [("a", YEAR), ("a", YEAR), ("b", YEAR), ("b", 0)];
        assert_eq!(World::new().says(20, &[], &both), Some((Agreement, false)));
        assert_eq!(World::new().says(14, &[], &both), None);
    }

    #[test]
    fn one_platform_is_never_believed_against_our_host() {
        let mut world = World::new();
        let wrong = [("a", YEAR), ("a", YEAR), ("a", YEAR), ("b", 0)];
        assert_eq!(world.says(20, &[], &wrong[..3]), None);
        assert!(world.0.is_unsure());
        // Two that have nothing to do with each other tell who it is: our host and the other one.
        assert_eq!(world.says(20, &[], &wrong), Some((Agreement, true)));
        assert!(!world.0.is_unsure());
        assert_eq!(world.says(30, &[], &wrong[..3]), Some((Agreement, true)), "it is proven");
        let others = [("a", YEAR), ("a", YEAR), ("b", YEAR)];
        assert_eq!(World::new().says(20, &[], &others), Some((Agreement, false)));
    }

    #[test]
    fn an_ntp_server_that_is_left_alone_is_no_majority() {
        let mut world = World::new();
        let well = [("a", 0), ("b", 0)];
        let found = world.hear_of(3, 20, &[YEAR], &well).unwrap();
        assert_eq!((found.against, found.offset.overlaps(around(0))), (Agreement, true));
        let found = World::new().hear_of(3, 1, &[YEAR, YEAR], &well).unwrap();
        assert_eq!((found.against, found.offset.overlaps(around(0))), (Ntp, false));
    }

    #[test]
    fn fewer_than_three_ntp_servers_outvote_nobody_who_is_confirmed() {
        for ntp in [&[YEAR][..], &[YEAR, YEAR]] {
            let mut world = World::new();
            let well = [("a", 0), ("b", 0)];
            assert_eq!(world.says(20, ntp, &well), Some((Agreement, true)));
            assert!(world.0.is_unsure(), "somebody is wrong, and it may be us");
            assert_eq!(world.says(30, ntp, &[]), Some((Agreement, true)), "it is proven");
            assert!(world.0.is_unsure());
            // With nobody but our host nobody can tell which of the two it is.
            let mut world = World::new();
            assert_eq!((world.says(20, ntp, &[]), world.0.is_unsure()), (None, true));
            // With our host, or with most of the others, they tell.
            assert_eq!(world.says(20, &[0], &[("a", YEAR), ("a", YEAR)]), Some((Ntp, true)));
            assert!(!world.0.is_unsure());
            let wrong = [("a", YEAR), ("b", YEAR)];
            assert_eq!(World::new().says(20, ntp, &wrong), Some((Ntp, false)));
        }
    }

    #[test]
    fn a_time_service_may_set_the_hosts_clock_a_little() {
        let mut world = World::new();
        assert_eq!(world.says(20, &[], &[("a", 0), ("b", 0)]), Some((Agreement, true)));
        world.look(30, SECOND * 9 / 10);
        assert_eq!((world.0.step(), world.0.steady_since()), (Some(SECOND * 9 / 10), at(0)));
        let wrong = [("a", YEAR), ("a", YEAR), ("a", YEAR), ("b", 0)];
        assert_eq!(world.says(31, &[], &wrong), Some((Agreement, true)), "still proven");
        // Little steps add up.
        world.look(40, SECOND * 18 / 10);
        assert_eq!(world.0.steady_since(), at(40));
    }

    #[test]
    fn after_a_step_nothing_is_proven_until_others_say_so_again() {
        let mut world = World::new();
        assert_eq!(world.says(20, &[], &[("a", 0), ("b", 0)]), Some((Agreement, true)));
        world.look(30, 50_000);
        assert_eq!((world.0.step(), world.0.steady_since()), (None, at(0)));
        world.look(30, YEAR);
        assert_eq!((world.0.step(), world.0.steady_since()), (Some(YEAR), at(30)));
        let host = world.hear(31, &[], &[("a", 0)]).unwrap();
        assert_eq!((host.against, host.offset.at_least, host.offset.at_most), (Host, 0, YEAR));
        // Whichever of the two clocks is right, most others tell.
        assert_eq!(world.says(32, &[], &[("a", 0), ("b", 0)]), Some((Agreement, true)));
        let three = [("a", YEAR), ("a", YEAR), ("a", YEAR)];
        assert_eq!(world.says(33, &[], &three), Some((Agreement, true)), "proven again");
    }
}
