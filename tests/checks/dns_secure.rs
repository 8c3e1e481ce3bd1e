//! Name servers over TLS and HTTPS, asked by a check and for resolving, well and badly.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Addresses, Check, DnsTransport, NameServer, Secrets};
use farol::model::{Finding, Phase, Reason, Subject, Vantage};
use hickory_proto::op::Message;
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::asking::{HASTY, ask, check, get, http, observe_by, only, query, tcp};
use crate::name_server::{NameServer as PlainServer, answers, serve_stream};
use crate::servers::{Server, ok, read_request, serve, serve_silence};

/// Who signs for `dns.test`, whom only these tests trust.
struct Identity {
    acceptor: TlsAcceptor,
    prober: Prober,
}

impl Identity {
    fn new(alpn: &str) -> Self {
        Self::speaking(&[alpn])
    }

    fn speaking(alpn: &[&str]) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["dns.test".to_owned()]).unwrap();
        let certificate: CertificateDer<'static> =
            params.signed_by(&key, &issuer).unwrap().der().clone();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let roots = [issuer.der().clone()];
        let vantage = Vantage::new("here");
        let prober =
            Prober::with_roots(Clock::start(), vantage, Secrets::default(), &roots).unwrap();
        Self { acceptor: TlsAcceptor::from(Arc::new(config)), prober }
    }

    /// Answers every connection with `answer` once hands are shaken.
    async fn serve<Answered>(
        &self,
        answer: impl Fn(TlsStream<TcpStream>) -> Answered + Clone + Send + 'static,
    ) -> Server
    where
        Answered: Future<Output = ()> + Send + 'static,
    {
        let acceptor = self.acceptor.clone();
        serve(move |stream| {
            let (acceptor, answer) = (acceptor.clone(), answer.clone());
            async move {
                // Who does not trust us hangs up.
                if let Ok(stream) = acceptor.accept(stream).await {
                    answer(stream).await;
                }
            }
        })
        .await
    }

    async fn find(&self, check: &Check) -> Finding {
        only(observe_by(&self.prober, check).await)
    }
}

fn dot(address: SocketAddr) -> NameServer {
    let over = DnsTransport::Tls { name: "dns.test".to_owned() };
    NameServer { over, ..address.into() }
}

fn doh(address: SocketAddr) -> NameServer {
    let over = DnsTransport::Https { name: "dns.test".to_owned(), path: "/ask".to_owned() };
    NameServer { over, ..address.into() }
}

/// A DoT server that answers as the plain one does.
async fn serve_dot(identity: &Identity) -> Server {
    identity
        .serve(|stream| async move {
            let _ = serve_stream(stream, &answers).await;
        })
        .await
}

/// How a DoH server answers.
#[derive(Clone, Copy, Debug)]
enum Manner {
    Well,
    Status(u16),
    Type(&'static str),
    /// So many bytes, without an end.
    Endless,
    Stalls,
    Resets,
}

async fn serve_doh(identity: &Identity, manner: Manner) -> Server {
    identity
        .serve(move |stream| async move {
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut respond))) = connection.accept().await {
                let answering = async move {
                    assert_eq!(request.method(), "POST");
                    assert_eq!(request.uri().path(), "/ask");
                    assert!(request.uri().authority().unwrap().as_str().starts_with("dns.test:"));
                    assert_eq!(request.headers()["content-type"], "application/dns-message");
                    let mut body = request.into_body();
                    let mut question = Vec::new();
                    while let Some(part) = body.data().await {
                        question.extend_from_slice(&part.unwrap());
                    }
                    let question = Message::from_vec(&question).unwrap();
                    let answer = answers(&question, None).concat();
                    let (status, media_type) = match manner {
                        Manner::Status(status) => (status, "application/dns-message"),
                        Manner::Type(media_type) => (200, media_type),
                        Manner::Well | Manner::Endless | Manner::Stalls | Manner::Resets => {
                            (200, "application/dns-message")
                        }
                    };
                    if matches!(manner, Manner::Resets) {
                        respond.send_reset(h2::Reason::REFUSED_STREAM);
                        return;
                    }
                    let head = ::http::Response::builder()
                        .status(status)
                        .header("content-type", media_type)
                        .body(())
                        .unwrap();
                    let mut body = respond.send_response(head, false).unwrap();
                    match manner {
                        Manner::Stalls => std::future::pending().await,
                        Manner::Endless => {
                            // The window and not we decide how much of it is sent.
                            while body.send_data(Bytes::from(vec![0; 1 << 20]), false).is_ok() {
                                tokio::task::yield_now().await;
                                body.reserve_capacity(1);
                                if std::future::poll_fn(|cx| body.poll_capacity(cx)).await.is_none()
                                {
                                    return;
                                }
                            }
                        }
                        Manner::Well | Manner::Status(_) | Manner::Type(_) | Manner::Resets => {
                            body.send_data(Bytes::from(answer), true).unwrap();
                        }
                    }
                };
                // One question comes on each connection, and it must be driven to its end.
                tokio::spawn(answering);
            }
        })
        .await
}

#[tokio::test]
async fn right_answers_pass_over_tls() {
    let identity = Identity::new("dot");
    let server = serve_dot(&identity).await;
    // More than 512 bytes as well, which no stream truncates.
    for name in ["one.test.", "large.test."] {
        let finding = identity.find(&ask(query(dot(server.address), name, "A"))).await;
        assert_eq!(finding.reason, None, "{name}");
        let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
        assert_eq!(phases, [Phase::Connect, Phase::Tls, Phase::FirstByte]);
        assert!(finding.certificate_expires_at.is_some());
    }
}

#[tokio::test]
async fn right_answers_pass_over_https() {
    let identity = Identity::new("h2");
    let server = serve_doh(&identity, Manner::Well).await;
    for name in ["one.test.", "large.test."] {
        let finding = identity.find(&ask(query(doh(server.address), name, "A"))).await;
        assert_eq!(finding.reason, None, "{name}");
        let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
        assert_eq!(phases, [Phase::Connect, Phase::Tls, Phase::FirstByte]);
    }
    let finding = identity.find(&ask(query(doh(server.address), "missing.test.", "A"))).await;
    assert_eq!(finding.reason, Some(Reason::DnsRcode { got: "NXDOMAIN".into() }));
}

#[tokio::test]
async fn the_certificate_must_be_for_the_name() {
    let identity = Identity::new("dot");
    let server = serve_dot(&identity).await;
    let mut elsewhere = dot(server.address);
    elsewhere.over = DnsTransport::Tls { name: "other.test".to_owned() };
    let finding = identity.find(&ask(query(elsewhere, "one.test.", "A"))).await;
    assert_eq!(finding.reason, Some(Reason::TlsNameMismatch));
}

#[tokio::test]
async fn https_servers_that_answer_badly() {
    let identity = Identity::new("h2");
    for (manner, name) in [
        (Manner::Status(500), "status"),
        (Manner::Type("text/html"), "malformed_answer"),
        (Manner::Endless, "malformed_answer"),
        (Manner::Stalls, "first_byte_timeout"),
        (Manner::Resets, "first_byte_closed"),
    ] {
        let server = serve_doh(&identity, manner).await;
        let mut check = ask(query(doh(server.address), "one.test.", "A"));
        if matches!(manner, Manner::Stalls) {
            check.timeout = HASTY;
        }
        let reason = identity.find(&check).await.reason.unwrap();
        assert_eq!(reason.name(), name, "{manner:?}: {reason}");
    }
}

/// What goes over the wire in the place of the right answer.
type Old = fn(Vec<u8>) -> Vec<u8>;

/// A DoH server that speaks HTTP/1.1, and answers with what `answer` makes of the right answer.
async fn serve_old_doh(identity: &Identity, answer: Old) -> Server {
    identity
        .serve(move |mut stream| async move {
            let mut read = Vec::new();
            while !read.ends_with(b"\r\n\r\n") {
                read.push(stream.read_u8().await.unwrap());
            }
            let head = String::from_utf8(read).unwrap().to_lowercase();
            assert!(head.starts_with("post /ask http/1.1\r\n"), "{head}");
            assert!(head.contains("\r\nhost: dns.test:"), "{head}");
            let length = head.split_once("content-length: ").unwrap().1;
            let length: usize = length.split_once("\r\n").unwrap().0.parse().unwrap();
            let mut question = vec![0; length];
            stream.read_exact(&mut question).await.unwrap();
            let right = answers(&Message::from_vec(&question).unwrap(), None).concat();
            let _ = stream.write_all(&answer(right)).await;
            let _ = stream.shutdown().await;
        })
        .await
}

/// An answer in HTTP/1.1 with `body`.
fn old(status: u16, media_type: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Any\r\nContent-Type: {media_type}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn a_server_that_does_not_know_http_2_is_asked_in_http_1() {
    const RIGHT: &str = "application/dns-message";
    // One that agrees on HTTP/1.1, and one that agrees on nothing.
    for identity in [Identity::new("http/1.1"), Identity::speaking(&[])] {
        let server = serve_old_doh(&identity, |right| old(200, RIGHT, &right)).await;
        for name in ["one.test.", "large.test."] {
            let finding = identity.find(&ask(query(doh(server.address), name, "A"))).await;
            assert_eq!(finding.reason, None, "{name}");
        }
    }
    let identity = Identity::new("http/1.1");
    let bad: [(Old, &str); 6] = [
        (|right| old(500, RIGHT, &right), "status"),
        (|right| old(200, "text/html", &right), "malformed_answer"),
        (|_| old(200, RIGHT, &[0; 70_000]), "malformed_answer"),
        (|_| [old(200, RIGHT, b""), vec![b'x'; 20]].concat(), "malformed_answer"),
        (|_| b"HTTP/1.1 200 OK\r\nX: ".repeat(1000), "headers_too_large"),
        (|_| Vec::new(), "first_byte_closed"),
    ];
    for (number, (answer, name)) in bad.into_iter().enumerate() {
        let server = serve_old_doh(&identity, answer).await;
        let check = ask(query(doh(server.address), "one.test.", "A"));
        let reason = identity.find(&check).await.reason.unwrap();
        assert_eq!(reason.name(), name, "{number}: {reason}");
    }
}

#[tokio::test]
async fn what_does_not_speak_http_2_is_malformed_or_gone() {
    let identity = Identity::new("h2");
    let text = identity
        .serve(|mut stream| async move {
            let _ =
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            let _ = stream.flush().await;
            std::future::pending::<()>().await;
        })
        .await;
    let check = |server: &Server| ask(query(doh(server.address), "one.test.", "A"));
    assert_eq!(identity.find(&check(&text)).await.reason.unwrap().name(), "malformed_answer");
    let closing = identity.serve(|stream| async move { drop(stream) }).await;
    assert_eq!(identity.find(&check(&closing)).await.reason.unwrap().name(), "first_byte_closed");
}

#[tokio::test]
async fn silence_has_its_phase_over_every_way() {
    let silent = serve_silence().await;
    let identity = Identity::new("dot");
    let mut tcp = NameServer::from(silent.address);
    tcp.over = DnsTransport::Tcp;
    for (server, phase) in [
        (tcp, Phase::FirstByte),
        (dot(silent.address), Phase::Tls),
        (doh(silent.address), Phase::Tls),
    ] {
        let mut check = ask(query(server, "one.test.", "A"));
        check.timeout = HASTY;
        assert_eq!(identity.find(&check).await.reason, Some(Reason::Timeout { phase }));
    }
}

#[tokio::test]
async fn names_are_resolved_over_every_way() {
    let (tls, https) = (Identity::new("dot"), Identity::new("h2"));
    let plain = PlainServer::start().await;
    let (over_tls, over_https) = (serve_dot(&tls).await, serve_doh(&https, Manner::Well).await);
    let mut over_tcp = NameServer::from(plain.address);
    over_tcp.over = DnsTransport::Tcp;
    let target = serve(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(ok("").as_bytes()).await.unwrap();
    })
    .await;
    for (identity, resolver) in [
        (&tls, NameServer::from(plain.address)),
        (&tls, over_tcp),
        (&tls, dot(over_tls.address)),
        (&https, doh(over_https.address)),
    ] {
        // An alias whose target must be asked for on its own, as some servers leave it.
        for name in ["one.test", "alias.test", "step.test"] {
            let mut http = http(&format!("http://{name}:{}/", target.port()));
            http.addresses = Addresses::All;
            let mut check = get(http);
            check.resolvers = Arc::from([resolver.clone()]);
            let finding = identity.find(&check).await;
            assert_eq!(finding.reason, None, "{name} by {resolver:?}");
            assert_eq!(finding.subject, Subject::Address([127, 0, 0, 1].into()));
            // One connection is the resolver's affair and the other the target's.
            assert!(finding.phases.get(Phase::Resolve).is_some());
            assert_eq!(finding.phases.get(Phase::Tls), None);
            assert_eq!(finding.certificate_expires_at, None);
        }
    }
}

#[tokio::test]
async fn the_trouble_of_a_resolver_is_about_resolving() {
    let plain = PlainServer::start().await;
    let silent = serve_silence().await;
    let closing = serve(|stream| async move { drop(stream) }).await;
    let identity = Identity::new("dot");
    let over_tcp =
        |server: &Server| NameServer { over: DnsTransport::Tcp, ..server.address.into() };
    for (resolver, name, reason) in [
        (plain.address.into(), "missing.test", "resolve_not_found"),
        (plain.address.into(), "nothing.test", "resolve_no_address"),
        (plain.address.into(), "broken.test", "resolve_failed"),
        (plain.address.into(), "garbage.test", "resolve_failed"),
        (plain.address.into(), "circle.test", "resolve_failed"),
        (plain.address.into(), "further.test", "resolve_failed"),
        (plain.address.into(), "silent.test", "resolve_timeout"),
        (over_tcp(&silent), "one.test", "resolve_timeout"),
        (over_tcp(&closing), "one.test", "resolve_closed"),
        (dot(silent.address), "one.test", "resolve_timeout"),
        (dot(closing.address), "one.test", "resolve_closed"),
    ] {
        let mut tcp = tcp(plain.address, "", "");
        tcp.host = name.to_owned();
        let mut check = check(farol::config::CheckKind::Tcp(tcp));
        check.resolvers = Arc::from([resolver]);
        if reason.ends_with("timeout") {
            check.timeout = HASTY;
        }
        let finding = identity.find(&check).await;
        assert_eq!(finding.reason.map(|reason| reason.name()), Some(reason), "{name}");
        let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
        assert_eq!(phases, [Phase::Resolve], "{name}");
    }
}

#[tokio::test]
async fn the_next_resolver_is_asked_when_the_first_has_no_answer() {
    let plain = PlainServer::start().await;
    let nobody = crate::servers::Nobody::new();
    let identity = Identity::new("dot");
    let mut tcp = tcp(plain.address, "", "");
    tcp.host = "one.test".to_owned();
    let mut check = check(farol::config::CheckKind::Tcp(tcp));
    check.resolvers = Arc::from([nobody.address.into(), plain.address.into()]);
    assert_eq!(identity.find(&check).await.reason, None);
}

/// As each question but the first for each type is.
#[tokio::test]
async fn a_question_that_was_lost_is_asked_again() {
    let seen = std::sync::Mutex::new(std::collections::BTreeSet::new());
    let at = "127.0.0.1:0".parse().unwrap();
    let lossy = PlainServer::start_with(at, move |question, at_most| {
        let record_type = u16::from(question.queries[0].query_type);
        if seen.lock().unwrap().insert(record_type) {
            return Vec::new();
        }
        answers(question, at_most)
    })
    .await;
    let identity = Identity::new("dot");
    let mut tcp = tcp(lossy.address, "", "");
    tcp.host = "one.test".to_owned();
    let mut check = check(farol::config::CheckKind::Tcp(tcp));
    check.resolvers = Arc::from([lossy.address.into()]);
    assert_eq!(identity.find(&check).await.reason, None);
}

#[tokio::test]
async fn a_server_can_be_named() {
    let plain = PlainServer::start().await;
    let identity = Identity::new("dot");
    let mut named = NameServer::from(plain.address);
    named.host = "one.test".to_owned();
    let mut check = ask(query(named.clone(), "three.test.", "A"));
    check.resolvers = Arc::from([plain.address.into()]);
    let finding = identity.find(&check).await;
    assert_eq!(finding.reason, None);
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Resolve, Phase::FirstByte]);
    // Or not, if nobody knows the name.
    named.host = "missing.test".to_owned();
    let mut check = ask(query(named, "three.test.", "A"));
    check.resolvers = Arc::from([plain.address.into()]);
    assert_eq!(identity.find(&check).await.reason, Some(Reason::ResolveNotFound));
}
