//! Accepting connections, each bounded in time and size, and stopping within two seconds.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::{Site, router};

/// So many connections at once; further ones are turned away.
const MAX_CONNECTIONS: usize = 512;
/// So many more from this machine: whatever the public does, farol must be able to publish to
/// itself, and its health must be seen.
const RESERVED: usize = 64;
/// How long a client may take over a request's headers, and how long it may idle between two.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);
/// How many bytes of headers are read.
const MAX_HEADER_BYTES: usize = 32 * 1024;
/// How long requests that are being answered may go on once we were told to stop.
const GRACE: Duration = Duration::from_secs(2);
/// How long to wait after the system refused us a connection, mostly for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves `site` until `shutdown` ends; then answers what was asked and returns.
pub async fn serve(
    listener: TcpListener,
    site: Site,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let router = router(site);
    let seats = Seats::new();
    let (stop, stopping) = watch::channel(());
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    // What is small leaves at once; where that cannot be set it is merely later.
                    let _ = stream.set_nodelay(true);
                    // Without a seat the connection is dropped, which closes it.
                    if let Some(seat) = seats.take(peer) {
                        let stopping = stopping.clone();
                        connections.spawn(connection(stream, router.clone(), stopping, seat));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    drop(listener);
    drop(stop);
    let all_done = async { while connections.join_next().await.is_some() {} };
    // Whoever is not done by then is cut off when the set is dropped.
    let _ = tokio::time::timeout(GRACE, all_done).await;
    Ok(())
}

/// How many connections there may be.
struct Seats {
    public: Arc<Semaphore>,
    reserved: Arc<Semaphore>,
}

impl Seats {
    fn new() -> Self {
        Self {
            public: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            reserved: Arc::new(Semaphore::new(RESERVED)),
        }
    }

    /// A seat for a connection from `peer`, kept for as long as the permit lives.
    fn take(&self, peer: SocketAddr) -> Option<OwnedSemaphorePermit> {
        let public = Arc::clone(&self.public).try_acquire_owned().ok();
        let near = peer.ip().to_canonical().is_loopback();
        public.or_else(|| Arc::clone(&self.reserved).try_acquire_owned().ok().filter(|_| near))
    }
}

/// Answers one connection's requests; `stopping` changes, by its sender's end, when no more are
/// to be answered.
async fn connection(
    stream: TcpStream,
    router: Router,
    mut stopping: watch::Receiver<()>,
    permit: OwnedSemaphorePermit,
) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke");
    }
    drop(permit);
}

#[cfg(test)]
mod tests {
    use super::{MAX_CONNECTIONS, RESERVED, Seats};

    #[test]
    fn the_public_cannot_take_the_seats_that_are_ours() {
        let seats = Seats::new();
        let visitor = "192.0.2.1:1000".parse().unwrap();
        let ourselves = "[::ffff:127.0.0.1]:1000".parse().unwrap();
        let taken: Vec<_> = std::iter::from_fn(|| seats.take(visitor)).collect();
        assert_eq!(taken.len(), MAX_CONNECTIONS);
        let ours: Vec<_> = std::iter::from_fn(|| seats.take(ourselves)).collect();
        assert_eq!(ours.len(), RESERVED);
        drop(taken);
        assert!(seats.take(visitor).is_some());
    }
}
