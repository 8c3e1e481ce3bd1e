//! `[publish]`, and a table for each place that incidents are published to.

use std::num::NonZeroU32;

use url::Url;

use super::super::plan::{Alertmanager, PagerDuty, Publish, Statuspage, VendorPage, Webhook};
use super::super::reader::{Field, Key, Reader, Section};
use super::super::secret::SecretRef;
use super::super::setting::count::Rate;
use super::super::setting::duration::{Duration, MINUTE};
use super::super::setting::text::VendorId;
use super::platform::Patience;
use crate::model::{Late, Modes, Span};

/// A status API that is given up on too soon is asked again and again what became of a write.
pub(super) type CallTimeout = Duration<1_000, { 5 * MINUTE }>;

const MODE: Key<Modes> = Key::new(
    "mode",
    "What happens with an incident: \"off\", \"observe\" (the log tells), \"draft\" (a person \
     approves), \"component_only\" (components are set, no incident is written), \"quiet\" \
     (published, nobody is notified), \"full\"; or a table by impact.",
)
.or_text("quiet");
const DRAFT_EXPIRES: Key<Patience> =
    Key::new("draft_expires", "How long a draft waits for approval before it is dropped.")
        .or_text("1h");
const AUTO_APPROVE_AFTER: Key<Patience> = Key::new(
    "auto_approve_after",
    "After how long a draft of a critical incident is published without approval.",
);
const PUBLISH_LATE: Key<Late> = Key::new(
    "publish_late",
    "What becomes of an incident that is over before it could be published.",
)
.or_text("backfill");
const POSTMORTEM: Key<bool> = Key::new(
    "postmortem",
    "Whether the draft of a postmortem is put beside an incident that is over, where the status API \
     keeps such; it is never published.",
)
.or_flag(true);

const EMBEDDED: Key<RawEmbedded> = Key::new(
    "embedded",
    "The page that farol itself serves, beside the others that are named. An empty table.",
);
const STATUSPAGE: Key<Statuspage> =
    Key::new("statuspage", "A page of Atlassian Statuspage, or of what speaks its API.");
const CACHET: Key<Cachet> = Key::new("cachet", "A Cachet, version 3.");
const INCIDENT_IO: Key<IncidentIo> = Key::new("incident_io", "A status page at incident.io.");
const INSTATUS: Key<Instatus> = Key::new("instatus", "A status page at Instatus.");
const ALERTMANAGER: Key<Alertmanager> =
    Key::new("alertmanager", "Prometheus' Alertmanager. It replaces no page.");
const PAGERDUTY: Key<PagerDuty> =
    Key::new("pagerduty", "A service at PagerDuty. It replaces no page.");
const WEBHOOK: Key<Webhook> = Key::new(
    "webhook",
    "A URL that is called with every step of an incident. It replaces no page.",
);

/// `[publish]`.
pub(in super::super) struct RawPublish {
    /// The targets that the file names, whether or not what it says of them is right.
    pub(in super::super) named: Vec<&'static str>,
    /// Each of them; `None` for one that is wrong.
    pub(in super::super) targets: Vec<Option<Publish>>,
    pub(in super::super) mode: Field<Modes>,
    pub(in super::super) draft_expires: Field<Patience>,
    pub(in super::super) auto_approve_after: Field<Patience>,
    pub(in super::super) publish_late: Field<Late>,
    pub(in super::super) postmortem: Field<bool>,
}

impl Section for RawPublish {
    const NAME: &'static str = "[publish]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let mut raw = Self {
            named: Vec::new(),
            targets: Vec::new(),
            mode: table.take(&MODE),
            draft_expires: table.take(&DRAFT_EXPIRES),
            auto_approve_after: table.take(&AUTO_APPROVE_AFTER),
            publish_late: table.take(&PUBLISH_LATE),
            postmortem: table.take(&POSTMORTEM),
        };
        raw.ask(table, &STATUSPAGE, Publish::Statuspage);
        raw.ask(table, &EMBEDDED, |_| Publish::Embedded);
        raw.ask(table, &CACHET, |cachet| Publish::Cachet(cachet.0));
        raw.ask(table, &INCIDENT_IO, |page| Publish::IncidentIo(page.0));
        raw.ask(table, &INSTATUS, |page| Publish::Instatus(page.0));
        raw.ask(table, &ALERTMANAGER, Publish::Alertmanager);
        raw.ask(table, &PAGERDUTY, Publish::PagerDuty);
        raw.ask(table, &WEBHOOK, Publish::Webhook);
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
        let url = table.take(&URL);
        let (rate, timeout) = (table.take(&REQUESTS_PER_SECOND), table.take(&TIMEOUT));
        Some(Self {
            url: or_url(url, "https://api.statuspage.io/v1")?,
            page: page?.into_inner().0,
            token: token?.into_inner(),
            requests_per_second: rate.or(Rate(NonZeroU32::MIN))?.0,
            timeout: timeout.or(Duration(Span::from_secs(30)))?.0,
        })
    }
}

const CACHET_URL: Key<Url> = Key::new("url", "Where Cachet is: what stands before `/api`.");
const INCIDENT_IO_URL: Key<Url> =
    Key::new("url", "The base of the API.").or_text("https://api.incident.io");
const INSTATUS_URL: Key<Url> =
    Key::new("url", "The base of the API.").or_text("https://api.instatus.com");

/// `[publish.cachet]`.
struct Cachet(VendorPage);

impl Section for Cachet {
    const NAME: &'static str = "[publish.cachet]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let (url, token) = (table.require(&CACHET_URL), table.require(&TOKEN));
        let timeout = table.take(&TIMEOUT);
        Some(Self(VendorPage {
            url: url?.into_inner(),
            page: String::new(),
            token: token?.into_inner(),
            timeout: timeout.or(Duration(Span::from_secs(30)))?.0,
        }))
    }
}

/// `[publish.incident_io]`.
struct IncidentIo(VendorPage);

impl Section for IncidentIo {
    const NAME: &'static str = "[publish.incident_io]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        vendor_page(table, &INCIDENT_IO_URL, "https://api.incident.io").map(Self)
    }
}

/// `[publish.instatus]`.
struct Instatus(VendorPage);

impl Section for Instatus {
    const NAME: &'static str = "[publish.instatus]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        vendor_page(table, &INSTATUS_URL, "https://api.instatus.com").map(Self)
    }
}

fn vendor_page(
    table: &mut Reader<'_, '_, '_>,
    url: &Key<Url>,
    default: &str,
) -> Option<VendorPage> {
    let (page, token) = (table.require(&PAGE), table.require(&TOKEN));
    let (url, timeout) = (table.take(url), table.take(&TIMEOUT));
    Some(VendorPage {
        url: or_url(url, default)?,
        page: page?.into_inner().0,
        token: token?.into_inner(),
        timeout: timeout.or(Duration(Span::from_secs(30)))?.0,
    })
}

/// The URL or, if the file says nothing, `default`: a constant, and a test reads it.
pub(super) fn or_url(url: Field<Url>, default: &str) -> Option<Url> {
    match url.optional()? {
        Some(url) => Some(url),
        None => Url::parse(default).ok(),
    }
}
