//! The TCP handshake, and what the system's errors mean.

#![expect(clippy::wildcard_enum_match_arm, reason = "the system's errors are an open set")]

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use tokio::net::{TcpSocket, TcpStream};

use crate::model::{Phase, Reason};

// Numbers that `ErrorKind` has no name for. The first two are the same on every Unix.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const EAFNOSUPPORT: i32 = if cfg!(target_os = "linux") { 97 } else { 47 };
const ENOBUFS: i32 = if cfg!(target_os = "linux") { 105 } else { 55 };

/// Connects to exactly this address, from `source` if that is given.
pub(super) async fn connect(
    address: SocketAddr,
    source: Option<IpAddr>,
) -> Result<TcpStream, Reason> {
    let connecting = match source {
        None => TcpStream::connect(address).await,
        Some(source) => from(source, address)?.connect(address).await,
    };
    let stream = connecting.map_err(|error| refusal(&error, has_route(address)))?;
    // A small request must leave at once: waiting for more would be our delay, not the target's.
    // A connection that has died since says so when it is used.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

/// A socket at `source`, which must be an address of this host and of the target's family.
fn from(source: IpAddr, address: SocketAddr) -> Result<TcpSocket, Reason> {
    let lacks = |detail| Reason::ProberMisconfigured { detail };
    if source.is_ipv4() != address.is_ipv4() {
        return Err(lacks(format!("a source address to reach {} from", address.ip())));
    }
    let ours = |error: &Error| {
        our_trouble(error).unwrap_or_else(|| Reason::ProberExhausted { detail: error.to_string() })
    };
    let socket = if source.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
    let socket = socket.map_err(|error| ours(&error))?;
    socket.bind((source, 0).into()).map_err(|error| match error.kind() {
        ErrorKind::AddrNotAvailable => lacks(format!("the source address {source}")),
        _ => ours(&error),
    })?;
    Ok(socket)
}

/// The reason behind a failed TCP handshake; `routed` is whether this host knows a way to the
/// address.
///
/// 1. Without a route the trouble is ours: a host without IPv6 must not call a target's IPv6
///    address broken.
/// 2. What we ran out of is our trouble as well.
/// 3. With a route, "unreachable" was said by a router or the target's network, and counts.
pub fn refusal(error: &Error, routed: bool) -> Reason {
    let kind = error.kind();
    if !routed && matches!(kind, ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable) {
        return Reason::ProberOffline { detail: error.to_string() };
    }
    if let Some(ours) = our_trouble(error) {
        return ours;
    }
    match kind {
        ErrorKind::ConnectionRefused => Reason::ConnectRefused,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Reason::ConnectReset,
        ErrorKind::TimedOut => Reason::Timeout { phase: Phase::Connect },
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Reason::ConnectUnreachable,
        _ => Reason::ConnectFailed { detail: error.to_string() },
    }
}

/// The reason behind a connection that broke in `phase`, after the handshake.
pub fn breakage(error: &Error, phase: Phase) -> Reason {
    if let Some(ours) = our_trouble(error) {
        return ours;
    }
    match error.kind() {
        ErrorKind::TimedOut => Reason::Timeout { phase },
        ErrorKind::InvalidData | ErrorKind::InvalidInput => {
            Reason::MalformedAnswer { detail: error.to_string() }
        }
        ErrorKind::ConnectionRefused => Reason::ConnectRefused,
        ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable => Reason::ConnectUnreachable,
        _ => Reason::ConnectionClosed { phase },
    }
}

/// The reason, if `error` says that this host lacks something.
pub fn our_trouble(error: &Error) -> Option<Reason> {
    let detail = || error.to_string();
    match error.kind() {
        ErrorKind::AddrNotAvailable | ErrorKind::AddrInUse | ErrorKind::OutOfMemory => {
            return Some(Reason::ProberExhausted { detail: detail() });
        }
        // Not being permitted to send is a firewall or sandbox around us.
        ErrorKind::NetworkDown | ErrorKind::PermissionDenied => {
            return Some(Reason::ProberOffline { detail: detail() });
        }
        _ => {}
    }
    match error.raw_os_error()? {
        ENFILE | EMFILE | ENOBUFS => Some(Reason::ProberExhausted { detail: detail() }),
        EAFNOSUPPORT => Some(Reason::ProberOffline { detail: detail() }),
        _ => None,
    }
}

/// Whether this host knows a way to `address`: connecting a datagram socket looks the route up
/// and sends nothing.
pub fn has_route(address: SocketAddr) -> bool {
    let any: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    UdpSocket::bind((any, 0)).and_then(|socket| socket.connect(address)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::io::Error;

    use super::{EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, has_route, refusal};
    use crate::model::{Phase, Reason};

    /// Linux's numbers, as a failing system call gives them.
    #[test]
    #[cfg(target_os = "linux")]
    fn only_what_the_target_did_is_held_against_it() {
        let named = |number, routed| refusal(&Error::from_raw_os_error(number), routed).name();
        for (number, name) in [
            (111, "connect_refused"),
            (104, "connect_reset"),
            (113, "connect_unreachable"),
            (110, "connect_timeout"),
            (92, "connect_failed"),
            (EMFILE, "prober_exhausted"),
            (ENFILE, "prober_exhausted"),
            (ENOBUFS, "prober_exhausted"),
            (12, "prober_exhausted"),
            (99, "prober_exhausted"),
            (100, "prober_offline"),
            (EAFNOSUPPORT, "prober_offline"),
            (13, "prober_offline"),
        ] {
            assert_eq!(named(number, true), name, "error {number}");
        }
        assert_eq!(named(101, true), "connect_unreachable");
        assert_eq!(named(101, false), "prober_offline");
        assert_eq!(named(99, false), "prober_offline");
    }

    #[test]
    fn a_broken_connection_names_its_phase() {
        let error = Error::from(std::io::ErrorKind::BrokenPipe);
        assert_eq!(
            super::breakage(&error, Phase::Send),
            Reason::ConnectionClosed { phase: Phase::Send }
        );
    }

    #[test]
    fn the_loopback_is_always_reachable() {
        assert!(has_route("127.0.0.1:9".parse().unwrap()));
    }
}
