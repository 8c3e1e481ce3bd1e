//! The `dns` check against a name server that answers in every way.

use std::sync::Arc;

use farol::config::{Check, CheckKind};
use farol::model::{Phase, Reason, Span, Subject, Verdict};

use crate::asking::{HASTY, dns, find};
use crate::name_server::NameServer;
use crate::servers::Nobody;

#[tokio::test]
async fn right_answers_pass() {
    let server = NameServer::start().await;
    for (name, record_type, expect) in [
        ("one.test.", "A", &[][..]),
        ("three.test.", "A", &["127.0.1.3", "127.0.1.1"]),
        ("six.test.", "AAAA", &["2001:DB8:0::1"]),
        ("alias.test.", "A", &["127.0.0.1"]),
        ("mail.test.", "MX", &["10 mx.MAIL.test"]),
        ("text.test.", "TXT", &["\"v=spf1 -all\""]),
        ("forged.test.", "A", &["127.0.0.1"]),
    ] {
        let finding = find(&dns(server.address, name, record_type, expect)).await;
        assert_eq!(finding.reason, None, "{name}");
        assert_eq!(finding.subject, Subject::Whole);
        assert_eq!(finding.address, Some(server.address.ip()));
        let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
        assert_eq!(phases, [Phase::FirstByte], "{name}");
    }
}

#[tokio::test]
async fn other_answers_are_shown() {
    let server = NameServer::start().await;
    let rcode = |got: &str| Reason::DnsRcode { got: got.into() };
    let answer = |got: &str| Reason::DnsAnswer { got: got.into() };
    for (name, record_type, expect, reason) in [
        ("missing.test.", "A", &[][..], rcode("NXDOMAIN")),
        ("broken.test.", "A", &[], rcode("SERVFAIL")),
        ("refused.test.", "A", &[], rcode("REFUSED")),
        ("one.test.", "AAAA", &[], answer("no AAAA record")),
        ("three.test.", "A", &["127.0.1.4"], answer("127.0.1.1, 127.0.1.2, 127.0.1.3")),
        ("one.test.", "A", &["127.0.0.1", "127.0.0.2"], answer("127.0.0.1")),
    ] {
        let finding = find(&dns(server.address, name, record_type, expect)).await;
        assert_eq!(finding.reason, Some(reason), "{name}");
        assert_eq!(finding.verdict, Verdict::Fail);
    }
}

#[tokio::test]
async fn a_truncated_answer_is_asked_for_again_over_tcp() {
    let server = NameServer::start().await;
    let finding = find(&dns(server.address, "large.test.", "A", &["127.0.2.100"])).await;
    assert_eq!(finding.reason, None);
    assert!(finding.phases.get(Phase::Connect).is_some());
    assert_eq!(server.asked(), 1);
    // And what it says is bounded in the reason.
    let finding = find(&dns(server.address, "large.test.", "A", &["127.0.3.1"])).await;
    let Some(Reason::DnsAnswer { got }) = finding.reason else { panic!("{finding:?}") };
    assert_eq!(got.chars().count(), 200);
    assert!(got.starts_with("127.0.2.1, 127.0.2.2, "), "{got}");
}

#[tokio::test]
async fn garbage_is_malformed_and_silence_times_out() {
    let server = NameServer::start().await;
    for name in ["garbage.test.", "other.test."] {
        let finding = find(&dns(server.address, name, "A", &[])).await;
        assert_eq!(finding.reason.unwrap().name(), "malformed_answer", "{name}");
    }
    for name in ["silent.test.", "short.test."] {
        let mut check = dns(server.address, name, "A", &[]);
        check.timeout = HASTY;
        let asked = server.asked();
        let reason = find(&check).await.reason;
        assert_eq!(reason, Some(Reason::Timeout { phase: Phase::FirstByte }), "{name}");
        assert_eq!(server.asked(), asked + 1, "a question is asked once");
    }
}

#[tokio::test]
async fn nobody_listens() {
    let nobody = Nobody::new();
    let finding = find(&dns(nobody.address, "one.test.", "A", &[])).await;
    assert_eq!(finding.reason, Some(Reason::ConnectRefused));
}

#[tokio::test]
async fn the_first_resolver_is_asked_where_no_server_is_named() {
    let server = NameServer::start().await;
    let mut check: Check = dns(server.address, "one.test.", "A", &[]);
    if let CheckKind::Dns(dns) = &mut check.kind {
        dns.server = None;
    }
    check.resolvers = Arc::from([server.address.into(), Nobody::new().address.into()]);
    assert_eq!(find(&check).await.reason, None);
}

#[tokio::test]
async fn a_late_answer_degrades() {
    let server = NameServer::start().await;
    let mut check = dns(server.address, "one.test.", "A", &[]);
    check.degraded_over = Some(Span::ZERO);
    let finding = find(&check).await;
    assert_eq!(finding.verdict, Verdict::Degraded);
    assert_eq!(finding.reason, Some(Reason::Slow { took: finding.phases.total() }));
}
