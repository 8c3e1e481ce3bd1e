//! The keys of `http` that say how it asks.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;

use http::header::AUTHORIZATION;
use http::uri::Authority;

use super::super::mistake::Mistake;
use super::super::plan::{
    Addresses, Auth, Family, HttpClient, HttpVersion, OAuth2, Proxy, TlsSettings,
};
use super::super::reader::{Field, Key, Reader};
use super::super::secret::SecretRef;
use super::super::setting::header::Headers;
use super::super::setting::list::OneOrMany;
use super::super::setting::short::ShortOr;
use super::papers::Basic;
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
pub(super) const FAMILY: Key<Family> =
    Key::new("family", "Which of the name's addresses are asked; without it, both families.");
pub(super) const SOURCE: Key<IpAddr> =
    Key::new("source", "The address of this host that is asked from.");
const BASIC: Key<Basic> = Key::new("basic", "A user's name and password.");
const BEARER: Key<SecretRef> = Key::new("bearer", "A token.");
const OAUTH2: Key<OAuth2> =
    Key::new("oauth2", "Where a token is asked for, and in whose name (client credentials).");
pub(super) const TLS: Key<TlsSettings> = Key::new("tls", "Whom TLS trusts and what it shows.");
const PROXY: Key<ShortOr<Proxy>> = Key::new(
    "proxy",
    "What the check goes through: `http://`, `socks5://` (names are resolved here), `socks5h://`.",
);

fn place<T>(field: &Field<T>) -> Option<Range<usize>> {
    match field {
        Field::Given(value) => Some(value.span()),
        Field::Absent | Field::Wrong => None,
    }
}

/// What the table says.
pub(in super::super) struct RawHttpClient {
    versions: Field<OneOrMany<HttpVersion>>,
    compression: Field<bool>,
    first_byte_timeout: Field<Timeout>,
    idle_timeout: Field<Timeout>,
    host: Field<Authority>,
    family: Field<Family>,
    source: Field<IpAddr>,
    basic: Field<Basic>,
    bearer: Field<SecretRef>,
    oauth2: Field<OAuth2>,
    tls: Field<TlsSettings>,
    proxy: Field<ShortOr<Proxy>>,
}

impl RawHttpClient {
    /// Asks for these keys in a table that has others.
    pub(in super::super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            host: table.take(&HOST),
            basic: table.take(&BASIC),
            bearer: table.take(&BEARER),
            oauth2: table.take(&OAUTH2),
            ..Self::ask_for_any_host(table)
        }
    }

    /// Asks for those of them that can be meant for every host that a flow comes to.
    pub(in super::super) fn ask_for_any_host(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            versions: table.take(&VERSIONS),
            compression: table.take(&COMPRESSION),
            first_byte_timeout: table.take(&FIRST_BYTE_TIMEOUT),
            idle_timeout: table.take(&IDLE_TIMEOUT),
            host: Field::Absent,
            family: table.take(&FAMILY),
            source: table.take(&SOURCE),
            basic: Field::Absent,
            bearer: Field::Absent,
            oauth2: Field::Absent,
            tls: table.take(&TLS),
            proxy: table.take(&PROXY),
        }
    }

    /// Reports what cannot be meant together:
    ///
    /// 1. Several ways to be authorized, or one beside the header that it would make.
    /// 2. A choice among addresses that only a proxy will know.
    pub(in super::super) fn weigh(
        &self,
        table: &mut Reader<'_, '_, '_>,
        headers: &Field<Headers>,
        addresses: &Field<Addresses>,
    ) {
        let own = match headers {
            Field::Given(headers) => {
                let given = headers.get_ref().0.iter().any(|(name, _)| name == AUTHORIZATION);
                given.then(|| headers.span())
            }
            Field::Absent | Field::Wrong => None,
        };
        let ways = [own, place(&self.basic), place(&self.bearer), place(&self.oauth2)];
        let ways: Vec<_> = ways.into_iter().flatten().collect();
        if ways.len() > 1 {
            let keys: &[&str] = &["basic", "bearer", "oauth2", "headers.Authorization"];
            let mistake = Mistake::SeveralOf { section: "`http`", keys };
            table.report_all(ways, mistake);
        }
        if let Field::Given(proxy) = &self.proxy
            && proxy.get_ref().0.resolves()
        {
            let all = match addresses {
                Field::Given(all) if *all.get_ref() == Addresses::All => Some(all.span()),
                Field::Given(_) | Field::Absent | Field::Wrong => None,
            };
            for span in all.into_iter().chain(place(&self.family)) {
                table.report(span, Mistake::ProxyResolves);
            }
        }
    }

    /// What it comes to; `None` if something was wrong.
    pub(in super::super) fn settle(self) -> Option<HttpClient> {
        let versions = self.versions.optional()?.map(|list| list.0);
        let versions = versions.map(|list| list.into_iter().map(toml::Spanned::into_inner));
        let versions: Option<BTreeSet<_>> = versions.map(Iterator::collect);
        let basic = self.basic.optional()?.map(|basic| basic.0);
        let bearer = self.bearer.optional()?.map(Auth::Bearer);
        let oauth2 = self.oauth2.optional()?.map(Auth::OAuth2);
        let auth = basic.or(bearer).or(oauth2);
        Some(HttpClient {
            versions: versions.filter(|set| !set.is_empty()),
            compression: self.compression.or(true)?,
            first_byte_timeout: self.first_byte_timeout.optional()?.map(|limit| limit.0),
            idle_timeout: self.idle_timeout.optional()?.map(|limit| limit.0),
            host: self.host.optional()?,
            family: self.family.optional()?,
            source: self.source.optional()?,
            auth,
            tls: self.tls.or(TlsSettings::default())?,
            proxy: self.proxy.optional()?.map(|proxy| proxy.0),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::{Auth, Family, HttpCheck, HttpVersion};
    use super::super::super::setting::tests::read;
    use crate::model::Span;

    fn codes(keys: &str) -> String {
        let words = read::<HttpCheck>(&format!("{{ url = 'https://desk.example', {keys} }}"));
        words.err().unwrap_or_default()
    }

    #[test]
    fn every_key_has_its_place_in_the_plan() {
        let text = "{ url = 'https://desk.example', versions = ['2', '1.1'], compression = false,
            first_byte_timeout = '2s', idle_timeout = '1s', host = 'other.example',
            family = 'ipv6', source = '::1', bearer = { env = 'T' }, tls = { min_version = '1.3' },
            proxy = 'socks5://127.0.0.1' }"
            .replace('\n', "");
        let client = read::<HttpCheck>(&text).unwrap().client;
        assert_eq!(client.alpn(), ["h2", "http/1.1"]);
        assert!(!client.expects(HttpVersion::OneZero) && !client.compression);
        assert_eq!(client.first_byte_timeout, Some(Span::from_secs(2)));
        assert_eq!(client.idle_timeout, Some(Span::from_secs(1)));
        assert_eq!(client.host.unwrap(), "other.example");
        assert_eq!(client.family, Some(Family::Ipv6));
        assert_eq!(client.source, Some("::1".parse().unwrap()));
        assert!(matches!(client.auth, Some(Auth::Bearer(_))));
        assert!(client.tls.only_1_3 && client.proxy.is_some());
    }

    #[test]
    fn what_cannot_be_meant_together_is_a_mistake() {
        let secret = "{ env = 'T' }";
        let basic = format!("basic = {{ user = 'me', password = {secret} }}");
        for (keys, code) in [
            (format!("{basic}, bearer = {secret}"), "several_of"),
            (format!("{basic}, headers = {{ authorization = {secret} }}"), "several_of"),
            ("proxy = 'http://a', addresses = 'all'".to_owned(), "proxy_resolves"),
            ("proxy = 'socks5h://a', family = 'ipv4'".to_owned(), "proxy_resolves"),
            ("proxy = 'socks5://a', family = 'ipv4', addresses = 'all'".to_owned(), ""),
            (basic, ""),
        ] {
            let found = codes(&keys);
            assert!(found.starts_with(code) && found.is_empty() == code.is_empty(), "{found}");
        }
    }
}
