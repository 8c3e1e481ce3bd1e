//! The synchronous heart of the process: schedule, engine and outboxes side by side, and what
//! each event means for them. No I/O and no clock: the loop around it brings both.

use std::collections::BTreeMap;

use crate::engine::{Decision, Engine};
use crate::model::{CheckId, Event, IncidentKey, Input, PlatformId, Timestamp};
use crate::outbox::{self, Attempt, AttemptId, Outbox, Outcome};
use crate::schedule::{Due, Schedule};

/// Everything that decides.
#[derive(Debug)]
pub struct Core {
    schedule: Schedule,
    engine: Engine,
    outboxes: BTreeMap<PlatformId, Outbox>,
    /// Nothing is published.
    held: bool,
}

/// What came of an event: for logs, metrics and whoever watches.
#[derive(Debug, Default)]
#[must_use]
pub struct Heard {
    /// What the engine noticed and decided.
    pub events: Vec<Event>,
    /// What the outboxes have to say.
    pub notices: Vec<(PlatformId, outbox::Notice)>,
    /// Ticks of checks that were missed because the run before took too long.
    pub missed: Vec<(CheckId, u32)>,
}

impl Core {
    /// Puts the parts together.
    pub fn new(schedule: Schedule, engine: Engine, outboxes: BTreeMap<PlatformId, Outbox>) -> Self {
        Self { schedule, engine, outboxes, held: false }
    }

    /// The engine, to read.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The outboxes, to read.
    pub fn outboxes(&self) -> &BTreeMap<PlatformId, Outbox> {
        &self.outboxes
    }

    /// Whether nothing is published.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Publishes nothing, or goes on. What is in flight ends, and nothing is forgotten.
    pub fn hold(&mut self, held: bool) {
        self.held = held;
    }

    /// Whether a request is to be sent now, if nothing holds it.
    pub fn is_sending_due(&self, now: Timestamp) -> bool {
        let mut wakeups = self.outboxes.values().filter_map(Outbox::next_wakeup);
        wakeups.any(|wakeup| wakeup.at <= now)
    }

    /// The outbox that has an incident.
    pub fn outbox_of(&mut self, key: &IncidentKey) -> Option<(PlatformId, &mut Outbox)> {
        let mut outboxes = self.outboxes.iter_mut();
        let (platform, outbox) = outboxes.find(|(_, outbox)| outbox.view(key).is_some())?;
        Some((platform.clone(), outbox))
    }

    /// Takes an input that the journal has at `at`.
    pub fn input(&mut self, input: &Input, at: Timestamp) -> Heard {
        let checked = match input {
            Input::Observed(observation) => Some(observation.check.clone()),
            Input::PolicyChanged(_) => None,
        };
        let decision = self.engine.handle(input, at);
        let mut heard = self.absorb(decision);
        if let Some(check) = checked {
            let unsettled = self.engine.is_unsettled(&check);
            let missed = self.schedule.finished(&check, at, unsettled);
            if missed > 0 {
                heard.missed.push((check, missed));
            }
        }
        self.hasten_references(at);
        heard
    }

    /// Failures that may be our own network's doing wait for the references: so these run now.
    fn hasten_references(&mut self, now: Timestamp) {
        if let Some(apart) = self.engine.asks_references_within() {
            for check in self.engine.state().policy().prober.references.keys() {
                self.schedule.hasten(check, apart, now);
            }
        }
    }

    /// Takes an input that was taken before, or that comes before anything runs: what was decided
    /// then is decided again, and what the outboxes know of it they keep.
    pub fn replay(&mut self, input: &Input, at: Timestamp) {
        let decision = self.engine.handle(input, at);
        // Told when it first happened.
        let Heard { .. } = self.absorb(decision);
    }

    /// Has the outboxes pick up where a process before this one ended, once all is replayed.
    pub fn resume_outboxes(&mut self, now: Timestamp) {
        for outbox in self.outboxes.values_mut() {
            outbox.resume(now);
        }
    }

    /// Settles what was due by `now`.
    pub fn tick(&mut self, now: Timestamp) -> Heard {
        let decision = self.engine.settle(now);
        let mut heard = self.absorb(decision);
        for (platform, outbox) in &mut self.outboxes {
            let said = outbox.tick(now).into_iter();
            heard.notices.extend(said.map(|notice| (platform.clone(), notice)));
        }
        heard
    }

    /// The checks to run now.
    pub fn due(&mut self, now: Timestamp) -> Vec<Due> {
        self.schedule.due(now)
    }

    /// The requests to send now. Whoever takes them saves the outboxes first.
    /// While publishing is held there are none.
    pub fn attempts(&mut self, now: Timestamp) -> Vec<(PlatformId, Attempt)> {
        if self.held {
            return Vec::new();
        }
        self.outboxes
            .iter_mut()
            .filter_map(|(platform, outbox)| Some((platform.clone(), outbox.next(now)?)))
            .collect()
    }

    /// Takes what became of a request.
    pub fn outcome(
        &mut self,
        platform: &PlatformId,
        attempt: AttemptId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Heard {
        let notices = self
            .outboxes
            .get_mut(platform)
            .map(|outbox| outbox.outcome(attempt, outcome, now))
            .unwrap_or_default();
        Heard {
            notices: notices.into_iter().map(|notice| (platform.clone(), notice)).collect(),
            ..Heard::default()
        }
    }

    /// When something is due next.
    pub fn next_wakeup(&self) -> Option<Timestamp> {
        let outboxes = self.outboxes.values().filter_map(|outbox| {
            // What may not be sent is not waited for.
            if self.held { outbox.next_word() } else { Some(outbox.next_wakeup()?.at) }
        });
        outboxes
            .chain(self.schedule.next_wakeup().map(|wakeup| wakeup.at))
            .chain(self.engine.next_wakeup().map(|wakeup| wakeup.at))
            .min()
    }

    fn absorb(&mut self, decision: Decision) -> Heard {
        let mut notices = Vec::new();
        for action in decision.actions {
            let platform = action.platform.clone();
            // A platform without an outbox left the configuration: there is nowhere to publish.
            if let Some(outbox) = self.outboxes.get_mut(&platform) {
                notices.extend(outbox.push(action).map(|notice| (platform, notice)));
            }
        }
        Heard { events: decision.events, notices, ..Heard::default() }
    }
}
