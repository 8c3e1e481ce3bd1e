//! Listening sockets, bounded: how many connections at once and how long each may live. A demo
//! that a stuck client can exhaust would blame the prober for its own trouble.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::{JoinHandle, JoinSet};

/// Connections that one server holds at the same time; more wait in the system's backlog.
const MAX_CONNECTIONS: usize = 64;

/// How long one connection may live, whatever it is doing.
const MAX_LIFETIME: Duration = Duration::from_secs(30);

/// How long a server rests after the system failed it, so that "out of file descriptors" does not
/// become a busy loop.
const REST: Duration = Duration::from_millis(50);

/// How often a port that is free on every address is looked for.
const PORT_TRIES: usize = 32;

/// Why a simulated platform cannot be started, or one of its servers not again: a loopback address
/// cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error(
    "the demo cannot listen on {address}: {source}; it needs the loopback network 127.0.0.0/8 \
     (where only 127.0.0.1 is there, as on macOS: sudo ifconfig lo0 alias {})",
    address.ip()
)]
pub struct StartError {
    /// With port 0 where any port would have done.
    address: SocketAddr,
    source: io::Error,
}

/// Listens on one address; port 0 for any.
pub(super) async fn tcp(address: SocketAddr) -> Result<(TcpListener, u16), StartError> {
    let failed = |source| StartError { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}

/// Listens on every one of `addresses`, on one port that is free on all of them.
pub(super) async fn tcp_on_all(
    addresses: &[IpAddr],
) -> Result<(Vec<TcpListener>, u16), StartError> {
    on_a_common_port(async || {
        let mut listeners = Vec::with_capacity(addresses.len());
        let mut common = 0;
        for address in addresses {
            let (listener, port) = tcp(SocketAddr::new(*address, common)).await?;
            common = port;
            listeners.push(listener);
        }
        Ok((listeners, common))
    })
    .await
}

/// Listens for datagrams and connections on one port of `address`, as a name server does.
pub(super) async fn udp_and_tcp(
    address: IpAddr,
) -> Result<(UdpSocket, TcpListener, SocketAddr), StartError> {
    on_a_common_port(async || {
        let wanted = SocketAddr::new(address, 0);
        let failed = |source| StartError { address: wanted, source };
        let datagrams = UdpSocket::bind(wanted).await.map_err(failed)?;
        let bound = datagrams.local_addr().map_err(failed)?;
        let (connections, _) = tcp(bound).await?;
        Ok((datagrams, connections, bound))
    })
    .await
}

/// A port that is free on the first address may be taken on the next: then another is tried.
async fn on_a_common_port<T>(
    attempt: impl AsyncFn() -> Result<T, StartError>,
) -> Result<T, StartError> {
    for _ in 1..PORT_TRIES {
        match attempt().await {
            Err(error) if error.source.kind() == io::ErrorKind::AddrInUse => {}
            settled => return settled,
        }
    }
    attempt().await
}

/// A running server. Dropping it closes the listening socket and every connection.
#[derive(Debug)]
pub(super) struct Server(JoinHandle<()>);

impl Server {
    /// Serves connections, each in a task of its own.
    pub(super) fn tcp<F, S>(listener: TcpListener, serve: F) -> Self
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        Self(tokio::spawn(accept(listener, serve)))
    }

    /// Answers datagrams one after the other; `None` leaves the sender without an answer.
    pub(super) fn udp<F>(socket: UdpSocket, max_size: usize, answer: F) -> Self
    where
        F: Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static,
    {
        Self(tokio::spawn(async move {
            let mut buffer = vec![0; max_size];
            loop {
                let Ok((size, from)) = socket.recv_from(&mut buffer).await else {
                    tokio::time::sleep(REST).await;
                    continue;
                };
                if let Some(answer) = buffer.get(..size).and_then(&answer) {
                    // A datagram that cannot be sent is a datagram lost: the sender asks again.
                    let _ = socket.send_to(&answer, from).await;
                }
            }
        }))
    }

    /// Stops, and returns when nobody listens any more.
    pub(super) async fn stop(mut self) {
        self.0.abort();
        // The only outcome is "cancelled".
        let _ = (&mut self.0).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn accept<F, S>(listener: TcpListener, serve: F)
where
    F: Fn(TcpStream) -> S,
    S: Future<Output = ()> + Send + 'static,
{
    // Dropped with this future, the set ends every connection.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, _)) => {
                // As servers do: what is small leaves at once.
                let _ = stream.set_nodelay(true);
                connections.spawn(tokio::time::timeout(MAX_LIFETIME, serve(stream)));
            }
            Err(_) => tokio::time::sleep(REST).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::{MAX_CONNECTIONS, Server};

    const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

    #[tokio::test]
    async fn holds_only_so_many_connections_and_serves_the_rest_later() {
        let (listener, port) = super::tcp(ANY_PORT).await.unwrap();
        let open = Arc::new(AtomicUsize::new(0));
        let most = Arc::new(AtomicUsize::new(0));
        let (counted, peak) = (Arc::clone(&open), Arc::clone(&most));
        let _server = Server::tcp(listener, move |mut stream| {
            let (counted, peak) = (Arc::clone(&counted), Arc::clone(&peak));
            async move {
                let now_open = counted.fetch_add(1, Ordering::SeqCst) + 1;
                peak.fetch_max(now_open, Ordering::SeqCst);
                // Stays until the client leaves.
                let _ = stream.write_all(b"!").await;
                let _ = stream.read_u8().await;
                counted.fetch_sub(1, Ordering::SeqCst);
            }
        });

        let mut clients = Vec::new();
        for _ in 0..MAX_CONNECTIONS + 6 {
            clients.push(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap());
        }
        for client in clients.iter_mut().take(MAX_CONNECTIONS) {
            assert_eq!(client.read_u8().await.unwrap(), b'!');
        }
        for mut late in clients.split_off(MAX_CONNECTIONS) {
            clients.pop();
            assert_eq!(late.read_u8().await.unwrap(), b'!');
        }
        assert_eq!(most.load(Ordering::SeqCst), MAX_CONNECTIONS);
    }

    #[tokio::test]
    async fn says_which_address_cannot_be_had() {
        let (_taken, port) = super::tcp(ANY_PORT).await.unwrap();
        let address = SocketAddr::new(ANY_PORT.ip(), port);
        let error = super::tcp(address).await.unwrap_err();
        assert_eq!(error.address, address);
        assert_eq!(error.source.kind(), std::io::ErrorKind::AddrInUse);
    }
}
