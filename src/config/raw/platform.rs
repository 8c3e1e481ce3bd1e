//! `[platform]` and `[publish]`.

use chrono_tz::Tz;
use toml::Spanned;
use url::Url;

use super::super::plan::NameServer;
use super::super::reader::{Field, Key, Reader, Section};
use super::super::secret::SecretRef;
use super::super::setting::cadence::Cadence;
use super::super::setting::count::{Rate, Whole};
use super::super::setting::duration::{DAY, Duration, MINUTE};
use super::super::setting::id::Id;
use super::super::setting::short::ShortOr;
use super::super::setting::text::{Line, VendorId};
use crate::model::{Late, Modes};

/// How long an incident's deadlines may be.
pub(in super::super) type Patience = Duration<0, { 7 * DAY }>;
/// How many updates without news there may be.
pub(in super::super) type Updates = Whole<0, 1_000>;
/// A status API that is given up on too soon is asked again and again what became of a write.
pub(in super::super) type CallTimeout = Duration<1_000, { 5 * MINUTE }>;

const ID: Key<Id> =
    Key::new("id", "The platform's id, in metrics and paths; without it, the file's name.");
const NAME: Key<Line<200>> = Key::new("name", "The platform's name, for the public.");
const TIME_ZONE: Key<Tz> =
    Key::new("time_zone", "The time zone that public times are given in.").or_text("UTC");
const RESOLVERS: Key<Vec<Spanned<NameServer>>> = Key::new(
    "resolvers",
    "The name servers that resolve the names of this platform's checks; without it, the system's.",
);
const GROUP_WITHIN: Key<Patience> = Key::new(
    "group_within",
    "Components that go bad within this time of an incident's latest new component join it.",
)
.or_text("10m");
const DEPENDENCY_WAIT: Key<Patience> = Key::new(
    "dependency_wait",
    "How long a component that goes bad before what it depends on waits before it opens an incident.",
)
.or_text("0s");
const RESOLVE_AFTER: Key<Patience> =
    Key::new("resolve_after", "How long everything must stay well before an incident is resolved.")
        .or_text("5m");
const REOPEN_WITHIN: Key<Patience> = Key::new(
    "reopen_within",
    "An incident that opens so soon after one of the same component was resolved says that it returned.",
)
.or_text("1h");
const UPDATE_EVERY: Key<ShortOr<Cadence>> = Key::new(
    "update_every",
    "How long an open incident may go without an update, whatever its impact or by it.",
)
.or_text("30m");
const MAX_UNATTENDED_UPDATES: Key<Updates> = Key::new(
    "max_unattended_updates",
    "How many updates in a row may have nothing new to say before people must tell the rest.",
)
.or_number(6);

/// `[platform]`.
pub(in super::super) struct RawPlatform {
    pub(in super::super) id: Field<Id>,
    pub(in super::super) name: Option<Spanned<Line<200>>>,
    pub(in super::super) time_zone: Field<Tz>,
    pub(in super::super) resolvers: Field<Vec<Spanned<NameServer>>>,
    pub(in super::super) group_within: Field<Patience>,
    pub(in super::super) dependency_wait: Field<Patience>,
    pub(in super::super) resolve_after: Field<Patience>,
    pub(in super::super) reopen_within: Field<Patience>,
    pub(in super::super) update_every: Field<ShortOr<Cadence>>,
    pub(in super::super) max_unattended_updates: Field<Updates>,
}

impl Section for RawPlatform {
    const NAME: &'static str = "[platform]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            id: table.take(&ID),
            name: table.require(&NAME),
            time_zone: table.take(&TIME_ZONE),
            resolvers: table.take(&RESOLVERS),
            group_within: table.take(&GROUP_WITHIN),
            dependency_wait: table.take(&DEPENDENCY_WAIT),
            resolve_after: table.take(&RESOLVE_AFTER),
            reopen_within: table.take(&REOPEN_WITHIN),
            update_every: table.take(&UPDATE_EVERY),
            max_unattended_updates: table.take(&MAX_UNATTENDED_UPDATES),
        })
    }
}

const STATUSPAGE: Key<RawStatuspage> =
    Key::new("statuspage", "A page of Atlassian Statuspage, or of what speaks its API.");

const MODE: Key<Modes> = Key::new(
    "mode",
    "What happens with an incident: \"off\", \"observe\" (the log tells), \"draft\" (a person \
     approves), \"quiet\" (published, nobody is notified), \"full\"; or a table by impact.",
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

/// `[publish]`.
pub(in super::super) struct RawPublish {
    pub(in super::super) statuspage: Field<RawStatuspage>,
    pub(in super::super) mode: Field<Modes>,
    pub(in super::super) draft_expires: Field<Patience>,
    pub(in super::super) auto_approve_after: Field<Patience>,
    pub(in super::super) publish_late: Field<Late>,
}

impl Section for RawPublish {
    const NAME: &'static str = "[publish]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            statuspage: table.take(&STATUSPAGE),
            mode: table.take(&MODE),
            draft_expires: table.take(&DRAFT_EXPIRES),
            auto_approve_after: table.take(&AUTO_APPROVE_AFTER),
            publish_late: table.take(&PUBLISH_LATE),
        })
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

/// `[publish.statuspage]`.
pub(in super::super) struct RawStatuspage {
    pub(in super::super) page: Option<Spanned<VendorId>>,
    pub(in super::super) token: Option<Spanned<SecretRef>>,
    pub(in super::super) url: Field<Url>,
    pub(in super::super) requests_per_second: Field<Rate>,
    pub(in super::super) timeout: Field<CallTimeout>,
}

impl Section for RawStatuspage {
    const NAME: &'static str = "[publish.statuspage]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            page: table.require(&PAGE),
            token: table.require(&TOKEN),
            url: table.take(&URL),
            requests_per_second: table.take(&REQUESTS_PER_SECOND),
            timeout: table.take(&TIMEOUT),
        })
    }
}
