//! What a vendor's dialect and the delivery have in common: calls and answers, with nothing of how
//! they travel, and what each vendor's API can do.

use std::fmt;
use std::num::NonZeroU32;

use http::Method;
use serde_json::Value;

use crate::model::{Span, Timestamp};
use crate::outbox::{Outcome, Request};

/// One HTTP request, without what every request has: base address and credentials.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) method: Method,
    /// The path's segments, to be escaped.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
    /// What this call has besides.
    pub(super) headers: Vec<(&'static str, String)>,
    /// Sent as its `Display` writes it: a signature is over these bytes.
    pub(super) body: Option<Value>,
    /// The version that the write is for: a server that knows versions refuses it for another.
    pub(super) if_match: Option<String>,
}

/// One HTTP answer, as far as a dialect may want to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after: Option<Span>,
    /// The version of what is shown, if the server has versions.
    pub(super) etag: Option<String>,
    pub(super) body: Vec<u8>,
}

/// What follows an answer.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Turn {
    /// A further call: the next page of a list.
    Call(Call),
    /// Nothing: this came of the request.
    Over(Outcome),
}

/// How requests are said to one API. Pure: `now` is an argument.
pub(super) trait Dialect: fmt::Debug + Send + Sync {
    /// Begins a request.
    fn begin<'a>(
        &'a self,
        request: &'a Request,
        now: Timestamp,
    ) -> Box<dyn Conversation + Send + 'a>;
}

/// A request on its way, which may take several calls, or none.
pub(super) trait Conversation {
    /// The first call, or what came of it without one.
    fn open(&mut self) -> Turn;

    /// Whether the call that is made now is a look before a write, and changes nothing.
    fn only_reads(&self) -> bool {
        false
    }

    /// Whether the call that is made now is a look at what a write before it has done. Then
    /// [`follow`] sees to it that whatever keeps it from an answer is not held for one.
    fn in_doubt(&self) -> bool {
        false
    }

    /// Takes the answer to the call.
    fn hear(&mut self, answer: &Answer) -> Turn;
}

/// What follows the call that a conversation made, of which `heard` came:
///
/// 1. What fails on the way while a conversation only reads has written nothing.
/// 2. The look at what a write has done ends in doubt, unless it shows how the incident stands. What
///    keeps it from that, an API that is busy, in trouble or out of reach, that does not know us or
///    does not like the question, says nothing of the write.
/// 3. Everything else is as the dialect says.
pub(super) fn follow(
    conversation: &mut (dyn Conversation + Send + '_),
    heard: Result<Answer, Outcome>,
) -> Turn {
    let (only_reads, in_doubt) = (conversation.only_reads(), conversation.in_doubt());
    let turn = match heard {
        Ok(answer) => conversation.hear(&answer),
        Err(Outcome::Uncertain { detail }) if only_reads => Turn::Over(Outcome::NotSent { detail }),
        Err(outcome) => Turn::Over(outcome),
    };
    match turn {
        Turn::Over(outcome) if in_doubt => Turn::Over(doubted(outcome)),
        Turn::Over(_) | Turn::Call(_) => turn,
    }
}

/// What the end of a look at a write in doubt leaves of it.
fn doubted(outcome: Outcome) -> Outcome {
    let why = match outcome {
        Outcome::NotSent { detail } => detail,
        Outcome::RateLimited { .. } => "it is asked for too often".to_owned(),
        Outcome::Unauthorized { detail } => format!("we are not let in: {detail}"),
        Outcome::Rejected { status, detail } => format!("status {status}: {detail}"),
        Outcome::Uncertain { .. }
        | Outcome::Done { .. }
        | Outcome::Differs(_)
        | Outcome::Gone
        | Outcome::Found(_)
        | Outcome::Listed(_)
        | Outcome::Surveyed(_)
        | Outcome::Component(_)
        | Outcome::Announced(_) => return outcome,
    };
    Outcome::Uncertain { detail: format!("what a write has done cannot be seen: {why}") }
}

/// What an API can do, as far as it makes a difference to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// By what an incident of ours is known there.
    pub marker: Marker,
    /// Whether an update and the components' statuses are one call.
    pub atomic: bool,
    /// Whether it keeps the draft of a postmortem.
    pub drafts: bool,
    /// Whether a write may be made twice without harm.
    pub idempotent: bool,
    /// Whether the end of an incident makes its components operational by itself.
    pub clears_components: bool,
    /// How many calls a second it is asked at most.
    pub per_second: NonZeroU32,
    /// The longest title, in characters.
    pub longest_title: usize,
    /// The longest text, in characters.
    pub longest_text: usize,
}

/// By what an incident of ours is known at an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// By data of ours that the API keeps beside it.
    Metadata,
    /// By the key under which we write it.
    Key,
    /// By the last line of what it says.
    Text,
}

/// What the status code alone says, if that is all there is to it.
pub(super) fn refusal(answer: &Answer) -> Option<Outcome> {
    let detail = || complaint(&answer.body);
    Some(match answer.status {
        200..=299 => return None,
        401 | 403 => Outcome::Unauthorized { detail: detail() },
        420 | 429 => Outcome::RateLimited { retry_after: answer.retry_after },
        408 | 500.. => {
            Outcome::Uncertain { detail: format!("status {}: {}", answer.status, detail()) }
        }
        status => Outcome::Rejected { status, detail: detail() },
    })
}

/// The text, cut with an ellipsis where it is longer than the vendor takes.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// How long `Retry-After` asks to wait: seconds, or a date, which is held against the answer's own
/// `Date` so that neither clock matters.
pub(super) fn retry_after(value: Option<&str>, date: Option<&str>) -> Option<Span> {
    let value = value?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Span::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = httpdate::parse_http_date(date?.trim()).ok()?;
    Some(until.duration_since(now).unwrap_or_default().into())
}

/// What an error's body says, in one line that fits a log. Vendors differ, and differ from their
/// own documents: `error` or `message` or `errors`, a string, a list or a tree.
pub(super) fn complaint(body: &[u8]) -> String {
    const LONGEST: usize = 300;
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(object)) => ["error", "message", "errors"]
            .into_iter()
            .find_map(|key| object.get(key))
            .map_or_else(|| Value::Object(object.clone()).to_string(), said),
        Ok(value) => said(&value),
        Err(_) => String::from_utf8_lossy(&body[..body.len().min(4 * LONGEST)]).into_owned(),
    };
    let printable = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut line = printable.clone().take(LONGEST).collect::<String>();
    if printable.count() > LONGEST {
        line.pop();
        line.push('…');
    }
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn said(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(said).collect::<Vec<_>>().join("; "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{complaint, retry_after};
    use crate::model::Span;

    #[test]
    fn retry_after_is_seconds_or_a_date_against_the_answers_own() {
        let date = Some("Wed, 15 Sep 2021 00:00:00 GMT");
        assert_eq!(retry_after(Some(" 60 "), None), Some(Span::from_secs(60)));
        let later = Some("Wed, 15 Sep 2021 00:00:30 GMT");
        assert_eq!(retry_after(later, date), Some(Span::from_secs(30)));
        assert_eq!(retry_after(date, later), Some(Span::ZERO));
        assert_eq!(retry_after(later, None), None);
        assert_eq!(retry_after(Some("soon"), date), None);
        assert_eq!(retry_after(None, date), None);
    }

    #[test]
    fn a_complaint_is_understood_in_whatever_form_it_comes() {
        let cases: [(&str, &str); 7] = [
            (r#"{"error":"Could not authenticate"}"#, "Could not authenticate"),
            (r#"{"error":["Name can't be blank","no"]}"#, "Name can't be blank; no"),
            (r#"{"error":{"name":["blank"]}}"#, r#"{"name":["blank"]}"#),
            (r#"{"message":"nope"}"#, "nope"),
            (r#"{"what":1}"#, r#"{"what":1}"#),
            ("<html>\n  Bad   Gateway</html>", "<html> Bad Gateway</html>"),
            ("", ""),
        ];
        for (body, text) in cases {
            assert_eq!(complaint(body.as_bytes()), text);
        }
        assert_eq!(complaint(&[b'x'; 10_000]).chars().count(), 300);
    }
}
