//! Hides what is secret in whatever is told, however it is spelt there: a target or a status API may
//! send back what it was sent, in a URL, in a header, in Base64. Pure.

mod named;
mod spelling;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::{BASE64_NOPAD, BASE64URL_NOPAD, HEXLOWER};
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SET_COOKIE};
use http::{HeaderName, HeaderValue};
use serde_json::Value;
use url::Url;

use crate::config::{Secret, looks_secret};

/// What stands where something secret was.
pub(crate) const HIDDEN: &str = "[redacted]";

/// What is shorter would be found in every second word, and is guessed as soon.
const SHORTEST: usize = 4;

/// How many secrets are found in one run: more than a jar holds and a flow extracts.
const MOST_FOUND: usize = 512;

/// The least of a text in Base64 that is known again when it stands in the middle of another.
const SHORTEST_ENCODED: usize = 6;

/// The least of a line of a file that is taken for secret by itself.
const SHORTEST_LINE: usize = 16;

/// All that is secret from a configuration, ready to be looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Known(Arc<[Word]>);

impl Known {
    /// These secrets.
    pub(crate) fn new<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let mut words = Vec::new();
        secrets.into_iter().for_each(|secret| add_value(&mut words, secret.reveal()));
        Self(words.into())
    }
}

/// What must not be seen of one run: what was secret before it, and what was found in it.
#[derive(Debug, Default)]
pub(crate) struct Veil {
    known: Known,
    found: Mutex<Vec<Secret>>,
}

impl Veil {
    /// A veil over what is `known` to be secret.
    pub(crate) fn over(known: &Known) -> Self {
        Self { known: known.clone(), found: Mutex::default() }
    }

    /// From here on `secret` is one, in what was noted before as well.
    pub(crate) fn add(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if found.len() < MOST_FOUND && !found.iter().any(|known| known.reveal() == secret) {
            found.push(Secret::new(secret));
        }
    }

    /// The cookies that an answer gives are as good as passwords.
    pub(crate) fn add_cookies(&self, given: &[HeaderValue]) {
        for text in given.iter().filter_map(|value| value.to_str().ok()) {
            let pair = text.split(';').next().unwrap_or_default();
            let value = pair.split_once('=').map_or("", |(_, value)| value.trim());
            // A language or a theme is a cookie too, and its value an ordinary word.
            if value.len() >= 2 * SHORTEST {
                self.add(value);
            }
        }
    }

    /// `text` without what is secret. For several texts draw a [`Cover`].
    #[cfg(test)]
    pub(crate) fn hide(&self, text: &str) -> String {
        self.draw().hide(text)
    }

    /// All that is secret by now.
    pub(crate) fn draw(&self) -> Cover {
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let mut words = Vec::new();
        found.iter().for_each(|secret| add_word(&mut words, secret.reveal()));
        Cover { known: self.known.clone(), found: words }
    }
}

/// A veil that is drawn.
#[derive(Debug)]
pub(crate) struct Cover {
    known: Known,
    found: Vec<Word>,
}

impl Cover {
    /// `text` without what is secret: neither its words, nor the values of what is called so.
    pub(crate) fn hide(&self, text: &str) -> String {
        named::hide(&self.hide_words(text))
    }

    fn hide_words(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut shown = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            let words = self.known.0.iter().chain(&self.found);
            let longest = words.filter_map(|word| word.end(bytes, at)).max();
            match longest {
                Some(end) => {
                    // What stands before may be a part of the same text in Base64.
                    shown.truncate(self.start(&shown, bytes, (at, end)));
                    shown.extend(HIDDEN.as_bytes());
                    at = end;
                }
                None => {
                    shown.push(*byte);
                    at += 1;
                }
            }
        }
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// How much of what is shown stays, where a word is hidden.
    fn start(&self, shown: &[u8], bytes: &[u8], (at, end): (usize, usize)) -> usize {
        let mut words = self.known.0.iter().chain(&self.found);
        let is_plain = words.any(|word| word.is_plain() && word.end(bytes, at) == Some(end));
        let encoded = shown.iter().rev().take_while(|byte| spelling::is_base64(**byte)).count();
        if is_plain { shown.len() } else { shown.len() - encoded }
    }

    /// A URL, which never tells who asks.
    pub(crate) fn url(&self, url: &Url) -> String {
        let mut shown = url.clone();
        // URLs of the web can have none of these refused.
        let _ = (shown.set_username(""), shown.set_password(None));
        let host = url.host_str().unwrap_or_default();
        if self.hide(host) != host {
            // It must still be a URL to whoever reads it.
            let _ = shown.set_host(Some("redacted.invalid"));
        }
        self.hide(shown.as_str())
    }

    /// A header's value. Of a cookie its name is told, and what it is for; of credentials what
    /// kind they are.
    pub(crate) fn header(&self, name: &HeaderName, value: &HeaderValue) -> String {
        let text = String::from_utf8_lossy(value.as_bytes());
        if *name == COOKIE {
            let names = text.split(';').map(|pair| self.cookie(pair.trim()));
            return names.collect::<Vec<_>>().join("; ");
        }
        if *name == SET_COOKIE {
            let (pair, rest) = text.split_once(';').unwrap_or((&text, ""));
            let more = if rest.is_empty() { "" } else { ";" };
            return format!("{}{more}{}", self.cookie(pair), self.hide(rest));
        }
        if *name == AUTHORIZATION || *name == PROXY_AUTHORIZATION {
            return match text.split_once(' ') {
                Some((scheme, _)) if scheme.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                    format!("{} {HIDDEN}", self.hide(scheme))
                }
                Some(_) | None => HIDDEN.to_owned(),
            };
        }
        if value.is_sensitive() || is_secret_name(name.as_str()) {
            return HIDDEN.to_owned();
        }
        self.hide(&text)
    }

    fn cookie(&self, pair: &str) -> String {
        match pair.split_once('=') {
            Some((name, _)) => format!("{}={HIDDEN}", self.hide(name)),
            None => HIDDEN.to_owned(),
        }
    }
}

/// Whether what is called so is secret, be it a header or a parameter.
fn is_secret_name(name: &str) -> bool {
    const PARTS: [&str; 4] = ["session", "csrf", "xsrf", "signature"];
    let lower = name.to_ascii_lowercase();
    looks_secret(name) || PARTS.iter().any(|part| lower.contains(part))
}

/// Something to look for.
#[derive(Clone)]
enum Word {
    /// As it is, in any spelling.
    Plain(Box<[u8]>),
    /// A part of a text in Base64 or in hexadecimal digits, of which all is hidden.
    Encoded(Box<[u8]>),
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Word {
    const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Where it ends in `text`, if it stands at `at`.
    fn end(&self, text: &[u8], at: usize) -> Option<usize> {
        match self {
            Self::Plain(word) => spelling::end(text, at, word, SHORTEST),
            Self::Encoded(word) => {
                let rest = text.get(at..)?;
                let same = rest.iter().zip(word).take_while(|(a, b)| a.eq_ignore_ascii_case(b));
                let same = same.count();
                if same < word.len()
                    && (same < SHORTEST_ENCODED || !spelling::is_cut(text, at + same))
                {
                    return None;
                }
                let all = rest.iter().take_while(|byte| spelling::is_base64(**byte)).count();
                Some(at + all.max(same))
            }
        }
    }
}

/// What is secret of a value that a configuration refers to: of a file with a body the fields that
/// are called so, of one with a key its lines, and of certificates nothing.
fn add_value(words: &mut Vec<Word>, value: &str) {
    if value.contains("-----BEGIN CERTIFICATE") && !value.contains("PRIVATE KEY") {
        return;
    }
    add_word(words, value);
    if let Ok(json) = serde_json::from_str(value) {
        add_fields(words, &json, false);
    }
    for (name, field) in url::form_urlencoded::parse(value.as_bytes()) {
        if is_secret_name(&name) {
            add_word(words, &field);
        }
    }
    let lines = value.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE);
    if value.contains('\n') {
        lines.for_each(|line| add_word(words, line));
    }
}

fn add_fields(words: &mut Vec<Word>, json: &Value, secret: bool) {
    match json {
        Value::String(text) if secret => add_word(words, text),
        Value::Array(list) => list.iter().for_each(|one| add_fields(words, one, secret)),
        Value::Object(fields) => {
            for (name, field) in fields {
                add_fields(words, field, secret || is_secret_name(name));
            }
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn add_word(words: &mut Vec<Word>, word: &str) {
    if word.len() < SHORTEST {
        return;
    }
    words.push(Word::Plain(word.as_bytes().into()));
    if !word.is_ascii() {
        // JSON and Rust write other letters so where they must be ASCII.
        let json = |c: char| if c.is_ascii() { c.to_string() } else { json_escape(c) };
        words.push(Word::Plain(word.chars().map(json).collect::<String>().into_bytes().into()));
        words.push(Word::Plain(word.escape_default().to_string().into_bytes().into()));
    }
    let mut encoded = |text: &str| {
        if text.len() >= SHORTEST_ENCODED {
            words.push(Word::Encoded(text.as_bytes().into()));
        }
    };
    encoded(&HEXLOWER.encode(word.as_bytes()));
    let form: String = url::form_urlencoded::byte_serialize(word.as_bytes()).collect();
    let spellings = [Some(word), Some(form.as_str()).filter(|form| *form != word)];
    for text in spellings.into_iter().flatten() {
        for skip in 0..3 {
            // Whatever stands before it, its bytes fall on one of three places; the letters in
            // which others have a part are left out.
            let padded = [&[0; 2][..skip], text.as_bytes()].concat();
            let whole = padded.len() * 8 / 6;
            let first = (skip * 8).div_ceil(6);
            for code in [BASE64_NOPAD.encode(&padded), BASE64URL_NOPAD.encode(&padded)] {
                encoded(code.get(first..whole).unwrap_or_default());
            }
        }
    }
}

fn json_escape(c: char) -> String {
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

#[cfg(test)]
mod tests;
