//! The `icmp` check: a few echoes, one after the other, and how many of them are answered.

use std::net::IpAddr;

use super::addresses::probe_each;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, IcmpCheck, LossLimits};
use crate::model::{Finding, Phase, Reason, Span};
use crate::net::echo::{Echoing, Manner};
use crate::net::icmp::Heard;
use crate::net::{Network, Run};

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    check: &Check,
    icmp: &IcmpCheck,
    run: Run,
) -> Vec<Finding> {
    probe_each(network, check, &icmp.host, icmp.addresses, run, |address, mut run| async move {
        let judgement = match exchange(icmp, address, &mut run).await {
            Ok(facts) => judge(&facts, icmp.lost, run.phases.total(), check.degraded_over),
            Err(reason) => Judgement::fail(reason),
        };
        Outcome::of(run, judgement)
    })
    .await
}

/// What was seen of one address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Facts {
    /// For each echo that was sent: how long its answer took, if one came.
    echoes: Vec<Option<Span>>,
    /// Why the last of those that were refused did not get there.
    refused: Option<Reason>,
}

impl Facts {
    /// The one in the middle of the round trips, as one slow packet makes no slow path.
    fn round_trip(&self) -> Option<Span> {
        let mut answered: Vec<Span> = self.echoes.iter().copied().flatten().collect();
        answered.sort_unstable();
        answered.get(answered.len() / 2).copied()
    }
}

/// Sends the echoes. Each waits for its answer as long as it can without taking their time from
/// those that come after it; an answer that is later than that still counts.
///
/// What is held against the first byte's phase is one round trip, or all of the waiting if no
/// answer came.
async fn exchange(icmp: &IcmpCheck, address: IpAddr, run: &mut Run) -> Result<Facts, Reason> {
    let manner = Manner { source: icmp.source, size: icmp.size.into(), ttl: icmp.ttl };
    let mut echoing = Echoing::open(address, manner)?;
    let watch = run.clock().stopwatch();
    let (mut facts, mut sent) = (Facts::default(), Vec::new());
    for sequence in 0..icmp.count {
        let share = run.time_left().as_micros() / u64::from(icmp.count - sequence);
        let attempt = run.at_most(Span::from_micros(share));
        sent.push(watch.elapsed());
        facts.echoes.push(None);
        let echo = async {
            echoing.send(sequence).await?;
            loop {
                let heard = echoing.listen().await?;
                let number = match heard {
                    Heard::Answer(number) => {
                        note(&mut facts.echoes, &sent, number, watch.elapsed());
                        number
                    }
                    Heard::Unreachable(number) => {
                        facts.refused = Some(Reason::ConnectUnreachable);
                        number
                    }
                };
                if number == sequence {
                    return Ok::<(), Reason>(());
                }
            }
        };
        match attempt.within_deadline(echo).await {
            Some(Err(ours)) if ours.is_ours() => return Err(ours),
            Some(Err(theirs)) => facts.refused = Some(theirs),
            Some(Ok(())) | None => {}
        }
    }
    let took = facts.round_trip().unwrap_or_else(|| watch.elapsed());
    run.phases.add(Phase::FirstByte, took);
    Ok(facts)
}

/// Notes the first answer to an echo: a network may double packets.
fn note(echoes: &mut [Option<Span>], sent: &[Span], number: u16, now: Span) {
    let number = usize::from(number);
    if let (Some(echo), Some(sent)) = (echoes.get_mut(number), sent.get(number)) {
        let took = now.as_micros().saturating_sub(sent.as_micros());
        echo.get_or_insert(Span::from_micros(took));
    }
}

/// Judges what was seen of one address.
///
/// 1. If no echo is answered, what was said instead is the reason, if anything was.
/// 2. So many lost fail,
/// 3. so many degrade,
/// 4. and last it must have been quick enough.
fn judge(facts: &Facts, limits: LossLimits, took: Span, degraded_over: Option<Span>) -> Judgement {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let sent = count(facts.echoes.len());
    let lost = count(facts.echoes.iter().filter(|answer| answer.is_none()).count());
    let reason = Reason::EchoLost { lost, sent };
    match &facts.refused {
        Some(refused) if lost == sent => Judgement::fail(refused.clone()),
        _ if lost >= u32::from(limits.failed) => Judgement::fail(reason),
        _ if lost >= u32::from(limits.degraded) => Judgement::degraded(reason),
        _ => judge_speed(took, degraded_over),
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Judgement, LossLimits, judge, note};
    use crate::model::{Reason, Span};

    fn facts(millis: &[u64]) -> Facts {
        let echo = |took: &u64| (*took > 0).then(|| Span::from_millis(*took));
        Facts { echoes: millis.iter().map(echo).collect(), refused: None }
    }

    #[test]
    fn the_lost_are_counted_and_then_the_time() {
        let limits = LossLimits { degraded: 2, failed: 3 };
        let took = Span::from_millis(5);
        let judged = |facts: &Facts| judge(facts, limits, took, Some(Span::from_millis(4)));
        let lost = |lost| Reason::EchoLost { lost, sent: 4 };
        let slow = Judgement::degraded(Reason::Slow { took });
        assert_eq!(judged(&facts(&[5, 5, 5, 5])), slow);
        assert_eq!(judged(&facts(&[5, 0, 5, 5])), slow);
        assert_eq!(judged(&facts(&[5, 0, 0, 5])), Judgement::degraded(lost(2)));
        assert_eq!(judged(&facts(&[0, 0, 5, 0])), Judgement::fail(lost(3)));
        assert_eq!(judged(&facts(&[0, 0, 0, 0])), Judgement::fail(lost(4)));
        assert_eq!(judge(&facts(&[5]), limits, took, None), Judgement::PASS);
    }

    #[test]
    fn what_was_said_counts_where_nothing_was_answered() {
        let limits = LossLimits { degraded: 1, failed: 2 };
        let judged = |millis: &[u64]| {
            let refused = Some(Reason::ConnectUnreachable);
            judge(&Facts { refused, ..facts(millis) }, limits, Span::ZERO, None)
        };
        assert_eq!(judged(&[0, 0]), Judgement::fail(Reason::ConnectUnreachable));
        let lost = Reason::EchoLost { lost: 1, sent: 2 };
        assert_eq!(judged(&[0, 3]), Judgement::degraded(lost));
    }

    #[test]
    fn a_late_or_doubled_answer_belongs_to_its_own_echo() {
        let (mut echoes, millis) = (vec![None; 2], Span::from_millis);
        let sent = [millis(0), millis(100)];
        note(&mut echoes, &sent, 1, millis(104));
        note(&mut echoes, &sent, 0, millis(110));
        note(&mut echoes, &sent, 0, millis(120));
        note(&mut echoes, &sent, 7, millis(130));
        let facts = Facts { echoes, refused: None };
        assert_eq!(facts.echoes, [Some(millis(110)), Some(millis(4))]);
        assert_eq!(facts.round_trip(), Some(millis(110)));
        let three = super::Facts {
            echoes: vec![Some(millis(9)), None, Some(millis(1)), Some(millis(2))],
            refused: None,
        };
        assert_eq!(three.round_trip(), Some(millis(2)));
    }
}
