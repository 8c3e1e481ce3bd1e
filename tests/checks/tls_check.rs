//! The `tls` check, and what certificates must be like for every kind of check.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use der::asn1::{BitString, GeneralizedTime, Null, OctetString};
use der::{DateTime, Decode, Encode};
use farol::clock::Clock;
use farol::config::{
    Addresses, CertificateLimits, Check, CheckKind, Secrets, Security, StapleWanted, TlsCheck,
};
use farol::model::{Finding, Phase, Reason, Span, Subject, Timestamp, Verdict};
use rustls::pki_types::CertificateDer;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ProtocolVersion};
use tokio_rustls::TlsAcceptor;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspResponse, ResponderId, ResponseData, RevokedInfo,
    SingleResponse, Version,
};

use crate::asking::{check, get, http, observe_with, only, tcp};
use crate::authority::{
    ALWAYS, Authority, FAR, FAR_YEAR, Identity, SERIAL, for_days, self_signed, serve_tls,
};
use crate::name_server::{NameServer, THREE};
use crate::servers::{Server, listeners, serve_on};

/// A check of 127.0.0.1 that expects nothing but what every check does.
pub(crate) fn tls(address: SocketAddr) -> TlsCheck {
    TlsCheck {
        host: address.ip().to_string(),
        port: address.port(),
        server_name: None,
        starttls: None,
        expires_within: CertificateLimits::default(),
        min_version: None,
        versions: Vec::new(),
        ciphers: Vec::new(),
        staple: None,
        addresses: Addresses::Any,
        source: None,
    }
}

async fn ask(check: &Check, authority: &Authority) -> Finding {
    only(observe_with(check, Secrets::default(), &[authority.root()]).await)
}

/// The finding of looking at `server`, whose roots we know.
async fn look(server: &Server, authority: &Authority) -> Finding {
    ask(&check(CheckKind::Tls(tls(server.address))), authority).await
}

fn days(number: u64) -> Span {
    Span::from_secs(number * 24 * 3600)
}

/// The days that are left until `at`, rounded up.
fn days_until(at: Timestamp) -> u64 {
    at.since(Clock::start().now()).as_secs().div_ceil(24 * 3600)
}

#[tokio::test]
async fn a_certificate_that_is_right_passes_and_tells_of_itself() {
    let authority = Authority::new();
    let server = serve_tls(authority.identify("127.0.0.1", ALWAYS).acceptor()).await;
    let finding = look(&server, &authority).await;
    assert_eq!(finding.reason, None);
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Connect, Phase::Tls]);
    assert_eq!(finding.certificate_expires_at, Some(FAR));
    let seen = finding.tls.unwrap();
    assert_eq!(seen.version.as_deref(), Some("TLS 1.3"));
    assert!(seen.cipher.unwrap().starts_with("TLS_AES_"));
    assert_eq!(seen.chain_expires_at, Some(FAR));
    assert_eq!(seen.valid_from, None);
}

#[tokio::test]
async fn a_certificate_is_degraded_before_it_fails() {
    let authority = Authority::new();
    for (left, verdict) in [(40, Verdict::Pass), (10, Verdict::Degraded), (2, Verdict::Fail)] {
        let server = serve_tls(authority.identify("127.0.0.1", for_days(left)).acceptor()).await;
        let finding = look(&server, &authority).await;
        assert_eq!(finding.verdict, verdict, "{left} days: {:?}", finding.reason);
        if let Some(reason) = &finding.reason {
            let Reason::TlsCertificateExpiring { at } = reason else { panic!("{reason}") };
            assert_eq!(days_until(*at), left);
        }
        let mut other = tls(server.address);
        other.expires_within =
            CertificateLimits { degraded: Some(Span::ZERO), failed: Some(Span::ZERO) };
        let finding = ask(&check(CheckKind::Tls(other)), &authority).await;
        assert_eq!(finding.reason, None, "{left} days");
    }
}

#[tokio::test]
async fn the_chain_that_was_verified_is_told_from_what_stands_beside_it() {
    let authority = Authority::new();
    let intermediate = authority.below(for_days(2));
    let chained = |identity: Identity, by: &Authority| identity.and(by.root());
    // What the target needs expires soon.
    let identity = chained(intermediate.identify("127.0.0.1", ALWAYS), &intermediate);
    let finding = look(&serve_tls(identity.acceptor()).await, &authority).await;
    assert_eq!(finding.verdict, Verdict::Fail);
    let soon = finding.tls.unwrap().chain_expires_at.unwrap();
    assert_eq!(days_until(soon), 2);
    assert_eq!(finding.reason, Some(Reason::TlsCertificateExpiring { at: soon }));
    // What it shows without need has expired.
    let stray = authority.below(((2020, 1, 1), (2021, 1, 1)));
    let identity = chained(authority.identify("127.0.0.1", ALWAYS), &stray);
    let finding = look(&serve_tls(identity.acceptor()).await, &authority).await;
    assert_eq!(finding.verdict, Verdict::Degraded);
    assert_eq!(finding.tls.unwrap().chain_expires_at, Some(FAR));
    let long_ago = finding.certificate_expires_at.unwrap();
    assert!(long_ago.to_rfc3339().starts_with("2021-01-01"), "{long_ago}");
}

#[tokio::test]
async fn who_signed_it_and_for_whom_is_told_apart() {
    let authority = Authority::new();
    for (identity, name) in [
        (self_signed("127.0.0.1", false), "tls_self_signed"),
        (self_signed("127.0.0.1", true), "tls_self_signed"),
        (Authority::new().identify("127.0.0.1", ALWAYS), "tls_untrusted"),
        (authority.below(ALWAYS).identify("127.0.0.1", ALWAYS), "tls_untrusted"),
        (authority.identify("127.0.0.2", ALWAYS), "tls_name_mismatch"),
        (authority.identify("127.0.0.1", ((2020, 1, 1), (2021, 1, 1))), "tls_certificate_expired"),
    ] {
        let finding = look(&serve_tls(identity.acceptor()).await, &authority).await;
        let reason = finding.reason.unwrap();
        assert_eq!(reason.name(), name, "{reason}");
        assert_eq!(finding.verdict, Verdict::Fail);
        // Known although it was refused.
        assert!(finding.certificate_expires_at.is_some(), "{name}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_not_valid_yet_bears_witness_against_a_clock() {
    let authority = Authority::new();
    let dates = ((FAR_YEAR - 1, 1, 1), (FAR_YEAR, 1, 1));
    let server = serve_tls(authority.identify("127.0.0.1", dates).acceptor()).await;
    let finding = look(&server, &authority).await;
    assert_eq!(finding.reason, Some(Reason::TlsCertificateNotYetValid));
    let seen = finding.tls.unwrap();
    assert_eq!(seen.valid_from, Some(Timestamp::from_secs(4_039_372_800)));
    assert_eq!(seen.chain_expires_at, None);
}

#[tokio::test]
async fn another_name_can_be_asked_for() {
    let authority = Authority::new();
    let server = serve_tls(authority.identify("mail.test", ALWAYS).acceptor()).await;
    let mut other = tls(server.address);
    other.server_name = Some("mail.test".into());
    assert_eq!(ask(&check(CheckKind::Tls(other)), &authority).await.reason, None);
    let finding = look(&server, &authority).await;
    assert_eq!(finding.reason, Some(Reason::TlsNameMismatch));
}

#[tokio::test]
async fn versions_and_ciphers_can_be_expected() {
    const OLD: CipherSuite = CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384;
    let authority = Authority::new();
    let old = authority.identify("127.0.0.1", ALWAYS).acceptor_of(&[&TLS12]);
    let new = authority.identify("127.0.0.1", ALWAYS).acceptor_of(&[&TLS13]);
    let (old, new) = (serve_tls(old).await, serve_tls(new).await);
    let reason = async |server: &Server, change: &dyn Fn(&mut TlsCheck)| {
        let mut tls = tls(server.address);
        change(&mut tls);
        ask(&check(CheckKind::Tls(tls)), &authority).await.reason
    };
    let least = |tls: &mut TlsCheck| tls.min_version = Some(ProtocolVersion::TLSv1_3);
    assert_eq!(reason(&old, &least).await, Some(Reason::TlsVersion { got: "TLS 1.2".into() }));
    assert_eq!(reason(&new, &least).await, None);
    let only = |tls: &mut TlsCheck| tls.versions = vec![ProtocolVersion::TLSv1_2];
    assert_eq!(reason(&new, &only).await, Some(Reason::TlsVersion { got: "TLS 1.3".into() }));
    assert_eq!(reason(&old, &only).await, None);
    let cipher = |tls: &mut TlsCheck| tls.ciphers = vec![OLD];
    assert_eq!(reason(&old, &cipher).await, None);
    let got = "TLS_AES_256_GCM_SHA384".into();
    assert_eq!(reason(&new, &cipher).await, Some(Reason::TlsCipher { got }));
}

/// An OCSP answer about the certificates of these tests, or about another one.
fn ocsp(status: CertStatus, serial: &[u8], until: DateTime) -> Vec<u8> {
    let algorithm = der::asn1::ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
    let null = der::Any::from_der(&Null.to_der().unwrap()).unwrap();
    let hash = || OctetString::new(vec![0; 20]).unwrap();
    let moment = |at: DateTime| GeneralizedTime::from_date_time(at).into();
    let long_ago = DateTime::new(2020, 1, 1, 0, 0, 0).unwrap();
    let mut number = vec![0x02, u8::try_from(serial.len()).unwrap()];
    number.extend_from_slice(serial);
    let algorithm = Decode::from_der(
        &[vec![0x30, 0x09], algorithm.to_der().unwrap(), null.to_der().unwrap()].concat(),
    );
    let algorithm_of_hash = algorithm.unwrap();
    let single = SingleResponse {
        cert_id: CertId {
            hash_algorithm: algorithm_of_hash,
            issuer_name_hash: hash(),
            issuer_key_hash: hash(),
            serial_number: Decode::from_der(&number).unwrap(),
        },
        cert_status: status,
        this_update: moment(long_ago),
        next_update: Some(moment(until)),
        single_extensions: None,
    };
    let signature_algorithm = single.cert_id.hash_algorithm.clone();
    let basic = BasicOcspResponse {
        tbs_response_data: ResponseData {
            version: Version::V1,
            responder_id: ResponderId::ByKey(hash()),
            produced_at: moment(long_ago),
            responses: vec![single],
            response_extensions: None,
        },
        signature_algorithm,
        signature: BitString::from_bytes(&[0; 8]).unwrap(),
        certs: None,
    };
    OcspResponse::successful(basic).unwrap().to_der().unwrap()
}

fn revoked() -> CertStatus {
    let at = GeneralizedTime::from_date_time(DateTime::new(2020, 6, 1, 0, 0, 0).unwrap());
    CertStatus::revoked(RevokedInfo { revocation_time: at.into(), revocation_reason: None })
}

#[tokio::test]
async fn what_is_stapled_is_read() {
    let authority = Authority::new();
    let far = DateTime::new(2098, 1, 1, 0, 0, 0).unwrap();
    let past = DateTime::new(2021, 1, 1, 0, 0, 0).unwrap();
    let staple = |got: &str| Some(Reason::TlsStaple { got: got.into() });
    let good = ocsp(CertStatus::good(), &SERIAL, far);
    for (answer, present, absent) in [
        (Vec::new(), staple("none"), None),
        (good, None, staple("there is one")),
        (ocsp(CertStatus::good(), &SERIAL, past), staple("out of date"), staple("there is one")),
        (ocsp(CertStatus::unknown(), &SERIAL, far), staple("unknown"), staple("there is one")),
        (ocsp(CertStatus::good(), &[1], far), staple("unreadable"), staple("there is one")),
        (b"garbage".to_vec(), staple("unreadable"), staple("there is one")),
    ] {
        let identity = authority.identify("127.0.0.1", ALWAYS).stapling(answer);
        let server = serve_tls(identity.acceptor()).await;
        let mut tls = tls(server.address);
        let unasked = ask(&check(CheckKind::Tls(tls.clone())), &authority).await;
        assert_eq!(unasked.reason, None);
        tls.staple = Some(StapleWanted::Present);
        let asked = ask(&check(CheckKind::Tls(tls.clone())), &authority).await;
        assert_eq!(asked.reason, present);
        tls.staple = Some(StapleWanted::Absent);
        let asked = ask(&check(CheckKind::Tls(tls)), &authority).await;
        assert_eq!(asked.reason, absent);
    }
}

#[tokio::test]
async fn a_certificate_that_says_of_itself_that_it_is_revoked_fails_everywhere() {
    let authority = Authority::new();
    let far = DateTime::new(2098, 1, 1, 0, 0, 0).unwrap();
    let identity = authority.identify("127.0.0.1", ALWAYS).stapling(ocsp(revoked(), &SERIAL, far));
    let server = serve_tls(identity.acceptor()).await;
    for check in every_kind(&server, None) {
        let finding = ask(&check, &authority).await;
        assert_eq!(finding.reason, Some(Reason::TlsCertificateRevoked));
        assert_eq!(finding.verdict, Verdict::Fail);
    }
}

/// A check of each kind that sees certificates.
fn every_kind(server: &Server, limits: Option<CertificateLimits>) -> [Check; 3] {
    let mut over_http = http(&format!("https://127.0.0.1:{}/", server.port()));
    over_http.certificate = limits;
    let mut over_tcp = tcp(server.address, "", "");
    over_tcp.security = Security::Tls;
    over_tcp.certificate = limits;
    let mut alone = tls(server.address);
    alone.expires_within = limits.unwrap_or_default();
    [get(over_http), check(CheckKind::Tcp(over_tcp)), check(CheckKind::Tls(alone))]
}

#[tokio::test]
async fn http_and_tcp_can_expect_the_same_of_certificates() {
    let authority = Authority::new();
    let server = serve_tls(authority.identify("127.0.0.1", for_days(10)).acceptor()).await;
    let limits = |degraded, failed| {
        Some(CertificateLimits { degraded: Some(days(degraded)), failed: Some(days(failed)) })
    };
    for (limits, verdict) in [
        (limits(5, 1), Verdict::Pass),
        (limits(20, 1), Verdict::Degraded),
        (limits(20, 15), Verdict::Fail),
    ] {
        for check in every_kind(&server, limits) {
            let finding = ask(&check, &authority).await;
            assert_eq!(finding.verdict, verdict, "{:?}: {:?}", check.kind, finding.reason);
        }
    }
    // And without being asked to they only say when it is.
    let [http, tcp, _] = every_kind(&server, None);
    for check in [http, tcp] {
        let finding = ask(&check, &authority).await;
        assert_eq!(finding.reason, None);
        assert_eq!(days_until(finding.certificate_expires_at.unwrap()), 10);
    }
}

#[tokio::test]
async fn every_address_shows_its_own_certificate() {
    let authority = Authority::new();
    let names = NameServer::start().await;
    let acceptors: Vec<TlsAcceptor> = [40, 10, 2]
        .map(|days| authority.identify("three.test", for_days(days)).acceptor())
        .into_iter()
        .collect();
    let addresses: Vec<IpAddr> = THREE.iter().map(|text| text.parse().unwrap()).collect();
    let listeners = listeners(&addresses).await;
    let servers: Vec<Server> = listeners
        .into_iter()
        .zip(acceptors)
        .map(|(listener, acceptor)| {
            serve_on(listener, move |stream| {
                let acceptor = acceptor.clone();
                async move { drop(acceptor.accept(stream).await) }
            })
        })
        .collect();
    let mut three = tls(servers[0].address);
    three.host = "three.test".into();
    three.addresses = Addresses::All;
    let mut check = check(CheckKind::Tls(three));
    check.resolvers = Arc::from([names.address.into()]);
    let roots: [CertificateDer<'static>; 1] = [authority.root()];
    let findings = observe_with(&check, Secrets::default(), &roots).await.findings;
    let subjects: Vec<Subject> = findings.iter().map(|finding| finding.subject).collect();
    assert_eq!(subjects, THREE.map(|text| Subject::Address(text.parse().unwrap())));
    let verdicts: Vec<Verdict> = findings.iter().map(|finding| finding.verdict).collect();
    assert_eq!(verdicts, [Verdict::Pass, Verdict::Degraded, Verdict::Fail]);
}
