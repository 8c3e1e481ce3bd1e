//! The `tcp` check.

use farol::config::{Check, CheckKind, TcpCheck};
use farol::model::{Finding, Phase, Reason, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::asking::{HASTY, check, find, tcp};
use crate::servers::{Nobody, Server, serve, serve_silence};

/// A server that greets, waits for a line and answers it.
async fn serve_words() -> Server {
    serve(|mut stream| async move {
        stream.write_all(b"220 ready\r\n").await.unwrap();
        let mut line = [0; 6];
        if stream.read_exact(&mut line).await.is_ok() && &line == b"QUIT\r\n" {
            stream.write_all(b"221 good").await.unwrap();
            tokio::task::yield_now().await;
            stream.write_all(b"bye\r\n").await.unwrap();
        }
    })
    .await
}

fn talk(tcp: TcpCheck) -> Check {
    check(CheckKind::Tcp(tcp))
}

async fn hasty(tcp: TcpCheck) -> Finding {
    let mut check = talk(tcp);
    check.timeout = HASTY;
    find(&check).await
}

#[tokio::test]
async fn connecting_is_enough_where_nothing_is_expected() {
    let server = serve_words().await;
    let finding = find(&talk(tcp(server.address, "", ""))).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Connect]);
    let nobody = Nobody::new();
    let refused = find(&talk(tcp(nobody.address, "", ""))).await;
    assert_eq!(refused.reason, Some(Reason::ConnectRefused));
}

#[tokio::test]
async fn words_are_found_wherever_they_come() {
    let server = serve_words().await;
    for (send, expect) in [("", "^220 "), ("QUIT\r\n", "goodbye\r\n$")] {
        let finding = find(&talk(tcp(server.address, send, expect))).await;
        assert_eq!(finding.reason, None, "{expect}");
    }
}

#[tokio::test]
async fn other_words_are_shown() {
    let server = serve_words().await;
    let heard = |got: &str| Some(Reason::TcpExpect { expected: "^500".into(), got: got.into() });
    // Closed after the last word; and silent while it waits for a line.
    let finding = find(&talk(tcp(server.address, "QUIT\r\n", "^500"))).await;
    assert_eq!(finding.reason, heard("220 ready\u{fffd}\u{fffd}221 goodbye\u{fffd}\u{fffd}"));
    let finding = hasty(tcp(server.address, "", "^500")).await;
    assert_eq!(finding.reason, heard("220 ready\u{fffd}\u{fffd}"));
}

#[tokio::test]
async fn silence_and_closing_have_their_phase() {
    let silent = serve_silence().await;
    let finding = hasty(tcp(silent.address, "hello", ".")).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::FirstByte }));

    let closing = serve(|stream| async move { drop(stream) }).await;
    let finding = find(&talk(tcp(closing.address, "", "."))).await;
    assert_eq!(finding.reason, Some(Reason::ConnectionClosed { phase: Phase::FirstByte }));
}

#[tokio::test]
async fn words_without_end_are_cut_off() {
    let server =
        serve(|mut stream| async move { while stream.write_all(&[b'x'; 4096]).await.is_ok() {} })
            .await;
    let finding = find(&talk(tcp(server.address, "", "y"))).await;
    let got = format!("{}…", "x".repeat(199));
    assert_eq!(finding.reason, Some(Reason::TcpExpect { expected: "y".into(), got }));
}
