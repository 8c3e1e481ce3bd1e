//! How an HTTP check asks: what it offers, how it gets there and with which papers.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;

use http::uri::Authority;

use super::super::secret::SecretRef;
use super::{Auth, Check, CheckKind, Contents, Proxy, RequestBody, TlsSettings};
use crate::model::Span;

impl Check {
    fn client(&self) -> Option<&HttpClient> {
        match &self.kind {
            CheckKind::Http(http) => Some(&http.client),
            CheckKind::Login(login) => Some(&login.client),
            CheckKind::Clock(clock) => clock.http().map(|http| &http.client),
            CheckKind::Prober(_)
            | CheckKind::Dns(_)
            | CheckKind::Tcp(_)
            | CheckKind::Tls(_)
            | CheckKind::Icmp(_)
            | CheckKind::Grpc(_)
            | CheckKind::Websocket(_) => None,
        }
    }

    pub(super) fn client_secrets(&self) -> impl Iterator<Item = SecretRef> + '_ {
        self.client().into_iter().flat_map(|client| {
            let own = client.auth.iter().map(Auth::secret);
            let proxys = client.proxy.iter().filter_map(|proxy| Some(&proxy.user.as_ref()?.1));
            own.chain(proxys).cloned()
        })
    }

    pub(super) fn files(&self) -> impl Iterator<Item = (PathBuf, Contents)> + '_ {
        let (body, tls) = match &self.kind {
            CheckKind::Http(http) => (http.body.as_ref(), Some(&http.client.tls)),
            CheckKind::Login(login) => (None, Some(&login.client.tls)),
            CheckKind::Grpc(grpc) => (None, Some(&grpc.tls)),
            CheckKind::Websocket(socket) => (None, Some(&socket.tls)),
            CheckKind::Clock(clock) => clock
                .http()
                .map_or((None, None), |http| (http.body.as_ref(), Some(&http.client.tls))),
            CheckKind::Dns(_)
            | CheckKind::Tcp(_)
            | CheckKind::Tls(_)
            | CheckKind::Icmp(_)
            | CheckKind::Prober(_) => (None, None),
        };
        let body = body.and_then(RequestBody::file).map(|path| (path.to_owned(), Contents::Body));
        tls.into_iter().flat_map(TlsSettings::files).chain(body)
    }

    /// Whether `address` is one of those that the check asks.
    pub fn admits(&self, address: IpAddr) -> bool {
        match &self.kind {
            CheckKind::Http(http) => http.client.admits(address),
            CheckKind::Login(login) => login.client.admits(address),
            CheckKind::Grpc(grpc) => Family::fits(grpc.family, grpc.source, address),
            CheckKind::Icmp(icmp) => Family::fits(icmp.family, icmp.source, address),
            CheckKind::Websocket(socket) => Family::fits(socket.family, socket.source, address),
            CheckKind::Clock(clock) => clock.admits(address),
            CheckKind::Dns(_) | CheckKind::Tcp(_) | CheckKind::Tls(_) | CheckKind::Prober(_) => {
                true
            }
        }
    }
}

/// How an HTTP check asks. The default is how a browser would.
#[derive(Clone, Debug)]
pub struct HttpClient {
    /// The versions that are offered and expected; `None` for whatever the target prefers.
    pub versions: Option<BTreeSet<HttpVersion>>,
    /// Whether compressed bodies are asked for; one that comes is read in any case.
    pub compression: bool,
    /// How long the answer may take to begin, once the request is sent.
    pub first_byte_timeout: Option<Span>,
    /// How long nothing may come in the middle of an answer.
    pub idle_timeout: Option<Span>,
    /// What is asked for in `Host`, if not the URL's own.
    pub host: Option<Authority>,
    /// Which addresses are asked; `None` for those of both families.
    pub family: Option<Family>,
    /// The address that is asked from; then only addresses of its family are asked.
    pub source: Option<IpAddr>,
    /// How it authorizes itself.
    pub auth: Option<Auth>,
    /// Whom it trusts and what it shows.
    pub tls: TlsSettings,
    /// What it goes through.
    pub proxy: Option<Proxy>,
}

impl Default for HttpClient {
    fn default() -> Self {
        Self {
            versions: None,
            compression: true,
            first_byte_timeout: None,
            idle_timeout: None,
            host: None,
            family: None,
            source: None,
            auth: None,
            tls: TlsSettings::default(),
            proxy: None,
        }
    }
}

impl HttpClient {
    /// Whether `address` may be asked.
    pub fn admits(&self, address: IpAddr) -> bool {
        // What a proxy goes out from is its own affair.
        let source = self.source.filter(|_| self.proxy.is_none());
        Family::fits(self.family, source, address)
    }

    /// What is offered over TLS, the best first.
    pub fn alpn(&self) -> &'static [&'static str] {
        let offers = |version| self.versions.as_ref().is_none_or(|set| set.contains(&version));
        match (offers(HttpVersion::Two), offers(HttpVersion::OneOne)) {
            (true, true) => &["h2", "http/1.1"],
            (true, false) => &["h2"],
            // What is to be answered with 1.0 is asked for in 1.1: nobody asks in 1.0 any more.
            (false, _) => &["http/1.1"],
        }
    }

    /// Whether HTTP/2 is spoken without TLS, where nothing can be negotiated: only if nothing
    /// else will do.
    pub fn is_two_alone(&self) -> bool {
        self.versions.as_ref().is_some_and(|set| set.iter().all(|one| *one == HttpVersion::Two))
    }

    /// Whether an answer in `version` is as expected.
    pub fn expects(&self, version: HttpVersion) -> bool {
        self.versions.as_ref().is_none_or(|set| set.contains(&version))
    }
}

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of `address`.
    pub const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::Ipv4 } else { Self::Ipv6 }
    }

    /// Whether `address` is of the wanted family, and of that of `source`.
    pub(super) fn fits(wanted: Option<Self>, source: Option<IpAddr>, address: IpAddr) -> bool {
        wanted.is_none_or(|family| family == Self::of(address))
            && source.is_none_or(|source| Self::of(source) == Self::of(address))
    }
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum HttpVersion {
    /// HTTP/1.0.
    OneZero,
    /// HTTP/1.1.
    OneOne,
    /// HTTP/2.
    Two,
}

impl HttpVersion {
    /// How it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneZero => "1.0",
            Self::OneOne => "1.1",
            Self::Two => "2",
        }
    }
}
