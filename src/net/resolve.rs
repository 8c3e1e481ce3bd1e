//! From a name to its addresses as this host's own configuration finds them, with nothing
//! remembered between runs.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::OnceLock;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    LookupIpStrategy, ResolverConfig, ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::system_conf::read_system_conf;

use super::connect::our_trouble;
use crate::config::NameServer;
use crate::model::{Phase, Reason};

/// The host's own resolver.
pub(super) struct Resolvers {
    /// What the host's configuration says, read once; or why it cannot be read.
    system: Result<(ResolverConfig, ResolverOpts), String>,
    built: OnceLock<TokioResolver>,
}

impl Resolvers {
    /// Reads the host's configuration. One that cannot be read is the trouble of those checks
    /// alone that need it.
    pub(super) fn from_system() -> Self {
        let system = read_system_conf().map_err(|error| error.to_string());
        Self { system, built: OnceLock::new() }
    }

    /// A host whose configuration names this server alone.
    #[cfg(test)]
    pub(super) fn asking(server: SocketAddr) -> Self {
        use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
        let mut connection = ConnectionConfig::udp();
        connection.port = server.port();
        let server = NameServerConfig::new(server.ip(), true, vec![connection]);
        let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
        Self { system: Ok((config, ResolverOpts::default())), built: OnceLock::new() }
    }

    /// The addresses of `host`, IPv4 first; never empty.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, Reason> {
        let name = relative(host)?;
        let found = self.resolver()?.lookup_ip(name).await;
        let mut addresses: Vec<IpAddr> =
            found.map_err(|error| failure(&error))?.into_iter().collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        if addresses.is_empty() { Err(Reason::ResolveNoAddress) } else { Ok(addresses) }
    }

    /// Whether the resolver answers what every resolver can: who serves the root.
    pub(super) async fn knows_root(&self) -> bool {
        let Ok(resolver) = self.resolver() else { return false };
        resolver.lookup(Name::root(), RecordType::NS).await.is_ok()
    }

    /// The host's name servers; never empty.
    pub(super) fn servers(&self) -> Result<Vec<NameServer>, Reason> {
        let (config, _) = self.system.as_ref().map_err(|error| without_system(error))?;
        let servers = config.name_servers().iter().map(|server| {
            let port = server.connections.first().map_or(53, |connection| connection.port);
            NameServer::from(SocketAddr::new(server.ip, port))
        });
        let servers: Vec<NameServer> = servers.collect();
        if servers.is_empty() { Err(without_system("none named")) } else { Ok(servers) }
    }

    fn resolver(&self) -> Result<&TokioResolver, Reason> {
        if let Some(resolver) = self.built.get() {
            return Ok(resolver);
        }
        let resolver = self.build()?;
        Ok(self.built.get_or_init(|| resolver))
    }

    fn build(&self) -> Result<TokioResolver, Reason> {
        let (config, mut options) = self.system.clone().map_err(|error| without_system(&error))?;
        // Nothing is remembered: a lookup that was not made cannot be measured.
        options.cache_size = 0;
        options.positive_max_ttl = Some(std::time::Duration::ZERO);
        options.negative_max_ttl = Some(std::time::Duration::ZERO);
        options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
        // As the host's own resolver does it: one server after the other, in the order given. A
        // lost packet is asked again within the phase, whose time shows it.
        options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
        options.num_concurrent_reqs = 1;
        let mut builder =
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        *builder.options_mut() = options;
        builder.build().map_err(|error| failure(&error))
    }
}

impl fmt::Debug for Resolvers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolvers").field("system", &self.system).finish_non_exhaustive()
    }
}

/// `host` as a name to which a search list may apply.
fn relative(host: &str) -> Result<Name, Reason> {
    Name::from_ascii(host).map_err(|error| Reason::ResolveFailed { detail: error.to_string() })
}

/// `host` as a name that is whole.
pub(super) fn absolute(host: &str) -> Result<Name, Reason> {
    let mut name = relative(host)?;
    name.set_fqdn(true);
    Ok(name)
}

/// The address that `host` spells, with or without a URL's brackets.
pub fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

fn without_system(why: &str) -> Reason {
    Reason::ProberMisconfigured { detail: format!("a system resolver: {why}") }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the resolver's errors are an open set")]
fn failure(error: &NetError) -> Reason {
    if error.is_nx_domain() {
        return Reason::ResolveNotFound;
    }
    let detail = match error {
        NetError::Timeout => return Reason::Timeout { phase: Phase::Resolve },
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            if none.response_code == ResponseCode::NoError {
                return Reason::ResolveNoAddress;
            }
            rcode_name(none.response_code)
        }
        NetError::Dns(DnsError::ResponseCode(code)) => rcode_name(*code),
        // The resolver says this whatever kept it from sending a question to any of its servers:
        // no route, no descriptor. What it never sent, nobody failed to answer.
        NetError::NoConnections => {
            return Reason::ProberOffline { detail: String::from("no name server can be asked") };
        }
        NetError::Busy => return Reason::ProberExhausted { detail: error.to_string() },
        NetError::Io(error) => match our_trouble(error) {
            Some(ours) => return ours,
            None => error.to_string(),
        },
        other => other.to_string(),
    };
    Reason::ResolveFailed { detail }
}

/// The code's name as operators know it: `SERVFAIL`.
#[expect(clippy::wildcard_enum_match_arm, reason = "the rest has numbers for operators")]
pub fn rcode_name(code: ResponseCode) -> String {
    let name = match code {
        ResponseCode::NoError => "NOERROR",
        ResponseCode::FormErr => "FORMERR",
        ResponseCode::ServFail => "SERVFAIL",
        ResponseCode::NXDomain => "NXDOMAIN",
        ResponseCode::NotImp => "NOTIMP",
        ResponseCode::Refused => "REFUSED",
        ResponseCode::YXDomain => "YXDOMAIN",
        ResponseCode::YXRRSet => "YXRRSET",
        ResponseCode::NXRRSet => "NXRRSET",
        ResponseCode::NotAuth => "NOTAUTH",
        ResponseCode::NotZone => "NOTZONE",
        other => return format!("RCODE{}", u16::from(other)),
    };
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use hickory_resolver::net::NetError;

    use super::{failure, literal};

    #[test]
    fn an_address_is_its_own() {
        assert_eq!(literal("127.0.0.1"), Some("127.0.0.1".parse().unwrap()));
        assert_eq!(literal("[::1]"), Some("::1".parse().unwrap()));
        assert_eq!(literal("localhost"), None);
    }

    #[test]
    fn a_question_that_never_left_is_our_trouble() {
        let kind = std::io::ErrorKind::NetworkDown;
        for error in [NetError::NoConnections, NetError::Busy, std::io::Error::from(kind).into()] {
            assert!(failure(&error).is_ours(), "{error}");
        }
        assert_eq!(failure(&NetError::Timeout).name(), "resolve_timeout");
        assert_eq!(failure(&NetError::QueryCaseMismatch).name(), "resolve_failed");
    }
}
