//! Announced work: on what, and when. Calendars are reckoned here, so that the configuration and
//! the engine agree on what a rule means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use rrule::{Frequency, RRule, RRuleSet, Unvalidated};
use serde::{Deserialize, Serialize};

use super::cron::Cron;
use super::{ComponentId, LaneId, MaintenanceId, PlatformId, Span, Timestamp};

/// A maintenance that is announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaintenancePolicy {
    /// The platform whose components it is about.
    pub platform: PlatformId,
    /// What is done.
    pub name: String,
    /// The components that are worked on.
    pub components: BTreeSet<ComponentId>,
    /// When.
    pub when: When,
    /// How long after its end the components may take to get well.
    #[serde(default, skip_serializing_if = "Span::is_zero")]
    pub grace: Span,
}

/// What is announced on one status page and not over: all of it, so that what is not named any more
/// was called off or called done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcements {
    /// The lane that leads to the page.
    pub lane: LaneId,
    /// What people announced there.
    pub maintenances: BTreeMap<MaintenanceId, PageMaintenance>,
}

/// A maintenance as a status page announces it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageMaintenance {
    /// The components that are worked on, as far as the configuration knows them.
    pub components: BTreeSet<ComponentId>,
    /// When.
    #[serde(flatten)]
    pub window: Window,
}

/// When there is work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Once.
    Once(Window),
    /// Again and again.
    Recurring(Recurrence),
    /// Whenever a crontab's line would run.
    Cron(Cron),
}

/// From one point in time to another, which is not part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub until: Timestamp,
}

impl Window {
    /// Whether `at` is within.
    pub fn holds(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// A window that recurs by the local time of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recurrence {
    /// When the first begins, by the local clocks.
    pub first: NaiveDateTime,
    /// How long each is, as time goes by and not as the clocks show.
    pub lasts: Span,
    /// The rule, as RFC 5545 has it: `FREQ=WEEKLY;BYDAY=SU`.
    pub rule: String,
    /// Whose local time it is.
    pub time_zone: Tz,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleProblem {
    /// It cannot be read.
    Syntax(String),
    /// It recurs by the hour or more often, which is no maintenance.
    TooOften,
    /// It begins more often than once an hour.
    TooManyADay,
    /// Its end is given in another time than the local one.
    UntilInUtc,
    /// No window ever comes of it.
    Never,
}

impl fmt::Display for RuleProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(detail) => f.write_str(detail),
            Self::TooOften => f.write_str("it recurs more often than daily"),
            Self::TooManyADay => f.write_str("it begins more than 24 times a day"),
            Self::UntilInUtc => {
                f.write_str("its UNTIL is in UTC, and everything else in the platform's time")
            }
            Self::Never => f.write_str("it never comes to pass"),
        }
    }
}

impl When {
    /// The first window that is not over at `at`.
    pub fn next(&self, at: Timestamp) -> Option<Window> {
        match self {
            Self::Once(window) => (window.until > at).then_some(*window),
            // A rule that cannot be read comes from a damaged file: the configuration refuses it.
            Self::Recurring(recurrence) => recurrence.next(at).ok().flatten(),
            Self::Cron(cron) => cron.next(at).ok().flatten(),
        }
    }
}

impl Recurrence {
    /// What is wrong with the rule, if anything.
    pub fn check(&self) -> Result<(), RuleProblem> {
        let first = to_instant(self.first, self.time_zone);
        self.next(first).and_then(|window| window.map(drop).ok_or(RuleProblem::Never))
    }

    /// The first window that is not over at `at`:
    ///
    /// 1. The rule is applied to local times, as if the clocks were never set.
    /// 2. A local time that comes twice, as clocks are set back, is meant the first time.
    /// 3. One that does not come at all, as they are set forward, is reckoned by the offset that
    ///    held before: 02:30 is then what the clocks show as 03:30.
    fn next(&self, at: Timestamp) -> Result<Option<Window>, RuleProblem> {
        // What the clocks are set by, at most, and a little.
        let slack = TimeDelta::days(2);
        let local = at.to_utc().with_timezone(&self.time_zone).naive_local();
        let lasts = TimeDelta::from_std(self.lasts.to_duration()).unwrap_or(TimeDelta::MAX);
        let earliest = local.checked_sub_signed(lasts).and_then(|it| it.checked_sub_signed(slack));
        let starts = self.starts()?.into_iter().map(|start| start.naive_utc());
        let starts = starts.skip_while(|start| earliest.is_some_and(|least| *start < least));
        let mut windows = starts.map(|start| {
            let from = to_instant(start, self.time_zone);
            Window { from, until: from + self.lasts }
        });
        Ok(windows.find(|window| window.until > at))
    }

    /// The local times at which a window begins, as if they were UTC, which has no gaps.
    fn starts(&self) -> Result<RRuleSet, RuleProblem> {
        let syntax = |error: rrule::RRuleError| RuleProblem::Syntax(error.to_string());
        // The parser takes it for granted, and would end the process.
        if !self.rule.is_ascii() {
            let trouble = "only letters, digits and signs of ASCII make a rule";
            return Err(RuleProblem::Syntax(trouble.to_owned()));
        }
        let parts = self.rule.split(';').map(|part| match part.split_once('=') {
            Some((key, until)) if key.eq_ignore_ascii_case("UNTIL") => {
                if until.ends_with(['Z', 'z']) {
                    Err(RuleProblem::UntilInUtc)
                } else if until.contains(['T', 't']) {
                    Ok(format!("UNTIL={until}Z"))
                } else {
                    Ok(format!("UNTIL={until}T235959Z"))
                }
            }
            _ => Ok(part.to_owned()),
        });
        let rule = parts.collect::<Result<Vec<String>, RuleProblem>>()?.join(";");
        let rule: RRule<Unvalidated> = rule.parse().map_err(syntax)?;
        if rule.get_freq() >= Frequency::Hourly {
            return Err(RuleProblem::TooOften);
        }
        let first = self.first.and_utc().with_timezone(&rrule::Tz::UTC);
        rule.build(first).map(RRuleSet::limit).map_err(syntax)
    }
}

/// The instant that `local` is, by the rules of `Recurrence::next`.
pub fn to_instant(local: NaiveDateTime, zone: Tz) -> Timestamp {
    if let Some(at) = zone.from_local_datetime(&local).earliest() {
        return at.to_utc().into();
    }
    let before = [3, 27].into_iter().find_map(|hours| {
        let earlier = local.checked_sub_signed(TimeDelta::hours(hours))?;
        zone.from_local_datetime(&earlier).earliest()
    });
    let offset = before.map_or(0, |at| at.offset().fix().local_minus_utc());
    let utc: DateTime<Utc> = local.and_utc();
    let shift = Duration::from_secs(u64::from(offset.unsigned_abs()));
    let at = Timestamp::from(utc);
    if offset < 0 { at + shift } else { at - shift }
}

/// How a maintenance stands, with Statuspage's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaintenanceStatus {
    /// It is announced.
    Scheduled,
    /// It has begun.
    InProgress,
    /// The work is done; being watched before it is called over.
    Verifying,
    /// Its time is over.
    Completed,
}

impl MaintenanceStatus {
    /// Every status, in the order of a maintenance's life.
    pub const ALL: [Self; 4] =
        [Self::Scheduled, Self::InProgress, Self::Verifying, Self::Completed];

    /// Whether work is under way.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::InProgress | Self::Verifying)
    }

    /// The status that Statuspage spells so.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Statuspage's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Verifying => "verifying",
            Self::Completed => "completed",
        }
    }
}

impl fmt::Display for MaintenanceStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;
    use chrono_tz::Tz;

    use super::{Recurrence, RuleProblem, When, Window, to_instant};
    use crate::model::{Span, Timestamp};

    fn local(text: &str) -> NaiveDateTime {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap()
    }

    fn weekly(first: &str, rule: &str, hours: u64, time_zone: Tz) -> Recurrence {
        let lasts = Span::from_secs(3600 * hours);
        Recurrence { first: local(first), lasts, rule: rule.to_owned(), time_zone }
    }

    fn utc(text: &str) -> Timestamp {
        to_instant(local(text), Tz::UTC)
    }

    /// The first windows from `from` on, as UTC has them.
    fn windows(recurrence: &Recurrence, from: &str, count: usize) -> Vec<String> {
        let when = When::Recurring(recurrence.clone());
        let mut at = utc(from);
        let next = std::iter::from_fn(|| {
            let window = when.next(at)?;
            at = window.until;
            let format = |at: Timestamp| at.to_utc().format("%m-%d %H:%M").to_string();
            Some(format!("{} to {}", format(window.from), format(window.until)))
        });
        next.take(count).collect()
    }

    #[test]
    fn sundays_in_sao_paulo_keep_their_local_time_across_both_changes() {
        let sundays = weekly("2018-01-07 03:00", "FREQ=WEEKLY;BYDAY=SU", 2, Tz::America__Sao_Paulo);
        // Summer began on 4 November 2018 at 00:00, and ended on 17 February 2019 at 00:00.
        assert_eq!(
            windows(&sundays, "2018-10-28 00:00", 3),
            [
                "10-28 06:00 to 10-28 08:00",
                "11-04 05:00 to 11-04 07:00",
                "11-11 05:00 to 11-11 07:00"
            ]
        );
        assert_eq!(
            windows(&sundays, "2019-02-10 00:00", 2),
            ["02-10 05:00 to 02-10 07:00", "02-17 06:00 to 02-17 08:00"]
        );
        // At midnight of that day the clocks went from 23:59:59 to 01:00: there was no 00:30.
        let gap = weekly("2018-01-07 00:30", "FREQ=WEEKLY;BYDAY=SU", 1, Tz::America__Sao_Paulo);
        assert_eq!(windows(&gap, "2018-11-04 00:00", 1), ["11-04 03:30 to 11-04 04:30"]);
        // And 23:30 of 16 February came twice.
        let twice = weekly("2019-02-02 23:30", "FREQ=WEEKLY", 1, Tz::America__Sao_Paulo);
        assert_eq!(
            windows(&twice, "2019-02-16 12:00", 2),
            ["02-17 01:30 to 02-17 02:30", "02-24 02:30 to 02-24 03:30"]
        );
    }

    #[test]
    fn nights_in_paris_last_as_long_as_they_should() {
        let nights = weekly("2024-03-01 02:30", "FREQ=DAILY", 2, Tz::Europe__Paris);
        // On 31 March 2024 there was no 02:30: by the offset before it was 01:30 in UTC.
        assert_eq!(
            windows(&nights, "2024-03-30 00:00", 3),
            [
                "03-30 01:30 to 03-30 03:30",
                "03-31 01:30 to 03-31 03:30",
                "04-01 00:30 to 04-01 02:30"
            ]
        );
        // On 27 October 2024 there were two: the first is meant.
        assert_eq!(
            windows(&nights, "2024-10-26 00:00", 3),
            [
                "10-26 00:30 to 10-26 02:30",
                "10-27 00:30 to 10-27 02:30",
                "10-28 01:30 to 10-28 03:30"
            ]
        );
    }

    #[test]
    fn a_window_that_is_under_way_is_the_next_and_one_that_is_over_is_not() {
        let once = Window { from: utc("2024-01-01 10:00"), until: utc("2024-01-01 12:00") };
        let when = When::Once(once);
        for (at, expected) in
            [("2023-12-31 00:00", true), ("2024-01-01 11:59", true), ("2024-01-01 12:00", false)]
        {
            assert_eq!(when.next(utc(at)), expected.then_some(once), "{at}");
        }
        let daily = weekly("2024-01-01 10:00", "FREQ=DAILY;COUNT=2", 2, Tz::UTC);
        assert_eq!(windows(&daily, "2024-01-01 11:00", 9).len(), 2);
        assert_eq!(windows(&daily, "2024-01-02 12:00", 9).len(), 0);
        // Windows that overlap come one after the other.
        let long = weekly("2024-01-01 10:00", "FREQ=DAILY", 30, Tz::UTC);
        assert_eq!(
            windows(&long, "2024-01-05 00:00", 2),
            ["01-04 10:00 to 01-05 16:00", "01-05 10:00 to 01-06 16:00"]
        );
    }

    #[test]
    fn ends_are_in_the_local_time() {
        let until = |until: &str| {
            let rule = format!("FREQ=DAILY;UNTIL={until}");
            weekly("2024-01-01 23:00", &rule, 1, Tz::America__Sao_Paulo)
        };
        assert_eq!(windows(&until("20240103"), "2024-01-01 00:00", 9).len(), 3);
        assert_eq!(windows(&until("20240103T225959"), "2024-01-01 00:00", 9).len(), 2);
        assert_eq!(until("20240103T225959Z").check(), Err(RuleProblem::UntilInUtc));
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        let check = |rule: &str| weekly("2024-01-01 10:00", rule, 1, Tz::UTC).check();
        assert_eq!(check("FREQ=MONTHLY;BYDAY=2SU"), Ok(()));
        assert_eq!(check("FREQ=HOURLY"), Err(RuleProblem::TooOften));
        assert_eq!(check("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), Err(RuleProblem::Never));
        for rule in [
            "FREQ=WEEKLY;BYDAY=ÄÖ",
            "FREQ=DAILY;BYDAY=𜰀",
            "",
            "every sunday",
            "FREQ=FORTNIGHTLY",
            "FREQ=WEEKLY;BYDAY=XX",
        ] {
            assert!(
                matches!(check(rule), Err(RuleProblem::Syntax(_))),
                "{rule}: {:?}",
                check(rule)
            );
        }
    }

    #[test]
    fn the_saved_form_is_a_contract() {
        let when = When::Recurring(weekly("2024-01-07 02:00", "FREQ=WEEKLY", 2, Tz::Europe__Paris));
        let text = r#"{"recurring":{"first":"2024-01-07T02:00:00","lasts":7200000000,"rule":"FREQ=WEEKLY","time_zone":"Europe/Paris"}}"#;
        assert_eq!(serde_json::to_string(&when).unwrap(), text);
        assert_eq!(serde_json::from_str::<When>(text).unwrap(), when);
    }
}
