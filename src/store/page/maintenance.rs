//! Announced work on a page: an incident with a schedule, which begins and ends by itself if it
//! was told to, and whose components show that they are worked on meanwhile.

use std::collections::BTreeSet;
use std::fmt;

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use serde::{Serialize, Serializer};

use super::incident::{apply, attached, set_status};
use super::{Change, Incident, PageError, PageStore};
use crate::model::{ComponentStatus, IncidentStatus, MaintenanceStatus, Timestamp, Window};

/// What is said when a maintenance begins by itself; the vendor's words.
const BEGUN: &str =
    "Scheduled maintenance is currently in progress. We will provide updates as necessary.";
/// What is said when one ends by itself.
const ENDED: &str = "The scheduled maintenance has been completed.";

/// Where an incident or a maintenance is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStatus {
    /// It is an incident.
    Incident(IncidentStatus),
    /// It is a maintenance.
    Maintenance(MaintenanceStatus),
}

impl PageStatus {
    /// Statuspage's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Incident(status) => status.as_str(),
            Self::Maintenance(status) => status.as_str(),
        }
    }

    /// The status that Statuspage spells so.
    pub fn parse(text: &str) -> Option<Self> {
        let maintenance = || MaintenanceStatus::parse(text).map(Self::Maintenance);
        IncidentStatus::parse(text).map(Self::Incident).or_else(maintenance)
    }

    /// Every status, incidents' first.
    pub fn all() -> impl Iterator<Item = Self> {
        let incidents = IncidentStatus::ALL.into_iter().map(Self::Incident);
        incidents.chain(MaintenanceStatus::ALL.into_iter().map(Self::Maintenance))
    }

    /// Whether nothing follows.
    pub fn is_over(self) -> bool {
        self == Self::Incident(IncidentStatus::Resolved)
            || self == Self::Maintenance(MaintenanceStatus::Completed)
    }

    /// Whether work is under way.
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Maintenance(status) if status.is_active())
    }
}

impl From<IncidentStatus> for PageStatus {
    fn from(status: IncidentStatus) -> Self {
        Self::Incident(status)
    }
}

impl From<MaintenanceStatus> for PageStatus {
    fn from(status: MaintenanceStatus) -> Self {
        Self::Maintenance(status)
    }
}

impl fmt::Display for PageStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for PageStatus {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// When there is work, and what happens by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// When the work is.
    pub window: Window,
    /// Whether it begins by itself.
    pub begins: bool,
    /// Whether it ends by itself.
    pub ends: bool,
    /// Whether its components are under maintenance from its beginning on.
    pub shows_work: bool,
    /// Whether they are operational again at its end.
    pub shows_end: bool,
    /// Whether subscribers should be told of what happens by itself.
    pub notifies: bool,
}

/// What a publisher wants a schedule to be; what is absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ScheduleChange {
    /// When the work begins.
    pub from: Option<Timestamp>,
    /// When it is over.
    pub until: Option<Timestamp>,
    /// Whether it begins by itself.
    pub begins: Option<bool>,
    /// Whether it ends by itself.
    pub ends: Option<bool>,
    /// Whether its components are under maintenance from its beginning on.
    pub shows_work: Option<bool>,
    /// Whether they are operational again at its end.
    pub shows_end: Option<bool>,
    /// Whether subscribers should be told of what happens by itself.
    pub notifies: Option<bool>,
}

/// Why work cannot be announced like that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleProblem {
    /// An incident cannot become a maintenance, nor the other way round.
    #[error("status is not one of {}", if *.0 { "a maintenance" } else { "an incident" })]
    OtherKind(bool),
    /// An incident has a schedule.
    #[error("scheduled_for and scheduled_until are for maintenances only")]
    NotScheduled,
    /// A maintenance lacks its beginning or its end.
    #[error("scheduled_for and scheduled_until can't be blank for a maintenance")]
    NoTimes,
    /// It ends before it begins.
    #[error("scheduled_until must be later than scheduled_for")]
    EndsBeforeStart,
}

/// What an incident is after `change`:
///
/// 1. What has a time that it is scheduled for, or a status of maintenances, is a maintenance;
///    an incident stays one, and a maintenance too.
/// 2. A maintenance has a beginning and a later end.
/// 3. Without a word on it a person begins and ends it, and its components follow.
pub(super) fn settled(
    change: &Change,
    before: Option<&Incident>,
) -> Result<(PageStatus, Option<Schedule>), ScheduleProblem> {
    let wanted = change.schedule;
    let had = before.and_then(|incident| incident.schedule);
    let is_work = match before {
        Some(_) => had.is_some(),
        None => match change.status {
            Some(status) => matches!(status, PageStatus::Maintenance(_)),
            None => wanted.from.is_some() || wanted.until.is_some(),
        },
    };
    let first = match before {
        Some(incident) => incident.status,
        None if is_work => MaintenanceStatus::Scheduled.into(),
        None => IncidentStatus::Investigating.into(),
    };
    let status = change.status.unwrap_or(first);
    if matches!(status, PageStatus::Maintenance(_)) != is_work {
        return Err(ScheduleProblem::OtherKind(is_work));
    }
    if !is_work {
        let times = wanted.from.or(wanted.until);
        return times.map_or(Ok((status, None)), |_| Err(ScheduleProblem::NotScheduled));
    }
    let from = wanted.from.or(had.map(|had| had.window.from));
    let until = wanted.until.or(had.map(|had| had.window.until));
    let (Some(from), Some(until)) = (from, until) else { return Err(ScheduleProblem::NoTimes) };
    if until <= from {
        return Err(ScheduleProblem::EndsBeforeStart);
    }
    let schedule = Schedule {
        window: Window { from, until },
        begins: wanted.begins.unwrap_or(had.is_some_and(|had| had.begins)),
        ends: wanted.ends.unwrap_or(had.is_some_and(|had| had.ends)),
        shows_work: wanted.shows_work.unwrap_or(had.is_none_or(|had| had.shows_work)),
        shows_end: wanted.shows_end.unwrap_or(had.is_none_or(|had| had.shows_end)),
        notifies: wanted.notifies.unwrap_or(had.is_none_or(|had| had.notifies)),
    };
    Ok((status, Some(schedule)))
}

/// `change`, and what follows of it for components that are worked on:
///
/// 1. When the work begins, or comes to include them, those that are operational are under
///    maintenance: trouble that an incident tells of is not hidden.
/// 2. When it is over, or includes them no more, those that are under maintenance are operational
///    again, unless other work on them goes on.
/// 3. A status that the change itself gives a component counts.
pub(super) fn with_work(
    tx: &Transaction<'_>,
    id: &str,
    change: &Change,
    (before, status, schedule): (Option<&Incident>, PageStatus, Option<Schedule>),
    now: Timestamp,
) -> Result<Change, PageError> {
    let mut change = change.clone();
    let Some(schedule) = schedule else { return Ok(change) };
    let (was, is) = (before.is_some_and(|it| it.status.is_active()), status.is_active());
    let old = attached(tx, id)?;
    let mut new = change.component_ids.clone().unwrap_or_else(|| old.clone());
    new.extend(change.components.keys().cloned());
    let none = BTreeSet::new();
    let (before, after) = (if was { &old } else { &none }, if is { &new } else { &none });
    let begun: Vec<&String> = after.difference(before).collect();
    let ended: Vec<&String> = before.difference(after).collect();
    for code in begun {
        if schedule.shows_work && stands_at(tx, code, ComponentStatus::Operational)? {
            let status = ComponentStatus::UnderMaintenance;
            change.components.entry(code.clone()).or_insert(status);
        }
    }
    for code in ended {
        if !schedule.shows_end || !is_free(tx, code, id)? {
            continue;
        }
        if new.contains(code) {
            change.components.entry(code.clone()).or_insert(ComponentStatus::Operational);
        } else {
            set_status(tx, code, ComponentStatus::Operational, now)?;
        }
    }
    Ok(change)
}

/// Gives back the components of a maintenance that is deleted while it is under way.
pub(super) fn withdraw(
    tx: &Transaction<'_>,
    incident: &Incident,
    now: Timestamp,
) -> Result<(), PageError> {
    let shows_end = incident.schedule.is_some_and(|schedule| schedule.shows_end);
    if !shows_end || !incident.status.is_active() {
        return Ok(());
    }
    for component in &incident.components {
        if is_free(tx, &component.id, &incident.id)? {
            set_status(tx, &component.id, ComponentStatus::Operational, now)?;
        }
    }
    Ok(())
}

fn stands_at(tx: &Transaction<'_>, code: &str, status: ComponentStatus) -> Result<bool, PageError> {
    let stands = "SELECT EXISTS (SELECT 1 FROM component WHERE id = ?1 AND status = ?2)";
    Ok(tx.prepare_cached(stands)?.query_row([code, status.as_str()], |row| row.get(0))?)
}

/// Whether a component is shown as worked on, though nobody but maintenance `id` works on it.
fn is_free(tx: &Transaction<'_>, code: &str, id: &str) -> Result<bool, PageError> {
    let others = "SELECT EXISTS (
        SELECT 1 FROM incident_component ic JOIN incident i ON i.id = ic.incident_id
        WHERE ic.component_id = ?1 AND i.id <> ?2 AND i.scheduled_for IS NOT NULL
          AND i.status IN ('in_progress', 'verifying'))";
    let others: bool = tx.prepare_cached(others)?.query_row([code, id], |row| row.get(0))?;
    Ok(!others && stands_at(tx, code, ComponentStatus::UnderMaintenance)?)
}

impl PageStore {
    /// Begins and ends the maintenances that do so by themselves and whose time has come by `now`,
    /// each at its own time: whoever looks sees no difference to a page that never sleeps.
    pub fn settle(&mut self, now: Timestamp) -> Result<(), PageError> {
        // Every maintenance has two such moments, and none comes again.
        while let Some((page, id, at)) = self.due(now)? {
            let before = self.incident(&page, &id)?;
            let begins = !before.status.is_active();
            let status = match begins {
                true => MaintenanceStatus::InProgress,
                false => MaintenanceStatus::Completed,
            };
            let change = Change {
                status: Some(status.into()),
                body: Some(if begins { BEGUN } else { ENDED }.to_owned()),
                deliver_notifications: before.schedule.is_some_and(|schedule| schedule.notifies),
                ..Change::default()
            };
            let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            // One whose time was set to what is past begins when that was said.
            apply(&tx, &page, &id, &change, Some(&before), at.max(before.updated_at))?;
            tx.commit()?;
        }
        Ok(())
    }

    /// The maintenance that is to begin or end first, of those that are to by `now`, and when.
    fn due(&self, now: Timestamp) -> Result<Option<(String, String, Timestamp)>, PageError> {
        let mut statement = self.db.prepare_cached(
            "SELECT page_id, id, iif(status = 'scheduled', scheduled_for, scheduled_until) AS due
             FROM incident
             WHERE scheduled_for IS NOT NULL AND due <= ?1
               AND (status = 'scheduled' AND begins
                    OR status IN ('in_progress', 'verifying') AND ends)
             ORDER BY due, number LIMIT 1",
        )?;
        let found = statement.query_row(params![now.as_micros()], |row| {
            Ok((row.get(0)?, row.get(1)?, Timestamp::from_micros(row.get(2)?)))
        });
        Ok(found.optional()?)
    }
}
