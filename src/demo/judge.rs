//! The judge: given a scenario and what the status page showed over time, what of it came as it
//! should. It is pure and never waits: whoever plays the scenario tells it every look at the page.
//!
//! What is expected is a row of phases. Each may be shown from its `from` on, must be shown by its
//! deadline, and from then on holds until the next begins. Whatever else is shown is wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::scenario::{Event, Expect, Scenario, Tempo};
use crate::model::{ComponentStatus, Impact, IncidentStatus, Span, Timestamp};

mod outcome;
mod phase;
#[cfg(test)]
mod tests;
mod words;

pub use outcome::{Outcome, Remark, Score, Symptom, Told, Wrong, WrongKind};
pub use words::Backstage;

/// What everything may take beside the time of the story: checks and deliveries are real.
pub const SLACK: Duration = Duration::from_secs(5);

/// How long after a first symptom it may be on the page, beside [`SLACK`]: one interval.
pub const INTERVAL: Span = Span::from_secs(30);

/// What the status page showed at one time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// When it was seen.
    pub at: Timestamp,
    /// Every component's status, by our ids.
    pub components: BTreeMap<String, ComponentStatus>,
    /// Every incident, over or not, the newest first.
    pub incidents: Vec<IncidentSeen>,
}

/// What the status page said of one incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentSeen {
    /// The page's id of it.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its status.
    pub status: IncidentStatus,
    /// Its impact.
    pub impact: Impact,
    /// The updates, the newest first.
    pub updates: Vec<UpdateSeen>,
}

/// One update of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpdateSeen {
    /// When it was posted, as the page says.
    pub at: Timestamp,
    /// The incident's status with it.
    pub status: IncidentStatus,
    /// Its text.
    pub body: String,
}

/// Holds looks at the page against a scenario.
#[derive(Debug)]
pub struct Judge {
    scenario: Arc<Scenario>,
    tempo: Tempo,
    backstage: Backstage,
    /// What must hold, phase by phase; the first is the calm that every story begins with.
    phases: Vec<Expect>,
    current: usize,
    /// When the current phase was first shown.
    reached: Option<Timestamp>,
    /// Whether it was told already that the current phase is late.
    told_late: bool,
    all_reached: Vec<Option<Timestamp>>,
    symptoms: Vec<Symptom>,
    wrongs: Vec<Wrong>,
    /// How many updates of each incident were read.
    read: BTreeMap<String, usize>,
    /// Every component that was shown as bad.
    shown_bad: BTreeSet<String>,
    last: Option<Look>,
}

impl Judge {
    /// A judge of `scenario`, played at `tempo`.
    pub fn new(scenario: Arc<Scenario>, tempo: Tempo, backstage: Backstage) -> Self {
        let mut phases = vec![calm(&scenario)];
        phases.extend(scenario.expects.iter().cloned());
        let symptom = |event: &Event| Symptom {
            says: event.says.clone(),
            at: event.at,
            bound: tempo.after(event.at + INTERVAL, SLACK),
            told: None,
            late: false,
        };
        let symptoms = scenario.events.iter().filter(|event| event.symptom).map(symptom).collect();
        Self {
            all_reached: vec![None; phases.len()],
            scenario,
            tempo,
            backstage,
            phases,
            current: 0,
            reached: None,
            told_late: false,
            symptoms,
            wrongs: Vec::new(),
            read: BTreeMap::new(),
            shown_bad: BTreeSet::new(),
            last: None,
        }
    }

    /// Takes the next look; tells what came of it. What is later than the end of the story is not
    /// looked at any more.
    pub fn look(&mut self, look: Look) -> Vec<Remark> {
        let mut remarks = self.advance(look.at);
        if look.at > self.scenario.ends {
            return remarks;
        }
        let bad = look.components.iter().filter(|(_, status)| status.is_bad());
        self.shown_bad.extend(bad.map(|(id, _)| id.clone()));
        self.hold_against_phase(&look, &mut remarks);
        self.look_for_symptoms(&look, &mut remarks);
        self.read_texts(&look, &mut remarks);
        self.keep_count(&look, &mut remarks);
        self.last = Some(look);
        remarks
    }

    /// Takes what a player found wrong by itself.
    pub fn object(&mut self, at: Timestamp, what: impl Into<String>) -> Vec<Remark> {
        let mut remarks = Vec::new();
        self.wrong(at, WrongKind::Page, what, &mut remarks);
        remarks
    }

    /// The sum of it, at the end of the story.
    pub fn finish(mut self) -> (Outcome, Vec<Remark>) {
        let ends = self.scenario.ends;
        let mut remarks = self.advance(ends);
        self.close(ends, &mut remarks);
        self.compare_lives(&mut remarks);
        let expected: BTreeSet<String> =
            self.scenario.affected_until(ends).into_iter().map(str::to_owned).collect();
        let outcome = Outcome {
            reached: self.all_reached.split_off(1),
            symptoms: self.symptoms,
            components: Score::of(&expected, &self.shown_bad),
            wrongs: self.wrongs,
            incidents: self.last.map(|look| look.incidents).unwrap_or_default(),
        };
        (outcome, remarks)
    }

    /// Goes on to the phase that holds at `at`.
    fn advance(&mut self, at: Timestamp) -> Vec<Remark> {
        let mut remarks = Vec::new();
        while let Some(next) = self.phases.get(self.current + 1)
            && next.from <= at
        {
            let until = next.from;
            self.close(until, &mut remarks);
            self.current += 1;
            self.reached = None;
            self.told_late = false;
        }
        remarks
    }

    /// Ends the current phase: it must have been shown, and everything been said.
    fn close(&mut self, until: Timestamp, remarks: &mut Vec<Remark>) {
        if let Some(slot) = self.all_reached.get_mut(self.current) {
            *slot = self.reached;
        }
        let Some(phase) = self.phases.get(self.current).cloned() else { return };
        let nobody_looked = self.reached.is_none() && !self.told_late;
        if nobody_looked {
            let what = format!("never shown: {}", phase.says);
            self.wrong(until, WrongKind::Missed, what, remarks);
        }
        let newest = self.last.as_ref().and_then(|look| look.incidents.first());
        let unsaid = newest.map(|incident| words::unsaid(&phase, incident, until));
        for pattern in unsaid.unwrap_or_default() {
            let what = format!("nobody was told {pattern:?}: {}", phase.says);
            self.wrong(until, WrongKind::Words, what, remarks);
        }
    }

    /// The rules of a look, in their order:
    ///
    /// 1. A look that is as the phase wants it reaches the phase.
    /// 2. A phase that was reached holds: any difference is wrong.
    /// 3. Until then the page is on its way from the phase before: each component between its two
    ///    statuses, the incidents as before or as they should be.
    /// 4. One that is not reached by its deadline is wrong, once, and is not met if it is reached
    ///    later.
    fn hold_against_phase(&mut self, look: &Look, remarks: &mut Vec<Remark>) {
        let Some(phase) = self.phases.get(self.current).cloned() else { return };
        let differences = phase::differences(look, &phase, &self.backstage);
        if differences.is_empty() {
            if self.reached.is_none() {
                self.reached = Some(look.at);
                let lag = Span::from(look.at.since(phase.from));
                if self.current > 0 && look.at > self.deadline(&phase) && !self.told_late {
                    self.told_late = true;
                    let what = format!("{}: shown {lag} after it was allowed", phase.says);
                    self.wrong(look.at, WrongKind::Missed, what, remarks);
                } else if self.current > 0 && !self.told_late {
                    remarks.push(Remark::Met { at: look.at, says: phase.says, lag });
                }
            }
            return;
        }
        let kind = if phase.incidents == 0 { WrongKind::FalseAlarm } else { WrongKind::Page };
        if self.reached.is_some() {
            for what in differences {
                self.wrong(look.at, kind, what, remarks);
            }
            return;
        }
        let before = self.current.checked_sub(1).and_then(|before| self.phases.get(before));
        let astray = phase::astray(look, before.unwrap_or(&phase), &phase, &self.backstage);
        for what in astray {
            self.wrong(look.at, kind, what, remarks);
        }
        if look.at > self.deadline(&phase) && !self.told_late {
            self.told_late = true;
            let what = format!("{}: {}", phase.says, differences.join("; "));
            self.wrong(look.at, WrongKind::Missed, what, remarks);
        }
    }

    fn deadline(&self, phase: &Expect) -> Timestamp {
        self.tempo.after(phase.from + phase.within, SLACK)
    }

    /// A symptom is told when a component that it makes worse is so on the page, and an incident
    /// has something to say that is no older than it.
    fn look_for_symptoms(&mut self, look: &Look, remarks: &mut Vec<Remark>) {
        let mut late = Vec::new();
        for symptom in self.symptoms.iter_mut().filter(|it| it.told.is_none() && !it.is_late()) {
            let Some(n) = self.phases.iter().position(|phase| phase.from == symptom.at) else {
                continue;
            };
            if look.at < symptom.at {
                continue;
            }
            let (Some(phase), before) = (self.phases.get(n), n.checked_sub(1)) else { continue };
            let before = before.and_then(|before| self.phases.get(before)).unwrap_or(phase);
            let is_told = phase::tells(look, before, phase, symptom.at, &self.backstage);
            symptom.told = is_told.then_some(look.at);
            if look.at > symptom.bound {
                symptom.late = true;
                let bound = Span::from(symptom.bound.since(symptom.at));
                late.push(format!("not on the page within {bound}: {}", symptom.says));
            } else if is_told {
                let lag = look.at.since(symptom.at).into();
                remarks.push(Remark::Told { at: look.at, says: symptom.says.clone(), lag });
            }
        }
        for what in late {
            self.wrong(look.at, WrongKind::Late, what, remarks);
        }
    }

    /// Reads every text that was not read before.
    fn read_texts(&mut self, look: &Look, remarks: &mut Vec<Remark>) {
        for incident in &look.incidents {
            let read = self.read.get(&incident.id).copied().unwrap_or(0);
            let new = incident.updates.len().saturating_sub(read);
            self.read.insert(incident.id.clone(), incident.updates.len());
            for update in incident.updates.iter().take(new).rev() {
                let phase = self.phases.iter().rev().find(|phase| phase.from <= update.at);
                let found = words::unfit(&self.scenario, phase, incident, update, &self.backstage);
                for what in found {
                    self.wrong(look.at, WrongKind::Words, what, remarks);
                }
            }
        }
    }

    /// Where a phase wants news again and again, no silence may be longer.
    fn keep_count(&mut self, look: &Look, remarks: &mut Vec<Remark>) {
        let Some(phase) = self.phases.get(self.current) else { return };
        let (Some(every), Some(incident)) = (phase.updates, look.incidents.first()) else { return };
        let posted = incident.updates.iter().map(|update| update.at);
        let later = std::iter::once(look.at).chain(posted.clone());
        let is_long = |(later, earlier)| later > self.tempo.after(earlier + every, SLACK);
        if later.zip(posted).take_while(|(later, _)| *later >= phase.from).any(is_long) {
            let what = format!("no word for {every}: {}", phase.says);
            self.wrong(look.at, WrongKind::Silence, what, remarks);
        }
    }

    /// Holds the life of each incident against the one that the phases tell.
    fn compare_lives(&mut self, remarks: &mut Vec<Remark>) {
        let ends = self.scenario.ends;
        let Some(last) = &self.last else { return };
        let seen: Vec<Vec<IncidentStatus>> =
            last.incidents.iter().rev().map(outcome::life).collect();
        let expected = phase::lives(&self.phases);
        if seen != expected {
            let what = format!(
                "the lives of the incidents were {}, not {}",
                outcome::lives(&seen),
                outcome::lives(&expected)
            );
            self.wrong(ends, WrongKind::Lifecycle, what, remarks);
        }
    }

    /// Notes something wrong, once.
    fn wrong(
        &mut self,
        at: Timestamp,
        kind: WrongKind,
        what: impl Into<String>,
        remarks: &mut Vec<Remark>,
    ) {
        let wrong = Wrong { at, kind, phase: self.current, what: what.into() };
        let known = |it: &Wrong| it.what == wrong.what && it.phase == wrong.phase;
        if !self.wrongs.iter().any(known) {
            remarks.push(Remark::Wrong(wrong.clone()));
            self.wrongs.push(wrong);
        }
    }
}

/// The phase that every story begins with: nothing is wrong, and nothing is said.
fn calm(scenario: &Scenario) -> Expect {
    Expect {
        from: scenario.begins,
        within: Span::ZERO,
        says: "all is well".to_owned(),
        components: BTreeMap::new(),
        incidents: 0,
        status: None,
        impact: None,
        title: None,
        words: Vec::new(),
        never: Vec::new(),
        updates: None,
    }
}
