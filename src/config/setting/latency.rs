//! `degraded_over`: `"800ms"` for a run as a whole, `{ total = "800ms", connect = "100ms" }`, or
//! `{ p95 = "800ms", within = "5m" }` for many runs together.

use std::num::NonZeroU32;
use std::ops::Range;

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::DeValue;

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{
    Field, Key, Node, Reader, Section, Setting, read_section, section_schema,
};
use super::count::Runs;
use super::duration::{Duration, MINUTE};
use super::threshold::Within;
use crate::model::{Phase, Phases, QuantileLimit, Span};

type Limit = Duration<1, { 5 * MINUTE }>;

const TOTAL: Key<Limit> = Key::new("total", "All phases together.");
const PHASES: [Key<Limit>; Phase::ALL.len()] = [
    Key::new(Phase::Resolve.as_str(), "From the name to its addresses."),
    Key::new(Phase::Connect.as_str(), "The TCP handshake."),
    Key::new(Phase::Tls.as_str(), "The TLS handshake."),
    Key::new(Phase::Send.as_str(), "Writing the request."),
    Key::new(Phase::FirstByte.as_str(), "From the request to the answer's first byte."),
    Key::new(Phase::Transfer.as_str(), "The rest of the answer."),
];
const QUANTILES: [(u8, Key<Limit>); 5] = [
    (50, Key::new("p50", "Of the latest runs together, the half that is quickest.")),
    (75, Key::new("p75", "The quickest 75 of 100 runs.")),
    (90, Key::new("p90", "The quickest 90 of 100 runs.")),
    (95, Key::new("p95", "The quickest 95 of 100 runs.")),
    (99, Key::new("p99", "The quickest 99 of 100 runs.")),
];
const WITHIN: Key<Within> =
    Key::new("within", "With a quantile: how far back runs count, from the latest one.");
const AT_LEAST: Key<Runs> =
    Key::new("at_least", "With a quantile: with fewer runs in that time it tells nothing.")
        .or_number(10);
const FEWEST: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
const KEYS: &[&str] = &[
    "total",
    "resolve",
    "connect",
    "tls",
    "send",
    "first_byte",
    "transfer",
    "p50",
    "p75",
    "p90",
    "p95",
    "p99",
];

/// How long a run may take before it is degraded: in all, and in each phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Latency {
    pub(in super::super) total: Option<Span>,
    pub(in super::super) phases: Phases,
    /// How slow many runs may be together, and where that stands.
    pub(in super::super) quantile: Option<(QuantileLimit, Range<usize>)>,
    /// The longest of them and where it stands: what must be less than the timeout.
    pub(in super::super) longest: Option<(Span, Range<usize>)>,
}

impl Setting for Latency {
    const EXPECTED: &'static str =
        "a length of time, or { total = \"800ms\", connect = \"100ms\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            let total = Limit::read(node, problems)?.0;
            let longest = Some((total, node.span()));
            return Some(Self { total: Some(total), longest, ..Self::default() });
        };
        let latency: Self = read_section::<Limits>(node.span(), table, problems)?.0;
        // In a table that is not empty there is an unknown key, which was reported.
        if table.is_empty() {
            let mistake = Mistake::NoneOf { section: "`degraded_over`", keys: KEYS };
            problems.report(node.span(), mistake);
            return None;
        }
        Some(latency)
    }

    fn schema() -> Value {
        json!({ "anyOf": [Limit::schema(), section_schema::<Limits>()] })
    }
}

struct Limits(Latency);

impl Section for Limits {
    const NAME: &'static str = "`degraded_over`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let total = table.take(&TOTAL);
        // All are asked for before any is weighed, so that every mistake is seen.
        let phases = PHASES.each_ref().map(|key| table.take(key));
        let quantiles = QUANTILES.each_ref().map(|(quantile, key)| (*quantile, table.take(key)));
        let (within, at_least) = (table.take(&WITHIN), table.take(&AT_LEAST));
        let mut latency = Latency::default();
        latency.quantile = latency.note_quantile(quantiles, (within, at_least), table)?;
        latency.total = latency.note(total)?;
        for (phase, limit) in Phase::ALL.into_iter().zip(phases) {
            if let Some(limit) = latency.note(limit)? {
                latency.phases.add(phase, limit);
            }
        }
        Some(Self(latency))
    }
}

impl Latency {
    /// The limit of a quantile, if one is given:
    ///
    /// 1. Of the quantiles only one is limited.
    /// 2. It needs a time to look back over; without a quantile there is nothing to look for there.
    fn note_quantile(
        &mut self,
        quantiles: [(u8, Field<Limit>); QUANTILES.len()],
        (within, at_least): (Field<Within>, Field<Runs>),
        table: &mut Reader<'_, '_, '_>,
    ) -> Option<Option<(QuantileLimit, Range<usize>)>> {
        const NAMES: &[&str] = &["p50", "p75", "p90", "p95", "p99"];
        let mut found = Vec::new();
        for (quantile, field) in quantiles {
            if let Some(limit) = field.optional_spanned()? {
                found.push((quantile, limit));
            }
        }
        let (within, at_least) = (within.optional()?, at_least.optional()?);
        let section = Limits::NAME;
        match (found.pop(), within) {
            (Some(_), _) if !found.is_empty() => {
                table.report_here(Mistake::SeveralOf { section, keys: NAMES });
                None
            }
            (Some((quantile, limit)), Some(Duration(within))) => {
                let place = limit.span();
                let limit = self.note(Field::Given(limit))??;
                let at_least = at_least.map_or(FEWEST, |least| least.0);
                Some(Some((QuantileLimit { quantile, limit, within, at_least }, place)))
            }
            (Some(_), None) => {
                let (key, about) = (WITHIN.name(), WITHIN.about());
                table.report_here(Mistake::MissingKey { key, section, about });
                None
            }
            (None, None) if at_least.is_none() => Some(None),
            (None, _) => {
                table.report_here(Mistake::NoneOf { section, keys: NAMES });
                None
            }
        }
    }

    /// The limit that is given, if any, remembered if it is the longest.
    fn note(&mut self, limit: Field<Limit>) -> Option<Option<Span>> {
        let limit: Option<Spanned<Limit>> = match limit {
            Field::Given(limit) => Some(limit),
            Field::Absent => None,
            Field::Wrong => return None,
        };
        let Some(limit) = limit else { return Some(None) };
        let span = limit.get_ref().0;
        if self.longest.as_ref().is_none_or(|(longest, _)| span > *longest) {
            self.longest = Some((span, limit.span()));
        }
        Some(Some(span))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::Latency;
    use crate::model::{Phase, Span};

    #[test]
    fn one_limit_or_one_for_each_phase() {
        let millis = |millis| Some(Span::from_millis(millis));
        let latency = read::<Latency>("'800ms'").unwrap();
        assert_eq!((latency.total, latency.phases.iter().count()), (millis(800), 0));
        let latency = read::<Latency>("{ connect = '100ms', first_byte = '2s' }").unwrap();
        assert_eq!(latency.total, None);
        assert_eq!(latency.phases.get(Phase::Connect), millis(100));
        assert_eq!(latency.phases.get(Phase::FirstByte), millis(2000));
        assert_eq!(latency.phases.get(Phase::Tls), None);
        assert_eq!(latency.longest.map(|(span, _)| span), millis(2000));
        let latency = read::<Latency>("{ total = '2s', p95 = '800ms', within = '5m' }").unwrap();
        let (quantile, _) = latency.quantile.unwrap();
        assert_eq!((quantile.quantile, Some(quantile.limit)), (95, millis(800)));
        assert_eq!((quantile.within, quantile.at_least.get()), (Span::from_secs(300), 10));
        assert_eq!(latency.total, millis(2000));
        for (text, code) in [
            ("{}", "none_of"),
            ("{ total = 5 }", "no_unit"),
            ("{ ttfb = '1s' }", "unknown_key"),
            ("{ tls = '1h' }", "out_of_range"),
            ("5", "no_unit"),
            ("{ p95 = '1s' }", "missing_key"),
            ("{ p95 = '1s', p50 = '1s', within = '5m' }", "several_of"),
            ("{ within = '5m' }", "none_of"),
            ("{ total = '1s', at_least = 3 }", "none_of"),
            ("{ p80 = '1s' }", "unknown_key"),
        ] {
            assert!(read::<Latency>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
