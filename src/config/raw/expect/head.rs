//! What is expected of an answer's headers and of where it came from.

use http::HeaderName;
use regex::bytes::Regex;
use serde_json::{Value, json};
use toml::de::DeValue;
use url::Url;

use super::super::super::mistake::Mistake;
use super::super::super::plan::expect::{HeaderExpect, UrlExpect};
use super::super::super::problem::Problems;
use super::super::super::reader::{
    Field, Key, Node, Reader, Section, Setting, read_section, section_schema,
};

const EQUALS: Key<String> = Key::new("equals", "The value, to the letter.");
const MATCHES: Key<Regex> = Key::new("matches", "A regular expression that the value matches.");
const EXISTS: Key<bool> = Key::new("exists", "Whether the header is there at all.");
const ONE: &[&str] = &["equals", "matches", "exists"];

/// What is expected of each header.
#[derive(Default)]
pub(super) struct ExpectHeaders(pub(super) Vec<(HeaderName, HeaderExpect)>);

impl Setting for ExpectHeaders {
    const EXPECTED: &'static str =
        "a table such as { Content-Type = { matches = \"^text/html\" } }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        let mut headers: Vec<(HeaderName, std::ops::Range<usize>, HeaderExpect)> = Vec::new();
        let mut all_good = true;
        for (key, value) in table {
            let expect = HeaderExpect::read(value, problems);
            let Ok(name) = HeaderName::from_bytes(key.get_ref().as_bytes()) else {
                problems.report(key.span(), Mistake::InvalidHeader { part: "name" });
                all_good = false;
                continue;
            };
            if let Some((_, first, _)) = headers.iter().find(|(known, _, _)| *known == name) {
                let places = [(key.span(), Some("again")), (first.clone(), Some("first"))];
                problems.report_all(places, Mistake::DuplicateHeader { name: name.to_string() });
                all_good = false;
            }
            match expect {
                Some(expect) => headers.push((name, key.span(), expect)),
                None => all_good = false,
            }
        }
        all_good.then(|| Self(headers.into_iter().map(|(name, _, it)| (name, it)).collect()))
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": HeaderExpect::schema() })
    }
}

impl Setting for HeaderExpect {
    const EXPECTED: &'static str = "a text in quotes, { matches = \"...\" }, or { exists = false }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Table(table) => {
                read_section::<Table>(node.span(), table, problems).map(|table| table.0)
            }
            DeValue::String(text) => Some(Self::Equals(text.as_ref().to_owned())),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "type": "string" }, section_schema::<Table>()] })
    }
}

struct Table(HeaderExpect);

impl Section for Table {
    const NAME: &'static str = "an expected header";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        table.exactly_one(ONE);
        let (equals, matches) = (table.take(&EQUALS), table.take(&MATCHES));
        match (equals, matches, table.take(&EXISTS)) {
            (Field::Given(text), Field::Absent, Field::Absent) => {
                Some(HeaderExpect::Equals(text.into_inner()))
            }
            (Field::Absent, Field::Given(pattern), Field::Absent) => {
                Some(HeaderExpect::Matches(pattern.into_inner()))
            }
            (Field::Absent, Field::Absent, Field::Given(exists)) if *exists.get_ref() => {
                Some(HeaderExpect::Present)
            }
            (Field::Absent, Field::Absent, Field::Given(_)) => Some(HeaderExpect::Absent),
            _ => None,
        }
        .map(Self)
    }
}

impl Setting for UrlExpect {
    const EXPECTED: &'static str = "a URL in quotes, or { matches = \"...\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Table(table) => read_section::<UrlTable>(node.span(), table, problems)
                .map(|table| Self::Matches(table.0)),
            DeValue::String(_) => Url::read(node, problems).map(Self::Equals),
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Url::schema(), section_schema::<UrlTable>()] })
    }
}

struct UrlTable(Regex);

impl Section for UrlTable {
    const NAME: &'static str = "`final_url`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        table.require(&MATCHES).map(|pattern| Self(pattern.into_inner()))
    }
}
