//! Sizes in bytes: `"512KiB"`, `"10MB"`; never a bare number.

use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::unit::read_with_unit;

const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KB", 1_000),
    ("KIB", 1 << 10),
    ("MB", 1_000_000),
    ("MIB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GIB", 1 << 30),
];

/// The units that most sizes are given in.
const USUAL: &[&str] = &["KiB", "MiB"];

/// A size from 1 to `MOST` bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Size<const MOST: u64>(pub(in super::super) u64);

impl<const MOST: u64> Setting for Size<MOST> {
    const EXPECTED: &'static str = "a size such as \"4MiB\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        read_with_unit(node, problems, USUAL, |text| match parse(text) {
            Some(size) if (1..=MOST).contains(&size) => Ok(Self(size)),
            Some(_) => Err(Mistake::OutOfRange {
                got: shorten(text),
                least: "1B".to_owned(),
                most: show(MOST),
            }),
            None if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) => {
                Err(Mistake::NoUnit { got: shorten(text), units: USUAL })
            }
            None => Err(Mistake::InvalidSize { got: shorten(text) }),
        })
    }

    fn schema() -> Value {
        json!({
            "type": "string",
            "pattern": r"^\s*[0-9]+\s*([kKmMgG][iI]?)?[bB]\s*$",
            "examples": ["512KiB", "4MiB", "10MB"],
        })
    }
}

fn parse(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    let unit = unit.trim_start().to_ascii_uppercase();
    let (_, factor) = UNITS.iter().find(|(name, _)| *name == unit)?;
    // A number beyond what 64 bits hold is a size all the same, and out of every range.
    match number {
        "" => None,
        number => Some(number.parse::<u64>().unwrap_or(u64::MAX).saturating_mul(*factor)),
    }
}

/// A whole number of the largest binary unit that divides it.
pub(in super::super) fn show(size: u64) -> String {
    match size {
        size if size.is_multiple_of(1 << 20) => format!("{}MiB", size >> 20),
        size if size.is_multiple_of(1 << 10) => format!("{}KiB", size >> 10),
        size => format!("{size}B"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::Size;

    type Tested = Size<10_000_000>;

    #[test]
    fn reads_decimal_and_binary_units() {
        for (text, bytes) in [
            ("'1B'", 1),
            ("'512KiB'", 524_288),
            ("'10MB'", 10_000_000),
            ("'1 mib'", 1_048_576),
            ("'2kB'", 2_000),
        ] {
            assert_eq!(read::<Tested>(text), Ok(Size(bytes)), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong_with_others() {
        let cases = [
            ("1024", "no_unit: `1024` has no unit"),
            ("'1024'", "no_unit: `1024` has no unit"),
            ("'0B'", "out_of_range: `0B` is out of range"),
            ("'1GiB'", "out_of_range: `1GiB` is out of range"),
            ("'99999999999999999999GB'", "out_of_range: `99999999999999999999GB` is out of range"),
            ("'MiB'", "invalid_size: `MiB` is not a size"),
            ("'1.5MiB'", "invalid_size: `1.5MiB` is not a size"),
            ("'4M'", "invalid_size: `4M` is not a size"),
            ("[]", "wrong_type: expected a size such as \"4MiB\", found an array"),
        ];
        for (text, words) in cases {
            assert_eq!(read::<Tested>(text), Err(words.to_owned()), "{text}");
        }
    }
}
