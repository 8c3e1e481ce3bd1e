//! A connection as a check's settings want it: to whom, on which way, speaking what.

use std::net::{IpAddr, SocketAddr};

use super::run::Run;
use super::tls::Hello;
use super::wire::Wire;
use super::{Network, connect};
use crate::model::{Phase, Reason};

/// Whom to reach.
#[derive(Clone, Copy, Debug)]
pub struct To<'a> {
    /// The name, or an address, as the URL has it.
    pub host: &'a str,
    /// Where it is.
    pub address: SocketAddr,
    /// What may be spoken over TLS, the best first; `None` without TLS.
    pub alpn: Option<&'a [&'static str]>,
}

/// How to get there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Way {
    /// The address of this host to go out from, if it matters.
    pub source: Option<IpAddr>,
}

/// An open connection and what it is for.
pub struct Opened {
    /// The connection.
    pub wire: Wire,
    /// What is to be spoken over it, if that was negotiated.
    pub alpn: Option<Vec<u8>>,
}

impl Network {
    /// Connects to `to` by `way`.
    pub async fn reach(&self, run: &mut Run, to: To<'_>, way: Way) -> Result<Opened, Reason> {
        let stream = run.phase(Phase::Connect, connect::connect(to.address, way.source)).await?;
        let Some(alpn) = to.alpn else { return Ok(Opened { wire: Box::new(stream), alpn: None }) };
        let stream = self.tls.secure(run, stream, Hello { host: to.host, alpn }).await?;
        let alpn = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        Ok(Opened { wire: Box::new(stream), alpn })
    }
}
