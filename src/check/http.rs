//! The `http` check: a request, its redirects, and what the last answer must be like.

mod clock;
mod examine;
mod expect;
mod hop;
mod interim;
mod page;
mod request;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ::http::HeaderMap;
use url::Url;

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, HttpCheck, Secrets};
use crate::model::{ClockOffset, Finding, Reason, Span, Timestamp};
use crate::net::{Network, Run, TlsFor, Wire};
use hop::{Ending, Limits};
use request::Request;

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    check: &Check,
    http: &HttpCheck,
    run: Run,
) -> Vec<Finding> {
    let host = http.url.host_str().unwrap_or_default();
    probe_each(network, check, host, http.addresses, run, |address, mut run| async move {
        let path = Path { network, check, http, address, others: &BTreeMap::new() };
        let facts = exchange(&path, secrets, &mut run).await;
        let judgement = match judge(&facts, http, run.phases.total(), check.degraded_over) {
            good if good.worked() => {
                let limits = http.certificate.as_ref();
                certificate::judge(run.tls, limits, run.clock().now()).unwrap_or(good)
            }
            bad => bad,
        };
        Outcome { run, clock: facts.clock, judgement }
    })
    .await
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
    network: &'a Network,
    check: &'a Check,
    http: &'a HttpCheck,
    /// The address that the configured host is pinned to.
    address: IpAddr,
    /// The addresses that other hosts are pinned to.
    others: &'a BTreeMap<String, IpAddr>,
}

async fn exchange(path: &Path<'_>, secrets: &Secrets, run: &mut Run) -> Facts {
    let mut clock = None;
    let landed = match Request::first(path.http, secrets) {
        Ok(request) => {
            let limits = Limits {
                max_body: path.http.max_body,
                keep_body: path.http.looks_into_the_body(),
                follow: path.http.max_redirects > 0,
            };
            let redirects = path.http.max_redirects;
            follow(path, request, run, &mut clock, limits, redirects).await
        }
        Err(reason) => Err(reason),
    };
    let (answer, url) = match landed {
        Ok((answer, url)) => (Arc::new(answer), url),
        Err(reason) => return Facts { answer: Err(reason), unmet: None, clock },
    };
    let mut unmet = None;
    if path.http.expect_status.contains(answer.status) {
        unmet = examine::examine(path, secrets, run, &answer, url).await.err();
    }
    Facts { answer: Ok(answer), unmet, clock }
}

/// Sends `request` and follows redirects until there is an answer, which comes with the URL that
/// it came from. A redirect back to what was asked before would lead back for ever, since nothing
/// is remembered between two requests.
async fn follow(
    path: &Path<'_>,
    mut request: Request,
    run: &mut Run,
    clock: &mut Option<ClockOffset>,
    limits: Limits,
    most_redirects: u8,
) -> Result<(Answer, Url), Reason> {
    let mut visited = Vec::new();
    loop {
        let wire = path.open(&request, run).await?;
        let seen = hop::talk(run, wire, request.encode(), limits).await;
        if visited.is_empty() {
            *clock = seen.clock;
        }
        let redirect = match seen.ending? {
            Ending::Answer(answer) => return Ok((answer, request.url)),
            Ending::Redirect(redirect) => redirect,
        };
        visited.push(request.place());
        if visited.len() > usize::from(most_redirects) {
            return Err(Reason::RedirectLimit);
        }
        request = request.follow(&redirect)?;
        if visited.contains(&request.place()) {
            return Err(Reason::RedirectLimit);
        }
    }
}

impl Path<'_> {
    /// A connection for `request`: to the pinned address as long as the host is the configured
    /// one, and to wherever the name leads if a redirect goes elsewhere.
    async fn open(&self, request: &Request, run: &mut Run) -> Result<Wire, Reason> {
        let host = request.url.host_str().unwrap_or_default();
        let address = if request.url.host() == self.http.url.host() {
            self.address
        } else if let Some(known) = self.others.get(host) {
            *known
        } else {
            let found = self.network.resolve(run, host, &self.check.resolvers).await?;
            found.first().copied().ok_or(Reason::ResolveNoAddress)?
        };
        let port = request.url.port_or_known_default().ok_or(Reason::RedirectInvalid)?;
        let tls =
            (request.url.scheme() == "https").then_some(TlsFor { host, alpn: Some("http/1.1") });
        self.network.open(run, SocketAddr::new(address, port), tls).await
    }
}

/// Judges what was seen of one address.
///
/// 1. Without a whole answer nothing else counts.
/// 2. Then the status must be one of those expected,
/// 3. then whatever else is expected of the answer must be met,
/// 4. then the clock must not be certainly off by more than what fails,
/// 5. nor, which degrades, by more than what degrades,
/// 6. and last it must have been quick enough, all phases of all redirects together.
fn judge(facts: &Facts, http: &HttpCheck, took: Span, degraded_over: Option<Span>) -> Judgement {
    let answer = match &facts.answer {
        Ok(answer) => answer,
        Err(reason) => return Judgement::fail(reason.clone()),
    };
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
