//! `[platform]`.

use chrono_tz::Tz;
use toml::Spanned;

use super::super::plan::NameServer;
use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::cadence::Cadence;
use super::super::setting::count::Whole;
use super::super::setting::duration::{DAY, Duration};
use super::super::setting::id::Id;
use super::super::setting::short::ShortOr;
use super::super::setting::text::Line;
use crate::model::Language;

/// How long an incident's deadlines may be.
pub(in super::super) type Patience = Duration<0, { 7 * DAY }>;
/// How many updates without news there may be.
pub(in super::super) type Updates = Whole<0, 1_000>;

const ID: Key<Id> =
    Key::new("id", "The platform's id, in metrics and paths; without it, the file's name.");
const NAME: Key<Line<200>> = Key::new("name", "The platform's name, for the public.");
const TIME_ZONE: Key<Tz> =
    Key::new("time_zone", "The time zone that public times are given in.").or_text("UTC");
const LANGUAGE: Key<Language> =
    Key::new("language", "The language that incidents are written in.").or_text("en");
const RESOLVERS: Key<Vec<Spanned<NameServer>>> = Key::new(
    "resolvers",
    "The name servers that resolve the names of this platform's checks; without it, the system's.",
);
const GROUP_WITHIN: Key<Patience> = Key::new(
    "group_within",
    "Components that go bad within this time of an incident's latest new component join it.",
)
.or_text("10m");
const GROUP_INTERVAL: Key<Patience> = Key::new(
    "group_interval",
    "What follows so soon on the latest news of an incident is gathered, and told together.",
)
.or_text("10s");
const DEPENDENCY_WAIT: Key<Patience> = Key::new(
    "dependency_wait",
    "How long a component that goes bad before what it depends on waits before it opens an incident.",
)
.or_text("0s");
const MAINTENANCE_GRACE: Key<Patience> = Key::new(
    "maintenance_grace",
    "How long after the end of a maintenance that is announced on the status page its components may \
     take to get well.",
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
    pub(in super::super) language: Field<Language>,
    pub(in super::super) resolvers: Field<Vec<Spanned<NameServer>>>,
    pub(in super::super) group_within: Field<Patience>,
    pub(in super::super) group_interval: Field<Patience>,
    pub(in super::super) dependency_wait: Field<Patience>,
    pub(in super::super) resolve_after: Field<Patience>,
    pub(in super::super) maintenance_grace: Field<Patience>,
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
            language: table.take(&LANGUAGE),
            resolvers: table.take(&RESOLVERS),
            group_within: table.take(&GROUP_WITHIN),
            group_interval: table.take(&GROUP_INTERVAL),
            dependency_wait: table.take(&DEPENDENCY_WAIT),
            resolve_after: table.take(&RESOLVE_AFTER),
            maintenance_grace: table.take(&MAINTENANCE_GRACE),
            reopen_within: table.take(&REOPEN_WITHIN),
            update_every: table.take(&UPDATE_EVERY),
            max_unattended_updates: table.take(&MAX_UNATTENDED_UPDATES),
        })
    }
}
