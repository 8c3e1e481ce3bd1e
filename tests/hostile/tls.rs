//! `tls`, and `http` over TLS: handshakes that do not come, do not end, or come in crumbs; chains
//! of more certificates than anybody has.

use crate::line::Line;
use crate::serve::{Target, secure};
use crate::words::{Words, answers, greets, replies, silent};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;

/// A record of this type.
fn record(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&[kind, 3, 3], &length[..], body].concat()
}

fn line(name: &'static str, target: impl Into<Target>, reasons: &'static [&'static str]) -> Line {
    Line::new("tls", name, target, "tls = '{at}'", reasons)
}

pub(crate) fn lines() -> Vec<Line> {
    [slow(), broken(), endless(), chains(), closing(), afterwards()].into_iter().flatten().collect()
}

fn slow() -> Vec<Line> {
    let late = &["tls_timeout"];
    vec![
        line("accepts and says nothing", silent(), late).hasty(),
        line("a record that does not come", replies([HANDSHAKE, 3, 3, 0x40, 0]), late).hasty(),
        line("a record a byte at a time", replies("").drips(record(HANDSHAKE, &[2; 10_000])), late)
            .hasty(),
        line("half a message", replies(record(HANDSHAKE, &[2, 0, 1, 0, 3, 3])), late).hasty(),
    ]
}

fn broken() -> Vec<Line> {
    let failed = &["tls_handshake"];
    let line = |name, bytes: Vec<u8>| line(name, replies(bytes), failed);
    vec![
        line("a record of no type", record(99, b"what")),
        line(
            "a record that is too long",
            [&[HANDSHAKE, 3, 3, 0xff, 0xff][..], &[0; 0xffff]].concat(),
        ),
        line("an empty record", record(HANDSHAKE, b"")),
        line("a message of no kind", record(HANDSHAKE, &[77, 0, 0, 4, 1, 2, 3, 4])),
        line("a ServerHello that is cut", record(HANDSHAKE, &[2, 0, 0, 3, 3, 3, 0])),
        line("a message of 16 MiB", record(HANDSHAKE, &[11, 0xff, 0xff, 0xff, 0])),
        line("data before the handshake", record(DATA, b"hello")),
        line("an alert", record(ALERT, &[2, 40])),
        line("plain words", b"220 mail.example ESMTP\r\n".to_vec()),
    ]
}

fn endless() -> Vec<Line> {
    let failed = &["tls_handshake"];
    // Of a message of 60 KiB, a byte in each record: as slow to read as can be, and kept.
    let head = record(HANDSHAKE, &[2, 0, 0xf0, 0]);
    let crumbs = replies(head).without_end(record(HANDSHAKE, &[3]).repeat(100));
    vec![
        line("a message in records of a byte", crumbs, failed),
        line(
            "warnings without end",
            replies("").without_end(record(ALERT, &[1, 0])),
            &["tls_handshake", "tls_closed"],
        ),
        line("garbage without end", replies("").without_end([0x81; 4096]), failed),
        line(
            "requests to begin, without end",
            replies("").without_end(record(HANDSHAKE, &[0, 0, 0, 0])),
            &["tls_handshake", "tls_timeout"],
        )
        .busy(),
        line(
            "a message without end",
            replies(record(HANDSHAKE, &[11, 0, 0xff, 0xff]))
                .without_end(record(HANDSHAKE, &[0; 1000])),
            failed,
        ),
    ]
}

fn chains() -> Vec<Line> {
    let crowd = Target::Chain(|root, key| {
        let stray = root.below().certificate();
        std::iter::once(root.leaf(key)).chain(std::iter::repeat_n(stray, 200)).collect()
    });
    // Each vouches for the next, up to the root: as long as a chain can be that is read.
    let tower = Target::Chain(|root, key| {
        let mut tower = vec![root.below()];
        for _ in 0..60 {
            let next = tower.last().unwrap().below();
            tower.push(next);
        }
        let leaf = tower.last().unwrap().leaf(key);
        std::iter::once(leaf).chain(tower.iter().rev().map(|one| one.certificate())).collect()
    });
    vec![
        line("a chain of 200", crowd, &["tls_handshake"]),
        line("a chain of 60 that leads to the root", tower, &["tls_untrusted"]),
    ]
}

fn closing() -> Vec<Line> {
    let closed = &["tls_closed"];
    vec![
        line("closes at once", greets("").closes(), closed),
        line("resets at once", greets("").resets(), &["tls_closed", "connect_reset"]),
        line("closes when asked", replies("").closes(), closed),
        line("resets when asked", replies("").resets(), closed),
        line("closes in a record", replies([HANDSHAKE, 3, 3]).closes(), closed),
        line("closes in a message", replies(record(HANDSHAKE, &[2, 0])).closes(), closed),
    ]
}

/// After a handshake that went well.
fn afterwards() -> Vec<Line> {
    let line = |name, words: Words, reasons| {
        Line::new("https", name, secure("http/1.1", words), "http = 'https://{at}/'", reasons)
    };
    let ok = "HTTP/1.1 200 OK\r\n";
    vec![
        Line::new(
            "https",
            "two thousand tickets to come back with",
            Target::Tls {
                alpn: "http/1.1",
                tickets: 2000,
                words: answers(format!("{ok}Content-Length: 0\r\n\r\n")),
            },
            "http = 'https://{at}/'",
            &["malformed_answer"],
        ),
        line("silence after the handshake", silent(), &["first_byte_timeout"]).hasty(),
        line(
            "an endless header",
            answers(format!("{ok}X: ")).without_end([b'x'; 4096]),
            &["headers_too_large"],
        ),
        line(
            "an endless body",
            answers(format!("{ok}\r\n")).without_end([b'x'; 4096]),
            &["body_too_large"],
        ),
        line("records of a byte", answers(ok).drips("X: y\r\n"), &["transfer_timeout"]).hasty(),
        line("closes when asked", answers("").closes(), &["first_byte_closed"]),
        line("resets in the head", answers(ok).resets(), &["transfer_closed", "first_byte_closed"]),
        line("another protocol", answers("220 mail.example ESMTP\r\n\r\n"), &["malformed_answer"]),
    ]
}
