//! `major_when`: `"all"`, `"50%"`, `0.5`, or a number of addresses such as `2`.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::count::{bounded, integer};
use crate::model::MajorWhen;

/// As many addresses as are ever asked.
const MOST: u32 = 64;

impl Setting for MajorWhen {
    const EXPECTED: &'static str =
        "\"all\", a part of the addresses such as \"50%\" or 0.5, or a number of them such as 2";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let share = match node.get_ref() {
            DeValue::Integer(_) => {
                let number = integer(node)?;
                return bounded(node, number, 1, MOST, problems)
                    .and_then(NonZeroU32::new)
                    .map(Self::Count);
            }
            DeValue::String(text) if text == "all" => return Some(Self::All),
            DeValue::String(text) => percent(text),
            DeValue::Float(number) => part(number.as_str()),
            DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => {
                return Self::wrong_type(node, problems);
            }
        };
        if share.is_none() {
            let got = shorten(problems.text(node.span()));
            problems.report(node.span(), Mistake::InvalidShare { got });
        }
        share.map(Self::Share)
    }

    fn schema() -> Value {
        let percent = r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$";
        json!({ "anyOf": [
            { "const": "all" },
            { "type": "string", "pattern": percent, "examples": ["50%"] },
            { "type": "integer", "minimum": 1, "maximum": MOST },
            { "type": "number", "exclusiveMinimum": 0, "maximum": 1, "examples": [0.5] },
        ] })
    }
}

/// `"50%"`, in ten-thousandths.
pub(super) fn percent(text: &str) -> Option<u16> {
    share(text.trim().strip_suffix('%')?.trim_end().parse().ok()?)
}

/// `0.5`, in ten-thousandths.
pub(super) fn part(number: &str) -> Option<u16> {
    number.parse().ok().and_then(|part: f64| share(part * 100.0))
}

/// Hundredths of a percent; nothing for what is no part of a whole.
fn share(percent: f64) -> Option<u16> {
    let hundredths = (percent * 100.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is from 1 to 10,000"
    )]
    (1.0..=10_000.0).contains(&hundredths).then_some(hundredths as u16)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::tests::read;
    use crate::model::MajorWhen;

    #[test]
    fn all_a_part_or_a_number() {
        let count = |n| Ok(MajorWhen::Count(NonZeroU32::new(n).unwrap()));
        let cases = [
            ("'all'", Ok(MajorWhen::All)),
            ("'50%'", Ok(MajorWhen::Share(5_000))),
            ("' 33.3 % '", Ok(MajorWhen::Share(3_330))),
            ("0.5", Ok(MajorWhen::Share(5_000))),
            ("1.0", Ok(MajorWhen::Share(10_000))),
            ("2", count(2)),
            ("1", count(1)),
        ];
        for (text, expected) in cases {
            assert_eq!(read::<MajorWhen>(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_part_of_a_whole_is_none() {
        for text in ["'0%'", "'101%'", "'half'", "'50'", "'-1%'", "'nan%'", "'inf%'", "1.5", "0.0"]
        {
            let error = read::<MajorWhen>(text).unwrap_err();
            assert!(error.starts_with("invalid_share: "), "{text}: {error}");
        }
        for text in ["nan", "inf", "-0.5"] {
            assert!(read::<MajorWhen>(text).unwrap_err().starts_with("invalid_share: "), "{text}");
        }
        assert!(read::<MajorWhen>("0").unwrap_err().starts_with("out_of_range: "));
        assert!(read::<MajorWhen>("65").unwrap_err().starts_with("out_of_range: "));
        assert!(read::<MajorWhen>("true").unwrap_err().starts_with("wrong_type: "));
    }
}
