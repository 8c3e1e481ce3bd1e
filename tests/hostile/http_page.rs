//! `http` with `page = true`: pages that name more than can be loaded, and parts that misbehave.

use crate::line::Line;
use crate::words::{Words, answers_to};

/// What a part of the page is answered with.
type Part = fn(&str) -> String;

/// Answers `/` with `html`, and everything else with what `part` makes of the path.
fn site(html: String, part: Part) -> Words {
    answers_to(move |request| {
        let request = String::from_utf8_lossy(request);
        match request.split(' ').nth(1).unwrap_or("/") {
            "/" | "http://203.0.113.7/" => typed("text/html", &html),
            path => part(path),
        }
    })
    .closes()
}

fn typed(kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

fn script(_: &str) -> String {
    typed("text/javascript", "draw()")
}

fn further(path: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {path}x\r\nContent-Length: 0\r\n\r\n")
}

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "http = { url = 'http://{at}/', page = true }";
    Line::new("http page", name, words, check, reasons).within(64 * 1024)
}

pub(crate) fn lines() -> Vec<Line> {
    let named = |count| -> String {
        let scripts = (0..count).map(|n| format!("<script src=/{n}.js></script>"));
        std::iter::once("<p>Hello".to_owned()).chain(scripts).collect()
    };
    let one = || "<p>Hello<script src=/a.js></script>".to_owned();
    let part = &["page_part"];
    vec![
        line("thousands of scripts", site(named(5000), script), &["none"]),
        line("twenty thousand scripts", site(named(20_000), script), &["none"]),
        line("thousands of hosts", site(hosts(5000), script), part).busy(),
        line(
            "a script that is the page",
            site(one(), |_| typed("text/html", "<p>")),
            &["page_part_type"],
        ),
        line("scripts that are led on without end", site(one(), further), part),
        line(
            "scripts with heads without end",
            site(one(), |_| format!("HTTP/1.1 200 OK\r\nX: {}", "x".repeat(1 << 20))),
            part,
        ),
        line(
            "endless scripts",
            site(named(6), |_| format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(17 << 20))),
            part,
        ),
        line(
            "a base of 60 KiB",
            site(format!("<base href='/{}'>{}", "x".repeat(60_000), named(2000)), script),
            &["none"],
        ),
        // To the proxy, which this is, the page's own address is a public one.
        line(
            "a script at a private address",
            site("<p>Hello<script src='http://127.0.0.1:1/x.js'></script>".to_owned(), script),
            part,
        )
        .asking("http = { url = 'http://203.0.113.7/', page = true, proxy = 'http://{at}' }"),
    ]
}

fn hosts(count: usize) -> String {
    let scripts = (0..count)
        .map(|n| format!("<script src=http://127.77.{}.{}:1/></script>", n / 250, n % 250));
    std::iter::once("<p>Hello".to_owned()).chain(scripts).collect()
}
