//! `fail_after`: `2` in a row, or `{ count = 3, of = 5 }`.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{Key, Node, Reader, Section, Setting, read_section, section_schema};
use super::count::Runs;
use crate::model::Threshold;

const COUNT: Key<Runs> = Key::new("count", "How many runs must fail.");
const OF: Key<Runs> = Key::new("of", "Among how many of the latest runs.");

impl Setting for Threshold {
    const EXPECTED: &'static str = "a number such as 2, or { count = 3, of = 5 }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Integer(_) => Runs::read(node, problems).map(|runs| Self::in_a_row(runs.0)),
            DeValue::Table(table) => {
                let CountOf(threshold) = read_section(node.span(), table, problems)?;
                if threshold.count > threshold.of {
                    let mistake = Mistake::Contradiction {
                        small: "count",
                        small_value: threshold.count.to_string(),
                        relation: "at most",
                        large: "of",
                        large_value: threshold.of.to_string(),
                        why: "so many runs can never fail among so few: raise `of`",
                    };
                    problems.report(node.span(), mistake);
                    return None;
                }
                Some(threshold)
            }
            DeValue::String(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Runs::schema(), section_schema::<CountOf>()] })
    }
}

struct CountOf(Threshold);

impl Section for CountOf {
    const NAME: &'static str = "`fail_after`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (count, of) = (table.require(&COUNT), table.require(&OF));
        Some(Self(Threshold { count: count?.into_inner().0, of: of?.into_inner().0 }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::model::Threshold;

    #[test]
    fn in_a_row_or_among() {
        let pair = |text| read::<Threshold>(text).map(|t| (t.count.get(), t.of.get()));
        assert_eq!(pair("2"), Ok((2, 2)));
        assert_eq!(pair("{ count = 3, of = 5 }"), Ok((3, 5)));
        assert_eq!(
            pair("{ count = 6, of = 5 }"),
            Err("contradiction: `count` (6) must be at most `of` (5)".to_owned())
        );
        assert_eq!(pair("0"), Err("out_of_range: `0` is out of range".to_owned()));
        assert_eq!(
            pair("{ count = 3 }"),
            Err("missing_key: `of` is missing in `fail_after`".to_owned())
        );
        assert!(pair("'2 of 3'").is_err());
    }
}
