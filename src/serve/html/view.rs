//! What the page shows, in words and in the platform's own time zone.

use chrono::{DateTime, Days, NaiveDate, Offset};
use chrono_tz::Tz;
use serde::Serialize;

use crate::model::{ComponentStatus, Impact, IncidentStatus, MaintenanceStatus, Timestamp};
use crate::serve::error::ApiError;
use crate::serve::overall::overall;
use crate::store::page::{
    Group, Incident, IncidentUpdate, Listing, Of, Page, PageComponent, PageStatus, PageStore,
};

/// How many days of past incidents are shown, today among them.
const DAYS: u64 = 14;
/// More than a page can usefully show.
const MAX_INCIDENTS: u32 = 200;

/// A platform in a list.
#[derive(Serialize)]
pub(super) struct RowView {
    id: String,
    name: String,
    icon: &'static str,
    description: &'static str,
}

impl RowView {
    pub(super) fn read(store: &PageStore, page: &Page) -> Result<Self, ApiError> {
        let overall = overall(&statuses(&store.components(&page.id)?));
        // The sign of the whole must agree with its words, not with its worst component.
        let icon = match overall.indicator {
            "critical" => ComponentStatus::MajorOutage,
            "major" => ComponentStatus::PartialOutage,
            "minor" => ComponentStatus::DegradedPerformance,
            "maintenance" => ComponentStatus::UnderMaintenance,
            _ => ComponentStatus::Operational,
        };
        Ok(Self {
            id: page.platform.to_string(),
            name: page.name.clone(),
            icon: icon.as_str(),
            description: overall.description,
        })
    }
}

/// A platform's page.
#[derive(Serialize)]
pub(super) struct PlatformView {
    id: String,
    pub(super) name: String,
    indicator: &'static str,
    pub(super) description: &'static str,
    zone: String,
    now: Moment,
    entries: Vec<Entry>,
    open: Vec<IncidentView>,
    work: Vec<IncidentView>,
    planned: Vec<IncidentView>,
    days: Vec<DayView>,
}

impl PlatformView {
    pub(super) fn read(store: &PageStore, page: &Page, now: Timestamp) -> Result<Self, ApiError> {
        let zone = page.time_zone;
        let components = store.components(&page.id)?;
        let overall = overall(&statuses(&components));
        let list = |of| {
            let listing = Listing { of, limit: MAX_INCIDENTS, ..Listing::default() };
            let mut listed = store.incidents(&page.id, &listing)?;
            // Incidents are newest first, and work is in the order of its times.
            listed.sort_by_key(|it| it.schedule.map(|schedule| schedule.window.from));
            Ok::<Vec<_>, ApiError>(listed.iter().map(|it| IncidentView::of(it, zone)).collect())
        };
        Ok(Self {
            id: page.platform.to_string(),
            name: page.name.clone(),
            indicator: overall.indicator,
            description: overall.description,
            zone: zone_name(now, zone),
            now: Moment::of(now, zone),
            entries: entries(&store.groups(&page.id)?, &components),
            open: list(Of::Unresolved)?,
            work: list(Of::Active)?,
            planned: list(Of::Upcoming)?,
            days: days(store, page, now)?,
        })
    }
}

/// A component on its own, or a group with its members.
#[derive(Default, Serialize)]
struct Entry {
    name: String,
    members: Vec<ComponentView>,
    component: Option<ComponentView>,
}

#[derive(Serialize)]
struct ComponentView {
    name: String,
    description: Option<String>,
    status: &'static str,
    words: &'static str,
}

#[derive(Serialize)]
struct IncidentView {
    id: String,
    name: String,
    impact: &'static str,
    impact_words: &'static str,
    /// From when to when there is work, if it is a maintenance.
    window: Option<WindowView>,
    components: Vec<String>,
    updates: Vec<UpdateView>,
    postmortem: Option<PostmortemView>,
}

/// A postmortem that is published.
#[derive(Serialize)]
struct PostmortemView {
    body: String,
    at: Moment,
}

#[derive(Serialize)]
struct WindowView {
    from: Moment,
    until: Moment,
}

#[derive(Serialize)]
struct UpdateView {
    status: &'static str,
    body: String,
    at: Moment,
}

#[derive(Serialize)]
struct DayView {
    date: String,
    label: String,
    today: bool,
    incidents: Vec<IncidentView>,
}

/// A time for people and for machines.
#[derive(Serialize)]
struct Moment {
    iso: String,
    text: String,
}

impl Moment {
    fn of(at: Timestamp, zone: Tz) -> Self {
        let local = at.to_utc().with_timezone(&zone);
        let text = format!("{} {}", local.format("%-d %b %Y, %H:%M"), zone_word(&local));
        Self { iso: at.to_rfc3339(), text }
    }
}

impl ComponentView {
    fn of(component: &PageComponent) -> Self {
        Self {
            name: component.name.clone(),
            description: component.description.clone(),
            status: component.status.as_str(),
            words: component_words(component.status),
        }
    }
}

impl IncidentView {
    fn of(incident: &Incident, zone: Tz) -> Self {
        let update = |update: &IncidentUpdate| UpdateView {
            status: status_words(update.status),
            body: update.body.clone(),
            at: Moment::of(update.created_at, zone),
        };
        let window = incident.schedule.map(|schedule| WindowView {
            from: Moment::of(schedule.window.from, zone),
            until: Moment::of(schedule.window.until, zone),
        });
        let (impact, impact_words) = match &window {
            Some(_) => ("maintenance", "Maintenance"),
            None => (incident.impact().as_str(), impact_words(incident.impact())),
        };
        Self {
            id: incident.id.clone(),
            name: incident.name.clone(),
            impact,
            impact_words,
            window,
            components: incident.components.iter().map(|each| each.name.clone()).collect(),
            updates: incident.updates.iter().map(update).collect(),
            postmortem: incident.postmortem.as_ref().and_then(|postmortem| {
                let (body, at) = (postmortem.body.clone()?, postmortem.published_at?);
                Some(PostmortemView { body, at: Moment::of(at, zone) })
            }),
        }
    }
}

fn statuses(components: &[PageComponent]) -> Vec<ComponentStatus> {
    components.iter().map(|component| component.status).collect()
}

/// The components as they come, those of a group together.
fn entries(groups: &[Group], components: &[PageComponent]) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut last: Option<&str> = None;
    for component in components {
        let own = component.group_id.as_deref();
        let group = groups.iter().find(|group| Some(group.id.as_str()) == own);
        match (group, entries.last_mut()) {
            (None, _) => entries
                .push(Entry { component: Some(ComponentView::of(component)), ..Entry::default() }),
            (Some(_), Some(entry)) if own == last => {
                entry.members.push(ComponentView::of(component));
            }
            (Some(group), _) => entries.push(Entry {
                name: group.name.clone(),
                members: vec![ComponentView::of(component)],
                ..Entry::default()
            }),
        }
        last = own;
    }
    entries
}

/// The last days, newest first, each with the resolved incidents that were opened on it, and the
/// work that was to begin on it and is done.
fn days(store: &PageStore, page: &Page, now: Timestamp) -> Result<Vec<DayView>, ApiError> {
    let zone = page.time_zone;
    let date_of = |at: Timestamp| at.to_utc().with_timezone(&zone).date_naive();
    // A day more than is shown, since days begin at another time in each zone.
    let since = now - std::time::Duration::from_secs((DAYS + 1) * 24 * 3600);
    let listing = Listing { since, limit: MAX_INCIDENTS, ..Listing::default() };
    let incidents = store.incidents(&page.id, &listing)?;
    let today = date_of(now);
    let day = |date: NaiveDate| {
        let is_of_it = |incident: &&Incident| {
            let from = incident.schedule.map(|schedule| schedule.window.from);
            incident.status.is_over() && date_of(from.unwrap_or(incident.created_at)) == date
        };
        DayView {
            date: date.to_string(),
            label: date.format("%A, %-d %B %Y").to_string(),
            today: date == today,
            incidents: incidents
                .iter()
                .filter(is_of_it)
                .map(|incident| IncidentView::of(incident, zone))
                .collect(),
        }
    };
    Ok((0..DAYS).filter_map(|ago| today.checked_sub_days(Days::new(ago))).map(day).collect())
}

/// `America/Sao_Paulo (UTC−3)`
fn zone_name(at: Timestamp, zone: Tz) -> String {
    let local = at.to_utc().with_timezone(&zone);
    match zone_word(&local) {
        word if word == zone.name() => word,
        word => format!("{} ({word})", zone.name()),
    }
}

/// The zone's abbreviation, or its distance from UTC where it has none: the database says `-03`.
fn zone_word(local: &DateTime<Tz>) -> String {
    let word = local.format("%Z").to_string();
    if word.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return word;
    }
    let minutes = local.offset().fix().local_minus_utc() / 60;
    let sign = if minutes < 0 { '−' } else { '+' };
    match (minutes.abs() / 60, minutes.abs() % 60) {
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
    }
}

const fn component_words(status: ComponentStatus) -> &'static str {
    match status {
        ComponentStatus::Operational => "Operational",
        ComponentStatus::UnderMaintenance => "Under maintenance",
        ComponentStatus::DegradedPerformance => "Degraded performance",
        ComponentStatus::PartialOutage => "Partial outage",
        ComponentStatus::MajorOutage => "Major outage",
    }
}

const fn status_words(status: PageStatus) -> &'static str {
    match status {
        PageStatus::Incident(IncidentStatus::Investigating) => "Investigating",
        PageStatus::Incident(IncidentStatus::Identified) => "Identified",
        PageStatus::Incident(IncidentStatus::Monitoring) => "Monitoring",
        PageStatus::Incident(IncidentStatus::Resolved) => "Resolved",
        PageStatus::Maintenance(MaintenanceStatus::Scheduled) => "Scheduled",
        PageStatus::Maintenance(MaintenanceStatus::InProgress) => "In progress",
        PageStatus::Maintenance(MaintenanceStatus::Verifying) => "Verifying",
        PageStatus::Maintenance(MaintenanceStatus::Completed) => "Completed",
    }
}

const fn impact_words(impact: Impact) -> &'static str {
    match impact {
        Impact::None => "No impact",
        Impact::Minor => "Minor impact",
        Impact::Major => "Major impact",
        Impact::Critical => "Critical impact",
    }
}

#[cfg(test)]
mod tests {
    use chrono_tz::Tz;

    use super::{Moment, zone_name};
    use crate::model::Timestamp;

    #[test]
    fn times_name_their_zone() {
        let at = Timestamp::from_secs(1_631_725_380);
        let cases = [
            (Tz::America__Sao_Paulo, "15 Sep 2021, 14:03 UTC−3", "America/Sao_Paulo (UTC−3)"),
            (Tz::Asia__Kathmandu, "15 Sep 2021, 22:48 UTC+5:45", "Asia/Kathmandu (UTC+5:45)"),
            (Tz::Europe__Berlin, "15 Sep 2021, 19:03 CEST", "Europe/Berlin (CEST)"),
            (Tz::UTC, "15 Sep 2021, 17:03 UTC", "UTC"),
        ];
        for (zone, text, name) in cases {
            let moment = Moment::of(at, zone);
            assert_eq!((moment.text.as_str(), zone_name(at, zone).as_str()), (text, name));
            assert_eq!(moment.iso, "2021-09-15T17:03:00.000Z");
        }
    }
}
