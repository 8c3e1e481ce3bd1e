//! The keys of `http` that say how it asks.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::uri::Authority;

use super::super::plan::{Family, HttpClient, HttpVersion};
use super::super::reader::{Field, Key, Reader};
use super::super::setting::list::OneOrMany;
use super::tuning::Timeout;

const VERSIONS: Key<OneOrMany<HttpVersion>> = Key::new(
    "versions",
    "The versions of HTTP that are offered and expected; without it, whatever the server prefers.",
);
const COMPRESSION: Key<bool> =
    Key::new("compression", "Whether the body is asked for in gzip, deflate, br or zstd.")
        .or_flag(true);
const FIRST_BYTE_TIMEOUT: Key<Timeout> = Key::new(
    "first_byte_timeout",
    "How long the answer may take to begin, once the request is sent; without it, the `timeout`.",
);
const IDLE_TIMEOUT: Key<Timeout> = Key::new(
    "idle_timeout",
    "How long nothing may come in the middle of an answer; without it, the `timeout`.",
);
const HOST: Key<Authority> =
    Key::new("host", "What is asked for in `Host`, if not the URL's own; TLS asks for that still.");
const FAMILY: Key<Family> =
    Key::new("family", "Which of the name's addresses are asked; without it, both families.");
const SOURCE: Key<IpAddr> = Key::new("source", "The address of this host that is asked from.");

/// What the table says.
pub(in super::super) struct RawHttpClient {
    versions: Field<OneOrMany<HttpVersion>>,
    compression: Field<bool>,
    first_byte_timeout: Field<Timeout>,
    idle_timeout: Field<Timeout>,
    host: Field<Authority>,
    family: Field<Family>,
    source: Field<IpAddr>,
}

impl RawHttpClient {
    /// Asks for these keys in a table that has others.
    pub(in super::super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            versions: table.take(&VERSIONS),
            compression: table.take(&COMPRESSION),
            first_byte_timeout: table.take(&FIRST_BYTE_TIMEOUT),
            idle_timeout: table.take(&IDLE_TIMEOUT),
            host: table.take(&HOST),
            family: table.take(&FAMILY),
            source: table.take(&SOURCE),
        }
    }

    /// What it comes to; `None` if something was wrong.
    pub(in super::super) fn settle(self) -> Option<HttpClient> {
        let versions = self.versions.optional()?.map(|list| list.0);
        let versions = versions.map(|list| list.into_iter().map(toml::Spanned::into_inner));
        let versions: Option<BTreeSet<_>> = versions.map(Iterator::collect);
        Some(HttpClient {
            versions: versions.filter(|set| !set.is_empty()),
            compression: self.compression.or(true)?,
            first_byte_timeout: self.first_byte_timeout.optional()?.map(|limit| limit.0),
            idle_timeout: self.idle_timeout.optional()?.map(|limit| limit.0),
            host: self.host.optional()?,
            family: self.family.optional()?,
            source: self.source.optional()?,
        })
    }
}
