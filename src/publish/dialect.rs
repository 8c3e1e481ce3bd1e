//! What a vendor's dialect and the delivery have in common: calls and answers, with nothing of how
//! they travel.

use http::Method;
use serde_json::Value;

use crate::model::Span;
use crate::outbox::Outcome;

/// One HTTP request, without what every request has: base address and credentials.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    pub(super) method: Method,
    /// The path's segments, to be escaped.
    pub(super) path: Vec<String>,
    pub(super) query: Vec<(&'static str, String)>,
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
