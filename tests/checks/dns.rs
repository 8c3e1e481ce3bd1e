//! The `dns` check against a name server that answers in every way.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use farol::config::{self, Check, CheckKind, DnsCheck, DnsTransport};
use farol::model::{Phase, Reason, Span, Subject, Verdict};

use hickory_proto::op::ResponseCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::asking::{HASTY, ask, dns, find, query};
use crate::name_server::{NameServer, THREE, answers};
use crate::servers::{Nobody, serve};

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
        assert_eq!(server.asked(), asked + 1, "nobody who is in a hurry asks twice");
    }
}

#[tokio::test]
async fn a_packet_that_is_lost_is_sent_again_and_says_nothing_of_the_name() {
    let heard = std::sync::Mutex::new(Vec::new());
    let lossy = NameServer::start_with("127.0.0.1:0".parse().unwrap(), move |question, at_most| {
        let mut heard = heard.lock().unwrap();
        heard.push(question.clone());
        // The same question each time, so that a late answer to the first answers the second.
        assert!(heard.iter().all(|before| before == question), "{heard:?}");
        if heard.len() < 3 { Vec::new() } else { answers(question, at_most) }
    });
    let lossy = lossy.await;
    let finding = find(&dns(lossy.address, "one.test.", "A", &[])).await;
    assert_eq!((finding.reason, lossy.asked()), (None, 3));
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

#[tokio::test]
async fn expectations_of_every_kind() {
    let server = NameServer::start().await;
    let plain = || query(server.address, "three.test.", "A");
    let fault = async |dns: DnsCheck| find(&ask(dns)).await.reason.map(|reason| reason.name());
    let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let mut dns = plain();
    dns.expect.exactly = Some(owned(&THREE));
    assert_eq!(fault(dns.clone()).await, None);
    dns.expect.none_of = owned(&["127.0.1.2"]);
    assert_eq!(fault(dns).await, Some("dns_answer"));
    let mut dns = plain();
    dns.matches.all = vec![regex::bytes::Regex::new(r"^127\.0\.1\.\d$").unwrap()];
    assert_eq!(fault(dns.clone()).await, None);
    dns.ttl.min = Some(Span::from_secs(301));
    assert_eq!(fault(dns).await, Some("dns_ttl"));
    let mut dns = query(server.address, "missing.test.", "A");
    dns.rcode = vec![ResponseCode::NXDomain];
    assert_eq!(fault(dns).await, None);
    let mut dns = query(server.address, "nothing.test.", "A");
    dns.expect.exactly = Some(Vec::new());
    assert_eq!(fault(dns).await, None);
    let mut dns = plain();
    dns.authoritative = true;
    assert_eq!(fault(dns).await, Some("dns_flag"));
    let mut unknown = query(server.address, "unknown.test.", "A");
    unknown.record_type = 65_280.into();
    assert_eq!(fault(unknown.clone()).await, None);
    let mut other = unknown;
    other.expect.at_least = owned(&[r"\# 2 ffff"]);
    let reason = find(&ask(other)).await.reason;
    assert_eq!(reason, Some(Reason::DnsAnswer { got: r"\# 2 0a0b".into() }));
}

/// The flags of the question come back in the answer's records, by which the test sees them.
#[tokio::test]
async fn the_question_has_the_flags_that_are_asked_for() {
    let server = NameServer::start().await;
    for (recursion_desired, authenticated, address) in
        [(true, false, "127.0.9.2"), (false, false, "127.0.9.0"), (false, true, "127.0.9.1")]
    {
        let mut dns = query(server.address, "flags.test.", "A");
        dns.recursion_desired = recursion_desired;
        dns.authenticated = authenticated;
        dns.expect.at_least = vec![address.to_owned()];
        assert_eq!(find(&ask(dns)).await.reason, None, "{address}");
    }
}

#[tokio::test]
async fn aliases_in_a_circle_are_malformed() {
    let server = NameServer::start().await;
    let finding = find(&dns(server.address, "circle.test.", "A", &[])).await;
    assert_eq!(finding.reason.unwrap().name(), "malformed_answer");
    // The alias itself is there to be seen.
    let alias = find(&dns(server.address, "circle.test.", "CNAME", &["round.test"])).await;
    assert_eq!(alias.reason, None);
}

/// Over TCP, where an answer can have 64 KiB.
#[tokio::test]
async fn what_is_sent_over_a_stream_is_bounded_and_has_its_reason() {
    let over_tcp =
        |address| config::NameServer { over: DnsTransport::Tcp, ..SocketAddr::into(address) };
    let server = NameServer::start().await;
    let finding = find(&ask(query(over_tcp(server.address), "huge.test.", "TXT"))).await;
    assert_eq!(finding.reason, None);
    type Bytes = &'static [u8];
    let cases: [(Bytes, Option<Duration>, &str); 5] = [
        (&[0xff; 65_537], None, "malformed_answer"),
        (b"\x00\x00", None, "malformed_answer"),
        (b"\x00", None, "first_byte_closed"),
        (b"\xff\xff and then no more", None, "first_byte_closed"),
        (&[1; 600], Some(Duration::from_millis(50)), "first_byte_timeout"),
    ];
    for (bytes, pause, name) in cases {
        let server = serve(move |mut stream| async move {
            let mut question = [0; 64];
            let _ = stream.read(&mut question).await;
            let step = if pause.is_some() { 1 } else { bytes.len() };
            for part in bytes.chunks(step) {
                if stream.write_all(part).await.is_err() {
                    return;
                }
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
            }
        })
        .await;
        let mut check = ask(query(over_tcp(server.address), "one.test.", "A"));
        if pause.is_some() {
            check.timeout = HASTY;
        }
        let reason = find(&check).await.reason.unwrap();
        assert_eq!(reason.name(), name, "{} bytes: {reason}", bytes.len());
    }
}

#[tokio::test]
async fn a_truncated_answer_without_tcp_is_told() {
    let server = NameServer::start().await;
    let finding = find(&dns(server.address, "datagrams.test.", "A", &[])).await;
    assert_eq!(finding.reason.unwrap().name(), "dns_truncated");
    let again = find(&dns(server.address, "cut.test.", "A", &[])).await;
    assert_eq!(again.reason.unwrap().name(), "dns_truncated");
}
