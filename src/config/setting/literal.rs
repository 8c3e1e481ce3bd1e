//! Values to compare JSON with: any value that both TOML and JSON have, and numbers alone.

use serde_json::{Number, Value, json};
use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::count::integer;

/// A value as JSON would have it.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Literal(pub(in super::super) Value);

impl Setting for Literal {
    const EXPECTED: &'static str = "a text, a number, `true`, `false`, a list or a table";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let value = match node.get_ref() {
            DeValue::String(text) => Value::from(text.as_ref()),
            DeValue::Boolean(value) => Value::from(*value),
            DeValue::Integer(_) | DeValue::Float(_) => Value::Number(number(node, problems)?),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| Some(Self::read(item, problems)?.0));
                Value::Array(items.collect::<Option<_>>()?)
            }
            DeValue::Table(table) => {
                let entries = table.iter().map(|(key, value)| {
                    Some((key.get_ref().as_ref().to_owned(), Self::read(value, problems)?.0))
                });
                Value::Object(entries.collect::<Option<_>>()?)
            }
            DeValue::Datetime(_) => return Self::wrong_type(node, problems),
        };
        Some(Self(value))
    }

    fn schema() -> Value {
        json!({ "type": ["string", "number", "boolean", "array", "object"] })
    }
}

/// A number to compare others with.
impl Setting for Number {
    const EXPECTED: &'static str = "a number";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Integer(_) | DeValue::Float(_) => number(node, problems),
            DeValue::String(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_)
            | DeValue::Table(_) => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "type": "number" })
    }
}

/// The number that stands there, if JSON has it too: neither infinite nor none at all.
fn number(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Number> {
    let found = match node.get_ref().as_float() {
        Some(float) => float.as_str().parse::<f64>().ok().and_then(Number::from_f64),
        None => integer(node).map(Number::from),
    };
    if found.is_none() {
        let mistake = Mistake::OutOfRange {
            got: problems.text(node.span()).to_owned(),
            least: f64::MIN.to_string(),
            most: f64::MAX.to_string(),
        };
        problems.report(node.span(), mistake);
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::{Number, json};

    use super::super::tests::read;
    use super::Literal;

    #[test]
    fn takes_what_json_has() {
        for (text, value) in [
            ("'ok'", json!("ok")),
            ("true", json!(true)),
            ("1_000", json!(1000)),
            ("-1.5e3", json!(-1500.0)),
            ("[1, 'a']", json!([1, "a"])),
            ("{ a = { b = [] } }", json!({ "a": { "b": [] } })),
        ] {
            assert_eq!(read::<Literal>(text), Ok(Literal(value)), "{text}");
        }
        for (text, code) in [
            ("2021-09-15T08:21:00Z", "wrong_type"),
            ("[1, 2021-09-15]", "wrong_type"),
            ("nan", "out_of_range"),
            ("-inf", "out_of_range"),
        ] {
            assert!(read::<Literal>(text).unwrap_err().starts_with(code), "{text}");
        }
        assert_eq!(read::<Number>("5"), Ok(Number::from(5)));
        assert!(read::<Number>("'5'").is_err());
    }
}
