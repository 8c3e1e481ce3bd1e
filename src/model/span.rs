//! Lengths of time as they are stored and as people read them.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A length of time in whole microseconds: what a journal row or a snapshot keeps.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Span(u64);

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// From microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// From milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// From seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Whether it is no time at all.
    pub const fn is_zero(&self) -> bool {
        self.0 == 0
    }

    /// In microseconds.
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// As the standard library's type.
    pub const fn to_duration(self) -> Duration {
        Duration::from_micros(self.0)
    }

    /// In seconds, the unit of every metric.
    pub fn as_secs_f64(self) -> f64 {
        self.to_duration().as_secs_f64()
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
    }
}

/// Three significant figures with the unit that suits: `412us`, `48.2ms`, `1.21s`, `5m 20s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0;
        let text = match micros {
            0..1_000 => format!("{micros}us"),
            1_000..1_000_000 => format!("{}ms", significant(micros, 1_000)),
            1_000_000..60_000_000 => format!("{}s", significant(micros, 1_000_000)),
            60_000_000..3_600_000_000 => pair(micros / 1_000_000, 60, "m", "s"),
            3_600_000_000..86_400_000_000 => pair(micros / 60_000_000, 60, "h", "m"),
            86_400_000_000.. => pair(micros / 3_600_000_000, 24, "d", "h"),
        };
        f.pad(&text)
    }
}

fn significant(micros: u64, unit: u64) -> String {
    let whole = micros / unit;
    let decimals = match whole {
        0..10 => 2,
        10..100 => 1,
        100.. => 0,
    };
    let scale = 10_u64.pow(decimals);
    // Truncated, not rounded: 9.999 s must not read as 10.00 s, which has a digit too many.
    let parts = micros.saturating_mul(scale) / unit;
    if decimals == 0 {
        return parts.to_string();
    }
    let width = usize::try_from(decimals).unwrap_or(0);
    let text = format!("{}.{:0width$}", parts / scale, parts % scale);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn pair(small: u64, ratio: u64, big_unit: &str, small_unit: &str) -> String {
    match (small / ratio, small % ratio) {
        (big, 0) => format!("{big}{big_unit}"),
        (big, rest) => format!("{big}{big_unit} {rest}{small_unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::Span;

    #[test]
    fn reads_with_the_unit_that_suits() {
        let cases = [
            (0, "0us"),
            (999, "999us"),
            (1_000, "1ms"),
            (48_256, "48.2ms"),
            (999_999, "999ms"),
            (1_215_000, "1.21s"),
            (59_999_999, "59.9s"),
            (60_000_000, "1m"),
            (320_000_000, "5m 20s"),
            (3_600_000_000, "1h"),
            (31_536_000_000_000, "365d"),
        ];
        for (micros, text) in cases {
            assert_eq!(Span::from_micros(micros).to_string(), text);
        }
    }
}
