//! `http` in HTTP/2: floods of every frame that there is, heads that unpack without end, windows
//! that never open.

use crate::frames::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING, PRIORITY, PUSH_PROMISE,
    RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, head, is_asked, settings,
};
use crate::line::Line;
use crate::words::{Words, silent};

/// Makes a line of a target and the reasons that it may have.
pub(crate) type Make = fn(&'static str, Words, &'static [&'static str]) -> Line;

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "http = { url = 'http://{at}/', versions = '2', max_body = '1MiB' }";
    Line::new("http/2", name, words, check, reasons)
}

/// Hears a request, and says `frames`.
pub(crate) fn answers(frames: &[Vec<u8>]) -> Words {
    // The first turn is the greeting, which is empty.
    silent().turn(is_asked, [settings(), frames.concat()].concat())
}

pub(crate) fn lines() -> Vec<Line> {
    [slow(), floods(line), heads(line), bodies(), broken(line), closing()]
        .into_iter()
        .flatten()
        .collect()
}

fn slow() -> Vec<Line> {
    let half = frame(DATA, 0, 1, b"half");
    vec![
        line("accepts and says nothing", silent(), &["first_byte_timeout"]).hasty(),
        line("settings and no more", answers(&[]), &["first_byte_timeout"]).hasty(),
        line(
            "settings a byte at a time",
            silent().turn(is_asked, "").drips([0; 9]),
            &["first_byte_timeout", "malformed_answer"],
        )
        .hasty(),
        line("half a head", answers(&[head(0)]), &["transfer_timeout"]).hasty(),
        line("half a body", answers(&[head(END_HEADERS), half]), &["transfer_timeout"]).hasty(),
        line("a window that never opens", answers(&[]), &["send_timeout"])
            .asking(format!(
                "http = {{ url = 'http://{{at}}/', versions = '2', method = 'POST', body = '{}' }}",
                "x".repeat(100_000)
            ))
            .hasty(),
    ]
}

/// Frames that are no answer, without end.
pub(crate) fn floods(line: Make) -> Vec<Line> {
    let nothing = answers(&[]);
    let flood = |frame: Vec<u8>| nothing.clone().without_end(frame.repeat(100));
    let large = &["headers_too_large"];
    vec![
        line("a flood of settings", flood(settings()), large),
        line(
            "a flood of settings acknowledged",
            flood(frame(SETTINGS, 1, 0, &[])),
            &["headers_too_large", "malformed_answer"],
        ),
        line("a flood of pings", flood(frame(PING, 0, 0, &[0; 8])), large),
        line("a flood of pongs", flood(frame(PING, 1, 0, &[0; 8])), large),
        line("a flood of priorities", flood(frame(PRIORITY, 0, 1, &[0, 0, 0, 3, 9])), large),
        line("a flood of unknown frames", flood(frame(99, 0, 0, &[0; 8])), large),
        line("a flood of windows", flood(frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1])), large),
        line(
            "a window of more than there is",
            flood(frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff])),
            &["malformed_answer"],
        ),
        line(
            "a flood of resets",
            flood(frame(RST_STREAM, 0, 1, &[0, 0, 0, 8])),
            &["first_byte_closed", "transfer_closed", "headers_too_large"],
        ),
        line(
            "pushes that nobody wants",
            flood(frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2, 0x88])),
            &["malformed_answer"],
        ),
    ]
}

/// Heads that are too large in some way.
pub(crate) fn heads(line: Make) -> Vec<Line> {
    let large = &["headers_too_large"];
    // A literal header, `x: yyy...`, which is not to be remembered.
    let long = [&[0, 1, b'x', 0x7f, 0x81, 0x7e][..], &[b'y'; 16_256]].concat();
    let continued = |part: &[u8]| answers(&[head(0)]).without_end(frame(CONTINUATION, 0, 1, part));
    // One of 4,000 bytes that is to be remembered, and then is named in a byte each.
    let bomb =
        [&[0x88, 0x40, 1, b'x', 0x7f, 0xa1, 0x1e][..], &[b'y'; 4000], &[0xbe; 10_000]].concat();
    let field = [0, 1, b'x', 1, b'y'];
    let interim = frame(HEADERS, END_HEADERS, 1, &[0x08, 3, b'1', b'0', b'3']);
    let empty_name = [&[0x88][..], &[0, 0, 0].repeat(3000)].concat();
    vec![
        line("headers continued without end", continued(&long), large),
        line("small headers continued without end", continued(&field), large),
        line("nothing, continued without end", continued(&[]), large),
        line(
            "a head that unpacks to 40 MB",
            answers(&[frame(HEADERS, END_HEADERS, 1, &bomb)]),
            large,
        ),
        line(
            "a thousand headers",
            answers(&[frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &[&[0x88][..], &field.repeat(1000)].concat(),
            )]),
            large,
        ),
        line(
            "headers without names",
            answers(&[frame(HEADERS, END_HEADERS, 1, &empty_name)]),
            &["malformed_answer", "headers_too_large"],
        ),
        line(
            "interim answers without end",
            answers(&[]).without_end(interim),
            &["malformed_answer"],
        ),
        line(
            "a table that grows and shrinks",
            answers(&[frame(
                HEADERS,
                END_HEADERS,
                1,
                &[&[0x88][..], &[0x20, 0x3f, 0xe1, 0x1f].repeat(4000)].concat(),
            )]),
            &["malformed_answer", "headers_too_large"],
        ),
        line(
            "trailers without end",
            answers(&[head(END_HEADERS), frame(HEADERS, END_STREAM, 1, &[])]).without_end(frame(
                CONTINUATION,
                0,
                1,
                &long,
            )),
            &["headers_too_large", "malformed_answer"],
        ),
    ]
}

fn bodies() -> Vec<Line> {
    let data = frame(DATA, 0, 1, &[b'x'; 16_384]);
    let padded = frame(DATA, 8, 1, &[&[255][..], &[0; 255]].concat());
    let body = |more: Vec<u8>| answers(&[head(END_HEADERS)]).without_end(more);
    let idle = &["transfer_timeout", "malformed_answer"];
    let small =
        "http = { url = 'http://{at}/', versions = '2', max_body = '8KiB', contains = 'x' }";
    vec![
        line("data beyond the window", body(data.clone()), &["malformed_answer"]),
        line("as much data as may come", answers(&[head(END_HEADERS), data]), &["body_too_large"])
            .asking(small),
        line("data without data", body(frame(DATA, 0, 1, &[])), idle).busy(),
        line("data that is padding alone", body(padded), idle).busy(),
    ]
}

/// What is no HTTP/2, or not at that time.
pub(crate) fn broken(line: Make) -> Vec<Line> {
    let malformed = &["malformed_answer"];
    vec![
        line("HTTP/1", silent().turn(is_asked, "HTTP/1.1 400 Bad Request\r\n\r\n"), malformed),
        line("garbage", silent().turn(is_asked, "").without_end([0x81; 4096]), malformed),
        line(
            "a frame of 16 MiB",
            answers(&[vec![0xff, 0xff, 0xff, DATA, 0, 0, 0, 0, 1]]),
            malformed,
        ),
        line(
            "a head that does not unpack",
            answers(&[frame(HEADERS, END_HEADERS, 1, &[0xff])]),
            &["malformed_answer", "headers_too_large"],
        )
        .hasty(),
        line("data before the head", answers(&[frame(DATA, 0, 1, b"x")]), malformed),
        line("a head for nobody", answers(&[frame(HEADERS, END_HEADERS, 7, &[0x88])]), malformed),
        line(
            "a status that is none",
            answers(&[frame(HEADERS, END_HEADERS, 1, &[0x08, 1, b'x'])]),
            malformed,
        ),
    ]
}

fn closing() -> Vec<Line> {
    let away = frame(GOAWAY, 0, 0, &[0, 0, 0, 0, 0, 0, 0, 1]);
    let (first_byte, transfer) = (&["first_byte_closed"], &["transfer_closed"]);
    vec![
        line("closes at once", silent().closes(), &["send_closed", "first_byte_closed"]),
        line("closes when asked", answers(&[]).closes(), first_byte),
        line("resets when asked", answers(&[]).resets(), first_byte),
        line("goes away", answers(&[away]), first_byte),
        line("closes in the head", answers(&[head(0)]).closes(), transfer),
        line("closes in the body", answers(&[head(END_HEADERS)]).closes(), transfer),
        line("resets in the body", answers(&[head(END_HEADERS)]).resets(), transfer),
        line(
            "resets the stream",
            answers(&[frame(RST_STREAM, 0, 1, &[0, 0, 0, 2])]),
            &["transfer_closed"],
        ),
    ]
}
