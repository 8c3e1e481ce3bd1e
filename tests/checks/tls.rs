//! TLS: certificates that are right, and those that are wrong in each way.

use std::net::SocketAddr;
use std::sync::Arc;

use farol::config::{Addresses, Check, CheckKind, Secrets, Security};
use farol::model::{Finding, Phase, Reason, Verdict};
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncWriteExt;

use crate::asking::{HASTY, check, get, http, observe_with, only, tcp};
use crate::authority::{Authority, FAR, FAR_YEAR};
use crate::name_server::NameServer;
use crate::servers::{Server, serve, serve_silence};

/// The finding of asking `server` for `one.test`.
async fn ask(server: &Server, roots: &[CertificateDer<'static>]) -> Finding {
    let names = NameServer::start().await;
    let mut http = http(&format!("https://one.test:{}/", server.port()));
    http.addresses = Addresses::All;
    // The server says which name SNI has asked it for.
    http.expect.body_contains.push("one.test".into());
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
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
