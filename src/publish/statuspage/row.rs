//! A Statuspage incident as its lists show it: whose it is, and how it stands.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde::Deserialize;
use serde_json::Value;

use crate::model::{
    ComponentId, IncidentKey, IncidentStatus, MaintenanceStatus, PageMaintenance, Timestamp, Window,
};
use crate::outbox::{Remote, RemoteId, Sighting, Standing};

/// An incident as the API shows it, as far as we look.
#[derive(Deserialize)]
struct Incident {
    id: String,
    #[serde(default)]
    name: Option<String>,
    status: Option<String>,
    #[serde(default)]
    impact: Option<String>,
    created_at: Option<String>,
    #[serde(default)]
    metadata: Value,
    #[serde(default)]
    components: Value,
    #[serde(default)]
    incident_updates: Value,
    #[serde(default)]
    scheduled_for: Option<String>,
    #[serde(default)]
    scheduled_until: Option<String>,
}

/// The mark of ownership.
#[derive(Deserialize)]
struct Mark {
    k: String,
    i: String,
    n: Option<String>,
    #[serde(default)]
    hold: Value,
}

/// The ids that our components have on the page.
pub(super) type Components = BTreeMap<ComponentId, String>;

/// The incident, if it is of installation `install`.
pub(super) fn own(row: &Value, install: &str, components: &Components) -> Option<Remote> {
    let incident = Incident::deserialize(row).ok()?;
    let mark = mark(&incident.metadata, install)?;
    let standing = standing(&incident, &mark, components);
    Some(Remote {
        id: RemoteId::new(incident.id),
        key: IncidentKey::new(mark.k),
        sequence: mark.n.and_then(|n| n.parse().ok()).unwrap_or(0),
        status: incident.status.as_deref().and_then(status),
        created_at: incident.created_at.as_deref().and_then(time).unwrap_or(Timestamp::EPOCH),
        standing: Some(standing),
    })
}

/// The status that the vendor's word stands for: one whose postmortem is published is over.
fn status(word: &str) -> Option<IncidentStatus> {
    IncidentStatus::parse(word).or((word == "postmortem").then_some(IncidentStatus::Resolved))
}

/// Something open on the page, whoever made it.
pub(super) fn sighting(
    row: &Value,
    install: &str,
    components: &Components,
    maintenance: bool,
) -> Option<Sighting> {
    let incident = Incident::deserialize(row).ok()?;
    Some(Sighting {
        key: mark(&incident.metadata, install).map(|mark| IncidentKey::new(mark.k)),
        components: ours(&incident.components, components).collect(),
        until: incident.scheduled_until.as_deref().and_then(time).filter(|_| maintenance),
        id: RemoteId::new(incident.id),
        maintenance,
    })
}

/// A maintenance that is announced and not over, if a person announced it and it is about
/// components that we know. One that was begun sooner than it was announced for is under way since.
pub(super) fn announced(
    row: &Value,
    install: &str,
    components: &Components,
) -> Option<(RemoteId, PageMaintenance)> {
    let incident = Incident::deserialize(row).ok()?;
    let status = MaintenanceStatus::parse(incident.status.as_deref()?)?;
    if status == MaintenanceStatus::Completed || mark(&incident.metadata, install).is_some() {
        return None;
    }
    let until = time(incident.scheduled_until.as_deref()?)?;
    let begun = rows(&incident.incident_updates).filter_map(|update| {
        let status = MaintenanceStatus::parse(update.get("status")?.as_str()?)?;
        let at = || time(update.get("created_at")?.as_str()?);
        status.is_active().then(at).flatten()
    });
    let begun = begun.min().filter(|_| status.is_active());
    let from = time(incident.scheduled_for.as_deref()?)?;
    let from = begun.map_or(from, |begun| begun.min(from));
    let components: BTreeSet<ComponentId> = ours(&incident.components, components).collect();
    let window = Window { from, until };
    let found = (RemoteId::new(incident.id), PageMaintenance { components, window });
    (from < until && !found.1.components.is_empty()).then_some(found)
}

/// Those of our components that are in a list of the page's.
fn ours<'a>(
    listed: &'a Value,
    components: &'a Components,
) -> impl Iterator<Item = ComponentId> + 'a {
    let listed: BTreeSet<&str> = rows(listed).filter_map(id).collect();
    let ours = components.iter().filter(move |(_, vendor)| listed.contains(vendor.as_str()));
    ours.map(|(id, _)| id.clone())
}

fn time(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc().into())
}

/// The values that others keep with an incident, which a write must not lose.
pub(super) fn others(row: &Value) -> serde_json::Map<String, Value> {
    let metadata = row.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default();
    metadata.into_iter().filter(|(namespace, _)| namespace != "farol").collect()
}

fn mark(metadata: &Value, install: &str) -> Option<Mark> {
    let mark = Mark::deserialize(metadata.get("farol")?).ok()?;
    (mark.i == install).then_some(mark)
}

fn standing(incident: &Incident, mark: &Mark, components: &Components) -> Standing {
    let text = |row: &Value, field: &str| {
        row.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let listed: BTreeSet<&str> = rows(&incident.components).filter_map(id).collect();
    let ours = components.iter().filter(|(_, vendor)| listed.contains(vendor.as_str()));
    Standing {
        name: incident.name.clone().unwrap_or_default(),
        status: incident.status.clone().unwrap_or_default(),
        impact: incident.impact.clone(),
        components: rows(&incident.components)
            .filter_map(|row| Some((id(row)?.to_owned(), text(row, "status"))))
            .collect(),
        ids: ours.map(|(id, vendor)| (id.clone(), vendor.clone())).collect(),
        updates: rows(&incident.incident_updates)
            .filter_map(|row| Some((id(row)?.to_owned(), Standing::digest(&text(row, "body")))))
            .collect(),
        held: match &mark.hold {
            Value::Null | Value::Bool(false) => false,
            Value::String(word) => !matches!(word.as_str(), "" | "false" | "0" | "no"),
            Value::Bool(true) | Value::Number(_) | Value::Array(_) | Value::Object(_) => true,
        },
    }
}

fn rows(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn id(row: &Value) -> Option<&str> {
    row.get("id").and_then(Value::as_str)
}
