//! What it takes to decide: so many runs in a row, so many among the latest, or a share of those in
//! a window of time.

use std::fmt;
use std::num::NonZeroU32;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Span;

/// How many runs must be alike, and among which, before a health is decided by them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Threshold {
    /// `count` among the last `of`.
    Runs {
        /// How many must be so.
        count: NonZeroU32,
        /// Among how many; at least `count`.
        of: NonZeroU32,
    },
    /// A share of those that began within a time.
    Share {
        /// The share, in ten-thousandths.
        share: u16,
        /// How far back runs count, from the latest one.
        within: Span,
        /// With fewer runs than this nothing can be told.
        at_least: NonZeroU32,
    },
}

impl Threshold {
    /// How many runs are remembered where a window is a time: older ones do not count, however
    /// long it is. It bounds what a subject takes in memory and on disk.
    pub const MOST_RUNS: usize = 300;

    /// `count` runs in a row.
    pub const fn in_a_row(count: NonZeroU32) -> Self {
        Self::Runs { count, of: count }
    }

    /// How few runs can be enough.
    pub const fn fewest(self) -> NonZeroU32 {
        match self {
            Self::Runs { count, .. } => count,
            Self::Share { at_least, .. } => at_least,
        }
    }

    /// How many runs must be remembered for it.
    pub fn remembers(self) -> usize {
        match self {
            Self::Runs { of, .. } => to_usize(of),
            Self::Share { .. } => Self::MOST_RUNS,
        }
    }

    /// Whether `alike` of `told` runs are enough: the latest `of`, or those within the time.
    pub fn is_met(self, alike: usize, told: usize) -> bool {
        match self {
            Self::Runs { count, .. } => alike >= to_usize(count),
            Self::Share { share, at_least, .. } => {
                told >= to_usize(at_least)
                    && alike.saturating_mul(10_000) >= told.saturating_mul(usize::from(share))
            }
        }
    }

    /// Whether the fewest runs that meet this with as few passes as possible hold enough bad ones
    /// to meet `bad` as well: then the same runs would say both that it is well and that it is not.
    pub fn is_easier_than(self, bad: Self) -> bool {
        if let (Self::Share { share: good, .. }, Self::Share { share: bad, .. }) = (self, bad) {
            return u32::from(good) + u32::from(bad) <= 10_000;
        }
        let total = match self {
            Self::Runs { of, .. } => to_usize(of),
            Self::Share { at_least, .. } => to_usize(at_least),
        };
        let passes = (0..=total).find(|passes| self.is_met(*passes, total)).unwrap_or(total);
        let others = total - passes;
        others > 0 && bad.is_met(others, total)
    }
}

/// As an operator reads it: `2 in a row`, `3 of 5`, `50% within 5m`.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Runs { count, of } if count == of => write!(f, "{count} in a row"),
            Self::Runs { count, of } => write!(f, "{count} of {of}"),
            Self::Share { share, within, .. } => {
                write!(f, "{}% within {within}", f64::from(*share) / 100.0)
            }
        }
    }
}

/// Runs in a row as the bare number that they were before there were other ways to recover, so
/// that old journals are read and are written as they were.
pub(super) mod bare {
    use super::{Deserialize, Deserializer, NonZeroU32, Serialize, Serializer, Threshold};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        InARow(NonZeroU32),
        Other(Threshold),
    }

    pub(in super::super) fn serialize<S: Serializer>(
        threshold: &Threshold,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let written = match *threshold {
            Threshold::Runs { count, of } if count == of => Written::InARow(count),
            other @ (Threshold::Runs { .. } | Threshold::Share { .. }) => Written::Other(other),
        };
        written.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Threshold, D::Error> {
        Ok(match Written::deserialize(deserializer)? {
            Written::InARow(count) => Threshold::in_a_row(count),
            Written::Other(other) => other,
        })
    }
}

fn to_usize(count: NonZeroU32) -> usize {
    usize::try_from(count.get()).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::{Span, Threshold};

    fn runs(count: u32, of: u32) -> Threshold {
        let [count, of] = [count, of].map(|n| NonZeroU32::new(n).unwrap());
        Threshold::Runs { count, of }
    }

    fn share(percent: u16, at_least: u32) -> Threshold {
        let (within, at_least) = (Span::from_secs(300), NonZeroU32::new(at_least).unwrap());
        Threshold::Share { share: percent * 100, within, at_least }
    }

    #[test]
    fn a_share_is_reached_and_not_rounded_to_and_waits_for_enough_runs() {
        assert!(!share(50, 4).is_met(3, 3));
        assert!(share(50, 4).is_met(2, 4));
        assert!(!share(50, 4).is_met(2, 5));
        assert!(share(50, 4).is_met(3, 5));
        assert!(share(100, 1).is_met(7, 7));
        assert!(!share(100, 1).is_met(6, 7));
    }

    #[test]
    fn a_recovery_is_easier_when_the_same_runs_would_say_both() {
        let cases = [
            (runs(2, 2), runs(3, 5), false),
            (runs(2, 2), runs(1, 5), false),
            (runs(3, 5), runs(2, 2), true),
            (runs(4, 5), runs(2, 2), false),
            (runs(4, 5), runs(1, 1), true),
            (share(50, 4), share(50, 4), true),
            (share(51, 4), share(50, 4), false),
            (share(90, 4), share(5, 4), true),
            (runs(2, 4), share(50, 4), true),
            (runs(3, 4), share(50, 4), false),
            (runs(2, 4), share(50, 5), false),
            (share(50, 4), runs(2, 2), true),
            (share(90, 4), runs(2, 2), false),
        ];
        for (recovery, bad, easier) in cases {
            assert_eq!(recovery.is_easier_than(bad), easier, "{recovery} after {bad}");
        }
    }

    #[test]
    fn every_form_is_read_as_it_was_written() {
        for threshold in [runs(2, 2), runs(3, 5), share(50, 4)] {
            let text = serde_json::to_string(&threshold).unwrap();
            assert_eq!(serde_json::from_str::<Threshold>(&text).unwrap(), threshold, "{text}");
        }
        assert_eq!(serde_json::to_string(&runs(2, 2)).unwrap(), r#"{"count":2,"of":2}"#);
    }
}
