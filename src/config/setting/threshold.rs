//! `fail_after` and its like: `2` in a row, `{ count = 3, of = 5 }` of the latest runs, or
//! `{ share = "50%", within = "5m" }` of those in a time.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{
    Field, Key, Node, Reader, Section, Setting, read_section, section_schema,
};
use super::count::Runs;
use super::duration::{Duration, MINUTE};
use super::major_when::{part, percent};
use crate::model::Threshold;

/// A window of time that thresholds and quantiles look back over.
pub(in super::super) type Within = Duration<1_000, { 6 * 60 * MINUTE }>;

const COUNT: Key<Runs> = Key::new("count", "How many runs must be so.");
const OF: Key<Runs> = Key::new("of", "Among how many of the latest runs.");
const SHARE: Key<Share> = Key::new("share", "Which part of the runs must be so.");
const WITHIN: Key<Within> = Key::new("within", "How far back runs count, from the latest one.");
const AT_LEAST: Key<Runs> =
    Key::new("at_least", "With fewer runs in that time nothing is decided.").or_number(3);
/// One of two runs would be half of them.
const FEWEST: NonZeroU32 = NonZeroU32::MIN.saturating_add(2);

impl Setting for Threshold {
    const EXPECTED: &'static str = "a number such as 2, { count = 3, of = 5 } or { share = \"50%\", within = \"5m\", \
                                    at_least = 4 }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Integer(_) => Runs::read(node, problems).map(|runs| Self::in_a_row(runs.0)),
            DeValue::Table(table) => {
                read_section::<Form>(node.span(), table, problems).map(|form| form.0)
            }
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Runs::schema(), section_schema::<Form>()] })
    }
}

/// One of the forms that are tables, told apart by their keys.
struct Form(Threshold);

impl Section for Form {
    const NAME: &'static str = "a threshold";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (count, of) = (table.take(&COUNT), table.take(&OF));
        let (share, within) = (table.take(&SHARE), table.take(&WITHIN));
        let at_least = table.take(&AT_LEAST);
        let counts = !table.there(&[COUNT.name(), OF.name()]).is_empty();
        let shares = !table.there(&[SHARE.name(), WITHIN.name(), AT_LEAST.name()]).is_empty();
        if counts && shares {
            let keys = &["count", "share"];
            table.report_here(Mistake::SeveralOf { section: Self::NAME, keys });
            return None;
        }
        if shares {
            let (share, within) = (needed(share, &SHARE, table), needed(within, &WITHIN, table));
            let (share, within, at_least) = (share?.0, within?.0, at_least.or(Runs(FEWEST))?.0);
            return Some(Self(Threshold::Share { share, within, at_least }));
        }
        let (count, of) = (needed(count, &COUNT, table), needed(of, &OF, table));
        let (count, of) = (count?.0, of?.0);
        if count > of {
            table.report_here(Mistake::Contradiction {
                small: "count",
                small_value: count.to_string(),
                relation: "at most",
                large: "of",
                large_value: of.to_string(),
                why: "so many runs can never be found among so few: raise `of`",
            });
            return None;
        }
        Some(Self(Threshold::Runs { count, of }))
    }
}

/// What stands at `key`, which this form needs.
fn needed<T: Setting>(field: Field<T>, key: &Key<T>, table: &mut Reader<'_, '_, '_>) -> Option<T> {
    let value = field.optional()?;
    if value.is_none() {
        let (key, about) = (key.name(), key.about());
        table.report_here(Mistake::MissingKey { key, section: Form::NAME, about });
    }
    value
}

/// A part of the runs, in ten-thousandths.
struct Share(u16);

impl Setting for Share {
    const EXPECTED: &'static str = "a part of the runs such as \"50%\" or 0.5";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let share = match node.get_ref() {
            DeValue::String(text) => percent(text),
            DeValue::Float(number) => part(number.as_str()),
            DeValue::Integer(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => return Self::wrong_type(node, problems),
        };
        if share.is_none() {
            let got = shorten(problems.text(node.span()));
            problems.report(node.span(), Mistake::InvalidPart { got });
        }
        share.map(Self)
    }

    fn schema() -> Value {
        let percent = r"^\s*[0-9]+(\.[0-9]+)?\s*%\s*$";
        json!({ "anyOf": [
            { "type": "string", "pattern": percent, "examples": ["50%"] },
            { "type": "number", "exclusiveMinimum": 0, "maximum": 1, "examples": [0.5] },
        ] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::model::Threshold;

    #[test]
    fn in_a_row_among_or_a_share() {
        let read = |text| read::<Threshold>(text).map(|threshold| threshold.to_string());
        let wrong = |words: &str| Err(words.to_owned());
        assert_eq!(read("2"), Ok("2 in a row".to_owned()));
        assert_eq!(read("{ count = 3, of = 5 }"), Ok("3 of 5".to_owned()));
        let half = Ok("50% within 5m".to_owned());
        assert_eq!(read("{ share = '50%', within = '5m', at_least = 4 }"), half);
        assert_eq!(read("{ share = 0.5, within = '300s' }"), half);
        assert_eq!(
            read("{ count = 6, of = 5 }"),
            wrong("contradiction: `count` (6) must be at most `of` (5)")
        );
        assert_eq!(read("0"), wrong("out_of_range: `0` is out of range"));
        assert_eq!(read("{ count = 3 }"), wrong("missing_key: `of` is missing in a threshold"));
        assert_eq!(
            read("{ share = '50%' }"),
            wrong("missing_key: `within` is missing in a threshold")
        );
        assert_eq!(
            read("{ share = '150%', within = '5m' }"),
            wrong("invalid_part: `'150%'` is not a part of the runs")
        );
        assert!(read("{ share = 50, within = '5m' }").unwrap_err().starts_with("wrong_type"));
        assert!(read("{ share = 0.5, within = '7h' }").unwrap_err().starts_with("out_of_range"));
        assert!(
            read("{ share = 0.5, within = '5m', of = 3 }").unwrap_err().starts_with("several_of")
        );
        assert!(read("{ count = 1, off = 3 }").unwrap_err().contains("unknown_key"));
        assert!(read("'2 of 3'").is_err());
    }
}
