//! `tcp`: banners without end, and scripts that get no answer or too much of one.

use crate::line::Line;
use crate::serve::secure;
use crate::words::{Words, greets, replies, silent};

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "tcp = { address = '{at}', expect = '^220 .*\\n' }";
    Line::new("tcp", name, words, check, reasons)
}

pub(crate) fn lines() -> Vec<Line> {
    let other = &["tcp_expect"];
    let told = "tcp = { address = '{at}', script = [{ expect = '(?<name>.*)\\n' }, \
                { send = '{{name}}\\n' }, { expect = 'never' }] }";
    let silence = silent().replies("");
    vec![
        line("accepts and says nothing", silent(), &["first_byte_timeout"]).hasty(),
        line("a byte at a time", greets("").drips("x"), other).hasty(),
        line("a banner that never ends its line", greets("220 ").without_end([b'x'; 4096]), other),
        line("lines without end", greets("").without_end("221 and more\r\n".repeat(100)), other),
        line("garbage without end", greets("").without_end([0x81; 4096]), other),
        line("half a banner", greets("220 hal"), other).hasty(),
        line("closes at once", greets("").closes(), &["first_byte_closed"]),
        line("resets at once", greets("").resets(), &["first_byte_closed", "connect_reset"]),
        line("closes in the banner", greets("220 hal").closes(), other),
        line(
            "resets in the banner",
            greets("220 hal").resets(),
            &["tcp_expect", "first_byte_closed", "connect_reset"],
        ),
        line("silence in the script", greets("me\n"), &["first_byte_timeout"]).asking(told).hasty(),
        line("chatter in the script", greets("me\n").replies("").without_end("you\n"), other)
            .asking(told),
        line(
            "a name of 60 KiB to repeat",
            greets(format!("{}\n", "x".repeat(60_000))),
            &["first_byte_timeout"],
        )
        .asking(told)
        .hasty(),
        line("does not read what is sent", silence, &["first_byte_timeout"])
            .asking("tcp = { address = '{at}', send = 'hello', expect = 'never' }")
            .hasty(),
        line("closes in the script", greets("me\n").replies("").closes(), &["first_byte_closed"])
            .asking(told),
        line("resets in the script", greets("me\n").replies("").resets(), &["first_byte_closed"])
            .asking(told),
        Line::new(
            "tcp",
            "a banner without end over TLS",
            secure("", greets("220 ").without_end([b'x'; 4096])),
            "tcp = { address = '{at}', tls = true, expect = '^220 .*\\n' }",
            other,
        ),
        Line::new(
            "tcp",
            "garbage instead of TLS",
            replies("").without_end([0x81; 4096]),
            "tcp = { address = '{at}', tls = true, expect = '^220 .*\\n' }",
            &["tls_handshake"],
        ),
    ]
}
