//! A socket for ICMP echo: an unprivileged one where the system lets this process have it, and
//! otherwise a raw one, if the process may.

#![expect(clippy::wildcard_enum_match_arm, reason = "the system's errors are an open set")]

use std::io::{Error, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;

use super::connect::{has_route, refusal};
use super::icmp::{Echo, Heard, MARK};
use crate::model::Reason;

/// What to do about neither kind of socket being allowed.
const NOT_ALLOWED: &str = "the right to send ICMP: put its group into net.ipv4.ping_group_range, \
                           or give it CAP_NET_RAW";

/// How echoes are sent.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// The address of this host to go out from, if it matters.
    pub source: Option<IpAddr>,
    /// How many bytes of payload they have.
    pub size: usize,
    /// How many routers they may pass, if not as many as the system lets all packets pass.
    pub ttl: Option<u8>,
}

/// Echoes to one address.
#[derive(Debug)]
pub struct Echoing {
    /// Not UDP: but what it does (send to, receive from) is the same for every datagram.
    socket: UdpSocket,
    to: SocketAddr,
    echo: Echo,
    heard: Vec<u8>,
}

impl Echoing {
    /// A socket for echoes to `to`.
    pub fn open(to: IpAddr, manner: Manner) -> Result<Self, Reason> {
        let address = SocketAddr::new(to, 0);
        let ours = |error: &Error| trouble(error, address);
        let (socket, kind) = socket(to)?;
        socket.set_nonblocking(true).map_err(|error| ours(&error))?;
        let source = source(to, manner.source)?;
        socket.bind(&SocketAddr::new(source, 0).into()).map_err(|error| match error.kind() {
            ErrorKind::AddrNotAvailable => lacks(format!("the source address {source}")),
            _ => ours(&error),
        })?;
        if let Some(ttl) = manner.ttl {
            let ttl = u32::from(ttl);
            let set = if to.is_ipv4() { Socket::set_ttl_v4 } else { Socket::set_unicast_hops_v6 };
            set(&socket, ttl).map_err(|error| ours(&error))?;
        }
        if kind == Type::DGRAM {
            hear_errors(&socket, to).map_err(|error| ours(&error))?;
        }
        let mut random = [0; MARK + 2];
        getrandom::fill(&mut random)
            .map_err(|error| Reason::ProberExhausted { detail: error.to_string() })?;
        let [mark @ .., high, low] = random;
        let local = socket.local_addr().ok().and_then(|local| local.as_socket());
        let id = match local {
            // The system gives an unprivileged socket its identifier, and calls it a port.
            Some(local) if kind == Type::DGRAM && local.port() != 0 => local.port(),
            _ => u16::from_be_bytes([high, low]),
        };
        let echo = Echo::new(to, id, mark, manner.size);
        if kind == Type::RAW {
            hear_less(&socket, &echo, to).map_err(|error| ours(&error))?;
        }
        let socket = UdpSocket::from_std(socket.into()).map_err(|error| ours(&error))?;
        Ok(Self { socket, to: address, heard: vec![0; echo.room()], echo })
    }

    /// Sends the request of number `sequence`.
    pub async fn send(&self, sequence: u16) -> Result<(), Reason> {
        let packet = self.echo.request(sequence);
        let sent = self.socket.send_to(&packet, self.to).await;
        sent.map(|_| ()).map_err(|error| trouble(&error, self.to))
    }

    /// Waits for what is said to our requests, and passes over all else.
    pub async fn listen(&mut self) -> Result<Heard, Reason> {
        loop {
            let came = self.socket.recv_from(&mut self.heard).await;
            let (length, from) = came.map_err(|error| match error.kind() {
                // Nobody on this host forbids listening: a router forbids what was sent.
                ErrorKind::PermissionDenied => Reason::ConnectUnreachable,
                _ => trouble(&error, self.to),
            })?;
            let packet = self.heard.get(..length).unwrap_or_default();
            if let Some(heard) = self.echo.read(from.ip(), packet) {
                return Ok(heard);
            }
        }
    }
}

/// A socket of the kind that we may have.
fn socket(to: IpAddr) -> Result<(Socket, Type), Reason> {
    let (domain, protocol) = match to {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let open = |kind| Socket::new(domain, kind, Some(protocol)).map(|socket| (socket, kind));
    // Whatever the one is refused for: systems that have none say so in many ways.
    open(Type::DGRAM).or_else(|_| open(Type::RAW)).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => lacks(NOT_ALLOWED.to_owned()),
        _ => trouble(&error, SocketAddr::new(to, 0)),
    })
}

/// Where to go out from, of the family of `to`.
fn source(to: IpAddr, source: Option<IpAddr>) -> Result<IpAddr, Reason> {
    match source {
        Some(source) if source.is_ipv4() == to.is_ipv4() => Ok(source),
        Some(_) => Err(lacks(format!("a source address to reach {to} from"))),
        None if to.is_ipv4() => Ok(Ipv4Addr::UNSPECIFIED.into()),
        None => Ok(Ipv6Addr::UNSPECIFIED.into()),
    }
}

/// An unprivileged socket hears answers only, unless it wants to be told of errors too.
#[cfg(target_os = "linux")]
fn hear_errors(socket: &Socket, to: IpAddr) -> Result<(), Error> {
    use nix::sys::socket::{setsockopt, sockopt};
    let set = match to {
        IpAddr::V4(_) => setsockopt(socket, sockopt::Ipv4RecvErr, &true),
        IpAddr::V6(_) => setsockopt(socket, sockopt::Ipv6RecvErr, &true),
    };
    set.map_err(Error::from)
}

#[cfg(not(target_os = "linux"))]
fn hear_errors(_: &Socket, _: IpAddr) -> Result<(), Error> {
    Ok(())
}

/// A raw socket hears what is for everybody on this host. What is not for us must not fill it up,
/// or others' traffic would cost us our answers: the system is given a filter (BPF) that lets only
/// answers with our identifier through, and errors, of which it cannot tell whose they are.
#[cfg(target_os = "linux")]
fn hear_less(socket: &Socket, echo: &Echo, to: IpAddr) -> Result<(), Error> {
    use socket2::SockFilter;
    const HEAD_LENGTH: u16 = 0xb1; // X = the length of the IPv4 head.
    const NO_HEAD: u16 = 0x01; // X = 0
    const BYTE: u16 = 0x50; // A = the byte at X + k
    const WORD: u16 = 0x48; // A = the two bytes at X + k
    const IS: u16 = 0x15; // A is k: skip the first number, or else the second.
    const LET: u16 = 0x06; // Lets k bytes through.
    let head = if to.is_ipv4() { HEAD_LENGTH } else { NO_HEAD };
    let [first, second] = echo.types().errors;
    socket.attach_filter(&[
        SockFilter::new(head, 0, 0, 0),
        SockFilter::new(BYTE, 0, 0, 0),
        SockFilter::new(IS, 0, 2, echo.types().answer.into()),
        SockFilter::new(WORD, 0, 0, 4),
        SockFilter::new(IS, 3, 2, echo.id().into()),
        SockFilter::new(IS, 2, 0, first.into()),
        SockFilter::new(IS, 1, 0, second.into()),
        SockFilter::new(LET, 0, 0, 0),
        SockFilter::new(LET, 0, 0, u32::MAX),
    ])
}

#[cfg(not(target_os = "linux"))]
fn hear_less(_: &Socket, _: &Echo, _: IpAddr) -> Result<(), Error> {
    Ok(())
}

fn lacks(detail: String) -> Reason {
    Reason::ProberMisconfigured { detail }
}

/// The reason behind an error of the socket's. What somebody on the way has said counts, and
/// reaches us as if this host's own network had said it: the route tells whose it is.
fn trouble(error: &Error, to: SocketAddr) -> Reason {
    refusal(error, has_route(SocketAddr::new(to.ip(), 9)))
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::source;

    #[test]
    fn a_source_address_must_be_of_the_targets_family() {
        let at = |text: &str| text.parse::<IpAddr>().unwrap();
        assert_eq!(source(at("192.0.2.1"), Some(at("127.0.0.1"))), Ok(at("127.0.0.1")));
        assert_eq!(source(at("2001:db8::1"), None), Ok(at("::")));
        let other = source(at("2001:db8::1"), Some(at("127.0.0.1"))).unwrap_err();
        assert_eq!(other.name(), "prober_misconfigured");
    }
}
