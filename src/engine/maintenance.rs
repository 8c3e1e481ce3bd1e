//! Announced work: what is shown of a component meanwhile, and what becomes of its trouble.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Decision;
use super::state::State;
use super::status::{self, Assessment};
use crate::model::{
    Announcements, ComponentId, ComponentStatus, Event, EventKind, LaneId, MaintenanceId,
    MaintenancePolicy, MaintenanceStatus, PageMaintenance, PlatformId, Policy, Span, Timestamp,
    Window,
};

/// The window of a maintenance that is under way, or comes next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Announced {
    /// The window.
    pub window: Window,
    /// Whether its beginning was noticed.
    pub begun: bool,
}

/// A component that is, or was until lately, in maintenance.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Maintained {
    /// By which.
    maintenance: MaintenanceId,
    /// Until when that was announced.
    until: Timestamp,
    /// When its grace is over.
    grace_until: Timestamp,
    /// Whether the end of the grace is still waited for.
    waits: bool,
    /// Whether somebody ended it sooner than it was announced for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    early: bool,
    /// The trouble that was last noted privately.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    noted: Option<ComponentStatus>,
}

/// What is known of a maintenance, whoever announced it.
struct Work<'a> {
    platform: PlatformId,
    components: &'a BTreeSet<ComponentId>,
    grace: Span,
}

/// The maintenance `id`: of the configuration, or of a page.
fn work<'a>(state: &'a State, id: &MaintenanceId) -> Option<Work<'a>> {
    if let Some(MaintenancePolicy { platform, components, grace, .. }) =
        state.policy.maintenances.get(id)
    {
        return Some(Work { platform: platform.clone(), components, grace: *grace });
    }
    let of_page = |(lane, all): (&LaneId, &'a BTreeMap<MaintenanceId, PageMaintenance>)| {
        let platform = lane.platform();
        let grace = state.policy.platforms.get(&platform)?.maintenance_grace;
        Some(Work { components: &all.get(id)?.components, platform, grace })
    };
    state.announced.iter().find_map(of_page)
}

impl Maintained {
    /// It is over at `at`, sooner than it was announced for.
    fn end(&mut self, at: Timestamp) {
        let grace = self.grace_until.since(self.until);
        (self.until, self.grace_until, self.early) = (at, at + grace, true);
    }
}

/// Looks up the windows of the policy's maintenances. One whose times have not changed keeps the
/// window that it has, and so does one of a page, unless its platform has gone.
pub(super) fn adopt(state: &mut State, before: &Policy, now: Timestamp) {
    let State { policy, announced, .. } = state;
    announced.retain(|lane, _| policy.platforms.contains_key(&lane.platform()));
    let mut windows = std::mem::take(&mut state.windows);
    for (id, maintenance) in &state.policy.maintenances {
        let same = before.maintenances.get(id).is_some_and(|old| old.when == maintenance.when);
        let kept = windows.remove(id).filter(|_| same);
        let next = || Some(Announced { window: maintenance.when.next(now)?, begun: false });
        // One that had its last window has none, and needs no looking for another.
        let announced = if same { kept } else { next() };
        if let Some(announced) = announced {
            state.windows.insert(id.clone(), announced);
        }
    }
    for id in state.announced.values().flat_map(BTreeMap::keys) {
        if let Some(kept) = windows.remove(id) {
            state.windows.insert(id.clone(), kept);
        }
    }
}

/// Takes over what a page announces, and gives the components that it is about, or was:
///
/// 1. What was read of the page before counts no more: what is moved has its new times, and what is
///    not named any more is called off, or done.
/// 2. One that is under way goes on, as long as its window lasts.
/// 3. A component that was worked on, and is not by anything that is announced, has its grace from
///    now on: it was called done early, and what is seen from now on is held against it.
pub(super) fn hear(
    state: &mut State,
    announced: &Announcements,
    now: Timestamp,
    decision: &mut Decision,
) -> Vec<ComponentId> {
    let Announcements { lane, maintenances } = announced;
    let before = state.announced.remove(lane).unwrap_or_default();
    if before == *maintenances || !state.policy.platforms.contains_key(&lane.platform()) {
        state.announced.extend((!before.is_empty()).then(|| (lane.clone(), before)));
        return Vec::new();
    }
    let old: BTreeMap<MaintenanceId, Announced> =
        before.keys().filter_map(|id| state.windows.remove_entry(id)).collect();
    for (id, PageMaintenance { window, .. }) in maintenances {
        let was = old.get(id).filter(|was| was.window == *window);
        let begun = old.get(id).is_some_and(|was| was.begun) && window.holds(now);
        if was.is_none() && !begun && window.until > now {
            note_change(
                decision,
                (id, lane.platform()),
                MaintenanceStatus::Scheduled,
                *window,
                now,
            );
        }
        if window.until > now {
            state.windows.insert(id.clone(), Announced { window: *window, begun });
        }
    }
    for (id, was) in old.iter().filter(|(_, was)| was.begun) {
        if !state.windows.get(id).is_some_and(|is| is.begun) {
            let window = Window { until: now, ..was.window };
            note_change(decision, (id, lane.platform()), MaintenanceStatus::Completed, window, now);
        }
    }
    let about = before.values().chain(maintenances.values());
    let about = about.flat_map(|maintenance| &maintenance.components);
    let about: BTreeSet<ComponentId> =
        about.filter(|id| state.policy.components.contains_key(id)).cloned().collect();
    if !maintenances.is_empty() {
        state.announced.insert(lane.clone(), maintenances.clone());
    }
    for component in &about {
        if window_of(state, component, now).is_none()
            && let Some(maintained) = state.maintained.get_mut(component)
            && now < maintained.until
        {
            maintained.end(now);
        }
    }
    about.into_iter().collect()
}

fn note_change(
    decision: &mut Decision,
    (id, platform): (&MaintenanceId, PlatformId),
    status: MaintenanceStatus,
    window: Window,
    at: Timestamp,
) {
    let maintenance = id.clone();
    let kind = EventKind::MaintenanceChanged { maintenance, platform, status, window };
    decision.events.push(Event { at, kind });
}

/// What is waited for: the beginnings and ends of windows.
pub(super) fn windows(state: &State) -> impl Iterator<Item = (Timestamp, &MaintenanceId)> {
    state.windows.iter().map(|(id, announced)| {
        let Window { from, until } = announced.window;
        (if announced.begun { until } else { from }, id)
    })
}

/// What is waited for: the ends of graces, of components that are not known to be well.
pub(super) fn graces(state: &State) -> impl Iterator<Item = (Timestamp, &ComponentId)> {
    let waiting = state.maintained.iter().filter(|(_, maintained)| maintained.waits);
    waiting.map(|(id, maintained)| (maintained.grace_until, id))
}

/// The grace of `component` is over.
pub(super) fn grace_over(state: &mut State, component: &ComponentId) {
    if let Some(maintained) = state.maintained.get_mut(component) {
        maintained.waits = false;
    }
}

/// A window of the maintenance begins or ends; gives the components that it is about.
pub(super) fn turn(
    state: &mut State,
    id: &MaintenanceId,
    at: Timestamp,
    decision: &mut Decision,
) -> Vec<ComponentId> {
    let Some(Work { platform, components, .. }) = work(state, id) else {
        state.windows.remove(id);
        return Vec::new();
    };
    let known = components.iter().filter(|id| state.policy.components.contains_key(id));
    let components: Vec<ComponentId> = known.cloned().collect();
    let State { policy, windows, .. } = state;
    let Some(announced) = windows.get_mut(id) else { return components };
    let window = announced.window;
    let status = if announced.begun {
        let rule = policy.maintenances.get(id).map(|maintenance| &maintenance.when);
        match rule.and_then(|when| when.next(window.until)) {
            // One that overlaps begins as this one ends, and not in the past.
            Some(next) => {
                let window = Window { from: next.from.max(window.until), ..next };
                *announced = Announced { window, begun: false };
            }
            None => {
                windows.remove(id);
            }
        }
        MaintenanceStatus::Completed
    } else {
        announced.begun = true;
        MaintenanceStatus::InProgress
    };
    note_change(decision, (id, platform), status, window, at);
    components
}

/// The components of `platform` that are worked on at `at`.
pub(super) fn worked_on(
    state: &State,
    platform: &PlatformId,
    at: Timestamp,
) -> BTreeSet<ComponentId> {
    let current = state.windows.iter().filter(|(_, announced)| announced.window.holds(at));
    let ours = current.filter_map(|(id, _)| work(state, id).filter(|it| it.platform == *platform));
    ours.flat_map(|work| work.components.iter().cloned()).collect()
}

/// The window that `component` is in at `at`: of several, the one that lasts longest.
fn window_of(
    state: &State,
    component: &ComponentId,
    at: Timestamp,
) -> Option<(MaintenanceId, Window, Span)> {
    let current = state.windows.iter().filter(|(_, announced)| announced.window.holds(at));
    let ours = current.filter_map(|(id, announced)| {
        let work = work(state, id)?;
        let is_ours = work.components.contains(component);
        is_ours.then(|| (id.clone(), announced.window, work.grace))
    });
    ours.max_by_key(|(_, window, grace)| window.until + *grace)
}

/// The status that `component` is shown with, when `found` is what its checks make it:
///
/// 1. What an open incident holds is as its checks make it: that trouble was there before, or
///    outlasted a maintenance, and the incident tells of it.
/// 2. While it is in the window of a maintenance it is under maintenance, whatever its checks say.
/// 3. What was under maintenance when the window ended, and is not well, stays so until the grace
///    is over, and until it was seen to be bad after the end: what was last seen before is no reason
///    to open an incident.
/// 4. Otherwise it is as its checks make it; while these say nothing, it stays as it was, but not
///    under maintenance.
pub(super) fn shown(
    state: &mut State,
    component: &ComponentId,
    found: Option<&Assessment>,
    at: Timestamp,
    decision: &mut Decision,
) -> Option<ComponentStatus> {
    let measured = found.map(|found| found.status);
    if state.incident_of(component).is_some() {
        return measured;
    }
    if let Some((maintenance, window, grace)) = window_of(state, component, at) {
        let grace_until = window.until + grace;
        let noted = state.maintained.remove(component).and_then(|maintained| maintained.noted);
        let waits = !grace.is_zero();
        let until = window.until;
        let early = false;
        let maintained = Maintained { maintenance, until, grace_until, waits, early, noted };
        state.maintained.insert(component.clone(), maintained);
        note(state, component, found, at, decision);
        return Some(ComponentStatus::UnderMaintenance);
    }
    let was = state.components.get(component)?.status;
    // One that was withdrawn counts no more.
    if state.maintained.get(component).is_some_and(|maintained| at < maintained.until) {
        state.maintained.remove(component);
    }
    let Some(maintained) = state.maintained.get(component) else {
        let free = was == ComponentStatus::UnderMaintenance;
        return measured.or(free.then_some(ComponentStatus::Operational));
    };
    if was == ComponentStatus::UnderMaintenance
        && measured.is_some_and(ComponentStatus::is_bad)
        && (at < maintained.grace_until
            || !status::seen_bad_after(state, component, maintained.until))
    {
        note(state, component, found, at, decision);
        return Some(was);
    }
    if measured.is_none_or(|measured| !measured.is_bad()) {
        state.maintained.remove(component);
    }
    measured.or((was == ComponentStatus::UnderMaintenance).then_some(ComponentStatus::Operational))
}

/// Tells the operator of trouble in a maintenance, when it is not what was told before.
fn note(
    state: &mut State,
    component: &ComponentId,
    found: Option<&Assessment>,
    at: Timestamp,
    decision: &mut Decision,
) {
    let Some(maintained) = state.maintained.get_mut(component) else { return };
    let trouble = found.filter(|found| found.status.is_bad());
    let status = trouble.map(|found| found.status);
    if status != maintained.noted
        && let Some(found) = trouble
    {
        let kind = EventKind::TroubleInMaintenance {
            component: component.clone(),
            maintenance: maintained.maintenance.clone(),
            status: found.status,
            because: found.because.clone(),
        };
        decision.events.push(Event { at, kind });
    }
    maintained.noted = status;
}

/// The end of the maintenance that trouble of `component` outlasted, if it began before that; and
/// whether somebody ended it early.
pub(super) fn outlasted(
    state: &State,
    component: &ComponentId,
    bad_since: Option<Timestamp>,
) -> Option<(Timestamp, bool)> {
    let Maintained { until, early, .. } = *state.maintained.get(component)?;
    bad_since.is_none_or(|since| since < until).then_some((until, early))
}
