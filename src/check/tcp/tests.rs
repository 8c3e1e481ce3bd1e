//! What a script keeps and sends, and how its run is judged.

use regex::bytes::Regex;

use super::{Facts, Judgement, Kept, judge};
use crate::config::{Addresses, CertificateLimits, Piece, Security, Step, TcpCheck};
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

#[test]
fn only_what_will_be_sent_is_kept() {
    let pattern = Regex::new("id=([0-9]+)(x)?;").unwrap();
    let (id, missing) =
        (Piece::Captured { step: 1, group: 1 }, Piece::Captured { step: 1, group: 2 });
    let script = [
        Step::Expect(pattern.clone()),
        Step::Expect(pattern.clone()),
        Step::Send(vec![Piece::Bytes(b"got "[..].into()), id, missing]),
    ];
    let mut kept = Kept::of(&script);
    assert_eq!(kept.find(0, &pattern, b"id=1;"), Some((5, ())));
    assert_eq!(kept.find(1, &pattern, b"nothing"), None);
    assert_eq!(kept.find(1, &pattern, b"  id=27; and"), Some((8, ())));
    assert_eq!(kept.groups[0], None);
    let Step::Send(pieces) = &script[2] else { unreachable!() };
    assert_eq!(kept.fill_in(pieces).unwrap().as_ref(), b"got 27");
}

#[test]
fn what_a_target_says_is_not_said_back_without_end() {
    let pattern = Regex::new("(?s).*").unwrap();
    let piece = Piece::Captured { step: 0, group: 0 };
    let script =
        [Step::Expect(pattern.clone()), Step::Send(vec![piece.clone(), piece.clone(), piece])];
    let mut kept = Kept::of(&script);
    kept.find(0, &pattern, &[b'x'; 30_000]);
    let Step::Send(pieces) = &script[1] else { unreachable!() };
    assert_eq!(kept.fill_in(pieces).unwrap_err().name(), "malformed_answer");
    assert_eq!(kept.fill_in(&pieces[..2]).unwrap().len(), 60_000);
}
