//! Ids: `agent-login`. They become parts of metrics' labels, URLs and other ids.

use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

const LONGEST: usize = 64;

/// An id within its parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Id(pub(in super::super) String);

impl Setting for Id {
    const EXPECTED: &'static str = "a text in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        if is_id(&text) {
            return Some(Self(text));
        }
        let suggestion = slug(&text);
        problems.report(node.span(), Mistake::InvalidId { got: shorten(&text), suggestion });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,63}$" })
    }
}

fn is_id(text: &str) -> bool {
    let good = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    (1..=LONGEST).contains(&text.len()) && !text.starts_with('-') && text.bytes().all(good)
}

/// The id that a name makes: lower case, accents dropped, all else a hyphen. `None` if nothing
/// is left.
pub(in super::super) fn slug(name: &str) -> Option<String> {
    let mut slug = String::new();
    for letter in name.chars().flat_map(char::to_lowercase) {
        match plain(letter) {
            'a'..='z' | '0'..='9' => slug.push(plain(letter)),
            // One hyphen between two words, and none at the beginning.
            _ if slug.is_empty() || slug.ends_with('-') => {}
            _ => slug.push('-'),
        }
        if slug.len() == LONGEST {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    (!slug.is_empty()).then(|| slug.to_owned())
}

/// The letter without its accent, for the languages that farol's first users write.
const fn plain(letter: char) -> char {
    match letter {
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'ç' => 'c',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::tests::read;
    use super::{Id, is_id, slug};

    #[test]
    fn slugs_read_like_the_names() {
        for (name, id) in [
            ("Desk", "desk"),
            ("Desk answers on every server", "desk-answers-on-every-server"),
            ("  Atendimento básico (São Paulo) ", "atendimento-basico-sao-paulo"),
            ("HTTP/2 & friends", "http-2-friends"),
        ] {
            assert_eq!(slug(name).as_deref(), Some(id));
        }
        assert_eq!(slug("東京"), None);
        assert_eq!(slug("--"), None);
    }

    #[test]
    fn other_spellings_are_refused() {
        assert!(read::<Id>("'agent-login'").is_ok());
        for text in ["''", "'Desk'", "'-a'", "'a_b'", "'a/b'", "'é'", "3"] {
            assert!(read::<Id>(text).is_err(), "{text}");
        }
        assert!(read::<Id>(&format!("'{}'", "a".repeat(65))).is_err());
    }

    proptest! {
        #[test]
        fn every_slug_is_an_id(name in "\\PC{0,200}") {
            if let Some(slug) = slug(&name) {
                prop_assert!(is_id(&slug), "{slug}");
            }
        }
    }
}
