//! What is written short, as a text, or at length, as a table.

use serde_json::{Value, json};

use super::super::problem::Problems;
use super::super::reader::{Node, Section, Setting, read_section, section_schema};

/// A table that one text may stand for.
pub(in super::super) trait Shortened: Section {
    /// The text.
    type Short: Setting;

    /// What stands in "expected ...", for both.
    const EITHER: &'static str;

    /// What the text means.
    fn of(short: Self::Short) -> Self;
}

/// Either of the two.
#[derive(Clone, Debug)]
pub(in super::super) struct ShortOr<T>(pub(in super::super) T);

impl<T: Shortened> Setting for ShortOr<T> {
    const EXPECTED: &'static str = T::EITHER;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let value = node.get_ref();
        if let Some(table) = value.as_table() {
            read_section(node.span(), table, problems).map(Self)
        } else if value.is_str() {
            T::Short::read(node, problems).map(|short| Self(T::of(short)))
        } else {
            Self::wrong_type(node, problems)
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [T::Short::schema(), section_schema::<T>()] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::TcpCheck;
    use super::super::tests::read;
    use super::ShortOr;

    #[test]
    fn both_forms_mean_the_same_and_nothing_else_is_one() {
        let port = |text: &str| read::<ShortOr<TcpCheck>>(text).map(|tcp| tcp.0.port);
        assert_eq!(port("'desk.example:25'"), Ok(25));
        assert_eq!(port("{ address = 'desk.example:25' }"), Ok(25));
        assert!(port("'desk.example'").unwrap_err().starts_with("invalid_address"));
        assert!(port("{ addres = 'desk.example:25' }").unwrap_err().starts_with("unknown_key"));
        assert!(port("25").unwrap_err().starts_with("wrong_type"));
    }
}
