//! The `http` check: a request, its redirects, and what the last answer must be like.

mod auth;
mod clock;
mod cookies;
mod decode;
mod examine;
mod expect;
mod ground;
mod hop;
mod interim;
mod line;
mod page;
mod request;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ::http::HeaderMap;
use url::Url;

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, HttpCheck, HttpVersion, Secrets};
use crate::model::{ClockOffset, Finding, Reason, Span, Subject, Timestamp};
use crate::net::{Network, Run};
use auth::Authorization;
pub(super) use auth::Tokens;
use cookies::Jar;
use ground::{Ground, Opening};
use hop::{Ending, Limits};
use request::Request;

/// Runs the check against the addresses that it asks. What it needs to be let in is fetched once,
/// whatever their number.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    tokens: &Tokens,
    check: &Check,
    http: &HttpCheck,
    run: Run,
) -> Vec<Finding> {
    let ground = Ground { network, secrets, check, client: &http.client };
    // Boxed, as it is seldom needed and large: every run would carry room for it.
    let authorization = match Box::pin(auth::authorization(&ground, tokens, run)).await {
        Ok(authorization) => authorization,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let authorization = authorization.as_ref();
    let ask = |address: Option<IpAddr>, mut run: Run| async move {
        let (others, jar) = (&BTreeMap::new(), &Jar::default());
        let path = Path { ground, http, authorization, address, others, jar };
        let facts = exchange(&path, &mut run).await;
        if let (Some(shown), Ok(answer)) = (authorization, &facts.answer)
            && answer.status == 401
        {
            tokens.refused(shown, &http.client);
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
    answer: Result<Arc<Answer>, Reason>,
    /// The first expectation of it, beyond the status, that is not met.
    unmet: Option<Reason>,
    /// What the address's own answer, before any redirect, tells about its clock.
    clock: Option<ClockOffset>,
}

/// An answer that came whole.
#[derive(Clone, Debug)]
struct Answer {
    status: u16,
    version: HttpVersion,
    headers: HeaderMap,
    /// Empty unless something is expected of it.
    body: Vec<u8>,
    /// When it was asked for.
    sent: Timestamp,
    /// When the last byte of it had come.
    received: Timestamp,
}

/// Whom an exchange goes to.
#[derive(Clone, Copy)]
struct Path<'a> {
    ground: Ground<'a>,
    http: &'a HttpCheck,
    /// What is shown to the configured host.
    authorization: Option<&'a Authorization>,
    /// The address that the configured host is pinned to; `None` if the proxy knows it.
    address: Option<IpAddr>,
    /// The addresses that other hosts are pinned to.
    others: &'a BTreeMap<String, Option<IpAddr>>,
    /// The cookies that were given before.
    jar: &'a Jar,
}

async fn exchange(path: &Path<'_>, run: &mut Run) -> Facts {
    let mut clock = None;
    let landed = match Request::first(path.http, path.ground.secrets, path.authorization) {
        Ok(request) => {
            let limits = Limits {
                max_body: path.http.max_body,
                keep_body: path.http.looks_into_the_body(),
                follow: path.http.max_redirects > 0,
                first_byte: path.http.client.first_byte_timeout,
                idle: path.http.client.idle_timeout,
            };
            let redirects = path.http.max_redirects;
            follow(path, request, run, &mut clock, limits, redirects).await
        }
        Err(reason) => Err(reason),
    };
    let (answer, url, jar) = match landed {
        Ok(Landed { answer, url, jar }) => (Arc::new(answer), url, jar),
        Err(reason) => return Facts { answer: Err(reason), unmet: None, clock },
    };
    let mut unmet = None;
    if path.http.expect_status.contains(answer.status) {
        let path = Path { jar: &jar, ..*path };
        unmet = examine::examine(&path, run, &answer, url).await.err();
    }
    Facts { answer: Ok(answer), unmet, clock }
}

/// Where redirects have led.
struct Landed {
    answer: Answer,
    /// The URL that it came from.
    url: Url,
    /// The cookies that were given on the way.
    jar: Jar,
}

/// Sends `request` and follows redirects until there is an answer. A redirect back to what was
/// asked before would lead back for ever, unless a cookie was given meanwhile.
async fn follow(
    path: &Path<'_>,
    mut request: Request,
    run: &mut Run,
    clock: &mut Option<ClockOffset>,
    limits: Limits,
    most_redirects: u8,
) -> Result<Landed, Reason> {
    let mut visited = Vec::new();
    let mut jar = path.jar.clone();
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
            Ending::Answer(answer) => return Ok(Landed { answer, url: request.url, jar }),
            Ending::Redirect(redirect) => redirect,
        };
        visited.push(place);
        if visited.len() > usize::from(most_redirects) {
            return Err(Reason::RedirectLimit);
        }
        request = request.follow(&redirect)?;
    }
}

impl Path<'_> {
    /// A connection for `request`: to the pinned address as long as the host is the configured
    /// one, and to wherever the name leads if a redirect goes elsewhere.
    async fn open(&self, request: &Request, run: &mut Run) -> Result<Opening, Reason> {
        let url = &request.url;
        let address = if url.host() == self.http.url.host() {
            self.address
        } else if let Some(known) = self.others.get(url.host_str().unwrap_or_default()) {
            *known
        } else {
            self.elsewhere(url, run).await?
        };
        self.ground.open(url, address, run).await
    }

    /// Where another host than the configured one is.
    async fn elsewhere(&self, url: &Url, run: &mut Run) -> Result<Option<IpAddr>, Reason> {
        let first = self.address.or_else(|| ground::literal(&self.http.url));
        self.ground.locate_next(url, first, run).await
    }
}

/// Judges what was seen of one address.
///
/// 1. Without a whole answer nothing else counts.
/// 2. Then it must be in a version of HTTP that is expected,
/// 3. then the status must be one of those expected,
/// 4. then whatever else is expected of the answer must be met,
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
    if let Some(reason) = &facts.unmet {
        return Judgement::fail(reason.clone());
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

#[cfg(test)]
mod tests;
