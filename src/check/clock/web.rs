//! An HTTP server's clock: asked a few times over connections of their own, and read from wherever
//! in the answer the time stands.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::header::{AGE, DATE};
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use serde_json_path::JsonPath;

use super::super::http::Answer;
use super::super::http::auth::{Authorization, Tokens};
use super::super::http::clock::was_cached;
use super::super::http::cookies::Jar;
use super::super::http::examine::look;
use super::super::http::expect::{record, tree};
use super::super::http::ground::Ground;
use super::super::http::hop::Limits;
use super::super::http::request::Request;
use super::super::http::route::{Reach, Route, Trail};
use super::narrow::Readings;
use crate::config::{HttpCheck, TimeFormat, TimePlace};
use crate::model::{ClockOffset, ClockSource, Phase, Phases, Reason, Span, Timestamp};
use crate::net::Run;
use crate::offset::until_the_edge;

/// A server, and how it is asked.
#[derive(Clone, Copy)]
pub(super) struct Web<'a> {
    pub(super) ground: Ground<'a>,
    pub(super) ask: &'a HttpCheck,
    pub(super) place: &'a TimePlace,
    /// `None` if the proxy is to find out.
    pub(super) address: Option<IpAddr>,
    pub(super) authorization: Option<&'a Authorization>,
    pub(super) tokens: &'a Tokens,
}

impl Web<'_> {
    /// Reads the clock at most `samples` times, as long as there is time and anything to gain. The
    /// run's phases become those of the quickest sample.
    ///
    /// The first sample that fails ends it. What was read before counts: how well the server
    /// answers is for other checks to say.
    pub(super) async fn read(&self, run: &mut Run, samples: u32) -> Result<ClockOffset, Reason> {
        let (mut readings, mut quickest) = (Readings::default(), None::<Run>);
        for sample in 1..=samples {
            let mut attempt = *run;
            let read = match self.sample(&mut attempt).await {
                Ok(read) => read,
                Err(reason) => {
                    let Some(worst) = readings.worst() else {
                        *run = attempt;
                        return Err(reason);
                    };
                    *run = quickest.unwrap_or(attempt);
                    return Ok(worst);
                }
            };
            let total = attempt.phases.total();
            if quickest.is_none_or(|quickest| total < quickest.phases.total()) {
                quickest = Some(attempt);
            }
            let known = readings.add(read);
            if sample < samples && !self.wait(run, known, &attempt.phases).await {
                break;
            }
        }
        *run = quickest.unwrap_or(*run);
        readings.worst().ok_or(Reason::Timeout { phase: Phase::FirstByte })
    }

    /// Waits for the moment of the next sample; `false` if there is none.
    async fn wait(&self, run: &Run, known: ClockOffset, last: &Phases) -> bool {
        let took = last.since(&run.phases);
        let round_trip = took.get(Phase::FirstByte).unwrap_or_default().as_micros();
        if known.width().as_micros() <= 2 * round_trip {
            return false;
        }
        let wait = match self.place {
            TimePlace::Date if run.clock().is_real() => {
                until_the_edge(known, run.clock().now(), way(&took))
            }
            // How these are rounded is not known, and so not where their edges are; and a story's
            // seconds are over before anybody could wait for them.
            TimePlace::Date | TimePlace::Header(..) | TimePlace::Json { .. } => Span::ZERO,
        };
        // What would be cut off by the deadline need not begin.
        if run.time_left().as_micros() < wait.as_micros() + 2 * took.total().as_micros() {
            return false;
        }
        // Short of a millisecond, timers wait for longer.
        let _ = run.within_deadline(tokio::time::sleep(wait.to_duration())).await;
        true
    }

    /// Asks once.
    async fn sample(&self, run: &mut Run) -> Result<ClockOffset, Reason> {
        let Self { ground, ask, place, address, .. } = *self;
        let request = Request::first(ask, ground.secrets, self.authorization)?;
        let limits = Limits {
            max_body: ask.max_body,
            keep_body: matches!(place, TimePlace::Json { .. }),
            follow: false,
            first_byte: ask.client.first_byte_timeout,
            idle: ask.client.idle_timeout,
        };
        let route = Route { ground, home: &ask.url, address, others: &BTreeMap::new() };
        let (mut jar, mut trail) = (Jar::default(), Trail::default());
        let landed = route.follow(request, &mut jar, run, &mut trail, limits, Reach::of(0)).await;
        let answer = landed.map(|landed| landed.answer);
        if let (Some(shown), Ok(answer)) = (self.authorization, &answer)
            && answer.status == 401
        {
            self.tokens.refused(shown, &ask.client);
        }
        match (place, trail.clock, answer) {
            // What it is that answered us is not known.
            (_, _, Err(Reason::ProxyAuth)) => Err(Reason::ProxyAuth),
            // Whatever became of the body after that.
            (TimePlace::Date, Some(read), _) if read.source == ClockSource::Date => Ok(read),
            (_, _, Err(reason)) => Err(reason),
            (TimePlace::Date, _, Ok(answer)) => Err(unreadable(dateless(&answer.headers))),
            (TimePlace::Header(name, format), _, Ok(answer)) => {
                fresh(&answer.headers)?;
                let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
                let Some(text) = value else {
                    return Err(unreadable(format!("no `{name}` in it, status {}", answer.status)));
                };
                let value = Value::String(text.to_owned());
                read(&value, *format, ClockSource::Header, (answer.sent, answer.received))
            }
            (TimePlace::Json { written, path, format }, _, Ok(answer)) => {
                fresh(&answer.headers)?;
                let asked = (answer.sent, answer.received);
                let value = find(run, answer, written, path).await?;
                read(&value, *format, ClockSource::Json, asked)
            }
        }
    }
}

/// The one value that `path` leads to in the answer's JSON.
async fn find(run: &Run, answer: Answer, written: &str, path: &JsonPath) -> Result<Value, Reason> {
    let (path, written, status) = (path.clone(), written.to_owned(), answer.status);
    let answer = Arc::new(answer);
    let owned = answer.clone();
    look(run, &answer, move |_| {
        let tree = tree::parse(&owned.body)
            .map_err(|error| unreadable(format!("not JSON, status {status}: {error}")))?;
        if !tree.affords(&written) {
            return Err(unreadable(format!("JSON of which {written} finds too much")));
        }
        let found = path.query(&tree.root).exactly_one().ok().cloned();
        found.ok_or_else(|| unreadable(format!("{written} leads to no single value")))
    })
    .await
}

/// The offset of a clock that showed `value` at some moment between the two. How it is rounded
/// is not known, so it may be its last digit more or less.
fn read(
    value: &Value,
    format: Option<TimeFormat>,
    source: ClockSource,
    (sent, received): (Timestamp, Timestamp),
) -> Result<ClockOffset, Reason> {
    let Some(written) = record::read(value, format) else {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        return Err(unreadable(format!("no point in time: {value}")));
    };
    // A calendar's years are far within 64 bits; and what is finer than a microsecond is cut off.
    let micros = |at: i128| i64::try_from(at).unwrap_or(i64::MAX);
    let (least, most) = (micros(written.at - written.step), micros(written.at + written.step + 1));
    Ok(ClockOffset {
        at_least: least.saturating_sub(received.as_micros()),
        at_most: most.saturating_sub(sent.as_micros()),
        source,
    })
}

/// What a cache has kept tells of another time.
fn fresh(headers: &HeaderMap) -> Result<(), Reason> {
    if is_kept(headers) { Err(unreadable(dateless(headers))) } else { Ok(()) }
}

fn is_kept(headers: &HeaderMap) -> bool {
    headers.get(AGE).map_or_else(|| was_cached(headers), |age| age.as_bytes() != b"0")
}

/// Why the `Date` tells nothing.
fn dateless(headers: &HeaderMap) -> String {
    let shown = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    match (headers.get(AGE), headers.get(DATE)) {
        (Some(age), _) if is_kept(headers) => {
            format!("the answer has been in a cache, `Age: {}`", shown(age))
        }
        (None, _) if is_kept(headers) => "the answer has been in a cache".to_owned(),
        (_, Some(date)) => format!("`Date: {}` is no date", shown(date)),
        (_, None) => "the answer has no `Date`".to_owned(),
    }
}

fn unreadable(detail: String) -> Reason {
    Reason::ClockUnreadable { detail }
}

/// How long it takes from a sample's beginning until the server looks at its clock.
fn way(took: &Phases) -> Span {
    let part = |phase| took.get(phase).unwrap_or_default().as_micros();
    let before = part(Phase::Connect) + part(Phase::Tls) + part(Phase::Send);
    Span::from_micros(before + part(Phase::FirstByte) / 2)
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde_json::json;

    use super::{dateless, fresh, read};
    use crate::model::{ClockOffset, ClockSource, Timestamp};

    #[test]
    fn a_time_is_as_fine_as_its_last_digit() {
        let (sent, received) = (1_631_701_800_000_000, 1_631_701_800_040_000);
        let asked = (Timestamp::from_micros(sent), Timestamp::from_micros(received));
        for (value, at_least, at_most) in [
            (json!(1_631_701_800_250_i64), 209_000, 251_001),
            (json!("2021-09-15T10:30:00.250Z"), 209_000, 251_001),
            (json!(1_631_701_800), -1_040_000, 1_000_001),
            (json!("Wed, 15 Sep 2021 10:30:00 GMT"), -1_040_000, 1_000_001),
        ] {
            let source = ClockSource::Json;
            let wanted = ClockOffset { at_least, at_most, source };
            assert_eq!(read(&value, None, source, asked), Ok(wanted), "{value}");
        }
        let reason = read(&json!("soon"), None, ClockSource::Json, asked).unwrap_err();
        assert_eq!(reason.to_string(), "its clock cannot be read: no point in time: soon");
    }

    #[test]
    fn why_there_is_no_date_is_said() {
        let headers = |all: &[(&'static str, &'static str)]| -> HeaderMap {
            all.iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect()
        };
        assert_eq!(dateless(&headers(&[])), "the answer has no `Date`");
        assert_eq!(dateless(&headers(&[("date", "now"), ("age", "0")])), "`Date: now` is no date");
        let kept = headers(&[("date", "now"), ("age", "7")]);
        assert_eq!(dateless(&kept), "the answer has been in a cache, `Age: 7`");
        let hit = headers(&[("date", "now"), ("x-cache", "HIT")]);
        assert_eq!(dateless(&hit), "the answer has been in a cache");
        assert!(fresh(&kept).is_err() && fresh(&headers(&[("age", "0")])).is_ok());
    }
}
