//! TLS: certificates that are right, and those that are wrong in each way.

use std::net::SocketAddr;
use std::sync::Arc;

use farol::config::{Addresses, Check, CheckKind, Secrets, Security};
use farol::model::{Finding, Phase, Reason, Timestamp, Verdict};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;

use crate::asking::{HASTY, check, get, http, observe_with, only, tcp};
use crate::name_server::NameServer;
use crate::servers::{Server, ok, read_request, serve, serve_silence};

/// Far enough away that no test outlives it: 2099-01-01.
const FAR_YEAR: i32 = 2099;
const FAR: Timestamp = Timestamp::from_secs(4_070_908_800);

/// A certificate authority of our own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(FAR_YEAR + 1, 1, 1);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn root(&self) -> CertificateDer<'static> {
        self.0.der().clone()
    }

    /// A server on 127.0.0.1 that shows a certificate for `name`, valid from the first year to the
    /// second, and answers over TLS.
    async fn serve(&self, name: &str, years: (i32, i32)) -> Server {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = date_time_ymd(years.0, 1, 1);
        params.not_after = date_time_ymd(years.1, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        serve(move |stream| {
            let acceptor = acceptor.clone();
            async move {
                // A client that does not trust us hangs up.
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                let asked_for = stream.get_ref().1.server_name().unwrap_or_default().to_owned();
                read_request(&mut stream).await;
                stream.write_all(ok(&asked_for).as_bytes()).await.unwrap();
                stream.shutdown().await.unwrap();
            }
        })
        .await
    }
}

/// The finding of asking `server` for `one.test`.
async fn ask(server: &Server, roots: &[CertificateDer<'static>]) -> Finding {
    let names = NameServer::start().await;
    let mut http = http(&format!("https://one.test:{}/", server.port()));
    http.addresses = Addresses::All;
    // The server says which name SNI has asked it for.
    http.body_contains.push("one.test".into());
    let mut check = get(http);
    check.resolvers = Arc::from([names.address]);
    only(observe_with(&check, Secrets::default(), roots).await)
}

#[tokio::test]
async fn a_right_certificate_passes_and_tells_when_it_expires() {
    let authority = Authority::new();
    let server = authority.serve("one.test", (2020, FAR_YEAR)).await;
    let finding = ask(&server, &[authority.root()]).await;
    assert_eq!(finding.reason, None);
    assert_eq!(finding.certificate_expires_at, Some(FAR));
    assert!(finding.phases.get(Phase::Tls).is_some());
}

#[tokio::test]
async fn wrong_certificates_are_told_apart() {
    let authority = Authority::new();
    let roots = [authority.root()];
    for (name, years, reason) in [
        ("one.test", (2020, 2021), Reason::TlsCertificateExpired),
        ("one.test", (2098, FAR_YEAR), Reason::TlsCertificateNotYetValid),
        ("two.test", (2020, FAR_YEAR), Reason::TlsNameMismatch),
    ] {
        let server = authority.serve(name, years).await;
        let finding = ask(&server, &roots).await;
        assert_eq!(finding.reason, Some(reason));
        assert_eq!(finding.verdict, Verdict::Fail);
        // Known although it was refused.
        let expires = finding.certificate_expires_at.unwrap().to_rfc3339();
        assert!(expires.starts_with(&format!("{}-01-01T00:00:00", years.1)), "{expires}");
        assert_eq!(finding.phases.get(Phase::Send), None);
    }
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_not_trusted() {
    let server = Authority::new().serve("one.test", (2020, FAR_YEAR)).await;
    let finding = ask(&server, &[]).await;
    assert_eq!(finding.reason.unwrap().name(), "tls_untrusted");
    assert_eq!(finding.certificate_expires_at, Some(FAR));
}

#[tokio::test]
async fn what_does_not_speak_tls_fails_the_handshake() {
    let plain = serve(|mut stream| async move {
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let finding = ask(&plain, &[]).await;
    assert_eq!(finding.reason.unwrap().name(), "tls_handshake");
    assert_eq!(finding.certificate_expires_at, None);
}

#[tokio::test]
async fn silence_and_closing_in_the_handshake_have_its_phase() {
    let over_tls = |address: SocketAddr| -> Check {
        let mut tcp = tcp(address, "", "");
        tcp.security = Security::Tls;
        let mut check = check(CheckKind::Tcp(tcp));
        check.timeout = HASTY;
        check
    };
    let reason_of = async |server: &Server| {
        only(observe_with(&over_tls(server.address), Secrets::default(), &[]).await).reason
    };
    let silent = serve_silence().await;
    assert_eq!(reason_of(&silent).await, Some(Reason::Timeout { phase: Phase::Tls }));
    let closing = serve(|stream| async move { drop(stream) }).await;
    assert_eq!(reason_of(&closing).await, Some(Reason::ConnectionClosed { phase: Phase::Tls }));
}

#[tokio::test]
async fn tcp_speaks_over_tls_to_an_address_as_well() {
    let authority = Authority::new();
    let server = authority.serve("127.0.0.1", (2020, FAR_YEAR)).await;
    let mut tcp = tcp(server.address, "GET / HTTP/1.1\r\n\r\n", "^HTTP/1.1 200 OK\r\n");
    tcp.security = Security::Tls;
    let check = check(CheckKind::Tcp(tcp));
    let roots = [authority.root()];
    let finding = only(observe_with(&check, Secrets::default(), &roots).await);
    assert_eq!(finding.reason, None);
    assert_eq!(finding.certificate_expires_at, Some(FAR));
}
