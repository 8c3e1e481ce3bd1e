//! `http`: bodies. Without end, in broken chunks, cut short, and made to be hard to look into.

use crate::line::Line;
use crate::words::{Words, answers};

const PLAIN: &str = "HTTP/1.1 200 OK\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "http = { url = 'http://{at}/', contains = 'never', max_body = '1MiB' }";
    Line::new("http", name, words, check, reasons).within(4 * 1024)
}

/// A whole answer with `body`.
fn whole(body: &str) -> Words {
    answers(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).closes()
}

pub(crate) fn lines() -> Vec<Line> {
    [endless(), chunks(), closing(), hard(), json(), html()].into_iter().flatten().collect()
}

fn endless() -> Vec<Line> {
    let large = &["body_too_large"];
    let length = "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx";
    vec![
        line("an endless body", answers(PLAIN).without_end([b'x'; 4096]), large),
        line(
            "an endless body that nobody looks into",
            answers(PLAIN).without_end([b'x'; 4096]),
            large,
        )
        .asking("http = { url = 'http://{at}/', max_body = '1MiB' }")
        .within(1024),
        line("a body of 100 GB, it says", answers(length), large),
        line(
            "endless chunks",
            answers(CHUNKED).without_end(format!("1000\r\n{}\r\n", "x".repeat(0x1000))),
            large,
        ),
        line(
            "endless chunks of a byte",
            answers(CHUNKED).without_end("1\r\nx\r\n".repeat(500)),
            large,
        )
        .asking("http = { url = 'http://{at}/', max_body = '16KiB' }"),
        line("a body a byte at a time", answers(PLAIN).drips("x"), &["transfer_timeout"]).hasty(),
        line(
            "half a body",
            answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
            &["transfer_timeout"],
        )
        .hasty(),
    ]
}

fn chunks() -> Vec<Line> {
    let malformed = &["malformed_answer"];
    let many_zeros = "0".repeat(4096);
    vec![
        line("a chunk without a size", answers(format!("{CHUNKED}what\r\n")), malformed),
        line("a chunk of less than nothing", answers(format!("{CHUNKED}-1\r\nx\r\n")), malformed),
        line("a chunk of 2^64", answers(format!("{CHUNKED}10000000000000000\r\nx")), malformed),
        line(
            "a chunk of 2^64 - 1",
            answers(format!("{CHUNKED}ffffffffffffffff\r\nx")),
            &["body_too_large", "transfer_timeout", "malformed_answer"],
        )
        .hasty(),
        line(
            "a chunk's size without end",
            answers(CHUNKED).without_end(many_zeros),
            &[
                // It may be taken for a part of the head that came with it.
                "headers_too_large",
                "transfer_timeout",
            ],
        )
        .busy(),
        line(
            "a chunk's extension without end",
            answers(format!("{CHUNKED}1;")).without_end("x"),
            &["malformed_answer"],
        ),
        line("a chunk without its end", answers(format!("{CHUNKED}1\r\nxyz")), malformed),
        line(
            "trailers without end",
            answers(format!("{CHUNKED}0\r\n")).without_end("X: y\r\n"),
            &["malformed_answer", "headers_too_large"],
        ),
        line(
            "chunks that end too early",
            answers(format!("{CHUNKED}9\r\nhalf")).closes(),
            &["transfer_closed"],
        ),
        line(
            "chunks that lack the last",
            answers(format!("{CHUNKED}1\r\nx\r\n")).closes(),
            &["transfer_closed"],
        ),
    ]
}

fn closing() -> Vec<Line> {
    let half = answers("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    vec![
        line("closes in the body", half.clone().closes(), &["transfer_closed"]),
        line("resets in the body", half.resets(), &["transfer_closed", "first_byte_closed"]),
    ]
}

fn hard() -> Vec<Line> {
    vec![
        line("a body that patterns go back in", whole(&"a".repeat(1 << 20)), &["body"])
            .asking("http = { url = 'http://{at}/', matches = '^(a+)+$(b|c)' }")
            .within(16 * 1024),
        line(
            "a body that is no text",
            answers(PLAIN).turn(|_| true, [0xff; 1 << 20]).closes(),
            &["body"],
        )
        .asking("http = { url = 'http://{at}/', contains = 'never', max_body = '2MiB' }")
        .within(16 * 1024),
    ]
}

fn json() -> Vec<Line> {
    let line = |name, body: &str, path: &str, reasons: &'static [&'static str]| {
        let check =
            format!("http = {{ url = 'http://{{at}}/', json = {{ path = '{path}', above = 9 }} }}");
        // Five times the least that a value weighs beside its text.
        line(name, whole(body), reasons).asking(check).within(128 * 1024)
    };
    let deep = format!("{}{}", "[".repeat(1_000_000), "]".repeat(1_000_000));
    let deep_table = "{\"a\":".repeat(200_000);
    let wide = format!("[{}0]", "0,".repeat(1_000_000));
    let tables = format!("[{}0]", "{\"a\":0},".repeat(400_000));
    // As deep as can be, and at the bottom a list: every step finds it again in every step above.
    let tower = format!("{}[{}0]{}", "{\"a\":".repeat(120), "0,".repeat(200_000), "}".repeat(120));
    vec![
        line("JSON nested a million deep", &deep, "$[0]", &["malformed_answer"]),
        line("tables nested without an end", &deep_table, "$.a", &["malformed_answer"]),
        line("a list of a million", &wide, "$[*]", &["json"]),
        line("a list of 400,000 tables", &tables, "$[*].a", &["malformed_answer", "json"]),
        line("a list at the bottom of a tower", &tower, "$..a..a", &["json", "malformed_answer"]),
        line("a list found again and again", &tower, "$..*..*", &["json", "malformed_answer"]),
        line(
            "a number of a million digits",
            &"9".repeat(1_000_000),
            "$",
            &["json", "malformed_answer"],
        ),
    ]
}

fn html() -> Vec<Line> {
    let line = |name, body: &str, reasons: &'static [&'static str]| {
        let check = "http = { url = 'http://{at}/', html = { select = 'p > #never' } }";
        line(name, whole(body), reasons).asking(check).within(128 * 1024)
    };
    let deep = &["malformed_answer"];
    vec![
        line("HTML nested 200,000 deep", &"<div>".repeat(200_000), deep),
        line("formatting nested 200,000 deep", &"<b><i>".repeat(200_000), deep),
        line("tables nested 100,000 deep", &"<table><tr><td>".repeat(100_000), deep),
        line("formatting that is never closed", &"<b id=x><p>".repeat(100_000), deep),
        line("HTML of 1,000,000 elements", &"<p>".repeat(1_000_000), deep),
        line(
            "a tag with 200,000 attributes",
            &attributes(200_000),
            &["html", "malformed_answer", "transfer_timeout"],
        )
        .busy(),
        line("a tag that does not end", &format!("<p {}", "x".repeat(1 << 20)), &["html"]),
        line("a comment that does not end", &format!("<!--{}", "-".repeat(1 << 20)), &["html"]),
        line("a selector's worst", &"<p>".repeat(30_000), &["html"])
            .asking("http = { url = 'http://{at}/', html = { select = 'p ~ p ~ p ~ #never' } }"),
    ]
}

fn attributes(count: usize) -> String {
    let all: String = (0..count).map(|n| format!("a{n} ")).collect();
    format!("<p {all}>")
}
