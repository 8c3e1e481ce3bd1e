//! Kinds of our own trouble: `"all"`, or a list of them.

use serde_json::{Value, json};
use toml::Spanned;

use super::super::plan::ProberCheck;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::choice::{choose, word_schema};
use crate::model::OwnTrouble;

/// Each kind with the word for it.
fn words() -> [(&'static str, OwnTrouble); OwnTrouble::ALL.len()] {
    OwnTrouble::ALL.map(|trouble| (trouble.as_str(), trouble))
}

impl Setting for OwnTrouble {
    const EXPECTED: &'static str = "a kind of trouble such as \"network\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a kind of the prober's own trouble", &words(), problems)
    }

    fn schema() -> Value {
        word_schema(&words())
    }
}

impl Setting for ProberCheck {
    const EXPECTED: &'static str =
        "\"all\", or a list of kinds of trouble such as [\"network\", \"store\"]";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let value = node.get_ref();
        if value.as_str() == Some("all") {
            return Some(Self { watch: OwnTrouble::ALL.into() });
        }
        if value.as_array().is_none_or(|kinds| kinds.is_empty()) {
            return Self::wrong_type(node, problems);
        }
        let kinds = Vec::<Spanned<OwnTrouble>>::read(node, problems)?;
        Some(Self { watch: kinds.into_iter().map(Spanned::into_inner).collect() })
    }

    fn schema() -> Value {
        let kinds = json!({ "type": "array", "items": OwnTrouble::schema(), "minItems": 1 });
        json!({ "anyOf": [{ "const": "all" }, kinds] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::config::ProberCheck;
    use crate::model::OwnTrouble;

    #[test]
    fn all_kinds_or_those_that_are_named() {
        let watch = |text: &str| {
            read::<ProberCheck>(text).map(|check| check.watch.into_iter().collect::<Vec<_>>())
        };
        assert_eq!(watch("'all'"), Ok(OwnTrouble::ALL.to_vec()));
        let two = vec![OwnTrouble::Network, OwnTrouble::Store];
        assert_eq!(watch("['store', 'network', 'store']"), Ok(two));
        assert!(watch("['netwrok']").unwrap_err().starts_with("unknown_word"));
        for text in ["[]", "'network'", "true", "{}"] {
            assert!(watch(text).unwrap_err().starts_with("wrong_type"), "{text}");
        }
    }
}
