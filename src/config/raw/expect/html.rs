//! What is expected of the elements that a selector selects.

use regex::bytes::Regex;

use super::super::super::plan::expect::{CountRange, HtmlExpect};
use super::super::super::reader::{Key, Reader, Section};
use super::super::super::setting::list::OneOrMany;
use super::super::super::setting::selector::Css;
use super::super::super::setting::text::Needle;
use super::json::settle_count;
use super::list;

const SELECT: Key<Css> = Key::new("select", "Which elements, as in a style sheet: \"#login\".");
const EXISTS: Key<bool> =
    Key::new("exists", "`false`: there must be no such element. Without it, there must be one.");
const COUNT: Key<CountRange> = Key::new("count", "How many such elements there must be.");
const CONTAINS: Key<OneOrMany<Needle>> =
    Key::new("contains", "Texts, each of which must stand in one of the elements.");
const MATCHES: Key<OneOrMany<Regex>> = Key::new(
    "matches",
    "Regular expressions, each of which the text of one of the elements must match.",
);

impl Section for HtmlExpect {
    const NAME: &'static str = "`html`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let select = table.require(&SELECT);
        let (exists, count) = (table.take(&EXISTS), table.take(&COUNT));
        let (contains, matches) = (table.take(&CONTAINS), table.take(&MATCHES));
        let contains: Vec<String> = list(contains)?.into_iter().map(|needle| needle.0).collect();
        let matches = list(matches)?;
        let more = !contains.is_empty() || !matches.is_empty();
        let count = settle_count(table, exists, count, more)?;
        let Css(written, select) = select?.into_inner();
        Some(Self { written, select, count, contains, matches })
    }
}
