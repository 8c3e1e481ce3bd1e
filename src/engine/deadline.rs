//! What the engine waits for, and until when.

use super::WakeupReason;
use super::lifecycle::Due;
use super::maintenance;
use super::state::State;
use crate::model::{ComponentId, IncidentKey, MaintenanceId, Timestamp};

/// Something that is due at some time; the order is the order at the same moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deadline {
    /// The window of a maintenance begins or ends. First, so that nothing opens as it begins.
    Window(MaintenanceId),
    /// A failure has waited long enough for the references. It comes before what is due then.
    Patience,
    /// A component has had its time to get well after a maintenance.
    Grace(ComponentId),
    /// The quiet period of a monitored incident is over. An incident that is over needs no update.
    Resolve(IncidentKey),
    /// What has changed has waited long enough to be told. What was promised may be told with it.
    News(IncidentKey),
    /// An update was promised.
    Update(IncidentKey),
    /// A bad component has waited for what it depends on for long enough.
    Open(ComponentId),
}

impl From<Deadline> for WakeupReason {
    fn from(due: Deadline) -> Self {
        match due {
            Deadline::Patience => Self::PatienceOver,
            Deadline::Window(maintenance) => Self::MaintenanceDue(maintenance),
            Deadline::Grace(component) => Self::GraceOver(component),
            Deadline::Resolve(key) => Self::ResolveDue(key),
            Deadline::News(key) => Self::NewsDue(key),
            Deadline::Update(key) => Self::UpdateDue(key),
            Deadline::Open(component) => Self::OpenDue(component),
        }
    }
}

/// All that is waited for.
pub(super) fn all(state: &State) -> impl Iterator<Item = (Timestamp, Deadline)> {
    let of_incidents = state.incidents.values().flat_map(|incident| {
        incident.deadlines().map(|(at, due)| match due {
            Due::Resolve => (at, Deadline::Resolve(incident.key().clone())),
            Due::News => (at, Deadline::News(incident.key().clone())),
            Due::Update => (at, Deadline::Update(incident.key().clone())),
        })
    });
    let waiting = state.waiting.iter().map(|(id, until)| (*until, Deadline::Open(id.clone())));
    let patience = state.network.next_deadline(&state.policy.prober);
    let patience = patience.map(|at| (at, Deadline::Patience));
    let windows = maintenance::windows(state).map(|(at, id)| (at, Deadline::Window(id.clone())));
    let graces = maintenance::graces(state).map(|(at, id)| (at, Deadline::Grace(id.clone())));
    patience.into_iter().chain(of_incidents).chain(waiting).chain(windows).chain(graces)
}

/// Whether what is due need not wait for anything but time:
///
/// 1. An incident is over only if it was seen to stay well.
/// 2. A promised update waits until somebody has looked since the last one: after a night without
///    farol there is one thing to tell, and not one for every half hour.
pub(super) fn is_ripe(state: &State, due: &Deadline) -> bool {
    let incident = |key: &IncidentKey| state.incidents.get(key);
    match due {
        Deadline::Resolve(key) => incident(key).is_some_and(|it| it.stayed_well(state)),
        Deadline::Update(key) => incident(key).is_some_and(|it| it.looked_at(state)),
        Deadline::Window(_)
        | Deadline::Patience
        | Deadline::Grace(_)
        | Deadline::News(_)
        | Deadline::Open(_) => true,
    }
}
