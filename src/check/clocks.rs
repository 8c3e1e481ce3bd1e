//! What a prober knows of clocks, over all its runs: hears what each run has read, judges its
//! findings before they leave, and says when to ask so that the answer tells the most.
//!
//! A check need only leave what it read in its findings' `clock`, against our own clock and
//! unjudged; [`Clocks::judge`] does the rest. The same goes for the NTP servers that were named to
//! be trusted, those of [`ProberPlan::ntp`]: it knows their checks by their ids. A server that says
//! itself that it is not to be trusted leaves no `clock`, or a finding that fails.

mod judge;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Clock;
use crate::config::{Check, CheckKind, ClockLimits, ProberPlan};
use crate::model::{
    CheckId, ClockOffset, ClockReference, ClockSource, Finding, Reason, Span, Threshold, Timestamp,
    Variant, Verdict,
};
use crate::offset::{self, Book, JUMP_TOLD, Known, Rules, Sample, Who, before_the_edge};

/// What is known of clocks. Copies know the same.
#[derive(Clone, Debug)]
pub(super) struct Clocks {
    clock: Clock,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    book: Book,
    max_error: Span,
    /// Whether requests wait for the right moment.
    waits: bool,
    /// The clocks that were last found to be off, as long as they are known.
    blamed: BTreeSet<Who>,
}

impl Clocks {
    /// Nothing is known yet. Until somebody is to be trusted this is for a single look: our host is
    /// believed at once, and nobody waits.
    pub(super) fn new(clock: Clock) -> Self {
        let plan = ProberPlan::default();
        let rules = rules(&plan, Span::ZERO);
        let book = Book::new(rules, clock.now(), clock.wall_step());
        let max_error = plan.max_clock_error;
        let shared = Shared { book, max_error, waits: false, blamed: BTreeSet::new() };
        Self { clock, shared: Arc::new(Mutex::new(shared)) }
    }

    /// From now on, whom `plan` names is trusted, others may speak for the time of `settle` before
    /// our host alone is believed, and requests wait for the moment at which they tell the most.
    pub(super) fn trust(&self, plan: &ProberPlan, settle: Span) {
        let mut shared = self.lock();
        shared.book.adopt(rules(plan, settle));
        shared.max_error = plan.max_clock_error;
        shared.waits = true;
    }

    /// Hears what a run of `check`, which began at `began`, has read, and judges its findings by
    /// all that is known then.
    pub(super) fn judge(&self, check: &Check, findings: &mut [Finding], began: Timestamp) {
        if findings.iter().all(|finding| finding.clock.is_none()) {
            return;
        }
        let (now, wall_step) = (self.clock.now(), self.clock.wall_step());
        // Each variant has addresses of its own, and siblings among these alone.
        for group in findings.chunk_by_mut(|one, next| one.variant == next.variant) {
            let variant = group.first().and_then(|finding| finding.variant.clone());
            let limits = limits(check, variant.as_ref());
            let heard: Vec<(Who, Sample)> = group
                .iter()
                .filter(|finding| finding.clock.is_some_and(|clock| is_evidence(finding, clock)))
                .filter_map(|finding| {
                    // It was read at some moment since.
                    let offset = finding.clock?.aged(now.since(began));
                    let who = who(&check.id, finding)?;
                    Some((who, Sample { offset, at: now, wall_step }))
                })
                .collect();
            let mut known = self.lock().book.hear(&heard, jump_told(check), now).into_iter();
            for finding in group {
                if !finding.clock.is_some_and(|clock| is_evidence(finding, clock)) {
                    continue;
                }
                let known = known.next().flatten();
                finding.clock = known.map(|known| known.offset);
                if let (Some(known), Some(limits), Some(who)) =
                    (known, limits, who(&check.id, finding))
                {
                    self.lock().judge(finding, who, known, limits, now);
                }
            }
        }
    }

    /// How far our own clock is ahead of what others agree on, if anybody else knows the time.
    pub(super) fn own_offset(&self) -> Option<ClockOffset> {
        let found = self.lock().book.own().latest()?;
        let ours = ClockOffset { at_least: 0, at_most: 0, ..found.offset };
        (found.against != ClockReference::Host).then(|| ours.minus(found.offset))
    }

    /// What is wrong with our own clock, if anything is: what others agree on is not what ours says,
    /// the host's was set while we ran, or those who could tell contradict each other.
    pub(super) fn own_trouble(&self) -> Option<Reason> {
        let mut shared = self.lock();
        shared.book.look(self.clock.now(), self.clock.wall_step());
        if let Some(found) = shared.book.own_error() {
            let ours = ClockOffset { at_least: 0, at_most: 0, ..found.offset };
            let offset = ours.minus(found.offset);
            return Some(Reason::ProberClockOff { offset, against: found.against });
        }
        let own = shared.book.own();
        let is_far = |step: &i64| Span::from_micros(step.unsigned_abs()) > shared.max_error;
        let step = own.step().filter(is_far);
        step.map(|step| Reason::ProberClock { step })
            .or_else(|| own.is_unsure().then_some(Reason::ProberClockUnsure))
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Judges one finding.
    ///
    /// 1. Where the time is known, a clock is judged by that.
    /// 2. While nobody can tell, a clock that is off by ours is neither wrong nor right: the run
    ///    says nothing. Without that a restart would be a recovery, as nothing is known after it.
    /// 3. That is so for a while only, since a run that says nothing resolves no incident either.
    ///    Whoever looks once has nobody to wait for.
    /// 4. A clock that was found to be off stays so for as long as nobody can tell that it is not.
    ///    That our host alone does not exclude it, after its own clock has stepped, is not to tell.
    fn judge(
        &mut self,
        finding: &mut Finding,
        who: Who,
        known: Known,
        limits: ClockLimits,
        now: Timestamp,
    ) {
        let step = self.book.own().step();
        let is_off_by_ours = known.offset.certain() > limits.degraded;
        let was_off = self.blamed.contains(&who);
        let only_host = matches!(known.against, Some((_, ClockReference::Host)));
        let is_off = known.against.is_some() && judge::judge(finding, known, limits);
        if is_off {
            self.blamed.insert(who);
        } else if known.against.is_some() && !(only_host && step.is_some() && is_off_by_ours) {
            self.blamed.remove(&who);
        } else if is_off_by_ours
            && (was_off || (known.against.is_none() && self.waits && self.book.may_yet_tell(now)))
        {
            judge::withhold(finding, step);
        }
        if self.blamed.len() > offset::MOST {
            self.blamed.pop_first();
        }
    }
}

/// The moments at which one check asks for the time.
#[derive(Debug)]
pub(super) struct Moments {
    clocks: Clocks,
    check: CheckId,
    variant: Option<Variant>,
    waited: Waited,
}

/// The longest that anything has waited for its moment.
#[derive(Debug, Default)]
pub(super) struct Waited(Mutex<Span>);

impl Waited {
    pub(super) fn note(&self, wait: Option<Span>) {
        let mut longest = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *longest = longest.max(wait.unwrap_or_default());
    }

    /// What of `took` is left without it: at least what the slowest of `findings` took, which may
    /// be one that did not wait.
    pub(super) fn not_counted(&self, took: Span, findings: &[Finding]) -> Span {
        let waited = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let less = Span::from_micros(took.as_micros().saturating_sub(waited.as_micros()));
        let slowest = findings.iter().map(|finding| finding.phases.total()).max();
        slowest.map_or(less, |slowest| less.max(slowest.min(took)))
    }
}

impl Moments {
    pub(super) fn of(clocks: &Clocks, check: &Check, variant: Option<Variant>) -> Self {
        let (clocks, check) = (clocks.clone(), check.id.clone());
        Self { clocks, check, variant, waited: Waited::default() }
    }

    /// How long to wait before the server at `address` is asked, where that would tell more and a
    /// run with so much time `left` can afford it. Nobody waits for a second that is none.
    pub(super) fn wait(&self, address: Option<IpAddr>, left: Span) -> Option<Span> {
        let shared = self.clocks.lock();
        if !shared.waits || !self.clocks.clock.is_real() {
            return None;
        }
        let (check, variant) = (self.check.clone(), self.variant.clone());
        let who = Who { check, variant, address, source: ClockSource::Date };
        let now = self.clocks.clock.now();
        let (known, way) = shared.book.sight(&who, now)?;
        drop(shared);
        let wait = before_the_edge(known, now, way)?;
        if left.as_micros() / 2 < wait.as_micros() {
            return None;
        }
        self.waited.note(Some(wait));
        Some(wait)
    }

    /// The longest wait so far.
    pub(super) fn waited(&self) -> Span {
        *self.waited.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn rules(plan: &ProberPlan, settle: Span) -> Rules {
    let ntp = plan.ntp.iter().map(|check| check.id.clone()).collect();
    Rules { ntp, max_error: plan.max_clock_error, settle }
}

/// How long it is told that a clock was set: over all the runs of `check` that it takes to degrade
/// it, and one more, as the first may be slow to come.
fn jump_told(check: &Check) -> Duration {
    let (runs, within) = match check.degrade_after.unwrap_or(check.fail_after) {
        Threshold::Runs { of, .. } => (of, Span::ZERO),
        Threshold::Share { at_least, within, .. } => (at_least, within),
    };
    let of_runs = check.interval.to_duration().saturating_mul(runs.get().saturating_add(1));
    JUMP_TOLD.max(of_runs).max(within.to_duration())
}

/// Whether what `finding` read is to be heard: an NTP server that fails says so of itself.
fn is_evidence(finding: &Finding, clock: ClockOffset) -> bool {
    clock.source != ClockSource::Ntp || finding.verdict != Verdict::Fail
}

fn who(check: &CheckId, finding: &Finding) -> Option<Who> {
    let source = finding.clock?.source;
    let (check, variant) = (check.clone(), finding.variant.clone());
    Some(Who { check, variant, address: finding.address, source })
}

/// How far a clock may be off by what `check` says, if it says so.
fn limits(check: &Check, variant: Option<&Variant>) -> Option<ClockLimits> {
    let own = check.variants.iter().find(|(name, _)| Some(name) == variant);
    match &own.map_or(check, |(_, own)| own).kind {
        CheckKind::Http(http) => Some(http.max_clock_skew),
        CheckKind::Login(login) => Some(login.max_clock_skew),
        CheckKind::Clock(clock) => Some(clock.limits),
        CheckKind::Dns(_)
        | CheckKind::Tcp(_)
        | CheckKind::Tls(_)
        | CheckKind::Grpc(_)
        | CheckKind::Icmp(_)
        | CheckKind::Websocket(_)
        | CheckKind::Prober(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::{Shared, Who, jump_told, rules};
    use crate::config::{
        Addresses, Check, CheckKind, ClockCheck, ClockLimits, ClockTarget, ProberPlan,
    };
    use crate::model::{
        CheckId, ClockOffset, ClockReference, ClockSource, Finding, Span, Subject, Threshold,
        Timestamp, Verdict,
    };
    use crate::offset::{Book, Known};

    /// What is known of clocks by a prober that runs for long.
    fn shared() -> Shared {
        let plan = ProberPlan::default();
        let book = Book::new(rules(&plan, Span::from_secs(15)), at(0), 0);
        let (max_error, blamed) = (plan.max_clock_error, BTreeSet::new());
        Shared { book, max_error, waits: true, blamed }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + seconds)
    }

    const HOUR: i64 = 3_600_000_000;

    /// What is found of a clock that is so far ahead of ours, and by so much of what is right.
    fn judged(
        shared: &mut Shared,
        seconds: i64,
        host: &str,
        ahead: i64,
        right: Option<(i64, ClockReference)>,
    ) -> (Verdict, Option<&'static str>) {
        let limits = ClockLimits {
            degraded: Span::from_secs(60),
            failed: Span::from_secs(600),
            jump: None,
            drift: None,
        };
        let source = ClockSource::Date;
        let around = |ahead| ClockOffset { at_least: ahead, at_most: ahead + 1_000_000, source };
        let against = right.map(|(by, whose)| (around(by), whose));
        let known = Known { offset: around(ahead), against, jumped: None, drift: None };
        let who = Who { check: CheckId::new(host), variant: None, address: None, source };
        let mut finding = Finding::pass(Subject::Whole);
        shared.judge(&mut finding, who, known, limits, at(seconds));
        (finding.verdict, finding.reason.map(|reason| reason.name()))
    }

    const UNSURE: (Verdict, Option<&str>) = (Verdict::Inconclusive, Some("prober_clock_unsure"));
    const WRONG: (Verdict, Option<&str>) = (Verdict::Fail, Some("clock_skew"));
    const WELL: (Verdict, Option<&str>) = (Verdict::Pass, None);

    #[test]
    fn a_restart_is_no_recovery_of_a_clock_that_is_off() {
        let mut shared = shared();
        assert_eq!(judged(&mut shared, 2, "desk", HOUR, None), UNSURE);
        assert_eq!(judged(&mut shared, 2, "crm", 0, None), WELL);
        let by_host = Some((HOUR, ClockReference::Host));
        assert_eq!(judged(&mut shared, 15, "desk", HOUR, by_host), WRONG);
    }

    #[test]
    fn no_check_is_blind_for_ever_where_nobody_can_tell() {
        let mut shared = shared();
        assert_eq!(judged(&mut shared, 599, "desk", HOUR, None), UNSURE);
        assert_eq!(judged(&mut shared, 600, "desk", HOUR, None), WELL);
        // Whoever looks once does not wait at all.
        shared.waits = false;
        assert_eq!(judged(&mut shared, 2, "desk", HOUR, None), WELL);
    }

    #[test]
    fn a_host_that_was_suspended_with_one_target_believes_it_unless_it_was_wrong_before() {
        let mut shared = shared();
        let by_host = |ahead| Some((ahead, ClockReference::Host));
        assert_eq!(judged(&mut shared, 20, "desk", HOUR, by_host(HOUR)), WRONG);
        shared.book.look(at(30), HOUR);
        // By the host's word the target is right, and by ours it is an hour ahead.
        assert_eq!(judged(&mut shared, 31, "crm", HOUR, by_host(0)), WELL);
        let still = judged(&mut shared, 31, "desk", HOUR, by_host(0));
        assert_eq!(still, (Verdict::Inconclusive, Some("prober_clock")));
        assert_eq!(judged(&mut shared, 32, "desk", 0, by_host(0)), WELL);
    }

    #[test]
    fn a_jump_is_told_for_more_runs_than_open_an_incident() {
        let clock = ClockCheck {
            target: ClockTarget::reference("ntp1.example".into(), 123, Addresses::Any),
            samples: NonZeroU32::MIN,
            limits: ClockLimits {
                degraded: Span::ZERO,
                failed: Span::ZERO,
                jump: None,
                drift: None,
            },
        };
        let times = (Span::from_secs(60), Span::from_secs(5));
        let kind = CheckKind::Clock(Box::new(clock));
        let mut check = Check::for_ourselves(CheckId::new("a/b/c"), "c".into(), times, kind);
        check.fail_after = Threshold::in_a_row(NonZeroU32::new(3).unwrap());
        assert_eq!(jump_told(&check), Duration::from_secs(300));
        check.interval = Span::from_secs(3600);
        assert_eq!(jump_told(&check), Duration::from_secs(4 * 3600));
    }

    /// A target is found to be an hour ahead; then nobody can tell for long.
    #[test]
    fn a_wrong_clock_is_not_right_because_nobody_can_tell_any_more() {
        let mut shared = shared();
        let mut judged = |host: &str, ahead: i64, is_known: bool| {
            let right = is_known.then_some((ahead, ClockReference::Host));
            super::tests::judged(&mut shared, 2_000, host, ahead, right)
        };
        assert_eq!(judged("desk", HOUR, false), WELL, "nothing is held against it yet");
        assert_eq!(judged("desk", HOUR, true), WRONG);
        assert_eq!(judged("desk", HOUR, false), UNSURE);
        assert_eq!(judged("crm", HOUR, false), WELL);
        assert_eq!(judged("desk", 0, false), WELL, "it was set right meanwhile");
        assert_eq!(judged("desk", 0, true), WELL);
        assert_eq!(judged("desk", HOUR, false), WELL);
    }
}
