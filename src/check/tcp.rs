//! The `tcp` check: connect, perhaps say something, and see what is answered.

use std::net::{IpAddr, SocketAddr};

use regex::bytes::Regex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::addresses::probe_each;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, TcpCheck};
use crate::model::{Finding, Phase, Reason, Span};
use crate::net::connect::breakage;
use crate::net::{Network, Run, TlsFor, Wire};

/// How much of an answer is searched.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    check: &Check,
    tcp: &TcpCheck,
    run: Run,
) -> Vec<Finding> {
    probe_each(network, check, &tcp.host, tcp.addresses, run, |address, mut run| async move {
        let heard = exchange(network, tcp, address, &mut run).await;
        let judgement = judge(&heard, run.phases.total(), check.degraded_over);
        Outcome { run, clock: None, judgement }
    })
    .await
}

/// What was heard from one address.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Heard {
    /// What was expected, or all that there was to do.
    Expected,
    /// This, until the target closed, the time was over or there was more than is searched; and
    /// the expectation was not in it.
    Otherwise(Vec<u8>),
}

async fn exchange(
    network: &Network,
    tcp: &TcpCheck,
    address: IpAddr,
    run: &mut Run,
) -> Result<Heard, Reason> {
    let tls = tcp.tls.then_some(TlsFor { host: &tcp.host, alpn: None });
    let mut wire = network.open(run, SocketAddr::new(address, tcp.port), tls).await?;
    if let Some(words) = &tcp.send {
        let broke = |error| breakage(&error, Phase::Send);
        run.phase(Phase::Send, async {
            wire.write_all(words).await.map_err(broke)?;
            wire.flush().await.map_err(broke)
        })
        .await?;
    }
    match &tcp.expect {
        None => Ok(Heard::Expected),
        Some(expect) => listen(&mut wire, expect, run).await,
    }
}

/// Listens until what has come matches `expect`.
async fn listen(wire: &mut Wire, expect: &Regex, run: &mut Run) -> Result<Heard, Reason> {
    let mut heard = Vec::new();
    run.phase(Phase::FirstByte, more(wire, &mut heard, Phase::FirstByte)).await?;
    if heard.is_empty() {
        return Err(Reason::ConnectionClosed { phase: Phase::FirstByte });
    }
    let matched = run
        .phase(Phase::Transfer, async {
            while !expect.is_match(&heard) {
                let before = heard.len();
                more(wire, &mut heard, Phase::Transfer).await?;
                if heard.len() == before {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await;
    match matched {
        Ok(true) => Ok(Heard::Expected),
        Err(ours) if ours.is_ours() => Err(ours),
        // However it ended, what came tells more than that it ended.
        Ok(false) | Err(_) => Ok(Heard::Otherwise(heard)),
    }
}

/// Adds to `heard` what comes next; nothing if there is no more, or no room for it.
async fn more(wire: &mut Wire, heard: &mut Vec<u8>, phase: Phase) -> Result<(), Reason> {
    let room = LONGEST_ANSWER.saturating_sub(heard.len());
    let mut part = [0; 4096];
    let Some(part) = part.get_mut(..room.min(4096)) else { return Ok(()) };
    let length = wire.read(part).await.map_err(|error| breakage(&error, phase))?;
    heard.extend(part.iter().take(length));
    Ok(())
}

/// Judges what was heard.
///
/// 1. Without a connection, or with one that stays silent, nothing else counts.
/// 2. Then what came must be what was expected,
/// 3. and last it must have been quick enough.
fn judge(heard: &Result<Heard, Reason>, took: Span, degraded_over: Option<Span>) -> Judgement {
    match heard {
        Err(reason) => Judgement::fail(reason.clone()),
        Ok(Heard::Otherwise(words)) => {
            let got = String::from_utf8_lossy(words).into_owned();
            Judgement::fail(Reason::TcpExpect { got })
        }
        Ok(Heard::Expected) => judge_speed(took, degraded_over),
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Judgement, judge};
    use crate::model::{Phase, Reason, Span};

    #[test]
    fn silence_words_and_speed_are_judged_in_this_order() {
        let took = Span::from_secs(2);
        let limit = Some(Span::from_secs(1));
        let silence = Reason::Timeout { phase: Phase::FirstByte };
        assert_eq!(judge(&Err(silence.clone()), took, limit), Judgement::fail(silence));
        assert_eq!(
            judge(&Ok(Heard::Otherwise(b"500 go away".to_vec())), took, limit),
            Judgement::fail(Reason::TcpExpect { got: "500 go away".into() })
        );
        assert_eq!(
            judge(&Ok(Heard::Expected), took, limit),
            Judgement::degraded(Reason::Slow { took })
        );
        assert_eq!(judge(&Ok(Heard::Expected), took, None), Judgement::PASS);
    }
}
