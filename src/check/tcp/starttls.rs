//! Asking for TLS in the words of a protocol that begins without: one small dialogue each, as its
//! standard has it, up to the moment when the TLS handshake may begin.
//!
//! A server that says no is told apart (`starttls_refused`) from one that does not speak the
//! protocol at all (`tcp_expect`), since the one was configured so and the other is broken.

use super::talk::{Talk, unexpected, words};
use crate::config::Starttls;
use crate::model::Reason;

/// More lines than any greeting has. A line is taken as soon as it has come, so their number must
/// be bounded as well as their length.
const MOST_LINES: usize = 256;

/// Who we are, to a mail server: a name that cannot be anybody's.
const EHLO: &[u8] = b"EHLO farol.invalid\r\n";

/// `ExtendedRequest`, message 1, of the operation `1.3.6.1.4.1.1466.20037` (RFC 4511, 4.14.1).
const LDAP_START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// Its length, and the number that stands for it (PostgreSQL's protocol, 54.2.10).
const POSTGRES_SSL_REQUEST: &[u8] = &[0, 0, 0, 8, 4, 210, 22, 47];

/// Asks for TLS in the words of `protocol`; `host` is who we want to speak to.
pub(in super::super) async fn ask(
    talk: &mut Talk<'_>,
    protocol: Starttls,
    host: &str,
) -> Result<(), Reason> {
    match protocol {
        Starttls::Smtp => smtp(talk).await,
        Starttls::Imap => imap(talk).await,
        Starttls::Pop3 => pop3(talk).await,
        Starttls::Ldap => ldap(talk).await,
        Starttls::Xmpp => xmpp(talk, host).await,
        Starttls::Postgres => postgres(talk).await,
    }
}

fn refused(got: &[u8]) -> Reason {
    Reason::StarttlsRefused { got: words(got) }
}

/// RFC 3207: the greeting is 220, the answer to EHLO is 250 and names STARTTLS, the answer to
/// STARTTLS is 220.
async fn smtp(talk: &mut Talk<'_>) -> Result<(), Reason> {
    let greeting = smtp_reply(talk).await?;
    greeting.must_be(b"220", "an SMTP greeting")?;
    talk.say(EHLO).await?;
    let hello = smtp_reply(talk).await?;
    hello.must_be(b"250", "a good answer to EHLO")?;
    // The first line is the server's name and what it likes to say.
    let offered = hello.lines.iter().skip(1).any(|line| {
        let keyword = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        keyword.eq_ignore_ascii_case(b"STARTTLS")
    });
    if !offered {
        let offers = hello.lines.get(1..).unwrap_or_default().join(&b", "[..]);
        return Err(refused(&[b"STARTTLS is not among: ", offers.as_slice()].concat()));
    }
    talk.say(b"STARTTLS\r\n").await?;
    let answer = smtp_reply(talk).await?;
    if answer.code == b"220" { Ok(()) } else { Err(refused(&answer.last)) }
}

/// A reply of one or more lines.
struct SmtpReply {
    code: Vec<u8>,
    /// What follows the code in each of them.
    lines: Vec<Vec<u8>>,
    /// The last one whole.
    last: Vec<u8>,
}

impl SmtpReply {
    fn must_be(&self, code: &[u8], expected: &str) -> Result<(), Reason> {
        if self.code == code { Ok(()) } else { Err(unexpected(expected, &self.last)) }
    }
}

/// RFC 5321, 4.2: each line has the same code of three digits; a hyphen after it says that there
/// are more.
async fn smtp_reply(talk: &mut Talk<'_>) -> Result<SmtpReply, Reason> {
    const EXPECTED: &str = "an SMTP reply";
    let mut reply = SmtpReply { code: Vec::new(), lines: Vec::new(), last: Vec::new() };
    for _ in 0..MOST_LINES {
        let line = talk.line(EXPECTED).await?;
        let (Some(code), rest) = (line.get(..3), line.get(3..).unwrap_or_default()) else {
            return Err(unexpected(EXPECTED, &line));
        };
        let other = !reply.code.is_empty() && reply.code != code;
        if other || !code.iter().all(u8::is_ascii_digit) {
            return Err(unexpected(EXPECTED, &line));
        }
        reply.code = code.to_vec();
        let (more, text) = match rest.split_first() {
            None => (false, rest),
            Some((b' ', text)) => (false, text),
            Some((b'-', text)) => (true, text),
            Some(_) => return Err(unexpected(EXPECTED, &line)),
        };
        reply.lines.push(text.get(..100).unwrap_or(text).to_vec());
        if !more {
            reply.last = line;
            return Ok(reply);
        }
    }
    Err(unexpected("the end of an SMTP reply", &reply.code))
}

/// RFC 9051: the greeting is an untagged OK, the answer a tagged one, and whatever is untagged
/// before it is none of ours. Who is greeted with PREAUTH is logged in, and may not ask for TLS.
async fn imap(talk: &mut Talk<'_>) -> Result<(), Reason> {
    let greeting = talk.line("an IMAP greeting").await?;
    if begins(&greeting, b"* PREAUTH") {
        return Err(refused(&greeting));
    }
    if !begins(&greeting, b"* OK") {
        return Err(unexpected("an IMAP greeting", &greeting));
    }
    talk.say(b"a1 STARTTLS\r\n").await?;
    for _ in 0..MOST_LINES {
        let line = talk.line("an answer to STARTTLS").await?;
        if begins(&line, b"a1 OK") {
            return Ok(());
        }
        if begins(&line, b"a1 NO") || begins(&line, b"a1 BAD") || begins(&line, b"* BYE") {
            return Err(refused(&line));
        }
        if !line.starts_with(b"* ") {
            return Err(unexpected("an answer to STARTTLS", &line));
        }
    }
    Err(unexpected("an answer to STARTTLS", b"* ..."))
}

/// RFC 2595: `+OK` greets, and answers STLS.
async fn pop3(talk: &mut Talk<'_>) -> Result<(), Reason> {
    let greeting = talk.line("a POP3 greeting").await?;
    if !begins(&greeting, b"+OK") {
        return Err(unexpected("a POP3 greeting", &greeting));
    }
    talk.say(b"STLS\r\n").await?;
    let answer = talk.line("an answer to STLS").await?;
    if begins(&answer, b"+OK") {
        Ok(())
    } else if begins(&answer, b"-ERR") {
        Err(refused(&answer))
    } else {
        Err(unexpected("an answer to STLS", &answer))
    }
}

/// Whether `line` begins with the words `start`, in any case, as whole words.
fn begins(line: &[u8], start: &[u8]) -> bool {
    let (head, rest) = line.split_at_checked(start.len()).unwrap_or_default();
    head.eq_ignore_ascii_case(start) && rest.first().is_none_or(|byte| *byte == b' ')
}

/// RFC 4511, 4.14: the answer to our request has its message id and a result code. A message of
/// id 0 is a notice that the server hangs up.
async fn ldap(talk: &mut Talk<'_>) -> Result<(), Reason> {
    const EXPECTED: &str = "an LDAP answer";
    talk.say(LDAP_START_TLS).await?;
    let message = talk
        .listen(EXPECTED, |heard| match element(heard) {
            Element::Whole { tag, contents, rest } => {
                let length = heard.len() - rest.len();
                Some((length, (tag == 0x30).then(|| contents.to_vec()).ok_or(heard.to_vec())))
            }
            Element::Unfinished => None,
            Element::Garbage => Some((heard.len(), Err(heard.to_vec()))),
        })
        .await?
        .map_err(|garbage| unexpected(EXPECTED, &garbage))?;
    let (code, words) = ldap_result(&message).ok_or_else(|| unexpected(EXPECTED, &message))?;
    match code {
        [0] => Ok(()),
        code => {
            let number = code.last().copied().unwrap_or_default();
            Err(refused(&[format!("result {number}: ").as_bytes(), words].concat()))
        }
    }
}

/// The result code and the diagnostic message of an `ExtendedResponse`.
fn ldap_result(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = whole(message, 0x02)?;
    let (response, _) = whole(rest, 0x78)?;
    let (code, rest) = whole(response, 0x0a)?;
    let (_matched, rest) = whole(rest, 0x04)?;
    let (diagnostic, _) = whole(rest, 0x04)?;
    Some((code, diagnostic))
}

fn whole(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    match element(bytes) {
        Element::Whole { tag, contents, rest } if tag == wanted => Some((contents, rest)),
        Element::Whole { .. } | Element::Unfinished | Element::Garbage => None,
    }
}

/// The first element of some BER.
enum Element<'a> {
    Whole { tag: u8, contents: &'a [u8], rest: &'a [u8] },
    Unfinished,
    Garbage,
}

/// LDAP uses tags of one byte and definite lengths only (RFC 4511, 5.1), which may be longer than
/// they need to be.
fn element(bytes: &[u8]) -> Element<'_> {
    let [tag, length, rest @ ..] = bytes else { return Element::Unfinished };
    let (length, rest) = match *length {
        short @ 0..0x80 => (usize::from(short), rest),
        0x80 | 0x85.. => return Element::Garbage,
        long => {
            let Some((digits, rest)) = rest.split_at_checked(usize::from(long & 0x7f)) else {
                return Element::Unfinished;
            };
            (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
        }
    };
    match rest.split_at_checked(length) {
        Some((contents, rest)) => Element::Whole { tag: *tag, contents, rest },
        None => Element::Unfinished,
    }
}

/// RFC 6120, 5.4.2: a stream is opened both ways, the features that the server names include
/// `starttls`, and the answer to asking for it is `proceed`.
async fn xmpp(talk: &mut Talk<'_>, host: &str) -> Result<(), Reason> {
    let opening = format!(
        "<?xml version='1.0'?><stream:stream to='{host}' version='1.0' xml:lang='en' \
         xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>"
    );
    talk.say(opening.as_bytes()).await?;
    let features = talk
        .listen("the features of an XMPP stream", |heard| {
            if heard.first() != Some(&b'<') {
                return Some((heard.len(), Err(heard.to_vec())));
            }
            if let Some((at, _)) = tag(heard, b"stream:error") {
                return Some((heard.len(), Err(heard.get(at..).unwrap_or_default().to_vec())));
            }
            let (start, first) = tag(heard, b"stream:features")?;
            if heard.get(..first)?.ends_with(b"/>") {
                return Some((first, Ok(Vec::new())));
            }
            let (_, end) = tag(heard, b"/stream:features")?;
            Some((end, Ok(heard.get(start..end)?.to_vec())))
        })
        .await?
        .map_err(|error| unexpected("the features of an XMPP stream", &error))?;
    if tag(&features, b"starttls").is_none() {
        return Err(refused(&[b"starttls is not among: ", features.as_slice()].concat()));
    }
    talk.say(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
    talk.listen("an answer to starttls", |heard| {
        let heard_of = |name: &[u8]| tag(heard, name);
        if let Some((at, end)) = heard_of(b"proceed") {
            // White space may stand between elements, and nothing else.
            let before = heard.get(..at)?.trim_ascii().is_empty();
            return Some((end, if before { Ok(()) } else { Err(unexpected("proceed", heard)) }));
        }
        heard_of(b"failure")
            .or_else(|| heard_of(b"stream:error"))
            .or_else(|| heard_of(b"/stream:stream"))
            .map(|(_, end)| (end, Err(refused(heard))))
    })
    .await?
}

/// Where the first tag of this name begins and ends.
fn tag(xml: &[u8], name: &[u8]) -> Option<(usize, usize)> {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>');
    let opens = xml.iter().enumerate().filter(|(_, byte)| **byte == b'<').map(|(at, _)| at);
    let mut found = opens.filter(|at| {
        let after = xml.get(at + 1..).and_then(|rest| rest.strip_prefix(name));
        after.is_some_and(|after| after.first().is_some_and(ends))
    });
    let start = found.next()?;
    let end = xml.iter().skip(start).position(|byte| *byte == b'>')?;
    Some((start, start + end + 1))
}

/// One byte answers: S for yes, N for no, and E begins an error, which is a no with words.
async fn postgres(talk: &mut Talk<'_>) -> Result<(), Reason> {
    talk.say(POSTGRES_SSL_REQUEST).await?;
    talk.listen("S or N", |heard| {
        let answer = match heard.first()? {
            b'S' => return Some((1, Ok(()))),
            b'N' => refused(b"N"),
            b'E' => refused(heard),
            _ => unexpected("S or N", heard),
        };
        Some((heard.len(), Err(answer)))
    })
    .await?
}

#[cfg(test)]
mod tests;
