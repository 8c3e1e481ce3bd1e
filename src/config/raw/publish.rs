//! `[publish]`, and a table for each place that incidents are published to.

use std::num::NonZeroU32;

use url::Url;

use super::super::plan::{Publish, Statuspage};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::secret::SecretRef;
use super::super::setting::count::Rate;
use super::super::setting::duration::{Duration, MINUTE};
use super::super::setting::text::VendorId;
use crate::model::Span;

/// A status API that is given up on too soon is asked again and again what became of a write.
type CallTimeout = Duration<1_000, { 5 * MINUTE }>;

const EMBEDDED: Key<RawEmbedded> = Key::new(
    "embedded",
    "The page that farol itself serves, beside the others that are named. An empty table.",
);
const STATUSPAGE: Key<Statuspage> =
    Key::new("statuspage", "A page of Atlassian Statuspage, or of what speaks its API.");

/// `[publish]`.
#[derive(Default)]
pub(in super::super) struct RawPublish {
    /// The targets that the file names, whether or not what it says of them is right.
    pub(in super::super) named: Vec<&'static str>,
    /// Each of them; `None` for one that is wrong.
    pub(in super::super) targets: Vec<Option<Publish>>,
}

impl Section for RawPublish {
    const NAME: &'static str = "[publish]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let mut raw = Self::default();
        raw.ask(table, &STATUSPAGE, Publish::Statuspage);
        raw.ask(table, &EMBEDDED, |_| Publish::Embedded);
        Some(raw)
    }
}

impl RawPublish {
    fn ask<T: Section>(
        &mut self,
        table: &mut Reader<'_, '_, '_>,
        key: &Key<T>,
        made: impl FnOnce(T) -> Publish,
    ) {
        let target = match table.take(key) {
            Field::Absent => return,
            Field::Wrong => None,
            Field::Given(target) => Some(made(target.into_inner())),
        };
        self.named.push(key.name());
        self.targets.push(target);
    }
}

/// `[publish.embedded]`.
struct RawEmbedded;

impl Section for RawEmbedded {
    const NAME: &'static str = "[publish.embedded]";

    fn read_keys(_: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self)
    }
}

const PAGE: Key<VendorId> = Key::new("page", "The page's id.");
const TOKEN: Key<SecretRef> = Key::new("token", "Where the API key is kept.");
const URL: Key<Url> =
    Key::new("url", "The base of the API.").or_text("https://api.statuspage.io/v1");
const NOTIFY: Key<bool> =
    Key::new("notify", "Whether the page's subscribers are told of each step.").or_flag(false);
const REQUESTS_PER_SECOND: Key<Rate> =
    Key::new("requests_per_second", "How many requests the API allows in a second.").or_number(1);
const TIMEOUT: Key<CallTimeout> = Key::new(
    "timeout",
    "How long one request may take; one that took longer is looked for before it is made again.",
)
.or_text("30s");

impl Section for Statuspage {
    const NAME: &'static str = "[publish.statuspage]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (page, token) = (table.require(&PAGE), table.require(&TOKEN));
        let (url, notify) = (table.take(&URL), table.take(&NOTIFY));
        let (rate, timeout) = (table.take(&REQUESTS_PER_SECOND), table.take(&TIMEOUT));
        Some(Self {
            url: or_url(url, "https://api.statuspage.io/v1")?,
            page: page?.into_inner().0,
            token: token?.into_inner(),
            notify: notify.or(false)?,
            requests_per_second: rate.or(Rate(NonZeroU32::MIN))?.0,
            timeout: timeout.or(Duration(Span::from_secs(30)))?.0,
        })
    }
}

/// The URL or, if the file says nothing, `default`: a constant, and a test reads it.
fn or_url(url: Field<Url>, default: &str) -> Option<Url> {
    match url.optional()? {
        Some(url) => Some(url),
        None => Url::parse(default).ok(),
    }
}
