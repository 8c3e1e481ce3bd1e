//! From a name to its addresses, with nothing remembered between runs.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::Name;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolveHosts, ResolverConfig,
    ResolverOpts, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::system_conf::read_system_conf;

use super::connect::our_trouble;
use crate::model::{Phase, Reason};

/// One resolver for each list of name servers that a configuration names, and the system's for
/// the empty list.
pub(super) struct Resolvers {
    /// What the host's configuration says, read once; or why it cannot be read.
    system: Result<(ResolverConfig, ResolverOpts), String>,
    /// Grows with the configuration's lists and not with time.
    built: Mutex<BTreeMap<Arc<[SocketAddr]>, TokioResolver>>,
}

impl Resolvers {
    /// Reads the host's configuration. One that cannot be read is the trouble of those checks
    /// alone that need it.
    pub(super) fn from_system() -> Self {
        let system = read_system_conf().map_err(|error| error.to_string());
        Self { system, built: Mutex::default() }
    }

    /// The addresses of `host`, IPv4 first; never empty.
    pub(super) async fn addresses(
        &self,
        host: &str,
        servers: &[SocketAddr],
    ) -> Result<Vec<IpAddr>, Reason> {
        let name = Name::from_ascii(host)
            .map_err(|error| Reason::ResolveFailed { detail: error.to_string() })?;
        let found = self.resolver(servers)?.lookup_ip(name).await;
        let mut addresses: Vec<IpAddr> =
            found.map_err(|error| failure(&error))?.into_iter().collect();
        addresses.sort_by_key(IpAddr::is_ipv6);
        if addresses.is_empty() { Err(Reason::ResolveNoAddress) } else { Ok(addresses) }
    }

    /// The first of `servers`, or of the system's if there are none.
    pub(super) fn first(&self, servers: &[SocketAddr]) -> Result<SocketAddr, Reason> {
        if let Some(server) = servers.first() {
            return Ok(*server);
        }
        let (config, _) = self.system.as_ref().map_err(|error| without_system(error))?;
        let server = config.name_servers().first().ok_or_else(|| without_system("none named"))?;
        let port = server.connections.first().map_or(53, |connection| connection.port);
        Ok(SocketAddr::new(server.ip, port))
    }

    fn resolver(&self, servers: &[SocketAddr]) -> Result<TokioResolver, Reason> {
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(resolver) = built.get(servers) {
            return Ok(resolver.clone());
        }
        let resolver = self.build(servers)?;
        built.insert(Arc::from(servers), resolver.clone());
        Ok(resolver)
    }

    fn build(&self, servers: &[SocketAddr]) -> Result<TokioResolver, Reason> {
        let (config, mut options) = if servers.is_empty() {
            self.system.clone().map_err(|error| without_system(&error))?
        } else {
            named(servers)
        };
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

/// The address that `host` spells, with or without a URL's brackets.
pub fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The configuration for name servers that the probe file names: these and nothing else, so
/// neither the hosts file nor a search list.
fn named(servers: &[SocketAddr]) -> (ResolverConfig, ResolverOpts) {
    let servers = servers.iter().map(|server| {
        let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        for connection in &mut connections {
            connection.port = server.port();
        }
        NameServerConfig::new(server.ip(), true, connections)
    });
    let mut options = ResolverOpts::default();
    options.use_hosts_file = ResolveHosts::Never;
    (ResolverConfig::from_name_servers(servers.collect()), options)
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

    use super::{Resolvers, failure, literal};

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

    #[tokio::test]
    async fn a_list_of_servers_gets_one_resolver() {
        let resolvers = Resolvers::from_system();
        let lists = [vec!["127.0.0.1:53".parse().unwrap()], vec!["127.0.0.2:53".parse().unwrap()]];
        for list in lists.iter().chain(&lists) {
            resolvers.resolver(list).unwrap();
        }
        assert_eq!(resolvers.built.lock().unwrap().len(), 2);
    }
}
