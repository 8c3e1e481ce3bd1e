//! What `http` expects of an answer.

mod head;
mod html;
mod json;

use regex::bytes::Regex;
use toml::Spanned;

use super::super::plan::StatusSet;
use super::super::plan::expect::{HtmlExpect, HttpExpect, JsonExpect, SizeRange, UrlExpect};
use super::super::reader::{Field, Key, Reader};
use super::super::setting::list::OneOrMany;
use super::super::setting::text::Needle;
use head::ExpectHeaders;

const STATUS: Key<StatusSet> =
    Key::new("status", "The status codes that pass: codes, classes, ranges.").or_text("2xx");
const CONTAINS: Key<OneOrMany<Needle>> =
    Key::new("contains", "Texts that the body must contain, each of them.");
const MATCHES: Key<OneOrMany<Regex>> =
    Key::new("matches", "Regular expressions that the body must match, each of them.");
const EXPECT_HEADERS: Key<ExpectHeaders> =
    Key::new("expect_headers", "What the answer's headers must be.");
const FINAL_URL: Key<UrlExpect> =
    Key::new("final_url", "Where redirects must have led: a URL, or { matches = \"...\" }.");
const EXCLUDES: Key<OneOrMany<Needle>> =
    Key::new("excludes", "Texts that the body must not contain, none of them.");
const NOT_MATCHES: Key<OneOrMany<Regex>> =
    Key::new("not_matches", "Regular expressions that the body must not match, none of them.");
const SIZE: Key<SizeRange> = Key::new("size", "How large the body must be.");
const JSON: Key<OneOrMany<JsonExpect>> =
    Key::new("json", "What the values must be that paths lead to in the body's JSON.");
const HTML: Key<OneOrMany<HtmlExpect>> =
    Key::new("html", "What the elements must be that selectors select in the body's HTML.");
const PAGE: Key<bool> = Key::new(
    "page",
    "Whether it is a page: its scripts and stylesheets must load, and it must not be blank.",
)
.or_flag(false);

/// The names of these keys.
pub(in super::super) const KEYS: &[&str] = &[
    STATUS.name(),
    CONTAINS.name(),
    MATCHES.name(),
    EXPECT_HEADERS.name(),
    FINAL_URL.name(),
    EXCLUDES.name(),
    NOT_MATCHES.name(),
    SIZE.name(),
    JSON.name(),
    HTML.name(),
    PAGE.name(),
];

/// These settings, as they were written.
pub(in super::super) struct RawExpect {
    status: Field<StatusSet>,
    contains: Field<OneOrMany<Needle>>,
    matches: Field<OneOrMany<Regex>>,
    headers: Field<ExpectHeaders>,
    final_url: Field<UrlExpect>,
    excludes: Field<OneOrMany<Needle>>,
    not_matches: Field<OneOrMany<Regex>>,
    size: Field<SizeRange>,
    json: Field<OneOrMany<JsonExpect>>,
    html: Field<OneOrMany<HtmlExpect>>,
    page: Field<bool>,
}

impl RawExpect {
    /// Asks for these keys in a table that has others.
    pub(in super::super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            status: table.take(&STATUS),
            contains: table.take(&CONTAINS),
            matches: table.take(&MATCHES),
            headers: table.take(&EXPECT_HEADERS),
            final_url: table.take(&FINAL_URL),
            excludes: table.take(&EXCLUDES),
            not_matches: table.take(&NOT_MATCHES),
            size: table.take(&SIZE),
            json: table.take(&JSON),
            html: table.take(&HTML),
            page: table.take(&PAGE),
        }
    }

    /// What they come to.
    pub(in super::super) fn settle(self) -> Option<HttpExpect> {
        Some(HttpExpect {
            status: self.status.or(StatusSet::default())?,
            body_contains: list(self.contains)?.into_iter().map(|needle| needle.0).collect(),
            body_matches: list(self.matches)?,
            headers: self.headers.or(ExpectHeaders::default())?.0,
            final_url: self.final_url.optional()?,
            body_excludes: list(self.excludes)?.into_iter().map(|needle| needle.0).collect(),
            body_not_matches: list(self.not_matches)?,
            size: self.size.optional()?,
            json: list(self.json)?,
            html: list(self.html)?,
            page: self.page.or(false)?,
        })
    }
}

/// The values of a list, none if there is no list.
fn list<T>(field: Field<OneOrMany<T>>) -> Option<Vec<T>> {
    let list = field.or(OneOrMany(Vec::new()))?.0;
    Some(list.into_iter().map(Spanned::into_inner).collect())
}

#[cfg(test)]
mod tests;
