//! What all kinds of check judge by, and how a judgement becomes a finding. Pure.

use std::net::IpAddr;
use std::sync::Arc;

use crate::model::{ClockOffset, Finding, Hop, Phases, Reason, Span, Subject, Verdict};
use crate::net::Run;

/// A verdict, with the reason for all but a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Judgement {
    verdict: Verdict,
    reason: Option<Reason>,
}

impl Judgement {
    /// As expected.
    pub(super) const PASS: Self = Self { verdict: Verdict::Pass, reason: None };

    /// It did not work; inconclusive if that was our own doing.
    pub(super) fn fail(reason: Reason) -> Self {
        let verdict = if reason.is_ours() { Verdict::Inconclusive } else { Verdict::Fail };
        Self { verdict, reason: Some(reason) }
    }

    /// It is not known whether it works, and that is nothing to hold against it.
    pub(super) fn inconclusive(reason: Reason) -> Self {
        Self { verdict: Verdict::Inconclusive, reason: Some(reason) }
    }

    /// Whether there was something that worked, well or not, so that more can be asked of it.
    pub(super) fn worked(&self) -> bool {
        matches!(self.verdict, Verdict::Pass | Verdict::Degraded)
    }

    /// The finding about `subject`, where there was nothing to measure.
    pub(super) fn about(self, subject: Subject) -> Finding {
        Finding { verdict: self.verdict, reason: self.reason, ..Finding::pass(subject) }
    }

    /// It worked, but not as well as it should.
    pub(super) fn degraded(reason: Reason) -> Self {
        Self { verdict: Verdict::Degraded, reason: Some(reason) }
    }
}

/// The last question to an answer that is right: whether it was quick enough.
pub(super) fn judge_speed(took: Span, degraded_over: Option<Span>) -> Judgement {
    match degraded_over {
        Some(limit) if took > limit => Judgement::degraded(Reason::Slow { took }),
        Some(_) | None => Judgement::PASS,
    }
}

/// After that, whether each phase was quick enough by itself: the first that was not degrades a
/// finding that would pass, whatever the kind of check.
pub(super) fn judge_phases(finding: &mut Finding, limits: &Phases) {
    if finding.verdict != Verdict::Pass {
        return;
    }
    let slow = finding
        .phases
        .iter()
        .find(|(phase, took)| limits.get(*phase).is_some_and(|limit| *took > limit));
    if let Some((phase, took)) = slow {
        finding.verdict = Verdict::Degraded;
        finding.reason = Some(Reason::SlowPhase { phase, took });
    }
}

/// What became of one run, about to be a finding.
#[derive(Debug)]
pub(super) struct Outcome {
    pub(super) run: Run,
    pub(super) clock: Option<ClockOffset>,
    pub(super) judgement: Judgement,
    /// The requests that it took, for a run that may take several.
    pub(super) hops: Vec<Hop>,
    /// The step that the judgement is about.
    pub(super) step: Option<Arc<str>>,
}

impl Outcome {
    /// A run of one question, which `judgement` is about.
    pub(super) fn of(run: Run, judgement: Judgement) -> Self {
        Self { run, clock: None, judgement, hops: Vec::new(), step: None }
    }

    /// A run that ended before there was anything to judge.
    pub(super) fn failed(run: Run, reason: Reason) -> Self {
        Self::of(run, Judgement::fail(reason))
    }

    /// The finding about `subject`, after talking to `address`.
    pub(super) fn finding(self, subject: Subject, address: Option<IpAddr>) -> Finding {
        Finding {
            variant: None,
            subject,
            address,
            verdict: self.judgement.verdict,
            reason: self.judgement.reason,
            phases: self.run.phases,
            clock: self.clock,
            certificate_expires_at: self.run.tls.and_then(|tls| Some(tls.shown?.until)),
            step: self.step,
            // Of a single request the phases say it all.
            hops: if self.hops.len() > 1 { self.hops } else { Vec::new() },
            tls: self.run.tls.map(|tls| tls.seen(self.run.clock().now())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Judgement, judge_phases, judge_speed};
    use crate::model::{Finding, Phase, Phases, Reason, Span, Subject, Verdict};

    #[test]
    fn our_own_trouble_is_inconclusive() {
        let detail = String::from("too many open files");
        let ours = Judgement::fail(Reason::ProberExhausted { detail });
        assert_eq!(ours.verdict, Verdict::Inconclusive);
        assert_eq!(Judgement::fail(Reason::ConnectRefused).verdict, Verdict::Fail);
    }

    #[test]
    fn slow_is_longer_than_the_limit_and_not_as_long() {
        let limit = Span::from_millis(800);
        assert_eq!(judge_speed(limit, Some(limit)), Judgement::PASS);
        assert_eq!(judge_speed(Span::from_secs(9), None), Judgement::PASS);
        let took = Span::from_millis(801);
        assert_eq!(judge_speed(took, Some(limit)), Judgement::degraded(Reason::Slow { took }));
    }

    #[test]
    fn a_phase_can_be_too_slow_by_itself() {
        let millis = Span::from_millis;
        let mut limits = Phases::default();
        limits.add(Phase::Connect, millis(100));
        limits.add(Phase::Tls, millis(1));
        let judged = |connect: u64, verdict| {
            let mut finding = Finding { verdict, ..Finding::pass(Subject::Whole) };
            finding.phases.add(Phase::Connect, millis(connect));
            finding.phases.add(Phase::FirstByte, millis(9_000));
            judge_phases(&mut finding, &limits);
            (finding.verdict, finding.reason)
        };
        let slow = Reason::SlowPhase { phase: Phase::Connect, took: millis(101) };
        assert_eq!(slow.name(), "connect_slow");
        assert_eq!(judged(101, Verdict::Pass), (Verdict::Degraded, Some(slow)));
        assert_eq!(judged(100, Verdict::Pass), (Verdict::Pass, None));
        assert_eq!(judged(101, Verdict::Fail), (Verdict::Fail, None));
    }
}
