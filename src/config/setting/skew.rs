//! `max_clock_skew`: `"1h"`, or `{ degraded = "5m", failed = "1h" }`.

use serde_json::{Value, json};
use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::plan::ClockLimits;
use super::super::problem::Problems;
use super::super::reader::{
    Field, Key, Node, Reader, Section, Setting, read_section, section_schema,
};
use super::count::PartsPerMillion;
use super::duration::{DAY, Duration};
use crate::model::Span;

/// The `Date` header counts whole seconds; several, asked for around the edge of one, tell a tenth.
type Skew = Duration<100, { 3650 * DAY }>;

const DEGRADED: Key<Skew> =
    Key::new("degraded", "Beyond this the check is degraded.").or_text("5m");
const FAILED: Key<Skew> = Key::new("failed", "Beyond this the check fails.").or_text("1h");
const JUMP: Key<Skew> =
    Key::new("jump", "A clock that is set by more than this between two runs degrades the check.");
const DRIFT: Key<PartsPerMillion> = Key::new(
    "drift",
    "A clock that is faster or slower by more than so many parts per million degrades the check.",
);

impl ClockLimits {
    /// What holds where a file says nothing.
    pub(in super::super) const DEFAULT: Self = Self {
        degraded: Span::from_secs(5 * 60),
        failed: Span::from_secs(3600),
        jump: None,
        drift: None,
    };

    /// With only one limit given, the other's default gives way to it.
    fn of(degraded: Option<Span>, failed: Option<Span>) -> Self {
        let default = Self::DEFAULT;
        match (degraded, failed) {
            (Some(degraded), Some(failed)) => Self { degraded, failed, ..default },
            (Some(degraded), None) => {
                Self { degraded, failed: default.failed.max(degraded), ..default }
            }
            (None, Some(failed)) => {
                Self { degraded: default.degraded.min(failed), failed, ..default }
            }
            (None, None) => default,
        }
    }
}

impl Setting for ClockLimits {
    const EXPECTED: &'static str = "a length of time, or { degraded = \"5m\", failed = \"1h\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Skew::read(node, problems).map(|failed| Self::of(None, Some(failed.0)));
        };
        let Limits(limits) = read_section(node.span(), table, problems)?;
        if limits.degraded > limits.failed {
            let mistake = Mistake::Contradiction {
                small: "degraded",
                small_value: limits.degraded.to_string(),
                relation: "at most",
                large: "failed",
                large_value: limits.failed.to_string(),
                why: "a clock that fails the check is not degraded any more: exchange them",
            };
            problems.report(node.span(), mistake);
            return None;
        }
        Some(limits)
    }

    fn schema() -> Value {
        json!({ "anyOf": [Skew::schema(), section_schema::<Limits>()] })
    }
}

struct Limits(ClockLimits);

impl Section for Limits {
    const NAME: &'static str = "`max_clock_skew`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let span = |field: Field<Skew>| Some(field.optional()?.map(|skew| skew.0));
        let (degraded, failed) = (table.take(&DEGRADED), table.take(&FAILED));
        let (jump, drift) = (table.take(&JUMP), table.take(&DRIFT));
        let limits = ClockLimits::of(span(degraded)?, span(failed)?);
        let drift = drift.optional()?.map(|drift| drift.0);
        Some(Self(ClockLimits { jump: span(jump)?, drift, ..limits }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use crate::config::ClockLimits;
    use crate::model::Span;

    #[test]
    fn one_limit_moves_the_other_out_of_its_way() {
        let minutes = |text| {
            let minutes = |span: Span| span.as_micros() / 60_000_000;
            read::<ClockLimits>(text).map(|l| (minutes(l.degraded), minutes(l.failed)))
        };
        assert_eq!(minutes("'2h'"), Ok((5, 120)));
        assert_eq!(minutes("'1m'"), Ok((1, 1)));
        assert_eq!(minutes("{ degraded = '2h' }"), Ok((120, 120)));
        assert_eq!(minutes("{ degraded = '1m', failed = '2m' }"), Ok((1, 2)));
        assert_eq!(minutes("{}"), Ok((5, 60)));
        assert_eq!(
            minutes("{ degraded = '2m', failed = '1m' }"),
            Err("contradiction: `degraded` (2m) must be at most `failed` (1m)".to_owned())
        );
        assert!(minutes("60").unwrap_err().starts_with("no_unit"));
        assert!(minutes("'99ms'").unwrap_err().starts_with("out_of_range"));
    }

    #[test]
    fn jumps_and_drift_are_judged_where_somebody_asks_for_it() {
        let other = |text| read::<ClockLimits>(text).map(|limits| (limits.jump, limits.drift));
        assert_eq!(other("'2h'"), Ok((None, None)));
        assert_eq!(
            other("{ jump = '100ms', drift = 50 }"),
            Ok((Some(Span::from_millis(100)), std::num::NonZeroU32::new(50)))
        );
        assert!(other("{ drift = 0 }").unwrap_err().starts_with("out_of_range"));
        assert!(other("{ drift = '50' }").unwrap_err().starts_with("wrong_type"));
        assert!(other("{ jump = 5 }").unwrap_err().starts_with("no_unit"));
    }
}
