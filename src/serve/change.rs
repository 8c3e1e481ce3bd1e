//! From what a client sent to a [`Change`], with everything that is wrong with it at once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use serde_json::{Map, Value};

use super::error::ApiError;
use crate::model::{ComponentStatus, Impact, Timestamp};
use crate::store::page::{Change, PageStatus, ScheduleChange};

const MAX_NAME: usize = 255;
const MAX_BODY: usize = 25_000;

/// The `incident` of a request; a new one must have a name.
pub(super) fn incident(body: &Value, new: bool) -> Result<Change, ApiError> {
    let mut fields = Fields::of(body, "incident")?;
    let name = fields.text("name", MAX_NAME);
    if name.as_ref().map_or(new, |name| name.trim().is_empty()) && fields.problems.is_empty() {
        fields.problem("name", "can't be blank");
    }
    if fields.flag("backfilled") == Some(true) {
        fields.problem("backfilled", "is not supported");
    }
    let change = Change {
        name,
        status: fields.word("status", PageStatus::parse, &names(PageStatus::all())),
        schedule: fields.schedule(),
        body: fields.text("body", MAX_BODY),
        impact_override: fields.impact_override(),
        components: fields.components(),
        component_ids: fields.component_ids(),
        deliver_notifications: fields.flag("deliver_notifications").unwrap_or(true),
        metadata: fields.metadata(),
    };
    fields.finish(change)
}

/// The text that an `incident_update` is to have.
pub(super) fn update(body: &Value) -> Result<String, ApiError> {
    let mut fields = Fields::of(body, "incident_update")?;
    let text = fields.text("body", MAX_BODY);
    if text.is_none() && fields.problems.is_empty() {
        fields.problem("body", "is missing, and nothing else of an update can be changed");
    }
    fields.finish(text.unwrap_or_default())
}

/// The draft of a `postmortem`.
pub(super) fn postmortem(body: &Value) -> Result<String, ApiError> {
    let mut fields = Fields::of(body, "postmortem")?;
    let text = fields.text("body_draft", MAX_BODY);
    if text.is_none() && fields.problems.is_empty() {
        fields.problem("body_draft", "is missing, and nothing else of a postmortem is kept");
    }
    fields.finish(text.unwrap_or_default())
}

/// The status that a `component` is to have.
pub(super) fn component(body: &Value) -> Result<ComponentStatus, ApiError> {
    let mut fields = Fields::of(body, "component")?;
    let status = fields.word("status", ComponentStatus::parse, &names(ComponentStatus::ALL));
    if status.is_none() && fields.problems.is_empty() {
        fields.problem("status", "is missing, and all else is said in the probe file");
    }
    let status = status.unwrap_or_default();
    fields.finish(status)
}

fn names<T: ToString>(all: impl IntoIterator<Item = T>) -> String {
    all.into_iter().map(|each| each.to_string()).collect::<Vec<_>>().join(", ")
}

struct Fields<'a> {
    map: &'a Map<String, Value>,
    problems: Vec<String>,
}

impl<'a> Fields<'a> {
    fn of(body: &'a Value, what: &str) -> Result<Self, ApiError> {
        match body.get(what).and_then(Value::as_object) {
            Some(map) => Ok(Self { map, problems: Vec::new() }),
            None => Err(ApiError::Malformed(format!("{what} is missing"))),
        }
    }

    fn finish<T>(self, value: T) -> Result<T, ApiError> {
        if self.problems.is_empty() { Ok(value) } else { Err(ApiError::Invalid(self.problems)) }
    }

    fn problem(&mut self, field: &str, what: &str) {
        self.problems.push(format!("{field} {what}"));
    }

    /// A field that is there and not null.
    fn present(&self, field: &str) -> Option<&'a Value> {
        self.map.get(field).filter(|value| !value.is_null())
    }

    fn text(&mut self, field: &str, max: usize) -> Option<String> {
        let value = self.present(field)?;
        let Some(text) = value.as_str() else {
            self.problem(field, "must be a text");
            return None;
        };
        if text.chars().count() > max {
            self.problem(field, &format!("is longer than {max} characters"));
        }
        Some(text.to_owned())
    }

    /// A form has texts only.
    fn flag(&mut self, field: &str) -> Option<bool> {
        let value = self.present(field)?;
        let flag = match value.as_str() {
            Some("true" | "1" | "t") => Some(true),
            Some("false" | "0" | "f" | "") => Some(false),
            Some(_) => None,
            None => value.as_bool(),
        };
        if flag.is_none() {
            self.problem(field, "must be true or false");
        }
        flag
    }

    fn word<T>(&mut self, field: &str, parse: fn(&str) -> Option<T>, all: &str) -> Option<T> {
        let value = self.present(field)?;
        let word = value.as_str().and_then(parse);
        if word.is_none() {
            self.problem(field, &format!("must be one of {all}"));
        }
        word
    }

    /// When there is work, and what happens by itself. The two flags of the vendor's on whom to
    /// tell of that are one here: they are never set apart.
    fn schedule(&mut self) -> ScheduleChange {
        let at_start = self.flag("auto_transition_deliver_notifications_at_start");
        let at_end = self.flag("auto_transition_deliver_notifications_at_end");
        ScheduleChange {
            from: self.time("scheduled_for"),
            until: self.time("scheduled_until"),
            begins: self.flag("scheduled_auto_in_progress"),
            ends: self.flag("scheduled_auto_completed"),
            shows_work: self.flag("auto_transition_to_maintenance_state"),
            shows_end: self.flag("auto_transition_to_operational_state"),
            notifies: at_start.or(at_end),
        }
    }

    fn time(&mut self, field: &str) -> Option<Timestamp> {
        let value = self.present(field).filter(|value| value.as_str() != Some(""))?;
        let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        if time.is_none() {
            self.problem(field, "must be a time with its zone: 2026-11-14T05:00:00Z");
        }
        time.map(|time| time.to_utc().into())
    }

    /// Nothing at all leaves the override as it is; null or an empty text takes it away.
    fn impact_override(&mut self) -> Option<Option<Impact>> {
        let value = self.map.get("impact_override")?;
        // What every maintenance has by itself, and nothing else can have.
        if value.is_null() || matches!(value.as_str(), Some("" | "maintenance")) {
            return Some(None);
        }
        self.word("impact_override", impact, &names(Impact::ALL)).map(Some)
    }

    fn components(&mut self) -> BTreeMap<String, ComponentStatus> {
        let Some(value) = self.present("components") else { return BTreeMap::new() };
        let Some(map) = value.as_object() else {
            self.problem("components", "must be an object of ids and statuses");
            return BTreeMap::new();
        };
        let mut components = BTreeMap::new();
        for (id, status) in map {
            match status.as_str().map(ComponentStatus::parse) {
                // The vendor's way to say that a status is not for us to set.
                _ if status.as_str() == Some("") => {}
                Some(Some(status)) => {
                    components.insert(id.clone(), status);
                }
                _ => {
                    let all = names(ComponentStatus::ALL);
                    self.problem("components", &format!("must each be one of {all}"));
                }
            }
        }
        components
    }

    fn component_ids(&mut self) -> Option<BTreeSet<String>> {
        let value = self.present("component_ids")?;
        // A form has no way to write an empty list but an empty text.
        if value.as_str() == Some("") {
            return Some(BTreeSet::new());
        }
        let ids = value.as_array().and_then(|ids| {
            ids.iter().map(|id| id.as_str().map(str::to_owned)).collect::<Option<BTreeSet<_>>>()
        });
        if ids.is_none() {
            self.problem("component_ids", "must be a list of ids");
        }
        ids.map(|ids| ids.into_iter().filter(|id| !id.is_empty()).collect())
    }

    fn metadata(&mut self) -> Map<String, Value> {
        let Some(value) = self.present("metadata") else { return Map::new() };
        match value.as_object() {
            Some(map) if map.values().all(Value::is_object) => map.clone(),
            _ => {
                self.problem("metadata", "must be an object of objects");
                Map::new()
            }
        }
    }
}

fn impact(text: &str) -> Option<Impact> {
    Impact::ALL.into_iter().find(|impact| impact.as_str() == text)
}
