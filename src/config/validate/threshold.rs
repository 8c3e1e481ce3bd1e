//! What it takes to fail, to be degraded and to recover, and whether that can work together.

use std::num::NonZeroU32;
use std::ops::Range;

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::raw::tuning::RawTuning;
use super::super::reader::Field;
use crate::model::{Span, Threshold};

const TWICE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);

/// What holds for one check.
pub(super) struct Thresholds {
    pub(super) fail_after: Threshold,
    pub(super) degrade_after: Option<Threshold>,
    pub(super) recover_after: Threshold,
}

/// A threshold, and where the file says so.
struct Placed {
    name: &'static str,
    threshold: Threshold,
    place: Range<usize>,
    /// Whether it is the check's own, and no default.
    is_own: bool,
}

impl Placed {
    /// The outer `None` if it was wrong, the inner if nobody says anything.
    fn of(
        name: &'static str,
        own: &Field<Threshold>,
        default: &Field<Threshold>,
    ) -> Option<Option<Self>> {
        let given = own.or_else(default).clone().optional_spanned()?;
        let is_own = matches!(own, Field::Given(_));
        Some(given.map(|given| {
            let place = given.span();
            Self { name, threshold: given.into_inner(), place, is_own }
        }))
    }
}

/// Settles what holds:
///
/// 1. A check's own setting, else the file's default, else farol's: twice in a row. What is
///    degraded is as `fail_after`, unless it is said.
/// 2. No recovery may be met by runs that meet a failure as well.
/// 3. A time that runs are counted in must have room for the fewest that tell anything, at the
///    check's `interval`; otherwise nothing would ever be decided.
/// 4. Both are said where at least one of the two is the check's own.
pub(super) fn settle(
    own: &RawTuning,
    defaults: &RawTuning,
    interval: Option<Span>,
    problems: &mut Problems<'_>,
) -> Option<Thresholds> {
    let fail = Placed::of("fail_after", &own.fail_after, &defaults.fail_after);
    let degrade = Placed::of("degrade_after", &own.degrade_after, &defaults.degrade_after);
    let recover = Placed::of("recover_after", &own.recover_after, &defaults.recover_after);
    let (fail, degrade, recover) = (fail?, degrade?, recover?);

    let value = |placed: &Option<Placed>| placed.as_ref().map(|placed| placed.threshold);
    let in_a_row = Threshold::in_a_row(TWICE);
    let fail_after = value(&fail).unwrap_or(in_a_row);
    let recover_after = value(&recover).unwrap_or(in_a_row);
    let degrade_after = value(&degrade);

    let mut good = true;
    let bad = [("fail_after", Some(fail_after), &fail), ("degrade_after", degrade_after, &degrade)];
    for (name, threshold, placed) in bad {
        let (Some(threshold), Some(recover)) = (threshold, &recover) else { continue };
        if recover_after.is_easier_than(threshold) {
            if recover.is_own || placed.as_ref().is_some_and(|bad| bad.is_own) {
                refuse_easy(recover, (name, threshold, placed.as_ref()), problems);
            }
            good = false;
        }
    }
    let all = [fail, degrade, recover];
    let own_interval = !matches!(own.interval, Field::Absent);
    for placed in all.into_iter().flatten().filter(|placed| placed.is_own || own_interval) {
        let Threshold::Share { within, at_least, .. } = placed.threshold else { continue };
        let place = (placed.name, placed.place);
        good &= interval.is_none_or(|every| has_room(place, (within, at_least), every, problems));
    }
    good.then_some(Thresholds { fail_after, degrade_after, recover_after })
}

fn refuse_easy(
    recover: &Placed,
    (name, threshold, bad): (&'static str, Threshold, Option<&Placed>),
    problems: &mut Problems<'_>,
) {
    let places = bad.map(|bad| (bad.place.clone(), Some(bad.name)));
    let places: Vec<_> =
        std::iter::once((recover.place.clone(), Some(recover.name))).chain(places).collect();
    let mistake = Mistake::Contradiction {
        small: recover.name,
        small_value: recover.threshold.to_string(),
        relation: "harder to reach than",
        large: name,
        large_value: threshold.to_string(),
        why: "the same runs would say that it is well and that it is not, and the state would flip \
              with every run: ask for more good runs",
    };
    problems.report_all(places, mistake);
}

/// Whether the fewest runs that tell anything find room in the time that is looked back over.
pub(super) fn has_room(
    (name, place): (&'static str, Range<usize>),
    (within, at_least): (Span, NonZeroU32),
    interval: Span,
    problems: &mut Problems<'_>,
) -> bool {
    let needed = Span::from_micros(interval.as_micros().saturating_mul(at_least.get().into()));
    if needed <= within {
        return true;
    }
    let mistake = Mistake::Contradiction {
        small: "at_least",
        small_value: format!("{at_least} runs, {needed}"),
        relation: "at most",
        large: "within",
        large_value: within.to_string(),
        why: "at this `interval` there would never be enough runs to tell anything: raise `within`, \
              or lower `at_least`",
    };
    problems.report_all(vec![(place, Some(name))], mistake);
    false
}
