//! `dns` over TLS and over HTTPS: all that can be wrong with it over TCP, with TLS and with HTTP/2.

use crate::dns::in_streams;
use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING, RST_STREAM, SETTINGS, frame,
    is_asked, settings,
};
use crate::line::Line;
use crate::serve::{Target, secure};
use crate::words::{Words, greets, replies, silent};

pub(crate) fn lines() -> Vec<Line> {
    let over_tls = in_streams().into_iter().map(|(name, words, reasons, hasty)| {
        let line = dot(name, secure("dot", words), reasons);
        if hasty { line.hasty() } else { line }
    });
    over_tls.chain(before_tls()).chain(over_https()).collect()
}

fn dot(name: &'static str, target: impl Into<Target>, reasons: &'static [&'static str]) -> Line {
    let check = "dns = { server = 'tls://{at}', name = 'name.test' }";
    Line::new("dns dot", name, target, check, reasons)
}

/// What comes before the question can be asked.
fn before_tls() -> Vec<Line> {
    vec![
        dot("no TLS but silence", silent(), &["tls_timeout"]).hasty(),
        dot("no TLS but garbage", replies("").without_end([0x81; 4096]), &["tls_handshake"]),
        dot("closes at once", greets("").closes(), &["tls_closed"]),
    ]
}

fn doh(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "dns = { server = 'https://{at}/', name = 'name.test' }";
    Line::new("dns doh", name, secure("h2", words), check, reasons)
}

/// `:status: 200`, and the media type.
fn head() -> Vec<u8> {
    let kind = b"application/dns-message";
    let body = [&[0x88, 0x0f, 0x10, u8::try_from(kind.len()).unwrap()][..], kind].concat();
    frame(HEADERS, END_HEADERS, 1, &body)
}

fn over_https() -> Vec<Line> {
    let answers =
        |frames: &[Vec<u8>]| silent().turn(is_asked, [settings(), frames.concat()].concat());
    let malformed = &["malformed_answer"];
    let status = frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0x8d]);
    let interim = frame(HEADERS, END_HEADERS, 1, &[0x08, 3, b'1', b'0', b'3']);
    let bare = frame(HEADERS, END_HEADERS, 1, &[0x88]);
    let long = [&[0, 1, b'x', 0x7f, 0x81, 0x7e][..], &[b'y'; 16_256]].concat();
    vec![
        doh("accepts and says nothing", silent(), &["first_byte_timeout"]).hasty(),
        doh("settings and no more", answers(&[]), &["first_byte_timeout"]).hasty(),
        doh(
            "settings without end",
            answers(&[]).without_end(frame(SETTINGS, 0, 0, &[])),
            &["first_byte_timeout"],
        )
        .busy(),
        doh(
            "pings without end",
            answers(&[]).without_end(frame(PING, 0, 0, &[0; 8])),
            &["first_byte_timeout"],
        )
        .busy(),
        doh("interim answers without end", answers(&[]).without_end(interim), malformed),
        doh("another status", answers(&[status]), &["status"]),
        doh("no media type", answers(&[bare]), malformed),
        doh(
            "headers continued without end",
            answers(&[frame(HEADERS, 0, 1, &[0x88])]).without_end(frame(CONTINUATION, 0, 1, &long)),
            &["malformed_answer", "first_byte_closed"],
        ),
        doh(
            "an endless message",
            answers(&[head(), frame(DATA, 0, 1, &[0; 16_000]).repeat(5)]),
            malformed,
        ),
        doh(
            "data beyond the window",
            answers(&[head()]).without_end(frame(DATA, 0, 1, &[0; 16_384])),
            malformed,
        ),
        doh(
            "half a message",
            answers(&[head(), frame(DATA, 0, 1, &[0; 9])]),
            &["first_byte_timeout"],
        )
        .hasty(),
        doh(
            "a message of garbage",
            answers(&[head(), frame(DATA, END_STREAM, 1, &[0; 99])]),
            malformed,
        ),
        doh("HTTP/1", silent().turn(is_asked, "HTTP/1.1 400 Bad Request\r\n\r\n"), malformed),
        doh(
            "resets the stream",
            answers(&[frame(RST_STREAM, 0, 1, &[0, 0, 0, 2])]),
            &["first_byte_closed"],
        ),
        doh("closes when asked", answers(&[]).closes(), &["first_byte_closed", "malformed_answer"]),
        doh("resets when asked", answers(&[]).resets(), &["first_byte_closed", "malformed_answer"]),
    ]
}
