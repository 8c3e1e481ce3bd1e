//! What an answer must be like: status, headers, body, JSON, HTML. Pure; what is read of
//! a body is bounded in memory here and in time by whoever asks.

mod head;
pub(in crate::check) mod html;
mod json;
mod page;
pub(in crate::check) mod record;
pub(in crate::check) mod tree;

use url::Url;

use super::Answer;
use crate::config::HttpExpect;
use crate::model::{Phase, Reason};

pub(in crate::check) use head::shown;
pub(super) use page::Part;

/// Whether there is time to go on. Looking through a body is work, and whoever sent the body
/// decides how much.
pub(in crate::check) type GoOn<'a> = &'a dyn Fn() -> bool;

/// Judges what came, after redirects, from `url`; gives the scripts and stylesheets that must
/// load if it is a page.
///
/// 1. The status comes first.
/// 2. Then the headers and the place that it came from: they explain a body.
/// 3. Then the body's size and the texts in it,
/// 4. then its JSON and its HTML,
/// 5. and last whether a page would show anything.
pub(super) fn judge(
    expect: &HttpExpect,
    answer: &Answer,
    url: &Url,
    go_on: GoOn<'_>,
) -> Result<Vec<Part>, Reason> {
    if !expect.status.contains(answer.status) {
        return Err(Reason::Status { got: answer.status });
    }
    head::judge(expect, &answer.headers, url)?;
    judge_texts(expect, &answer.body)?;
    if !expect.json.is_empty() {
        json::judge(&expect.json, answer)?;
    }
    if expect.html.is_empty() && !expect.page {
        return Ok(Vec::new());
    }
    let document = html::read(&answer.body, go_on)?;
    html::judge(&expect.html, &document, go_on)?;
    if !expect.page {
        return Ok(Vec::new());
    }
    page::judge(&document, &answer.headers, url)
}

/// Judges what can be said of a redirect that was to come: its headers and where it points.
pub(in crate::check) fn judge_head(
    expect: &HttpExpect,
    answer: &Answer,
    url: &Url,
) -> Result<(), Reason> {
    head::judge(expect, &answer.headers, url)
}

/// There was no time to go on.
fn out_of_time() -> Reason {
    Reason::Timeout { phase: Phase::Transfer }
}

/// The body's size, and the texts that it must and must not have.
fn judge_texts(expect: &HttpExpect, body: &[u8]) -> Result<(), Reason> {
    let got = u64::try_from(body.len()).unwrap_or(u64::MAX);
    if let Some(size) = expect.size
        && !(size.least..=size.most).contains(&got)
    {
        return Err(Reason::BodySize { got });
    }
    let unmet = |expected| Err(Reason::Body { expected });
    let text = String::from_utf8_lossy(body);
    if let Some(part) = expect.body_contains.iter().find(|part| !text.contains(part.as_str())) {
        return unmet(format!("contains {part:?}"));
    }
    if let Some(pattern) = expect.body_matches.iter().find(|pattern| !pattern.is_match(body)) {
        return unmet(format!("matches {pattern}"));
    }
    if let Some(part) = expect.body_excludes.iter().find(|part| text.contains(part.as_str())) {
        return unmet(format!("excludes {part:?}"));
    }
    if let Some(pattern) = expect.body_not_matches.iter().find(|pattern| pattern.is_match(body)) {
        return unmet(format!("does not match {pattern}"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
