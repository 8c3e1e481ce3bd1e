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

use crate::clock::Clock;
use crate::config::{Check, CheckKind, ClockLimits, ProberPlan};
use crate::model::{
    CheckId, ClockOffset, ClockReference, ClockSource, Finding, Reason, Span, Timestamp, Variant,
    Verdict,
};
use crate::offset::{self, Book, Known, Rules, Sample, Who, before_the_edge};

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
            let mut known = self.lock().book.hear(&heard, now).into_iter();
            for finding in group {
                if !finding.clock.is_some_and(|clock| is_evidence(finding, clock)) {
                    continue;
                }
                let known = known.next().flatten();
                finding.clock = known.map(|known| known.offset);
                if let (Some(known), Some(limits), Some(who)) =
                    (known, limits, who(&check.id, finding))
                {
                    self.lock().judge(finding, who, known, limits);
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

    /// What is wrong with our own clock, if anything is: the host's was set while we ran, or what
    /// others agree on is not what ours says.
    pub(super) fn own_trouble(&self) -> Option<Reason> {
        let mut shared = self.lock();
        shared.book.look(self.clock.now(), self.clock.wall_step());
        if let Some(found) = shared.book.own_error() {
            let ours = ClockOffset { at_least: 0, at_most: 0, ..found.offset };
            let offset = ours.minus(found.offset);
            return Some(Reason::ProberClockOff { offset, against: found.against });
        }
        let step = shared.book.own().step()?;
        (Span::from_micros(step.unsigned_abs()) > shared.max_error)
            .then_some(Reason::ProberClock { step })
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    /// Judges one finding. While nobody can tell what the time is, a clock that was found to be off
    /// is not found to be right either: the run says nothing.
    fn judge(&mut self, finding: &mut Finding, who: Who, known: Known, limits: ClockLimits) {
        if known.against.is_some() {
            if judge::judge(finding, known, limits) {
                self.blamed.insert(who);
            } else {
                self.blamed.remove(&who);
            }
        } else if self.blamed.contains(&who) && known.offset.certain() > limits.degraded {
            judge::withhold(finding, self.book.own().step().unwrap_or_default());
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
    /// run with so much time `left` can afford it.
    pub(super) fn wait(&self, address: Option<IpAddr>, left: Span) -> Option<Span> {
        let shared = self.clocks.lock();
        if !shared.waits {
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

    use super::{Shared, Who, rules};
    use crate::config::{ClockLimits, ProberPlan};
    use crate::model::{
        CheckId, ClockOffset, ClockReference, ClockSource, Finding, Span, Subject, Timestamp,
        Verdict,
    };
    use crate::offset::{Book, Known};

    /// A target is found to be an hour ahead; then the host's clock is set, and nobody can tell.
    #[test]
    fn a_wrong_clock_is_not_right_because_nobody_can_tell_any_more() {
        let plan = ProberPlan::default();
        let book = Book::new(rules(&plan, Span::ZERO), Timestamp::from_secs(0), 0);
        let (max_error, blamed) = (plan.max_clock_error, BTreeSet::new());
        let mut shared = Shared { book, max_error, waits: false, blamed };
        let limits = ClockLimits {
            degraded: Span::from_secs(60),
            failed: Span::from_secs(600),
            jump: None,
            drift: None,
        };
        let mut judged = |host: &str, ahead: i64, is_known: bool| {
            let source = ClockSource::Date;
            let offset = ClockOffset { at_least: ahead, at_most: ahead + 1_000_000, source };
            let against = is_known.then_some((offset, ClockReference::Host));
            let known = Known { offset, against, jumped: None, drift: None };
            let who = Who { check: CheckId::new(host), variant: None, address: None, source };
            let mut finding = Finding::pass(Subject::Whole);
            shared.judge(&mut finding, who, known, limits);
            finding.verdict
        };
        let hour = 3_600_000_000;
        assert_eq!(judged("desk", hour, false), Verdict::Pass, "nothing is held against it yet");
        assert_eq!(judged("desk", hour, true), Verdict::Fail);
        assert_eq!(judged("desk", hour, false), Verdict::Inconclusive);
        assert_eq!(judged("crm", hour, false), Verdict::Pass);
        assert_eq!(judged("desk", 0, false), Verdict::Pass, "it was set right meanwhile");
        assert_eq!(judged("desk", 0, true), Verdict::Pass);
        assert_eq!(judged("desk", hour, false), Verdict::Pass);
    }
}
