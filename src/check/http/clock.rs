//! What an HTTP answer tells about the clock of whoever gave it. Pure.

use cookie_store::RawCookie;
use http::HeaderMap;
use http::header::{AGE, DATE, SET_COOKIE};

use crate::model::{ClockOffset, ClockSource, Timestamp};

/// What clocks count in answers.
const SECOND: i64 = 1_000_000;

/// Where caches say that an answer is theirs, in words of their own.
const CACHES: [&str; 4] = ["x-cache", "x-cache-status", "cf-cache-status", "cache-status"];

/// What they call one that they had: stale ones as well, and those that they may have had.
const HAD: [&str; 4] = ["hit", "stale", "updating", "revalidated"];

/// The offset of the clock that wrote `headers`, which were asked for at `sent` and had come at
/// `received`; `None` if nothing in them tells.
///
/// 1. Of what comes from a cache, and says so by its `Age` or in one of the ways that are common,
///    nothing tells: its date is that at which it was stored.
/// 2. An `Age` of zero is less than a second: by so much its date may be behind.
/// 3. Without a readable `Date`, a cookie may tell (see [`of_cookie`]).
///
/// Caches that do not say so cannot be told from a clock that is slow.
pub(super) fn offset(
    headers: &HeaderMap,
    sent: Timestamp,
    received: Timestamp,
) -> Option<ClockOffset> {
    let stored = match headers.get(AGE) {
        Some(age) if age.as_bytes() == b"0" => SECOND,
        Some(_) => return None,
        None if was_cached(headers) => return None,
        None => 0,
    };
    let (written, source) = date(headers)
        .map(|date| (date, ClockSource::Date))
        .or_else(|| Some((of_cookie(headers)?, ClockSource::Cookie)))?;
    let offset = interval(written, sent, received);
    Some(ClockOffset { at_most: offset.at_most.saturating_add(stored), source, ..offset })
}

fn date(headers: &HeaderMap) -> Option<Timestamp> {
    let date = httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()?;
    Some(Timestamp::EPOCH + date.duration_since(std::time::UNIX_EPOCH).ok()?)
}

/// Whether a cache says that the answer was there before it was asked for.
pub(in crate::check) fn was_cached(headers: &HeaderMap) -> bool {
    let texts = CACHES.iter().flat_map(|name| headers.get_all(*name));
    texts.filter_map(|text| text.to_str().ok()).any(|text| {
        let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
        words.any(|word| HAD.iter().any(|had| word.eq_ignore_ascii_case(had)))
    })
}

/// When a cookie was written by the clock of who wrote it: where it says both in how many seconds
/// it ends and when, that is the difference. One that is taken away tells nothing, as the end of
/// such a one is written anywhere in the past.
fn of_cookie(headers: &HeaderMap) -> Option<Timestamp> {
    headers.get_all(SET_COOKIE).iter().find_map(|text| {
        let cookie = RawCookie::parse(text.to_str().ok()?).ok()?;
        let lasts = cookie.max_age().map(|lasts| lasts.whole_seconds()).filter(|it| *it > 0)?;
        let ends = cookie.expires_datetime()?.unix_timestamp();
        Some(Timestamp::from_secs(ends.checked_sub(lasts)?))
    })
}

/// The target's clock stood somewhere in the second that begins at `date`, at some moment between
/// `sent` and `received`. That it was the earliest reading at the latest moment gives one bound,
/// and the latest reading at the earliest moment the other.
fn interval(date: Timestamp, sent: Timestamp, received: Timestamp) -> ClockOffset {
    let date = date.as_micros();
    ClockOffset {
        at_least: date.saturating_sub(received.as_micros()),
        at_most: date.saturating_add(SECOND).saturating_sub(sent.as_micros()),
        source: ClockSource::Date,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use proptest::prelude::{prop_assert, proptest};

    use super::{interval, offset};
    use crate::model::{ClockSource, Timestamp};

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
        let found = |all: &[_]| offset(&headers(all), now, now);
        assert_eq!(found(&[date]).unwrap().at_least, 0);
        assert_eq!(found(&[date]).unwrap().at_most, 1_000_000);
        assert_eq!(found(&[date, ("age", "0")]).unwrap().at_most, 2_000_000);
        assert_eq!(found(&[date, ("age", "17")]), None);
        assert_eq!(found(&[("date", "yesterday")]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn what_a_cache_had_tells_nothing() {
        let now = Timestamp::from_secs(784_111_777);
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        for (name, text, tells) in [
            ("x-cache", "HIT", false),
            ("x-cache", "Hit from cloudfront", false),
            ("x-cache", "TCP_MEM_HIT", false),
            ("x-cache", "MISS, HIT", false),
            ("x-cache", "Miss from cloudfront", true),
            ("cf-cache-status", "STALE", false),
            ("cf-cache-status", "DYNAMIC", true),
            ("cache-status", "edge; fwd=miss, shield; hit; ttl=30", false),
            ("cache-status", "white; fwd=uri-miss", true),
            ("x-hits", "hit", true),
        ] {
            let found = offset(&headers(&[date, (name, text)]), now, now);
            assert_eq!(found.is_some(), tells, "{name}: {text}");
        }
    }

    #[test]
    fn a_cookie_tells_where_there_is_no_date() {
        let now = Timestamp::from_secs(784_111_777);
        let found = |cookie| offset(&headers(&[("set-cookie", cookie)]), now, now);
        let told = found("a=1; Expires=Sun, 06 Nov 1994 09:49:39 GMT; Max-Age=3600").unwrap();
        assert_eq!((told.at_least, told.source), (2_000_000, ClockSource::Cookie));
        for nothing in [
            "a=1; Max-Age=3600",
            "a=1; Expires=Sun, 06 Nov 1994 09:49:39 GMT",
            "a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0",
            "a=1; Expires=Sun, 06 Nov 1994 09:49:39 GMT; Max-Age=-3600",
            "a=1; Expires=soon; Max-Age=3600",
        ] {
            assert_eq!(found(nothing), None, "{nothing}");
        }
        let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
        let cookie = ("set-cookie", "a=1; Expires=Sun, 06 Nov 1994 09:49:39 GMT; Max-Age=3600");
        let both = offset(&headers(&[date, cookie]), now, now).unwrap();
        assert_eq!((both.at_least, both.source), (0, ClockSource::Date));
    }
}
