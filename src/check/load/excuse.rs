//! Whether our own load may be why a run was too slow. Pure.

use std::collections::BTreeMap;

use super::ring::Added;
use crate::config::{Check, CheckKind};
use crate::model::{CheckId, Finding, Reason, Span, Variant};

/// So many runs of one check in a row are excused that were given up.
const MOST_IN_A_ROW: u8 = 3;

/// What a finding says of time: that a limit was exceeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exceeded {
    /// It was measured, and took longer.
    Took { took: Span, limit: Span },
    /// It was given up after so long: how long it would have taken nobody knows.
    GaveUp { after: Span },
}

impl Exceeded {
    /// The limit that `finding` says was exceeded, if it is about one.
    pub(super) fn of(finding: &Finding, check: &Check) -> Option<Self> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others are not about time")]
        match finding.reason.as_ref()? {
            Reason::Slow { took } => {
                let limit = slow_over(check, finding.step.as_deref())?;
                Some(Self::Took { took: *took, limit })
            }
            Reason::SlowPhase { phase, took } => {
                let limit = check.degraded_over_in.get(*phase)?;
                Some(Self::Took { took: *took, limit })
            }
            Reason::Timeout { .. } => Some(Self::GaveUp { after: check.timeout }),
            Reason::FirstByteLimit { limit }
            | Reason::IdleLimit { limit }
            | Reason::ExpectLimit { limit } => Some(Self::GaveUp { after: *limit }),
            _ => None,
        }
    }

    /// Why the finding says nothing, if `added` may be why the limit was exceeded:
    ///
    /// 1. Without it, what took too long would not have.
    /// 2. Of the time after which it was given up, more than half was ours by the sampler's word. A
    ///    target that is down is still found to be while we are busy, and one that had less than
    ///    half of its time is not. What our threads waited for all in all is no measure there: a
    ///    host with many of them would excuse whatever hangs.
    pub(super) fn excuse(self, added: Added) -> Option<Reason> {
        let added = Span::from(match self {
            Self::Took { .. } => added.most,
            Self::GaveUp { .. } => added.least,
        });
        let (took, is_ours) = match self {
            Self::Took { took, limit } => {
                (took, took.as_micros().saturating_sub(added.as_micros()) <= limit.as_micros())
            }
            Self::GaveUp { after } => (after, added.as_micros() > after.as_micros() / 2),
        };
        is_ours.then_some(Reason::ProberBusy { took, added })
    }
}

/// How long it may take: the whole, or one step of it.
fn slow_over(check: &Check, step: Option<&str>) -> Option<Span> {
    match (&check.kind, step) {
        (CheckKind::Login(login), Some(name)) => {
            login.steps.iter().find(|step| *step.name == *name)?.degraded_over
        }
        _ => check.degraded_over,
    }
}

/// The runs that were given up and excused, for each check and each way to run it, since it was
/// last run otherwise. A target that hangs must be found however long we are busy.
#[derive(Debug, Default)]
pub(super) struct InARow(BTreeMap<(CheckId, Option<Variant>), u8>);

impl InARow {
    /// Whether one more may be excused.
    pub(super) fn allows(&self, whose: &(CheckId, Option<Variant>)) -> bool {
        self.0.get(whose).is_none_or(|count| *count < MOST_IN_A_ROW)
    }

    /// Counts a run that was given up, be it excused or not, or forgets those before one that was
    /// not.
    pub(super) fn count(&mut self, whose: (CheckId, Option<Variant>), excusable: bool) {
        if excusable {
            let count = self.0.entry(whose).or_default();
            *count = count.saturating_add(1);
        } else {
            self.0.remove(&whose);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Added, Exceeded, InARow};
    use crate::model::{CheckId, Reason, Span};

    fn excused(exceeded: Exceeded, added: u64) -> bool {
        // The threads have waited for long, all in all.
        let (most, least) = match exceeded {
            Exceeded::Took { .. } => (added, 0),
            Exceeded::GaveUp { .. } => (100_000, added),
        };
        let [most, least] = [most, least].map(Duration::from_millis);
        exceeded.excuse(Added { most, least }).is_some()
    }

    #[test]
    fn what_would_have_been_quick_enough_without_us_is_excused() {
        let [took, limit] = [1_000, 800].map(Span::from_millis);
        let slow = Exceeded::Took { took, limit };
        assert!(!excused(slow, 0));
        assert!(!excused(slow, 199));
        let added = Span::from_millis(200);
        assert_eq!(
            slow.excuse(Added { most: added.to_duration(), ..Added::default() }),
            Some(Reason::ProberBusy { took, added })
        );
        assert!(excused(slow, 5_000));
    }

    #[test]
    fn what_had_less_than_half_of_its_time_is_excused() {
        let given_up = Exceeded::GaveUp { after: Span::from_secs(10) };
        assert!(!excused(given_up, 0));
        assert!(!excused(given_up, 5_000));
        assert!(excused(given_up, 5_001));
    }

    #[test]
    fn three_in_a_row_are_excused_and_no_more() {
        let [desk, crm] = ["a/b/desk", "a/b/crm"].map(|id| (CheckId::new(id), None));
        let mut row = InARow::default();
        for _ in 0..3 {
            assert!(row.allows(&desk));
            row.count(desk.clone(), true);
        }
        assert!(!row.allows(&desk) && row.allows(&crm));
        row.count(desk.clone(), true);
        assert!(!row.allows(&desk), "it still hangs");
        row.count(desk.clone(), false);
        assert!(row.allows(&desk));
    }
}
