//! `flapping`: `6` changes in half an hour, `{ changes = 4, within = "10m" }`, or `"off"`.

use std::num::NonZeroU32;

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::problem::Problems;
use super::super::reader::{Key, Node, Reader, Section, Setting, read_section, section_schema};
use super::choice::{choose, word_schema};
use super::count::Runs;
use super::threshold::Within;
use crate::model::{Flapping, Span};

const CHANGES: Key<Runs> =
    Key::new("changes", "How often the health of one subject may change in that time.");
const WITHIN: Key<Within> =
    Key::new("within", "In which time; and how long nothing must change before it is over.")
        .or_text("30m");

/// Six changes are three failures and three recoveries.
const CHANGES_DEFAULT: NonZeroU32 = NonZeroU32::MIN.saturating_add(5);
const WITHIN_DEFAULT: Span = Span::from_secs(30 * 60);

const OFF: [(&str, Limit); 1] = [("off", Limit(None))];

/// How often a subject may change; nothing where that does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Limit(pub(in super::super) Option<Flapping>);

impl Default for Limit {
    fn default() -> Self {
        Self(Some(Flapping { changes: CHANGES_DEFAULT, within: WITHIN_DEFAULT }))
    }
}

impl Setting for Limit {
    const EXPECTED: &'static str =
        "a number of changes such as 6, { changes = 6, within = \"30m\" } or \"off\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::Integer(_) => Runs::read(node, problems)
                .map(|changes| Self(Some(Flapping { changes: changes.0, within: WITHIN_DEFAULT }))),
            DeValue::Table(table) => {
                read_section::<Form>(node.span(), table, problems).map(|form| Self(Some(form.0)))
            }
            DeValue::String(_) => choose::<Self, _>(node, "a limit of changes", &OFF, problems),
            DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) => {
                Self::wrong_type(node, problems)
            }
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Runs::schema(), section_schema::<Form>(), word_schema(&OFF)] })
    }
}

/// The form that is a table.
struct Form(Flapping);

impl Section for Form {
    const NAME: &'static str = "`flapping`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (changes, within) = (table.require(&CHANGES), table.take(&WITHIN));
        let within = within.optional()?.map_or(WITHIN_DEFAULT, |within| within.0);
        Some(Self(Flapping { changes: changes?.into_inner().0, within }))
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::super::tests::read;
    use super::Limit;
    use crate::model::{Flapping, Span};

    #[test]
    fn a_number_a_table_or_off() {
        let limit = |changes, secs| {
            let changes = NonZeroU32::new(changes).unwrap();
            Ok(Limit(Some(Flapping { changes, within: Span::from_secs(secs) })))
        };
        assert_eq!(Ok(Limit::default()), limit(6, 1800));
        assert_eq!(read::<Limit>("4"), limit(4, 1800));
        assert_eq!(read::<Limit>("{ changes = 4 }"), limit(4, 1800));
        assert_eq!(read::<Limit>("{ changes = 4, within = '10m' }"), limit(4, 600));
        assert_eq!(read::<Limit>("'off'"), Ok(Limit(None)));
        let refused = [
            ("0", "out_of_range"),
            ("101", "out_of_range"),
            ("'of'", "unknown_word"),
            ("true", "wrong_type"),
            ("{ within = '10m' }", "missing_key"),
            ("{ changes = 4, within = '7h' }", "out_of_range"),
            ("{ change = 4 }", "unknown_key"),
        ];
        for (text, code) in refused {
            let error = read::<Limit>(text).unwrap_err();
            assert!(error.starts_with(code), "{text}: {error}");
        }
    }
}
