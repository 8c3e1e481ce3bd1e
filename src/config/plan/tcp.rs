//! The plan of checks that talk below HTTP: TCP scripts, TLS, and what certificates must be like.

use std::net::IpAddr;
use std::sync::Arc;

use regex::bytes::Regex;
use rustls::{CipherSuite, ProtocolVersion};

use super::Addresses;
use crate::model::Span;

/// A TCP connection and a few words.
#[derive(Clone, Debug)]
pub struct TcpCheck {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether and when TLS comes.
    pub security: Security,
    /// The name that the certificate must be for, if it is not `host`.
    pub server_name: Option<String>,
    /// What is said and heard, after TLS unless it asks for TLS itself.
    pub script: Vec<Step>,
    /// Which addresses are asked.
    pub addresses: Addresses,
    /// The address of this host that the connection comes from.
    pub source: Option<IpAddr>,
    /// How long the certificates must still be valid.
    pub certificate: Option<CertificateLimits>,
}

/// Whether and when a connection changes over to TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// Not at all, unless a script asks for it.
    Plain,
    /// From the start.
    Tls,
    /// After asking for it, as this protocol does.
    Starttls(Starttls),
}

/// A protocol that begins in plain words and changes over to TLS on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starttls {
    /// RFC 3207.
    Smtp,
    /// RFC 9051.
    Imap,
    /// RFC 2595.
    Pop3,
    /// RFC 4511.
    Ldap,
    /// RFC 6120.
    Xmpp,
    /// The `SSLRequest` of PostgreSQL.
    Postgres,
}

/// A step of a script.
#[derive(Clone, Debug)]
pub enum Step {
    /// Sends these, one after the other.
    Send(Vec<Piece>),
    /// Sends these, which are no text.
    SendBytes(Arc<[u8]>),
    /// Waits until this is found in what has come and no step has taken yet; takes all up to the
    /// end of the match.
    Expect(Regex),
    /// Changes over to TLS.
    Starttls,
}

/// A piece of what is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// As written.
    Bytes(Arc<[u8]>),
    /// What an earlier step has captured.
    Captured {
        /// Which step of the script, counted from zero.
        step: usize,
        /// Which group of its expression; zero is the whole match.
        group: usize,
    },
}

/// A TLS handshake and the certificates that it shows.
#[derive(Clone, Debug)]
pub struct TlsCheck {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The name that the certificate must be for, if it is not `host`.
    pub server_name: Option<String>,
    /// The protocol that TLS is asked for in, if it does not come at once.
    pub starttls: Option<Starttls>,
    /// How long the certificates must still be valid.
    pub expires_within: CertificateLimits,
    /// The oldest version of TLS that may be agreed on.
    pub min_version: Option<ProtocolVersion>,
    /// The versions that may be agreed on; any if there are none.
    pub versions: Vec<ProtocolVersion>,
    /// The cipher suites that may be agreed on; any if there are none.
    pub ciphers: Vec<CipherSuite>,
    /// Whether the server must staple an OCSP answer, or must not.
    pub staple: Option<StapleWanted>,
    /// Which addresses are asked.
    pub addresses: Addresses,
    /// The address of this host that the connection comes from.
    pub source: Option<IpAddr>,
}

/// What is expected of a stapled OCSP answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StapleWanted {
    /// There is one, it says that the certificate is good, and it is current.
    Present,
    /// There is none.
    Absent,
}

/// How long certificates must still be valid. A limit that is not given depends on how long they
/// are valid in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CertificateLimits {
    /// With less than this the check is degraded.
    pub degraded: Option<Span>,
    /// With less than this it fails.
    pub failed: Option<Span>,
}
