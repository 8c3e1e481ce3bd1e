//! What an HTTP answer tells about the clock of whoever gave it. Pure.

use http::HeaderMap;
use http::header::{AGE, DATE};

use crate::model::{ClockOffset, ClockSource, Timestamp};

/// The offset of the clock that wrote `headers`, which were asked for at `sent` and had come at
/// `received`; `None` without a usable `Date`.
///
/// An answer with an `Age` other than zero comes from a cache and its date tells when it was
/// stored. Caches that do not say so cannot be told from a clock that is slow.
///
/// `wall_step` is how far the host's wall clock is ahead of the one that told `sent` and
/// `received`: where the two differ, one of them is wrong and nobody can tell which, so the
/// interval is wide enough for both.
pub(super) fn offset(
    headers: &HeaderMap,
    sent: Timestamp,
    received: Timestamp,
    wall_step: i64,
) -> Option<ClockOffset> {
    if headers.get(AGE).is_some_and(|age| age.as_bytes() != b"0") {
        return None;
    }
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    let since_epoch = date.duration_since(std::time::UNIX_EPOCH).ok()?;
    let offset = interval(Timestamp::EPOCH + since_epoch, sent, received);
    Some(ClockOffset {
        at_least: offset.at_least.saturating_sub(wall_step.max(0)),
        at_most: offset.at_most.saturating_sub(wall_step.min(0)),
        source: ClockSource::Date,
    })
}

/// The target's clock stood somewhere in the second that begins at `date`, at some moment between
/// `sent` and `received`. That it was the earliest reading at the latest moment gives one bound,
/// and the latest reading at the earliest moment the other.
fn interval(date: Timestamp, sent: Timestamp, received: Timestamp) -> ClockOffset {
    const STEP: i64 = 1_000_000;
    let date = date.as_micros();
    ClockOffset {
        at_least: date.saturating_sub(received.as_micros()),
        at_most: date.saturating_add(STEP).saturating_sub(sent.as_micros()),
        source: ClockSource::Date,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::{prop_assert, proptest};

    use super::{interval, offset};
    use crate::model::Timestamp;

    const YEAR: i64 = 366 * 24 * 3600 * 1_000_000;

    proptest! {
        /// Whatever the offset and however long the ways there and back.
        #[test]
        fn the_interval_contains_the_truth(
            truth in -YEAR..YEAR,
            sent in 50 * YEAR..60 * YEAR,
            there in 0..60_000_000_i64,
            back in 0..60_000_000_i64,
        ) {
            let theirs = sent + there + truth;
            let date = theirs.div_euclid(1_000_000);
            let received = Timestamp::from_micros(sent + there + back);
            let found =
                interval(Timestamp::from_secs(date), Timestamp::from_micros(sent), received);
            prop_assert!(found.at_least <= truth && truth <= found.at_most, "{found:?}");
            prop_assert!(found.at_most - found.at_least == 1_000_000 + there + back);
        }
    }

    fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
        all.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_a_fresh_and_readable_date_counts() {
        let now = Timestamp::from_secs(784_111_777);
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let found = |all: &[_]| offset(&headers(all), now, now, 0);
        assert_eq!(found(&[date]).unwrap().at_least, 0);
        assert_eq!(found(&[date, ("age", "0")]).unwrap().at_most, 1_000_000);
        assert_eq!(found(&[date, ("age", "17")]), None);
        assert_eq!(found(&[("date", "yesterday")]), None);
        assert_eq!(found(&[]), None);
    }

    /// The host slept for an hour, or started with a wrong clock and was set right: nobody can
    /// tell whose the hour is.
    #[test]
    fn what_our_two_clocks_disagree_about_is_not_held_against_a_target() {
        let now = Timestamp::from_secs(784_111_777);
        let date = headers(&[("date", "Sun, 06 Nov 1994 08:49:37 GMT")]);
        for hour in [3_600_000_000_i64, -3_600_000_000] {
            let agreeing = Timestamp::from_micros(now.as_micros() - hour);
            let found = offset(&date, agreeing, agreeing, hour).unwrap();
            assert_eq!(found.certain(), crate::model::Span::ZERO, "{found:?}");
            let agreeing = offset(&date, now, now, hour).unwrap();
            assert_eq!(agreeing.certain(), crate::model::Span::ZERO, "{agreeing:?}");
        }
    }
}
