//! How often, how long, how many: a check's own settings over the file's defaults over farol's.

use std::ops::Range;

use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::raw::tuning::RawTuning;
use super::super::reader::Field;
use super::super::setting::choice::AtWorst;
use super::super::setting::duration::Duration;
use super::super::setting::flapping::Limit;
use super::threshold::{self, Thresholds};
use crate::model::{ComponentStatus, Flapping, MajorWhen, Phases, QuantileLimit, Span};

/// What holds where no file says anything.
const INTERVAL: Span = Span::from_secs(30);
const TIMEOUT: Span = Span::from_secs(10);
const CONFIRM_INTERVAL: Span = Span::from_secs(5);

/// What holds for one check.
pub(super) struct Tuning {
    pub(super) interval: Span,
    pub(super) timeout: Span,
    pub(super) confirm_interval: Span,
    pub(super) thresholds: Thresholds,
    pub(super) degraded_over: Option<Span>,
    pub(super) degraded_over_in: Phases,
    pub(super) slow_quantile: Option<QuantileLimit>,
    pub(super) at_worst: ComponentStatus,
    pub(super) major_when: MajorWhen,
    pub(super) flapping: Option<Flapping>,
}

/// A length of time, and where the file says so if it does.
struct Placed {
    span: Span,
    place: Option<Range<usize>>,
}

impl Placed {
    /// The outer `None` if it was wrong, the inner if nobody says anything.
    fn of<const A: u64, const B: u64>(field: &Field<Duration<A, B>>) -> Option<Option<Self>> {
        let placed = |value: &Spanned<Duration<A, B>>| Self {
            span: value.get_ref().0,
            place: Some(value.span()),
        };
        match field {
            Field::Given(value) => Some(Some(placed(value))),
            Field::Absent => Some(None),
            Field::Wrong => None,
        }
    }

    fn or(this: Option<Self>, span: Span) -> Self {
        this.unwrap_or(Self { span, place: None })
    }
}

/// Settles what holds:
///
/// 1. A check's own setting, else the file's default, else farol's.
/// 2. `confirm_interval` is at most `interval`. One that is inherited gives way to a shorter
///    interval; one that stands beside it must not contradict it.
/// 3. Every limit of `degraded_over` is less than `timeout`, or no run could ever be degraded by
///    it. This is said where at least one of the two is the check's own.
pub(super) fn settle(
    own: &RawTuning,
    defaults: &RawTuning,
    problems: &mut Problems<'_>,
) -> Option<Tuning> {
    let interval = Placed::of(own.interval.or_else(&defaults.interval));
    let timeout = Placed::of(own.timeout.or_else(&defaults.timeout));
    let confirm = Placed::of(own.confirm_interval.or_else(&defaults.confirm_interval));
    let degraded_over = own.degraded_over.or_else(&defaults.degraded_over).clone().optional();
    let interval = interval.map(|interval| Placed::or(interval, INTERVAL));
    let timeout = timeout.map(|timeout| Placed::or(timeout, TIMEOUT));

    if let (Some(interval), Some(Some(confirm)), Field::Given(_)) =
        (&interval, &confirm, &own.confirm_interval)
        && confirm.span > interval.span
    {
        let why = "it is for asking sooner than usual: lower it, or raise `interval`";
        let names = ["confirm_interval", "at most", "interval"];
        contradiction(names, confirm, interval, why, problems);
    }
    let own_limit = !matches!((&own.degraded_over, &own.timeout), (Field::Absent, Field::Absent));
    let longest = degraded_over.as_ref().and_then(|latency| latency.as_ref()?.longest.as_ref());
    let longest = longest.map(|(span, at)| Placed { span: *span, place: Some(at.clone()) });
    if let (Some(timeout), Some(limit), true) = (&timeout, &longest, own_limit)
        && limit.span >= timeout.span
    {
        let why = "a run ends at its timeout and would never be slow: lower it, or raise `timeout`";
        contradiction(["degraded_over", "less than", "timeout"], limit, timeout, why, problems);
    }

    let every = interval.as_ref().map(|interval| interval.span);
    let thresholds = threshold::settle(own, defaults, every, problems);

    let is_own = !matches!((&own.degraded_over, &own.interval), (Field::Absent, Field::Absent));
    let quantile = degraded_over.as_ref().and_then(|latency| latency.as_ref()?.quantile.clone());
    if let (Some((limit, place)), Some(every), true) = (quantile, every, is_own) {
        let window = (limit.within, limit.at_least);
        threshold::has_room(("degraded_over", place), window, every, problems);
    }

    let (interval, timeout) = (interval?.span, timeout?.span);
    let degraded_over = degraded_over?.unwrap_or_default();
    Some(Tuning {
        interval,
        timeout,
        confirm_interval: Placed::or(confirm?, CONFIRM_INTERVAL).span.min(interval),
        thresholds: thresholds?,
        degraded_over: degraded_over.total,
        degraded_over_in: degraded_over.phases,
        slow_quantile: degraded_over.quantile.map(|(limit, _)| limit),
        at_worst: own
            .at_worst
            .or_else(&defaults.at_worst)
            .clone()
            .or(AtWorst(ComponentStatus::MajorOutage))?
            .0,
        major_when: own.major_when.or_else(&defaults.major_when).clone().or(MajorWhen::All)?,
        flapping: own.flapping.or_else(&defaults.flapping).clone().or(Limit::default())?.0,
    })
}

fn contradiction(
    [small, relation, large]: [&'static str; 3],
    small_value: &Placed,
    large_value: &Placed,
    why: &'static str,
    problems: &mut Problems<'_>,
) {
    let places = [(small_value, small), (large_value, large)];
    let places =
        places.into_iter().filter_map(|(value, name)| Some((value.place.clone()?, Some(name))));
    let places: Vec<_> = places.collect();
    let mistake = Mistake::Contradiction {
        small,
        small_value: small_value.span.to_string(),
        relation,
        large,
        large_value: large_value.span.to_string(),
        why,
    };
    problems.report_all(places, mistake);
}
