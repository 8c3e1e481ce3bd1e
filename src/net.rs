//! The measured connection: resolve -> connect -> TLS, each phase timed, pinned to one address.
//!
//! What a client library would do for comfort is absent here on purpose: no pool, no cache, no
//! session resumption, no second address when the first fails. Every run pays what a new user's
//! machine would pay, and what goes wrong is a [`Reason`], never hidden by another attempt.
//!
//! What is costly to make (roots, TLS configuration, resolvers) is made once and shared by all
//! runs; what is measured (names, connections, handshakes) is made anew by each.

pub mod connect;
pub mod dns;
pub mod echo;
mod frames;
pub mod handshake;
pub mod icmp;
pub mod ntp;
pub mod proxy;
pub mod reach;
pub mod resolve;
pub mod run;
pub mod scope;
mod second;
mod stub;
pub mod surroundings;
pub mod tls;
pub mod wire;

use std::net::{IpAddr, SocketAddr};

use rustls::pki_types::CertificateDer;

use crate::clock::Clock;
use crate::config::NameServer;
use crate::model::{Phase, Reason};

pub use handshake::Handshake;
pub use reach::{Opened, To, Way};
pub use run::Run;
pub use tls::{TlsError, TlsFor, trusted_roots};
pub use wire::Wire;

/// What all runs share: resolvers, roots and the TLS configuration.
#[derive(Debug)]
pub struct Network {
    clock: Clock,
    resolvers: resolve::Resolvers,
    second: second::Second,
    tls: tls::Tls,
}

impl Network {
    /// Reads the host's resolver configuration and trusted roots; `extra_roots` are trusted too.
    pub fn new(
        clock: Clock,
        extra_roots: &[CertificateDer<'static>],
    ) -> Result<Self, tls::TlsError> {
        let resolvers = resolve::Resolvers::from_system();
        let second = second::Second::default();
        Ok(Self { clock, resolvers, second, tls: tls::Tls::new(clock, extra_roots)? })
    }

    /// The clock that runs are timed with.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// The addresses of `host`, never empty, IPv4 before IPv6 and otherwise in the resolver's
    /// order. An address as `host` is its own, and then there is no resolve phase.
    pub async fn resolve(
        &self,
        run: &mut Run,
        host: &str,
        servers: &[NameServer],
    ) -> Result<Vec<IpAddr>, Reason> {
        if let Some(address) = resolve::literal(host) {
            return Ok(vec![address]);
        }
        if servers.is_empty() {
            let found = run.phase(Phase::Resolve, self.resolvers.addresses(host)).await;
            return self.doubt(*run, host, found).await;
        }
        let name = resolve::absolute(host)?;
        let attempt = *run;
        // Boxed, as all that is seldom needed or large: every run would carry room for it.
        let search = Box::pin(self.addresses_by(attempt, servers, &name));
        run.phase(Phase::Resolve, search).await
    }

    /// The name servers that a DNS check without one of its own asks: `servers`, or this host's if
    /// there are none; never empty.
    pub fn name_servers(&self, servers: &[NameServer]) -> Result<Vec<NameServer>, Reason> {
        if servers.is_empty() { self.resolvers.servers() } else { Ok(servers.to_vec()) }
    }

    /// Connects to `address` and, if asked to, shakes hands over TLS.
    pub async fn open(
        &self,
        run: &mut Run,
        address: SocketAddr,
        tls: Option<TlsFor<'_>>,
    ) -> Result<Wire, Reason> {
        let wire = self.connect(run, address, None).await?;
        match tls {
            None => Ok(wire),
            Some(to) => self.secure(run, wire, to).await,
        }
    }

    /// Connects to `address`, from `source` if that is given.
    pub async fn connect(
        &self,
        run: &mut Run,
        address: SocketAddr,
        source: Option<IpAddr>,
    ) -> Result<Wire, Reason> {
        let stream = run.phase(Phase::Connect, connect::connect(address, source)).await?;
        Ok(Box::new(stream))
    }

    /// Shakes hands over TLS on a connection that may have been used without.
    pub async fn secure(&self, run: &mut Run, wire: Wire, to: TlsFor<'_>) -> Result<Wire, Reason> {
        let hello = tls::Hello { host: to.host, alpn: to.alpn.as_slice(), with: None };
        Ok(Box::new(self.tls.secure(run, wire, hello).await?))
    }
}
