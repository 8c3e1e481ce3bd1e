//! Sets of HTTP status codes: `200`, `"2xx"`, `"301-303"`, and lists of them.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::{Mistake, shorten};
use super::super::plan::StatusSet;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::list::OneOrMany;

impl Setting for StatusSet {
    const EXPECTED: &'static str = StatusRange::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let ranges = OneOrMany::<StatusRange>::read(node, problems)?.0;
        if ranges.is_empty() {
            problems.report(node.span(), Mistake::NoStatus);
            return None;
        }
        Some(Self(ranges.into_iter().map(|range| range.into_inner().0).collect()))
    }

    fn schema() -> Value {
        let one = StatusRange::schema();
        json!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

struct StatusRange((u16, u16));

impl Setting for StatusRange {
    const EXPECTED: &'static str = "a status code such as 200 or \"2xx\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = match node.get_ref() {
            DeValue::Integer(_) => problems.text(node.span()).replace('_', ""),
            DeValue::String(text) => text.as_ref().to_owned(),
            DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => return Self::wrong_type(node, problems),
        };
        let range = parse(&text);
        if range.is_none() {
            problems.report(node.span(), Mistake::InvalidStatus { got: shorten(&text) });
        }
        range.map(Self)
    }

    fn schema() -> Value {
        json!({ "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": "^([1-5][0-9]{2}|[1-5]xx|[1-5][0-9]{2}-[1-5][0-9]{2})$" },
        ] })
    }
}

fn parse(text: &str) -> Option<(u16, u16)> {
    if let Some(class) = text.strip_suffix("xx") {
        let low = code(&format!("{class}00"))?;
        return Some((low, low + 99));
    }
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let (low, high) = (code(low)?, code(high)?);
    (low <= high).then_some((low, high))
}

fn code(text: &str) -> Option<u16> {
    // Three digits: a number's parser alone would take "+200" and "0200".
    let digits = text.len() == 3 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|code| digits && (100..=599).contains(code))
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::config::StatusSet;

    #[test]
    fn codes_classes_and_ranges() {
        let set = read::<StatusSet>("[200, '3xx', '401-403']").unwrap();
        assert_eq!(set, StatusSet(vec![(200, 200), (300, 399), (401, 403)]));
        assert_eq!(read::<StatusSet>("'2xx'"), Ok(StatusSet(vec![(200, 299)])));
        assert_eq!(read::<StatusSet>("204"), Ok(StatusSet(vec![(204, 204)])));
    }

    #[test]
    fn others_are_refused() {
        for text in ["99", "600", "'6xx'", "'xx'", "'303-301'", "'+200'", "'2XX'", "'200-'", "''"] {
            assert!(read::<StatusSet>(text).unwrap_err().starts_with("invalid_status"), "{text}");
        }
        assert_eq!(read::<StatusSet>("[]"), Err("no_status: no status would ever pass".to_owned()));
        assert!(read::<StatusSet>("2.0").is_err());
    }
}
