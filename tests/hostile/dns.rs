//! `dns` over UDP and TCP, and name servers of a platform: packets that lie about everything that
//! a packet says.

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::rdata::{A, CNAME};
use hickory_proto::rr::{Name, RData, Record};

use crate::line::Line;
use crate::serve::{Datagrams, Target};
use crate::words::{Words, greets, replies, silent};

fn udp(name: &'static str, datagrams: Datagrams, reasons: &'static [&'static str]) -> Line {
    let target = Target::Datagrams(datagrams, silent());
    Line::new("dns udp", name, target, "dns = { server = '{at}', name = 'name.test' }", reasons)
}

fn tcp(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    Line::new(
        "dns tcp",
        name,
        words,
        "dns = { server = 'tcp://{at}', name = 'name.test' }",
        reasons,
    )
}

pub(crate) fn lines() -> Vec<Line> {
    [datagrams(), lies(), truncated(), streams(), resolving()].into_iter().flatten().collect()
}

/// An answer to `question`, with these records.
fn answer(question: &[u8], records: impl IntoIterator<Item = (String, RData)>) -> Message {
    let question = Message::from_vec(question).unwrap();
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.add_queries(question.queries);
    for (name, data) in records {
        answer.add_answer(Record::from_rdata(name.parse().unwrap(), 300, data));
    }
    answer
}

fn right(question: &[u8]) -> Vec<u8> {
    let data = RData::A(A::new(127, 0, 0, 1));
    answer(question, [("name.test.".to_owned(), data)]).to_vec().unwrap()
}

fn alias(from: &str, to: &str) -> (String, RData) {
    (from.to_owned(), RData::CNAME(CNAME(to.parse::<Name>().unwrap())))
}

/// So many aliases, each to the next, and never an address.
fn chain(question: &[u8], count: usize) -> Vec<u8> {
    let name = |n| if n == 0 { "name.test.".to_owned() } else { format!("a{n}.test.") };
    answer(question, (0..count).map(|n| alias(&name(n), &name(n + 1)))).to_vec().unwrap()
}

/// The question's own head with what follows in place of its body: one answer, it says.
fn with_answer(question: &[u8], body: &[u8]) -> Vec<u8> {
    let mut packet = question.to_vec();
    packet[2] |= 0x80;
    packet[7] = 1;
    // What an extension would count is gone with it.
    packet[11] = 0;
    [&packet, body].concat()
}

fn datagrams() -> Vec<Line> {
    let malformed = &["malformed_answer"];
    vec![
        udp("says nothing", |_| Vec::new(), &["first_byte_timeout"]).hasty(),
        udp("garbage", |_| vec![(vec![0xff; 100], false)], &["first_byte_timeout"]).hasty(),
        udp(
            "garbage of the right number",
            |q| vec![([&q[..2], &[0xff; 100]].concat(), false)],
            malformed,
        ),
        udp("empty packets", |_| vec![(Vec::new(), false); 100], &["first_byte_timeout"]).hasty(),
        udp("the question itself", |q| vec![(q.to_vec(), false)], malformed),
        udp(
            "the answer to another question",
            |q| {
                let mut other = right(q);
                other[13] ^= 1;
                vec![(other, false)]
            },
            malformed,
        ),
        udp(
            "the answer of another number",
            |q| {
                let mut other = right(q);
                other[0] ^= 1;
                vec![(other, false)]
            },
            &["first_byte_timeout"],
        )
        .hasty(),
        udp(
            "thousands of other numbers",
            |q| {
                let mut other = right(q);
                other[0] ^= 1;
                vec![(other, false); 3000]
            },
            &["malformed_answer", "first_byte_timeout"],
        )
        .busy(),
        udp("an answer from somebody else", |q| vec![(right(q), true)], &["first_byte_timeout"])
            .hasty(),
    ]
}

/// Packets whose number and question are right.
fn lies() -> Vec<Line> {
    let malformed = &["malformed_answer"];
    vec![
        udp(
            "aliases in a circle",
            |q| {
                let circle = [alias("name.test.", "b.test."), alias("b.test.", "name.test.")];
                vec![(answer(q, circle).to_vec().unwrap(), false)]
            },
            malformed,
        ),
        udp("a chain of aliases", |q| vec![(chain(q, 40), false)], malformed),
        udp(
            "names that point at themselves",
            |q| {
                let at = u8::try_from(q.len()).unwrap();
                vec![(with_answer(q, &[0xc0, at, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4]), false)]
            },
            malformed,
        ),
        udp(
            "names that point behind the end",
            |q| {
                vec![(
                    with_answer(q, &[0xff, 0xff, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4]),
                    false,
                )]
            },
            malformed,
        ),
        udp(
            "65,535 records, it says",
            |q| {
                let mut lying = right(q);
                (lying[6], lying[7]) = (0xff, 0xff);
                vec![(lying, false)]
            },
            malformed,
        ),
        udp(
            "a record that is too long",
            |q| vec![(with_answer(q, &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 1]), false)],
            malformed,
        ),
    ]
}

/// What does not fit into a datagram is asked for over TCP, where all this comes.
fn truncated() -> Vec<Line> {
    fn cut(question: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let mut answer = answer(question, []);
        answer.metadata.truncation = true;
        vec![(answer.to_vec().unwrap(), false)]
    }
    let line = |name, words| {
        let check = "dns = { server = '{at}', name = 'name.test' }";
        Line::new("dns", name, Target::Datagrams(cut, words), check, &["dns_truncated"])
    };
    let again = greets("").says_to(|heard| heard.len() > 2, |heard| framed(&cut(&heard[2..])[0].0));
    vec![
        line("truncated, and then silence", silent()).hasty(),
        line("truncated over TCP as well", again),
        line("truncated, and then garbage", replies("").without_end([0xff; 4096])),
        line("truncated, and then an end", replies("").closes()),
        line("truncated, and then a reset", greets("").resets()),
    ]
}

/// A message with its length in front.
pub(crate) fn framed(message: &[u8]) -> Vec<u8> {
    [&u16::try_from(message.len()).unwrap().to_be_bytes()[..], message].concat()
}

/// Hears a question, and says what `say` makes of it.
pub(crate) fn answers(say: fn(&[u8]) -> Vec<u8>) -> Words {
    silent().says_to(|heard| heard.len() > 2, move |heard| say(&heard[2..]))
}

/// An answer of nearly 64 KiB.
fn huge(question: &[u8]) -> Vec<u8> {
    // The name that is asked for, an address on the loopback, and how long it is one.
    let record =
        |n: u16| [&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 127, 1], &n.to_be_bytes()[..]].concat();
    let records: Vec<u8> = (0..4000).flat_map(record).collect();
    let mut packet = with_answer(question, &records);
    [packet[6], packet[7]] = 4000_u16.to_be_bytes();
    packet
}

/// What every way over a stream has in common.
pub(crate) fn in_streams() -> Vec<(&'static str, Words, &'static [&'static str], bool)> {
    let malformed: &'static [&'static str] = &["malformed_answer"];
    let late: &'static [&'static str] = &["first_byte_timeout"];
    let closed: &'static [&'static str] = &["first_byte_closed"];
    vec![
        ("accepts and says nothing", silent(), late, true),
        ("a byte at a time", replies("").drips([0x40]), late, true),
        ("garbage without end", replies("").without_end([0xff; 4096]), malformed, false),
        ("a message of no length", answers(|_| vec![0, 0]), malformed, false),
        (
            "a message longer than it says",
            answers(|q| [&[0, 20][..], &right(q)].concat()),
            malformed,
            false,
        ),
        (
            "a message shorter than it says",
            answers(|q| [&[0xff, 0xff][..], &right(q)].concat()),
            late,
            true,
        ),
        (
            "another number",
            answers(|q| {
                let mut a = right(q);
                a[0] ^= 1;
                framed(&a)
            }),
            malformed,
            false,
        ),
        ("64 KiB", answers(|q| framed(&huge(q))), &["none"], false),
        ("a chain of 2,000 aliases", answers(|q| framed(&chain(q, 2000))), malformed, false),
        (
            "truncated",
            answers(|q| {
                let mut a = right(q);
                a[2] |= 2;
                framed(&a)
            }),
            malformed,
            false,
        ),
        ("closes when asked", replies("").closes(), closed, false),
        ("resets when asked", replies("").resets(), closed, false),
        ("closes in the length", replies([0]).closes(), closed, false),
        (
            "closes in the message",
            answers(|q| framed(&right(q))[..20].to_vec()).closes(),
            closed,
            false,
        ),
    ]
}

fn streams() -> Vec<Line> {
    let lines = in_streams().into_iter().map(|(name, words, reasons, hasty)| {
        let line = tcp(name, words, reasons);
        if hasty { line.hasty() } else { line }
    });
    let mut lines: Vec<Line> = lines.collect();
    lines.push(tcp("closes at once", greets("").closes(), &["first_byte_closed"]));
    lines.push(tcp("resets at once", greets("").resets(), &["first_byte_closed", "connect_reset"]));
    lines
}

/// A platform's resolver, that somebody's `http` check needs.
fn resolving() -> Vec<Line> {
    let line = |name, datagrams: Datagrams, words, reasons| {
        let target = Target::Datagrams(datagrams, words);
        let check = "http = { url = 'http://name.test:1/', addresses = 'all' }";
        Line::new("resolver", name, target, check, reasons).resolving()
    };
    fn cut(question: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let mut answer = answer(question, []);
        answer.metadata.truncation = true;
        vec![(answer.to_vec().unwrap(), false)]
    }
    fn further(question: &[u8]) -> Vec<(Vec<u8>, bool)> {
        let asked = Message::from_vec(question).unwrap().queries[0].name.to_string();
        vec![(answer(question, [alias(&asked, &format!("x{asked}"))]).to_vec().unwrap(), false)]
    }
    vec![
        line("says nothing", |_| Vec::new(), silent(), &["resolve_timeout"]).hasty(),
        line(
            "garbage of the right number",
            |q| vec![([&q[..2], &[0xff; 100]].concat(), false)],
            silent(),
            &["resolve_failed"],
        ),
        line(
            "aliases in a circle",
            |q| {
                let circle = [alias("name.test.", "b.test."), alias("b.test.", "name.test.")];
                vec![(answer(q, circle).to_vec().unwrap(), false)]
            },
            silent(),
            &["resolve_failed"],
        ),
        line("aliases that lead on without end", further, silent(), &["resolve_failed"]),
        line("4,000 addresses", cut, answers(|q| framed(&huge(q))), &["connect_refused"]),
    ]
}
