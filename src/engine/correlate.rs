//! Which incident a change belongs to: what goes bad together is told together.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::Decision;
use super::lifecycle::{Due, Incident, Stage};
use super::state::State;
use crate::model::{Cause, ComponentId, ComponentStatus, IncidentKey, PlatformId, Timestamp};

/// Components whose status changed in one go, with the status before and now.
pub(super) type Changes = BTreeMap<ComponentId, (ComponentStatus, ComponentStatus)>;

/// What the changes of one go mean for one incident.
#[derive(Debug, Default)]
struct Share {
    /// Components that it held already.
    held: Changes,
    /// Components that are new to it.
    joined: BTreeSet<ComponentId>,
}

/// Brings changes to the incidents they belong to; each incident that is touched takes one step:
///
/// 1. A change of a component that an open incident holds belongs to that incident.
/// 2. A component that is bad and held by none joins the incident of its platform whose latest
///    newcomer, or latest relapse after a recovery, was within `group_within`: the latest such.
/// 3. If there is none, all components of the platform that went bad in this go open one together.
pub(super) fn apply(state: &mut State, changes: &Changes, at: Timestamp, decision: &mut Decision) {
    let mut shares: BTreeMap<IncidentKey, Share> = BTreeMap::new();
    let mut homeless: BTreeMap<PlatformId, BTreeSet<ComponentId>> = BTreeMap::new();
    for (id, change) in changes {
        if let Some(incident) = state.incident_of(id) {
            let share = shares.entry(incident.key().clone()).or_default();
            share.held.insert(id.clone(), *change);
        } else if change.1.is_bad()
            && let Some(component) = state.policy.components.get(id)
        {
            homeless.entry(component.platform.clone()).or_default().insert(id.clone());
        }
    }
    for (key, share) in &shares {
        if let Some(incident) = state.incidents.get_mut(key)
            && matches!(incident.stage, Stage::Monitoring { .. })
            && share.held.values().any(|(_, to)| to.is_bad())
        {
            incident.grouped_at = at;
        }
    }
    for (platform, components) in homeless {
        if let Some(key) =
            home(state, &platform, at).or_else(|| open(state, &platform, &components, at))
        {
            shares.entry(key).or_default().joined = components;
        }
    }
    for (key, share) in shares {
        if let Some(incident) = state.incidents.remove(&key) {
            let incident = carry_on(state, incident, &share, at, decision);
            state.incidents.insert(key, incident);
        }
    }
}

/// Does what an open incident waited for.
pub(super) fn settle(
    state: &mut State,
    key: &IncidentKey,
    due: Due,
    at: Timestamp,
    decision: &mut Decision,
) {
    let Some(mut incident) = state.incidents.remove(key) else { return };
    let nothing = Changes::new();
    match due {
        Due::Resolve => {
            incident.step(state, Cause::StayedWell, &nothing, at, decision);
            state.close(incident.closed(at));
        }
        Due::Update => {
            incident.step(state, Cause::UpdateDue, &nothing, at, decision);
            state.incidents.insert(key.clone(), incident);
        }
    }
}

fn carry_on(
    state: &State,
    mut incident: Incident,
    share: &Share,
    at: Timestamp,
    decision: &mut Decision,
) -> Incident {
    for id in &share.joined {
        if let Some(component) = state.policy.components.get(id) {
            incident.take_in(id.clone(), component.name.clone(), at);
        }
    }
    incident.look_up(state);
    let cause = cause(&incident, share);
    let mut changes = share.held.clone();
    for (id, now) in incident.components().filter(|(id, _)| share.joined.contains(*id)) {
        changes.insert(id.clone(), (ComponentStatus::Operational, now));
    }
    incident.step(state, cause, &changes, at, decision);
    incident
}

/// Why an incident takes a step; the first that holds:
///
/// 1. Nothing was said of it before: a component failed.
/// 2. It was monitored, and a component that it held is bad: that failed again.
/// 3. A component joined.
/// 4. All its components are well: all recovered.
/// 5. A component that it held is worse: it got worse.
/// 6. Otherwise one is better: it got better.
fn cause(incident: &Incident, share: &Share) -> Cause {
    let monitored = matches!(incident.stage, Stage::Monitoring { .. });
    if incident.sequence() == 0 {
        Cause::ComponentFailed
    } else if monitored && share.held.values().any(|(_, to)| to.is_bad()) {
        Cause::FailedAgain
    } else if !share.joined.is_empty() {
        Cause::ComponentJoined
    } else if incident.is_well() {
        Cause::AllRecovered
    } else if share.held.values().any(|(from, to)| to > from) {
        Cause::GotWorse
    } else {
        Cause::GotBetter
    }
}

/// The open incident that a component of `platform` joins when it goes bad now.
fn home(state: &State, platform: &PlatformId, at: Timestamp) -> Option<IncidentKey> {
    let ours = state.incidents.values().filter(|incident| incident.platform() == platform);
    let open = ours.filter(|incident| {
        at.since(incident.grouped_at) <= incident.voice.group_within.to_duration()
    });
    open.max_by_key(|incident| incident.grouped_at).map(|incident| incident.key().clone())
}

/// Starts an incident of `platform`, if the policy knows how to lead one.
fn open(
    state: &mut State,
    platform: &PlatformId,
    components: &BTreeSet<ComponentId>,
    at: Timestamp,
) -> Option<IncidentKey> {
    let voice = state.policy.platforms.get(platform)?.clone();
    let key = key(platform, components.first()?, at);
    let incident = Incident::new(key.clone(), platform.clone(), voice, at);
    state.incidents.insert(key.clone(), incident);
    Some(key)
}

/// An incident's name, derived from what it is about and when it opened (in decimal microseconds).
pub(super) fn key(platform: &PlatformId, first: &ComponentId, opened_at: Timestamp) -> IncidentKey {
    let mut hash = Sha256::new();
    hash.update(platform.as_str());
    hash.update([0]);
    hash.update(first.as_str());
    hash.update([0]);
    hash.update(opened_at.as_micros().to_string());
    let text: String = data_encoding::BASE32_NOPAD
        .encode(&hash.finalize())
        .to_lowercase()
        .chars()
        .take(16)
        .collect();
    IncidentKey::new(text)
}
