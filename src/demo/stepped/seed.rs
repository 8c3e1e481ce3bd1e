//! What differs between two rounds of a story, all of it from a number: no round is random, and each
//! can be had again.

use std::time::Duration;

/// Numbers that follow from one (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Seed(u64);

impl Seed {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Some time short of `most`.
    pub(super) fn within(&mut self, most: Duration) -> Duration {
        let most = u64::try_from(most.as_micros()).unwrap_or(u64::MAX).max(1);
        Duration::from_micros(self.next() % most)
    }

    /// One of so many.
    pub(super) fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX).max(1);
        usize::try_from(self.next() % count).unwrap_or(0)
    }

    /// `all` in another order.
    pub(super) fn shuffled<T>(&mut self, mut all: Vec<T>) -> Vec<T> {
        for last in (1..all.len()).rev() {
            all.swap(last, self.below(last + 1));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Seed;

    #[test]
    fn the_same_number_gives_the_same_round_and_another_one_another() {
        let row = |seed| {
            let mut seed = Seed::new(seed);
            (0..20).map(|_| seed.next()).collect::<Vec<_>>()
        };
        assert_eq!(row(7), row(7));
        assert_ne!(row(7), row(8));
        let mut seed = Seed::new(1);
        let shuffled = seed.shuffled((0..50).collect());
        assert_ne!(shuffled, (0..50).collect::<Vec<_>>());
        assert_eq!(shuffled.iter().collect::<BTreeSet<_>>().len(), 50);
        assert!((0..100).all(|_| seed.below(3) < 3));
    }
}
