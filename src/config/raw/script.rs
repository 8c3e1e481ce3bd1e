//! The steps of a script, over TCP or in messages, and what of earlier steps may be sent in later ones.

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use regex::bytes::Regex;
use serde_json::{Value, json};
use toml::Spanned;

use super::super::mistake::{Mistake, shorten};
use super::super::plan::tcp::{Piece, Security, Step};
use super::super::problem::Problems;
use super::super::reader::{Field, Key, Node, Reader, Section, Setting};
use super::super::setting::hex::Hex;

/// More steps than any protocol takes to show that it works.
const MOST_STEPS: usize = 64;

const SEND: Key<String> = Key::new(
    "send",
    "What is sent; `{{1}}` and `{{name}}` stand for what a step before has captured.",
);

/// What a script is spoken over: which steps it has, and what they mean there.
pub(super) trait Spoken {
    /// The names of the steps.
    const KINDS: &'static [&'static str];
    const SEND_HEX: Key<Hex>;
    const EXPECT: Key<Regex>;
    const EXPECT_BYTES: Key<Hex>;
    /// Where the script can change over to TLS.
    const STARTTLS: Option<Key<Yes>>;
}

/// A stream of bytes.
pub(super) enum OverTcp {}

impl Spoken for OverTcp {
    const KINDS: &'static [&'static str] =
        &["send", "send_hex", "expect", "expect_bytes", "starttls"];
    const SEND_HEX: Key<Hex> = Key::new("send_hex", "What is sent: bytes in hexadecimal.");
    const EXPECT: Key<Regex> = Key::new(
        "expect",
        "Waits until this is found; the text after it is left for the next step that expects one.",
    );
    const EXPECT_BYTES: Key<Hex> =
        Key::new("expect_bytes", "Waits until these are found: bytes in hexadecimal.");
    const STARTTLS: Option<Key<Yes>> = Some(Key::new("starttls", "Changes over to TLS."));
}

/// Messages, each of which is text or not.
pub(super) enum InMessages {}

impl Spoken for InMessages {
    const KINDS: &'static [&'static str] = &["send", "send_hex", "expect", "expect_bytes"];
    const SEND_HEX: Key<Hex> =
        Key::new("send_hex", "What is sent as a binary message: bytes in hexadecimal.");
    const EXPECT: Key<Regex> = Key::new(
        "expect",
        "Waits for a message in which this is found; those that come before it are passed over.",
    );
    const EXPECT_BYTES: Key<Hex> = Key::new(
        "expect_bytes",
        "Waits for a message in which these are found: bytes in hexadecimal.",
    );
    const STARTTLS: Option<Key<Yes>> = None;
}

/// `true`, and nothing else: what is not done needs no step.
pub(super) struct Yes;

impl Setting for Yes {
    const EXPECTED: &'static str = "`true`";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        if node.get_ref().as_bool() == Some(true) {
            Some(Self)
        } else {
            Self::wrong_type(node, problems)
        }
    }

    fn schema() -> Value {
        json!({ "const": true })
    }
}

/// A step as it was written.
enum RawStep {
    Text(Spanned<String>),
    Bytes(Vec<u8>),
    Expect(Regex),
    Starttls(Range<usize>),
}

/// A step of a script that is spoken so.
struct Written<S>(RawStep, PhantomData<S>);

impl<S: Spoken> Section for Written<S> {
    const NAME: &'static str = "a step of the script";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        table.exactly_one(S::KINDS);
        let (text, bytes) = (table.take(&SEND), table.take(&S::SEND_HEX));
        let (pattern, sought) = (table.take(&S::EXPECT), table.take(&S::EXPECT_BYTES));
        let starttls = S::STARTTLS.map_or(Field::Absent, |key| table.take(&key));
        // That there is exactly one the reader has seen to.
        let step = if let Field::Given(text) = text {
            RawStep::Text(text)
        } else if let Field::Given(bytes) = bytes {
            RawStep::Bytes(bytes.into_inner().0)
        } else if let Field::Given(pattern) = pattern {
            RawStep::Expect(pattern.into_inner())
        } else if let Field::Given(sought) = sought {
            RawStep::Expect(exactly(&sought.get_ref().0)?)
        } else {
            RawStep::Starttls(starttls.given()?.span())
        };
        Some(Self(step, PhantomData))
    }
}

/// An expression that finds these bytes. An expression can look for them in time that grows with
/// the text alone, whatever they are.
fn exactly(bytes: &[u8]) -> Option<Regex> {
    let pattern: String = bytes.iter().map(|byte| format!(r"\x{byte:02x}")).collect();
    Regex::new(&format!("(?-u:{pattern})")).ok()
}

/// All steps of a script.
pub(super) struct Script<S>(Vec<RawStep>, PhantomData<S>);

impl<S: Spoken> Setting for Script<S> {
    const EXPECTED: &'static str =
        "steps such as [{ expect = \"^220\" }, { send = \"QUIT\\r\\n\" }]";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let steps = Vec::<Spanned<Written<S>>>::read(node, problems)?;
        if steps.len() > MOST_STEPS {
            let (got, most) = (format!("{} steps", steps.len()), MOST_STEPS.to_string());
            problems.report(node.span(), Mistake::OutOfRange { got, least: "0".to_owned(), most });
            return None;
        }
        Some(Self(steps.into_iter().map(|step| step.into_inner().0).collect(), PhantomData))
    }

    fn schema() -> Value {
        let items = super::super::reader::section_schema::<Written<S>>();
        json!({ "type": "array", "items": items, "maxItems": MOST_STEPS })
    }
}

impl<S> Script<S> {
    /// The script's steps, on a connection that is made secure as `security` says.
    pub(super) fn compile(
        self,
        security: Security,
        table: &mut Reader<'_, '_, '_>,
    ) -> Option<Vec<Step>> {
        let mut secure = security != Security::Plain;
        let mut steps = Vec::with_capacity(self.0.len());
        let mut all_good = true;
        for raw in self.0 {
            let step = match raw {
                RawStep::Bytes(bytes) => Some(Step::SendBytes(bytes.into())),
                RawStep::Expect(pattern) => Some(Step::Expect(pattern)),
                RawStep::Text(text) => match pieces(text.get_ref(), &steps) {
                    Ok(pieces) => Some(Step::Send(pieces)),
                    Err(mistake) => {
                        table.report(text.span(), mistake);
                        None
                    }
                },
                RawStep::Starttls(span) if secure => {
                    table.report(span, Mistake::TlsTwice);
                    None
                }
                RawStep::Starttls(_) => {
                    secure = true;
                    Some(Step::Starttls)
                }
            };
            all_good &= step.is_some();
            // A step that is wrong keeps its place, so that the captures of others keep theirs.
            steps.push(step.unwrap_or(Step::Starttls));
        }
        all_good.then_some(steps)
    }
}

/// The script, or the one that its short form stands for.
pub(super) fn read_script<S>(
    send: Field<String>,
    expect: Field<Regex>,
    script: Field<Script<S>>,
    security: Security,
    table: &mut Reader<'_, '_, '_>,
) -> Option<Vec<Step>> {
    let span = match (&send, &expect) {
        (Field::Given(send), _) => Some(send.span()),
        (_, Field::Given(expect)) => Some(expect.span()),
        _ => None,
    };
    match (script, span) {
        (Field::Wrong, _) => None,
        (Field::Given(_), Some(span)) => {
            table.report(span, Mistake::ScriptTwice);
            None
        }
        (Field::Given(script), None) => script.into_inner().compile(security, table),
        (Field::Absent, _) => {
            let send = send.optional()?.map(|text| Step::Send(vec![plain(&text)]));
            let expect = expect.optional()?.map(Step::Expect);
            Some(send.into_iter().chain(expect).collect())
        }
    }
}

/// What is written as it is.
fn plain(text: &str) -> Piece {
    Piece::Bytes(Arc::from(text.as_bytes()))
}

/// Splits a text that is to be sent after `before`:
///
/// 1. `{{2}}` is the second group of the last step that expects something, `{{0}}` all that it
///    matched.
/// 2. `{{name}}` is the group of this name in the last step that has one.
/// 3. A `{{` that is not closed is written as it is.
fn pieces(text: &str, before: &[Step]) -> Result<Vec<Piece>, Mistake> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((head, (name, tail))) =
        rest.split_once("{{").and_then(|(head, open)| Some((head, open.split_once("}}")?)))
    {
        if !head.is_empty() {
            pieces.push(plain(head));
        }
        pieces.push(captured(name.trim(), before).ok_or_else(|| unknown(name, before))?);
        rest = tail;
    }
    if !rest.is_empty() {
        pieces.push(plain(rest));
    }
    Ok(pieces)
}

fn captured(name: &str, before: &[Step]) -> Option<Piece> {
    let mut expecting = expectations(before);
    if let Ok(group) = name.parse::<usize>() {
        let (step, pattern) = expecting.next()?;
        return (group < pattern.captures_len()).then_some(Piece::Captured { step, group });
    }
    expecting.find_map(|(step, pattern)| {
        let group = pattern.capture_names().position(|known| known == Some(name))?;
        Some(Piece::Captured { step, group })
    })
}

/// The steps that expect something, the last first.
fn expectations(steps: &[Step]) -> impl Iterator<Item = (usize, &Regex)> {
    steps.iter().enumerate().rev().filter_map(|(at, step)| match step {
        Step::Expect(pattern) => Some((at, pattern)),
        Step::Send(_) | Step::SendBytes(_) | Step::Starttls => None,
    })
}

fn unknown(name: &str, before: &[Step]) -> Mistake {
    let numbers = expectations(before).next().map_or(0, |(_, pattern)| pattern.captures_len());
    let names = expectations(before).flat_map(|(_, pattern)| pattern.capture_names().flatten());
    let known: Vec<String> =
        (0..numbers).map(|group| group.to_string()).chain(names.map(str::to_owned)).collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = if known.is_empty() {
        "no step before this expects anything; braces that are meant are sent with `send_hex`"
            .to_owned()
    } else {
        format!("known here: {}", super::super::mistake::list(&known))
    };
    Mistake::UnknownCapture { got: shorten(name.trim()), help }
}

#[cfg(test)]
mod tests {
    use regex::bytes::Regex;

    use super::{Piece, Step, exactly, pieces, plain};

    fn expect(pattern: &str) -> Step {
        Step::Expect(Regex::new(pattern).unwrap())
    }

    #[test]
    fn captures_are_found_by_number_and_name() {
        let before = [expect("(?<user>a)(b)"), Step::Starttls, expect("(c)")];
        let found = |text| pieces(text, &before).unwrap();
        assert_eq!(found("{{1}}"), [Piece::Captured { step: 2, group: 1 }]);
        assert_eq!(
            found("x{{ user }}{{0}}\r\n"),
            [
                plain("x"),
                Piece::Captured { step: 0, group: 1 },
                Piece::Captured { step: 2, group: 0 },
                plain("\r\n"),
            ]
        );
        assert_eq!(found("{ {{ }"), [plain("{ {{ }")]);
        assert!(found("").is_empty());
        for text in ["{{2}}", "{{pass}}", "{{}}", "{{-1}}"] {
            assert!(pieces(text, &before).is_err(), "{text}");
        }
        assert!(pieces("{{0}}", &[]).is_err());
    }

    #[test]
    fn bytes_are_found_as_they_are() {
        let sought = exactly(b"\x00.\xff\n").unwrap();
        assert!(sought.is_match(b"\xfe\x00.\xff\n"));
        assert!(!sought.is_match(b"\x00a\xff\n"));
    }
}
