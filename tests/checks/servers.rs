//! Small servers on the loopback, each connection answered by a function.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// A server that stops when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    _accepting: JoinSet<()>,
}

impl Server {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Answers every connection to 127.0.0.1 with `answer`.
pub(crate) async fn serve<Answered>(
    answer: impl Fn(TcpStream) -> Answered + Send + 'static,
) -> Server
where
    Answered: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    serve_on(listener, answer)
}

pub(crate) fn serve_on<Answered>(
    listener: TcpListener,
    answer: impl Fn(TcpStream) -> Answered + Send + 'static,
) -> Server
where
    Answered: Future<Output = ()> + Send + 'static,
{
    let address = listener.local_addr().unwrap();
    let mut accepting = JoinSet::new();
    accepting.spawn(async move {
        let mut answering = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            answering.spawn(answer(stream));
        }
    });
    Server { address, _accepting: accepting }
}

/// One listener for each of `addresses`, all at the same port.
pub(crate) async fn listeners(addresses: &[IpAddr]) -> Vec<TcpListener> {
    loop {
        let mut bound = Vec::new();
        let mut port = 0;
        for address in addresses {
            // Somebody else may have the port on another address: then all move to a new one.
            let Ok(listener) = TcpListener::bind((*address, port)).await else { break };
            port = listener.local_addr().unwrap().port();
            bound.push(listener);
        }
        if bound.len() == addresses.len() {
            return bound;
        }
    }
}

/// Reads one request, writes `answer` and closes.
pub(crate) async fn serve_answer(answer: impl Into<Vec<u8>>) -> Server {
    let answer: Arc<[u8]> = answer.into().into();
    serve(move |mut stream| {
        let answer = answer.clone();
        async move {
            read_request(&mut stream).await;
            // The prober may well have had enough before the end.
            let _ = stream.write_all(&answer).await;
        }
    })
    .await
}

/// Reads one request, writes `answer` and then says nothing for ever.
pub(crate) async fn serve_and_stall(answer: &'static str) -> Server {
    serve(move |mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await
}

/// Reads one request, writes `start` and then `more` until nobody listens.
pub(crate) async fn serve_without_end(start: &'static str, more: impl Into<Vec<u8>>) -> Server {
    let more: Arc<[u8]> = more.into().into();
    serve(move |mut stream| {
        let more = more.clone();
        async move {
            read_request(&mut stream).await;
            let mut outcome = stream.write_all(start.as_bytes()).await;
            while outcome.is_ok() {
                outcome = stream.write_all(&more).await;
            }
        }
    })
    .await
}

/// A whole answer with `body`.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// The head and body of one request, or what came of it.
pub(crate) async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut read = Vec::new();
    let mut byte = [0];
    while !read.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).await.is_ok() {
        read.push(byte[0]);
    }
    let head = String::from_utf8(read).unwrap();
    let length = head
        .lines()
        .filter_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok())
        .next()
        .unwrap_or(0_usize);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    head + &String::from_utf8(body).unwrap()
}

/// Reads nothing and says nothing for ever.
pub(crate) async fn serve_silence() -> Server {
    serve(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await
}

/// An address that nobody listens on, nor can until this is dropped.
pub(crate) struct Nobody {
    pub(crate) address: SocketAddr,
    _bound: TcpSocket,
}

impl Nobody {
    pub(crate) fn new() -> Self {
        let bound = TcpSocket::new_v4().unwrap();
        bound.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        Self { address: bound.local_addr().unwrap(), _bound: bound }
    }
}
