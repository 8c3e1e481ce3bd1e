//! What the headers must be, and where redirects must have led. Pure.

use http::HeaderMap;
use http::header::{HeaderName, SET_COOKIE};
use url::Url;

use crate::config::{HeaderExpect, HttpExpect, UrlExpect};
use crate::model::Reason;

/// The headers in the order in which they are expected, then the URL.
pub(super) fn judge(expect: &HttpExpect, headers: &HeaderMap, url: &Url) -> Result<(), Reason> {
    for (name, expected) in &expect.headers {
        judge_header(name, expected, headers)?;
    }
    let as_expected = match &expect.final_url {
        None => true,
        Some(UrlExpect::Equals(expected)) => expected == url,
        Some(UrlExpect::Matches(pattern)) => pattern.is_match(url.as_str().as_bytes()),
    };
    if as_expected { Ok(()) } else { Err(Reason::FinalUrl { got: shown(url) }) }
}

fn judge_header(
    name: &HeaderName,
    expected: &HeaderExpect,
    headers: &HeaderMap,
) -> Result<(), Reason> {
    let mut values = headers.get_all(name).iter();
    let (met, words) = match expected {
        HeaderExpect::Equals(text) => {
            (values.any(|value| value == text.as_str()), format!("equals {text:?}"))
        }
        HeaderExpect::Matches(pattern) => {
            (values.any(|value| pattern.is_match(value.as_bytes())), format!("matches {pattern}"))
        }
        HeaderExpect::Present => (values.next().is_some(), "exists".to_owned()),
        HeaderExpect::Absent => (values.next().is_none(), "does not exist".to_owned()),
    };
    if met {
        return Ok(());
    }
    let got = match headers.get(name) {
        None => "none".to_owned(),
        // Somebody's session is nobody's log line.
        Some(_) if *name == SET_COOKIE => "another".to_owned(),
        Some(value) => format!("{:?}", String::from_utf8_lossy(value.as_bytes())),
    };
    Err(Reason::Header { expected: format!("header {name} {words}"), got })
}

/// A URL without what may be secret in it: redirects carry tokens in queries.
pub(in crate::check) fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Of what is left out only that it was there is told. URLs of the web can have none of these
    // refused.
    let _ = (shown.set_username(""), shown.set_password(None));
    shown.set_fragment(None);
    if shown.query().is_some() {
        shown.set_query(Some("..."));
    }
    shown.into()
}
