//! Records in time: whether points in time that a body tells of are neither too old nor in the
//! future. A platform whose clock jumped leaves records behind that lie in the future long after
//! the clock is right again, and one whose pipeline stands still answers well and shows yesterday.
//! Pure.

use chrono::DateTime;
use serde_json::Value;

use super::json::{place, shown};
use crate::config::{RecordLimits, TimeFormat};
use crate::model::{Reason, Span, Timestamp};

const SECOND: i128 = 1_000_000;

/// A point in time as somebody wrote it: what they meant lies within `step` of `at`, since some
/// cut off what they do not write and some round it. In microseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) struct Written {
    pub(in crate::check) at: i128,
    pub(in crate::check) step: i128,
}

/// Judges all that `path` led to, in an answer that was asked for at the first of two moments and
/// had come at the second.
///
/// 1. What is no point in time fails.
/// 2. So does what is certainly too far in the future, even if it was written when the answer's
///    last byte came; of several the furthest is the reason.
/// 3. So does what is certainly too old, even if it was read when the request left; of several the
///    oldest is the reason.
pub(super) fn judge(
    path: &str,
    limits: &RecordLimits,
    found: &[&Value],
    (sent, received): (Timestamp, Timestamp),
) -> Result<(), Reason> {
    let mut furthest: Option<(i128, usize)> = None;
    let mut oldest: Option<(i128, usize)> = None;
    for (at, value) in found.iter().enumerate() {
        let Some(written) = read(value, limits.format) else {
            let place = place(path, at, found.len());
            return Err(Reason::RecordNoTime { place, got: shown(Some(value)) });
        };
        let ahead = written.at - written.step - i128::from(received.as_micros());
        let age = i128::from(sent.as_micros()) - written.at - written.step;
        furthest = furthest.max(Some((ahead, at)));
        oldest = oldest.max(Some((age, at)));
    }
    let beyond = |most: Option<Span>, worst: Option<(i128, usize)>| {
        let (distance, at) = worst?;
        let limit = i128::from(most?.as_micros());
        (distance > limit).then(|| (span(distance), place(path, at, found.len())))
    };
    if let Some((ahead, place)) = beyond(limits.max_ahead, furthest) {
        return Err(Reason::RecordAhead { place, ahead });
    }
    if let Some((age, place)) = beyond(limits.max_age, oldest) {
        return Err(Reason::RecordStale { place, age });
    }
    Ok(())
}

fn span(micros: i128) -> Span {
    Span::from_micros(u64::try_from(micros.max(0)).unwrap_or(u64::MAX))
}

/// The point in time that `value` is, if it is one.
pub(in crate::check) fn read(value: &Value, format: Option<TimeFormat>) -> Option<Written> {
    match (value, format) {
        (Value::String(text), Some(TimeFormat::Rfc3339)) => rfc3339(text),
        (Value::String(text), Some(TimeFormat::Rfc2822)) => rfc2822(text),
        (Value::String(text), None) => {
            epoch(text, None).or_else(|| rfc3339(text)).or_else(|| rfc2822(text))
        }
        (Value::String(text), Some(unit)) => epoch(text, Some(unit)),
        (Value::Number(number), format) => epoch(&number.to_string(), format),
        (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_), _) => None,
    }
}

fn rfc3339(text: &str) -> Option<Written> {
    let text = text.trim();
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    let digits = text
        .split_once('.')
        .map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    Some(Written { at: i128::from(at.timestamp_micros()), step: decimal(SECOND, digits) })
}

/// A mail's date, or any of HTTP's three.
fn rfc2822(text: &str) -> Option<Written> {
    let text = text.trim();
    let micros = match DateTime::parse_from_rfc2822(text) {
        Ok(at) => at.timestamp_micros(),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            let since = date.duration_since(std::time::UNIX_EPOCH).ok()?;
            i64::try_from(since.as_micros()).ok()?
        }
    };
    // Mail may leave the seconds out.
    let to_the_second = text.matches(':').count() > 1;
    let step = if to_the_second { SECOND } else { 60 * SECOND };
    Some(Written { at: i128::from(micros), step })
}

/// A number of seconds, or of parts of them, since 1970. Without a word on which, its size tells:
/// for the next three thousand years no two units reach for the same numbers, but for the first
/// years after 1970.
fn epoch(text: &str, unit: Option<TimeFormat>) -> Option<Written> {
    let number: f64 = text.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
    let nanos_each: i128 = match unit {
        Some(TimeFormat::EpochSeconds) => 1_000_000_000,
        Some(TimeFormat::EpochMillis) => 1_000_000,
        Some(TimeFormat::EpochMicros) => 1_000,
        Some(TimeFormat::EpochNanos) => 1,
        Some(TimeFormat::Rfc3339 | TimeFormat::Rfc2822) => return None,
        None => match number.abs() {
            size if size < 1e11 => 1_000_000_000,
            size if size < 1e14 => 1_000_000,
            size if size < 1e17 => 1_000,
            _ => 1,
        },
    };
    let (whole, fraction) = digits(text.trim(), number)?;
    let nanos = whole.checked_mul(nanos_each)?;
    // Nanoseconds and below are beyond what is told apart here.
    let part: i128 = format!("{fraction:0<9.9}").parse().ok()?;
    let part = part * nanos_each / 1_000_000_000;
    let nanos = if number < 0.0 { nanos.checked_sub(part)? } else { nanos.checked_add(part)? };
    let step = decimal(nanos_each, fraction.len()) / 1_000;
    // Beyond what a calendar shows it is some other number.
    let at = nanos / 1_000;
    DateTime::from_timestamp_micros(i64::try_from(at).ok()?)?;
    Some(Written { at, step })
}

/// A decimal number's whole part and the digits of its fraction; a fraction of nothing but zeros
/// is how floats are written that have none.
fn digits(text: &str, number: f64) -> Option<(i128, &str)> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if let Ok(whole) = whole.parse::<i128>()
        && fraction.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Some((
            whole,
            if fraction.bytes().all(|byte| byte == b'0') { "" } else { fraction },
        ));
    }
    // With an exponent it is a float in any case, and exact enough as one.
    let exponent = text.contains(['e', 'E']) && number.abs() < 1e30;
    #[expect(clippy::cast_possible_truncation, reason = "within what 128 bits hold, by far")]
    exponent.then_some((number as i128, ""))
}

/// `one` after so many decimal places.
fn decimal(one: i128, places: usize) -> i128 {
    u32::try_from(places).ok().and_then(|places| 10_i128.checked_pow(places)).map_or(0, |n| one / n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};
    use serde_json::{Value, json};

    use super::{RecordLimits, SECOND, TimeFormat, Written, judge, read};
    use crate::model::{Reason, Span, Timestamp};

    /// 15 September 2021, 10:30 UTC.
    const NOW: i64 = 1_631_701_800;

    #[test]
    fn every_format_is_found_out() {
        let at = i128::from(NOW) * SECOND;
        for (value, step) in [
            (json!("2021-09-15T10:30:00Z"), SECOND),
            (json!("2021-09-15T07:30:00-03:00"), SECOND),
            (json!("2021-09-15 10:30:00+00:00"), SECOND),
            (json!("2021-09-15T10:30:00.000Z"), 1_000),
            (json!("2021-09-15T10:30:00.000000000Z"), 0),
            (json!("Wed, 15 Sep 2021 10:30:00 GMT"), SECOND),
            (json!("15 Sep 2021 07:30 -0300"), 60 * SECOND),
            (json!("Wednesday, 15-Sep-21 10:30:00 GMT"), SECOND),
            (json!(NOW), SECOND),
            (json!(1_631_701_800.0), SECOND),
            (json!("1631701800"), SECOND),
            (json!(1_631_701_800_000_i64), 1_000),
            (json!(1_631_701_800_000_000_i64), 1),
            (json!(1_631_701_800_000_000_000_i64), 0),
            (json!(1.631_701_8e18), 0),
        ] {
            assert_eq!(read(&value, None), Some(Written { at, step }), "{value}");
        }
        let half = Written { at: at + SECOND / 2, step: SECOND / 10 };
        assert_eq!(read(&json!(1_631_701_800.5), None), Some(half));
        assert_eq!(read(&json!("1631701800.50"), None).map(|w| w.step), Some(SECOND / 100));
        assert_eq!(read(&json!(-1.5), None).map(|w| w.at), Some(-3 * SECOND / 2));
    }

    #[test]
    fn what_is_no_point_in_time_is_none() {
        for value in [
            json!(null),
            json!(true),
            json!([]),
            json!({}),
            json!(""),
            json!("never"),
            // Without a zone it is 24 different points in time.
            json!("2021-09-15T10:30:00"),
            json!("2021-09-15"),
            json!("2021-02-30T10:30:00Z"),
            json!("Mon, 15 Sep 2021 10:30:00 GMT"),
            json!("inf"),
            json!("nan"),
            json!("1e400"),
            json!("0x5"),
            json!(1e29),
        ] {
            assert_eq!(read(&value, None), None, "{value}");
        }
    }

    #[test]
    fn a_stated_format_is_the_only_one() {
        let stated = |value: Value, format| read(&value, Some(format)).map(|written| written.at);
        let now = i128::from(NOW) * SECOND;
        assert_eq!(stated(json!(NOW), TimeFormat::EpochSeconds), Some(now));
        assert_eq!(stated(json!(NOW), TimeFormat::EpochMillis), Some(now / 1_000));
        assert_eq!(stated(json!(NOW), TimeFormat::EpochMicros), Some(i128::from(NOW)));
        assert_eq!(stated(json!(NOW), TimeFormat::EpochNanos), Some(i128::from(NOW) / 1_000));
        assert_eq!(stated(json!(NOW), TimeFormat::Rfc3339), None);
        assert_eq!(stated(json!(NOW.to_string()), TimeFormat::Rfc2822), None);
        assert_eq!(stated(json!("2021-09-15T10:30:00Z"), TimeFormat::EpochSeconds), None);
        assert_eq!(stated(json!("2021-09-15T10:30:00Z"), TimeFormat::Rfc2822), None);
        assert_eq!(stated(json!("2021-09-15T10:30:00Z"), TimeFormat::Rfc3339), Some(now));
    }

    fn limits(max_age: u64, max_ahead: u64) -> RecordLimits {
        let span = |seconds| Some(Span::from_secs(seconds));
        RecordLimits { max_age: span(max_age), max_ahead: span(max_ahead), format: None }
    }

    /// Judges records so many seconds before or after an answer that took two seconds.
    fn judged(offsets: &[i64]) -> Result<(), Reason> {
        let found: Vec<Value> = offsets.iter().map(|offset| json!(NOW + offset)).collect();
        let found: Vec<&Value> = found.iter().collect();
        let asked = (Timestamp::from_secs(NOW), Timestamp::from_secs(NOW + 2));
        judge("$..at", &limits(600, 30), &found, asked)
    }

    #[test]
    fn the_worst_of_several_is_the_reason() {
        assert_eq!(judged(&[]), Ok(()));
        assert_eq!(judged(&[0, -600, 32]), Ok(()));
        let stale = |place: &str, age| {
            Err(Reason::RecordStale { place: place.into(), age: Span::from_secs(age) })
        };
        assert_eq!(judged(&[-700]), stale("$..at", 699));
        assert_eq!(judged(&[0, -700, -900, -800]), stale("$..at (3 of 4)", 899));
        let ahead = Span::from_secs(86_400 - 3);
        let place = "$..at (2 of 3)".to_owned();
        assert_eq!(judged(&[-700, 86_400, 100]), Err(Reason::RecordAhead { place, ahead }));
        let found = [json!(NOW), json!("soon")];
        let found: Vec<&Value> = found.iter().collect();
        let now = Timestamp::from_secs(NOW);
        let reason = judge("$..at", &limits(1, 1), &found, (now, now)).unwrap_err();
        let place = "$..at (2 of 2)".to_owned();
        assert_eq!(reason, Reason::RecordNoTime { place, got: "\"soon\"".to_owned() });
    }

    proptest! {
        /// Whenever in the exchange the record was written, however it is rounded and however
        /// long the answer took: a record that keeps its limits never fails.
        #[test]
        fn only_what_is_certain_fails(
            took in 0..60 * 1_000_000_i64,
            within in 0.0..=1.0_f64,
            age in -30_000_000..=600_000_000_i64,
            round in 0..3_u8,
        ) {
            let sent = NOW * 1_000_000;
            #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "small")]
            let looked = sent + (took as f64 * within) as i64;
            let truth = looked - age;
            let second = 1_000_000;
            let written = match round {
                0 => truth.div_euclid(second),
                1 => (truth + second / 2).div_euclid(second),
                _ => (truth + second - 1).div_euclid(second),
            };
            let value = json!(written);
            let asked = (Timestamp::from_micros(sent), Timestamp::from_micros(sent + took));
            prop_assert_eq!(judge("$", &limits(600, 30), &[&value], asked), Ok(()));
        }

        /// Nor is anything certain overlooked.
        #[test]
        fn what_is_certain_fails(took in 0..60_000_000_i64, more in 1_000_001..i64::MAX / 4) {
            let sent = NOW * 1_000_000;
            let asked = (Timestamp::from_micros(sent), Timestamp::from_micros(sent + took));
            let fails = |at: i64| {
                let value = json!(at);
                let limits = RecordLimits { format: Some(TimeFormat::EpochMicros), ..limits(600, 30) };
                judge("$", &limits, &[&value], asked).is_err()
            };
            prop_assert!(fails(sent - 600_000_000 - more));
            prop_assert!(fails(sent + took + 30_000_000 + more));
        }
    }
}
