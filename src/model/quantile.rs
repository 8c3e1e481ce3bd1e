//! How slow the slowest of many runs may be: a limit for a quantile over a window of time.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Span;

/// A limit of a quantile of the time that runs take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuantileLimit {
    /// Which one, in percent: 95 is the time that 95 of 100 runs do not exceed.
    pub quantile: u8,
    /// How long that may be.
    pub limit: Span,
    /// How far back runs count, from the latest one.
    pub within: Span,
    /// With fewer runs than this nothing can be told.
    pub at_least: NonZeroU32,
}

impl QuantileLimit {
    /// The quantile of `times`, as one of them: the nearest rank. `None` if they are too few.
    pub fn of(&self, mut times: Vec<Span>) -> Option<Span> {
        if times.len() < usize::try_from(self.at_least.get()).unwrap_or(usize::MAX) {
            return None;
        }
        times.sort_unstable();
        let rank = times.len().saturating_mul(usize::from(self.quantile)).div_ceil(100);
        times.get(rank.saturating_sub(1)).copied()
    }

    /// Whether `took` is too long: more than the limit, or once it was too long, more than nine
    /// tenths of it, so that what hovers around the limit does not go up and down.
    pub fn is_slow(&self, took: Span, was_slow: bool) -> bool {
        let limit = self.limit.as_micros();
        took.as_micros() > if was_slow { limit / 10 * 9 } else { limit }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::{QuantileLimit, Span};

    #[test]
    fn a_quantile_is_a_time_that_was_measured_and_needs_enough_of_them() {
        let of = |quantile, count: u64| {
            let limit = QuantileLimit {
                quantile,
                limit: Span::from_millis(800),
                within: Span::from_secs(300),
                at_least: NonZeroU32::new(10).unwrap(),
            };
            limit.of((1..=count).rev().map(Span::from_millis).collect())
        };
        assert_eq!(of(95, 9), None);
        assert_eq!(of(95, 10), Some(Span::from_millis(10)));
        assert_eq!(of(50, 10), Some(Span::from_millis(5)));
        assert_eq!(of(95, 100), Some(Span::from_millis(95)));
        assert_eq!(of(99, 100), Some(Span::from_millis(99)));
        assert_eq!(of(50, 11), Some(Span::from_millis(6)));
    }
}
