//! Servers that speak TLS badly: the run ends, in bounded memory, and with the right reason.

use std::time::Duration;

use farol::config::{CheckKind, Secrets};
use farol::model::{Finding, Phase, Reason, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::asking::{HASTY, PATIENT, check, observe_with, only};
use crate::authority::{ALWAYS, Authority, Identity, serve_tls};
use crate::servers::{Server, serve, serve_silence};
use crate::tls_check::tls;

async fn look(server: &Server, roots: &[&Authority], timeout: farol::model::Span) -> Finding {
    let mut check = check(CheckKind::Tls(tls(server.address)));
    check.timeout = timeout;
    let roots: Vec<_> = roots.iter().map(|authority| authority.root()).collect();
    only(observe_with(&check, Secrets::default(), &roots).await)
}

/// Reads the ClientHello, writes `answer` and waits.
async fn serve_bytes(answer: Vec<u8>) -> Server {
    serve(move |mut stream| {
        let answer = answer.clone();
        async move {
            read_hello(&mut stream).await;
            let _ = stream.write_all(&answer).await;
            std::future::pending::<()>().await;
        }
    })
    .await
}

async fn read_hello(stream: &mut TcpStream) {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
    stream.read_exact(&mut vec![0; length]).await.unwrap();
}

/// A record of this type.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], body].concat()
}

#[tokio::test]
async fn broken_records_fail_the_handshake() {
    for (name, bytes) in [
        ("another type", record(99, b"what")),
        ("too long", [&[22, 3, 3, 0xff, 0xff][..], &[0; 0xffff]].concat()),
        ("empty", record(22, b"")),
        ("a message of no kind", record(22, &[77, 0, 0, 4, 1, 2, 3, 4])),
        ("a ServerHello that is cut", record(22, &[2, 0, 0, 3, 3, 3, 0])),
        ("a message that is too long", record(22, &[11, 0xff, 0xff, 0xff, 0])),
        ("data before the handshake", record(23, b"hello")),
        ("an alert", record(21, &[2, 40])),
        ("plain words", b"220 mail.example ESMTP\r\n".to_vec()),
    ] {
        let server = serve_bytes(bytes).await;
        let finding = look(&server, &[], PATIENT).await;
        assert_eq!(finding.verdict, Verdict::Fail);
        let reason = finding.reason.unwrap();
        assert_eq!(reason.name(), "tls_handshake", "{name}: {reason}");
    }
}

#[tokio::test]
async fn silence_slowness_and_closing_have_the_handshakes_phase() {
    let timeout = Some(Reason::Timeout { phase: Phase::Tls });
    assert_eq!(look(&serve_silence().await, &[], HASTY).await.reason, timeout);
    // The head of a record whose body never comes.
    let server = serve_bytes(vec![22, 3, 3, 0x40, 0]).await;
    assert_eq!(look(&server, &[], HASTY).await.reason, timeout);
    // A record that comes byte by byte.
    let slow = serve(|mut stream| async move {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        for byte in record(22, &[2; 10_000]) {
            every.tick().await;
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    assert_eq!(look(&slow, &[], HASTY).await.reason, timeout);
    let closed = Some(Reason::ConnectionClosed { phase: Phase::Tls });
    for answer in [&[][..], &[22, 3, 3], &[22, 3, 3, 0, 4, 2, 0]] {
        let server = serve(move |mut stream| async move {
            read_hello(&mut stream).await;
            stream.write_all(answer).await.unwrap();
        })
        .await;
        assert_eq!(look(&server, &[], PATIENT).await.reason, closed, "{answer:?}");
    }
}

#[tokio::test]
async fn records_without_end_are_no_handshake() {
    // Warnings can be ignored; not for ever.
    let server = serve(|mut stream| async move {
        read_hello(&mut stream).await;
        let warnings = record(21, &[1, 0]).repeat(1000);
        while stream.write_all(&warnings).await.is_ok() {}
    })
    .await;
    let finding = look(&server, &[], PATIENT).await;
    let name = finding.reason.unwrap().name();
    assert!(matches!(name, "tls_handshake" | "tls_closed"), "{name}");
}

/// A right certificate, and so many that nobody asked for.
fn crowd(authority: &Authority, number: usize) -> Identity {
    let stray = authority.below(ALWAYS).root();
    let identity = authority.identify("127.0.0.1", ALWAYS);
    (0..number).fold(identity, |identity, _| identity.and(stray.clone()))
}

#[tokio::test]
async fn a_chain_of_two_hundred_is_refused_before_it_is_verified() {
    let authority = Authority::new();
    let server = serve_tls(crowd(&authority, 200).acceptor()).await;
    let finding = look(&server, &[&authority], PATIENT).await;
    assert_eq!(finding.reason.unwrap().name(), "tls_handshake");
    assert_eq!(finding.certificate_expires_at, None);
}

#[tokio::test]
async fn a_chain_that_leads_nowhere_is_not_followed_for_ever() {
    // Each vouches for the next: as long as a chain can be that is read.
    let mut authorities = vec![Authority::new()];
    for _ in 0..60 {
        let next = authorities.last().unwrap().below(ALWAYS);
        authorities.push(next);
    }
    let identity = authorities.last().unwrap().identify("127.0.0.1", ALWAYS);
    let identity = authorities.iter().rev().fold(identity, |all, one| all.and(one.root()));
    let server = serve_tls(identity.acceptor()).await;
    let finding = look(&server, &[&authorities[0]], PATIENT).await;
    assert_eq!(finding.reason.unwrap().name(), "tls_untrusted");
    assert!(finding.certificate_expires_at.is_some());
}
