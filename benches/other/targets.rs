//! The servers that are asked: each answers at once, with as little as its protocol allows.

use std::net::SocketAddr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use farol::clock::Clock;
use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::{RData, Record};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

/// Where they are, and the root of the one that speaks TLS.
#[derive(Clone)]
pub(crate) struct Targets {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    pub(crate) dns: SocketAddr,
    pub(crate) tcp: SocketAddr,
    pub(crate) root: CertificateDer<'static>,
}

impl Targets {
    /// From the line that [`serve`] prints.
    pub(crate) fn read(line: &str) -> Self {
        let words: Vec<&str> = line.split(' ').collect();
        let address = |n: usize| words[n].parse().unwrap();
        let root = HEXLOWER.decode(words[4].as_bytes()).unwrap().into();
        Self { http: address(0), https: address(1), dns: address(2), tcp: address(3), root }
    }
}

/// Prints where the servers are, and serves until dismissed.
pub(crate) fn serve() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    println!("{}", runtime.block_on(start()));
    crate::process::until_dismissed();
    runtime.shutdown_background();
}

async fn start() -> String {
    let (acceptor, root) = acceptor();
    let date = Clock::start().now().to_utc().format("%a, %d %b %Y %H:%M:%S GMT");
    let answer: Arc<str> = format!(
        "HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
    )
    .into();
    let (plain, secure) = (answer.clone(), answer);
    let http = listen(move |stream| respond(stream, plain.clone())).await;
    let https = listen(move |stream| {
        let (acceptor, answer) = (acceptor.clone(), secure.clone());
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                respond(stream, answer).await;
            }
        }
    })
    .await;
    let tcp = listen(|mut stream: TcpStream| async move {
        // Whoever has seen enough may leave.
        let _ = stream.write_all(b"220 ready\r\n").await;
        let _ = stream.read(&mut [0; 16]).await;
    })
    .await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let dns = socket.local_addr().unwrap();
    tokio::spawn(answer_questions(socket));
    format!("{http} {https} {dns} {tcp} {}", HEXLOWER.encode(&root))
}

async fn listen<Answered: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(TcpStream) -> Answered + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn respond(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: Arc<str>) {
    let mut request = Vec::with_capacity(1024);
    while !request.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read_buf(&mut request).await, Ok(1..)) {
            return;
        }
    }
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

async fn answer_questions(socket: UdpSocket) {
    let mut packet = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut packet).await {
        let Ok(question) = Message::from_vec(&packet[..length]) else { continue };
        let asked = question.queries[0].clone();
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        let data = RData::A("192.0.2.1".parse().unwrap());
        answer.add_answer(Record::from_rdata(asked.name.clone(), 300, data));
        answer.add_query(asked);
        let _ = socket.send_to(&answer.to_vec().unwrap(), from).await;
    }
}

/// A server's side of TLS for 127.0.0.1, and the root to trust.
fn acceptor() -> (TlsAcceptor, Vec<u8>) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), authority.der().to_vec())
}
