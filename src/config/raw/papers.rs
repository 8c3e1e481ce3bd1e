//! The tables of `http` that say how it is let in, whom it trusts, and what it goes through.

use std::path::PathBuf;

use serde_json::{Value, json};
use toml::Spanned;
use url::{Host, Url};

use super::super::mistake::{Mistake, shorten};
use super::super::plan::{Auth, Identity, OAuth2, Proxy, ProxyKind, TlsSettings};
use super::super::problem::Problems;
use super::super::reader::{Field, Key, Node, Reader, Section, Setting};
use super::super::secret::SecretRef;
use super::super::setting::choice::MinVersion;
use super::super::setting::list::OneOrMany;
use super::super::setting::place::HostName;
use super::super::setting::secret::SecretPath;
use super::super::setting::short::Shortened;
use super::super::setting::text::Line;

const USER: Key<Line<200>> = Key::new("user", "The user's name.");
const PASSWORD: Key<SecretRef> = Key::new("password", "The user's password.");
const TOKEN_URL: Key<Url> = Key::new("token_url", "Where the token is asked for.");
const CLIENT_ID: Key<Line<200>> = Key::new("client_id", "Who asks for it.");
const CLIENT_SECRET: Key<SecretRef> = Key::new("client_secret", "How they prove who they are.");
const SCOPES: Key<OneOrMany<Line<200>>> = Key::new("scopes", "What the token is for.");
const CA_FILE: Key<SecretPath> =
    Key::new("ca_file", "The authorities that are trusted instead of the host's, in PEM.");
const CERT_FILE: Key<SecretPath> = Key::new("cert_file", "Our own certificate, in PEM.");
const KEY_FILE: Key<SecretPath> = Key::new("key_file", "The key of our own certificate, in PEM.");
const MIN_VERSION: Key<MinVersion> =
    Key::new("min_version", "The oldest version of TLS that will do.").or_text("1.2");
const SKIP_VERIFY: Key<bool> = Key::new(
    "skip_verify",
    "Whether any certificate will do, whoever signed it, for whatever name and time.",
)
.or_flag(false);
const SERVER_NAME: Key<HostName> = Key::new(
    "server_name",
    "The name that TLS asks for and the certificate must be for, if not the URL's host.",
);
const URL: Key<ProxyUrl> =
    Key::new("url", "Where the proxy is: `http://`, `socks5://` or `socks5h://`.");

/// `basic`.
pub(super) struct Basic(pub(super) Auth);

impl Section for Basic {
    const NAME: &'static str = "`basic`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (user, password) = (table.require(&USER), table.require(&PASSWORD));
        let user = user?;
        if user.get_ref().0.contains(':') {
            let trouble = "not a user's name: those have no `:`";
            table.report(user.span(), Mistake::InvalidText { trouble, most: 200, one_line: true });
            return None;
        }
        let (user, password) = (user.into_inner().0, password?.into_inner());
        Some(Self(Auth::Basic { user, password }))
    }
}

impl Section for OAuth2 {
    const NAME: &'static str = "`oauth2`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, id) = (table.require(&TOKEN_URL), table.require(&CLIENT_ID));
        let (secret, scopes) = (table.require(&CLIENT_SECRET), table.take(&SCOPES));
        let scopes = scopes.or(OneOrMany(Vec::new()))?.0;
        Some(Self {
            token_url: url?.into_inner(),
            client_id: id?.into_inner().0,
            client_secret: secret?.into_inner(),
            scopes: scopes.into_iter().map(|scope| scope.into_inner().0).collect(),
        })
    }
}

impl Section for TlsSettings {
    const NAME: &'static str = "`tls`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (ca, cert) = (table.take(&CA_FILE), table.take(&CERT_FILE));
        let (key, oldest) = (table.take(&KEY_FILE), table.take(&MIN_VERSION));
        let (skip, name) = (table.take(&SKIP_VERIFY), table.take(&SERVER_NAME));
        let path = |path: Spanned<SecretPath>| -> PathBuf { path.into_inner().0 };
        let identity = match (cert, key) {
            (Field::Given(cert), Field::Given(key)) => {
                Some(Identity { cert_file: path(cert), key_file: path(key) })
            }
            (Field::Absent, Field::Absent) => None,
            (Field::Given(alone), Field::Absent) => {
                missing(table, &alone, "key_file", "the key of `cert_file`");
                return None;
            }
            (Field::Absent, Field::Given(alone)) => {
                missing(table, &alone, "cert_file", "the certificate of `key_file`");
                return None;
            }
            (Field::Wrong, _) | (_, Field::Wrong) => return None,
        };
        Some(Self {
            ca_file: ca.optional()?.map(|path| path.0),
            identity,
            only_1_3: oldest.or(MinVersion::Tls12)? == MinVersion::Tls13,
            skip_verify: skip.or(false)?,
            server_name: name.optional()?.map(|name| name.0),
        })
    }
}

fn missing<T>(
    table: &mut Reader<'_, '_, '_>,
    alone: &Spanned<T>,
    key: &'static str,
    about: &'static str,
) {
    table.report(alone.span(), Mistake::MissingKey { key, section: "`tls`", about });
}

/// A proxy's URL.
pub(in super::super) struct ProxyUrl(Proxy);

impl Setting for ProxyUrl {
    const EXPECTED: &'static str = "a URL such as \"http://proxy.example:3128\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        match proxy(&text) {
            Ok(proxy) => Some(Self(proxy)),
            Err(mistake) => {
                // Before an `@` there may be a password.
                if text.contains('@') {
                    problems.hide(node.span());
                }
                problems.report(node.span(), mistake);
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uri", "pattern": "^(http|socks5h?)://" })
    }
}

fn proxy(text: &str) -> Result<Proxy, Mistake> {
    let invalid = |reason: &str| Mistake::InvalidUrl { reason: reason.to_owned() };
    let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
    let (kind, usual) = match url.scheme() {
        "http" => (ProxyKind::Http, 80),
        "socks5" => (ProxyKind::Socks5, 1080),
        "socks5h" => (ProxyKind::Socks5h, 1080),
        other => {
            let help = "known here: `http`, `socks5`, `socks5h`".to_owned();
            let (got, what) = (shorten(other), "what a proxy speaks");
            return Err(Mistake::UnknownWord { got, what, help });
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Mistake::UrlCredentials);
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err(invalid("a proxy's has no path"));
    }
    let host = match Host::parse(url.host_str().unwrap_or_default()) {
        Ok(Host::Domain(name)) => name,
        Ok(Host::Ipv4(address)) => address.to_string(),
        Ok(Host::Ipv6(address)) => address.to_string(),
        Err(error) => return Err(invalid(&error.to_string())),
    };
    let port = url.port().unwrap_or(usual);
    if port == 0 { Err(invalid("port 0")) } else { Ok(Proxy { kind, host, port, user: None }) }
}

impl Shortened for Proxy {
    type Short = ProxyUrl;

    const EITHER: &'static str = "a URL in quotes, or a table such as { url = \"...\" }";

    fn of(url: ProxyUrl) -> Self {
        url.0
    }
}

impl Section for Proxy {
    const NAME: &'static str = "`proxy`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, user) = (table.require(&URL), table.require(&USER));
        let (password, Self { kind, host, port, .. }) =
            (table.require(&PASSWORD), url?.into_inner().0);
        let user = Some((user?.into_inner().0, password?.into_inner()));
        Some(Self { kind, host, port, user })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::setting::short::ShortOr;
    use super::super::super::setting::tests::read;
    use super::{Basic, OAuth2, Proxy, ProxyKind, TlsSettings};

    #[test]
    fn proxies_and_what_is_none() {
        let proxy = read::<ShortOr<Proxy>>("'http://proxy.example:3128'").unwrap().0;
        assert_eq!((proxy.kind, proxy.port), (ProxyKind::Http, 3128));
        let proxy = read::<ShortOr<Proxy>>("'socks5h://[::1]'").unwrap().0;
        assert_eq!((&*proxy.host, proxy.port), ("::1", 1080));
        let table = "{ url = 'socks5://127.0.0.1:9', user = 'me', password = { env = 'P' } }";
        assert_eq!(read::<ShortOr<Proxy>>(table).unwrap().0.user.unwrap().0, "me");
        for (text, code) in [
            ("'https://proxy.example'", "unknown_word"),
            ("'proxy.example'", "invalid_url"),
            ("'http://proxy.example/path'", "invalid_url"),
            ("'socks5://'", "invalid_url"),
            ("'http://me:hush@proxy.example'", "url_credentials"),
            ("{ url = 'http://proxy.example', user = 'me' }", "missing_key"),
            ("{ url = 'http://a', user = 'me', password = 'hush' }", "plain_secret"),
            ("7", "wrong_type"),
        ] {
            let words = read::<ShortOr<Proxy>>(text).unwrap_err();
            assert!(words.contains(code) && !words.contains("hush"), "{text}: {words}");
        }
    }

    #[test]
    fn papers_come_whole_or_not_at_all() {
        assert!(read::<TlsSettings>("{ cert_file = '/c', key_file = '/k' }").is_ok());
        assert!(read::<TlsSettings>("{ min_version = '1.3', skip_verify = true }").is_ok());
        for (text, code) in [
            ("{ cert_file = '/c' }", "missing_key"),
            ("{ key_file = '/k' }", "missing_key"),
            ("{ ca_file = 'relative' }", "invalid_secret"),
            ("{ min_version = '1.1' }", "unknown_word"),
            ("{ server_name = 'a b' }", "invalid_domain"),
        ] {
            assert!(read::<TlsSettings>(text).err().unwrap().starts_with(code), "{text}");
        }
        assert!(read::<Basic>("{ user = 'a:b', password = { env = 'P' } }").is_err());
        assert!(read::<OAuth2>("{ token_url = 'https://a.example/' }").is_err());
    }
}
