//! What is known of a clock: an interval and its source, and never a bare number.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Span;

/// What is known of a clock against ours: its offset lies between the two bounds, in microseconds,
/// ahead of us if positive. An interval and never a bare number, since an HTTP date has one-second
/// steps and the request took time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockOffset {
    /// The least offset that agrees with what was seen.
    pub at_least: i64,
    /// The greatest.
    pub at_most: i64,
    /// What it was read from.
    #[serde(default, skip_serializing_if = "ClockSource::is_date")]
    pub source: ClockSource,
}

/// What a clock was read from.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ClockSource {
    /// The `Date` of an HTTP answer.
    #[default]
    Date,
    /// Another header of it.
    Header,
    /// A value in its JSON.
    Json,
    /// A cookie's `Expires` against its `Max-Age`.
    Cookie,
    /// When a token was issued.
    Token,
    /// An NTP server.
    Ntp,
}

impl ClockSource {
    /// Whether it is what most are read from, and what is not written down.
    pub const fn is_date(&self) -> bool {
        matches!(self, Self::Date)
    }

    /// The word for it, in metrics and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Date => "date",
            Self::Header => "header",
            Self::Json => "json",
            Self::Cookie => "cookie",
            Self::Token => "token",
            Self::Ntp => "ntp",
        }
    }
}

impl fmt::Display for ClockSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Against what a clock was found to be off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockReference {
    /// Our host's clock, which nothing speaks against.
    #[default]
    Host,
    /// What most of the NTP servers agree on.
    Ntp,
    /// What most of the servers that are watched, and our host, agree on.
    Agreement,
    /// What most of the addresses of the same name agree on.
    Siblings,
}

impl ClockReference {
    /// Whether it is our host, which is not written down.
    pub const fn is_host(&self) -> bool {
        matches!(self, Self::Host)
    }

    /// The word for it, in metrics and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Ntp => "ntp",
            Self::Agreement => "agreement",
            Self::Siblings => "siblings",
        }
    }
}

impl fmt::Display for ClockReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl ClockOffset {
    /// The smallest distance from zero that the interval admits: what can be held against the
    /// target.
    pub fn certain(self) -> Span {
        let micros = if self.at_least > 0 {
            self.at_least
        } else if self.at_most < 0 {
            self.at_most.saturating_neg()
        } else {
            0
        };
        Span::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    /// The middle of the interval, for a person's eye.
    pub fn middle(self) -> i64 {
        self.at_least.midpoint(self.at_most)
    }
}

#[cfg(test)]
mod tests {
    use super::{ClockOffset, ClockSource};
    use crate::model::Span;

    #[test]
    fn only_what_the_interval_cannot_explain_is_certain() {
        let source = ClockSource::Date;
        let offset = |at_least, at_most| ClockOffset { at_least, at_most, source };
        assert_eq!(offset(-400_000, 600_000).certain(), Span::ZERO);
        assert_eq!(offset(2_000_000, 3_000_000).certain(), Span::from_secs(2));
        assert_eq!(offset(-3_000_000, -2_000_000).certain(), Span::from_secs(2));
    }

    #[test]
    fn an_offset_that_was_saved_without_a_source_came_from_a_date() {
        let old: ClockOffset = serde_json::from_str(r#"{"at_least":-1,"at_most":2}"#).unwrap();
        assert_eq!(old, ClockOffset { at_least: -1, at_most: 2, source: ClockSource::Date });
    }
}
