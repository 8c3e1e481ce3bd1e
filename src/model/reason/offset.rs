//! An offset in the operator's words: how far, by whom, and what that looks like.

use crate::model::{ClockOffset, ClockReference, Span};

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const DAY: i64 = 24 * HOUR;

/// A clock that is wrong by a year or by an hour need not be right otherwise.
const NEARLY: i64 = 10 * SECOND;

/// No zone is further from another that is meant.
const ZONES: i64 = 14;

/// `offset`, by what `against` says, as in "1h ahead by NTP: a wrong time zone or summer time".
pub(super) fn describe(offset: ClockOffset, against: ClockReference) -> String {
    let by = match against {
        ClockReference::Host => "the prober's clock",
        ClockReference::Ntp => "NTP",
        ClockReference::Agreement => "what most servers agree on",
        ClockReference::Siblings => "its siblings",
    };
    format!("{} by {by}{}", size(offset), guess(offset))
}

/// How far it is off: a single number where that is all there is to say.
fn size(offset: ClockOffset) -> String {
    let middle = offset.middle();
    let width = offset.at_most.saturating_sub(offset.at_least);
    if width.unsigned_abs() > middle.unsigned_abs() / 10 {
        let (least, most) = (offset.at_least, offset.at_most);
        return if least >= 0 {
            format!("between {} and {} ahead", shown(least), shown(most))
        } else if most <= 0 {
            format!("between {} and {} behind", shown(most), shown(least))
        } else {
            format!("between {} behind and {} ahead", shown(least), shown(most))
        };
    }
    format!("{} {}", shown(middle), if middle < 0 { "behind" } else { "ahead" })
}

/// No finer than what is known: a day less a moment should read as a day.
fn shown(micros: i64) -> Span {
    let micros = micros.unsigned_abs();
    let unit = if micros < 10_000_000 { 1_000 } else { 1_000_000 };
    Span::from_micros(micros.saturating_add(unit / 2) / unit * unit)
}

/// What is known to make a clock wrong by just so much, if anything is.
fn guess(offset: ClockOffset) -> &'static str {
    let (near, far) = if offset.at_least >= 0 {
        (offset.at_least, offset.at_most)
    } else {
        (offset.at_most.saturating_neg(), offset.at_least.saturating_neg())
    };
    let (near, far) = (near.saturating_sub(NEARLY), far.saturating_add(NEARLY));
    // What is known no better than that looks like anything.
    if far.saturating_sub(near) > HOUR / 4 {
        return "";
    }
    let is_in = |unit: i64, most: i64| (1..=most).any(|n| (near..=far).contains(&(n * unit)));
    let is_years = (1..=100).any(|years| {
        // So many of them have a 29th of February, or one more.
        let leaps = years / 4;
        (leaps..=leaps + 1).any(|leaps| (near..=far).contains(&((years * 365 + leaps) * DAY)))
    });
    if is_years {
        ": a wrong year"
    } else if is_in(HOUR, ZONES) {
        ": a wrong time zone or summer time"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::{DAY, HOUR, SECOND};
    use crate::model::{ClockOffset, ClockReference, ClockSource, Reason};

    #[test]
    fn an_offset_in_words() {
        let said = |at_least, at_most, against| {
            let offset = ClockOffset { at_least, at_most, source: ClockSource::Date };
            let said = Reason::ClockSkew { offset, against }.to_string();
            said.strip_prefix("the clock is ").unwrap().to_owned()
        };
        let to_a_second =
            |middle: i64| said(middle - SECOND / 2, middle + SECOND / 2, ClockReference::Ntp);
        for (middle, words) in [
            (365 * DAY, "365d ahead by NTP: a wrong year"),
            (-366 * DAY, "366d behind by NTP: a wrong year"),
            (-(20 * 365 + 5) * DAY, "7305d behind by NTP: a wrong year"),
            (364 * DAY, "364d ahead by NTP"),
            (HOUR, "1h ahead by NTP: a wrong time zone or summer time"),
            (-3 * HOUR - 8 * SECOND, "3h behind by NTP: a wrong time zone or summer time"),
            (-3 * HOUR - 60 * SECOND, "3h 1m behind by NTP"),
            (15 * HOUR, "15h ahead by NTP"),
            (30 * SECOND, "30s ahead by NTP"),
        ] {
            assert_eq!(to_a_second(middle), words);
        }
        let (milli, siblings) = (1_000, ClockReference::Siblings);
        assert_eq!(
            said(380 * milli, 460 * milli, siblings),
            "between 380ms and 460ms ahead by its siblings"
        );
        assert_eq!(
            said(-3_500 * milli, -2_500 * milli, ClockReference::Agreement),
            "between 2.5s and 3.5s behind by what most servers agree on"
        );
        assert_eq!(
            said(-3_020 * milli, -2_980 * milli, ClockReference::Host),
            "3s behind by the prober's clock"
        );
        assert_eq!(
            said(-SECOND, SECOND, siblings),
            "between 1s behind and 1s ahead by its siblings"
        );
        // That it may be just an hour is no sign of it.
        assert_eq!(said(SECOND, 2 * HOUR, siblings), "between 1s and 2h ahead by its siblings");
    }
}
