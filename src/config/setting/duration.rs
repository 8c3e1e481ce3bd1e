//! Lengths of time: `"800ms"`, `"30s"`, `"1h 30m"`; never a bare number.

use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::unit::read_with_unit;
use crate::model::Span;

/// The units that most lengths are given in.
const UNITS: &[&str] = &["s", "ms"];

/// A minute, in milliseconds.
pub(in super::super) const MINUTE: u64 = 60_000;
/// A day, in milliseconds.
pub(in super::super) const DAY: u64 = 24 * 60 * MINUTE;

/// A length of time from `LEAST` to `MOST` milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Duration<const LEAST: u64, const MOST: u64>(pub(in super::super) Span);

impl<const LEAST: u64, const MOST: u64> Setting for Duration<LEAST, MOST> {
    const EXPECTED: &'static str = "a length of time such as \"30s\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        read_with_unit(node, problems, UNITS, |text| match parse(text)? {
            span if within(span, LEAST, MOST) => Ok(Self(span)),
            _ => Err(Mistake::OutOfRange {
                got: shorten(text),
                least: Span::from_millis(LEAST).to_string(),
                most: Span::from_millis(MOST).to_string(),
            }),
        })
    }

    fn schema() -> Value {
        json!({
            "type": "string",
            "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*[a-zA-Zµ]+\s*)+$",
            "examples": ["800ms", "30s", "1h 30m"],
        })
    }
}

fn parse(text: &str) -> Result<Span, Mistake> {
    let bare = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if bare && text.len() <= 20 {
        return Err(Mistake::NoUnit { got: text.to_owned(), units: UNITS });
    }
    let invalid = |reason: String| Mistake::InvalidDuration { got: shorten(text), reason };
    match humantime::parse_duration(text) {
        Ok(duration) => Ok(duration.into()),
        Err(humantime::DurationError::UnknownUnit { unit, .. }) if unit.is_empty() => {
            Err(invalid("a number has no unit".to_owned()))
        }
        Err(humantime::DurationError::UnknownUnit { unit, .. }) => {
            Err(invalid(format!("`{}` is not a unit of time", shorten(&unit))))
        }
        Err(humantime::DurationError::Empty) => Err(invalid("it is empty".to_owned())),
        Err(humantime::DurationError::NumberOverflow) => {
            Err(invalid("the number is too large or too precise".to_owned()))
        }
        Err(
            humantime::DurationError::InvalidCharacter(at)
            | humantime::DurationError::NumberExpected(at),
        ) => Err(invalid(format!("a number was expected at character {}", at + 1))),
    }
}

fn within(span: Span, least: u64, most: u64) -> bool {
    (Span::from_millis(least)..=Span::from_millis(most)).contains(&span)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::Duration;
    use crate::model::Span;

    type Tested = Duration<500, 300_000>;

    #[test]
    fn reads_numbers_with_units() {
        for (text, millis) in
            [("'500ms'", 500), ("'30s'", 30_000), ("'5m'", 300_000), ("'1m 1.5s'", 61_500)]
        {
            assert_eq!(read::<Tested>(text), Ok(Duration(Span::from_millis(millis))), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_others() {
        let cases = [
            ("30", "no_unit: `30` has no unit"),
            ("'30'", "no_unit: `30` has no unit"),
            ("0.5", "no_unit: `0.5` has no unit"),
            ("'499ms'", "out_of_range: `499ms` is out of range"),
            ("'1h'", "out_of_range: `1h` is out of range"),
            (
                "'-3s'",
                "invalid_duration: `-3s` is not a length of time: a number was expected at character 1",
            ),
            (
                "'3 fortnights'",
                "invalid_duration: `3 fortnights` is not a length of time: `fortnights` is not a unit of time",
            ),
            ("''", "invalid_duration: `` is not a length of time: it is empty"),
            ("true", "wrong_type: expected a length of time such as \"30s\", found a boolean"),
        ];
        for (text, words) in cases {
            assert_eq!(read::<Tested>(text), Err(words.to_owned()), "{text}");
        }
    }
}
