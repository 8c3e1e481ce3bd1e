//! The `websocket` check against targets that stall, flood, lie or speak something else: the run
//! ends, in bounded memory, and with the right reason.

use std::time::Duration;

use farol::config::{Check, CheckKind, Secrets, Step};
use farol::model::{Phase, Reason, Span, Verdict};
use futures_util::StreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::asking::{HASTY, PATIENT, find, observe_with, only};
use crate::authority::{ALWAYS, Authority};
use crate::servers::{
    Server, ok, read_request, serve, serve_and_stall, serve_answer, serve_silence,
    serve_without_end,
};
use crate::websocket::{url, written};

/// Waits for words that never come.
const WAITING: &str = "expect = 'never'\nmax_message = '64KiB'";

async fn reason_within(server: &Server, timeout: Span) -> Reason {
    let mut check: Check = written(&url(server), WAITING);
    check.timeout = timeout;
    let finding = find(&check).await;
    assert_eq!(finding.verdict, Verdict::Fail);
    finding.reason.unwrap()
}

async fn reason_of(server: &Server) -> Reason {
    reason_within(server, PATIENT).await
}

async fn hasty_reason_of(server: &Server) -> Reason {
    reason_within(server, HASTY).await
}

/// Answers the upgrade as it should be.
async fn upgrade(stream: &mut TcpStream) {
    let request = read_request(stream).await;
    let key = request
        .lines()
        .find_map(|line| line.split_once(": ").filter(|(name, _)| *name == "sec-websocket-key"));
    let accept = derive_accept_key(key.unwrap().1.as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// Upgrades, says `start` and then `more` until nobody listens; without `more`, nothing.
async fn serve_frames(start: Vec<u8>, more: Vec<u8>) -> Server {
    serve(move |mut stream| {
        let (start, more) = (start.clone(), more.clone());
        async move {
            upgrade(&mut stream).await;
            let mut outcome = stream.write_all(&start).await;
            if more.is_empty() {
                std::future::pending::<()>().await;
            }
            while outcome.is_ok() {
                outcome = stream.write_all(&more).await;
            }
        }
    })
    .await
}

#[tokio::test]
async fn silence_at_every_phase() {
    let timeout = |phase| Reason::Timeout { phase };
    assert_eq!(hasty_reason_of(&serve_silence().await).await, timeout(Phase::FirstByte));
    let server = serve_and_stall("HTTP/1.1 101 Switching Protocols\r\nUpgr").await;
    assert_eq!(hasty_reason_of(&server).await, timeout(Phase::Transfer));
    for start in [&b""[..], b"\x81", b"\x81\x05he", b"\x01\x02he", b"\x89\x00"] {
        let server = serve_frames(start.to_vec(), Vec::new()).await;
        assert_eq!(hasty_reason_of(&server).await, timeout(Phase::Transfer), "{start:?}");
    }
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_win_time() {
    let crumbs = |upgraded: bool| {
        serve(move |mut stream| async move {
            if upgraded {
                upgrade(&mut stream).await;
            } else {
                read_request(&mut stream).await;
            }
            let words = if upgraded { [0x89, 0x00].repeat(500) } else { ok("well").into_bytes() };
            let mut every = tokio::time::interval(Duration::from_millis(50));
            for byte in words {
                every.tick().await;
                if stream.write_all(&[byte]).await.is_err() {
                    return;
                }
            }
        })
    };
    for upgraded in [false, true] {
        let reason = hasty_reason_of(&crumbs(upgraded).await).await;
        assert_eq!(reason, Reason::Timeout { phase: Phase::Transfer }, "{upgraded}");
    }
}

#[tokio::test]
async fn heads_without_end_are_cut_off() {
    let many: String = (0..100_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let some: String = (0..257).map(|n| format!("X-{n}: y\r\n")).collect();
    let start = "HTTP/1.1 101 Switching Protocols\r\n";
    for server in [
        serve_without_end("HTTP/1.1 101 Switching Protocols\r\nX: ", "x".repeat(0x8000)).await,
        serve_without_end("", "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000)).await,
        serve_answer(format!("{start}{many}\r\n")).await,
        serve_answer(format!("{start}{some}\r\n")).await,
    ] {
        assert_eq!(reason_of(&server).await, Reason::HeadersTooLarge);
    }
}

#[tokio::test]
async fn what_is_no_upgrade_is_told_by_its_status() {
    for (answer, got) in [
        (ok("a page"), 200),
        ("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n".to_owned(), 302),
        ("HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\n\r\n".to_owned(), 426),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n".to_owned(), 503),
    ] {
        assert_eq!(reason_of(&serve_answer(answer).await).await, Reason::Status { got });
    }
}

#[tokio::test]
async fn what_changes_over_to_something_else_is_malformed() {
    let start = "HTTP/1.1 101 Switching Protocols\r\n";
    // The key is that of the RFC's example, and of no request of ours.
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    for answer in [
        format!("{start}\r\n"),
        format!("{start}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
        format!("{start}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
        format!("{start}Upgrade: websocket\r\nConnection: Upgrade\r\n{accept}\r\n"),
        "SSH-2.0-OpenSSH_9.6\r\n\r\n".to_owned(),
    ] {
        let reason = reason_of(&serve_answer(answer.clone()).await).await;
        assert_eq!(reason.name(), "malformed_answer", "{answer:?}: {reason}");
    }
}

#[tokio::test]
async fn a_server_of_http_2_alone_has_no_websocket() {
    let server = serve(|stream| async move {
        // Its preface is a frame, whatever it is asked.
        let Ok(mut connection) = h2::server::handshake(stream).await else { return };
        while let Some(Ok(_)) = connection.accept().await {}
    })
    .await;
    let reason = reason_of(&server).await;
    assert!(
        matches!(reason, Reason::MalformedAnswer { .. } | Reason::ConnectionClosed { .. }),
        "{reason:?}"
    );
    let authority = Authority::new();
    let acceptor = authority.identify("127.0.0.1", ALWAYS).acceptor_speaking(&["h2"]);
    let server = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move { drop(acceptor.accept(stream).await) }
    })
    .await;
    let check = written(&format!("wss://{}/", server.address), "");
    let finding = only(observe_with(&check, Secrets::default(), &[authority.root()]).await);
    assert_eq!(finding.reason.unwrap().name(), "http_version");
}

#[tokio::test]
async fn messages_without_end_are_cut_off() {
    let fragment = [&[0x00, 126, 0x10, 0x00][..], &[b'x'; 0x1000]].concat();
    for (name, server) in [
        ("in one frame of 2^63 - 1 bytes", {
            let claim = [&[0x81, 127, 0x7f][..], &[0xff; 7]].concat();
            serve_frames(claim, vec![b'x'; 0x8000]).await
        }),
        ("in one frame of 2^63 bytes", {
            serve_frames(vec![0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0], Vec::new()).await
        }),
        ("in a frame that is just too long", {
            serve_frames(vec![0x82, 127, 0, 0, 0, 0, 0, 1, 0, 1], Vec::new()).await
        }),
        ("in fragments", serve_frames(vec![0x01, 0x00], fragment).await),
    ] {
        assert_eq!(reason_of(&server).await, Reason::WebsocketMessageTooLarge, "{name}");
    }
}

#[tokio::test]
async fn a_message_of_exactly_the_limit_is_read() {
    let head = [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0];
    let body = [&vec![b'x'; 0xffff][..], b"y"].concat();
    let server = serve_frames([&head[..], &body].concat(), Vec::new()).await;
    let check = written(&url(&server), "expect = 'xy$'\nmax_message = '64KiB'");
    assert_eq!(find(&check).await.reason, None);
}

#[tokio::test]
async fn a_flood_of_what_is_no_message_ends() {
    // Fragments with nothing in them, and pings.
    let empty = [0x00, 0x00].repeat(0x4000);
    let reason = reason_of(&serve_frames(vec![0x01, 0x00], empty).await).await;
    assert_eq!(reason.name(), "malformed_answer", "{reason}");
    // Of messages that are not the one expected, the last is told.
    let other = [&[0x81, 126, 0x01, 0x00][..], &[b'x'; 0x100]].concat();
    let reason = reason_of(&serve_frames(Vec::new(), other.repeat(100)).await).await;
    let (expected, got) = ("never".to_owned(), "x".repeat(199) + "…");
    assert!(matches!(&reason, Reason::WebsocketExpect { .. }), "{reason}");
    let Reason::WebsocketExpect { expected: wanted, got: heard } = reason else { unreachable!() };
    assert_eq!((wanted, heard), (expected, got));
}

#[tokio::test]
async fn frames_that_break_the_protocol_are_malformed() {
    for (name, frame) in [
        ("masked", &b"\x81\x82\x01\x02\x03\x04ab"[..]),
        ("the first reserved bit", b"\xc1\x02ab"),
        ("the second", b"\xa1\x02ab"),
        ("the third", b"\x91\x02ab"),
        ("a kind that is reserved", b"\x83\x02ab"),
        ("a control of a kind that is reserved", b"\x8b\x00"),
        ("a ping in fragments", b"\x09\x00"),
        ("a ping that is too long", &[&b"\x89\x7e\x00\x7e"[..], &[0; 126]].concat()),
        ("a continuation of nothing", b"\x80\x02ab"),
        ("a message within another", b"\x01\x01a\x81\x01b"),
        ("text that is none", b"\x81\x02\xff\xfe"),
        ("a close with half a code", b"\x88\x01\x03"),
    ] {
        let reason = reason_of(&serve_frames(frame.to_vec(), Vec::new()).await).await;
        assert_eq!(reason.name(), "malformed_answer", "{name}: {reason}");
    }
}

#[tokio::test]
async fn closing_is_told_apart_by_phase() {
    let closed = |phase| Reason::ConnectionClosed { phase };
    assert_eq!(reason_of(&serve_answer("").await).await, closed(Phase::FirstByte));
    let server = serve_answer("HTTP/1.1 101 Switching Protocols\r\nUpgr").await;
    assert_eq!(reason_of(&server).await, closed(Phase::Transfer));
    for start in [&b""[..], b"\x81", b"\x81\x05he", b"\x01\x02he"] {
        let server = serve(move |mut stream| async move {
            upgrade(&mut stream).await;
            stream.write_all(start).await.unwrap();
            // To close with something unread would be to reset.
            let _ = stream.shutdown().await;
            let _ = stream.read_to_end(&mut Vec::new()).await;
        })
        .await;
        assert_eq!(reason_of(&server).await, closed(Phase::Transfer), "{start:?}");
    }
}

#[tokio::test]
async fn a_close_tells_its_code() {
    let closed = |code, detail: &str| Reason::WebsocketClosed { code, detail: detail.to_owned() };
    for (frame, reason) in [
        (&b"\x88\x02\x03\xe9"[..], closed(1001, "")),
        (b"\x88\x06\x03\xf3oops", closed(1011, "oops")),
        (b"\x88\x00", closed(1005, "")),
        // After another message too: that it closed is what went wrong.
        (b"\x81\x02hi\x88\x02\x03\xf0", closed(1008, "")),
    ] {
        let server = serve_frames(frame.to_vec(), Vec::new()).await;
        assert_eq!(reason_of(&server).await, reason);
    }
}

#[tokio::test]
async fn a_server_that_does_not_read_holds_nobody_up() {
    let server = serve(|mut stream| async move {
        upgrade(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let mut check = written(&url(&server), "");
    let CheckKind::Websocket(socket) = &mut check.kind else { unreachable!() };
    // More than any system buffers for a connection.
    socket.script.push(Step::SendBytes(vec![b'x'; 64 << 20].into()));
    check.timeout = HASTY;
    assert_eq!(find(&check).await.reason, Some(Reason::Timeout { phase: Phase::Transfer }));
}

#[tokio::test]
async fn a_server_that_never_stops_keeps_nobody_after_the_end() {
    let server = serve(|stream| async move {
        let socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        let (mut out, _silent) = socket.split();
        use futures_util::SinkExt;
        while out.send("and on".into()).await.is_ok() {}
    })
    .await;
    let mut check = written(&url(&server), "expect = 'on'");
    check.timeout = Span::from_secs(300);
    assert_eq!(find(&check).await.reason, None);
}
