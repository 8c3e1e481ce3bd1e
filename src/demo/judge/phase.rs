//! What the page shows, held against one phase or on its way from one to the next.

use std::collections::BTreeSet;

use super::{Backstage, IncidentSeen, Look};
use crate::demo::scenario::Expect;
use crate::model::{ComponentStatus, IncidentStatus, Timestamp};

fn expected(phase: &Expect, component: &str) -> ComponentStatus {
    phase.components.get(component).copied().unwrap_or_default()
}

fn newest_status(look: &Look) -> Option<IncidentStatus> {
    look.incidents.first().map(|incident| incident.status)
}

/// In what the page differs from what the phase wants.
pub(super) fn differences(look: &Look, phase: &Expect, backstage: &Backstage) -> Vec<String> {
    let mut found = Vec::new();
    for (id, status) in &look.components {
        let wanted = expected(phase, id);
        if *status != wanted {
            found.push(format!("{} is {status}, not {wanted}", backstage.name_of(id)));
        }
    }
    for id in phase.components.keys().filter(|id| !look.components.contains_key(*id)) {
        found.push(format!("{} is not on the page", backstage.name_of(id)));
    }
    if look.incidents.len() != phase.incidents {
        let (are, wanted) = (look.incidents.len(), phase.incidents);
        found.push(format!("there are {are} incidents, not {wanted}"));
        return found;
    }
    found.extend(still_open(look));
    if let Some(newest) = look.incidents.first() {
        found.extend(of_incident(newest, phase));
    }
    found
}

fn of_incident(newest: &IncidentSeen, phase: &Expect) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(wanted) = phase.status
        && newest.status != wanted
    {
        found.push(format!("the incident is {}, not {wanted}", newest.status));
    }
    if let Some(wanted) = phase.impact
        && newest.impact != wanted
    {
        found.push(format!("its impact is {}, not {wanted}", newest.impact));
    }
    if let Some(wanted) = &phase.title
        && !wanted.is_match(&newest.title)
    {
        let (title, wanted) = (&newest.title, wanted.as_str());
        found.push(format!("its title is {title:?}, not {wanted:?}"));
    }
    found
}

/// All but the newest must be over.
fn still_open(look: &Look) -> Option<String> {
    let older = look.incidents.iter().skip(1);
    let open = older.filter(|incident| incident.status != IncidentStatus::Resolved).count();
    (open > 0).then(|| format!("{open} older incidents are not over"))
}

/// What the page shows that is neither as it was before nor as it should become.
pub(super) fn astray(
    look: &Look,
    before: &Expect,
    phase: &Expect,
    backstage: &Backstage,
) -> Vec<String> {
    let mut found = Vec::new();
    for (id, status) in &look.components {
        let (was, wanted) = (expected(before, id), expected(phase, id));
        let is_end = *status == was || *status == wanted;
        // The status of announced work lies between two others, but is not on the way to either.
        let is_between = was.min(wanted) < *status
            && *status < was.max(wanted)
            && *status != ComponentStatus::UnderMaintenance;
        if !is_end && !is_between {
            let name = backstage.name_of(id);
            found.push(format!("{name} is {status} on the way from {was} to {wanted}"));
        }
    }
    let (was, wanted) = (before.incidents, phase.incidents);
    let count = look.incidents.len();
    if count < was.min(wanted) || count > was.max(wanted) {
        found.push(format!("there are {count} incidents on the way from {was} to {wanted}"));
        return found;
    }
    found.extend(still_open(look));
    let status = newest_status(look);
    let as_before = count == was && status == before.status;
    let as_wanted = count == wanted && status == phase.status;
    if let Some(status) = status
        && !as_before
        && !as_wanted
    {
        found.push(format!("the incident is {status} on the way there"));
    }
    found
}

/// Whether the page tells what makes `phase` worse than the one before it, which began at `since`.
pub(super) fn tells(
    look: &Look,
    before: &Expect,
    phase: &Expect,
    since: Timestamp,
    backstage: &Backstage,
) -> bool {
    let changed: Vec<&String> = phase
        .components
        .iter()
        .filter(|(id, status)| status.is_bad() && **status != expected(before, id))
        .map(|(id, _)| id)
        .collect();
    if changed.is_empty() {
        return differences(look, phase, backstage).is_empty();
    }
    let is_shown = |id: &&String| {
        let shown = look.components.get(*id).copied().unwrap_or_default();
        shown.is_bad() && shown != expected(before, id)
    };
    let says_so = look.incidents.first().is_some_and(|incident| {
        incident.status != IncidentStatus::Resolved
            && incident.updates.first().is_some_and(|update| update.at >= since)
    });
    says_so && changed.iter().any(is_shown)
}

/// The life of each incident, oldest first, as the phases tell it.
pub(super) fn lives(phases: &[Expect]) -> Vec<Vec<IncidentStatus>> {
    let numbers: BTreeSet<usize> = phases.iter().map(|phase| phase.incidents).collect();
    let life = |number: usize| {
        let own = phases.iter().filter(|phase| phase.incidents == number);
        let mut life: Vec<IncidentStatus> = own.filter_map(|phase| phase.status).collect();
        life.dedup();
        life
    };
    numbers.into_iter().filter(|number| *number > 0).map(life).collect()
}
