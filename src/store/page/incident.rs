//! Writing incidents: each call is one transaction, so that a status, its text and its components
//! are seen together or not at all.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Transaction, TransactionBehavior, params};
use serde_json::Value;

use super::id::derive;
use super::maintenance;
use super::{
    Affected, Change, Incident, IncidentUpdate, PageComponent, PageError, PageStatus, PageStore,
    Schedule, StoreError,
};
use crate::model::{ComponentStatus, Impact, IncidentStatus, Timestamp};

impl PageStore {
    /// Opens an incident, unless the page has one with the same `metadata.farol.k`, or opened by a
    /// request with the same `once`: then that one is the answer and nothing is written.
    pub fn create(
        &mut self,
        page: &str,
        change: &Change,
        once: Option<&str>,
        now: Timestamp,
    ) -> Result<Incident, PageError> {
        self.page(page)?;
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let existing = match carried_out(&tx, page, once)? {
            Some(id) => Some(id),
            None => with_key(&tx, page, change)?,
        };
        let id = match existing {
            Some(id) => id,
            None => {
                let id = insert(&tx, page, now)?;
                apply(&tx, page, &id, change, None, now)?;
                remember(&tx, page, once, &id)?;
                id
            }
        };
        tx.commit()?;
        self.incident(page, &id)
    }

    /// Changes an incident. A request with a `once` that was already carried out changes nothing.
    pub fn update(
        &mut self,
        page: &str,
        id: &str,
        change: &Change,
        once: Option<&str>,
        now: Timestamp,
    ) -> Result<Incident, PageError> {
        self.page(page)?;
        let before = self.incident(page, id)?;
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        match carried_out(&tx, page, once)? {
            Some(done) if done == id => {}
            Some(_) => return Err(PageError::RequestKeyTaken),
            None => {
                apply(&tx, page, id, change, Some(&before), now)?;
                remember(&tx, page, once, id)?;
            }
        }
        tx.commit()?;
        self.incident(page, id)
    }

    /// Edits the text of what was said of an incident.
    pub fn edit(
        &mut self,
        page: &str,
        id: &str,
        update: &str,
        body: &str,
        now: Timestamp,
    ) -> Result<IncidentUpdate, PageError> {
        self.page(page)?;
        self.incident(page, id)?;
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let at = now.as_micros();
        tx.execute(
            "UPDATE incident_update SET body = ?3, updated_at = ?4
             WHERE incident_id = ?1 AND id = ?2",
            params![id, update, body, at],
        )?;
        tx.execute("UPDATE incident SET updated_at = ?2 WHERE id = ?1", params![id, at])?;
        touch(&tx, page, now)?;
        tx.commit()?;
        let updates = self.incident(page, id)?.updates;
        updates.into_iter().find(|said| said.id == update).ok_or(PageError::NoIncident)
    }

    /// Deletes an incident and everything that was said of it, and says what it was.
    pub fn delete(&mut self, page: &str, id: &str, now: Timestamp) -> Result<Incident, PageError> {
        self.page(page)?;
        let incident = self.incident(page, id)?;
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        maintenance::withdraw(&tx, &incident, now)?;
        tx.execute("DELETE FROM incident WHERE page_id = ?1 AND id = ?2", [page, id])?;
        touch(&tx, page, now)?;
        tx.commit()?;
        Ok(incident)
    }

    /// Sets a component's status without a word.
    pub fn set_component_status(
        &mut self,
        page: &str,
        id: &str,
        status: ComponentStatus,
        now: Timestamp,
    ) -> Result<PageComponent, PageError> {
        self.component(page, id)?;
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        set_status(&tx, id, status, now)?;
        touch(&tx, page, now)?;
        tx.commit()?;
        self.component(page, id)
    }
}

/// The incident that a request with this key was carried out on.
fn carried_out(
    tx: &Transaction<'_>,
    page: &str,
    once: Option<&str>,
) -> Result<Option<String>, PageError> {
    let Some(key) = once else { return Ok(None) };
    let found = tx.query_row(
        "SELECT incident_id FROM carried_out WHERE page_id = ?1 AND key = ?2",
        [page, key],
        |row| row.get(0),
    );
    Ok(found.optional()?)
}

fn remember(
    tx: &Transaction<'_>,
    page: &str,
    once: Option<&str>,
    incident: &str,
) -> Result<(), PageError> {
    if let Some(key) = once {
        tx.execute(
            "INSERT INTO carried_out (page_id, key, incident_id) VALUES (?1, ?2, ?3)",
            [page, key, incident],
        )?;
    }
    Ok(())
}

/// The incident that has the publisher's key.
fn with_key(
    tx: &Transaction<'_>,
    page: &str,
    change: &Change,
) -> Result<Option<String>, PageError> {
    let found = tx.query_row(
        "SELECT id FROM incident
         WHERE page_id = ?1
           AND json_extract(metadata, '$.farol.k') = json_extract(?2, '$.farol.k')",
        [page, &Value::Object(change.metadata.clone()).to_string()],
        |row| row.get(0),
    );
    Ok(found.optional()?)
}

/// Makes the row of a new incident, without components and updates.
fn insert(tx: &Transaction<'_>, page: &str, now: Timestamp) -> Result<String, PageError> {
    let number: i64 =
        tx.query_row("SELECT coalesce(max(number), 0) + 1 FROM incident", [], |row| row.get(0))?;
    // The time is part of it, so that a client which remembers an incident of a database that was
    // since lost does not take a new one for it.
    let id = derive(&["incident", page, &number.to_string(), &now.as_micros().to_string()]);
    tx.execute(
        "INSERT INTO incident (id, page_id, name, status, worst_impact, created_at, updated_at)
         VALUES (?1, ?2, '', ?3, ?4, ?5, ?5)",
        params![
            id,
            page,
            IncidentStatus::Investigating.as_str(),
            Impact::None.as_str(),
            now.as_micros()
        ],
    )?;
    Ok(id)
}

/// Carries a change out on an incident that exists; `before` is `None` for one that is just being
/// made.
pub(super) fn apply(
    tx: &Transaction<'_>,
    page: &str,
    id: &str,
    change: &Change,
    before: Option<&Incident>,
    now: Timestamp,
) -> Result<(), PageError> {
    let (status, schedule) = maintenance::settled(change, before)?;
    let change = &maintenance::with_work(tx, id, change, (before, status, schedule), now)?;
    let affected = apply_components(tx, page, id, change, now)?;
    let from = before.map_or(status, |incident| incident.status);
    write_row(tx, id, change, before, (status, schedule), &affected, now)?;
    let said = change.body.as_deref().unwrap_or_default();
    if before.is_none() || status != from || !said.is_empty() {
        insert_update(tx, id, status, said, change.deliver_notifications, &affected, now)?;
    }
    touch(tx, page, now)
}

/// The components that an incident is about.
pub(super) fn attached(tx: &Transaction<'_>, id: &str) -> Result<BTreeSet<String>, PageError> {
    let mut statement =
        tx.prepare_cached("SELECT component_id FROM incident_component WHERE incident_id = ?1")?;
    Ok(statement.query_map([id], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Attaches components and sets their statuses; says what became of every component that the
/// incident is about.
fn apply_components(
    tx: &Transaction<'_>,
    page: &str,
    id: &str,
    change: &Change,
    now: Timestamp,
) -> Result<Vec<Affected>, PageError> {
    let attached = attached(tx, id)?;
    let mut wanted = change.component_ids.clone().unwrap_or_else(|| attached.clone());
    wanted.extend(change.components.keys().cloned());

    let mut affected = Vec::new();
    for code in &wanted {
        // A component that has left the probe files can still be set right by the incident that
        // holds it.
        let found = tx
            .prepare_cached(
                "SELECT name, status FROM component
                 WHERE page_id = ?1 AND id = ?2 AND (retired = 0 OR ?3)",
            )?
            .query_row(params![page, code, attached.contains(code)], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })
            .optional()?;
        let (name, old) = found.ok_or_else(|| PageError::NoComponent(code.clone()))?;
        let old_status = ComponentStatus::parse(&old).unwrap_or_default();
        let new_status = change.components.get(code).copied().unwrap_or(old_status);
        if new_status != old_status {
            set_status(tx, code, new_status, now)?;
        }
        affected.push(Affected { code: code.clone(), name, old_status, new_status });
    }
    tx.execute("DELETE FROM incident_component WHERE incident_id = ?1", [id])?;
    for code in &wanted {
        tx.execute(
            "INSERT INTO incident_component (incident_id, component_id) VALUES (?1, ?2)",
            [id, code],
        )?;
    }
    Ok(affected)
}

fn write_row(
    tx: &Transaction<'_>,
    id: &str,
    change: &Change,
    before: Option<&Incident>,
    (status, schedule): (PageStatus, Option<Schedule>),
    affected: &[Affected],
    now: Timestamp,
) -> Result<(), PageError> {
    let overridden = match change.impact_override {
        Some(wanted) => wanted,
        None => before.and_then(|incident| incident.impact_override),
    };
    let computed = Impact::of(affected.iter().map(|component| component.new_status));
    let worst = before.map_or(computed, |incident| incident.worst.max(computed));
    let name = change.name.as_deref().or(before.map(|incident| incident.name.as_str()));
    let monitoring_at = match status {
        PageStatus::Incident(IncidentStatus::Investigating | IncidentStatus::Identified)
        | PageStatus::Maintenance(_) => None,
        PageStatus::Incident(IncidentStatus::Monitoring) => {
            Some(before.and_then(|incident| incident.monitoring_at).unwrap_or(now))
        }
        PageStatus::Incident(IncidentStatus::Resolved) => {
            before.and_then(|incident| incident.monitoring_at)
        }
    };
    let resolved_at =
        status.is_over().then(|| before.and_then(|incident| incident.resolved_at).unwrap_or(now));
    let mut metadata = before.map(|incident| incident.metadata.clone()).unwrap_or_default();
    metadata.extend(change.metadata.clone());

    let written = tx.execute(
        "UPDATE incident
         SET name = ?2, status = ?3, worst_impact = ?4, impact_override = ?5, metadata = ?6,
             updated_at = ?7, monitoring_at = ?8, resolved_at = ?9, scheduled_for = ?10,
             scheduled_until = ?11, begins = ?12, ends = ?13, shows_work = ?14, shows_end = ?15,
             notifies = ?16
         WHERE id = ?1",
        params![
            id,
            name.unwrap_or_default(),
            status.as_str(),
            worst.as_str(),
            overridden.map(Impact::as_str),
            Value::Object(metadata).to_string(),
            now.as_micros(),
            monitoring_at.map(Timestamp::as_micros),
            resolved_at.map(Timestamp::as_micros),
            schedule.map(|schedule| schedule.window.from.as_micros()),
            schedule.map(|schedule| schedule.window.until.as_micros()),
            schedule.is_some_and(|schedule| schedule.begins),
            schedule.is_some_and(|schedule| schedule.ends),
            schedule.is_some_and(|schedule| schedule.shows_work),
            schedule.is_some_and(|schedule| schedule.shows_end),
            schedule.is_some_and(|schedule| schedule.notifies)
        ],
    );
    match written {
        Ok(_) => Ok(()),
        Err(error) if is_conflict(&error) => Err(PageError::KeyTaken),
        Err(error) => Err(error.into()),
    }
}

fn insert_update(
    tx: &Transaction<'_>,
    incident: &str,
    status: PageStatus,
    body: &str,
    deliver_notifications: bool,
    affected: &[Affected],
    now: Timestamp,
) -> Result<(), PageError> {
    let said: i64 =
        tx.query_row("SELECT coalesce(max(number), 0) + 1 FROM incident_update", [], |row| {
            row.get(0)
        })?;
    let affected = serde_json::to_string(affected)
        .map_err(|source| StoreError::Damaged { what: "list of affected components", source })?;
    tx.execute(
        "INSERT INTO incident_update
             (id, incident_id, status, body, deliver_notifications, affected_components,
              created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        params![
            derive(&["update", incident, &said.to_string()]),
            incident,
            status.as_str(),
            body,
            deliver_notifications,
            affected,
            now.as_micros()
        ],
    )?;
    Ok(())
}

pub(super) fn set_status(
    tx: &Transaction<'_>,
    component: &str,
    status: ComponentStatus,
    now: Timestamp,
) -> Result<(), PageError> {
    tx.execute(
        "UPDATE component SET status = ?2, updated_at = ?3 WHERE id = ?1",
        params![component, status.as_str(), now.as_micros()],
    )?;
    Ok(())
}

pub(super) fn touch(tx: &Transaction<'_>, page: &str, now: Timestamp) -> Result<(), PageError> {
    tx.execute("UPDATE page SET updated_at = ?2 WHERE id = ?1", params![page, now.as_micros()])?;
    Ok(())
}

fn is_conflict(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation)
}
