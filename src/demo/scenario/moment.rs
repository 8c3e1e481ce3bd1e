//! The times of a scenario: as customers would tell them, by the clocks on their walls.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use chrono_tz::Tz;

use crate::model::{Timestamp, to_instant};

/// What to write instead of something that is no time.
pub(super) const EXPECTED: &str =
    "a local time such as \"10:40\", or with its day \"2021-09-15 10:40\"";

/// A day and a time: `2021-09-15 10:40`, with seconds if need be.
pub(super) fn whole(text: &str) -> Option<NaiveDateTime> {
    let read = |format| NaiveDateTime::parse_from_str(text, format).ok();
    read("%Y-%m-%d %H:%M").or_else(|| read("%Y-%m-%d %H:%M:%S"))
}

/// As [`whole`], or a time alone, of `day`.
pub(super) fn on(day: NaiveDate, text: &str) -> Option<NaiveDateTime> {
    let read = |format| NaiveTime::parse_from_str(text, format).ok();
    let time = read("%H:%M").or_else(|| read("%H:%M:%S"));
    time.map(|time| day.and_time(time)).or_else(|| whole(text))
}

/// `at` as the platform's customers see it: `10:40:05`, with its day where that is not `day`.
pub(super) fn shown(at: Timestamp, zone: Tz, day: NaiveDate) -> String {
    let local = at.to_utc().with_timezone(&zone).naive_local();
    let format = if local.date() == day { "%H:%M:%S" } else { "%d %b %H:%M:%S" };
    local.format(format).to_string()
}

/// The instant of a local time.
pub(super) fn instant(local: NaiveDateTime, zone: Tz) -> Timestamp {
    to_instant(local, zone)
}

/// How far a clock is set: `1h` ahead, `-40m` back; in microseconds.
pub(super) fn step(text: &str) -> Option<i64> {
    let (sign, length) = match text.strip_prefix('-') {
        Some(length) => (-1, length),
        None => (1, text),
    };
    let length = humantime::parse_duration(length).ok()?;
    i64::try_from(length.as_micros()).ok().map(|micros| sign * micros)
}
