//! Reading pages.

use rusqlite::types::Type;
use rusqlite::{OptionalExtension, Row, named_params, params};

use super::{
    Group, Incident, IncidentUpdate, Listing, Of, Page, PageComponent, PageError, PageStatus,
    PageStore, Schedule, StoreError,
};
use crate::model::{ComponentStatus, Impact, PlatformId, Timestamp, Window};

const COMPONENT: &str = "SELECT c.id, c.page_id, c.group_id, c.name, c.description, c.position,
                                c.status, c.created_at, c.updated_at, c.retired
                         FROM component c LEFT JOIN component_group g ON g.id = c.group_id";
const IN_ORDER: &str = "ORDER BY coalesce(g.position, c.position), c.position, c.id";
const INCIDENT: &str = "SELECT id, page_id, name, status, worst_impact, impact_override, metadata,
                               created_at, updated_at, monitoring_at, resolved_at,
                               scheduled_for, scheduled_until, begins, ends, shows_work, shows_end,
                               notifies
                        FROM incident";

impl PageStore {
    /// The pages, in the order of the probe files.
    pub fn pages(&self) -> Result<Vec<Page>, PageError> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, platform, name, time_zone, created_at, updated_at
             FROM page WHERE retired = 0 ORDER BY position",
        )?;
        Ok(statement.query_map([], page)?.collect::<Result<_, _>>()?)
    }

    /// The page with this id.
    pub fn page(&self, id: &str) -> Result<Page, PageError> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, platform, name, time_zone, created_at, updated_at
             FROM page WHERE retired = 0 AND id = ?1",
        )?;
        statement.query_row([id], page).optional()?.ok_or(PageError::NoPage)
    }

    /// The groups of a page, in its order.
    pub fn groups(&self, page: &str) -> Result<Vec<Group>, PageError> {
        let mut statement = self.db.prepare_cached(
            "SELECT id, page_id, name, position, created_at, updated_at
             FROM component_group WHERE retired = 0 AND page_id = ?1 ORDER BY position",
        )?;
        Ok(statement.query_map([page], group)?.collect::<Result<_, _>>()?)
    }

    /// The components of a page, in its order.
    pub fn components(&self, page: &str) -> Result<Vec<PageComponent>, PageError> {
        let mut statement = self.db.prepare_cached(&format!(
            "{COMPONENT} WHERE c.retired = 0 AND c.page_id = ?1 {IN_ORDER}"
        ))?;
        Ok(statement.query_map([page], component)?.collect::<Result<_, _>>()?)
    }

    /// One component of a page.
    pub fn component(&self, page: &str, id: &str) -> Result<PageComponent, PageError> {
        let mut statement = self.db.prepare_cached(&format!(
            "{COMPONENT} WHERE c.retired = 0 AND c.page_id = ?1 AND c.id = ?2"
        ))?;
        let found = statement.query_row([page, id], component).optional()?;
        found.ok_or_else(|| PageError::NoComponent(id.to_owned()))
    }

    /// The incidents of a page, newest first.
    pub fn incidents(&self, page: &str, listing: &Listing) -> Result<Vec<Incident>, PageError> {
        let of = match listing.of {
            Of::All => "true",
            Of::Incidents => "scheduled_for IS NULL",
            Of::Unresolved => "scheduled_for IS NULL AND status <> 'resolved'",
            Of::Maintenances => "scheduled_for IS NOT NULL",
            Of::Upcoming => "scheduled_for IS NOT NULL AND status = 'scheduled'",
            Of::Active => "scheduled_for IS NOT NULL AND status IN ('in_progress', 'verifying')",
        };
        let mut statement = self.db.prepare_cached(&format!(
            "{INCIDENT}
             WHERE page_id = :page AND coalesce(scheduled_for, created_at) >= :since AND {of}
               AND (:query IS NULL OR instr(lower(name), lower(:query)) OR status = lower(:query)
                    OR EXISTS (SELECT 1 FROM incident_update u WHERE u.incident_id = incident.id
                               AND instr(lower(u.body), lower(:query))))
             ORDER BY number DESC LIMIT :limit OFFSET :offset"
        ))?;
        let rows = statement.query_map(
            named_params! {
                ":page": page,
                ":since": listing.since.as_micros(),
                ":query": listing.query,
                ":limit": listing.limit,
                ":offset": listing.offset,
            },
            incident,
        )?;
        rows.map(|row| self.complete(row?)).collect()
    }

    /// One incident of a page.
    pub fn incident(&self, page: &str, id: &str) -> Result<Incident, PageError> {
        let mut statement =
            self.db.prepare_cached(&format!("{INCIDENT} WHERE page_id = ?1 AND id = ?2"))?;
        let found = statement.query_row([page, id], incident).optional()?;
        self.complete(found.ok_or(PageError::NoIncident)?)
    }

    /// Adds updates, components and metadata to an incident's own row.
    fn complete(
        &self,
        (mut incident, metadata): (Incident, String),
    ) -> Result<Incident, PageError> {
        incident.metadata = read_json("incident's metadata", &metadata)?;
        let mut statement = self.db.prepare_cached(
            "SELECT id, incident_id, status, body, deliver_notifications, affected_components,
                    created_at, updated_at
             FROM incident_update WHERE incident_id = ?1 ORDER BY number DESC",
        )?;
        for row in statement.query_map([&incident.id], update)? {
            let (mut update, affected) = row?;
            update.affected = read_json("list of affected components", &affected)?;
            incident.updates.push(update);
        }
        let mut statement = self.db.prepare_cached(&format!(
            "{COMPONENT} JOIN incident_component ic ON ic.component_id = c.id
             WHERE ic.incident_id = ?1 {IN_ORDER}"
        ))?;
        incident.components =
            statement.query_map(params![incident.id], component)?.collect::<Result<_, _>>()?;
        incident.postmortem = self.postmortem(&incident.id)?;
        Ok(incident)
    }
}

fn read_json<T: serde::de::DeserializeOwned>(
    what: &'static str,
    text: &str,
) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|source| StoreError::Damaged { what, source })
}

fn page(row: &Row<'_>) -> rusqlite::Result<Page> {
    Ok(Page {
        id: row.get(0)?,
        platform: PlatformId::new(row.get::<_, String>(1)?),
        name: row.get(2)?,
        time_zone: word(row, 3, |name| name.parse().ok())?,
        created_at: time(row, 4)?,
        updated_at: time(row, 5)?,
    })
}

fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        id: row.get(0)?,
        page_id: row.get(1)?,
        name: row.get(2)?,
        position: row.get(3)?,
        created_at: time(row, 4)?,
        updated_at: time(row, 5)?,
    })
}

pub(super) fn component(row: &Row<'_>) -> rusqlite::Result<PageComponent> {
    Ok(PageComponent {
        id: row.get(0)?,
        page_id: row.get(1)?,
        group_id: row.get(2)?,
        name: row.get(3)?,
        description: row.get(4)?,
        position: row.get(5)?,
        status: word(row, 6, ComponentStatus::parse)?,
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
        retired: row.get(9)?,
    })
}

fn incident(row: &Row<'_>) -> rusqlite::Result<(Incident, String)> {
    let overridden = row.get::<_, Option<String>>(5)?.is_some();
    let incident = Incident {
        id: row.get(0)?,
        page_id: row.get(1)?,
        name: row.get(2)?,
        status: word(row, 3, PageStatus::parse)?,
        schedule: schedule(row)?,
        worst: word(row, 4, impact)?,
        impact_override: if overridden { Some(word(row, 5, impact)?) } else { None },
        metadata: serde_json::Map::new(),
        created_at: time(row, 7)?,
        updated_at: time(row, 8)?,
        monitoring_at: row.get::<_, Option<i64>>(9)?.map(Timestamp::from_micros),
        resolved_at: row.get::<_, Option<i64>>(10)?.map(Timestamp::from_micros),
        updates: Vec::new(),
        components: Vec::new(),
        postmortem: None,
    };
    Ok((incident, row.get(6)?))
}

fn schedule(row: &Row<'_>) -> rusqlite::Result<Option<Schedule>> {
    let time = |index| row.get::<_, Option<i64>>(index);
    let (Some(from), Some(until)) = (time(11)?, time(12)?) else { return Ok(None) };
    let window =
        Window { from: Timestamp::from_micros(from), until: Timestamp::from_micros(until) };
    Ok(Some(Schedule {
        window,
        begins: row.get(13)?,
        ends: row.get(14)?,
        shows_work: row.get(15)?,
        shows_end: row.get(16)?,
        notifies: row.get(17)?,
    }))
}

fn update(row: &Row<'_>) -> rusqlite::Result<(IncidentUpdate, String)> {
    let update = IncidentUpdate {
        id: row.get(0)?,
        incident_id: row.get(1)?,
        status: word(row, 2, PageStatus::parse)?,
        body: row.get(3)?,
        deliver_notifications: row.get(4)?,
        affected: Vec::new(),
        created_at: time(row, 6)?,
        updated_at: time(row, 7)?,
    };
    Ok((update, row.get(5)?))
}

fn time(row: &Row<'_>, index: usize) -> rusqlite::Result<Timestamp> {
    Ok(Timestamp::from_micros(row.get(index)?))
}

/// A text that must be one of a closed set.
fn word<T>(row: &Row<'_>, index: usize, parse: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text: String = row.get(index)?;
    parse(&text).ok_or_else(|| {
        let what = format!("the word {text:?} is not known");
        rusqlite::Error::FromSqlConversionFailure(index, Type::Text, what.into())
    })
}

fn impact(text: &str) -> Option<Impact> {
    Impact::ALL.into_iter().find(|impact| impact.as_str() == text)
}
