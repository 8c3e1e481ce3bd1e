//! `grpc`: all that is wrong with HTTP/2, and answers whose message or status is wrong or has no end.

use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS,
    frame, is_asked, settings,
};
use crate::http_two::{answers, broken, floods, heads};
use crate::line::Line;
use crate::serve::secure;
use crate::words::{self, Words, greets, replies, silent};

/// That it serves, as gRPC frames it.
const SERVING: [u8; 7] = [0, 0, 0, 0, 2, 8, 1];

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    Line::new("grpc", name, words, "grpc = 'http://{at}'", reasons)
}

/// A field that is not to be remembered, with a text of at most 16 KiB.
fn field(name: &str, text: &str) -> Vec<u8> {
    // 127 and what is above it, seven bits at a time (RFC 7541, 5.1).
    let length = match text.len() {
        short @ ..127 => vec![u8::try_from(short).unwrap()],
        long => {
            let rest = long - 127;
            vec![127, u8::try_from(rest & 127).unwrap() | 128, u8::try_from(rest >> 7).unwrap()]
        }
    };
    let name_length = u8::try_from(name.len()).unwrap();
    [&[0, name_length], name.as_bytes(), &length, text.as_bytes()].concat()
}

/// A head of gRPC's with further fields.
fn head(flags: u8, more: &[u8]) -> Vec<u8> {
    let start = [vec![0x88], field("content-type", "application/grpc")].concat();
    frame(HEADERS, flags, 1, &[&start, more].concat())
}

fn data(bytes: &[u8]) -> Vec<u8> {
    frame(DATA, 0, 1, bytes)
}

/// A message as gRPC frames it.
fn message(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap().to_be_bytes();
    data(&[&[0], &length[..], bytes].concat())
}

fn ending(fields: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, fields)
}

/// An answer that is well but for its body.
fn with_body(body: Vec<u8>) -> Words {
    answers(&[head(END_HEADERS, &[]), body, ending(&field("grpc-status", "0"))])
}

/// One that is well but for its end.
fn with_end(end: Vec<u8>) -> Words {
    answers(&[head(END_HEADERS, &[]), data(&SERVING), end])
}

pub(crate) fn lines() -> Vec<Line> {
    let two = [floods(line), heads(line), broken(line)];
    let own = [slow(), messages(), endings(), others(), secured(), closing()];
    two.into_iter().chain(own).flatten().collect()
}

fn slow() -> Vec<Line> {
    let (first_byte, transfer) = (&["first_byte_timeout"], &["transfer_timeout"]);
    let whole = [head(END_HEADERS, &[]), data(&SERVING), ending(&field("grpc-status", "0"))];
    let shut = greets(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
    vec![
        line("accepts and says nothing", silent(), first_byte).hasty(),
        line("settings and no more", answers(&[]), first_byte).hasty(),
        line("an answer a byte at a time", answers(&[]).drips(whole.concat()), transfer).hasty(),
        line("half a head", answers(&[head(0, &[])]), transfer).hasty(),
        line("half a message", answers(&[head(END_HEADERS, &[]), data(&SERVING[..6])]), transfer)
            .hasty(),
        line("a message and no status", with_end(Vec::new()), transfer).hasty(),
        // Whether the question is out before its window closes is chance.
        line("a window that never opens", shut, &["send_timeout", "first_byte_timeout"]).hasty(),
    ]
}

fn messages() -> Vec<Line> {
    let malformed = &["malformed_answer"];
    let idle = &["transfer_timeout", "malformed_answer"];
    let endless = |more: Vec<u8>| answers(&[head(END_HEADERS, &[])]).without_end(more);
    let padding = frame(DATA, 8, 1, &[&[255][..], &[0; 255]].concat());
    // 2^63, as a field's length and as its value.
    let [claim, state] = [34, 8].map(|tag| [&[tag][..], &[0x80; 9], &[1]].concat());
    let unknown = [&[16, 5].repeat(1000)[..], &[8, 1]].concat();
    vec![
        line("a message without end", endless(data(&[0; 16_384])), malformed),
        line("a message in crumbs without end", endless(data(&[0])), malformed),
        line("a message of nothing without end", endless(data(&[])), idle).busy(),
        line("a message of padding without end", endless(padding), idle).busy(),
        line("messages without end", endless(data(&SERVING).repeat(100)), malformed),
        line("two messages", with_body(data(&SERVING).repeat(2)), malformed),
        line("no message", with_body(Vec::new()), malformed),
        line("half a prefix", with_body(data(&[0, 0, 0])), malformed),
        line("a compressed message", with_body(data(&[1, 0, 0, 0, 2, 8, 1])), malformed),
        line("a flag of no meaning", with_body(data(&[2, 0, 0, 0, 2, 8, 1])), malformed),
        line(
            "a message of 4 GiB by its prefix",
            with_body(data(&[0, 0xff, 0xff, 0xff, 0xff, 8, 1])),
            malformed,
        ),
        line("a prefix that says too little", with_body(data(&[0, 0, 0, 0, 1, 8, 1])), malformed),
        line("a number without end", with_body(message(&[0x80; 4000])), malformed),
        line("a field of 2^63 bytes", with_body(message(&claim)), malformed),
        line("groups within groups", with_body(message(&[11; 4000])), malformed),
        line("garbage in a message", with_body(message(&[0xff; 4000])), malformed),
        line("a thousand unknown fields", with_body(message(&unknown)), &["none"]),
        line("a state of 2^63", with_body(message(&state)), &["grpc_health"]),
    ]
}

fn endings() -> Vec<Line> {
    let (malformed, large) = (&["malformed_answer"], &["headers_too_large"]);
    let long = [&[0, 1, b'x', 0x7f, 0x81, 0x7e][..], &[b'y'; 16_256]].concat();
    let begun = |flags| frame(HEADERS, flags, 1, &field("grpc-status", "0"));
    let continued =
        |part: &[u8]| with_end(begun(END_STREAM)).without_end(frame(CONTINUATION, 0, 1, part));
    let bomb = [&[0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4000], &[0xbe; 10_000]].concat();
    let status = |code| with_end(ending(&field("grpc-status", code)));
    let words = [field("grpc-status", "14"), field("grpc-message", &"x".repeat(16_000))].concat();
    vec![
        line("trailers continued without end", continued(&long), large),
        line("small trailers continued without end", continued(&field("x", "y")), large),
        line("trailers of nothing without end", continued(&[]), large),
        line("trailers that unpack to 40 MB", with_end(ending(&bomb)), large),
        line("a thousand trailers", with_end(ending(&field("x", "y").repeat(1000))), large),
        line(
            "trailers that do not end it",
            with_end(begun(END_HEADERS)).without_end(begun(END_HEADERS)),
            malformed,
        ),
        line("an end without a status", with_end(frame(DATA, END_STREAM, 1, &[])), malformed),
        line("a status that is no number", status("OK"), malformed),
        line("a status of a thousand digits", status(&"9".repeat(1000)), malformed),
        line("16 KB of words with a status", with_end(ending(&words)), &["grpc_status"]),
        line(
            "16 KB of words in place of an answer",
            answers(&[head(END_HEADERS | END_STREAM, &words)]),
            &["grpc_status"],
        ),
    ]
}

/// Those who speak something else, and properly.
fn others() -> Vec<Line> {
    let one = "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Length: 0\r\n\r\n";
    // One that answers the preface may be gone before there is a call to fail.
    let not_two = &["malformed_answer", "send_closed"];
    // `:status: 302`, and where to.
    let elsewhere = [&[0x08, 3][..], b"302", &field("location", "https://other.test/")].concat();
    let page = [vec![0x88], field("content-type", "text/html")].concat();
    let page = answers(&[frame(HEADERS, END_HEADERS, 1, &page)]);
    let endless = page.clone().without_end(data(b"<p>and so on"));
    vec![
        line("a server of HTTP/1", words::answers(one), not_two),
        line("a server of HTTP/1 without end", words::answers("").without_end(one), not_two),
        line("a redirect", answers(&[ending(&elsewhere)]), &["status"]),
        line("a page", page, &["malformed_answer"]),
        line("a page without end", endless, &["malformed_answer"]),
    ]
}

fn secured() -> Vec<Line> {
    let over =
        |name, target, reasons| Line::new("grpcs", name, target, "grpc = 'https://{at}'", reasons);
    let plain = |words| crate::serve::Target::Plain(words);
    let pings = answers(&[]).without_end(frame(PING, 0, 0, &[0; 8]).repeat(100));
    let endless = answers(&[head(END_HEADERS, &[])]).without_end(data(&[0; 16_384]));
    vec![
        over("accepts and says nothing", plain(silent()), &["tls_timeout"]).hasty(),
        over(
            "garbage instead of TLS",
            plain(replies("").without_end([0x81; 4096])),
            &["tls_handshake"],
        ),
        over("silence after the handshake", secure("h2", silent()), &["first_byte_timeout"])
            .hasty(),
        over("agrees on HTTP/1.1", secure("http/1.1", silent()), &["http_version"]),
        over("agrees on nothing", secure("", silent()), &["http_version"]),
        over("a flood of pings", secure("h2", pings), &["headers_too_large"]),
        over("a message without end", secure("h2", endless), &["malformed_answer"]),
        over(
            "closes after the handshake",
            secure("h2", silent().closes()),
            &["send_closed", "first_byte_closed"],
        ),
    ]
}

fn closing() -> Vec<Line> {
    // Whether all of the call is out before the target has gone is between the two systems.
    let early = &["send_closed", "first_byte_closed", "connect_reset"];
    let transfer = &["transfer_closed"];
    let lost = &["transfer_closed", "first_byte_closed", "send_closed"];
    let half = [head(END_HEADERS, &[]), data(&SERVING[..6])];
    let away = frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 1]);
    let cancelled = frame(RST_STREAM, 0, 1, &[0, 0, 0, 2]);
    vec![
        line("closes at once", silent().closes(), early),
        line("resets at once", silent().resets(), early),
        line("closes when asked", silent().turn(is_asked, settings()).closes(), early),
        line("resets when asked", silent().turn(is_asked, settings()).resets(), early),
        line("goes away", answers(&[away]), early),
        line("closes in the head", answers(&[head(0, &[])]).closes(), transfer),
        line("resets in the head", answers(&[head(0, &[])]).resets(), lost),
        line("closes in the message", answers(&half).closes(), transfer),
        line("resets in the message", answers(&half).resets(), lost),
        line("closes before the status", with_end(Vec::new()).closes(), transfer),
        line("resets before the status", with_end(Vec::new()).resets(), lost),
        line("resets the call", with_end(cancelled), transfer),
    ]
}
