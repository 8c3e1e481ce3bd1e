//! English: lists, lengths of time and dates, as a customer reads them.

use std::time::Duration;

use chrono::{DateTime, Offset};
use chrono_tz::Tz;

use crate::model::Timestamp;

/// Below this length a period is told to the second.
const BRIEF: Duration = Duration::from_secs(5 * 60);

/// A name as it may appear in public: without control characters and marks that change the
/// direction of what follows, in one line, and not too long for a title that has several.
pub(super) fn name(text: &str) -> String {
    const LONGEST: usize = 60;
    let visible = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let visible: String = visible.filter(|c| !c.is_control() && !steers(*c)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let mut line = words.join(" ");
    if line.is_empty() {
        return "A component".to_owned();
    }
    if let Some((cut, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// Whether `c` is invisible and changes how the text around it is shown.
fn steers(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// "Portal", "Portal and Desk", "Portal, Desk and CRM"; of more than `most` only the first two are
/// named: "Portal, Desk and 3 more components".
pub(super) fn list(names: &[String], most: usize) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [first, second, rest @ ..] if names.len() > most && !rest.is_empty() => {
            format!("{first}, {second} and {}", count(rest.len(), "more component"))
        }
        [firsts @ .., last] => format!("{} and {last}", firsts.join(", ")),
    }
}

/// "1 hour", "2 hours".
fn count(number: usize, unit: &str) -> String {
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

/// "One of its three servers is affected."
pub(super) fn of_servers(failing: usize, total: usize) -> String {
    let is = if failing == 1 { "is" } else { "are" };
    format!("{} of its {} servers {is} affected.", first(failing), numeral(total))
}

/// "One of our three tests fails."
pub(super) fn of_tests(failing: usize, total: usize) -> String {
    let fails = if failing == 1 { "fails" } else { "fail" };
    format!("{} of our {} tests {fails}.", first(failing), numeral(total))
}

/// A number as the first word of a sentence.
fn first(number: usize) -> String {
    let mut number = numeral(number);
    if let Some(first) = number.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    number
}

/// Small numbers in words, as they are written in a sentence.
pub(super) fn numeral(number: usize) -> String {
    const WORDS: [&str; 13] = [
        "none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    WORDS.get(number).map_or_else(|| number.to_string(), |word| (*word).to_owned())
}

/// "The last two updates": how many had nothing new to say.
pub(super) fn updates(number: u32) -> String {
    match number {
        0 => "This update".to_owned(),
        1 => "The last update".to_owned(),
        more => {
            format!("The last {} updates", numeral(usize::try_from(more).unwrap_or(usize::MAX)))
        }
    }
}

/// "third", "21st": which of several.
pub(super) fn ordinal(number: u32) -> String {
    const WORDS: [&str; 13] = [
        "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth",
        "ninth", "tenth", "eleventh", "twelfth",
    ];
    let word = usize::try_from(number).ok().and_then(|number| WORDS.get(number));
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    word.map_or_else(|| format!("{number}{ending}"), |word| (*word).to_owned())
}

/// A length of time to the second, rounded up: for a promise.
pub(super) fn exactly(span: Duration) -> String {
    let rest = u64::from(span.subsec_nanos() > 0);
    length(span.as_secs().saturating_add(rest), 4)
}

/// How long it is from `from` to `to`, as somebody would reckon it who reads both: to the second
/// if it is brief, to the minute if not, and in days and hours if it is long.
pub(super) fn lasted(from: Timestamp, to: Timestamp) -> String {
    let unit = if is_brief(from, to) { 1 } else { 60 };
    let floor = |at: Timestamp| at.as_micros().div_euclid(1_000_000 * unit);
    let units = u64::try_from(floor(to).saturating_sub(floor(from))).unwrap_or(0);
    length(units.saturating_mul(unit.unsigned_abs()), 2)
}

fn length(secs: u64, most: usize) -> String {
    let units = [
        (secs / 86_400, "day"),
        (secs / 3_600 % 24, "hour"),
        (secs / 60 % 60, "minute"),
        (secs % 60, "second"),
    ];
    let told: Vec<String> = units
        .into_iter()
        .skip_while(|(number, _)| *number == 0)
        .take(most)
        .filter(|(number, _)| *number > 0)
        .map(|(number, unit)| count(usize::try_from(number).unwrap_or(usize::MAX), unit))
        .collect();
    if told.is_empty() { "less than a second".to_owned() } else { told.join(" ") }
}

/// "10:40 (GMT-03:00)".
pub(super) fn time(at: Timestamp, zone: Tz) -> String {
    let local = at.to_utc().with_timezone(&zone);
    format!("{} ({})", local.format("%H:%M"), offset(&local))
}

/// "10:40 (GMT-03:00) on 15 September 2021".
pub(super) fn moment(at: Timestamp, zone: Tz) -> String {
    let local = at.to_utc().with_timezone(&zone);
    format!("{} on {}", time(at, zone), local.format("%-d %B %Y"))
}

/// "from 10:40 to 12:30 (GMT-03:00) on 15 September 2021"; with both dates, and both offsets, if
/// they differ.
pub(super) fn period(from: Timestamp, to: Timestamp, zone: Tz) -> String {
    let (first, last) = (from.to_utc().with_timezone(&zone), to.to_utc().with_timezone(&zone));
    let clock = if is_brief(from, to) { "%H:%M:%S" } else { "%H:%M" };
    let mut start = first.format(clock).to_string();
    if offset(&first) != offset(&last) {
        start.push_str(&format!(" ({})", offset(&first)));
    }
    if first.date_naive() != last.date_naive() {
        start.push_str(&first.format(" on %-d %B %Y").to_string());
    }
    let end = last.format(clock);
    format!("from {start} to {end} ({}) on {}", offset(&last), last.format("%-d %B %Y"))
}

fn is_brief(from: Timestamp, to: Timestamp) -> bool {
    to.since(from) < BRIEF
}

fn offset(local: &DateTime<Tz>) -> String {
    let minutes = local.offset().fix().local_minus_utc() / 60;
    if minutes == 0 {
        return "UTC".to_owned();
    }
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("GMT{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}
