//! How a language says lists, numbers, lengths of time and dates.

use std::time::Duration;

use chrono::{DateTime, Datelike, Offset, Timelike};
use chrono_tz::Tz;

use super::languages::{ENGLISH, FRENCH, PORTUGUESE, SPANISH};
use crate::model::{Language, Timestamp};

/// Below this length a period is told to the second.
const BRIEF: Duration = Duration::from_secs(5 * 60);

/// What a language knows beside its templates.
#[derive(Debug)]
pub struct Tongue {
    /// What is said when nothing better can be.
    pub(super) plain: &'static str,
    /// A component whose name has nothing that can be read.
    pub(super) nameless: &'static str,
    /// What stands before the last of several, which it may depend on.
    pub(super) and: fn(&str) -> &'static str,
    /// Whether that stands in a length of time too: "1 hora e 50 minutos".
    pub(super) joins_lengths: bool,
    /// Components that are not named.
    pub(super) more: Counted,
    /// The numbers from 0 to 12, as they stand in a sentence.
    pub(super) numerals: [&'static str; 13],
    /// How many of a component's servers fail.
    pub(super) servers: Counted,
    /// How many of what stands for different customers fail.
    pub(super) tests: Counted,
    /// That this update has no news, or that the last `{n}`, in figures `{d}`, had none.
    pub(super) no_news: &'static str,
    pub(super) no_news_of: Counted,
    /// Which of several something is.
    pub(super) ordinal: fn(u32) -> String,
    /// Days, hours, minutes and seconds.
    pub(super) units: [Counted; 4],
    /// A length of time that is none.
    pub(super) no_time: &'static str,
    /// The months.
    pub(super) months: [&'static str; 12],
    /// The first day of a month.
    pub(super) first_day: &'static str,
    /// A date of `{day}`, `{month}` and `{year}`.
    pub(super) date: &'static str,
    /// `{at}` which time of which `{date}`.
    pub(super) moment: &'static str,
    /// What stands before a time at which something is.
    pub(super) at: Hour,
    /// What stands before the time at which a period begins.
    pub(super) from: Hour,
    /// What stands before the time at which it ends.
    pub(super) to: Hour,
    /// A period within one date, the `{last}`.
    pub(super) within_a_day: &'static str,
    /// A period from the `{first}` date to the `{last}`.
    pub(super) over_days: &'static str,
}

/// The same for one and for many.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) one: &'static str,
    pub(super) many: &'static str,
}

impl Counted {
    /// Which of the two is said of `number`; all that are spoken here agree on that, for nobody
    /// counts what there is none of.
    fn of(&self, number: usize) -> &'static str {
        if number == 1 { self.one } else { self.many }
    }
}

/// What stands before the hour of one, and before all others.
#[derive(Debug)]
pub(super) struct Hour {
    pub(super) one: &'static str,
    pub(super) others: &'static str,
}

impl Hour {
    fn before(&self, local: &DateTime<Tz>) -> &'static str {
        if local.hour() == 1 { self.one } else { self.others }
    }
}

impl Tongue {
    /// The one of `language`.
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Portuguese => &PORTUGUESE,
            Language::Spanish => &SPANISH,
            Language::French => &FRENCH,
        }
    }

    /// What is said when nothing better can be.
    pub(super) fn plain(&self) -> &'static str {
        self.plain
    }

    /// A component's name as it may appear in public.
    pub fn name(&self, text: &str) -> String {
        name(text).unwrap_or_else(|| self.nameless.to_owned())
    }

    /// "Portal", "Portal and Desk", "Portal, Desk and CRM"; of more than `most` only the first two
    /// are named: "Portal, Desk and 3 more components".
    pub fn list(&self, names: &[String], most: usize) -> String {
        match names {
            [first, second, rest @ ..] if names.len() > most && !rest.is_empty() => {
                let more = count(&self.more, rest.len());
                format!("{first}, {second} {} {more}", (self.and)(&more))
            }
            all => self.join(all),
        }
    }

    fn join(&self, parts: &[String]) -> String {
        match parts {
            [] => String::new(),
            [one] => one.clone(),
            [firsts @ .., last] => format!("{} {} {last}", firsts.join(", "), (self.and)(last)),
        }
    }

    /// "One of its three servers is affected."
    pub fn of_servers(&self, failing: usize, total: usize) -> String {
        self.part(&self.servers, failing, total)
    }

    /// "One of our three tests fails."
    pub fn of_tests(&self, failing: usize, total: usize) -> String {
        self.part(&self.tests, failing, total)
    }

    fn part(&self, sentence: &Counted, failing: usize, total: usize) -> String {
        let sentence = sentence.of(failing);
        sentence.replace("{n}", &self.first(failing)).replace("{total}", &self.numeral(total))
    }

    /// "The last two updates had nothing new to say".
    pub fn updates(&self, number: u32) -> String {
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        if number == 0 {
            return self.no_news.to_owned();
        }
        let clause = self.no_news_of.of(number);
        clause.replace("{n}", &self.numeral(number)).replace("{d}", &number.to_string())
    }

    /// "third", "21st": which of several.
    pub fn ordinal(&self, number: u32) -> String {
        (self.ordinal)(number)
    }

    /// A number as the first word of a sentence.
    fn first(&self, number: usize) -> String {
        let numeral = self.numeral(number);
        let mut letters = numeral.chars();
        letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
    }

    /// Small numbers in words, as they are written in a sentence.
    pub fn numeral(&self, number: usize) -> String {
        let word = self.numerals.get(number);
        word.map_or_else(|| number.to_string(), |word| (*word).to_owned())
    }

    /// A length of time to the second, rounded up: for a promise.
    pub fn exactly(&self, span: Duration) -> String {
        let rest = u64::from(span.subsec_nanos() > 0);
        self.length(span.as_secs().saturating_add(rest), 4)
    }

    /// How long it is from `from` to `to`, as somebody would reckon it who reads both: to the
    /// second if it is brief, to the minute if not, and in days and hours if it is long.
    pub fn lasted(&self, from: Timestamp, to: Timestamp) -> String {
        let unit = if is_brief(from, to) { 1 } else { 60 };
        let floor = |at: Timestamp| at.as_micros().div_euclid(1_000_000 * unit);
        let units = u64::try_from(floor(to).saturating_sub(floor(from))).unwrap_or(0);
        self.length(units.saturating_mul(unit.unsigned_abs()), 2)
    }

    fn length(&self, secs: u64, most: usize) -> String {
        let numbers = [secs / 86_400, secs / 3_600 % 24, secs / 60 % 60, secs % 60];
        let told: Vec<String> = numbers
            .into_iter()
            .zip(&self.units)
            .skip_while(|(number, _)| *number == 0)
            .take(most)
            .filter(|(number, _)| *number > 0)
            .map(|(number, unit)| count(unit, usize::try_from(number).unwrap_or(usize::MAX)))
            .collect();
        match told.as_slice() {
            [] => self.no_time.to_owned(),
            told if self.joins_lengths => self.join(told),
            told => told.join(" "),
        }
    }

    /// "10:40 (GMT-03:00)", and "às 10:40 (GMT-03:00)" where a time does not stand alone.
    pub fn time(&self, at: Timestamp, zone: Tz) -> String {
        let local = at.to_utc().with_timezone(&zone);
        format!("{}{} ({})", self.at.before(&local), local.format("%H:%M"), offset(&local))
    }

    /// "10:40 (GMT-03:00) on 15 September 2021".
    pub fn moment(&self, at: Timestamp, zone: Tz) -> String {
        let local = at.to_utc().with_timezone(&zone);
        self.moment.replace("{at}", &self.time(at, zone)).replace("{date}", &self.date(&local))
    }

    fn date(&self, local: &DateTime<Tz>) -> String {
        let day = local.day().to_string();
        let day = if local.day() == 1 { self.first_day } else { &day };
        let month = usize::try_from(local.month0()).ok().and_then(|month| self.months.get(month));
        self.date
            .replace("{day}", day)
            .replace("{month}", month.unwrap_or(&""))
            .replace("{year}", &local.year().to_string())
    }

    /// "from 10:40 to 12:30 (GMT-03:00) on 15 September 2021"; with both dates, and both offsets,
    /// if they differ.
    pub fn period(&self, from: Timestamp, to: Timestamp, zone: Tz) -> String {
        let (first, last) = (from.to_utc().with_timezone(&zone), to.to_utc().with_timezone(&zone));
        let clock = if is_brief(from, to) { "%H:%M:%S" } else { "%H:%M" };
        let mut start = first.format(clock).to_string();
        if offset(&first) != offset(&last) {
            start.push_str(&format!(" ({})", offset(&first)));
        }
        let end = format!("{} ({})", last.format(clock), offset(&last));
        let one_day = first.date_naive() == last.date_naive();
        let sentence = if one_day { self.within_a_day } else { self.over_days };
        sentence
            .replace("{from}", &format!("{}{start}", self.from.before(&first)))
            .replace("{at}", &format!("{}{start}", self.at.before(&first)))
            .replace("{to}", &format!("{}{end}", self.to.before(&last)))
            .replace("{first}", &self.date(&first))
            .replace("{last}", &self.date(&last))
    }
}

/// "1 hour", "2 hours".
fn count(what: &Counted, number: usize) -> String {
    what.of(number).replace("{n}", &number.to_string())
}

/// A name as it may appear in public: without control characters and marks that change the
/// direction of what follows, in one line, and not too long for a title that has several;
/// nothing if nothing is left of it.
pub fn name(text: &str) -> Option<String> {
    const LONGEST: usize = 60;
    let visible = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let visible: String = visible.filter(|c| !c.is_control() && !steers(*c)).collect();
    let words: Vec<&str> = visible.split_whitespace().collect();
    let mut line = words.join(" ");
    if line.is_empty() {
        return None;
    }
    if let Some((cut, _)) = line.char_indices().nth(LONGEST) {
        line.truncate(cut);
        line.push('…');
    }
    Some(line)
}

/// Whether `c` is invisible and changes how the text around it is shown.
fn steers(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
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
