//! Regular expressions over bytes and over texts, bounded in size.

use regex::bytes::{Regex, RegexBuilder};
use serde_json::{Value, json};

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// What a compiled pattern may take. Searching is linear in the text whatever the pattern is, so
/// memory is all there is to bound.
const SIZE: usize = 1 << 20;

impl Setting for Regex {
    const EXPECTED: &'static str = "a regular expression in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let reason = if text.is_empty() {
            "it is empty, and would match everything".to_owned()
        } else {
            match RegexBuilder::new(&text).size_limit(SIZE).dfa_size_limit(SIZE).build() {
                Ok(regex) => return Some(regex),
                Err(error) => short(&error),
            }
        };
        problems.report(node.span(), Mistake::InvalidPattern { reason });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// A regular expression over text.
pub(in super::super) struct TextPattern(pub(in super::super) regex::Regex);

impl Setting for TextPattern {
    const EXPECTED: &'static str = Regex::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let bytes = Regex::read(node, problems)?;
        // What can be said of bytes alone, `(?-u:\xff)`, no text is like.
        match regex::RegexBuilder::new(bytes.as_str()).size_limit(SIZE).build() {
            Ok(regex) => Some(Self(regex)),
            Err(error) => {
                problems.report(node.span(), Mistake::InvalidPattern { reason: short(&error) });
                None
            }
        }
    }

    fn schema() -> Value {
        Regex::schema()
    }
}

/// The last line of the regex crate's words; the others draw the pattern, which the report does.
fn short(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::super::tests::read;

    #[test]
    fn bounded_and_explained() {
        assert!(read::<Regex>(r"'^\+PONG\r\n$'").is_ok());
        let words = |text| read::<Regex>(text).map(|regex| regex.to_string()).unwrap_err();
        assert_eq!(words("'a(b'"), "invalid_pattern: not a regular expression: unclosed group");
        assert!(words("'(a{1000}){1000}'").contains("size limit"));
        assert!(words("''").contains("empty"));
        assert!(words("5").starts_with("wrong_type"));
    }
}
