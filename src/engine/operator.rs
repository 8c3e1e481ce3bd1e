//! What the operator says of an incident: a word to the public, or that it is over.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Decision;
use super::correlate::Changes;
use super::lifecycle::Stage;
use super::state::State;
use crate::model::{Cause, ComponentId, IncidentKey, Order, Timestamp, Wish};

/// How long a person's word holds: as long as where one resolves an incident on the page, which
/// the outbox respects.
const RESPECT: Duration = Duration::from_secs(3_600);

/// A component of which a person said that its incident is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Respected {
    /// The incident that held it.
    pub incident: IncidentKey,
    /// When that was said.
    pub since: Timestamp,
    /// Until when it opens nothing, should it fail again.
    pub until: Timestamp,
    /// Whether it was bad then, and has been ever since: it opens nothing until it was well once.
    pub lasts: bool,
}

impl Respected {
    /// Whether the word still holds.
    pub(super) fn holds_at(&self, at: Timestamp) -> bool {
        self.lasts || at < self.until
    }
}

/// Does what the operator wants, and gives the components that are free by it:
///
/// 1. An incident that is not open is none that anything can be said of: nothing happens.
/// 2. A note is a step as every other, in a person's words. It counts as news.
/// 3. That the cause is known is said only while something is wrong.
/// 4. An incident that is said to be over is resolved at once, whatever its checks say.
/// 5. What was bad then opens nothing until it was well once ([`admits`]).
/// 6. Of what nobody was told yet no person's word can be: a newcomer is free, and what was told to
///    be well counts as if it had failed after that word.
pub(super) fn obey(
    state: &mut State,
    order: &Order,
    at: Timestamp,
    decision: &mut Decision,
) -> Vec<ComponentId> {
    let Some(mut incident) = state.incidents.remove(&order.incident) else { return Vec::new() };
    match &order.wish {
        Wish::Note { text, identified } => {
            // What is new by itself is not a person's to say.
            if let Some(cause) = incident.news_cause() {
                incident.step(state, cause, at, decision);
            }
            incident.identified |= *identified && incident.stage == Stage::Investigating;
            let cause = Cause::OperatorNoted;
            incident.step_saying(Some(text), state, cause, at, decision);
            state.incidents.insert(order.incident.clone(), incident);
            Vec::new()
        }
        Wish::Resolve => {
            let newcomers = incident.let_newcomers_go();
            let told_well = incident.told_well();
            incident.step(state, Cause::OperatorResolved, at, decision);
            for (id, status) in incident.components() {
                let respected = Respected {
                    incident: order.incident.clone(),
                    since: at,
                    until: at + RESPECT,
                    lasts: status.is_bad() && !told_well.contains(id),
                };
                if state.policy.components.contains_key(id) {
                    state.respected.insert(id.clone(), respected);
                }
            }
            let closed = incident.closed(at);
            let freed = closed.components.iter().cloned().chain(newcomers).collect();
            state.close(closed);
            freed
        }
    }
}

/// Takes note of what changed, of components that a person's word holds for.
pub(super) fn hear(state: &mut State, changes: &Changes, at: Timestamp) {
    for (id, (_, to)) in changes {
        if let Some(respected) = state.respected.get_mut(id) {
            respected.lasts &= to.is_bad();
        }
    }
    state.respected.retain(|_, respected| respected.holds_at(at));
}

/// From when on trouble of `component`, which is bad at `at`, may open an incident; `None` if it
/// may not:
///
/// 1. The trouble that a person called over may not, even if it gets worse.
/// 2. Other trouble may when the person's word has held for long enough.
pub(super) fn admits(state: &State, component: &ComponentId, at: Timestamp) -> Option<Timestamp> {
    match state.respected.get(component) {
        Some(respected) if respected.lasts => None,
        Some(respected) => Some(respected.until.max(at)),
        None => Some(at),
    }
}
