//! A connection as a check's settings want it: to whom, on which way, speaking what.

use std::net::{IpAddr, SocketAddr};

use super::proxy::{Passage, tunnel};
use super::run::Run;
use super::tls::Hello;
use super::wire::Wire;
use super::{Network, connect};
use crate::config::{NameServer, Proxy, ProxyKind, Secrets, TlsSettings};
use crate::model::{Phase, Reason};

/// Whom to reach.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// The name, or an address, as the URL has it.
    pub host: &'a str,
    /// Where it is; `None` if the proxy is to find out.
    pub address: Option<IpAddr>,
    /// The port.
    pub port: u16,
    /// What may be spoken over TLS, the best first; `None` without TLS.
    pub alpn: Option<&'a [&'static str]>,
}

/// How to get there.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// The address of this host to go out from, if it matters.
    pub source: Option<IpAddr>,
    /// What to go through.
    pub proxy: Option<&'a Proxy>,
    /// The name servers that know where the proxy is.
    pub resolvers: &'a [NameServer],
    /// Whom to trust and what to show.
    pub tls: &'a TlsSettings,
    /// The secrets and files that all of this needs.
    pub secrets: &'a Secrets,
}

/// An open connection and what it is for.
pub struct Opened {
    /// The connection.
    pub wire: Wire,
    /// What is to be spoken over it, if that was negotiated.
    pub alpn: Option<Vec<u8>>,
}

impl Network {
    /// Connects to `to` by `way`. A proxy's part in it belongs to the connect phase.
    pub async fn reach(&self, run: &mut Run, to: To<'_>, way: Way<'_>) -> Result<Opened, Reason> {
        let stream = match (way.proxy, to.address) {
            (Some(proxy), _) => {
                // Boxed, as it is seldom needed: every run would carry room for it.
                Box::pin(tunnel(self, run, proxy, Passage { to, way })).await?
            }
            (None, Some(address)) => {
                let address = SocketAddr::new(address, to.port);
                run.phase(Phase::Connect, connect::connect(address, way.source)).await?
            }
            (None, None) => return Err(Reason::ResolveNoAddress),
        };
        let Some(alpn) = to.alpn else { return Ok(Opened { wire: Box::new(stream), alpn: None }) };
        let hello = Hello { host: to.host, alpn, with: Some((way.tls, way.secrets)) };
        let stream = self.tls.secure(run, stream, hello).await?;
        let alpn = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        Ok(Opened { wire: Box::new(stream), alpn })
    }
}

impl Way<'_> {
    /// Whether a request without TLS is given to the proxy itself, with its whole URL.
    pub fn asks_the_proxy(&self, alpn: Option<&[&'static str]>) -> bool {
        alpn.is_none() && self.proxy.is_some_and(|proxy| proxy.kind == ProxyKind::Http)
    }
}
