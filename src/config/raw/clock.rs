//! `clock = "https://host/"`, `clock = "ntp://host"`, or a table.

use std::num::NonZeroU32;
use std::ops::Range;

use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue, Method};
use toml::Spanned;

use super::super::mistake::Mistake;
use super::super::plan::expect::TimeFormat;
use super::super::plan::{
    Addresses, ClockCheck, ClockLimits, ClockTarget, HeaderText, HttpCheck, HttpClient, TimePlace,
};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::clock_url::ClockUrl;
use super::super::setting::count::Whole;
use super::super::setting::duration::{DAY, Duration};
use super::super::setting::header::Headers;
use super::super::setting::json_path::Path;
use super::super::setting::short::Shortened;
use super::super::setting::size::Size;
use super::super::setting::text::Token;
use super::http::{ADDRESSES, HEADERS, MAX_BODY, METHOD};
use super::http_client::RawHttpClient;
use crate::model::Span;

/// How often a clock is read in a run.
const OFTEN: NonZeroU32 = NonZeroU32::MIN.saturating_add(3);

type Samples = Whole<1, 10>;
type Distance = Duration<1, { 3650 * DAY }>;
/// A clock that is off by a tenth is none any more.
type Rate = Whole<1, 100_000>;

const URL: Key<ClockUrl> =
    Key::new("url", "Whose clock is read: `https://`, `http://`, or `ntp://host:port`.");
const HEADER: Key<Token> =
    Key::new("header", "The header that the time stands in, if not in `Date`.");
const JSON: Key<Path> = Key::new("json", "Where in the answer's JSON the time stands: \"$.now\".");
const FORMAT: Key<TimeFormat> =
    Key::new("format", "How the time in `header` or `json` is written; found out without it.");
const SAMPLES: Key<Samples> =
    Key::new("samples", "How often the clock is read in a run, at most.").or_number(OFTEN.get());
const DEGRADED: Key<Distance> =
    Key::new("degraded", "A clock that is off by more than this is degraded.").or_text("1s");
const FAILED: Key<Distance> =
    Key::new("failed", "A clock that is off by more than this fails.").or_text("5s");
const JUMP: Key<Distance> = Key::new(
    "jump",
    "A clock that goes by more than this further than time does, between two runs, is degraded.",
);
const DRIFT: Key<Rate> = Key::new(
    "drift",
    "A clock that is faster or slower by more than so many parts in a million is degraded.",
);

/// The keys that only HTTP has a meaning for.
const OF_HTTP: &[&str] = &[
    "header",
    "json",
    "format",
    "method",
    "headers",
    "max_body",
    "versions",
    "compression",
    "first_byte_timeout",
    "idle_timeout",
    "host",
    "basic",
    "bearer",
    "oauth2",
    "tls",
    "proxy",
];

impl ClockLimits {
    /// What holds of a clock that is read on purpose, where a file says nothing.
    const OF_CLOCKS: Self =
        Self { degraded: Span::from_secs(1), failed: Span::from_secs(5), jump: None, drift: None };
}

impl Shortened for ClockCheck {
    type Short = ClockUrl;

    const EITHER: &'static str =
        "a URL such as \"https://desk.example/\" or \"ntp://ntp1.example\", or a table";

    fn of(url: ClockUrl) -> Self {
        let target = match url {
            ClockUrl::Web(url) => {
                let headers = uncached(Vec::new());
                let ask = HttpCheck { headers, max_redirects: 0, ..HttpCheck::of(url) };
                ClockTarget::Http { ask: Box::new(ask), place: TimePlace::Date }
            }
            ClockUrl::Ntp { host, port } => ClockTarget::Ntp {
                host,
                port,
                addresses: Addresses::Any,
                family: None,
                source: None,
                as_reference: false,
            },
        };
        Self { target, samples: OFTEN, limits: ClockLimits::OF_CLOCKS }
    }
}

impl Section for ClockCheck {
    const NAME: &'static str = "`clock`";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let url = table.require(&URL);
        let place = RawPlace { header: table.take(&HEADER), json: table.take(&JSON) };
        let (format, samples) = (table.take(&FORMAT), table.take(&SAMPLES));
        let limits = limits(table);
        let (method, headers) = (table.take(&METHOD), table.take(&HEADERS));
        let (max_body, addresses) = (table.take(&MAX_BODY), table.take(&ADDRESSES));
        let client = RawHttpClient::ask(table);
        client.weigh(table, &headers, &addresses);
        if let Some(ClockUrl::Ntp { .. }) = url.as_ref().map(Spanned::get_ref) {
            refuse_of_http(table);
        } else {
            place.weigh(&format, &method, table);
        }
        let (client, addresses) = (client.settle(), addresses.or(Addresses::Any)?);
        let target = match url?.into_inner() {
            ClockUrl::Ntp { host, port } => {
                let HttpClient { family, source, .. } = client?;
                ClockTarget::Ntp { host, port, addresses, family, source, as_reference: false }
            }
            ClockUrl::Web(url) => {
                let short = HttpCheck::of(url);
                let ask = HttpCheck {
                    method: method.or(short.method)?,
                    headers: uncached(headers.or(Headers(short.headers))?.0),
                    max_redirects: 0,
                    max_body: max_body.or(Size(short.max_body))?.0,
                    addresses,
                    client: client?,
                    url: short.url,
                    ..short
                };
                ClockTarget::Http { ask: Box::new(ask), place: place.settle(format)? }
            }
        };
        let samples = NonZeroU32::new(samples.or(Whole(OFTEN.get()))?.0)?;
        Some(Self { target, samples, limits: limits? })
    }
}

/// What a cache has kept tells of another time, so caches are asked to stand aside.
fn uncached(mut headers: Vec<(HeaderName, HeaderText)>) -> Vec<(HeaderName, HeaderText)> {
    if !headers.iter().any(|(name, _)| name == CACHE_CONTROL) {
        let value = HeaderText::Plain(HeaderValue::from_static("no-cache"));
        headers.push((CACHE_CONTROL, value));
    }
    headers
}

/// Where the time stands, if not in `Date`.
struct RawPlace {
    header: Field<Token>,
    json: Field<Path>,
}

impl RawPlace {
    /// Reports what cannot be meant together.
    fn weigh(
        &self,
        format: &Field<TimeFormat>,
        method: &Field<Method>,
        table: &mut Reader<'_, '_, '_>,
    ) {
        let there = table.there(&["header", "json"]);
        if there.len() > 1 {
            let mistake = Mistake::SeveralOf { section: "`clock`", keys: &["header", "json"] };
            table.report_all(there.iter().map(|(_, span)| span.clone()).collect(), mistake);
        }
        if let (Field::Given(format), []) = (format, there.as_slice()) {
            let trouble = "says how a `Date` is written, of which there is one way only";
            let help = "add `header` or `json`, or remove this";
            let mistake = Mistake::WithoutEffect { key: "format", trouble, help };
            table.report(format.span(), mistake);
        }
        if let (Field::Given(method), Field::Given(_)) = (method, &self.json)
            && *method.get_ref() == Method::HEAD
        {
            table.report(method.span(), Mistake::HeadHasNoBody);
        }
    }

    fn settle(self, format: Field<TimeFormat>) -> Option<TimePlace> {
        let format = format.optional()?;
        let header = self.header.optional()?;
        let header = header.and_then(|name| HeaderName::from_bytes(name.0.as_bytes()).ok());
        Some(match (header, self.json.optional()?) {
            (Some(name), _) => TimePlace::Header(name, format),
            (None, Some(Path(written, path))) => TimePlace::Json { written, path, format },
            (None, None) => TimePlace::Date,
        })
    }
}

fn refuse_of_http(table: &mut Reader<'_, '_, '_>) {
    for (key, span) in table.there(OF_HTTP) {
        let trouble = "is of HTTP, and this clock is read by NTP";
        let help = "remove this, or begin `url` with `https://` or `http://`";
        table.report(span, Mistake::WithoutEffect { key, trouble, help });
    }
}

/// How far the clock may be off. With only one of the two limits given, the other's default gives
/// way to it.
fn limits(table: &mut Reader<'_, '_, '_>) -> Option<ClockLimits> {
    let (degraded, failed) = (table.take(&DEGRADED), table.take(&FAILED));
    let (jump, drift) = (table.take(&JUMP), table.take(&DRIFT));
    let span = place(&degraded);
    let distance = |field: Field<Distance>| Some(field.optional()?.map(|distance| distance.0));
    let (degraded, failed) = (distance(degraded)?, distance(failed)?);
    if let (Some(small), Some(large)) = (degraded, failed)
        && small > large
    {
        let mistake = Mistake::Contradiction {
            small: "degraded",
            small_value: small.to_string(),
            relation: "at most",
            large: "failed",
            large_value: large.to_string(),
            why: "a clock that fails the check is not degraded any more: exchange them",
        };
        table.report(span?, mistake);
        return None;
    }
    let default = ClockLimits::OF_CLOCKS;
    let failed_by = failed.unwrap_or(default.failed.max(degraded.unwrap_or_default()));
    Some(ClockLimits {
        degraded: degraded.unwrap_or(default.degraded.min(failed_by)),
        failed: failed_by,
        jump: distance(jump)?,
        drift: drift.optional()?.and_then(|rate| NonZeroU32::new(rate.0)),
    })
}

fn place<T>(field: &Field<T>) -> Option<Range<usize>> {
    match field {
        Field::Given(value) => Some(value.span()),
        Field::Absent | Field::Wrong => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::plan::{
        Addresses, ClockCheck, ClockLimits, ClockTarget, Family, TimePlace,
    };
    use super::super::super::setting::short::ShortOr;
    use super::super::super::setting::tests::read;
    use crate::model::Span;

    fn clock(text: &str) -> Result<ClockCheck, String> {
        read::<ShortOr<ClockCheck>>(text).map(|clock| clock.0)
    }

    fn of_ntp(keys: &str) -> Result<ClockCheck, String> {
        clock(&format!("{{ url = 'ntp://ntp1.example', {keys} }}"))
    }

    fn of_http(keys: &str) -> Result<ClockCheck, String> {
        clock(&format!("{{ url = 'https://desk.example/', {keys} }}"))
    }

    #[test]
    fn short_forms_are_clocks_of_both_kinds() {
        let ClockCheck { target, samples, limits } = clock("'https://desk.example/'").unwrap();
        let ClockTarget::Http { ask, place } = target else { unreachable!() };
        assert!(matches!(place, TimePlace::Date));
        assert_eq!((ask.max_redirects, ask.headers.len()), (0, 1));
        assert_eq!((samples.get(), limits), (4, ClockLimits::OF_CLOCKS));
        let target = clock("'ntp://[::1]:1123'").unwrap().target;
        let ClockTarget::Ntp { host, port, as_reference, .. } = target else { unreachable!() };
        assert_eq!((host.as_str(), port, as_reference), ("::1", 1123, false));
    }

    #[test]
    fn every_key_has_its_place_in_the_plan() {
        let keys = "samples = 2, degraded = '20ms', failed = '40ms', jump = '1s', drift = 200, \
                    addresses = 'all', family = 'ipv6', source = '::1'";
        let read = of_ntp(keys).unwrap();
        let millis = Span::from_millis;
        let limits = ClockLimits {
            degraded: millis(20),
            failed: millis(40),
            jump: Some(millis(1_000)),
            drift: std::num::NonZeroU32::new(200),
        };
        assert_eq!((read.samples.get(), read.limits), (2, limits));
        let ClockTarget::Ntp { addresses, family, source, .. } = read.target else {
            unreachable!()
        };
        assert_eq!((addresses, family), (Addresses::All, Some(Family::Ipv6)));
        assert_eq!(source, Some("::1".parse().unwrap()));
        let place = |keys: &str| match of_http(keys).unwrap().target {
            ClockTarget::Http { place, .. } => place,
            ClockTarget::Ntp { .. } => unreachable!(),
        };
        assert!(matches!(place("header = 'X-Time'"), TimePlace::Header(_, None)));
        let json = place("json = '$.now', format = 'epoch_ms'");
        assert!(matches!(json, TimePlace::Json { format: Some(_), .. }));
        let own = of_http("headers = { Cache-Control = 'max-age=0' }, max_body = '1KiB'").unwrap();
        let ask = own.http().unwrap();
        assert_eq!((ask.headers.len(), ask.max_body), (1, 1024));
    }

    #[test]
    fn one_limit_moves_the_other_out_of_its_way() {
        let limits =
            |keys: &str| of_ntp(keys).map(|clock| (clock.limits.degraded, clock.limits.failed));
        let secs = Span::from_secs;
        assert_eq!(limits("degraded = '1m'"), Ok((secs(60), secs(60))));
        let half = Span::from_millis(500);
        assert_eq!(limits("failed = '500ms'"), Ok((half, half)));
        assert_eq!(limits("failed = '1m'"), Ok((secs(1), secs(60))));
        let wrong = limits("degraded = '2s', failed = '1s'").unwrap_err();
        assert_eq!(wrong, "contradiction: `degraded` (2s) must be at most `failed` (1s)");
    }

    #[test]
    fn what_cannot_be_meant_is_a_mistake() {
        for (keys, code) in [
            ("header = 'X-Time', json = '$.now'", "several_of"),
            ("format = 'rfc3339'", "without_effect"),
            ("json = '$.now', method = 'HEAD'", "head_has_no_body"),
            ("header = 'X Time'", "invalid_text"),
            ("samples = 0", "out_of_range"),
            ("samples = 11", "out_of_range"),
            ("degraded = '0s'", "out_of_range"),
            ("drift = 0", "out_of_range"),
            ("jump = 5", "no_unit"),
            ("redirects = 1", "unknown_key"),
            ("proxy = 'http://a', addresses = 'all'", "proxy_resolves"),
        ] {
            let found = of_http(keys).unwrap_err();
            assert!(found.starts_with(code), "{keys}: {found}");
        }
        let token = "bearer = { env = 'T' }";
        for keys in ["json = '$.now'", "header = 'X-Time'", "method = 'HEAD'", token] {
            let found = of_ntp(keys).unwrap_err();
            assert!(found.starts_with("without_effect"), "{keys}: {found}");
        }
    }
}
