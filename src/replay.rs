//! What a journal's observations would have led to: the same inputs through the same engine, under
//! the policies that held then or under another. Pure.
//!
//! [`Replay`] takes inputs and keeps what the engine decided; [`Report`] is what came of it;
//! [`affairs`] puts several reports side by side; [`picture`] draws them.

mod affairs;
mod picture;
mod report;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::engine::{Decision, Engine};
use crate::model::{ActionKind, ComponentId, EventKind, Input, Policy, Timestamp};

pub use affairs::{Affair, affairs};
pub use picture::picture;
pub use report::{Incident, Report, Stretch};

/// By which policy decisions are made again.
#[derive(Clone, Debug, PartialEq)]
pub enum Rules {
    /// By those that held, as the journal tells: what did happen. Before the first that it tells
    /// of, by this one.
    AsTheyWere(Policy),
    /// By this one all along.
    Fixed(Policy),
}

/// One way through a journal.
#[derive(Debug)]
pub struct Replay {
    engine: Engine,
    fixed: bool,
    begun: Option<Policy>,
    report: Report,
}

impl Replay {
    /// A replay by `rules`, called `name`.
    pub fn new(name: impl Into<String>, rules: Rules) -> Self {
        let (fixed, policy) = match rules {
            Rules::AsTheyWere(policy) => (false, policy),
            Rules::Fixed(policy) => (true, policy),
        };
        let report = Report::new(name.into());
        Self { engine: Engine::default(), fixed, begun: Some(policy), report }
    }

    /// Takes in what the journal has at `at`.
    pub fn take(&mut self, input: &Input, at: Timestamp) {
        if let Some(policy) = self.begun.take() {
            self.report.from = at;
            self.handle(&Input::PolicyChanged(Box::new(policy)), at);
        }
        match input {
            Input::PolicyChanged(_) if self.fixed => {}
            Input::PolicyChanged(_) | Input::Maintenance(_) | Input::Operator(_) => {
                self.handle(input, at);
            }
            Input::Observed(observation) => {
                self.report.observations += 1;
                let policy = self.engine.state().policy();
                let is_known = policy.checks.contains_key(&observation.check)
                    || policy.prober.references.contains_key(&observation.check);
                self.report.strange += u64::from(!is_known);
                self.handle(input, at);
            }
        }
        self.report.to = at;
    }

    /// What came of it.
    pub fn finish(self) -> Report {
        let mut report = self.report;
        let policy = self.engine.state().policy();
        let names = |id: &ComponentId| policy.components.get(id).map(|is| is.name.clone());
        let gone = report.stretches.keys().filter_map(|id| Some((id.clone(), names(id)?)));
        report.names = gone.collect();
        for (platform, is) in &policy.platforms {
            report.platforms.insert(platform.clone(), is.name.clone());
        }
        report
    }

    fn handle(&mut self, input: &Input, at: Timestamp) {
        let decision = self.engine.handle(input, at);
        // Most runs decide nothing.
        if !decision.actions.is_empty() || !decision.events.is_empty() {
            self.note(decision);
        }
    }

    fn note(&mut self, decision: Decision) {
        for event in decision.events {
            if let EventKind::ComponentChanged { component, to, .. } = event.kind {
                let status = Stretch { since: event.at, status: to };
                self.report.stretches.entry(component).or_default().push(status);
            }
        }
        for action in decision.actions {
            let known = self.report.incidents.entry(action.incident.clone());
            let incident = known.or_insert_with(|| Incident {
                platform: action.platform.clone(),
                title: String::new(),
                impact: action.impact,
                started_at: action.started_at,
                opened_at: action.at,
                resolved_at: None,
                components: BTreeMap::new(),
                steps: 0,
            });
            incident.impact = action.impact;
            incident.started_at = action.started_at;
            incident.steps = action.sequence;
            if action.kind == ActionKind::Resolve {
                incident.resolved_at = Some(action.at);
            } else {
                incident.title = action.title;
            }
            for (id, status) in action.components {
                let worst = incident.components.entry(id).or_default();
                *worst = (*worst).max(status);
            }
        }
    }
}
