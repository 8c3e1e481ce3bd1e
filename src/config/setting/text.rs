//! Texts: a line that is a name, or anything that is not empty.

use http::HeaderName;
use serde_json::{Value, json};

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// Any text, empty or not.
impl Setting for String {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        Self::text(node, problems)
    }

    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

/// True or false.
impl Setting for bool {
    const EXPECTED: &'static str = "`true` or `false`";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        node.get_ref().as_bool().or_else(|| Self::wrong_type(node, problems))
    }

    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

/// One line of at most `MOST` characters that says something: what stands around it is cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Line<const MOST: usize>(pub(in super::super) String);

impl<const MOST: usize> Setting for Line<MOST> {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let text = text.trim();
        let trouble = if text.is_empty() {
            "empty"
        } else if text.chars().count() > MOST {
            "too long"
        } else if text.chars().any(char::is_control) {
            "more than one line, or holds control characters"
        } else {
            return Some(Self(text.to_owned()));
        };
        problems.report(node.span(), Mistake::InvalidText { trouble, most: MOST, one_line: true });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": MOST })
    }
}

/// A text to look for, byte by byte: anything but nothing, which is found everywhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Needle(pub(in super::super) String);

/// Longer needles are whole documents; those are compared by other means.
const LONGEST_NEEDLE: usize = 4096;

impl Setting for Needle {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let trouble = match text.chars().count() {
            0 => "empty, and would be found in every body",
            1..=LONGEST_NEEDLE => return Some(Self(text)),
            _ => "too long",
        };
        let mistake = Mistake::InvalidText { trouble, most: LONGEST_NEEDLE, one_line: false };
        problems.report(node.span(), mistake);
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": LONGEST_NEEDLE })
    }
}

/// A word as protocols on top of HTTP have them: the name of a subprotocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Token(pub(in super::super) String);

impl Setting for Token {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let trouble = match text.len() {
            0 => "empty",
            // The names of headers are made of the same signs.
            1..=64 if HeaderName::from_bytes(text.as_bytes()).is_ok() => return Some(Self(text)),
            1..=64 => "not one word: those have letters, digits and signs such as `-` and `.`",
            _ => "too long",
        };
        problems.report(node.span(), Mistake::InvalidText { trouble, most: 64, one_line: true });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}$" })
    }
}

/// An id that a status API gave: it becomes a part of URLs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct VendorId(pub(in super::super) String);

impl Setting for VendorId {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let trouble = match text.len() {
            0 => "empty",
            1..=64 if text.bytes().all(good) => return Some(Self(text)),
            1..=64 => "not an id: those have letters, digits, `-` and `_`",
            _ => "too long",
        };
        problems.report(node.span(), Mistake::InvalidText { trouble, most: 64, one_line: true });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::{Line, Needle, Token, VendorId};

    #[test]
    fn a_line_is_trimmed_and_says_something() {
        assert_eq!(read::<Line<5>>("' Ação '"), Ok(Line("Ação".to_owned())));
        for text in ["''", "'   '", "'sixsix'", "\"a\\nb\"", "7"] {
            assert!(read::<Line<5>>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_needle_keeps_its_spaces_and_is_not_empty() {
        assert_eq!(read::<Needle>("' ok '"), Ok(Needle(" ok ".to_owned())));
        assert!(read::<Needle>("''").is_err());
        assert!(read::<Needle>(&format!("'{}'", "x".repeat(4097))).is_err());
    }

    #[test]
    fn a_token_is_one_word_and_keeps_its_case() {
        assert_eq!(read::<Token>("'v2.Chat-json'"), Ok(Token("v2.Chat-json".to_owned())));
        for text in ["''", "'a b'", "'a,b'", "'é'", &format!("'{}'", "x".repeat(65))] {
            assert!(read::<Token>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_vendors_id_cannot_leave_its_place_in_a_url() {
        assert!(read::<VendorId>("'p31zjtct2jer'").is_ok());
        for text in ["''", "'a/b'", "'..'", "'a?b'", "'a b'"] {
            assert!(read::<VendorId>(text).is_err(), "{text}");
        }
    }
}
