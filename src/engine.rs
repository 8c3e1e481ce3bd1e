//! The decision core: from observations to what the public should read. Synchronous and pure:
//! what it decides follows from its state, what it is told and the time it is told, so that
//! replaying a journal makes the same decisions.
//!
//! In reading order: `quorum` (whose trouble a failure is), `window`, `track` and `detect` (runs to
//! health), `status` (health to component status), `maintenance` (what is shown instead while work is
//! announced), `correlate` and `depend` (which incident a change belongs to), `news` (what waits
//! to be told), `lifecycle` (how an incident goes on), `operator` (what a person says of it), `deadline` (what is waited for), `narrate` (what the
//! public is told), `chronicle` (what it was, told at its end), `state` (all that is remembered).

mod chronicle;
mod correlate;
mod deadline;
mod depend;
mod detect;
mod lifecycle;
mod maintenance;
mod narrate;
mod news;
mod operator;
mod quorum;
mod state;
mod status;
mod track;
mod window;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use correlate::Changes;
use deadline::Deadline;

use crate::model::{
    Action, CheckId, ComponentId, ComponentStatus, Event, EventKind, IncidentKey, Input,
    MaintenanceId, Observation, Policy, Span, Timestamp,
};

pub use detect::CheckState;
pub use lifecycle::Incident;
pub use maintenance::Announced;
pub use operator::Respected;
pub use quorum::Network;
pub use state::{Closed, ComponentState, Follows, State};
pub use track::Track;

/// Decides.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    state: State,
}

/// What follows from one thing that happened.
#[must_use = "a decision that is dropped is never published"]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// What the public should read, in order.
    pub actions: Vec<Action>,
    /// What was noticed and decided, in order.
    pub events: Vec<Event>,
}

/// When the engine wants to be called although nothing happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// When.
    pub at: Timestamp,
    /// What for.
    pub reason: WakeupReason,
}

/// What the engine wants to be woken for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WakeupReason {
    /// The quiet period of a monitored incident is over.
    ResolveDue(IncidentKey),
    /// What has changed of an incident has waited long enough to be told together.
    NewsDue(IncidentKey),
    /// An update was promised.
    UpdateDue(IncidentKey),
    /// A failure has waited long enough for the references.
    PatienceOver,
    /// A maintenance begins, or its time is over.
    MaintenanceDue(MaintenanceId),
    /// A component has had its time to get well after a maintenance.
    GraceOver(ComponentId),
    /// A component that is bad has waited for what it depends on for long enough.
    OpenDue(ComponentId),
}

impl Engine {
    /// Goes on from `state`; [`State::default`] for a fresh start.
    pub fn new(state: State) -> Self {
        Self { state }
    }

    /// Takes in what happened at `now`:
    ///
    /// 1. Time never runs back: a `now` before the latest one counts as that.
    /// 2. Deadlines up to `now` are settled first, each at its own time and in their order.
    /// 3. Then the input is taken in.
    /// 4. Then what the input made due at once is settled: a recovery that was waited for.
    pub fn handle(&mut self, input: &Input, now: Timestamp) -> Decision {
        let mut decision = self.settle(now);
        let now = self.state.now;
        match input {
            Input::Observed(observation) => self.observe(observation, now, &mut decision),
            Input::PolicyChanged(policy) => self.adopt(policy, now, &mut decision),
            Input::Maintenance(announced) => {
                let about = maintenance::hear(&mut self.state, announced, now, &mut decision);
                self.reassess(Changes::new(), &about, now, &mut decision);
            }
            Input::Operator(order) => {
                let freed = operator::obey(&mut self.state, order, now, &mut decision);
                self.reassess(Changes::new(), &freed, now, &mut decision);
            }
        }
        self.settle_until(now, &mut decision);
        decision
    }

    /// Settles the deadlines up to `now`. How often this is called changes nothing of what is
    /// decided, only how soon.
    pub fn settle(&mut self, now: Timestamp) -> Decision {
        let mut decision = Decision::default();
        let now = now.max(self.state.now);
        self.settle_until(now, &mut decision);
        self.state.now = now;
        decision
    }

    /// When to call [`Engine::settle`] next, and why. A deadline that has passed and
    /// could not be settled waits for an observation, not for time.
    pub fn next_wakeup(&self) -> Option<Wakeup> {
        let ahead = deadline::all(&self.state).filter(|(at, _)| *at > self.state.now);
        let (at, due) = ahead.min()?;
        Some(Wakeup { at, reason: due.into() })
    }

    /// How soon the references are to be asked again, if sooner than usual: something waits for
    /// them.
    pub fn asks_references_within(&self) -> Option<Span> {
        self.state.network.asks_within()
    }

    /// The checks that a bad component waits for: whether what it depends on is well.
    pub fn asks_dependencies(&self) -> BTreeSet<CheckId> {
        let waiting = self.state.waiting.keys();
        waiting.flat_map(|component| depend::unheard(&self.state, component)).collect()
    }

    /// All that is remembered, for metrics, the page and the snapshot.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the latest run of `check` disagrees with what is decided, so that it should run
    /// again soon.
    pub fn is_unsettled(&self, check: &CheckId) -> bool {
        self.state.network.holds(check)
            || self.state.checks.get(check).is_some_and(CheckState::is_unsettled)
    }

    /// Settles what is due and ripe, earliest first ([`deadline::is_ripe`]). A deadline that had to
    /// wait is settled when it need not wait any more.
    fn settle_until(&mut self, now: Timestamp, decision: &mut Decision) {
        loop {
            let state = &mut self.state;
            let due = deadline::all(state)
                .filter(|(at, due)| *at <= now && deadline::is_ripe(state, due));
            let Some((at, due)) = due.map(|(at, due)| (at.max(state.now), due)).min() else {
                return;
            };
            match due {
                Deadline::Patience => {
                    self.state.now = at;
                    self.release(at, decision);
                }
                Deadline::Window(id) => {
                    let about = maintenance::turn(state, &id, at, decision);
                    self.reassess(Changes::new(), &about, at, decision);
                }
                Deadline::Grace(component) => {
                    maintenance::grace_over(state, &component);
                    self.reassess(Changes::new(), &[component], at, decision);
                }
                Deadline::Resolve(key) => {
                    // A maintenance may be under way of what the incident held until now.
                    let freed = correlate::resolve(state, &key, at, decision);
                    self.reassess(Changes::new(), &freed, at, decision);
                }
                Deadline::News(key) | Deadline::Update(key) => {
                    correlate::update(state, &key, at, decision);
                }
                Deadline::Open(_) => correlate::apply(state, &Changes::new(), at, decision),
            }
        }
    }

    /// Takes in an observation:
    ///
    /// 1. What a reference says is about our own network.
    /// 2. What is said of a target and may be our network's doing waits for the references.
    /// 3. Whatever need not wait any more after this is taken in.
    /// 4. So is whatever waited for what it depends on, if that is well.
    fn observe(&mut self, observation: &Observation, now: Timestamp, decision: &mut Decision) {
        let State { policy, checks, network, .. } = &mut self.state;
        let check = checks.get(&observation.check);
        if policy.prober.references.contains_key(&observation.check) {
            network.hear(observation, &policy.prober, now, &mut decision.events);
        } else if !policy.checks.contains_key(&observation.check)
            || check.is_some_and(|check| check.has_seen(observation))
        {
            // Here before, or under way when its check was taken out of the configuration.
        } else if !network.keeps(observation, check, policy, now) {
            self.take_in(observation, now, decision);
        }
        self.release(now, decision);
        correlate::wait_no_more(&mut self.state, now);
    }

    /// Takes in what need not wait for the references any more.
    fn release(&mut self, now: Timestamp, decision: &mut Decision) {
        let State { policy, network, .. } = &mut self.state;
        network.go_on(&policy.prober, now, &mut decision.events);
        loop {
            let State { policy, checks, network, .. } = &mut self.state;
            let Some(observation) = network.release(checks, &policy.prober, now) else { return };
            self.take_in(&observation, now, decision);
        }
    }

    fn take_in(&mut self, observation: &Observation, now: Timestamp, decision: &mut Decision) {
        let State { policy, checks, components, .. } = &mut self.state;
        let Some(policy) = policy.checks.get(&observation.check) else { return };
        let component = policy.component.clone();
        let check = checks.entry(observation.check.clone()).or_default();
        let maintained = components
            .get(&component)
            .is_some_and(|component| component.status == ComponentStatus::UnderMaintenance);
        let decided = check.observe(observation, policy, maintained, now, &mut decision.events);
        // After a maintenance, seeing again what is decided is news.
        if decided || maintained {
            self.reassess(Changes::new(), &[component], now, decision);
        }
    }

    /// Takes over a policy:
    ///
    /// 1. Checks, variants of checks and components that it does not name are forgotten.
    /// 2. Components that are new begin as operational.
    /// 3. A component that an incident holds and that has gone counts as recovered.
    /// 4. Every component is looked at again, since caps and maintenances may have moved.
    ///    Thresholds count from the next run on.
    fn adopt(&mut self, policy: &Policy, now: Timestamp, decision: &mut Decision) {
        let state = &mut self.state;
        let before = std::mem::replace(&mut state.policy, policy.clone());
        state.checks.retain(|id, check| {
            policy.checks.get(id).inspect(|policy| check.adopt(policy)).is_some()
        });
        let mut changes = Changes::new();
        state.components.retain(|id, component| {
            let stays = policy.components.contains_key(id);
            if !stays && component.status.is_bad() {
                changes.insert(id.clone(), (component.status, ComponentStatus::Operational));
            }
            stays
        });
        for id in policy.components.keys() {
            let new = || ComponentState { status: ComponentStatus::Operational, since: now };
            state.components.entry(id.clone()).or_insert_with(new);
        }
        for incident in state.incidents.values_mut() {
            incident.adopt(policy);
        }
        state.maintained.retain(|id, _| policy.components.contains_key(id));
        state.respected.retain(|id, _| policy.components.contains_key(id));
        maintenance::adopt(state, &before, now);
        state.network.adopt(policy, now, &mut decision.events);
        let all: Vec<ComponentId> = policy.components.keys().cloned().collect();
        self.reassess(changes, &all, now, decision);
        self.release(now, decision);
    }

    /// Decides the status of `components` anew, and brings what changed to the incidents.
    fn reassess(
        &mut self,
        mut changes: Changes,
        components: &[ComponentId],
        now: Timestamp,
        decision: &mut Decision,
    ) {
        for id in components {
            let found = status::of_component(&self.state, id);
            // What nobody can tell stays as it was.
            let shown = maintenance::shown(&mut self.state, id, found.as_ref(), now, decision);
            let Some(to) = shown else { continue };
            let Some(component) = self.state.components.get_mut(id) else { continue };
            let from = component.status;
            if from == to {
                if to.is_bad() {
                    changes.insert(id.clone(), (from, to));
                }
                continue;
            }
            *component = ComponentState { status: to, since: now };
            changes.insert(id.clone(), (from, to));
            let because = found.and_then(|found| found.because).filter(|_| to.is_bad());
            let component = id.clone();
            let kind = EventKind::ComponentChanged { component, from, to, because };
            decision.events.push(Event { at: now, kind });
        }
        correlate::apply(&mut self.state, &changes, now, decision);
    }
}
