//! `mode = "quiet"`, or a table by impact: `{ minor = "draft", critical = "full" }`.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::problem::Problems;
use super::super::reader::{
    Field, Key, Node, Reader, Section, Setting, read_section, section_schema,
};
use super::choice::{choose, word_schema};
use crate::model::{Late, Mode, Modes};

const MODES: [(&str, Mode); 6] = [
    (Mode::Off.as_str(), Mode::Off),
    (Mode::Observe.as_str(), Mode::Observe),
    (Mode::Draft.as_str(), Mode::Draft),
    (Mode::ComponentOnly.as_str(), Mode::ComponentOnly),
    (Mode::Quiet.as_str(), Mode::Quiet),
    (Mode::Full.as_str(), Mode::Full),
];

impl Setting for Mode {
    const EXPECTED: &'static str = "a mode such as \"quiet\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a mode of publishing", &MODES, problems)
    }

    fn schema() -> Value {
        word_schema(&MODES)
    }
}

const MINOR: Key<Mode> =
    Key::new("minor", "For what is slow or blemished.").or_text(Mode::Quiet.as_str());
const MAJOR: Key<Mode> = Key::new("major", "For what is out for some, or where something is out.")
    .or_text(Mode::Quiet.as_str());
const CRITICAL: Key<Mode> =
    Key::new("critical", "For what is out altogether.").or_text(Mode::Quiet.as_str());

/// A mode for each impact.
struct ByImpact {
    minor: Field<Mode>,
    major: Field<Mode>,
    critical: Field<Mode>,
}

impl Section for ByImpact {
    const NAME: &'static str = "mode";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (minor, major) = (table.take(&MINOR), table.take(&MAJOR));
        Some(Self { minor, major, critical: table.take(&CRITICAL) })
    }
}

impl Setting for Modes {
    const EXPECTED: &'static str =
        "a mode such as \"quiet\", or a table such as { minor = \"draft\", critical = \"full\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        match node.get_ref() {
            DeValue::String(_) => Mode::read(node, problems).map(Self::all),
            DeValue::Table(table) => {
                let each: ByImpact = read_section(node.span(), table, problems)?;
                let (minor, major) = (each.minor.or(Mode::Quiet), each.major.or(Mode::Quiet));
                Some(Self {
                    minor: minor?,
                    major: major?,
                    critical: each.critical.or(Mode::Quiet)?,
                })
            }
            DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Array(_) => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [Mode::schema(), section_schema::<ByImpact>()] })
    }
}

const LATE: [(&str, Late); 2] = [("backfill", Late::Backfill), ("skip", Late::Skip)];

impl Setting for Late {
    const EXPECTED: &'static str = "\"backfill\" or \"skip\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "what to do with what is late", &LATE, problems)
    }

    fn schema() -> Value {
        word_schema(&LATE)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::model::{Mode, Modes};

    #[test]
    fn one_for_all_or_each_its_own() {
        assert_eq!(read::<Modes>("'observe'"), Ok(Modes::all(Mode::Observe)));
        let some = Modes { minor: Mode::Draft, major: Mode::Quiet, critical: Mode::Full };
        assert_eq!(read::<Modes>("'component_only'"), Ok(Modes::all(Mode::ComponentOnly)));
        assert_eq!(read::<Modes>("{ minor = 'draft', critical = 'full' }"), Ok(some));
        assert!(read::<Modes>("'loud'").unwrap_err().starts_with("unknown_word: "));
        assert!(read::<Modes>("{ huge = 'off' }").unwrap_err().starts_with("unknown_key: "));
        assert!(read::<Modes>("3").unwrap_err().starts_with("wrong_type: "));
    }
}
