//! The `tcp` check: connect, perhaps change over to TLS, and go through a script.

pub(super) mod starttls;
pub(super) mod talk;

use std::net::{IpAddr, SocketAddr};

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use super::script::{Kept, named};
use crate::config::{Check, Security, Step, TcpCheck};
use crate::model::{Finding, Phases, Reason, Span, Timestamp};
use crate::net::{Handshake, Network, Run, TlsFor};
use talk::Talk;

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    check: &Check,
    tcp: &TcpCheck,
    run: Run,
) -> Vec<Finding> {
    probe_each(network, check, &tcp.host, tcp.addresses, run, |address, mut run| async move {
        let ending = exchange(network, tcp, address, &mut run).await;
        let facts = Facts { ending, phases: run.phases, tls: run.tls, now: run.clock().now() };
        let judgement = judge(&facts, tcp, check.degraded_over);
        Outcome::of(run, judgement)
    })
    .await
}

/// What was seen of one address.
#[derive(Clone, Debug)]
struct Facts {
    /// Whether the script came to its end.
    ending: Result<(), Reason>,
    phases: Phases,
    tls: Option<Handshake>,
    /// When it ended.
    now: Timestamp,
}

async fn exchange(
    network: &Network,
    tcp: &TcpCheck,
    address: IpAddr,
    run: &mut Run,
) -> Result<(), Reason> {
    let wire = network.connect(run, SocketAddr::new(address, tcp.port), tcp.source).await?;
    let to = TlsFor { host: tcp.server_name.as_ref().unwrap_or(&tcp.host), alpn: None };
    let mut talk = Talk::new(run, wire);
    match tcp.security {
        Security::Plain => {}
        Security::Tls => talk = talk.secure(network, to).await?,
        Security::Starttls(protocol) => {
            starttls::ask(&mut talk, protocol, to.host).await?;
            talk = talk.secure(network, to).await?;
        }
    }
    let mut kept = Kept::of(&tcp.script);
    for (at, step) in tcp.script.iter().enumerate() {
        match step {
            Step::Send(pieces) => talk.say(&kept.fill_in(pieces)?).await?,
            Step::SendBytes(bytes) => talk.say(bytes).await?,
            Step::Starttls => talk = talk.secure(network, to).await?,
            Step::Expect(pattern) => {
                let expected = named(&tcp.script, at, pattern);
                talk.listen(&expected, |heard| kept.find(at, pattern, heard)).await?;
            }
        }
    }
    Ok(())
}

/// Judges what was seen of one address.
///
/// 1. The script must come to its end; whatever kept it from that is the reason.
/// 2. Then the certificates must be valid for long enough,
/// 3. and last it must have been quick enough.
fn judge(facts: &Facts, tcp: &TcpCheck, degraded_over: Option<Span>) -> Judgement {
    if let Err(reason) = &facts.ending {
        return Judgement::fail(reason.clone());
    }
    let limits = tcp.certificate.as_ref();
    if let Some(judgement) = certificate::judge(facts.tls, limits, facts.now) {
        return judgement;
    }
    judge_speed(facts.phases.total(), degraded_over)
}

#[cfg(test)]
mod tests;
