//! How long to wait after a failure: doubling, bounded, and spread without randomness, so that a
//! replay waits exactly as long.

use serde::{Deserialize, Serialize};

use crate::model::{Span, Timestamp};

/// Counts failures in a row and remembers when the next try is due.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Backoff {
    failures: u32,
    until: Option<Timestamp>,
}

impl Backoff {
    /// When the next try is due: at once if nothing has failed.
    pub(super) fn until(&self) -> Timestamp {
        self.until.unwrap_or(Timestamp::EPOCH)
    }

    /// One more failure: the wait starts at `first` and doubles up to `longest`. `seed` spreads
    /// those that failed together.
    pub(super) fn fail(&mut self, now: Timestamp, first: Span, longest: Span, seed: &str) {
        self.failures = self.failures.saturating_add(1);
        self.hold(now + wait(self.failures, first, longest, seed));
    }

    /// No try before `until`, whatever else is said.
    pub(super) fn hold(&mut self, until: Timestamp) {
        self.until = Some(self.until().max(until));
    }

    /// It worked: the next failure starts from the beginning. A hold stays.
    pub(super) fn succeed(&mut self) {
        self.failures = 0;
    }

    /// The next try is due at once.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// No wait is longer than `most` from `now` on. A wait that was saved before a restart may
    /// have been counted by a clock that was wrong.
    pub(super) fn clamp(&mut self, now: Timestamp, most: Span) {
        self.until = self.until.map(|until| until.min(now + most));
    }
}

fn wait(failures: u32, first: Span, longest: Span, seed: &str) -> Span {
    let doublings = failures.saturating_sub(1).min(20);
    let full = first.as_micros().saturating_mul(1 << doublings).min(longest.as_micros());
    // Shortened by up to a quarter rather than lengthened, so that `longest` is kept.
    let spread = hash(seed, failures) % (full / 4).max(1);
    Span::from_micros(full - spread.min(full))
}

/// FNV-1a: enough to tell keys apart, and the same for ever.
fn hash(seed: &str, failures: u32) -> u64 {
    seed.bytes().chain(failures.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::{Backoff, wait};
    use crate::model::{Span, Timestamp};

    #[test]
    fn doubles_up_to_the_longest_wait_and_shortens_by_a_quarter_at_most() {
        let (first, longest) = (Span::from_secs(2), Span::from_secs(300));
        for (failures, full) in [(1, 2), (2, 4), (3, 8), (8, 256), (9, 300), (4_000_000, 300)] {
            let full = Span::from_secs(full);
            let waited = wait(failures, first, longest, "key");
            assert!(waited <= full, "{failures}: {waited}");
            assert!(waited.as_micros() * 4 >= full.as_micros() * 3, "{failures}: {waited}");
        }
        assert_ne!(wait(1, first, longest, "one"), wait(1, first, longest, "two"));
    }

    #[test]
    fn a_wait_from_a_wrong_clock_is_cut_short() {
        let mut backoff = Backoff::default();
        backoff.hold(Timestamp::from_secs(1_000_000));
        backoff.clamp(Timestamp::from_secs(10), Span::from_secs(5));
        assert_eq!(backoff.until(), Timestamp::from_secs(15));
    }
}
