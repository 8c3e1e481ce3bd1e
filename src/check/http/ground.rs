//! From where requests go out: whom a check may go to, on which way, in which version of HTTP.

use std::net::IpAddr;

use http::HeaderValue;
use url::Url;

use crate::check::trace::Notes;
use crate::config::{Check, HttpClient, Secrets};
use crate::model::Reason;
use crate::net::scope::is_private;
use crate::net::wire::Speaks;
use crate::net::{Network, Run, To, Way, Wire, proxy, resolve};

/// What all requests of a run have in common.
#[derive(Clone, Copy)]
pub(in crate::check) struct Ground<'a> {
    pub(in crate::check) network: &'a Network,
    pub(in crate::check) secrets: &'a Secrets,
    pub(in crate::check) check: &'a Check,
    pub(in crate::check) client: &'a HttpClient,
    pub(in crate::check) notes: &'a Notes,
}

/// An open connection, and how a request must look to go over it.
pub(in crate::check) struct Opening {
    pub(in crate::check) wire: Wire,
    pub(in crate::check) speaks: Speaks,
    /// Whether it is the proxy that is asked, with the whole URL, and how we are known to it.
    pub(in crate::check) proxy: Option<Option<HeaderValue>>,
    /// Whether the answer's head is kept for a trace.
    pub(in crate::check) traced: bool,
}

impl Ground<'_> {
    /// Whether names are resolved by the proxy, so that no address is known here.
    pub(in crate::check) fn is_remote(&self) -> bool {
        self.client.proxy.as_ref().is_some_and(|proxy| proxy.resolves())
    }

    /// The address of `url`; `None` if only the proxy will know.
    pub(in crate::check) async fn locate(
        &self,
        url: &Url,
        run: &mut Run,
    ) -> Result<Option<IpAddr>, Reason> {
        let host = url.host_str().unwrap_or_default();
        if self.is_remote() {
            return Ok(None);
        }
        let found = self.network.resolve(run, host, &self.check.resolvers).await?;
        let found = found.into_iter().find(|address| self.client.admits(*address));
        found.map(Some).ok_or(Reason::ResolveNoAddress)
    }

    /// Where a redirect from `from` leads. What is public must not lead us to what is not: who may
    /// answer in the open could so look behind our walls.
    pub(in crate::check) async fn locate_next(
        &self,
        url: &Url,
        from: Option<IpAddr>,
        run: &mut Run,
    ) -> Result<Option<IpAddr>, Reason> {
        let address = self.locate(url, run).await?;
        match address.or_else(|| literal(url)) {
            Some(to) if is_private(to) && !from.is_some_and(is_private) => {
                Err(Reason::RedirectRefused { to })
            }
            _ => Ok(address),
        }
    }

    /// Connects to `url` at `address`.
    pub(in crate::check) async fn open(
        &self,
        url: &Url,
        address: Option<IpAddr>,
        run: &mut Run,
    ) -> Result<Opening, Reason> {
        let client = self.client;
        let port = url.port_or_known_default().ok_or(Reason::RedirectInvalid)?;
        let alpn = (url.scheme() == "https").then(|| client.alpn());
        let to = To { host: url.host_str().unwrap_or_default(), address, port, alpn };
        let way = Way {
            source: client.source,
            proxy: client.proxy.as_ref(),
            resolvers: &self.check.resolvers,
            tls: &client.tls,
            secrets: self.secrets,
        };
        let asked = if way.asks_the_proxy(alpn) { client.proxy.as_ref() } else { None };
        let proxy = asked.map(|asked| known_as(proxy::authorization(asked, self.secrets)?));
        let proxy = proxy.transpose()?;
        let opened = self.network.reach(run, to, way).await?;
        let two = match alpn {
            Some(_) => opened.alpn.as_deref() == Some(b"h2"),
            None => client.is_two_alone() && proxy.is_none(),
        };
        let speaks = if two { Speaks::Http2 } else { Speaks::Http1 };
        Ok(Opening { wire: opened.wire, speaks, proxy, traced: self.notes.traces() })
    }
}

/// The address that `url` spells.
pub(in crate::check) fn literal(url: &Url) -> Option<IpAddr> {
    resolve::literal(url.host_str().unwrap_or_default())
}

fn known_as(authorization: Option<String>) -> Result<Option<HeaderValue>, Reason> {
    let Some(text) = authorization else { return Ok(None) };
    let mut value = HeaderValue::from_str(&text).map_err(|_| Reason::ProxyAuth)?;
    value.set_sensitive(true);
    Ok(Some(value))
}
