//! What is expected of the values that a path leads to.

use regex::bytes::Regex;
use serde_json::Number;

use super::super::super::mistake::Mistake;
use super::super::super::plan::expect::{
    Comparison, CountRange, JsonExpect, JsonTest, RecordLimits, TimeFormat,
};
use super::super::super::reader::{Field, Key, Reader, Section};
use super::super::super::setting::duration::{DAY, Duration};
use super::super::super::setting::json_path::Path;
use super::super::super::setting::literal::Literal;

/// From nothing at all to a hundred years: "not a moment in the future" is a fair demand.
type Distance = Duration<0, { 36_500 * DAY }>;

const PATH: Key<Path> =
    Key::new("path", "Where the values are, as RFC 9535 writes it: \"$.agents[*].updated_at\".");
const EXISTS: Key<bool> =
    Key::new("exists", "`false`: the path must lead nowhere. Without it, it must lead somewhere.");
const COUNT: Key<CountRange> = Key::new("count", "How many values the path must lead to.");
const EQUALS: Key<Literal> = Key::new("equals", "What each value must be.");
const MATCHES: Key<Regex> =
    Key::new("matches", "A regular expression that each value, not a list or table, must match.");
const BELOW: Key<Number> = Key::new("below", "Each value must be a number less than this.");
const AT_MOST: Key<Number> = Key::new("at_most", "Each value must be a number no more than this.");
const ABOVE: Key<Number> = Key::new("above", "Each value must be a number more than this.");
const AT_LEAST: Key<Number> =
    Key::new("at_least", "Each value must be a number no less than this.");
const MAX_AGE: Key<Distance> =
    Key::new("max_age", "Each value must be a point in time, no longer ago than this.");
const MAX_AHEAD: Key<Distance> = Key::new(
    "max_ahead",
    "Each value must be a point in time, no further in the future than this.",
);
const FORMAT: Key<TimeFormat> =
    Key::new("format", "How the points in time are written; found out for each without it.");

impl Section for JsonExpect {
    const NAME: &'static str = "`json`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let path = table.require(&PATH);
        let (exists, count) = (table.take(&EXISTS), table.take(&COUNT));
        let (equals, matches) = (table.take(&EQUALS), table.take(&MATCHES));
        let compares = [
            (Comparison::Below, table.take(&BELOW)),
            (Comparison::AtMost, table.take(&AT_MOST)),
            (Comparison::Above, table.take(&ABOVE)),
            (Comparison::AtLeast, table.take(&AT_LEAST)),
        ];
        let record = record([table.take(&MAX_AGE), table.take(&MAX_AHEAD)], table.take(&FORMAT));

        let mut tests = Vec::new();
        tests.extend(equals.optional()?.map(|literal| JsonTest::Equals(literal.0)));
        tests.extend(matches.optional()?.map(JsonTest::Matches));
        for (comparison, number) in compares {
            tests.extend(number.optional()?.map(|number| JsonTest::Compares(comparison, number)));
        }
        tests.extend(record?.map(JsonTest::Record));
        let count = settle_count(table, exists, count, !tests.is_empty())?;
        let Path(written, path) = path?.into_inner();
        Some(Self { written, path, count, tests })
    }
}

fn record(
    distances: [Field<Distance>; 2],
    format: Field<TimeFormat>,
) -> Option<Option<RecordLimits>> {
    let [max_age, max_ahead] = distances.map(Field::optional);
    let span = |distance: Option<Distance>| distance.map(|distance| distance.0);
    let limits = RecordLimits {
        max_age: span(max_age?),
        max_ahead: span(max_ahead?),
        format: format.optional()?,
    };
    let RecordLimits { max_age, max_ahead, format } = limits;
    let said = max_age.is_some() || max_ahead.is_some() || format.is_some();
    Some(said.then_some(limits))
}

/// How many there must be: at least one unless the file says otherwise. What must not be there
/// has no number and no qualities.
pub(super) fn settle_count(
    table: &mut Reader<'_, '_, '_>,
    exists: Field<bool>,
    count: Field<CountRange>,
    more: bool,
) -> Option<CountRange> {
    if let Field::Given(exists) = &exists
        && !*exists.get_ref()
    {
        if more || !matches!(count, Field::Absent) {
            table.report(exists.span(), Mistake::AbsentAndMore);
        }
        return Some(CountRange::NONE);
    }
    exists.optional()?;
    count.or(CountRange::SOME)
}
