//! `http` through proxies that lead nowhere. What is theirs alone is our own trouble and not the
//! target's.

use crate::line::Line;
use crate::words::{Words, answers, greets, replies, silent};

fn connect(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "http = { url = 'https://203.0.113.7/', proxy = 'http://{at}' }";
    Line::new("connect", name, words, check, reasons)
}

fn socks(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "http = { url = 'http://203.0.113.7/', proxy = 'socks5h://{at}' }";
    Line::new("socks", name, words, check, reasons)
}

pub(crate) fn lines() -> Vec<Line> {
    let malformed = &["proxy_malformed"];
    let ok = "HTTP/1.1 200 OK\r\n";
    let through = "HTTP/1.1 200 OK\r\n\r\n";
    let granted = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    let led = || replies([5, 0]).replies(granted);
    vec![
        connect("accepts and says nothing", silent(), &["connect_timeout"]).hasty(),
        connect("a byte at a time", answers("").drips(ok), &["connect_timeout"]).hasty(),
        connect("an endless head", answers(ok).without_end("X: y\r\n"), malformed),
        connect("endless garbage", answers("").without_end([0x81; 4096]), malformed),
        connect("closes at once", greets("").closes(), malformed),
        connect("resets at once", greets("").resets(), &["proxy_malformed", "proxy_unreachable"]),
        connect("closes when asked", answers("").closes(), malformed),
        connect("resets in the head", answers(ok).resets(), malformed),
        connect("leads to silence", answers(through), &["tls_timeout"]).hasty(),
        connect("leads to garbage", answers(through).without_end([0x81; 4096]), &["tls_handshake"]),
        connect("leads to an end", answers(through).closes(), &["tls_closed"]),
        socks("accepts and says nothing", silent(), &["connect_timeout"]).hasty(),
        socks(
            "a byte at a time",
            replies("").drips([5, 0]),
            &["connect_timeout", "proxy_malformed"],
        )
        .hasty(),
        socks("garbage", replies("").without_end([0x81; 4096]), malformed),
        socks("closes at once", greets("").closes(), malformed),
        socks("resets at once", greets("").resets(), &["proxy_malformed", "proxy_unreachable"]),
        socks("closes after the greeting", replies([5, 0]).closes(), malformed),
        socks("resets after the greeting", replies([5, 0]).resets(), malformed),
        socks("garbage after the greeting", replies([5, 0]).without_end([0x81; 4096]), malformed),
        socks("half an answer", replies([5, 0]).replies([5, 0, 0, 3, 255]), &["connect_timeout"])
            .hasty(),
        socks("leads to silence", led(), &["first_byte_timeout"]).hasty(),
        socks(
            "leads to an endless header",
            led().without_end([b'x'; 4096]),
            &["malformed_answer", "headers_too_large"],
        ),
        socks("leads to an end", led().replies("").closes(), &["first_byte_closed"]),
    ]
}
