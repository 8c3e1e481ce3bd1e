//! `http` whose token must be asked for, of an endpoint that gives none.

use crate::line::Line;
use crate::words::{Words, answers, answers_to, greets, silent};

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    // The target is asked only with a token, so nobody needs to be there.
    let check = "http = { url = 'http://127.0.0.1:1/', oauth2 = { token_url = 'http://{at}/', \
                 client_id = 'me', client_secret = { env = 'WORD' } } }";
    Line::new("token", name, words, check, reasons)
}

/// A whole answer with `body`.
fn whole(body: &str) -> Words {
    answers(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())).closes()
}

pub(crate) fn lines() -> Vec<Line> {
    let none = &["token_unavailable"];
    let ok = "HTTP/1.1 200 OK\r\n\r\n";
    let zeros = crate::http_encoding::gzip();
    let bomb = [b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".as_slice(), &zeros].concat();
    let moved = answers_to(|_| "HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n".to_owned()).closes();
    let long = format!("{{\"access_token\":\"{}\"}}", "x".repeat(60_000));
    vec![
        line("accepts and says nothing", silent(), none).hasty(),
        line("a byte at a time", answers("").drips(ok), none).hasty(),
        line("garbage", answers([0x81; 4096]), none),
        line("an endless header", answers("HTTP/1.1 200 OK\r\nX: ").without_end("x"), none),
        line("an endless body", answers(ok).without_end([b'x'; 4096]), none),
        line(
            "an endless token",
            answers(format!("{ok}{{\"access_token\":\"")).without_end("x"),
            none,
        ),
        line("gzip of gigabytes", answers(bomb), none),
        line("closes at once", greets("").closes(), none),
        line("closes when asked", answers("").closes(), none),
        line("resets when asked", answers("").resets(), none),
        line("leads in a circle", moved, &["token_refused"]),
        line("JSON nested 30,000 deep", whole(&"[".repeat(30_000)), &["token_malformed"]),
        line("a token of 60 KB", whole(&long), &["token_malformed", "connect_refused"]),
    ]
}
