//! CSS selectors: `"#login"`, `"form button[type=submit]"`.

use scraper::Selector;
use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::plan::login::Chosen;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// Longer ones no person writes.
const LONGEST: usize = 500;

/// A selector, as written and compiled.
#[derive(Clone, Debug)]
pub(in super::super) struct Css(pub(in super::super) String, pub(in super::super) Selector);

impl Setting for Css {
    const EXPECTED: &'static str = "a CSS selector such as \"#login\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        if text.chars().count() <= LONGEST
            && let Ok(selector) = Selector::parse(&text)
        {
            return Some(Self(text, selector));
        }
        problems.report(node.span(), Mistake::InvalidSelector { got: shorten(&text) });
        None
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "maxLength": LONGEST })
    }
}

impl Setting for Chosen {
    const EXPECTED: &'static str = Css::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let Css(written, select) = Css::read(node, problems)?;
        Some(Self { written: written.into(), select })
    }

    fn schema() -> Value {
        Css::schema()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::Css;

    #[test]
    fn takes_what_style_sheets_know() {
        for text in ["#login", "form > button[type=submit]", "h1, h2", "a:not(.b)", "meta[name=x]"]
        {
            assert!(read::<Css>(&format!("'{text}'")).is_ok(), "{text}");
        }
        for text in ["''", "'#'", "'a >'", "'a['", "'1a'", "'a::before'"] {
            let words = read::<Css>(text).unwrap_err();
            assert!(words.starts_with("invalid_selector"), "{text}: {words}");
        }
        assert!(read::<Css>(&format!("'{}'", "a ".repeat(300))).is_err());
        assert!(read::<Css>("7").unwrap_err().starts_with("wrong_type"));
    }
}
