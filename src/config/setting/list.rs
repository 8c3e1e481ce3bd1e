//! Lists, and lists that may be a single value.

use serde_json::{Value, json};
use toml::Spanned;

use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// A list; an array of tables is one too.
impl<T: Setting> Setting for Vec<Spanned<T>> {
    const EXPECTED: &'static str = "a list in [brackets], or a table with [[double brackets]]";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref().as_array() {
            Some(items) => read_items(items, problems),
            None => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// `"one"` or `["one", "another"]`.
#[derive(Clone, Debug)]
pub(in super::super) struct OneOrMany<T>(pub(in super::super) Vec<Spanned<T>>);

impl<T: Setting> Setting for OneOrMany<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref().as_array() {
            Some(items) => read_items(items, problems).map(Self),
            None => Some(Self(vec![Spanned::new(node.span(), T::read(node, problems)?)])),
        }
    }

    fn schema() -> Value {
        let one = T::schema();
        json!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// Reads every item, so that every mistake is seen; a list with a wrong item is wrong.
fn read_items<T: Setting>(
    items: &[Node<'_>],
    problems: &mut Problems<'_>,
) -> Option<Vec<Spanned<T>>> {
    let read: Vec<Option<Spanned<T>>> = items
        .iter()
        .map(|item| T::read(item, problems).map(|value| Spanned::new(item.span(), value)))
        .collect();
    read.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::super::text::Needle;
    use super::OneOrMany;

    #[test]
    fn one_or_many_and_all_that_is_wrong_with_them() {
        let texts = |text: &str| {
            let list = read::<OneOrMany<Needle>>(text)?;
            Ok(list.0.into_iter().map(|one| one.into_inner().0).collect::<Vec<_>>())
        };
        assert_eq!(texts("'a'"), Ok(vec!["a".to_owned()]));
        assert_eq!(texts("['a', 'b']"), Ok(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(texts("[]"), Ok(vec![]));
        let both: Result<Vec<String>, String> = texts("[1, '']");
        assert_eq!(both.unwrap_err().split("; ").count(), 2);
    }
}
