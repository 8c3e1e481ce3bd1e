//! Windows by a crontab's five fields: `0 3 * * SUN`. There are few rules and all of them are
//! below, so this is no crate's job.

use chrono::{Datelike, Days, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::maintenance::{RuleProblem, Window, to_instant};
use super::{Span, Timestamp};

/// How far ahead a day is looked for: 29 February may be eight years away.
const FURTHEST: Days = Days::new(9 * 366);

/// How often in a day a window may begin.
const MOST_A_DAY: usize = 24;

const MONTHS: &[&str] =
    &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A window that begins whenever a crontab's line would run, by the local time of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cron {
    /// The five fields: minute, hour, day of the month, month, day of the week.
    pub fields: String,
    /// How long each is, as time goes by and not as the clocks show.
    pub lasts: Span,
    /// Whose local time it is.
    pub time_zone: Tz,
}

/// What the fields mean.
struct Line {
    minutes: Vec<u32>,
    hours: Vec<u32>,
    days: Vec<u32>,
    months: Vec<u32>,
    weekdays: Vec<u32>,
    /// Whether a day that is in either of the two will do.
    either_day: bool,
}

/// A field: what it is called, from where to where it goes, and the names that it knows.
struct Field {
    what: &'static str,
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field { what: "minute", least: 0, most: 59, names: &[] },
    Field { what: "hour", least: 0, most: 23, names: &[] },
    Field { what: "day of the month", least: 1, most: 31, names: &[] },
    Field { what: "month", least: 1, most: 12, names: MONTHS },
    Field { what: "day of the week", least: 0, most: 7, names: WEEKDAYS },
];

impl Cron {
    /// What is wrong with the fields, if anything.
    pub fn check(&self) -> Result<(), RuleProblem> {
        self.next(Timestamp::EPOCH).and_then(|window| window.map(drop).ok_or(RuleProblem::Never))
    }

    /// The first window that is not over at `at`. The fields are applied to local times as if the
    /// clocks were never set, and what becomes of those that come twice or not at all is as for
    /// every recurrence ([`to_instant`]).
    pub(super) fn next(&self, at: Timestamp) -> Result<Option<Window>, RuleProblem> {
        let line = Line::read(&self.fields)?;
        if line.minutes.len() * line.hours.len() > MOST_A_DAY {
            return Err(RuleProblem::TooManyADay);
        }
        let local = at.to_utc().with_timezone(&self.time_zone).date_naive();
        let lasts = TimeDelta::from_std(self.lasts.to_duration()).unwrap_or(TimeDelta::MAX);
        // What the clocks are set by, at most, and a little.
        let back = lasts.checked_add(&TimeDelta::days(2)).unwrap_or(TimeDelta::MAX);
        let first = local.checked_sub_signed(back).unwrap_or(local);
        let last = local.checked_add_days(FURTHEST).unwrap_or(NaiveDate::MAX);
        let days =
            first.iter_days().take_while(|day| *day <= last).filter(|day| line.runs_on(*day));
        let starts = days.flat_map(|day| line.times().map(move |time| day.and_time(time)));
        let mut windows = starts.map(|start| {
            let from = to_instant(start, self.time_zone);
            Window { from, until: from + self.lasts }
        });
        Ok(windows.find(|window| window.until > at))
    }
}

impl Line {
    fn read(text: &str) -> Result<Self, RuleProblem> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hour, day, month, weekday] = fields.as_slice() else {
            let count = fields.len();
            return Err(RuleProblem::Syntax(format!("it has {count} fields, and five are needed")));
        };
        let [of_minute, of_hour, of_day, of_month, of_weekday] = &FIELDS;
        Ok(Self {
            minutes: of_minute.read(minute)?,
            hours: of_hour.read(hour)?,
            days: of_day.read(day)?,
            months: of_month.read(month)?,
            // Sunday has two numbers.
            weekdays: of_weekday.read(weekday)?.into_iter().map(|day| day % 7).collect(),
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        })
    }

    /// Whether there is a window on `date`, as crontab(5) has it:
    ///
    /// 1. The month must be one of those that are named.
    /// 2. Where both the day of the month and that of the week are restricted, one of the two is
    ///    enough.
    /// 3. Otherwise, where one begins with `*`, both must be right.
    fn runs_on(&self, date: NaiveDate) -> bool {
        let day = self.days.contains(&date.day());
        let weekday = self.weekdays.contains(&date.weekday().num_days_from_sunday());
        let right = if self.either_day { day || weekday } else { day && weekday };
        right && self.months.contains(&date.month())
    }

    fn times(&self) -> impl Iterator<Item = NaiveTime> {
        self.hours.iter().flat_map(|hour| {
            self.minutes.iter().filter_map(|minute| NaiveTime::from_hms_opt(*hour, *minute, 0))
        })
    }
}

impl Field {
    /// A list of values, ranges and steps: `*`, `*/2`, `5`, `1-5`, `1-10/3`, `MON-FRI`, `1,15`.
    fn read(&self, text: &str) -> Result<Vec<u32>, RuleProblem> {
        let mut all = Vec::new();
        for part in text.split(',') {
            all.extend(
                self.part(part)
                    .ok_or_else(|| RuleProblem::Syntax(format!("`{part}` is no {}", self.what)))?,
            );
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    fn part(&self, text: &str) -> Option<impl Iterator<Item = u32> + use<>> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
            None => (text, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (self.least, self.most),
            // One value has no steps.
            None if step > 1 => return None,
            None => (self.value(range)?, self.value(range)?),
            Some((from, to)) => (self.value(from)?, self.value(to)?),
        };
        // A week may end on a Sunday.
        let to = if from > to && to == 0 { self.most } else { to };
        (from <= to).then(|| (from..=to).step_by(step))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| text.eq_ignore_ascii_case(name));
        let named = named.and_then(|at| u32::try_from(at).ok()).map(|at| at + self.least);
        let number = || text.bytes().all(|it| it.is_ascii_digit()).then(|| text.parse().ok());
        let value = named.or_else(|| number().flatten())?;
        (self.least..=self.most).contains(&value).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::super::maintenance::{Recurrence, RuleProblem, When, Window, to_instant};
    use super::{Cron, Line};
    use crate::model::{Span, Timestamp};

    fn cron(fields: &str, hours: u64, time_zone: Tz) -> Cron {
        Cron { fields: fields.to_owned(), lasts: Span::from_secs(3600 * hours), time_zone }
    }

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn utc(text: &str) -> Timestamp {
        to_instant(local(text), Tz::UTC)
    }

    fn windows(when: &When, from: Timestamp, count: usize) -> Vec<Window> {
        let mut at = from;
        let next = std::iter::from_fn(|| {
            let window = when.next(at)?;
            at = window.until;
            Some(window)
        });
        next.take(count).collect()
    }

    /// When the first windows begin, as UTC has it.
    fn begin(cron: &Cron, from: &str, count: usize) -> Vec<String> {
        let windows = windows(&When::Cron(cron.clone()), utc(from), count);
        let format = |at: Timestamp| at.to_utc().format("%m-%d %H:%M").to_string();
        windows.iter().map(|window| format(window.from)).collect()
    }

    #[test]
    fn local_times_are_kept_as_the_clocks_are_set() {
        let sundays = cron("0 3 * * SUN", 2, Tz::America__Sao_Paulo);
        // Summer began on 4 November 2018 at 00:00, and ended on 17 February 2019 at 00:00.
        assert_eq!(begin(&sundays, "2018-10-28 00:00", 2), ["10-28 06:00", "11-04 05:00"]);
        assert_eq!(begin(&sundays, "2019-02-10 00:00", 2), ["02-10 05:00", "02-17 06:00"]);
        let nights = cron("30 2 * * *", 1, Tz::Europe__Paris);
        // On 31 March 2024 there was no 02:30: by the offset before it was 01:30 in UTC.
        assert_eq!(
            begin(&nights, "2024-03-30 00:00", 3),
            ["03-30 01:30", "03-31 01:30", "04-01 00:30"]
        );
        // On 27 October 2024 there were two: the first is meant.
        assert_eq!(begin(&nights, "2024-10-27 00:00", 2), ["10-27 00:30", "10-28 01:30"]);
    }

    #[test]
    fn lists_ranges_steps_and_names_are_read_as_in_a_crontab() {
        let read = |fields: &str| Line::read(fields).map(|line| (line.minutes, line.hours));
        assert_eq!(read("5,0,5 1-10/3 * * *").unwrap(), (vec![0, 5], vec![1, 4, 7, 10]));
        let days = |fields: &str| Line::read(fields).unwrap().weekdays;
        assert_eq!(days("0 0 * * mon-Fri"), [1, 2, 3, 4, 5]);
        assert_eq!(days("0 0 * * FRI-SUN"), [5, 6, 0]);
        assert_eq!(days("0 0 * * 7"), [0]);
        assert_eq!(Line::read("0 0 * jan,12 *").unwrap().months, [1, 12]);
        // 1 September 2024 was a Sunday, and the 13th a Friday.
        let either = cron("0 0 13 * SUN", 1, Tz::UTC);
        let expected = ["09-01 00:00", "09-08 00:00", "09-13 00:00", "09-15 00:00"];
        assert_eq!(begin(&either, "2024-09-01 00:00", 4), expected);
        let both = cron("0 0 */2 * SUN", 1, Tz::UTC);
        assert_eq!(begin(&both, "2024-09-01 00:00", 2), ["09-01 00:00", "09-15 00:00"]);
        let leap = cron("0 0 29 2 *", 1, Tz::UTC);
        assert_eq!(begin(&leap, "2096-03-01 00:00", 1), ["02-29 00:00"]);
    }

    #[test]
    fn what_is_no_line_of_a_crontab_is_refused() {
        let check = |fields: &str| cron(fields, 1, Tz::UTC).check();
        assert_eq!(check("0 * * * *"), Ok(()));
        assert_eq!(check("0,30 * * * *"), Err(RuleProblem::TooManyADay));
        assert_eq!(check("0 0 30 2 *"), Err(RuleProblem::Never));
        for fields in [
            "",
            "0 3 * *",
            "0 3 * * * *",
            "@daily",
            "60 3 * * *",
            "0 24 * * *",
            "0 3 0 * *",
            "0 3 * 13 *",
            "0 3 * * 8",
            "0 3 * * SUNDAY",
            "0 3 5-1 * *",
            "*/0 3 * * *",
            "5/2 3 * * *",
            "0 3 +1 * *",
            "0, 3 * * *",
            "0 3 JAN * *",
            "0 3 L * *",
            "- 3 * * *",
        ] {
            assert!(matches!(check(fields), Err(RuleProblem::Syntax(_))), "{fields}");
        }
    }

    #[test]
    fn the_saved_form_is_a_contract() {
        let when = When::Cron(cron("0 3 * * SUN", 2, Tz::Europe__Paris));
        let text =
            r#"{"cron":{"fields":"0 3 * * SUN","lasts":7200000000,"time_zone":"Europe/Paris"}}"#;
        assert_eq!(serde_json::to_string(&when).unwrap(), text);
        assert_eq!(serde_json::from_str::<When>(text).unwrap(), when);
    }

    /// Some values of a field, as a crontab and as RFC 5545 write them; nothing for all.
    fn some(least: u32, most: u32) -> impl Strategy<Value = (String, Option<String>)> {
        let list = prop::collection::btree_set(least..=most, 1..4);
        prop_oneof![
            Just(("*".to_owned(), None)),
            list.prop_map(|values| {
                let values: Vec<String> = values.iter().map(u32::to_string).collect();
                (values.join(","), Some(values.join(",")))
            })
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            cases: 48, failure_persistence: None, ..ProptestConfig::default()
        })]

        /// Where the two calendars can say the same, they agree.
        #[test]
        fn it_is_the_same_as_the_rule_that_says_the_same(
            minute in 0_u32..60, hours in prop::collection::btree_set(0_u32..24, 1..4),
            day in some(1, 28), month in some(1, 12), weekday in some(0, 6), by_week in any::<bool>(),
            zone in prop::sample::select(vec![Tz::UTC, Tz::Europe__Paris, Tz::America__Sao_Paulo]),
            from in 0_i64..100, lasts in 1_u64..30,
        ) {
            let hours: Vec<String> = hours.iter().map(u32::to_string).collect();
            let hours = hours.join(",");
            let (day, weekday) = match by_week {
                true => (("*".to_owned(), None), weekday),
                false => (day, ("*".to_owned(), None)),
            };
            let fields = format!("{minute} {hours} {} {} {}", day.0, month.0, weekday.0);
            let mut rule = format!("FREQ=DAILY;BYHOUR={hours};BYMINUTE={minute};BYSECOND=0");
            let named = |numbers: String| {
                let names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
                let each = numbers.split(',').map(|number| names[number.parse::<usize>().unwrap()]);
                each.collect::<Vec<_>>().join(",")
            };
            for (key, value) in
                [("BYMONTHDAY", day.1), ("BYMONTH", month.1), ("BYDAY", weekday.1.map(named))]
            {
                if let Some(value) = value {
                    rule.push_str(&format!(";{key}={value}"));
                }
            }
            let lasts = Span::from_secs(lasts * 1800);
            let first = local("2018-01-01 00:00");
            let by_rule = When::Recurring(Recurrence { first, lasts, rule, time_zone: zone });
            let by_cron = When::Cron(Cron { fields, lasts, time_zone: zone });
            let from = utc("2018-02-01 00:00") + Span::from_secs(from.unsigned_abs() * 86_400);
            prop_assert_eq!(windows(&by_cron, from, 12), windows(&by_rule, from, 12));
        }
    }
}
