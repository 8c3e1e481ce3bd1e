//! How many and how large: `count = 3`, `count = { at_least = 1 }`, `size = { at_most = "1MiB" }`.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::plan::expect::{CountRange, SizeRange};
use super::super::problem::Problems;
use super::super::reader::{
    Field, Key, Node, Reader, Section, Setting, read_section, section_schema,
};
use super::count::{bounded, integer};
use super::size::{Size, show};

const KEYS: &[&str] = &["at_least", "at_most"];

/// A number of things. More than fit into the largest body nobody has to count.
struct Count(u32);

impl Count {
    const MOST: u32 = 1_000_000;
}

impl Setting for Count {
    const EXPECTED: &'static str = "a whole number";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
        bounded(node, number, 0, Self::MOST, problems).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0, "maximum": Self::MOST })
    }
}

const COUNT_AT_LEAST: Key<Count> = Key::new("at_least", "There must be no fewer.");
const COUNT_AT_MOST: Key<Count> = Key::new("at_most", "There must be no more.");

impl Setting for CountRange {
    const EXPECTED: &'static str = "a whole number, or { at_least = 1, at_most = 10 }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            let Some(number) = integer(node) else { return Self::wrong_type(node, problems) };
            let count = u64::from(bounded(node, number, 0, Count::MOST, problems)?);
            return Some(Self { least: count, most: count });
        };
        let Counts(least, most) = read_section(node.span(), table, problems)?;
        let (least, most) = ordered(node, (least, most), |count| count.to_string(), problems)?;
        Some(Self { least, most })
    }

    fn schema() -> Value {
        json!({ "anyOf": [Count::schema(), section_schema::<Counts>()] })
    }
}

struct Counts(Option<u64>, Option<u64>);

impl Section for Counts {
    const NAME: &'static str = "`count`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let number = |field: Field<Count>| Some(field.optional()?.map(|count| u64::from(count.0)));
        let (least, most) = (table.take(&COUNT_AT_LEAST), table.take(&COUNT_AT_MOST));
        Some(Self(number(least)?, number(most)?))
    }
}

/// The most that `max_body` lets anybody read.
type Bytes = Size<{ 64 << 20 }>;

const SIZE_AT_LEAST: Key<Bytes> = Key::new("at_least", "The body must be no smaller.");
const SIZE_AT_MOST: Key<Bytes> = Key::new("at_most", "The body must be no larger.");

impl Setting for SizeRange {
    const EXPECTED: &'static str = "a table such as { at_least = \"1KiB\", at_most = \"2MiB\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        let Sizes(least, most) = read_section(node.span(), table, problems)?;
        let (least, most) = ordered(node, (least, most), show, problems)?;
        Some(Self { least, most })
    }

    fn schema() -> Value {
        section_schema::<Sizes>()
    }
}

struct Sizes(Option<u64>, Option<u64>);

impl Section for Sizes {
    const NAME: &'static str = "`size`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let bytes = |field: Field<Bytes>| Some(field.optional()?.map(|size| size.0));
        let (least, most) = (table.take(&SIZE_AT_LEAST), table.take(&SIZE_AT_MOST));
        Some(Self(bytes(least)?, bytes(most)?))
    }
}

/// The two bounds, of which at least one must be given, and the lower must not be the higher.
fn ordered(
    node: &Node<'_>,
    bounds: (Option<u64>, Option<u64>),
    shown: impl Fn(u64) -> String,
    problems: &mut Problems<'_>,
) -> Option<(u64, u64)> {
    let mistake = match bounds {
        (Some(least), Some(most)) if least > most => Mistake::Contradiction {
            small: "at_least",
            small_value: shown(least),
            relation: "at most",
            large: "at_most",
            large_value: shown(most),
            why: "nothing is both: exchange them, or leave one of them out",
        },
        // In a table that is not empty there is an unknown key, which was reported.
        (None, None) if node.get_ref().as_table().is_some_and(|table| table.is_empty()) => {
            Mistake::NoneOf { section: "this table", keys: KEYS }
        }
        (least, most) => return Some((least.unwrap_or(0), most.unwrap_or(u64::MAX))),
    };
    problems.report(node.span(), mistake);
    None
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::config::{CountRange, SizeRange};

    #[test]
    fn counts_are_exact_or_between() {
        let between = |least, most| Ok(CountRange { least, most });
        assert_eq!(read("3"), between(3, 3));
        assert_eq!(read("{ at_least = 1 }"), between(1, u64::MAX));
        assert_eq!(read("{ at_least = 1, at_most = 1 }"), between(1, 1));
        for (text, code) in [
            ("-1", "out_of_range"),
            ("{ at_least = 2, at_most = 1 }", "contradiction"),
            ("{}", "none_of"),
            ("{ least = 1 }", "unknown_key"),
            ("'3'", "wrong_type"),
        ] {
            assert!(read::<CountRange>(text).unwrap_err().starts_with(code), "{text}");
        }
    }

    #[test]
    fn sizes_have_units() {
        let between = |least, most| Ok(SizeRange { least, most });
        assert_eq!(read("{ at_least = '1KiB', at_most = '2KiB' }"), between(1024, 2048));
        assert_eq!(read("{ at_most = '2KiB' }"), between(0, 2048));
        for (text, code) in [
            ("{ at_least = 1024 }", "no_unit"),
            ("{ at_least = '2KiB', at_most = '1KiB' }", "contradiction"),
            ("{}", "none_of"),
            ("'1KiB'", "wrong_type"),
        ] {
            assert!(read::<SizeRange>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
