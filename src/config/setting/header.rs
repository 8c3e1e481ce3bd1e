//! Headers to send: plain texts, or secrets with something in front.

use std::ops::Range;

use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::super::mistake::Mistake;
use super::super::plan::HeaderText;
use super::super::problem::Problems;
use super::super::reader::{Field, Key, Node, Reader, Section, Setting, section_schema};
use super::secret::{ask, looks_secret};

const PREFIX: Key<String> =
    Key::new("prefix", "What stands before the secret: \"Bearer \".").or_text("");

/// What the connection and the body decide.
const RESERVED: [HeaderName; 5] = [
    http::header::HOST,
    http::header::CONNECTION,
    http::header::CONTENT_LENGTH,
    http::header::TRANSFER_ENCODING,
    http::header::TE,
];

/// All headers of a request, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Headers(pub(in super::super) Vec<(HeaderName, HeaderText)>);

impl Setting for Headers {
    const EXPECTED: &'static str = "a table such as { Accept = \"text/html\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        read_headers(table, read_value, problems).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": {
            "anyOf": [{ "type": "string" }, section_schema::<SecretText>()]
        } })
    }
}

/// How the value of a header is read.
type ReadValue<T> = fn(&HeaderName, &Node<'_>, &mut Problems<'_>) -> Option<T>;

/// Reads every header, so that every mistake is seen.
pub(super) fn read_headers<T>(
    table: &DeTable<'_>,
    read_value: ReadValue<T>,
    problems: &mut Problems<'_>,
) -> Option<Vec<(HeaderName, T)>> {
    let mut headers: Vec<(HeaderName, Range<usize>, T)> = Vec::new();
    let mut all_good = true;
    for (key, value) in table {
        let read = read_header(key.get_ref(), key.span(), value, read_value, problems);
        let Some((name, text)) = read else {
            all_good = false;
            continue;
        };
        if let Some((_, first, _)) = headers.iter().find(|(known, _, _)| *known == name) {
            let places = [(key.span(), Some("again")), (first.clone(), Some("first"))];
            problems.report_all(places, Mistake::DuplicateHeader { name: name.to_string() });
            all_good = false;
        }
        headers.push((name, key.span(), text));
    }
    all_good.then(|| headers.into_iter().map(|(name, _, text)| (name, text)).collect())
}

fn read_header<T>(
    name: &str,
    name_span: Range<usize>,
    value: &Node<'_>,
    read_value: ReadValue<T>,
    problems: &mut Problems<'_>,
) -> Option<(HeaderName, T)> {
    let read = match HeaderName::from_bytes(name.as_bytes()) {
        Err(_) => Err(Mistake::InvalidHeader { part: "name" }),
        Ok(name) if RESERVED.contains(&name) => {
            Err(Mistake::ReservedHeader { name: name.to_string() })
        }
        Ok(name) => Ok(name),
    };
    match read {
        Ok(name) => {
            let text = read_value(&name, value, problems)?;
            Some((name, text))
        }
        Err(mistake) => {
            if looks_secret(name) {
                problems.hide(value.span());
            }
            problems.report(name_span, mistake);
            None
        }
    }
}

fn read_value(
    name: &HeaderName,
    node: &Node<'_>,
    problems: &mut Problems<'_>,
) -> Option<HeaderText> {
    match node.get_ref() {
        DeValue::Table(_) => SecretText::read(node, problems).map(|secret| secret.0),
        DeValue::String(_) if looks_secret(name.as_str()) => {
            problems.hide(node.span());
            let what = "the value of this header";
            problems.report(node.span(), Mistake::PlainSecret { what });
            None
        }
        DeValue::String(text) => match HeaderValue::from_str(text) {
            Ok(value) => Some(HeaderText::Plain(value)),
            Err(_) => {
                problems.report(node.span(), Mistake::InvalidHeader { part: "value" });
                None
            }
        },
        DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Array(_) => {
            if looks_secret(name.as_str()) {
                problems.hide(node.span());
            }
            SecretText::wrong_value(node, problems)
        }
    }
}

/// A text that is a secret, with something in front of it.
pub(super) struct SecretText(pub(super) HeaderText);

impl SecretText {
    fn wrong_value(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<HeaderText> {
        let expected = "a text in quotes, or { env = \"NAME\" }";
        let found = node.get_ref().type_str();
        problems.report(node.span(), Mistake::WrongType { expected, found });
        None
    }
}

impl Section for SecretText {
    const NAME: &'static str = "a header's secret";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (secret, prefix) = (ask(table), table.take(&PREFIX));
        if let Field::Given(text) = &prefix
            && HeaderValue::from_str(text.get_ref()).is_err()
        {
            table.report(text.span(), Mistake::InvalidHeader { part: "value" });
            return None;
        }
        let prefix = prefix.or(String::new());
        Some(Self(HeaderText::Secret { prefix: prefix?, secret: secret? }))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::super::tests::read;
    use super::Headers;
    use crate::config::{HeaderText, SecretRef};

    #[test]
    fn plain_texts_and_secrets() {
        let headers = read::<Headers>(
            "{ Accept = 'text/html', Authorization = { env = 'T', prefix = 'Bearer ' } }",
        );
        let secret = SecretRef::Env("T".to_owned());
        assert_eq!(
            headers.unwrap().0,
            [
                (http::header::ACCEPT, HeaderText::Plain(HeaderValue::from_static("text/html"))),
                (
                    http::header::AUTHORIZATION,
                    HeaderText::Secret { prefix: "Bearer ".to_owned(), secret }
                ),
            ]
        );
    }

    #[test]
    fn says_what_is_wrong_with_others() {
        for (text, code) in [
            ("{ Authorization = 'Bearer abc' }", "plain_secret"),
            ("{ X-Api-Key = 'abc' }", "plain_secret"),
            ("{ 'a b' = 'c' }", "invalid_header"),
            ("{ X-A = \"b\\nc\" }", "invalid_header"),
            ("{ X-A = { env = 'B', prefix = \"\\n\" } }", "invalid_header"),
            ("{ Host = 'other.example' }", "reserved_header"),
            ("{ Accept = 'a', accept = 'b' }", "duplicate_header"),
            ("{ X-A = 5 }", "wrong_type"),
            ("'Accept: x'", "wrong_type"),
            ("{ X-A = { env = 'B', prefx = 'c' } }", "unknown_key"),
        ] {
            let words = read::<Headers>(text).unwrap_err();
            assert!(words.starts_with(code), "{text}: {words}");
        }
    }
}
