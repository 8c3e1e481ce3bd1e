//! The `login` check: what a customer does, step by step, with one cookie jar.

mod accounts;
mod ask;
mod extract;
mod flow;
mod forms;
mod given;
mod token;
mod totp;
mod vars;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use super::addresses::probe_each;
use super::certificate;
use super::http::Tokens;
use super::http::auth::{self, Authorization};
use super::http::ground::Ground;
use super::http::route::{Route, Trail};
use super::judgement::{Judgement, Outcome, judge_speed};
use super::trace::Notes;
use crate::config::{Account, Check, LoginCheck, Secrets};
use crate::model::{ClockOffset, Finding, Hop, Reason, Subject};
use crate::net::{Network, Run};
pub(super) use accounts::Turns;
use flow::{Ended, Flow};

/// Runs the flow against the addresses that it asks, through one address at a time. Each address
/// sees a flow of its own, of the account whose turn it is.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    (tokens, turn): (&Tokens, usize),
    check: &Check,
    login: &LoginCheck,
    run: Run,
    notes: &Notes,
) -> Vec<Finding> {
    let ground = Ground { network, secrets, check, client: &login.client, notes };
    let authorization = match Box::pin(auth::authorization(&ground, tokens, run)).await {
        Ok(authorization) => authorization,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let authorization = authorization.as_ref();
    let accounts = accounts::in_turn(&login.accounts, turn);
    let accounts = accounts.as_slice();
    let none = &BTreeMap::new();
    let ask = |address: Option<IpAddr>, run: Run| async move {
        let route = Route { ground, home: &login.url, address, others: none };
        // Boxed, as it is large: every run would carry room for it.
        let outcome = Box::pin(try_all(route, login, accounts, authorization, run)).await;
        let refuses =
            |hop: &Hop| hop.status == Some(401) && login.url.host_str() == Some(&hop.host);
        if let Some(shown) = authorization.filter(|_| outcome.hops.iter().any(refuses)) {
            tokens.refused(shown, &login.client);
        }
        outcome
    };
    if ground.is_remote() {
        return vec![ask(None, run).await.finding(Subject::Whole, None)];
    }
    let host = login.url.host_str().unwrap_or_default();
    let addresses = login.addresses;
    probe_each(network, check, host, addresses, run, |address, run| ask(Some(address), run)).await
}

/// Logs in with one account after the other, until one is accepted.
async fn try_all(
    route: Route<'_>,
    login: &LoginCheck,
    accounts: &[Option<&Account>],
    authorization: Option<&Authorization>,
    mut run: Run,
) -> Outcome {
    let mut trail = Trail::default();
    let mut rejected: Vec<(Arc<str>, Arc<str>)> = Vec::new();
    let mut tried =
        Err(Ended::before_any(Reason::ProberMisconfigured { detail: "steps to do".to_owned() }));
    for account in accounts {
        tried = match Flow::new(route, login, *account, authorization, &run) {
            Ok(mut flow) => flow.run(&mut run, &mut trail).await,
            Err(reason) => Err(Ended::before_any(reason)),
        };
        let (Some(account), Err(Ended { step: Some(step), reason })) = (account, &tried) else {
            break;
        };
        if !matches!(reason, Reason::CredentialsRejected { .. }) {
            break;
        }
        rejected.push((account.label.clone(), step.clone()));
        if !run.has_time() {
            break;
        }
    }
    let all = rejected.len() == accounts.len();
    let seen = Seen { tried, rejected, all, clock: trail.clock };
    let (judgement, step, clock) = judge(seen, login, route.ground.check, &run);
    Outcome { clock, step, hops: trail.hops, ..Outcome::of(run, judgement) }
}

/// What was seen through one address.
struct Seen {
    /// How the last flow ended.
    tried: Result<flow::Passed, Ended>,
    /// The accounts that were rejected before, and in which step.
    rejected: Vec<(Arc<str>, Arc<str>)>,
    /// Whether these are all that there are.
    all: bool,
    /// What the entry host tells about its clock.
    clock: Option<ClockOffset>,
}

/// Judges what was seen through one address; gives the step that it is about, and the clock.
///
/// 1. A step that failed fails the flow; credentials fail it only if every account's are rejected,
/// 2. otherwise they degrade it.
/// 3. The certificates on the way must have time left,
/// 4. and then each step, and all of them together, must have been quick enough.
fn judge(
    seen: Seen,
    login: &LoginCheck,
    check: &Check,
    run: &Run,
) -> (Judgement, Option<Arc<str>>, Option<ClockOffset>) {
    let Seen { tried, rejected, all, clock } = seen;
    let of_rejection = || {
        let labels: Vec<&str> = rejected.iter().map(|(label, _)| &**label).collect();
        let step = rejected.first().map(|(_, step)| step.clone());
        (Reason::CredentialsRejected { account: labels.join(", ") }, step)
    };
    let passed = match tried {
        Ok(passed) => passed,
        Err(Ended { reason: Reason::CredentialsRejected { .. }, .. }) => {
            let (reason, step) = of_rejection();
            let verdict = if all { Judgement::fail(reason) } else { Judgement::degraded(reason) };
            return (verdict, step, clock);
        }
        Err(Ended { step, reason }) => return (Judgement::fail(reason), step, clock),
    };
    // A token's word is weaker: who issues it need not be the host that is asked.
    let clock = clock.or(passed.clock);
    let certificate = || certificate::judge(run.tls, login.certificate.as_ref(), run.clock().now());
    if let Some(fatal) = certificate().filter(|it| !it.worked()) {
        return (fatal, None, clock);
    }
    if !rejected.is_empty() {
        let (reason, step) = of_rejection();
        return (Judgement::degraded(reason), step, clock);
    }
    if let Some(degraded) = certificate() {
        return (degraded, None, clock);
    }
    if let Some((step, took)) = passed.slow {
        return (Judgement::degraded(Reason::Slow { took }), Some(step), clock);
    }
    (judge_speed(run.phases.total(), check.degraded_over), None, clock)
}
