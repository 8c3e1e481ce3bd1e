//! How fast a story is told: the story's time against real time, by stretches.

use std::time::Duration;

use crate::model::Timestamp;

/// How fast a story is told, and from when on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tempo {
    /// From when on, and how many seconds of the story a real one is worth; in their order. Before
    /// the first of them, its speed holds.
    stretches: Vec<(Timestamp, u32)>,
}

impl Tempo {
    /// As time goes by.
    pub fn real() -> Self {
        Self::new(vec![(Timestamp::EPOCH, 1)])
    }

    /// By these stretches, which are in their order.
    pub fn new(stretches: Vec<(Timestamp, u32)>) -> Self {
        Self { stretches }
    }

    /// The stretches, in their order.
    pub fn stretches(&self) -> &[(Timestamp, u32)] {
        &self.stretches
    }

    /// Every stretch so many hundredths as fast, but never slower than time itself.
    #[must_use]
    pub fn faster(&self, hundredths: u32) -> Self {
        let faster = |speed: u32| (speed.saturating_mul(hundredths) / 100).max(1);
        Self::new(self.stretches.iter().map(|(from, speed)| (*from, faster(*speed))).collect())
    }

    /// How much of the story a real second is worth at `at`.
    pub fn speed_at(&self, at: Timestamp) -> u32 {
        let begun = self.stretches.iter().rev().find(|(from, _)| *from <= at);
        begun.or(self.stretches.first()).map_or(1, |(_, speed)| *speed)
    }

    /// What time of the story it is so much real time after `from`.
    pub fn after(&self, from: Timestamp, real: Duration) -> Timestamp {
        let (mut at, mut left) = (from, real);
        loop {
            let speed = self.speed_at(at);
            let there = at + left.saturating_mul(speed);
            match self.next_change(at) {
                Some(change) if change < there => {
                    left = left.saturating_sub(change.since(at) / speed.max(1));
                    at = change;
                }
                Some(_) | None => return there,
            }
        }
    }

    /// How long it takes to play from one time to another.
    pub fn takes(&self, from: Timestamp, until: Timestamp) -> Duration {
        let (mut at, mut takes) = (from, Duration::ZERO);
        while at < until {
            let next = self.next_change(at).map_or(until, |change| change.min(until));
            takes += next.since(at) / self.speed_at(at).max(1);
            at = next;
        }
        takes
    }

    fn next_change(&self, at: Timestamp) -> Option<Timestamp> {
        self.stretches.iter().map(|(from, _)| *from).find(|from| *from > at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Tempo;
    use crate::model::Timestamp;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn stretches_follow_each_other() {
        let tempo = Tempo::new(vec![(at(0), 60), (at(600), 10), (at(700), 100)]);
        assert_eq!(tempo.takes(at(0), at(1_700)), Duration::from_secs(10 + 10 + 10));
        assert_eq!(tempo.after(at(0), Duration::from_secs(10)), at(600));
        assert_eq!(tempo.after(at(0), Duration::from_secs(15)), at(650));
        assert_eq!(tempo.after(at(540), Duration::from_secs(12)), at(800));
        assert_eq!(tempo.takes(at(540), at(800)), Duration::from_secs(12));
        assert_eq!(tempo.speed_at(at(-5)), 60);
        assert_eq!(Tempo::real().after(at(7), Duration::from_secs(5)), at(12));
        assert_eq!(tempo.faster(50).takes(at(0), at(600)), Duration::from_secs(20));
        assert_eq!(Tempo::real().faster(10), Tempo::real(), "no slower than time itself");
    }
}
