//! `websocket`: upgrades that do not come or are none, frames and messages that are wrong or have
//! no end, and hanging up.

use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::line::Line;
use crate::serve::{Target, secure};
use crate::words::{Words, answers, greets, is_request, replies, silent};

const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\n";
const UPGRADE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\n";

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "websocket = { url = 'ws://{at}/', expect = 'never', max_message = '64KiB' }";
    Line::new("websocket", name, words, check, reasons)
}

/// Hears a request, answers it as it should be with further headers, and says `frames`.
fn upgrades_with(headers: &'static str, frames: impl AsRef<[u8]>) -> Words {
    let frames = frames.as_ref().to_vec();
    silent().says_to(is_request, move |heard| {
        let heard = String::from_utf8_lossy(heard);
        let key = heard
            .lines()
            .filter_map(|line| line.split_once(": "))
            .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"));
        let accept = derive_accept_key(key.unwrap_or_default().1.as_bytes());
        let head = format!("{SWITCHING}{UPGRADE}Sec-WebSocket-Accept: {accept}\r\n{headers}\r\n");
        [head.as_bytes(), &frames].concat()
    })
}

fn upgrades(frames: impl AsRef<[u8]>) -> Words {
    upgrades_with("", frames)
}

pub(crate) fn lines() -> Vec<Line> {
    let upgrade = [slow(), heads(), refusals()];
    let socket = [crumbs(), endless(), broken(), secured(), closing(), goodbyes()];
    upgrade.into_iter().chain(socket).flatten().collect()
}

fn slow() -> Vec<Line> {
    let late = &["transfer_timeout"];
    vec![
        line("accepts and says nothing", silent(), &["first_byte_timeout"]).hasty(),
        line("a head a byte at a time", answers("").drips(SWITCHING), late).hasty(),
        line("half a status line", answers("HTTP/1."), late).hasty(),
        line("half a head", answers(format!("{SWITCHING}Upgra")), late).hasty(),
        line("an interim answer and no more", answers("HTTP/1.1 100 Continue\r\n\r\n"), late)
            .hasty(),
    ]
}

fn heads() -> Vec<Line> {
    let large = &["headers_too_large"];
    let hundred_thousand: String = (0..100_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    vec![
        line("an endless status line", answers("HTTP/1.1 101 ").without_end("so well "), large),
        line(
            "an endless header",
            answers(format!("{SWITCHING}X: ")).without_end([b'x'; 4096]),
            large,
        ),
        line("endless headers", answers(SWITCHING).without_end("X: y\r\n".repeat(1000)), large),
        line("100,000 headers", answers(format!("{SWITCHING}{hundred_thousand}\r\n")), large),
        line("endless interim answers", answers("").without_end(interim.repeat(100)), large),
        line(
            "endless empty lines",
            answers("").without_end("\r\n".repeat(1000)),
            &["headers_too_large", "malformed_answer"],
        ),
    ]
}

/// Answers that are no upgrade.
fn refusals() -> Vec<Line> {
    let (status, malformed) = (&["status"], &["malformed_answer"]);
    let found = "HTTP/1.1 302 Found\r\nLocation: /\r\n";
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    vec![
        line("a redirect", answers(format!("{found}Content-Length: 0\r\n\r\n")), status),
        line(
            "a redirect with an endless body",
            answers(format!("{found}\r\n")).without_end([b'x'; 4096]),
            status,
        ),
        line(
            "an endless page",
            answers("HTTP/1.1 200 OK\r\n\r\n").without_end([b'x'; 4096]),
            status,
        ),
        line(
            "endless upgrades",
            answers("").without_end(format!("{SWITCHING}{UPGRADE}\r\n").repeat(100)),
            malformed,
        ),
        line("another's key", answers(format!("{SWITCHING}{UPGRADE}{accept}\r\n")), malformed),
        line(
            "an upgrade to something else",
            answers(format!("{SWITCHING}Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n")),
            malformed,
        ),
        line(
            "an extension that was not offered",
            upgrades_with("Sec-WebSocket-Extensions: permessage-deflate\r\n", ""),
            malformed,
        ),
        line(
            "a subprotocol that was not offered",
            upgrades_with("Sec-WebSocket-Protocol: chat\r\n", ""),
            &["websocket_subprotocol"],
        ),
        line("endless garbage", answers("").without_end([0x81; 4096]), malformed),
        line("another protocol", answers("SSH-2.0-OpenSSH_9.6\r\n\r\n"), malformed),
        line("HTTP/2", answers([0, 0, 0, 4, 0, 0, 0, 0, 0]), malformed),
    ]
}

/// Upgraded, and then hardly anything.
fn crumbs() -> Vec<Line> {
    let late = &["transfer_timeout"];
    vec![
        line("an upgrade and no more", upgrades(""), late).hasty(),
        line("half a frame's head", upgrades([0x81]), late).hasty(),
        line("half a message", upgrades(b"\x81\x05he"), late).hasty(),
        line("the first of some fragments", upgrades(b"\x01\x02he"), late).hasty(),
        line("a message a byte at a time", upgrades(b"\x81\x7e\x10\x00").drips("x"), late).hasty(),
        line("pings a byte at a time", upgrades("").drips([0x89, 0]), late).hasty(),
        line(
            "other messages a byte at a time",
            upgrades("").drips(b"\x81\x01x"),
            &["websocket_expect"],
        )
        .hasty(),
        // Of all that is claimed, a little comes: room is made for no more.
        line("a claim of 64 KiB", upgrades([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0]), late).hasty(),
    ]
}

fn endless() -> Vec<Line> {
    let (large, malformed) = (&["websocket_message_too_large"], &["malformed_answer"]);
    let other = &["websocket_expect"];
    let claim = |length: u64| upgrades([&[0x82, 127][..], &length.to_be_bytes()].concat());
    let fragment = [&[0x00, 126, 0x10, 0x00][..], &[b'x'; 0x1000]].concat();
    let whole = [&[0x82, 126, 0x10, 0x00][..], &[b'x'; 0x1000]].concat();
    let flood = |frame: &[u8]| upgrades("").without_end(frame.repeat(4096));
    let pings = [&[0x89, 0].repeat(1000)[..], b"\x81\x05never"].concat();
    let ping = [&[0x89, 125][..], &[b'x'; 125]].concat();
    let largest = [&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &[b'x'; 0x1_0000]].concat();
    let huge = [&[0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0][..], &[b'x'; 0x10_0000]].concat();
    vec![
        line("a frame of 2^63 bytes", claim(1 << 63), large),
        line("a frame of 2^63 - 1 bytes", claim((1 << 63) - 1).without_end([b'x'; 4096]), large),
        line("a ping of 2^63 bytes", upgrades(b"\x89\x7f\x80\0\0\0\0\0\0\0"), large),
        line("a frame of one byte too many", claim((64 << 10) + 1), large),
        line("fragments without end", upgrades([0x01, 0x00]).without_end(fragment), large),
        line(
            "empty fragments without end",
            upgrades([0x01, 0x00]).without_end([0, 0].repeat(4096)),
            malformed,
        ),
        line("pings without end", flood(&[0x89, 0]), malformed),
        line("a thousand pings and then the word", upgrades(pings), &["none"]),
        line("large pings without end", flood(&ping), malformed),
        line("pongs without end", flood(&[0x8a, 0]), malformed),
        line(
            "pings within a message",
            upgrades([0x01, 0x01, b'x']).without_end([0x89, 0].repeat(4096)),
            malformed,
        ),
        line("messages without end", upgrades("").without_end(whole), other),
        line("empty messages without end", flood(&[0x81, 0]), other),
        line("the largest of messages without end", upgrades("").without_end(largest), other),
        line("messages of 1 MiB without end", upgrades("").without_end(huge), other)
            .asking("websocket = { url = 'ws://{at}/', expect = 'never', max_message = '1MiB' }")
            .within(4 * 1024),
    ]
}

fn broken() -> Vec<Line> {
    let line = |name, frame: &[u8]| line(name, upgrades(frame), &["malformed_answer"]);
    vec![
        line("a masked frame", b"\x81\x82\x01\x02\x03\x04ab"),
        line("the first reserved bit", b"\xc1\x02ab"),
        line("the second reserved bit", b"\xa1\x02ab"),
        line("the third reserved bit", b"\x91\x02ab"),
        line("a kind that is reserved", b"\x83\x02ab"),
        line("a control that is reserved", b"\x8b\x00"),
        line("a ping in fragments", b"\x09\x00"),
        line("a ping of 126 bytes", &[&b"\x89\x7e\x00\x7e"[..], &[0; 126]].concat()),
        line("a continuation of nothing", b"\x80\x02ab"),
        line("a message within another", b"\x01\x01a\x81\x01b"),
        line("text that is none", b"\x81\x02\xff\xfe"),
        line("text that is none, in fragments", b"\x01\x01\xc3\x80\x01\x28"),
        line("a close with half a code", b"\x88\x01\x03"),
        line("a close with words that are none", b"\x88\x04\x03\xe8\xff\xfe"),
    ]
}

fn secured() -> Vec<Line> {
    let over = |name, target, reasons| {
        let check = "websocket = { url = 'wss://{at}/', expect = 'never', max_message = '64KiB' }";
        Line::new("wss", name, target, check, reasons)
    };
    let garbage = replies("").without_end([0x81; 4096]);
    let pings = upgrades("").without_end([0x89, 0].repeat(4096));
    let fragments = upgrades([0x01, 0x01, b'x']).without_end(b"\x00\x01x".repeat(1000));
    vec![
        over("accepts and says nothing", Target::Plain(silent()), &["tls_timeout"]).hasty(),
        over("garbage instead of TLS", Target::Plain(garbage), &["tls_handshake"]),
        over("silence after the handshake", secure("http/1.1", silent()), &["first_byte_timeout"])
            .hasty(),
        over("agrees on HTTP/2", secure("h2", silent()), &["http_version"]),
        over("pings without end", secure("", pings), &["malformed_answer"]),
        over("fragments without end", secure("", fragments), &["websocket_message_too_large"]),
        over(
            "closes in a message",
            secure("", upgrades(b"\x81\x05he").closes()),
            &["transfer_closed"],
        ),
    ]
}

fn closing() -> Vec<Line> {
    let at_once = &["send_closed", "first_byte_closed", "connect_reset"];
    let (first_byte, transfer) = (&["first_byte_closed"], &["transfer_closed"]);
    // Whether what came before a reset is read is between the two systems.
    let lost = &["transfer_closed", "first_byte_closed"];
    vec![
        line("closes at once", greets("").closes(), at_once),
        line("resets at once", greets("").resets(), at_once),
        line("closes when asked", answers("").closes(), first_byte),
        line("resets when asked", answers("").resets(), first_byte),
        line("closes in the head", answers(SWITCHING).closes(), transfer),
        line("resets in the head", answers(SWITCHING).resets(), lost),
        line("closes when upgraded", upgrades("").closes(), transfer),
        line("resets when upgraded", upgrades("").resets(), lost),
        line("closes in a frame's head", upgrades([0x81]).closes(), transfer),
        line("closes in a message", upgrades(b"\x81\x05he").closes(), transfer),
        line("resets in a message", upgrades(b"\x81\x05he").resets(), lost),
        line("closes between fragments", upgrades(b"\x01\x02he").closes(), transfer),
    ]
}

/// Those who say goodbye, or do not.
fn goodbyes() -> Vec<Line> {
    let closed = &["websocket_closed"];
    let alone = "websocket = 'ws://{at}/'";
    vec![
        line("a goodbye and no more", upgrades(b"\x88\x02\x03\xe9"), closed),
        line("a goodbye without end", upgrades("").without_end(b"\x88\x02\x03\xe9"), closed),
        line(
            "messages after the goodbye",
            upgrades(b"\x88\x00").without_end(b"\x81\x01x".repeat(1000)),
            closed,
        ),
        line(
            "a code that nobody may send",
            upgrades(b"\x88\x02\x03\xee"),
            &["websocket_closed", "malformed_answer"],
        ),
        // The check has what it wants by then, and says goodbye to somebody who does not listen.
        line("no goodbye", upgrades(""), &["none"]).asking(alone),
        line(
            "messages instead of a goodbye",
            upgrades("").without_end(b"\x81\x01x".repeat(1000)),
            &["none"],
        )
        .asking(alone),
        line(
            "resets instead of a goodbye",
            upgrades("").resets(),
            &["none", "transfer_closed", "first_byte_closed"],
        )
        .asking(alone),
    ]
}
