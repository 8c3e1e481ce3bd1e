//! The `tcp` check: connect, perhaps change over to TLS, and go through a script.

pub(super) mod starttls;
pub(super) mod talk;

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use regex::bytes::Regex;

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, Piece, Security, Step, TcpCheck};
use crate::model::{Finding, Phases, Reason, Span, Timestamp};
use crate::net::{Handshake, Network, Run, TlsFor};
use talk::{MOST_HEARD, Talk};

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
            Step::Starttls => talk = talk.secure(network, to).await?,
            Step::Expect(pattern) => {
                // Of a longer script it is not plain which step is meant.
                let expected = match tcp.script.len() {
                    ..3 => pattern.to_string(),
                    _ => format!("step {}: {pattern}", at + 1),
                };
                talk.listen(&expected, |heard| kept.find(at, pattern, heard)).await?;
            }
        }
    }
    Ok(())
}

/// What the steps of a script have captured.
#[derive(Debug)]
struct Kept {
    /// For each step: the groups, if a later step sends any of them.
    groups: Vec<Option<Vec<Vec<u8>>>>,
}

impl Kept {
    /// Nothing yet, and place for what `script` will need.
    fn of(script: &[Step]) -> Self {
        let mut groups = vec![None; script.len()];
        let pieces = script.iter().filter_map(|step| match step {
            Step::Send(pieces) => Some(pieces),
            Step::Expect(_) | Step::Starttls => None,
        });
        for piece in pieces.flatten() {
            if let Piece::Captured { step, .. } = piece
                && let Some(groups) = groups.get_mut(*step)
            {
                *groups = Some(Vec::new());
            }
        }
        Self { groups }
    }

    /// Looks for `pattern` on behalf of step `at`, and keeps its groups if they are needed.
    fn find(&mut self, at: usize, pattern: &Regex, heard: &[u8]) -> Option<(usize, ())> {
        let Some(Some(kept)) = self.groups.get_mut(at) else {
            return Some((pattern.find(heard)?.end(), ()));
        };
        let captures = pattern.captures(heard)?;
        *kept = captures
            .iter()
            .map(|group| group.map_or_else(Vec::new, |group| group.as_bytes().to_vec()))
            .collect();
        Some((captures.get(0)?.end(), ()))
    }

    /// What is to be sent. What a target made us capture must not make us send without end.
    fn fill_in<'p>(&self, pieces: &'p [Piece]) -> Result<Cow<'p, [u8]>, Reason> {
        if let [Piece::Bytes(bytes)] = pieces {
            return Ok(Cow::Borrowed(bytes));
        }
        let mut words = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Bytes(bytes) => words.extend_from_slice(bytes),
                Piece::Captured { step, group } => {
                    let groups = self.groups.get(*step).and_then(Option::as_ref);
                    let captured = groups.and_then(|groups| groups.get(*group));
                    let captured = captured.map(Vec::as_slice).unwrap_or_default();
                    if words.len().saturating_add(captured.len()) > MOST_HEARD {
                        let detail = String::from("what was captured is too long to be sent");
                        return Err(Reason::MalformedAnswer { detail });
                    }
                    words.extend_from_slice(captured);
                }
            }
        }
        Ok(Cow::Owned(words))
    }
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
