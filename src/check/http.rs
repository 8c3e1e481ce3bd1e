//! The `http` check: a request, its redirects, and what the last answer must be like.

mod auth;
mod clock;
mod cookies;
mod decode;
mod ground;
mod hop;
mod interim;
mod line;
mod request;

use std::net::IpAddr;

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, HttpCheck, HttpVersion, Secrets};
use crate::model::{ClockOffset, Finding, Reason, Span, Subject};
use crate::net::{Network, Run};
use auth::Authorization;
pub(super) use auth::Tokens;
use cookies::Jar;
use ground::{Ground, Opening};
use hop::{Ending, Limits};
use request::Request;

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    tokens: &Tokens,
    check: &Check,
    http: &HttpCheck,
    run: Run,
) -> Vec<Finding> {
    let ground = Ground { network, secrets, check, client: &http.client };
    let authorization = match auth::authorization(&ground, tokens, run).await {
        Ok(authorization) => authorization,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let (ground, authorization) = (&ground, authorization.as_ref());
    let ask = |address: Option<IpAddr>, mut run: Run| async move {
        let path = Path { ground, http, address };
        let facts = exchange(&path, authorization, &mut run).await;
        if let (Some(authorization), Ok(Answer { status: 401, .. })) =
            (authorization, &facts.answer)
        {
            tokens.refused(authorization, &http.client);
        }
        let judgement = match judge(&facts, http, run.phases.total(), check.degraded_over) {
            good if good.worked() => {
                let limits = http.certificate.as_ref();
                certificate::judge(run.tls, limits, run.clock().now()).unwrap_or(good)
            }
            bad => bad,
        };
        Outcome { run, clock: facts.clock, judgement }
    };
    if ground.is_remote() {
        return vec![ask(None, run).await.finding(Subject::Whole, None)];
    }
    let host = http.url.host_str().unwrap_or_default();
    let addresses = http.addresses;
    probe_each(network, check, host, addresses, run, |address, run| ask(Some(address), run)).await
}

/// What was seen of one address.
#[derive(Clone, Debug)]
struct Facts {
    /// The answer, after redirects.
    answer: Result<Answer, Reason>,
    /// What the address's own answer, before any redirect, tells about its clock.
    clock: Option<ClockOffset>,
}

/// An answer that came whole.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    version: HttpVersion,
    /// Empty unless something is expected of it.
    body: Vec<u8>,
}

/// Whom an exchange goes to.
struct Path<'a> {
    ground: &'a Ground<'a>,
    http: &'a HttpCheck,
    /// The address that the configured host is pinned to; `None` if the proxy knows it.
    address: Option<IpAddr>,
}

async fn exchange(path: &Path<'_>, authorization: Option<&Authorization>, run: &mut Run) -> Facts {
    let mut clock = None;
    let answer = match Request::first(path.http, path.ground.secrets, authorization) {
        Ok(request) => follow(path, request, run, &mut clock).await,
        Err(reason) => Err(reason),
    };
    Facts { answer, clock }
}

/// Sends `request` and follows redirects until there is an answer. A redirect back to what was
/// asked before would lead back for ever, unless a cookie was given meanwhile.
async fn follow(
    path: &Path<'_>,
    mut request: Request,
    run: &mut Run,
    clock: &mut Option<ClockOffset>,
) -> Result<Answer, Reason> {
    let limits = Limits {
        max_body: path.http.max_body,
        keep_body: !(path.http.body_contains.is_empty() && path.http.body_matches.is_empty()),
        follow: path.http.max_redirects > 0,
        first_byte: path.http.client.first_byte_timeout,
        idle: path.http.client.idle_timeout,
    };
    let mut visited = Vec::new();
    let mut jar = Jar::default();
    loop {
        let cookies = jar.header(&request.url);
        let place = request.place(cookies.clone());
        if visited.contains(&place) {
            return Err(Reason::RedirectLimit);
        }
        let opening = path.open(&request, run).await?;
        let encoded = request.encode(&opening, cookies.as_ref());
        let seen = hop::talk(run, opening, encoded, limits).await;
        if visited.is_empty() {
            *clock = seen.clock;
        }
        jar.keep(&seen.cookies, &request.url);
        let redirect = match seen.ending? {
            Ending::Answer(answer) => return Ok(answer),
            Ending::Redirect(redirect) => redirect,
        };
        visited.push(place);
        if visited.len() > usize::from(path.http.max_redirects) {
            return Err(Reason::RedirectLimit);
        }
        request = request.follow(&redirect)?;
    }
}

impl Path<'_> {
    /// A connection for `request`: to the pinned address as long as the host is the configured
    /// one, and to wherever the name leads if a redirect goes elsewhere.
    async fn open(&self, request: &Request, run: &mut Run) -> Result<Opening, Reason> {
        let Self { ground, http, address } = self;
        let address = if request.url.host() == http.url.host() {
            *address
        } else {
            let first = address.or_else(|| ground::literal(&http.url));
            ground.locate_next(&request.url, first, run).await?
        };
        ground.open(&request.url, address, run).await
    }
}

/// Judges what was seen of one address.
///
/// 1. Without a whole answer nothing else counts.
/// 2. Then it must be in a version of HTTP that is expected,
/// 3. then the status must be one of those expected,
/// 4. then the body must have every text and match every pattern,
/// 5. then the clock must not be certainly off by more than what fails,
/// 6. nor, which degrades, by more than what degrades,
/// 7. and last it must have been quick enough, all phases of all redirects together.
fn judge(facts: &Facts, http: &HttpCheck, took: Span, degraded_over: Option<Span>) -> Judgement {
    let answer = match &facts.answer {
        Ok(answer) => answer,
        Err(reason) => return Judgement::fail(reason.clone()),
    };
    if !http.client.expects(answer.version) {
        return Judgement::fail(Reason::HttpVersion { got: answer.version.as_str().to_owned() });
    }
    if !http.expect_status.contains(answer.status) {
        return Judgement::fail(Reason::Status { got: answer.status });
    }
    if let Some(expected) = unmet(&answer.body, http) {
        return Judgement::fail(Reason::Body { expected });
    }
    if let Some(offset) = facts.clock {
        if offset.certain() > http.max_clock_skew.failed {
            return Judgement::fail(Reason::ClockSkew { offset });
        }
        if offset.certain() > http.max_clock_skew.degraded {
            return Judgement::degraded(Reason::ClockSkew { offset });
        }
    }
    judge_speed(took, degraded_over)
}

/// The first expectation that `body` does not meet.
fn unmet(body: &[u8], http: &HttpCheck) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let lacks = http.body_contains.iter().find(|part| !text.contains(part.as_str()));
    let differs = || http.body_matches.iter().find(|pattern| !pattern.is_match(body));
    lacks
        .map(|part| format!("contains {part:?}"))
        .or_else(|| differs().map(|pattern| format!("matches {pattern}")))
}

#[cfg(test)]
mod tests;
