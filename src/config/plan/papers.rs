//! What an HTTP check shows to be let in, and how far it trusts: credentials, TLS, a proxy.

use std::path::PathBuf;

use url::Url;

use super::super::secret::SecretRef;

/// How a check authorizes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// With a name and a password.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: SecretRef,
    },
    /// With a token that somebody gave us.
    Bearer(SecretRef),
    /// With a token that is asked for.
    OAuth2(OAuth2),
}

impl Auth {
    pub(super) fn secret(&self) -> &SecretRef {
        match self {
            Self::Basic { password: secret, .. }
            | Self::Bearer(secret)
            | Self::OAuth2(OAuth2 { client_secret: secret, .. }) => secret,
        }
    }
}

/// Where a token comes from: OAuth 2.0, client credentials (RFC 6749, 4.4).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OAuth2 {
    /// Where it is asked for.
    pub token_url: Url,
    /// Who asks.
    pub client_id: String,
    /// How they prove it.
    pub client_secret: SecretRef,
    /// What the token is for.
    pub scopes: Vec<String>,
}

/// Whom TLS trusts and what it shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TlsSettings {
    /// The authorities that are trusted instead of the host's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Our own certificate and its key, in PEM.
    pub identity: Option<Identity>,
    /// Whether nothing older than TLS 1.3 will do.
    pub only_1_3: bool,
    /// Whether a certificate is taken whoever signed it, for whatever name and time.
    pub skip_verify: bool,
    /// The name that is asked for and that the certificate must be for, if not the URL's host.
    pub server_name: Option<String>,
}

/// What a client shows a server that wants to know whom it talks to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identity {
    /// The certificate, and those above it.
    pub cert_file: PathBuf,
    /// Its key.
    pub key_file: PathBuf,
}

impl TlsSettings {
    /// The files that it needs, and what must be in them.
    pub(super) fn files(&self) -> impl Iterator<Item = (PathBuf, Contents)> + '_ {
        let ca = self.ca_file.iter().map(|path| (path.clone(), Contents::Certificates));
        let own = self.identity.iter().flat_map(|identity| {
            [
                (identity.cert_file.clone(), Contents::Certificates),
                (identity.key_file.clone(), Contents::Key),
            ]
        });
        ca.chain(own)
    }
}

/// What a file holds that is read when farol starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Contents {
    /// One certificate or more, in PEM.
    Certificates,
    /// A private key, in PEM.
    Key,
    /// The body of a request: text, to the letter.
    Body,
}

/// What stands between us and the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// What it speaks.
    pub kind: ProxyKind,
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Who we are to it, and how we prove it.
    pub user: Option<(String, SecretRef)>,
}

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyKind {
    /// HTTP: `CONNECT` for what needs TLS, and whole URLs for what does not.
    Http,
    /// SOCKS 5, with addresses.
    Socks5,
    /// SOCKS 5, with names.
    Socks5h,
}

impl Proxy {
    /// Whether it is the proxy that finds out where a name leads.
    pub fn resolves(&self) -> bool {
        matches!(self.kind, ProxyKind::Http | ProxyKind::Socks5h)
    }
}
