//! The `http` check against targets that stall, flood, lie or speak something else.

use std::time::Duration;

use farol::model::{Phase, Reason, Verdict};
use tokio::io::AsyncWriteExt;

use crate::asking::{HASTY, find, get, http};
use crate::servers::{
    Nobody, Server, ok, read_request, serve, serve_and_stall, serve_answer, serve_silence,
    serve_without_end,
};

async fn reason_of(server: &Server) -> Reason {
    let finding = find(&get(http(&server.url("/")))).await;
    assert_eq!(finding.verdict, Verdict::Fail);
    finding.reason.unwrap()
}

async fn hasty_reason_of(server: &Server) -> Reason {
    let mut check = get(http(&server.url("/")));
    check.timeout = HASTY;
    find(&check).await.reason.unwrap()
}

#[tokio::test]
async fn nobody_listens() {
    let nobody = Nobody::new();
    let finding = find(&get(http(&format!("http://{}/", nobody.address)))).await;
    assert_eq!(finding.reason, Some(Reason::ConnectRefused));
    assert!(finding.phases.get(Phase::Connect).is_some());
    assert_eq!(finding.phases.get(Phase::Send), None);
}

#[tokio::test]
async fn silence_at_every_phase() {
    let timeout = |phase| Reason::Timeout { phase };
    assert_eq!(hasty_reason_of(&serve_silence().await).await, timeout(Phase::FirstByte));
    for start in [
        "H",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ] {
        let server = serve_and_stall(start).await;
        assert_eq!(hasty_reason_of(&server).await, timeout(Phase::Transfer), "{start:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_not_read_times_out_while_it_is_sent() {
    let server = serve_silence().await;
    let mut http = http(&server.url("/"));
    http.method = http::Method::POST;
    // More than any system buffers for a connection.
    http.body = Some(vec![b'x'; 64 << 20].into());
    let mut check = get(http);
    check.timeout = HASTY;
    let finding = find(&check).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::Send }));
    assert_eq!(finding.phases.get(Phase::FirstByte), None);
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_win_time() {
    let server = serve(|mut stream| async move {
        read_request(&mut stream).await;
        let mut every = tokio::time::interval(Duration::from_millis(50));
        for byte in ok(&"x".repeat(10_000)).bytes() {
            every.tick().await;
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    assert_eq!(hasty_reason_of(&server).await, Reason::Timeout { phase: Phase::Transfer });
}

#[tokio::test]
async fn bodies_without_end_are_cut_off() {
    let chunk = format!("8000\r\n{}\r\n", "x".repeat(0x8000));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for server in [
        serve_without_end("HTTP/1.1 200 OK\r\n\r\n", "x".repeat(0x8000)).await,
        serve_without_end(chunked, chunk).await,
        serve_answer("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx").await,
    ] {
        let mut http = http(&server.url("/"));
        http.expect.body_contains.push("never".into());
        assert_eq!(find(&get(http)).await.reason, Some(Reason::BodyTooLarge));
    }
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    for (length, reason) in [(1000, None), (1001, Some(Reason::BodyTooLarge))] {
        let server = serve_answer(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(length))).await;
        let mut http = http(&server.url("/"));
        http.max_body = 1000;
        assert_eq!(find(&get(http)).await.reason, reason, "{length} bytes");
    }
}

#[tokio::test]
async fn headers_without_end_are_cut_off() {
    let many: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let some: String = (0..257).map(|n| format!("X-{n}: y\r\n")).collect();
    let start = "HTTP/1.1 200 OK\r\n";
    for server in [
        serve_without_end("HTTP/1.1 200 OK\r\nX-Endless: ", "x".repeat(0x8000)).await,
        serve_without_end(start, "X-More: and more\r\n".repeat(1000)).await,
        serve_answer(format!("{start}{many}\r\n")).await,
        serve_answer(format!("{start}{some}\r\n")).await,
        serve_answer(format!("{start}X-Long: {}\r\n\r\n", "x".repeat(70_000))).await,
    ] {
        assert_eq!(reason_of(&server).await, Reason::HeadersTooLarge);
    }
}

#[tokio::test]
async fn interim_answers_are_skipped_but_not_without_end() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
    let server = serve_answer(format!("{}{}", interim.repeat(20), ok("well"))).await;
    assert_eq!(find(&get(http(&server.url("/")))).await.reason, None);
    let server = serve_without_end("", interim.repeat(1000)).await;
    assert_eq!(reason_of(&server).await, Reason::HeadersTooLarge);
}

#[tokio::test]
async fn many_headers_are_fine_up_to_the_limit() {
    let most: String = (0..255).map(|n| format!("X-{n}: {}\r\n", "y".repeat(200))).collect();
    let server = serve_answer(format!("HTTP/1.1 200 OK\r\n{most}Content-Length: 0\r\n\r\n")).await;
    assert_eq!(find(&get(http(&server.url("/")))).await.reason, None);
}

#[tokio::test]
async fn what_is_not_http_is_malformed() {
    for answer in [
        "SSH-2.0-OpenSSH_9.6\r\n\r\n",
        "\u{0}\u{1}\u{2}\u{3}garbage\r\n\r\n",
        "HTTP/1.1 2000 Many\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a length\r\n",
    ] {
        let server = serve_answer(answer).await;
        let reason = reason_of(&server).await;
        assert_eq!(reason.name(), "malformed_answer", "{answer:?}: {reason}");
    }
}

#[tokio::test]
async fn closing_is_told_apart_by_phase() {
    let closed = |phase| Reason::ConnectionClosed { phase };
    assert_eq!(reason_of(&serve_answer("").await).await, closed(Phase::FirstByte));
    for start in [
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
    ] {
        let reason = reason_of(&serve_answer(start).await).await;
        assert_eq!(reason, closed(Phase::Transfer), "{start:?}");
    }
}

#[tokio::test]
async fn closing_at_once_is_closing() {
    let server = serve(|stream| async move { drop(stream) }).await;
    let reason = reason_of(&server).await;
    // Whether the request was out before the target had closed is between the two systems.
    assert!(matches!(reason, Reason::ConnectionClosed { .. }), "{reason:?}");
}
