//! Whole numbers within bounds.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// A number of runs, from 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Runs(pub(in super::super) NonZeroU32);

impl Runs {
    /// The most that can be asked for: what an engine's window holds.
    pub(in super::super) const MOST: u32 = 100;
}

impl Setting for Runs {
    const EXPECTED: &'static str = "a whole number of runs";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
        bounded(node, number, 1, Self::MOST, problems).and_then(NonZeroU32::new).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": Self::MOST })
    }
}

/// A number of requests in a second, from 1 to 100.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Rate(pub(in super::super) NonZeroU32);

impl Setting for Rate {
    const EXPECTED: &'static str = "a whole number of requests in a second";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
        bounded(node, number, 1, 100, problems).and_then(NonZeroU32::new).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": 100 })
    }
}

/// How much faster or slower than it should a clock may be, in parts per million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct PartsPerMillion(pub(in super::super) NonZeroU32);

impl PartsPerMillion {
    const MOST: u32 = 100_000;
}

impl Setting for PartsPerMillion {
    const EXPECTED: &'static str = "a whole number of parts per million";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
        bounded(node, number, 1, Self::MOST, problems).and_then(NonZeroU32::new).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 1, "maximum": Self::MOST })
    }
}

/// How few addresses a name may have. One that has none fails in any case, and more than 64 are
/// not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct AtLeast(pub(in super::super) NonZeroU32);

impl Setting for AtLeast {
    const EXPECTED: &'static str = "a number of addresses from 2 to 64";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
        bounded(node, number, 2, 64, problems).and_then(NonZeroU32::new).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 2, "maximum": 64 })
    }
}

/// How many redirects are followed: 0 to 20, or `false` for none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Redirects(pub(in super::super) u8);

impl Setting for Redirects {
    const EXPECTED: &'static str = "a number from 0 to 20, or `false`";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        if matches!(node.get_ref(), DeValue::Boolean(false)) {
            return Some(Self(0));
        }
        let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
        let number = bounded(node, number, 0, 20, problems)?;
        u8::try_from(number).ok().map(Self)
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": 20 }, { "const": false }] })
    }
}

/// A whole number from `LEAST` to `MOST`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Whole<const LEAST: u32, const MOST: u32>(pub(in super::super) u32);

impl<const LEAST: u32, const MOST: u32> Setting for Whole<LEAST, MOST> {
    const EXPECTED: &'static str = "a whole number";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
        bounded(node, number, LEAST, MOST, problems).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
    }
}

/// The integer that stands there; one that is too large for any use is `i64::MAX`.
pub(in super::super) fn integer(node: &Node<'_>) -> Option<i64> {
    let number = node.get_ref().as_integer()?;
    let parsed = i64::from_str_radix(number.as_str(), number.radix());
    Some(parsed.unwrap_or(if number.as_str().starts_with('-') { i64::MIN } else { i64::MAX }))
}

/// The number, if it is within bounds.
pub(in super::super) fn bounded(
    node: &Node<'_>,
    number: i64,
    least: u32,
    most: u32,
    problems: &mut Problems<'_>,
) -> Option<u32> {
    match u32::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Some(number),
        _ => {
            let got = shorten(problems.text(node.span()));
            let (least, most) = (least.to_string(), most.to_string());
            problems.report(node.span(), Mistake::OutOfRange { got, least, most });
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::{AtLeast, Rate, Redirects, Runs, Whole};

    #[test]
    fn runs_are_one_to_a_hundred() {
        assert_eq!(read::<Runs>("0x10").unwrap().0.get(), 16);
        assert_eq!(read::<Runs>("1_00").unwrap().0.get(), 100);
        for text in ["0", "-1", "101", "99999999999999999999", "-99999999999999999999"] {
            assert_eq!(
                read::<Runs>(text),
                Err(format!("out_of_range: `{text}` is out of range")),
                "{text}"
            );
        }
        assert!(read::<Runs>("1.5").is_err());
        assert!(read::<Runs>("'3'").is_err());
    }

    #[test]
    fn rates_are_whole_and_never_zero() {
        assert_eq!(read::<Rate>("100").unwrap().0.get(), 100);
        assert!(read::<Rate>("0").is_err() && read::<Rate>("101").is_err());
        assert!(read::<Rate>("0.5").is_err());
    }

    #[test]
    fn fewer_addresses_than_two_would_say_nothing() {
        assert_eq!(read::<AtLeast>("2").map(|least| least.0.get()), Ok(2));
        for text in ["0", "1", "65"] {
            assert!(read::<AtLeast>(text).unwrap_err().starts_with("out_of_range"), "{text}");
        }
        assert!(read::<AtLeast>("'all'").unwrap_err().starts_with("wrong_type"));
    }

    #[test]
    fn redirects_can_be_turned_off() {
        assert_eq!(read::<Redirects>("false"), Ok(Redirects(0)));
        assert_eq!(read::<Redirects>("20"), Ok(Redirects(20)));
        assert!(read::<Redirects>("21").is_err());
        assert!(read::<Redirects>("true").is_err());
    }

    #[test]
    fn whole_numbers_stay_within_their_bounds() {
        type Port = Whole<1, 65_535>;
        assert_eq!(read::<Port>("53"), Ok(Whole(53)));
        for text in ["0", "65536", "5.3", "'53'"] {
            assert!(read::<Port>(text).is_err(), "{text}");
        }
    }
}
