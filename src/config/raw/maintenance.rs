//! `[[maintenance]]`.

use toml::Spanned;

use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::duration::{DAY, Duration};
use super::super::setting::id::Id;
use super::super::setting::moment::Moment;
use super::super::setting::text::Line;
use super::platform::Patience;

/// How long one window may be.
pub(in super::super) type Lasts = Duration<1_000, { 31 * DAY }>;

const ID: Key<Id> = Key::new("id", "The maintenance's id; without it, made from the name.");
const NAME: Key<Line<200>> = Key::new("name", "What is done.");
const COMPONENTS: Key<Vec<Spanned<Id>>> = Key::new(
    "components",
    "The ids of the components that are worked on; without it, all of the file.",
);
const START: Key<Moment> = Key::new(
    "start",
    "When it begins, or first begins: a local time of the platform, or one with an offset.",
);
const CRON: Key<String> = Key::new(
    "cron",
    "When it begins each time, as a crontab has it, by the platform's local time; needs a `duration`.",
);
const END: Key<Moment> = Key::new("end", "When it is over, written as `start`.");
const DURATION: Key<Lasts> = Key::new("duration", "How long it lasts, instead of `end`.");
const RRULE: Key<String> = Key::new(
    "rrule",
    "How it recurs by the platform's local time, as RFC 5545 has it; needs a `duration`.",
);
const GRACE: Key<Patience> =
    Key::new("grace", "How long after its end the components may take to get well.").or_text("0s");

/// `[[maintenance]]`.
pub(in super::super) struct RawMaintenance {
    pub(in super::super) id: Field<Id>,
    pub(in super::super) name: Option<Spanned<Line<200>>>,
    pub(in super::super) components: Field<Vec<Spanned<Id>>>,
    pub(in super::super) start: Field<Moment>,
    pub(in super::super) cron: Field<String>,
    pub(in super::super) end: Field<Moment>,
    pub(in super::super) duration: Field<Lasts>,
    pub(in super::super) rrule: Field<String>,
    pub(in super::super) grace: Field<Patience>,
}

impl Section for RawMaintenance {
    const NAME: &'static str = "[[maintenance]]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        table.exactly_one(&["start", "cron"]);
        table.exactly_one(&["end", "duration"]);
        Some(Self {
            id: table.take(&ID),
            name: table.require(&NAME),
            components: table.take(&COMPONENTS),
            start: table.take(&START),
            cron: table.take(&CRON),
            end: table.take(&END),
            duration: table.take(&DURATION),
            rrule: table.take(&RRULE),
            grace: table.take(&GRACE),
        })
    }
}
