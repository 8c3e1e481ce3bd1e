//! What is monitored: a TCP port that is open or closed, and nobody else's in between.

use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinHandle;

/// A port of the loopback.
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// Bound and never listening, so that the port is nobody else's while it is closed.
    _place: TcpSocket,
    serving: Option<JoinHandle<()>>,
}

impl Target {
    /// A port that is closed.
    pub(crate) fn closed() -> Self {
        let place = socket("127.0.0.1:0".parse().unwrap());
        Self { address: place.local_addr().unwrap(), _place: place, serving: None }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.serving.is_some()
    }

    pub(crate) fn open(&mut self) {
        let listener = socket(self.address).listen(64).unwrap();
        self.serving = Some(tokio::spawn(accept(listener)));
    }

    pub(crate) async fn close(&mut self) {
        let serving = self.serving.take().unwrap();
        serving.abort();
        // Only when the task has ended is the listener gone.
        let _cancelled = serving.await;
    }
}

fn socket(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseport(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

async fn accept(listener: TcpListener) {
    while let Ok((connection, _)) = listener.accept().await {
        drop(connection);
    }
}
