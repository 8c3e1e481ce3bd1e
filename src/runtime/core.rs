//! The synchronous heart of the process: schedule, engine and outboxes side by side, and what
//! each event means for them. No I/O and no clock: the loop around it brings both.

use std::collections::BTreeMap;

use crate::engine::{Decision, Engine};
use crate::model::{
    Announcements, CheckId, Event, IncidentKey, Input, LaneId, MaintenanceId, PageMaintenance,
    Span, Timestamp,
};
use crate::outbox::{self, Attempt, AttemptId, Outbox, Outcome, RemoteId};
use crate::schedule::{Due, Schedule};

/// How far apart from its latest run a check is asked for a dependency's sake.
const APART: Span = Span::from_millis(500);

/// Everything that decides.
#[derive(Debug)]
pub struct Core {
    schedule: Schedule,
    engine: Engine,
    outboxes: BTreeMap<LaneId, Outbox>,
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
    pub notices: Vec<(LaneId, outbox::Notice)>,
    /// Ticks of checks that were missed because the run before took too long.
    pub missed: Vec<(CheckId, u32)>,
}

impl Core {
    /// Puts the parts together.
    pub fn new(schedule: Schedule, engine: Engine, outboxes: BTreeMap<LaneId, Outbox>) -> Self {
        Self { schedule, engine, outboxes, held: false }
    }

    /// The engine, to read.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The outboxes, to read.
    pub fn outboxes(&self) -> &BTreeMap<LaneId, Outbox> {
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

    /// The outboxes that have an incident.
    pub fn outboxes_of(
        &mut self,
        key: &IncidentKey,
    ) -> impl Iterator<Item = (&LaneId, &mut Outbox)> {
        self.outboxes.iter_mut().filter(|(_, outbox)| outbox.view(key).is_some())
    }

    /// Takes an input that the journal has at `at`.
    pub fn input(&mut self, input: &Input, at: Timestamp) -> Heard {
        let checked = match input {
            Input::Observed(observation) => Some(observation.check.clone()),
            Input::PolicyChanged(_) | Input::Maintenance(_) | Input::Operator(_) => None,
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
        self.hasten_dependencies(at);
        heard
    }

    /// What was read on the page that `lane` leads to, if the engine does not know it.
    pub fn announced(
        &self,
        lane: &LaneId,
        read: &BTreeMap<RemoteId, PageMaintenance>,
    ) -> Option<Input> {
        let name = |id: &RemoteId| MaintenanceId::on_page(lane, id.as_str());
        let maintenances: BTreeMap<MaintenanceId, PageMaintenance> =
            read.iter().map(|(id, announced)| (name(id), announced.clone())).collect();
        let none = BTreeMap::new();
        let known = self.engine.state().announced().get(lane).unwrap_or(&none);
        let news = Announcements { lane: lane.clone(), maintenances };
        (news.maintenances != *known).then(|| Input::Maintenance(Box::new(news)))
    }

    /// Failures that may be our own network's doing wait for the references: so these run now.
    fn hasten_references(&mut self, now: Timestamp) {
        if let Some(apart) = self.engine.asks_references_within() {
            for check in self.engine.state().policy().prober.references.keys() {
                self.schedule.hasten(check, apart, now);
            }
        }
    }

    /// What went bad may be the doing of what it depends on, and is not told before that is known:
    /// so that is asked now.
    fn hasten_dependencies(&mut self, now: Timestamp) {
        for check in self.engine.asks_dependencies() {
            self.schedule.hasten(&check, APART, now);
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
        for (lane, outbox) in &mut self.outboxes {
            let said = outbox.tick(now).into_iter();
            heard.notices.extend(said.map(|notice| (lane.clone(), notice)));
        }
        heard
    }

    /// The checks to run now.
    pub fn due(&mut self, now: Timestamp) -> Vec<Due> {
        self.schedule.due(now)
    }

    /// The requests to send now. Whoever takes them saves the outboxes first.
    /// While publishing is held there are none.
    pub fn attempts(&mut self, now: Timestamp) -> Vec<(LaneId, Attempt)> {
        if self.held {
            return Vec::new();
        }
        self.outboxes
            .iter_mut()
            .filter_map(|(lane, outbox)| Some((lane.clone(), outbox.next(now)?)))
            .collect()
    }

    /// Takes what became of a request.
    pub fn outcome(
        &mut self,
        lane: &LaneId,
        attempt: AttemptId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Heard {
        let notices = self
            .outboxes
            .get_mut(lane)
            .map(|outbox| outbox.outcome(attempt, outcome, now))
            .unwrap_or_default();
        Heard {
            notices: notices.into_iter().map(|notice| (lane.clone(), notice)).collect(),
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
            // A platform without an outbox left the configuration: there is nowhere to publish.
            let lanes = self.outboxes.iter_mut().filter(|(lane, _)| lane.is_of(&action.platform));
            for (lane, outbox) in lanes {
                notices.extend(outbox.push(action.clone()).map(|notice| (lane.clone(), notice)));
            }
        }
        Heard { events: decision.events, notices, ..Heard::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::Core;
    use crate::engine::{Decision, Engine, State};
    use crate::model::{
        Action, ActionKind, Impact, IncidentKey, IncidentStatus, LaneId, Mode, Modes, PlatformId,
        Publishing, Timestamp,
    };
    use crate::outbox::{self, Outbox, Timing};
    use crate::schedule::Schedule;

    fn opening(platform: PlatformId, at: Timestamp) -> Action {
        Action {
            incident: IncidentKey::new("abc"),
            sequence: 1,
            follows: None,
            kind: ActionKind::Open,
            platform,
            at,
            started_at: at,
            status: IncidentStatus::Investigating,
            impact: Impact::Minor,
            components: BTreeMap::new(),
            title: String::new(),
            body: String::new(),
            by_person: false,
            account: None,
        }
    }

    #[test]
    fn a_draft_is_held_on_every_lane_and_found_on_each_of_them() {
        let (now, blip) = (Timestamp::from_secs(60), PlatformId::new("blip"));
        let one = |mode| Modes { minor: mode, major: mode, critical: mode };
        let publishing = Publishing { modes: one(Mode::Draft), ..Publishing::default() };
        let lanes = [LaneId::of_page(&blip), LaneId::of(&blip, "pagerduty")];
        let outbox = || {
            let outbox = Outbox::new("i", outbox::State::default(), Timing::default());
            outbox.with_publishing(publishing)
        };
        let outboxes = lanes.map(|lane| (lane, outbox())).into();
        let schedule = Schedule::new([], now);
        let mut core = Core::new(schedule, Engine::new(State::default()), outboxes);
        let action = opening(blip, now);
        let key = action.incident.clone();
        let heard = core.absorb(Decision { actions: vec![action], ..Decision::default() });
        assert_eq!((heard.notices.len(), core.attempts(now).len()), (2, 0));
        for (_, outbox) in core.outboxes_of(&key) {
            assert!(outbox.approve(&key).is_some());
        }
        assert_eq!(core.attempts(now).len(), 2);
        assert_eq!(core.outboxes_of(&IncidentKey::new("other")).count(), 0);
    }

    #[test]
    fn an_action_goes_to_every_lane_of_its_platform_and_a_lane_in_trouble_delays_no_other() {
        let now = Timestamp::from_secs(60);
        let (blip, blipp) = (PlatformId::new("blip"), PlatformId::new("blipp"));
        let lanes = [
            LaneId::of_page(&blip),
            LaneId::of(&blip, "pagerduty"),
            LaneId::of_page(&blipp),
            LaneId::of(&blipp, "pagerduty"),
        ];
        let outbox = || Outbox::new("i", outbox::State::default(), Timing::default());
        let outboxes: BTreeMap<_, _> = lanes.iter().map(|lane| (lane.clone(), outbox())).collect();
        let schedule = Schedule::new([], now);
        let mut core = Core::new(schedule, Engine::new(State::default()), outboxes);
        let action = opening(blip, now);
        let _ = core.absorb(Decision { actions: vec![action.clone()], ..Decision::default() });
        let attempts = core.attempts(now);
        let asked: Vec<&str> = attempts.iter().map(|(lane, _)| lane.as_str()).collect();
        assert_eq!(asked, ["blip", "blip:pagerduty"]);
        // One never answers; the other goes on.
        let (lane, attempt) = attempts.into_iter().nth(1).unwrap();
        let done = outbox::Outcome::Done { remote: outbox::RemoteId::new("r"), standing: None };
        let _ = core.outcome(&lane, attempt.id, done, now);
        let update = Action { sequence: 2, kind: ActionKind::Update, ..action };
        let _ = core.absorb(Decision { actions: vec![update], ..Decision::default() });
        let later = core.attempts(Timestamp::from_secs(90));
        assert_eq!(later.len(), 1);
        assert_eq!(later[0].0, lane);
    }
}
