//! Which incident a change belongs to: what goes bad together is told together.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::Decision;
use super::depend;
use super::lifecycle::Incident;
use super::news::News;
use super::operator;
use super::state::{Follows, State};
use crate::model::{
    Cause, ComponentId, ComponentStatus, IncidentKey, PlatformId, PlatformPolicy, Timestamp,
};

/// Components whose status changed in one go, with the status before and now.
pub(super) type Changes = BTreeMap<ComponentId, (ComponentStatus, ComponentStatus)>;

/// Brings changes to the incidents they belong to; each incident that is touched takes one step, at
/// once or a little later ([`Incident::news_due_at`]):
///
/// 1. A change of a component that an open incident holds belongs to that incident. No component
///    is ever held by two.
/// 2. A component that is bad and held by none joins the incident that its trouble is part of by
///    what depends on what ([`depend::incident_of_kin`]), however long ago that opened.
/// 3. If there is none, it joins the incident of its platform whose latest newcomer, or latest
///    relapse after a recovery, was within `group_within` ([`home`]).
/// 4. If there is none either, and all such components of the platform depend on others, they wait
///    for these for `dependency_wait`, or until these were seen to be well since
///    ([`wait_no_more`]). What recovers while it waits was never an incident.
/// 5. Otherwise all of them open one together.
/// 6. What a person called over waits longer, or belongs to none ([`operator::admits`]).
///
/// A component may have changed although its status has not, as how many of its servers fail: such
/// a one stands among the changes with the same status twice.
pub(super) fn apply(state: &mut State, changes: &Changes, at: Timestamp, decision: &mut Decision) {
    operator::hear(state, changes, at);
    let mut shares: BTreeMap<IncidentKey, News> = BTreeMap::new();
    let bad = |id: &ComponentId, state: &State| {
        state.components.get(id).is_some_and(|component| component.status.is_bad())
    };
    let mut waiting = std::mem::take(&mut state.waiting);
    waiting.retain(|id, _| bad(id, state));
    for (id, change) in changes {
        if let Some(incident) = state.incident_of(id) {
            let share = shares.entry(incident.key().clone()).or_default();
            share.changed(id, *change);
        } else if change.1.is_bad()
            && state.policy.components.contains_key(id)
            && let Some(admitted) = operator::admits(state, id, at)
        {
            let until = || depend::waits_until(state, id, at).unwrap_or(at).max(admitted);
            waiting.entry(id.clone()).or_insert_with(until);
        }
    }
    for (key, share) in &shares {
        if let Some(incident) = state.incidents.get_mut(key)
            && incident.is_monitored()
            && share.has_bad()
        {
            incident.grouped_at = at;
        }
    }
    settle_in(state, waiting, at, &mut shares);
    for (key, share) in shares {
        if let Some(incident) = state.incidents.remove(&key) {
            let incident = carry_on(state, incident, share, at, decision);
            state.incidents.insert(key, incident);
        }
    }
}

/// Lets those wait no longer whose dependencies are known to be well, unless a person's word holds.
pub(super) fn wait_no_more(state: &mut State, at: Timestamp) {
    let sooner = |(id, until): (&ComponentId, &Timestamp)| {
        let admitted = operator::admits(state, id, at)?;
        let sooner = admitted < *until && depend::waits_in_vain(state, id);
        sooner.then(|| (id.clone(), admitted))
    };
    let sooner: Vec<(ComponentId, Timestamp)> = state.waiting.iter().filter_map(sooner).collect();
    state.waiting.extend(sooner);
}

/// Finds an incident for each of `homeless`, who are bad and held by none, or lets them wait until
/// the time that stands beside them.
fn settle_in(
    state: &mut State,
    mut homeless: BTreeMap<ComponentId, Timestamp>,
    at: Timestamp,
    shares: &mut BTreeMap<IncidentKey, News>,
) {
    // One that finds its place may be what another depends on.
    while let Some((id, key)) =
        homeless.keys().find_map(|id| Some((id.clone(), depend::incident_of_kin(state, id)?)))
    {
        homeless.remove(&id);
        join(state, &key, &id, at, shares);
    }
    let mut by_platform: BTreeMap<PlatformId, BTreeMap<ComponentId, Timestamp>> = BTreeMap::new();
    for (id, until) in homeless {
        if let Some(component) = state.policy.components.get(&id) {
            by_platform.entry(component.platform.clone()).or_default().insert(id, until);
        }
    }
    for (platform, components) in by_platform {
        let home = home(state, &platform, &components, at);
        if home.is_none() && components.values().all(|until| *until > at) {
            state.waiting.extend(components);
            continue;
        }
        if let Some(key) = home.or_else(|| open(state, &platform, &components, at)) {
            for id in components.keys() {
                join(state, &key, id, at, shares);
            }
        }
    }
}

fn join(
    state: &mut State,
    key: &IncidentKey,
    id: &ComponentId,
    at: Timestamp,
    shares: &mut BTreeMap<IncidentKey, News>,
) {
    // Trouble may have returned with one that joins later, too.
    let follows = state.incidents.get(key).filter(|incident| incident.follows.is_none());
    let follows = follows.and_then(|it| earlier(state, it.platform(), &[id], &it.voice, at));
    let State { policy, incidents, .. } = state;
    if let Some(name) = policy.told_name(id)
        && let Some(incident) = incidents.get_mut(key)
    {
        let needs = depend::needs(policy, id).into_iter().collect();
        incident.take_in(id.clone(), name, needs, at);
        if follows.is_some() {
            incident.follows = follows;
            incident.returns = true;
        }
        shares.entry(key.clone()).or_default().joins(id);
    }
}

/// Ends an incident that stayed well; gives the components that it held.
pub(super) fn resolve(
    state: &mut State,
    key: &IncidentKey,
    at: Timestamp,
    decision: &mut Decision,
) -> Vec<ComponentId> {
    let Some(mut incident) = state.incidents.remove(key) else { return Vec::new() };
    incident.step(state, Cause::StayedWell, at, decision);
    let closed = incident.closed(at);
    let freed = closed.components.clone();
    state.close(closed);
    freed
}

/// Says of an open incident what is new, or what it promised to say by now.
pub(super) fn update(state: &mut State, key: &IncidentKey, at: Timestamp, decision: &mut Decision) {
    let Some(mut incident) = state.incidents.remove(key) else { return };
    let cause = incident.news_cause().unwrap_or_else(|| incident.due_cause());
    incident.step(state, cause, at, decision);
    state.incidents.insert(key.clone(), incident);
}

/// Takes a step if it is time for the news; otherwise they wait for more.
fn carry_on(
    state: &State,
    mut incident: Incident,
    news: News,
    at: Timestamp,
    decision: &mut Decision,
) -> Incident {
    incident.look_up(state);
    incident.news.add(news);
    if incident.news_due_at().is_some_and(|due| due <= at)
        && let Some(cause) = incident.news_cause()
    {
        incident.step(state, cause, at, decision);
    }
    incident
}

/// The open incident of `platform` that `components` join when they go bad now, of those that had
/// a newcomer, or a relapse, within `group_within`:
///
/// 1. One that holds what depends on something that one of them depends on too, or what stands in
///    a group with one of them.
/// 2. Otherwise, or if several do: the one whose newcomer is the latest.
fn home(
    state: &State,
    platform: &PlatformId,
    components: &BTreeMap<ComponentId, Timestamp>,
    at: Timestamp,
) -> Option<IncidentKey> {
    let needs: BTreeSet<ComponentId> =
        components.keys().flat_map(|id| depend::needs(&state.policy, id)).collect();
    let group = |id: &ComponentId| state.policy.components.get(id)?.group.as_deref();
    let groups: BTreeSet<&str> = components.keys().filter_map(group).collect();
    let is_kin = |incident: &Incident| {
        incident.members.iter().any(|(id, member)| {
            !member.depends_on.is_disjoint(&needs)
                || group(id).is_some_and(|group| groups.contains(group))
        })
    };
    let ours = state.incidents.values().filter(|incident| incident.platform() == platform);
    let open = ours.filter(|incident| {
        at.since(incident.grouped_at) <= incident.voice.group_within.to_duration()
    });
    open.max_by_key(|incident| (is_kin(incident), incident.grouped_at))
        .map(|incident| incident.key().clone())
}

/// Starts an incident of `platform`, if the policy knows how to lead one.
fn open(
    state: &mut State,
    platform: &PlatformId,
    components: &BTreeMap<ComponentId, Timestamp>,
    at: Timestamp,
) -> Option<IncidentKey> {
    let voice = state.policy.platforms.get(platform)?.clone();
    let (first, _) = components.first_key_value()?;
    let key = key(platform, first, at);
    let all: Vec<&ComponentId> = components.keys().collect();
    let follows = earlier(state, platform, &all, &voice, at);
    let incident = Incident::new(key.clone(), platform.clone(), voice, follows, at);
    state.incidents.insert(key.clone(), incident);
    Some(key)
}

/// The latest incident of `platform` that held one of `components` and was resolved within
/// `reopen_within`, as far as it is remembered.
fn earlier(
    state: &State,
    platform: &PlatformId,
    components: &[&ComponentId],
    voice: &PlatformPolicy,
    at: Timestamp,
) -> Option<Follows> {
    if voice.reopen_within.is_zero() {
        return None;
    }
    let mut recent = state.recent().filter(|closed| {
        closed.platform == *platform
            && at.since(closed.resolved_at) <= voice.reopen_within.to_duration()
            && closed.components.iter().any(|id| components.contains(&id))
    });
    // They are in the order of their ends.
    recent.next_back().map(Follows::after)
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
