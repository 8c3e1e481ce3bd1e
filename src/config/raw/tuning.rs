//! What a check and `[defaults]` have in common: how often, how long, how many.

use super::super::reader::{Field, Key, Reader, Section};
use super::super::setting::choice::AtWorst;
use super::super::setting::duration::{DAY, Duration, MINUTE};
use super::super::setting::flapping::Limit;
use super::super::setting::latency::Latency;
use crate::model::{MajorWhen, Threshold};

/// Twice a second is as often as a target should be asked.
pub(in super::super) type Interval = Duration<500, DAY>;
/// Nobody waits for an answer longer than five minutes.
pub(in super::super) type Timeout = Duration<1, { 5 * MINUTE }>;
/// How soon to ask again while in doubt.
pub(in super::super) type ConfirmInterval = Duration<100, DAY>;

const INTERVAL: Key<Interval> = Key::new("interval", "How often the check runs.").or_text("30s");
const TIMEOUT: Key<Timeout> =
    Key::new("timeout", "How long one run may take in all.").or_text("10s");
const CONFIRM_INTERVAL: Key<ConfirmInterval> = Key::new(
    "confirm_interval",
    "How soon the check runs again while its state is in doubt; the interval if that is shorter.",
)
.or_text("5s");
const FAIL_AFTER: Key<Threshold> =
    Key::new("fail_after", "How many bad runs, in a row or among some, make it fail.").or_number(2);
const DEGRADE_AFTER: Key<Threshold> = Key::new(
    "degrade_after",
    "How many bad or degraded runs make it degraded; as `fail_after` if left out.",
);
const RECOVER_AFTER: Key<Threshold> =
    Key::new("recover_after", "How many good runs, in a row or among some, make it well again.")
        .or_number(2);
const DEGRADED_OVER: Key<Latency> = Key::new(
    "degraded_over",
    "A run that passes but takes longer than this, in all or in one of its phases, is degraded.",
);
const AT_WORST: Key<AtWorst> =
    Key::new("at_worst", "The worst status that the check can give its component.")
        .or_text("major_outage");
const MAJOR_WHEN: Key<MajorWhen> = Key::new(
    "major_when",
    "How many of its addresses, or variants, must fail to make a partial outage a major one.",
)
.or_text("all");

const FLAPPING: Key<Limit> = Key::new(
    "flapping",
    "What changes more often than so many times within `30m` is held in its worse state till it settles.",
)
.or_number(6);

/// The settings of `[defaults]`, and those that a check may have instead.
#[derive(Clone, Default)]
pub(in super::super) struct RawTuning {
    pub(in super::super) interval: Field<Interval>,
    pub(in super::super) timeout: Field<Timeout>,
    pub(in super::super) confirm_interval: Field<ConfirmInterval>,
    pub(in super::super) fail_after: Field<Threshold>,
    pub(in super::super) degrade_after: Field<Threshold>,
    pub(in super::super) recover_after: Field<Threshold>,
    pub(in super::super) degraded_over: Field<Latency>,
    pub(in super::super) at_worst: Field<AtWorst>,
    pub(in super::super) major_when: Field<MajorWhen>,
    pub(in super::super) flapping: Field<Limit>,
}

impl RawTuning {
    /// Asks for these keys in a table that may have others.
    pub(in super::super) fn ask(table: &mut Reader<'_, '_, '_>) -> Self {
        Self {
            interval: table.take(&INTERVAL),
            timeout: table.take(&TIMEOUT),
            confirm_interval: table.take(&CONFIRM_INTERVAL),
            fail_after: table.take(&FAIL_AFTER),
            degrade_after: table.take(&DEGRADE_AFTER),
            recover_after: table.take(&RECOVER_AFTER),
            degraded_over: table.take(&DEGRADED_OVER),
            at_worst: table.take(&AT_WORST),
            major_when: table.take(&MAJOR_WHEN),
            flapping: table.take(&FLAPPING),
        }
    }
}

impl Section for RawTuning {
    const NAME: &'static str = "[defaults]";

    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self> {
        Some(Self::ask(table))
    }
}
