//! `http`: heads. Silence, slowness, heads without end, garbage, redirects, and hanging up.

use crate::line::Line;
use crate::words::{Words, answers, answers_to, greets, silent};

const OK: &str = "HTTP/1.1 200 OK\r\n";

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    Line::new("http", name, words, "http = 'http://{at}/'", reasons)
}

pub(crate) fn lines() -> Vec<Line> {
    [slow(), endless(), broken(), closing(), redirects()].into_iter().flatten().collect()
}

fn slow() -> Vec<Line> {
    vec![
        line("accepts and says nothing", silent(), &["first_byte_timeout"]).hasty(),
        line(
            "a head a byte at a time",
            answers("").drips("HTTP/1.1 200 OK\r\nX: y\r\n"),
            &["transfer_timeout"],
        )
        .hasty(),
        line("half a status line", answers("HTTP/1."), &["transfer_timeout"]).hasty(),
        line("half a head", answers(format!("{OK}Content-Le")), &["transfer_timeout"]).hasty(),
        line(
            "an interim answer and no more",
            answers("HTTP/1.1 100 Continue\r\n\r\n"),
            &["transfer_timeout"],
        )
        .hasty(),
    ]
}

fn endless() -> Vec<Line> {
    let large = &["headers_too_large"];
    let hundred_thousand: String = (0..100_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n";
    let cookie = format!("Set-Cookie: n={}\r\n", "x".repeat(4096));
    vec![
        line("an endless status line", answers("HTTP/1.1 200 ").without_end("so well "), large),
        line("an endless header", answers(format!("{OK}X: ")).without_end([b'x'; 4096]), large),
        line("an endless header's name", answers(OK).without_end([b'x'; 4096]), large),
        line("endless headers", answers(OK).without_end("X: y\r\n".repeat(1000)), large),
        line("100,000 headers", answers(format!("{OK}{hundred_thousand}\r\n")), large),
        line("endless interim answers", answers("").without_end(interim.repeat(100)), large),
        line(
            "endless empty lines",
            answers("").without_end("\r\n".repeat(1000)),
            &["headers_too_large", "malformed_answer"],
        ),
        line("thousands of cookies of 4 KiB", answers(OK).without_end(cookie.repeat(8)), large),
    ]
}

fn broken() -> Vec<Line> {
    let malformed = &["malformed_answer"];
    vec![
        line("garbage", answers([0x81; 4096]), malformed),
        line("endless garbage", answers("").without_end([0x81; 4096]), malformed),
        line("endless zeros", answers("").without_end([0; 4096]), malformed),
        line("another protocol", answers("SSH-2.0-OpenSSH_9.6\r\n\r\n"), malformed),
        line("a status of four digits", answers("HTTP/1.1 2000 Many\r\n\r\n"), malformed),
        line("HTTP/2 that nobody asked for", answers([0, 0, 0, 4, 0, 0, 0, 0, 0]), malformed),
        line(
            "a header folded for ever",
            answers(format!("{OK}X: y\r\n")).without_end(" z\r\n"),
            &["headers_too_large", "malformed_answer"],
        ),
        line(
            "a length of less than nothing",
            answers(format!("{OK}Content-Length: -1\r\n\r\nx")),
            malformed,
        ),
        line(
            "two lengths",
            answers(format!("{OK}Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx")),
            malformed,
        ),
    ]
}

fn closing() -> Vec<Line> {
    // Whether the request was out before the target had gone is between the two systems.
    let at_once = &["send_closed", "first_byte_closed"];
    let (first_byte, transfer) = (&["first_byte_closed"], &["transfer_closed"]);
    vec![
        line("closes at once", greets("").closes(), at_once),
        line(
            "resets at once",
            greets("").resets(),
            &["send_closed", "first_byte_closed", "connect_reset"],
        ),
        line("closes when asked", answers("").closes(), first_byte),
        line("resets when asked", answers("").resets(), first_byte),
        line("closes in the head", answers(OK).closes(), transfer),
        line("resets in the head", answers(OK).resets(), &["transfer_closed", "first_byte_closed"]),
        // Whether the answer is read before the reset comes is between the two systems as well.
        line(
            "answers before it is asked, and resets",
            greets(format!("{OK}Content-Length: 2\r\n\r\nok")).resets(),
            &[
                "none",
                "connect_reset",
                "send_closed",
                "first_byte_closed",
                "transfer_closed",
                "malformed_answer",
            ],
        ),
    ]
}

fn redirects() -> Vec<Line> {
    let to = |location: &str, more: &str| {
        answers(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n{more}\r\n"))
    };
    // Every answer leads to where nobody was before.
    let further = answers_to(|request| {
        let path = String::from_utf8_lossy(request);
        let path = path.split(' ').nth(1).unwrap_or("/").to_owned();
        format!("HTTP/1.1 302 Found\r\nLocation: {path}x\r\nContent-Length: 0\r\n\r\n")
    });
    // Ever more cookies on the way, each as long as can be kept.
    let laden = answers_to(|request| {
        let length = request.len();
        let cookies: String = (0..15)
            .map(|n| format!("Set-Cookie: c{n}l{length}={}\r\n", "x".repeat(4000)))
            .collect();
        format!("HTTP/1.1 302 Found\r\nLocation: /{length}\r\n{cookies}Content-Length: 0\r\n\r\n")
    });
    let (limit, turns_back) = (&["redirect_limit"], &["redirect_loop"]);
    vec![
        line("a redirect to itself", to("/", "Content-Length: 0\r\n"), turns_back),
        line("redirects without end", further, limit),
        // What is given is kept to be sent back, and to be hidden.
        line("redirects laden with cookies", laden, turns_back).within(4096),
        line("a redirect with an endless body", to("/", "").without_end([b'x'; 4096]), turns_back),
        line(
            "a redirect to nowhere",
            to("http://", "Content-Length: 0\r\n"),
            &["redirect_invalid"],
        ),
        line(
            "a redirect to a file",
            to("file:///etc/passwd", "Content-Length: 0\r\n"),
            &["redirect_invalid"],
        ),
        line(
            "a redirect to 60 KiB",
            to(&"/x".repeat(30_000), "Content-Length: 0\r\n"),
            &["redirect_loop", "redirect_invalid"],
        ),
        // To the proxy, which this is, the configured address is a public one.
        Line::new(
            "http",
            "a redirect to a private address",
            to("http://127.0.0.1:1/", "Content-Length: 0\r\n"),
            "http = { url = 'http://203.0.113.7/', proxy = 'http://{at}' }",
            &["redirect_refused"],
        ),
    ]
}
