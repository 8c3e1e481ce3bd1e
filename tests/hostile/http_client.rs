//! `http`: what a target can do to the requests: not read them, and limits of their own.

use crate::line::Line;
use crate::words::{answers, greets};

pub(crate) fn lines() -> Vec<Line> {
    // What is not read of a head is as long as a configuration allows; a body can be longer.
    vec![
        Line::new(
            "http",
            "an answer before the request, and a reset",
            greets("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").resets(),
            "http = 'http://{at}/'",
            &[
                "none",
                "transfer_closed",
                "first_byte_closed",
                "send_closed",
                "malformed_answer",
                "connect_reset",
            ],
        ),
        Line::new(
            "http",
            "a silence that is longer than it may be",
            answers("HTTP/1.1 200 OK\r\n\r\nhalf"),
            "http = { url = 'http://{at}/', idle_timeout = '1s' }",
            &["idle_limit"],
        ),
        Line::new(
            "http",
            "a beginning that does not come",
            answers(""),
            "http = { url = 'http://{at}/', first_byte_timeout = '1s' }",
            &["first_byte_limit"],
        ),
    ]
}
