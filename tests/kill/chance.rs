//! Randomness that can be had again: xorshift, from a seed that is printed.

use std::time::Duration;

/// The variable that sets the seed.
const SEED: &str = "FAROL_KILL_SEED";

/// The seed that is asked for, or another one each time.
#[expect(clippy::disallowed_methods, reason = "there is no command line to ask for a seed")]
pub(crate) fn seed() -> u64 {
    match std::env::var(SEED) {
        Ok(text) => text.parse().unwrap(),
        Err(_) => farol::clock::Clock::start().now().as_micros().unsigned_abs(),
    }
}

/// A stream of numbers.
pub(crate) struct Chance(u64);

impl Chance {
    /// The stream of `seed`; `salt` tells apart those that share one.
    pub(crate) fn new(seed: u64, salt: u64) -> Self {
        // Xorshift never leaves zero; the multiplication spreads seeds that are near each other.
        Self((seed ^ salt.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    /// A time below so many milliseconds.
    pub(crate) fn millis(&mut self, bound: u64) -> Duration {
        Duration::from_micros(self.below(bound * 1_000))
    }
}
