//! What a `dns` check asks and expects, and the name servers that it and all resolving ask.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::{Name, RecordType};
use regex::bytes::Regex;

use crate::model::Span;

/// A name server and the way to talk to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameServer {
    /// Its address or its name.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The way.
    pub over: DnsTransport,
}

/// What DNS is spoken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsTransport {
    /// Datagrams, and TCP for an answer that does not fit into one.
    Udp,
    /// TCP alone.
    Tcp,
    /// TLS (DoT).
    Tls {
        /// The name or address that the certificate must be for.
        name: String,
    },
    /// HTTPS (DoH).
    Https {
        /// The name or address that the certificate must be for, and the request's authority.
        name: String,
        /// The path.
        path: String,
    },
}

impl NameServer {
    /// Its address, if it was given by that.
    pub fn address(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port))
    }
}

/// Asked in the plain way.
impl From<SocketAddr> for NameServer {
    fn from(address: SocketAddr) -> Self {
        let (host, port) = (address.ip().to_string(), address.port());
        Self { host, port, over: DnsTransport::Udp }
    }
}

/// A DNS query.
#[derive(Clone, Debug)]
pub struct DnsCheck {
    /// The name asked for, fully qualified.
    pub name: Name,
    /// The type of record.
    pub record_type: RecordType,
    /// The server that is asked, or that is asked who the zone's servers are; `None` for the
    /// platform's resolvers.
    pub server: Option<NameServer>,
    /// Whether the zone's own servers are asked instead.
    pub servers: DnsServers,
    /// The response codes that pass; never empty.
    pub rcode: Vec<ResponseCode>,
    /// Which records must and must not be in the answer.
    pub expect: DnsExpect,
    /// What they must look like.
    pub matches: DnsMatches,
    /// How long they may be remembered.
    pub ttl: TtlLimits,
    /// Whether the answer must have the flag AA.
    pub authoritative: bool,
    /// Whether the answer must have the flag AD.
    pub authenticated: bool,
    /// Whether the question has the flag RD.
    pub recursion_desired: bool,
    /// Whether the answer's signatures are validated, and from where on.
    pub dnssec: Dnssec,
}

impl DnsCheck {
    /// Asks for the IPv4 addresses of `name`, of the system's resolver, and is content with any.
    pub fn of(name: Name) -> Self {
        Self {
            name,
            record_type: RecordType::A,
            server: None,
            servers: DnsServers::One,
            rcode: vec![ResponseCode::NoError],
            expect: DnsExpect::default(),
            matches: DnsMatches::default(),
            ttl: TtlLimits::default(),
            authoritative: false,
            authenticated: false,
            recursion_desired: true,
            dnssec: Dnssec::Off,
        }
    }
}

/// Which servers a query goes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DnsServers {
    /// The one that is named.
    #[default]
    One,
    /// Every authoritative server of the name's zone, each address on its own.
    All {
        /// Their port.
        port: u16,
        /// By how much a SOA serial may be behind the newest.
        max_serial_lag: u32,
    },
}

/// Which records must and must not be in an answer, in presentation form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsExpect {
    /// These and no others; an empty list for no record at all.
    pub exactly: Option<Vec<String>>,
    /// All of these.
    pub at_least: Vec<String>,
    /// None of these.
    pub none_of: Vec<String>,
}

/// What the presentation form of records must match.
#[derive(Clone, Debug, Default)]
pub struct DnsMatches {
    /// Each of these matches at least one record.
    pub any: Vec<Regex>,
    /// Each of these matches every record.
    pub all: Vec<Regex>,
}

/// How long every record of an answer may be remembered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TtlLimits {
    /// Not shorter than this.
    pub min: Option<Span>,
    /// Not longer.
    pub max: Option<Span>,
}

/// Whether signatures are validated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Dnssec {
    /// No.
    #[default]
    Off,
    /// From the root's keys down.
    FromRoot,
    /// From the keys in this file, a DNSKEY record on each line.
    From(PathBuf),
}
