//! How the run of a script is judged.

use super::{Facts, Judgement, judge};
use crate::config::{Addresses, CertificateLimits, Security, TcpCheck};
use crate::model::{Phase, Phases, Reason, Span, Timestamp};
use crate::net::Handshake;
use crate::net::handshake::Validity;

fn check() -> TcpCheck {
    TcpCheck {
        host: "mail.example".into(),
        port: 25,
        security: Security::Plain,
        server_name: None,
        script: Vec::new(),
        addresses: Addresses::Any,
        source: None,
        certificate: Some(CertificateLimits::default()),
    }
}

#[test]
fn words_certificates_and_speed_are_judged_in_this_order() {
    let chain = Validity { from: Timestamp::EPOCH, until: Timestamp::from_secs(10 * 24 * 3600) };
    let tls = Handshake { chain: Some(chain), ..Handshake::default() };
    let mut phases = Phases::default();
    let took = Span::from_secs(2);
    phases.add(Phase::FirstByte, took);
    let expect = Reason::TcpExpect { expected: "220".into(), got: "500 go away".into() };
    let now = chain.until;
    let mut facts = Facts { ending: Err(expect.clone()), phases, tls: Some(tls), now };
    let (tcp, limit) = (check(), Some(Span::from_secs(1)));
    assert_eq!(judge(&facts, &tcp, limit), Judgement::fail(expect));
    facts.ending = Ok(());
    let expiring = Reason::TlsCertificateExpiring { at: chain.until };
    assert_eq!(judge(&facts, &tcp, limit), Judgement::fail(expiring));
    facts.tls = None;
    assert_eq!(judge(&facts, &tcp, limit), Judgement::degraded(Reason::Slow { took }));
    assert_eq!(judge(&facts, &tcp, None), Judgement::PASS);
}
