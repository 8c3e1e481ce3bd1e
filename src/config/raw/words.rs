//! `[words]`.

use toml::Spanned;

use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::pattern::TextPattern;

const TITLE: Key<String> = Key::new("title", "The template of an incident's title.");
const INVESTIGATING: Key<String> =
    Key::new("investigating", "The template of a text while something is wrong.");
const MONITORING: Key<String> =
    Key::new("monitoring", "The template of a text while all is well again, and watched.");
const RESOLVED: Key<String> = Key::new("resolved", "The template of the last text.");
const ENDING: Key<String> = Key::new("ending", "What every text ends with; no template.");
const FORBIDDEN: Key<Vec<Spanned<TextPattern>>> = Key::new(
    "forbidden",
    "Regular expressions of what no text may say, beside addresses, hosts and status codes.",
);
const ALLOWED: Key<Vec<Spanned<String>>> =
    Key::new("allowed", "Hosts of checks that texts may name all the same, as that of a shop.");

/// `[words]`.
pub(in super::super) struct RawWords {
    pub(in super::super) title: Field<String>,
    pub(in super::super) investigating: Field<String>,
    pub(in super::super) monitoring: Field<String>,
    pub(in super::super) resolved: Field<String>,
    pub(in super::super) ending: Field<String>,
    pub(in super::super) forbidden: Field<Vec<Spanned<TextPattern>>>,
    pub(in super::super) allowed: Field<Vec<Spanned<String>>>,
}

impl Section for RawWords {
    const NAME: &'static str = "[words]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            title: table.take(&TITLE),
            investigating: table.take(&INVESTIGATING),
            monitoring: table.take(&MONITORING),
            resolved: table.take(&RESOLVED),
            ending: table.take(&ENDING),
            forbidden: table.take(&FORBIDDEN),
            allowed: table.take(&ALLOWED),
        })
    }
}
