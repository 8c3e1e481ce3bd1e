//! What a clock makes of a finding. Pure.

use crate::config::ClockLimits;
use crate::model::{Finding, Reason, Span, Verdict};
use crate::offset::Known;

/// Judges `finding` once more, by what is known of the clock that was read, and tells whether the
/// clock is off.
///
/// 1. A clock that is certainly off by more than what fails, fails.
/// 2. By more than what degrades, it degrades;
/// 3. so does one that was set a short while ago, by more than it may,
/// 4. and one that drifts more than it may.
/// 5. What is wrong anyway stays as it is, unless the clock is worse: a wrong clock matters more than
///    speed does.
pub(super) fn judge(finding: &mut Finding, known: Known, limits: ClockLimits) -> bool {
    let Some((verdict, reason)) = verdict(known, limits) else { return false };
    let slow = matches!(finding.reason, Some(Reason::Slow { .. } | Reason::SlowPhase { .. }));
    let worked = matches!(finding.verdict, Verdict::Pass | Verdict::Degraded);
    if worked && (slow || verdict > finding.verdict) {
        finding.verdict = verdict;
        finding.reason = Some(reason);
        // It is about no step, but about the host.
        finding.step = None;
    }
    true
}

/// Takes back that `finding` is well: its clock is off by ours, and nobody can tell which of the
/// two is right, perhaps since the host has set its own by `step`.
pub(super) fn withhold(finding: &mut Finding, step: Option<i64>) {
    if matches!(finding.verdict, Verdict::Pass | Verdict::Degraded) {
        finding.verdict = Verdict::Inconclusive;
        let unsure = Reason::ProberClockUnsure;
        finding.reason = Some(step.map_or(unsure, |step| Reason::ProberClock { step }));
        finding.step = None;
    }
}

fn verdict(known: Known, limits: ClockLimits) -> Option<(Verdict, Reason)> {
    if let Some((offset, against)) = known.against {
        let reason = Reason::ClockSkew { offset, against };
        if offset.certain() > limits.failed {
            return Some((Verdict::Fail, reason));
        }
        if offset.certain() > limits.degraded {
            return Some((Verdict::Degraded, reason));
        }
    }
    let is_far = |by: i64, limit: Span| by.unsigned_abs() > limit.as_micros();
    if let (Some(by), Some(limit)) = (known.jumped, limits.jump)
        && is_far(by, limit)
    {
        return Some((Verdict::Degraded, Reason::ClockJump { by }));
    }
    match (known.drift, limits.drift) {
        (Some(rate), Some(limit)) if rate.unsigned_abs() > u64::from(limit.get()) => {
            Some((Verdict::Degraded, Reason::ClockDrift { rate }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::judge;
    use crate::config::ClockLimits;
    use crate::model::{
        ClockOffset, ClockReference, ClockSource, Finding, Reason, Span, Subject, Verdict,
    };
    use crate::offset::Known;

    const MINUTE: i64 = 60_000_000;

    fn limits() -> ClockLimits {
        ClockLimits {
            degraded: Span::from_secs(5 * 60),
            failed: Span::from_secs(3600),
            jump: Some(Span::from_secs(10)),
            drift: NonZeroU32::new(100),
        }
    }

    fn known(at_least: i64, at_most: i64) -> Known {
        let offset = ClockOffset { at_least, at_most, source: ClockSource::Date };
        let against = Some((offset, ClockReference::Ntp));
        Known { offset, against, jumped: None, drift: None }
    }

    fn judged(known: Known) -> (Verdict, Option<&'static str>) {
        let mut finding = Finding::pass(Subject::Whole);
        judge(&mut finding, known, limits());
        (finding.verdict, finding.reason.map(|reason| reason.name()))
    }

    #[test]
    fn a_clock_is_held_against_nobody_until_it_is_certain() {
        let second = 1_000_000;
        for (at_least, expected) in [
            (5 * MINUTE, (Verdict::Pass, None)),
            (5 * MINUTE + 1, (Verdict::Degraded, Some("clock_skew"))),
            (60 * MINUTE, (Verdict::Degraded, Some("clock_skew"))),
            (60 * MINUTE + 1, (Verdict::Fail, Some("clock_skew"))),
            (-5 * MINUTE - second, (Verdict::Pass, None)),
            (-5 * MINUTE - second - 1, (Verdict::Degraded, Some("clock_skew"))),
            (-60 * MINUTE - second - 1, (Verdict::Fail, Some("clock_skew"))),
        ] {
            assert_eq!(judged(known(at_least, at_least + second)), expected, "{at_least}");
        }
        // The answer took so long that the clock may be right.
        assert_eq!(judged(known(-100 * MINUTE, 100 * MINUTE)), (Verdict::Pass, None));
        let nobody_knows = Known { against: None, ..known(100 * MINUTE, 101 * MINUTE) };
        assert_eq!(judged(nobody_knows), (Verdict::Pass, None));
    }

    #[test]
    fn a_jump_and_a_drift_degrade_beyond_their_limits() {
        let right = known(0, 0);
        for (jumped, drift, expected) in [
            (Some(10_000_000), Some(100), None),
            (Some(-10_000_001), Some(101), Some("clock_jump")),
            (Some(1), Some(-101), Some("clock_drift")),
        ] {
            let known = Known { jumped, drift, ..right };
            assert_eq!(judged(known).1, expected);
            let mut finding = Finding::pass(Subject::Whole);
            judge(&mut finding, known, ClockLimits { jump: None, drift: None, ..limits() });
            assert_eq!(finding.reason, None);
        }
    }

    #[test]
    fn a_clock_comes_before_speed_and_after_what_is_worse() {
        let slow = Reason::Slow { took: Span::from_secs(9) };
        let few = Reason::TooFewAddresses { found: 1, least: 2 };
        let (off, far_off) = (known(10 * MINUTE, 11 * MINUTE), known(90 * MINUTE, 91 * MINUTE));
        for (verdict, reason, known, expected) in [
            (Verdict::Degraded, slow.clone(), off, (Verdict::Degraded, "clock_skew")),
            (Verdict::Degraded, slow, far_off, (Verdict::Fail, "clock_skew")),
            (Verdict::Degraded, few.clone(), off, (Verdict::Degraded, "too_few_addresses")),
            (Verdict::Degraded, few, far_off, (Verdict::Fail, "clock_skew")),
            (Verdict::Fail, Reason::ConnectRefused, far_off, (Verdict::Fail, "connect_refused")),
        ] {
            let mut finding = Finding::because(Subject::Whole, verdict, reason);
            judge(&mut finding, known, limits());
            assert_eq!((finding.verdict, finding.reason.unwrap().name()), expected);
        }
        let detail = String::from("too many open files");
        let ours = Reason::ProberExhausted { detail };
        let mut finding = Finding::because(Subject::Whole, Verdict::Inconclusive, ours);
        judge(&mut finding, far_off, limits());
        assert_eq!(finding.verdict, Verdict::Inconclusive);
    }
}
