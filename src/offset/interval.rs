//! Arithmetic on intervals of offsets: none of it ever excludes the truth.

use crate::model::{ClockOffset, Span};

/// How far two clocks may drift apart that nobody sets, in parts per million: the most by which NTP
/// slews one, and far more than a quartz is off by itself.
pub const SLEW: u64 = 500;

impl ClockOffset {
    /// Nothing is known of how far it is between the bounds.
    pub fn width(self) -> Span {
        Span::from_micros(self.at_most.saturating_sub(self.at_least).max(0).unsigned_abs())
    }

    /// Whether one truth can be in both.
    pub fn overlaps(self, other: Self) -> bool {
        self.at_least <= other.at_most && other.at_least <= self.at_most
    }

    /// What both admit, if there is anything; read from where the narrower one was.
    pub fn intersect(self, other: Self) -> Option<Self> {
        let narrower = if other.width() < self.width() { other } else { self };
        self.overlaps(other).then(|| Self {
            at_least: self.at_least.max(other.at_least),
            at_most: self.at_most.min(other.at_most),
            source: narrower.source,
        })
    }

    /// All that either admits, and what is between them.
    #[must_use]
    pub fn hull(self, other: Self) -> Self {
        Self {
            at_least: self.at_least.min(other.at_least),
            at_most: self.at_most.max(other.at_most),
            source: self.source,
        }
    }

    /// The offset against `reference`, both being known against the same third clock.
    #[must_use]
    pub fn minus(self, reference: Self) -> Self {
        Self {
            at_least: self.at_least.saturating_sub(reference.at_most),
            at_most: self.at_most.saturating_sub(reference.at_least),
            source: self.source,
        }
    }

    /// What is still known after a time in which both clocks went on by themselves.
    #[must_use]
    pub fn aged(self, by: impl Into<Span>) -> Self {
        let drift = by.into().as_micros().saturating_mul(SLEW).div_ceil(1_000_000);
        let drift = i64::try_from(drift).unwrap_or(i64::MAX);
        Self {
            at_least: self.at_least.saturating_sub(drift),
            at_most: self.at_most.saturating_add(drift),
            source: self.source,
        }
    }

    /// How far it must at least have moved to have come here from `known`: ahead if positive.
    pub fn beyond(self, known: Self) -> i64 {
        if self.at_least > known.at_most {
            self.at_least.saturating_sub(known.at_most)
        } else if self.at_most < known.at_least {
            self.at_most.saturating_sub(known.at_least)
        } else {
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    use crate::model::{ClockOffset, ClockSource, Span};

    fn around(truth: i64, below: i64, above: i64) -> ClockOffset {
        let source = ClockSource::Date;
        ClockOffset { at_least: truth - below, at_most: truth + above, source }
    }

    fn contains(offset: ClockOffset, truth: i64) -> bool {
        offset.at_least <= truth && truth <= offset.at_most
    }

    const FAR: i64 = 400 * 24 * 3600 * 1_000_000;

    proptest! {
        #[test]
        fn nothing_excludes_the_truth(
            truth in -FAR..FAR,
            reference in -FAR..FAR,
            widths in [0..9_000_000_i64, 0..9_000_000, 0..9_000_000, 0..9_000_000],
            age in 0..FAR,
            drift in -500..=500_i64,
        ) {
            let [a, b, c, d] = widths;
            let both = around(truth, a, b).intersect(around(truth, c, d)).unwrap();
            prop_assert!(contains(both, truth));
            prop_assert!(both.width() <= around(truth, a, b).width());
            prop_assert_eq!(both.beyond(around(truth, a, b)), 0);
            let moved = truth + i64::try_from(i128::from(age) * i128::from(drift) / 1_000_000).unwrap();
            let aged = both.aged(Span::from_micros(age.unsigned_abs()));
            prop_assert!(contains(aged, moved), "{:?} lacks {}", aged, moved);
            let against = around(truth, a, b).minus(around(reference, c, d));
            prop_assert!(contains(against, truth - reference));
            prop_assert!(contains(both.hull(around(reference, 0, 0)), truth));
        }

        /// That a clock was set is said only of one that was, and by no more than it was.
        #[test]
        fn a_jump_is_never_made_larger(
            from in -FAR..FAR,
            by in -FAR..FAR,
            widths in [0..9_000_000_i64, 0..9_000_000, 0..9_000_000, 0..9_000_000],
        ) {
            let [a, b, c, d] = widths;
            let found = around(from + by, a, b).beyond(around(from, c, d));
            prop_assert!(found.abs() <= by.abs() && found.signum() * by.signum() >= 0);
            prop_assert!((by - found).abs() <= a + b + c + d);
        }
    }

    #[test]
    fn intervals_that_touch_have_a_point_in_common() {
        let here = around(0, 0, 5);
        assert_eq!(here.intersect(around(5, 0, 2)), Some(around(5, 0, 0)));
        assert_eq!(here.intersect(around(6, 0, 2)), None);
        assert_eq!((around(6, 0, 2).beyond(here), here.beyond(around(6, 0, 2))), (1, -1));
    }
}
