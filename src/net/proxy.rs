//! Through a proxy: `CONNECT` as RFC 9110 has it, or SOCKS 5.
//!
//! What a proxy does is told apart from what the target does. A proxy that cannot be reached, does
//! not let us in or talks nonsense is our own trouble; one that cannot reach the target says
//! something about the target.

use std::net::{IpAddr, SocketAddr};

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_socks::Error as SocksError;
use tokio_socks::tcp::Socks5Stream;

use super::reach::{To, Way};
use super::run::Run;
use super::{Network, connect, resolve};
use crate::config::{Family, Proxy, ProxyKind, Secret, Secrets};
use crate::model::{Phase, Reason};

/// Longest answer to `CONNECT`.
const LONGEST_HEAD: usize = 8 * 1024;

/// From where to where.
#[derive(Clone, Copy)]
pub(super) struct Passage<'a> {
    pub(super) to: To<'a>,
    pub(super) way: Way<'a>,
}

/// A connection to `proxy`, and through it unless it is the proxy that is asked.
pub(super) async fn tunnel(
    network: &Network,
    run: &mut Run,
    proxy: &Proxy,
    passage: Passage<'_>,
) -> Result<TcpStream, Reason> {
    let (attempt, mut reached) = (*run, false);
    let work = async {
        let mut stream = reach(network, attempt, proxy, passage.way).await?;
        reached = true;
        let user = credentials(proxy, passage.way.secrets)?;
        match proxy.kind {
            ProxyKind::Http if passage.way.asks_the_proxy(passage.to.alpn) => Ok(stream),
            ProxyKind::Http => {
                connect(&mut stream, passage.to, user).await?;
                Ok(stream)
            }
            ProxyKind::Socks5 | ProxyKind::Socks5h => socks(stream, passage.to, user).await,
        }
    };
    let outcome = run.phase(Phase::Connect, work).await;
    match outcome {
        // Until it is reached the silence is the proxy's, and then the target's.
        Err(Reason::Timeout { .. }) if !reached => {
            Err(Reason::ProxyUnreachable { detail: String::from("timed out") })
        }
        other => other,
    }
}

async fn reach(
    network: &Network,
    // Its own, since finding the proxy is nobody's phase.
    mut run: Run,
    proxy: &Proxy,
    way: Way<'_>,
) -> Result<TcpStream, Reason> {
    let connecting = async {
        let found = network.resolve(&mut run, &proxy.host, way.resolvers).await?;
        let fits = |address: &IpAddr| {
            way.source.is_none_or(|source| Family::of(source) == Family::of(*address))
        };
        let address = found.into_iter().find(fits).ok_or(Reason::ResolveNoAddress)?;
        connect::connect(SocketAddr::new(address, proxy.port), way.source).await
    };
    connecting.await.map_err(|reason| {
        if reason.is_ours() {
            return reason;
        }
        Reason::ProxyUnreachable { detail: reason.to_string() }
    })
}

/// A user's name and password for a proxy.
type User<'a> = (&'a str, &'a Secret);

fn credentials<'a>(proxy: &'a Proxy, secrets: &'a Secrets) -> Result<Option<User<'a>>, Reason> {
    let Some((user, reference)) = &proxy.user else { return Ok(None) };
    let missing = || Reason::ProberMisconfigured { detail: format!("the {reference}") };
    Ok(Some((user, secrets.get(reference).ok_or_else(missing)?)))
}

/// What `Proxy-Authorization` says, if `proxy` wants to know who we are.
pub fn authorization(proxy: &Proxy, secrets: &Secrets) -> Result<Option<String>, Reason> {
    Ok(credentials(proxy, secrets)?.map(basic))
}

/// The scheme of RFC 7617.
fn basic((user, password): User<'_>) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{}", password.reveal()).as_bytes()))
}

async fn connect(stream: &mut TcpStream, to: To<'_>, user: Option<User<'_>>) -> Result<(), Reason> {
    let target = format!("{}:{}", to.host, to.port);
    let user = user.map(|user| format!("Proxy-Authorization: {}\r\n", basic(user)));
    let user = user.unwrap_or_default();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{user}\r\n");
    stream.write_all(request.as_bytes()).await.map_err(|error| broken(&error))?;
    let mut head = Vec::new();
    // One by one, so that not a byte of what follows is lost.
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_HEAD {
            return Err(malformed("an answer that is too long"));
        }
        head.push(stream.read_u8().await.map_err(|error| broken(&error))?);
    }
    let line = String::from_utf8_lossy(head.split(|byte| *byte == b'\r').next().unwrap_or(&[]));
    let code = line
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|code| code.parse::<u16>().ok());
    match code {
        Some(200..=299) => Ok(()),
        Some(407) => Err(Reason::ProxyAuth),
        Some(403) => Err(Reason::ProxyDenied { detail: line.into_owned() }),
        Some(_) => Err(Reason::ProxyFailed { detail: line.into_owned() }),
        None => Err(malformed("what is no answer to CONNECT")),
    }
}

async fn socks(stream: TcpStream, to: To<'_>, user: Option<User<'_>>) -> Result<TcpStream, Reason> {
    // A name goes as a name only where the proxy is to resolve it.
    let target = match to.address.or_else(|| resolve::literal(to.host)) {
        Some(address) => tokio_socks::TargetAddr::Ip(SocketAddr::new(address, to.port)),
        None => tokio_socks::TargetAddr::Domain(to.host.into(), to.port),
    };
    let tunnel = match user {
        None => Socks5Stream::connect_with_socket(stream, target).await,
        Some((user, password)) => {
            let password = password.reveal();
            Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
        }
    };
    tunnel.map(Socks5Stream::into_inner).map_err(|error| refusal(&error))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "all the rest is a breach of the protocol")]
fn refusal(error: &SocksError) -> Reason {
    let detail = || error.to_string();
    match error {
        SocksError::Io(error) => broken(error),
        SocksError::NoAcceptableAuthMethods
        | SocksError::PasswordAuthFailure(_)
        | SocksError::AuthorizationRequired => Reason::ProxyAuth,
        SocksError::ConnectionNotAllowedByRuleset => Reason::ProxyDenied { detail: detail() },
        SocksError::GeneralSocksServerFailure
        | SocksError::NetworkUnreachable
        | SocksError::HostUnreachable
        | SocksError::ConnectionRefused
        | SocksError::TtlExpired => Reason::ProxyFailed { detail: detail() },
        SocksError::InvalidTargetAddress(_) | SocksError::InvalidAuthValues(_) => {
            Reason::ProberMisconfigured { detail: format!("what SOCKS can carry: {error}") }
        }
        _ => malformed(&detail()),
    }
}

fn broken(error: &std::io::Error) -> Reason {
    connect::our_trouble(error).unwrap_or_else(|| malformed(&format!("closed: {error}")))
}

fn malformed(what: &str) -> Reason {
    Reason::ProxyMalformed { detail: what.to_owned() }
}
