//! The process that the targets live in.

use std::net::SocketAddr;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio_rustls::TlsAcceptor;

use crate::line::Line;
use crate::process::until_dismissed;
use crate::words::Words;

/// The datagrams that answer one, with whether each comes from somebody else.
pub(crate) type Datagrams = fn(&[u8]) -> Vec<(Vec<u8>, bool)>;

/// How a target is served.
#[derive(Clone)]
pub(crate) enum Target {
    /// Over TCP.
    Plain(Words),
    /// Over TLS, which gives so many tickets to come back with, and speaks `alpn` then.
    Tls { alpn: &'static str, tickets: usize, words: Words },
    /// Over TLS, with a chain that this makes of the root and the target's key.
    Chain(fn(&Issuer, &KeyPair) -> Vec<CertificateDer<'static>>),
    /// In datagrams, and over TCP at the same port.
    Datagrams(Datagrams, Words),
}

impl From<Words> for Target {
    fn from(words: Words) -> Self {
        Self::Plain(words)
    }
}

/// `words` over TLS, which speaks `alpn` then.
pub(crate) fn secure(alpn: &'static str, words: Words) -> Target {
    Target::Tls { alpn, tickets: 0, words }
}

/// A certificate authority, of the targets or below it.
pub(crate) struct Issuer(CertifiedIssuer<'static, KeyPair>);

impl Issuer {
    fn new() -> Self {
        Self(CertifiedIssuer::self_signed(authority(), KeyPair::generate().unwrap()).unwrap())
    }

    /// One that this vouches for.
    pub(crate) fn below(&self) -> Self {
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::signed_by(authority(), key, &self.0).unwrap())
    }

    /// Its own certificate.
    pub(crate) fn certificate(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A certificate for whatever lives here.
    pub(crate) fn leaf(&self, key: &KeyPair) -> CertificateDer<'static> {
        let names = ["127.0.0.1", "name.test"].map(str::to_owned);
        let params = CertificateParams::new(names).unwrap();
        params.signed_by(key, &self.0).unwrap().der().clone()
    }
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.not_after = date_time_ymd(2100, 1, 1);
    params
}

fn acceptor(
    chain: Vec<CertificateDer<'static>>,
    key: &KeyPair,
    alpn: &str,
    tickets: usize,
) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    config.send_tls13_tickets = tickets;
    config.alpn_protocols = if alpn.is_empty() { Vec::new() } else { vec![alpn.into()] };
    TlsAcceptor::from(Arc::new(config))
}

/// Prints the root to trust and then, for each line, where its target is; serves until dismissed.
pub(crate) fn serve(lines: Vec<Line>) {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (issuer, key) = (Issuer::new(), KeyPair::generate().unwrap());
    println!("{}", HEXLOWER.encode(&issuer.certificate()));
    let leaf = vec![issuer.leaf(&key)];
    for line in lines {
        let address = runtime.block_on(async {
            match line.target {
                Target::Plain(words) => {
                    listen(move |stream| speak(stream, None, words.clone())).await
                }
                Target::Tls { alpn, tickets, words } => {
                    let acceptor = acceptor(leaf.clone(), &key, alpn, tickets);
                    listen(move |stream| speak(stream, Some(acceptor.clone()), words.clone())).await
                }
                Target::Chain(make) => {
                    let acceptor = acceptor(make(&issuer, &key), &key, "", 0);
                    let words = crate::words::silent();
                    listen(move |stream| speak(stream, Some(acceptor.clone()), words.clone())).await
                }
                Target::Datagrams(answers, words) => both(answers, words).await,
            }
        });
        println!("{address}");
    }
    until_dismissed();
    runtime.shutdown_background();
}

async fn listen<Answered: Future<Output = ()> + Send + 'static>(
    answer: impl Fn(TcpStream) -> Answered + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    accept(listener, answer);
    address
}

fn accept<Answered: Future<Output = ()> + Send + 'static>(
    listener: TcpListener,
    answer: impl Fn(TcpStream) -> Answered + Send + 'static,
) {
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
}

/// Whoever is spoken to may leave at any time, and usually does.
async fn speak(stream: TcpStream, acceptor: Option<TlsAcceptor>, words: Words) {
    let _ = stream.set_nodelay(true);
    if words.ends_in_reset() {
        let _ = stream.set_zero_linger();
    }
    let Some(acceptor) = acceptor else {
        let _ = words.say_over(stream).await;
        return;
    };
    if let Ok(stream) = acceptor.accept(stream).await {
        let _ = words.say_over(stream).await;
    }
}

async fn both(answers: Datagrams, words: Words) -> SocketAddr {
    let (udp, tcp) = loop {
        let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
        // Somebody else may have the port in the other protocol.
        if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
            break (udp, tcp);
        }
    };
    let address = tcp.local_addr().unwrap();
    accept(tcp, move |stream| speak(stream, None, words.clone()));
    tokio::spawn(async move {
        let stranger = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let mut packet = [0; 4096];
        while let Ok((length, from)) = udp.recv_from(&mut packet).await {
            for (answer, strange) in answers(&packet[..length]) {
                let socket = if strange { &stranger } else { &udp };
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    address
}
