//! The `http` check: a request, its redirects, and what the last answer must be like.

pub(super) mod auth;
pub(super) mod clock;
pub(super) mod cookies;
pub(super) mod decode;
pub(super) mod examine;
pub(super) mod expect;
pub(super) mod ground;
pub(super) mod hop;
pub(super) mod initiator;
pub(super) mod line;
pub(super) mod page;
pub(super) mod request;
pub(super) mod route;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use ::http::HeaderMap;

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use super::trace::Notes;
use crate::config::{Check, HttpCheck, HttpVersion, Secrets};
use crate::model::{ClockOffset, Finding, Reason, Span, Subject, Timestamp};
use crate::net::{Network, Run};
use auth::Authorization;
pub(super) use auth::Tokens;
use cookies::Jar;
use ground::Ground;
use hop::Limits;
use page::Page;
use request::Request;
use route::{Reach, Route, Trail};

/// Runs the check against the addresses that it asks. What it needs to be let in is fetched once,
/// whatever their number.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    tokens: &Tokens,
    check: &Check,
    http: &HttpCheck,
    run: Run,
    notes: &Notes,
) -> Vec<Finding> {
    let ground = Ground { network, secrets, check, client: &http.client, notes };
    // Boxed, as it is seldom needed and large: every run would carry room for it.
    let authorization = match Box::pin(auth::authorization(&ground, tokens, run)).await {
        Ok(authorization) => authorization,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let authorization = authorization.as_ref();
    let ask = |address: Option<IpAddr>, mut run: Run| async move {
        let mut trail = Trail::default();
        let route = Route { ground, home: &http.url, address, others: &BTreeMap::new() };
        let facts = exchange(route, http, authorization, &mut run, &mut trail).await;
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
        Outcome { clock: facts.clock, hops: trail.hops, ..Outcome::of(run, judgement) }
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
    /// The first expectation of it that is not met.
    unmet: Option<Reason>,
    /// What the address's own answer, before any redirect, tells about its clock.
    clock: Option<ClockOffset>,
}

/// An answer that came whole.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) version: HttpVersion,
    pub(super) headers: HeaderMap,
    /// Empty unless something is expected of it.
    pub(super) body: Vec<u8>,
    /// When it was asked for.
    pub(super) sent: Timestamp,
    /// When the last byte of it had come.
    pub(super) received: Timestamp,
}

/// Asks at one address, and holds the answer against what is expected.
async fn exchange(
    route: Route<'_>,
    http: &HttpCheck,
    authorization: Option<&Authorization>,
    run: &mut Run,
    trail: &mut Trail,
) -> Facts {
    let mut jar = Jar::default();
    let facts = async {
        let request = Request::first(http, route.ground.secrets, authorization)?;
        let limits = Limits {
            max_body: http.max_body,
            keep_body: http.expect.looks_into_the_body(),
            follow: http.max_redirects > 0,
            first_byte: http.client.first_byte_timeout,
            idle: http.client.idle_timeout,
        };
        let first = request.clone();
        let reach = Reach::of(http.max_redirects);
        let landed = route.follow(request, &mut jar, run, trail, limits, reach).await?;
        let answer = Arc::new(landed.answer);
        let page = Page { route, first: &first, jar: &jar };
        let unmet = examine::examine(&page, &http.expect, run, &answer, landed.url).await.err();
        Ok((answer, unmet))
    };
    let (answer, unmet) = match facts.await {
        Ok((answer, unmet)) => (Ok(answer), unmet),
        Err(reason) => (Err(reason), None),
    };
    Facts { answer, unmet, clock: trail.clock }
}

/// Judges what was seen of one address.
///
/// 1. Without a whole answer nothing else counts.
/// 2. Then it must be in a version of HTTP that is expected,
/// 3. then whatever else is expected of the answer must be met, its status first,
/// 4. and last it must have been quick enough, all phases of all redirects together.
fn judge(facts: &Facts, http: &HttpCheck, took: Span, degraded_over: Option<Span>) -> Judgement {
    let answer = match &facts.answer {
        Ok(answer) => answer,
        Err(reason) => return Judgement::fail(reason.clone()),
    };
    if !http.client.expects(answer.version) {
        return Judgement::fail(Reason::HttpVersion { got: answer.version.as_str().to_owned() });
    }
    if let Some(reason) = &facts.unmet {
        return Judgement::fail(reason.clone());
    }
    judge_speed(took, degraded_over)
}

#[cfg(test)]
mod tests;
