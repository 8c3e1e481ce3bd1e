//! The `http` check and its TLS settings: whom it trusts and what it shows.

use std::sync::Arc;

use data_encoding::BASE64_MIME;
use farol::config::{HttpCheck, Identity, Secret, SecretRef, Secrets, TlsSettings};
use farol::model::{Finding, Reason, Timestamp, Verdict};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

use crate::asking::{get, http, observe_with, only};
use crate::authority::{ALWAYS, Authority, serve_tls};
use crate::servers::Server;

fn pem(what: &str, der: &[u8]) -> Secret {
    let body = BASE64_MIME.encode(der);
    Secret::new(format!("-----BEGIN {what}-----\n{body}-----END {what}-----\n"))
}

fn files(all: &[(&str, Secret)]) -> Secrets {
    Secrets::new(all.iter().map(|(path, text)| (SecretRef::File(path.into()), text.clone())))
}

fn https(server: &Server, tls: TlsSettings) -> HttpCheck {
    let mut http = http(&format!("https://{}/", server.address));
    http.client.tls = tls;
    http
}

async fn ask(http: HttpCheck, files: &Secrets) -> Finding {
    only(observe_with(&get(http), files.clone(), &[]).await)
}

#[tokio::test]
async fn an_authority_of_its_own_is_trusted_and_no_other() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let server = serve_tls(ours.identify("127.0.0.1", ALWAYS).acceptor()).await;
    let trusting = |path: &str| TlsSettings { ca_file: Some(path.into()), ..<_>::default() };
    let both = [pem("CERTIFICATE", &theirs.root()), pem("CERTIFICATE", &ours.root())];
    let both = Secret::new(both[0].reveal().to_owned() + both[1].reveal());
    let files = files(&[
        ("/ours", pem("CERTIFICATE", &ours.root())),
        ("/theirs", pem("CERTIFICATE", &theirs.root())),
        ("/both", both),
        ("/none", Secret::new("nothing")),
    ]);
    for path in ["/ours", "/both"] {
        assert_eq!(ask(https(&server, trusting(path)), &files).await.reason, None, "{path}");
    }
    let reason = ask(https(&server, trusting("/theirs")), &files).await.reason.unwrap();
    assert_eq!(reason.name(), "tls_untrusted");
    let finding = ask(https(&server, trusting("/missing")), &files).await;
    let detail = "the file /missing".into();
    assert_eq!(finding.reason, Some(Reason::ProberMisconfigured { detail }));
    assert_eq!(finding.verdict, Verdict::Inconclusive);
    let finding = ask(https(&server, trusting("/none")), &files).await;
    assert_eq!(finding.verdict, Verdict::Inconclusive);
}

#[tokio::test]
async fn a_certificate_of_our_own_is_shown() {
    let authority = Authority::new();
    let mut roots = RootCertStore::empty();
    roots.add(authority.root()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
    let own = authority.identify("127.0.0.1", ALWAYS);
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_single_cert(own.chain.clone(), own.key().to_vec().try_into().unwrap())
        .unwrap();
    let server = serve_tls(TlsAcceptor::from(Arc::new(config))).await;

    let ours = authority.identify("probe", ALWAYS);
    let other = authority.identify("other", ALWAYS);
    let files = files(&[
        ("/ca", pem("CERTIFICATE", &authority.root())),
        ("/cert", pem("CERTIFICATE", &ours.chain[0])),
        ("/key", pem("PRIVATE KEY", ours.key())),
        ("/other", pem("PRIVATE KEY", other.key())),
    ]);
    let with = |key: &str| TlsSettings {
        ca_file: Some("/ca".into()),
        identity: Some(Identity { cert_file: "/cert".into(), key_file: key.into() }),
        ..<_>::default()
    };
    assert_eq!(ask(https(&server, with("/key")), &files).await.reason, None);
    let without = TlsSettings { identity: None, ..with("/key") };
    let reason = ask(https(&server, without), &files).await.reason;
    // In TLS 1.3 the server says so only after the handshake.
    assert!(reason.is_some_and(|reason| !reason.is_ours()));
    // A key that is not the certificate's is our own mistake.
    assert_eq!(ask(https(&server, with("/other")), &files).await.verdict, Verdict::Inconclusive);
}

#[tokio::test]
async fn what_is_not_verified_still_tells_when_it_expires() {
    let authority = Authority::new();
    let server = authority.serve("other.test", (2020, 2021)).await;
    let tls = TlsSettings { skip_verify: true, ..<_>::default() };
    let finding = ask(https(&server, tls), &Secrets::default()).await;
    assert_eq!(finding.reason, None);
    assert_eq!(finding.certificate_expires_at, Some(Timestamp::from_secs(1_609_459_200)));
}

#[tokio::test]
async fn an_old_version_will_not_do() {
    let authority = Authority::new();
    let old = authority.identify("127.0.0.1", ALWAYS);
    let server = serve_tls(old.acceptor_of(&[&rustls::version::TLS12])).await;
    for (only_1_3, name) in [(false, None), (true, Some("tls_handshake"))] {
        let tls = TlsSettings { only_1_3, skip_verify: true, ..<_>::default() };
        let reason = ask(https(&server, tls), &Secrets::default()).await.reason;
        assert_eq!(reason.as_ref().map(Reason::name), name, "{reason:?}");
    }
}

#[tokio::test]
async fn another_name_is_asked_for_and_verified() {
    let authority = Authority::new();
    let server = serve_tls(authority.identify("other.test", ALWAYS).acceptor()).await;
    let files = files(&[("/ca", pem("CERTIFICATE", &authority.root()))]);
    for (name, reason) in [
        (Some("other.test"), None),
        (Some("wrong.test"), Some(Reason::TlsNameMismatch)),
        (None, Some(Reason::TlsNameMismatch)),
    ] {
        let server_name = name.map(str::to_owned);
        let tls = TlsSettings { ca_file: Some("/ca".into()), server_name, ..<_>::default() };
        let mut http = https(&server, tls);
        http.expect.body_contains.push("other.test".into());
        assert_eq!(ask(http, &files).await.reason, reason, "{name:?}");
    }
}
