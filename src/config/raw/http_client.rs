//! The keys of `http` that say how it asks.

use std::collections::BTreeSet;

use super::super::plan::{HttpClient, HttpVersion};
use super::super::reader::{Field, Key, Reader};
use super::super::setting::list::OneOrMany;

const VERSIONS: Key<OneOrMany<HttpVersion>> = Key::new(
    "versions",
    "The versions of HTTP that are offered and expected; without it, whatever the server prefers.",
);

/// What the table says.
pub(in super::super) struct RawHttpClient {
    versions: Field<OneOrMany<HttpVersion>>,
}

impl RawHttpClient {
    /// Asks for these keys in a table that has others.
    pub(in super::super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self { versions: table.take(&VERSIONS) }
    }

    /// What it comes to; `None` if something was wrong.
    pub(in super::super) fn settle(self) -> Option<HttpClient> {
        let versions = self.versions.optional()?.map(|list| list.0);
        let versions = versions.map(|list| list.into_iter().map(toml::Spanned::into_inner));
        let versions: Option<BTreeSet<_>> = versions.map(Iterator::collect);
        Some(HttpClient { versions: versions.filter(|set| !set.is_empty()) })
    }
}
