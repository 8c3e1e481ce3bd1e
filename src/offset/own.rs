//! Our own clock among the others: what the time is, and who says so.

use crate::model::{ClockOffset, ClockReference, ClockSource, Span, Timestamp};

use super::agreement;

/// What the host's clock differs from ours by more than reading both can explain.
const STEP: u64 = 100_000;

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

/// What is known of our own clock.
#[derive(Clone, Debug)]
pub struct Own {
    /// How far the host's clock is ahead of ours.
    wall_step: i64,
    /// When it was last seen to step: what was seen before may be by another time.
    stepped_at: Timestamp,
    /// The time that others have confirmed since, and when they last did.
    proven: Option<(Reference, Timestamp)>,
    now: Option<Reference>,
}

impl Own {
    /// At the start nothing is proven.
    pub fn new(now: Timestamp, wall_step: i64) -> Self {
        Self { wall_step, stepped_at: now, proven: None, now: None }
    }

    /// Notes how far the host's clock is ahead of ours. After a step nothing is proven any more:
    /// either somebody set it, or the host slept and our clock stood still.
    pub fn look(&mut self, now: Timestamp, wall_step: i64) {
        if wall_step.abs_diff(self.wall_step) > STEP {
            *self = Self::new(now, wall_step);
        }
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

    /// What the time is at `now`, where anybody knows.
    ///
    /// 1. What most of `ntp`, the servers that were named to be trusted, agree on.
    /// 2. Without that, what most of at least three voices agree on: each of `others`, and our
    ///    host. Before our host alone is believed (`settled`) nobody is believed against it.
    /// 3. A time that others have confirmed to be ours, within `max_error`, is proven, until the
    ///    host's clock steps: ours runs on by itself and cannot jump. So a majority that moves later
    ///    changes nothing.
    /// 4. Unless it is everybody that moves, of more than one platform: then it is us after all, as
    ///    after a pause of a virtual machine.
    /// 5. Where three or more speak and there is no majority, nobody knows.
    /// 6. Where fewer speak, our host is believed, if it is `settled`.
    pub fn reference(
        &mut self,
        ntp: &[ClockOffset],
        others: &[Voice<'_>],
        (max_error, settled): (Span, bool),
        now: Timestamp,
    ) -> Option<Reference> {
        self.now = self.find(ntp, others, settled, now);
        let confirmed = self.now.filter(|found| {
            found.against != ClockReference::Host && found.offset.certain() <= max_error
        });
        // What is only remembered is not confirmed.
        if let Some(found) = confirmed.filter(|found| Some(*found) != self.remembered(now)) {
            self.proven = Some((found, now));
        }
        self.now
    }

    fn find(
        &mut self,
        ntp: &[ClockOffset],
        others: &[Voice<'_>],
        settled: bool,
        now: Timestamp,
    ) -> Option<Reference> {
        if let Some(offset) = agreement(ntp) {
            return Some(Reference { offset, against: ClockReference::Ntp });
        }
        let proven = self.remembered(now);
        let host = proven.map_or_else(|| self.host(), |proven| proven.offset);
        let mut voices: Vec<ClockOffset> = others.iter().map(|voice| voice.offset).collect();
        voices.push(host);
        let agreed = if voices.len() < VOICES { None } else { agreement(&voices) };
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
            (None, None) => (settled && voices.len() < VOICES)
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

/// Whether none of those who speak admits `offset`, and they are of more than one platform.
fn all_contradict(others: &[Voice<'_>], offset: ClockOffset) -> bool {
    let mut platforms: Vec<&str> = others.iter().map(|voice| voice.platform).collect();
    platforms.sort_unstable();
    platforms.dedup();
    platforms.len() > 1 && !others.iter().any(|voice| voice.offset.overlaps(offset))
}

#[cfg(test)]
mod tests {
    use super::{Own, Reference, Voice};
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
            let ntp: Vec<ClockOffset> = ntp.iter().map(|offset| around(*offset)).collect();
            let others: Vec<Voice<'_>> = others
                .iter()
                .map(|(platform, offset)| Voice { offset: around(*offset), platform })
                .collect();
            let rules = (Span::from_secs(1), seconds >= 15);
            self.0.reference(&ntp, &others, rules, at(seconds))
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
        assert_eq!(world.says(1, &[YEAR], &[("a", 0), ("a", 0)]), Some((Ntp, false)));
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
        assert_eq!(World::new().says(20, &[], &all(YEAR, 0)), Some((Agreement, false)));
        assert_eq!(World::new().says(14, &[], &all(YEAR, 0)), None);
    }

    #[test]
    fn after_a_step_nothing_is_proven_until_others_say_so_again() {
        let mut world = World::new();
        assert_eq!(world.says(20, &[], &[("a", 0), ("b", 0)]), Some((Agreement, true)));
        world.0.look(at(30), 50_000);
        assert_eq!((world.0.step(), world.0.steady_since()), (None, at(0)));
        world.0.look(at(30), YEAR);
        assert_eq!((world.0.step(), world.0.steady_since()), (Some(YEAR), at(30)));
        let host = world.hear(31, &[], &[("a", 0)]).unwrap();
        assert_eq!((host.against, host.offset.at_least, host.offset.at_most), (Host, 0, YEAR));
        // Whichever of the two clocks is right, most others tell.
        assert_eq!(world.says(32, &[], &[("a", 0), ("b", 0)]), Some((Agreement, true)));
        let three = [("a", YEAR), ("a", YEAR), ("a", YEAR)];
        assert_eq!(world.says(33, &[], &three), Some((Agreement, true)), "proven again");
    }
}
