//! Which component cannot do without which: whose trouble is part of whose.

use std::collections::{BTreeSet, VecDeque};

use super::detect::CheckState;
use super::lifecycle::Incident;
use super::state::State;
use crate::model::{CheckId, ComponentId, ComponentStatus, IncidentKey, Policy, Timestamp};

/// All that `component` depends on, directly or by way of others, the nearest first.
pub(super) fn needs(policy: &Policy, component: &ComponentId) -> Vec<ComponentId> {
    let direct = |id: &ComponentId| {
        let component = policy.components.get(id);
        component.into_iter().flat_map(|component| component.depends_on.iter().cloned())
    };
    let mut seen = BTreeSet::from([component.clone()]);
    let mut needs = Vec::new();
    let mut next: VecDeque<ComponentId> = direct(component).collect();
    while let Some(id) = next.pop_front() {
        // A policy of the configuration's has no circles; one of an old journal's might.
        if seen.insert(id.clone()) {
            next.extend(direct(&id));
            needs.push(id);
        }
    }
    needs
}

/// The open incident that trouble of `component` is part of by what depends on what:
///
/// 1. That of a component that it depends on and that is bad: the nearest such.
/// 2. If there is none, one that holds a component that depends on it: the oldest such.
pub(super) fn incident_of_kin(state: &State, component: &ComponentId) -> Option<IncidentKey> {
    let platform = &state.policy.components.get(component)?.platform;
    let ours = |incident: &&Incident| incident.platform() == platform;
    let root = needs(&state.policy, component)
        .into_iter()
        .filter(|id| state.components.get(id).is_some_and(|it| it.status.is_bad()))
        .find_map(|id| state.incident_of(&id).filter(ours));
    let of_dependents = || {
        let open = state.incidents.values().filter(ours);
        let theirs = open.filter(|incident| {
            incident.members.values().any(|member| member.depends_on.contains(component))
        });
        theirs.min_by_key(|incident| (incident.opened_at(), incident.key()))
    };
    root.or_else(of_dependents).map(|incident| incident.key().clone())
}

/// Until when `component`, which went bad at `at`, waits for what it depends on to go bad too.
pub(super) fn waits_until(
    state: &State,
    component: &ComponentId,
    at: Timestamp,
) -> Option<Timestamp> {
    let component = state.policy.components.get(component)?;
    let platform = state.policy.platforms.get(&component.platform)?;
    let waits = !component.depends_on.is_empty() && !platform.dependency_wait.is_zero();
    waits.then(|| at + platform.dependency_wait)
}

/// The checks that have still to say whether what `waiting` depends on is well: those that did not
/// agree that it is in a run that began after `waiting` went bad.
pub(super) fn unheard(state: &State, waiting: &ComponentId) -> Vec<CheckId> {
    let needs = needs(&state.policy, waiting);
    let Some(since) = state.components.get(waiting).map(|component| component.since) else {
        return Vec::new();
    };
    let heard = |check: &CheckState| {
        let began = check.latest_began_at();
        !check.is_unsettled() && check.agreed_at().is_some() && began.is_some_and(|at| at >= since)
    };
    let asked = state.policy.checks.iter().filter(|(_, check)| needs.contains(&check.component));
    asked
        .filter(|(id, _)| !state.checks.get(*id).is_some_and(heard))
        .map(|(id, _)| id.clone())
        .collect()
}

/// Whether `waiting` waits for nothing: all that it depends on was seen to be well since it went
/// bad.
pub(super) fn waits_in_vain(state: &State, waiting: &ComponentId) -> bool {
    let is_well = |id: &ComponentId| {
        let component = state.components.get(id);
        component.is_some_and(|it| it.status == ComponentStatus::Operational)
    };
    needs(&state.policy, waiting).iter().all(is_well) && unheard(state, waiting).is_empty()
}
