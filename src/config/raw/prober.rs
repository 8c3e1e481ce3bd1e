//! The file about the prober: `[prober]` and its `[[reference]]`s.

use toml::Spanned;
use url::Url;

use super::super::plan::{HeartbeatUrl, NameServer};
use super::super::problem::Problems;
use super::super::reader::{Field, Key, Node, Reader, Section, Setting};
use super::super::secret::SecretRef;
use super::super::setting::duration::{DAY, Duration, MINUTE};
use super::super::setting::id::Id;
use super::super::setting::ntp::NtpServer;
use super::super::setting::text::Line;
use super::super::variables::VARIABLES;
use super::check::RawKinds;
use super::tuning::{Interval, Timeout};

/// A clock cannot be told to be off by less than what a quiet network adds to a reading of it.
pub(in super::super) type ClockError = Duration<10, DAY>;
/// Longer than this it would be no confirmation but a silence.
pub(in super::super) type ConfirmAfter = Duration<0, MINUTE>;
/// Whoever waits for a heartbeat is not to be flooded with them.
pub(in super::super) type Beat = Duration<1_000, DAY>;

const PROBER: Key<RawProber> = Key::new(
    "prober",
    "What farol must know of itself; in a file of its own, beside the platforms'.",
);
const REFERENCE: Key<Vec<Spanned<RawReference>>> = Key::new(
    "reference",
    "What is asked to see whether our own network is well. Any answer at all will do.",
);

/// A file about the prober.
pub(in super::super) struct RawProberFile {
    pub(in super::super) prober: Option<Spanned<RawProber>>,
    pub(in super::super) references: Field<Vec<Spanned<RawReference>>>,
}

impl RawProberFile {
    /// The keys by which such a file is known.
    pub(in super::super) const KEYS: [&'static str; 2] = ["prober", "reference"];
}

impl Section for RawProberFile {
    const NAME: &'static str = "the file about the prober";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        let _ = table.take(&VARIABLES);
        Some(Self { prober: table.require(&PROBER), references: table.take(&REFERENCE) })
    }
}

const INTERVAL: Key<Interval> =
    Key::new("interval", "How often each reference and each NTP server is asked.").or_text("30s");
const TIMEOUT: Key<Timeout> =
    Key::new("timeout", "How long asking one of them may take in all.").or_text("5s");
const NTP: Key<Vec<Spanned<NtpServer>>> =
    Key::new("ntp", "NTP servers, whose majority knows what time it is. They are references too.");
const MAX_CLOCK_ERROR: Key<ClockError> =
    Key::new("max_clock_error", "How far our own clock may be off.").or_text("1s");
const CONFIRM_AFTER: Key<ConfirmAfter> = Key::new(
    "confirm_after",
    "How long a failure of several platforms at once must last before it counts.",
)
.or_text("5s");
const SECOND_RESOLVERS: Key<Vec<Spanned<NameServer>>> = Key::new(
    "second_resolvers",
    "Name servers that are asked for a name that our own do not find, to tell whose trouble it is.",
);
const FIND_REFERENCES: Key<bool> = Key::new(
    "find_references",
    "Whether the gateway and the resolvers of the system are references too.",
)
.or_flag(true);
const LOOPBACK_LEADS_OUTSIDE: Key<bool> = Key::new(
    "loopback_leads_outside",
    "Whether what listens on this host's loopback passes on to other hosts, as a sidecar or a \
     tunnel does: then our own network may be to blame for it too.",
)
.or_flag(false);
const HEARTBEAT: Key<RawHeartbeat> = Key::new(
    "heartbeat",
    "Who is called while all is well, and raises the alarm when we fall silent.",
);

/// `[prober]`.
pub(in super::super) struct RawProber {
    pub(in super::super) interval: Field<Interval>,
    pub(in super::super) timeout: Field<Timeout>,
    pub(in super::super) ntp: Field<Vec<Spanned<NtpServer>>>,
    pub(in super::super) max_clock_error: Field<ClockError>,
    pub(in super::super) confirm_after: Field<ConfirmAfter>,
    pub(in super::super) second_resolvers: Field<Vec<Spanned<NameServer>>>,
    pub(in super::super) find_references: Field<bool>,
    pub(in super::super) loopback_leads_outside: Field<bool>,
    pub(in super::super) heartbeat: Field<RawHeartbeat>,
}

impl Section for RawProber {
    const NAME: &'static str = "[prober]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            interval: table.take(&INTERVAL),
            timeout: table.take(&TIMEOUT),
            ntp: table.take(&NTP),
            max_clock_error: table.take(&MAX_CLOCK_ERROR),
            confirm_after: table.take(&CONFIRM_AFTER),
            second_resolvers: table.take(&SECOND_RESOLVERS),
            find_references: table.take(&FIND_REFERENCES),
            loopback_leads_outside: table.take(&LOOPBACK_LEADS_OUTSIDE),
            heartbeat: table.take(&HEARTBEAT),
        })
    }
}

const URL: Key<HeartbeatUrl> =
    Key::new("url", "What is called with GET: a URL, or where it is kept as a secret.");
const EVERY: Key<Beat> = Key::new("interval", "How often it is called.").or_text("1m");

/// `heartbeat`.
pub(in super::super) struct RawHeartbeat {
    pub(in super::super) url: Option<Spanned<HeartbeatUrl>>,
    pub(in super::super) interval: Field<Beat>,
}

impl Section for RawHeartbeat {
    const NAME: &'static str = "[prober.heartbeat]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self { url: table.require(&URL), interval: table.take(&EVERY) })
    }
}

impl Setting for HeartbeatUrl {
    const EXPECTED: &'static str = "a URL in quotes, or { env = \"NAME\" }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        if node.get_ref().is_table() {
            SecretRef::read(node, problems).map(Self::Secret)
        } else if node.get_ref().is_str() {
            Url::read(node, problems).map(Self::Plain)
        } else {
            Self::wrong_type(node, problems)
        }
    }

    fn schema() -> serde_json::Value {
        serde_json::json!({ "anyOf": [Url::schema(), SecretRef::schema()] })
    }
}

const ID: Key<Id> = Key::new("id", "The reference's id; without it, made from the name.");
const NAME: Key<Line<200>> = Key::new("name", "What is asked, for the operator.");
const OWN_INTERVAL: Key<Interval> =
    Key::new("interval", "How often it is asked; without it, as often as [prober] says.");
const OWN_TIMEOUT: Key<Timeout> =
    Key::new("timeout", "How long it may take in all; without it, as long as [prober] says.");

/// `[[reference]]`: a check of which only the answering counts. So it has none of the settings
/// about how its answers are weighed.
pub(in super::super) struct RawReference {
    pub(in super::super) id: Field<Id>,
    pub(in super::super) name: Option<Spanned<Line<200>>>,
    pub(in super::super) interval: Field<Interval>,
    pub(in super::super) timeout: Field<Timeout>,
    pub(in super::super) kinds: RawKinds,
}

impl Section for RawReference {
    const NAME: &'static str = "[[reference]]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self {
            id: table.take(&ID),
            name: table.require(&NAME),
            interval: table.take(&OWN_INTERVAL),
            timeout: table.take(&OWN_TIMEOUT),
            kinds: RawKinds::once(table),
        })
    }
}
