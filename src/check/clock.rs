//! The `clock` check: a clock, read several times on purpose, over HTTP or by NTP.

mod narrow;
mod web;

use std::net::{IpAddr, SocketAddr};

use super::addresses::probe_each;
use super::http::Tokens;
use super::http::auth;
use super::http::ground::Ground;
use super::judgement::{Judgement, Outcome, judge_speed};
use super::trace::Notes;
use crate::config::{Check, ClockCheck, ClockTarget, HttpCheck, Secrets, TimePlace};
use crate::model::{ClockOffset, Finding, Reason, Span, Subject};
use crate::net::ntp::Asking;
use crate::net::{Network, Run};
use web::Web;

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    tokens: &Tokens,
    check: &Check,
    clock: &ClockCheck,
    run: Run,
    notes: &Notes,
) -> Vec<Finding> {
    match &clock.target {
        ClockTarget::Http { ask, place } => {
            let ground = Ground { network, secrets, check, client: &ask.client, notes };
            probe_web(ground, tokens, clock, (ask, place), run).await
        }
        ClockTarget::Ntp { host, port, addresses, source, as_reference, .. } => {
            probe_each(network, check, host, *addresses, run, |address, mut run| async move {
                let server = SocketAddr::new(address, *port);
                let asking = Asking { server, source: *source, samples: clock.samples.get() };
                let read = network.read_clock(&mut run, asking).await;
                let read = read.map(|read| if *as_reference { read.truth() } else { read.clock });
                outcome(&read, run, check.degraded_over)
            })
            .await
        }
    }
}

/// Asks an HTTP server. What is needed to be let in is fetched once, whatever the number of
/// addresses and samples.
async fn probe_web(
    ground: Ground<'_>,
    tokens: &Tokens,
    clock: &ClockCheck,
    (ask, place): (&HttpCheck, &TimePlace),
    run: Run,
) -> Vec<Finding> {
    let authorization = match Box::pin(auth::authorization(&ground, tokens, run)).await {
        Ok(authorization) => authorization,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let authorization = authorization.as_ref();
    let check = ground.check;
    let read = |address: Option<IpAddr>, mut run: Run| async move {
        let web = Web { ground, ask, place, address, authorization, tokens };
        let read = web.read(&mut run, clock.samples.get()).await;
        outcome(&read, run, check.degraded_over)
    };
    if ground.is_remote() {
        return vec![read(None, run).await.finding(Subject::Whole, None)];
    }
    let host = ask.url.host_str().unwrap_or_default();
    let (network, addresses) = (ground.network, ask.addresses);
    probe_each(network, check, host, addresses, run, |address, run| read(Some(address), run)).await
}

fn outcome(read: &Result<ClockOffset, Reason>, run: Run, degraded_over: Option<Span>) -> Outcome {
    let clock = read.as_ref().ok().copied();
    let judgement = judge(read, run.phases.total(), degraded_over);
    Outcome { clock, ..Outcome::of(run, judgement) }
}

/// Judges whether one clock could be read; what it shows is judged by all that is known of clocks,
/// when the run is over.
///
/// 1. A target that answers but says nothing of its clock that can be used is degraded: what it is
///    there for may work, but nobody can know its time.
/// 2. An NTP server that wants to be asked less often is not the one to blame.
/// 3. Without a reading nothing else counts.
/// 4. And last one sample must have been quick enough.
fn judge(read: &Result<ClockOffset, Reason>, took: Span, degraded_over: Option<Span>) -> Judgement {
    match read {
        Err(reason @ Reason::ClockUnreadable { .. }) => Judgement::degraded(reason.clone()),
        Err(reason @ Reason::NtpRefused { code }) if code == "RATE" => {
            Judgement::inconclusive(reason.clone())
        }
        Err(reason) => Judgement::fail(reason.clone()),
        Ok(_) => judge_speed(took, degraded_over),
    }
}

#[cfg(test)]
mod tests {
    use super::{Judgement, judge};
    use crate::model::{ClockOffset, ClockSource, Reason, Span};

    #[test]
    fn what_cannot_be_read_and_then_the_time_it_took() {
        let judged = |read| judge(&read, Span::from_secs(1), Some(Span::from_millis(999)));
        let far_off = 40_000_000_000_000;
        let offset =
            ClockOffset { at_least: far_off, at_most: far_off + 1, source: ClockSource::Json };
        let slow = Judgement::degraded(Reason::Slow { took: Span::from_secs(1) });
        assert_eq!(judged(Ok(offset)), slow, "how far it is off is not judged here");
        let silent = Reason::ClockUnreadable { detail: "no date".into() };
        assert_eq!(judged(Err(silent.clone())), Judgement::degraded(silent));
        let refused = |code: &str| Reason::NtpRefused { code: code.into() };
        assert_eq!(judged(Err(refused("RATE"))), Judgement::inconclusive(refused("RATE")));
        assert_eq!(judged(Err(refused("DENY"))), Judgement::fail(refused("DENY")));
    }
}
