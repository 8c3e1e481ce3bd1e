//! What a `dns` check expects of records: `expect`, `matches`, `ttl` and `dnssec`, each in a short
//! form and as a table.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use hickory_proto::rr::RecordType;
use regex::bytes::Regex;
use serde_json::{Value, json};
use toml::Spanned;
use toml::de::DeValue;

use super::super::mistake::{Mistake, shorten};
use super::super::plan::{DnsExpect, DnsMatches, Dnssec, TtlLimits};
use super::super::problem::Problems;
use super::super::reader::{Key, Node, Reader, Section, Setting, read_section, section_schema};
use super::super::setting::duration::{DAY, Duration};
use super::super::setting::list::OneOrMany;
use super::super::setting::text::Line;

/// What a record may take in presentation form.
type Record = Line<4096>;

type Records = OneOrMany<Record>;

const EXACTLY: Key<Records> =
    Key::new("exactly", "The answer has these records and no others; [] for none at all.");
const AT_LEAST: Key<Records> = Key::new("at_least", "The answer has all of these records.");
const NONE_OF: Key<Records> = Key::new("none_of", "The answer has none of these records.");

/// `expect`.
#[derive(Debug, Default)]
pub(super) struct Expect {
    exactly: Option<Vec<Spanned<Record>>>,
    at_least: Vec<Spanned<Record>>,
    none_of: Vec<Spanned<Record>>,
}

impl Expect {
    /// Without the places.
    pub(super) fn into_plan(self) -> DnsExpect {
        let plain = |records: Vec<Spanned<Record>>| -> Vec<String> {
            records.into_iter().map(|record| record.into_inner().0).collect()
        };
        DnsExpect {
            exactly: self.exactly.map(plain),
            at_least: plain(self.at_least),
            none_of: plain(self.none_of),
        }
    }
}

/// A list is the most that can be asked of an answer that may have more records.
impl Setting for Expect {
    const EXPECTED: &'static str = "records in quotes, or a table such as { exactly = [\"...\"] }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        if let DeValue::Table(table) = node.get_ref() {
            return read_section::<ExpectTable>(node.span(), table, problems).map(|table| table.0);
        }
        let records = Records::read(node, problems)?;
        Some(Self { at_least: records.0, ..Self::default() })
    }

    fn schema() -> Value {
        json!({ "anyOf": [Records::schema(), section_schema::<ExpectTable>()] })
    }
}

struct ExpectTable(Expect);

impl Section for ExpectTable {
    const NAME: &'static str = "`expect`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (exactly, at_least) = (table.take(&EXACTLY), table.take(&AT_LEAST));
        let none_of = table.take(&NONE_OF);
        let none = || OneOrMany(Vec::new());
        Some(Self(Expect {
            exactly: exactly.optional()?.map(|records| records.0),
            at_least: at_least.or(none())?.0,
            none_of: none_of.or(none())?.0,
        }))
    }
}

/// Addresses are the records that most checks expect, and the ones that can be told from others.
pub(super) fn report_wrong_addresses(
    expect: &Expect,
    record_type: RecordType,
    table: &mut Reader<'_, '_, '_>,
) {
    let records = expect.exactly.iter().flatten().chain(&expect.at_least).chain(&expect.none_of);
    for record in records {
        if let Some(mistake) = not_a_record(record_type, &record.get_ref().0) {
            table.report(record.span(), mistake);
        }
    }
}

fn not_a_record(record_type: RecordType, text: &str) -> Option<Mistake> {
    let got = shorten(text);
    if record_type == RecordType::A && text.parse::<Ipv4Addr>().is_err() {
        Some(Mistake::InvalidRecord { got, record_type: "A", example: "\"192.0.2.1\"" })
    } else if record_type == RecordType::AAAA && text.parse::<Ipv6Addr>().is_err() {
        Some(Mistake::InvalidRecord { got, record_type: "AAAA", example: "\"2001:db8::1\"" })
    } else {
        None
    }
}

const ANY: Key<OneOrMany<Regex>> = Key::new("any", "Each of these matches at least one record.");
const ALL: Key<OneOrMany<Regex>> = Key::new("all", "Each of these matches every record.");

impl Setting for DnsMatches {
    const EXPECTED: &'static str = "patterns in quotes, or a table such as { all = [\"...\"] }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        if let DeValue::Table(table) = node.get_ref() {
            return read_section::<MatchesTable>(node.span(), table, problems).map(|table| table.0);
        }
        let any = plain(OneOrMany::read(node, problems)?);
        Some(Self { any, all: Vec::new() })
    }

    fn schema() -> Value {
        json!({ "anyOf": [OneOrMany::<Regex>::schema(), section_schema::<MatchesTable>()] })
    }
}

fn plain(patterns: OneOrMany<Regex>) -> Vec<Regex> {
    patterns.0.into_iter().map(Spanned::into_inner).collect()
}

struct MatchesTable(DnsMatches);

impl Section for MatchesTable {
    const NAME: &'static str = "`matches`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (any, all) = (table.take(&ANY), table.take(&ALL));
        let none = || OneOrMany(Vec::new());
        Some(Self(DnsMatches { any: plain(any.or(none())?), all: plain(all.or(none())?) }))
    }
}

/// What 31 bits of seconds can hold, as a record's time to live must.
type Ttl = Duration<0, { 24_855 * DAY }>;

const MIN: Key<Ttl> = Key::new("min", "Every record lives at least so long.");
const MAX: Key<Ttl> = Key::new("max", "No record lives longer.");

impl Section for TtlLimits {
    const NAME: &'static str = "`ttl`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (min, max) = (table.take(&MIN), table.take(&MAX).given());
        let max_span = max.as_ref().map(Spanned::span);
        let limits =
            Self { min: min.optional()?.map(|min| min.0), max: max.map(|max| max.into_inner().0) };
        if let (Some(min), Some(max), Some(span)) = (limits.min, limits.max, max_span)
            && min > max
        {
            let mistake = Mistake::Contradiction {
                small: "min",
                small_value: min.to_string(),
                relation: "at most",
                large: "max",
                large_value: max.to_string(),
                why: "no time to live can satisfy both: exchange them",
            };
            table.report(span, mistake);
            return None;
        }
        Some(limits)
    }
}

const TRUST_ANCHORS: Key<Line<4096>> =
    Key::new("trust_anchors", "A file of trusted keys, a DNSKEY record on each line.");

impl Setting for Dnssec {
    const EXPECTED: &'static str = "`true`, `false`, or { trust_anchors = \"/path\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        if let DeValue::Table(table) = node.get_ref() {
            let anchors = read_section::<Anchors>(node.span(), table, problems)?;
            return Some(Self::From(anchors.0));
        }
        match node.get_ref().as_bool() {
            Some(true) => Some(Self::FromRoot),
            Some(false) => Some(Self::Off),
            None => Self::wrong_type(node, problems),
        }
    }

    fn schema() -> Value {
        json!({ "anyOf": [{ "type": "boolean" }, section_schema::<Anchors>()] })
    }
}

struct Anchors(PathBuf);

impl Section for Anchors {
    const NAME: &'static str = "`dnssec`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        table.require(&TRUST_ANCHORS).map(|path| Self(PathBuf::from(path.into_inner().0)))
    }
}
