//! `tcp` and `tls` with `starttls`: in the words of each protocol, silence, crumbs, floods, a no,
//! words after the yes that were meant for TLS, and hanging up.

use crate::line::Line;
use crate::words::{Words, greets, replies, silent};

/// How a server of one protocol speaks.
struct Dialect {
    name: &'static str,
    /// All that comes before the answer to the wish for TLS.
    before: Words,
    yes: &'static [u8],
    no: &'static [u8],
    /// What goes on without an end where the answer should be.
    more: &'static [u8],
}

const STREAM: &str = "<stream:stream xmlns:stream='http://etherx.jabber.org/streams'>\
                      <stream:features><starttls/></stream:features>";

fn dialects() -> [Dialect; 6] {
    [
        Dialect {
            name: "smtp",
            before: greets("220 here\r\n").replies("250-here\r\n250 STARTTLS\r\n"),
            yes: b"220 go\r\n",
            no: b"454 no\r\n",
            more: b"220-and more\r\n",
        },
        Dialect {
            name: "imap",
            before: greets("* OK here\r\n"),
            yes: b"a1 OK go\r\n",
            no: b"a1 NO\r\n",
            more: b"* and more\r\n",
        },
        Dialect {
            name: "pop3",
            before: greets("+OK here\r\n"),
            yes: b"+OK go\r\n",
            no: b"-ERR\r\n",
            more: b"+OK",
        },
        Dialect {
            name: "ldap",
            before: silent(),
            yes: b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00",
            no: b"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00",
            more: b"\x30\x84\x7f\xff\xff\xff",
        },
        Dialect {
            name: "xmpp",
            before: replies(STREAM),
            yes: b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            no: b"<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
            more: b"<iq>",
        },
        Dialect { name: "postgres", before: silent(), yes: b"S", no: b"N", more: b"S" },
    ]
}

pub(crate) fn lines() -> Vec<Line> {
    dialects().iter().flat_map(of).collect()
}

fn of(dialect: &Dialect) -> Vec<Line> {
    let kind = dialect.name;
    let line = |name, words, reasons| {
        let check = format!("tcp = {{ address = '{{at}}', starttls = '{kind}' }}");
        Line::new(kind, name, words, check, reasons)
    };
    let before = || dialect.before.clone();
    let asked = |answer: &[u8]| before().replies(answer);
    // Whether our words were out before the target had gone is between the two systems.
    let gone = &["first_byte_closed", "send_closed", "connect_reset"];
    // Of one byte that answers, more can be too much or no TLS.
    let flooded = &["tcp_expect", "malformed_answer", "tls_handshake"];
    vec![
        line("accepts and says nothing", silent(), &["first_byte_timeout"]).hasty(),
        line("a byte at a time", greets("").drips("220 * +"), &["tcp_expect"]).hasty(),
        line("garbage without end", greets("").without_end([0x81; 4096]), &["tcp_expect"]),
        line("an answer without end", before().replies("").without_end(dialect.more), flooded),
        line("says no", asked(dialect.no), &["starttls_refused"]),
        line("says no answer", before(), &["first_byte_timeout", "transfer_timeout"]).hasty(),
        line("says yes and then nothing", asked(dialect.yes), &["tls_timeout"]).hasty(),
        line(
            "says yes and more",
            asked(&[dialect.yes, b"* 250 injected\r\n"].concat()),
            &["malformed_answer"],
        ),
        line(
            "says yes and then garbage",
            asked(dialect.yes).replies("").without_end([0x81; 99]),
            &["tls_handshake"],
        ),
        line("closes at once", greets("").closes(), gone),
        line("resets at once", greets("").resets(), gone),
        line("closes when asked", asked(b"").closes(), &["first_byte_closed"]),
        line("resets when asked", asked(b"").resets(), gone),
        line("closes after the yes", asked(dialect.yes).replies("").closes(), &["tls_closed"]),
        line("resets after the yes", asked(dialect.yes).replies("").resets(), &["tls_closed"]),
    ]
}
