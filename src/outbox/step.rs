//! One step of an incident that waits to be published, and how steps that wait together become
//! one: every action carries the whole state, so only the texts have to be gathered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{
    Action, ActionKind, ComponentId, ComponentStatus, Impact, IncidentKey, IncidentStatus,
    Timestamp,
};

use super::Payload;

/// How many texts one step gathers: what an API that was away for days has missed is not worth
/// more, and what waits must not grow without bound.
const MAX_TEXTS: usize = 12;

/// One or several actions of one incident, as one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Step {
    /// The first action's kind.
    pub(super) kind: ActionKind,
    /// The last action's sequence.
    pub(super) sequence: u32,
    /// When the first action was decided.
    pub(super) since: Timestamp,
    /// When the last action was decided.
    pub(super) at: Timestamp,
    started_at: Timestamp,
    pub(super) status: IncidentStatus,
    pub(super) impact: Impact,
    pub(super) title: String,
    pub(super) components: BTreeMap<ComponentId, ComponentStatus>,
    /// Each with its own sequence: which of them the page has already is known only when the step
    /// is written.
    texts: Vec<(u32, String)>,
    /// The sequences of those that are a person's.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    by_person: BTreeSet<u32>,
}

impl From<Action> for Step {
    fn from(action: Action) -> Self {
        Self {
            kind: action.kind,
            sequence: action.sequence,
            since: action.at,
            at: action.at,
            started_at: action.started_at,
            status: action.status,
            impact: action.impact,
            title: action.title,
            components: action.components,
            texts: vec![(action.sequence, action.body)],
            by_person: action.by_person.then_some(action.sequence).into_iter().collect(),
        }
    }
}

impl Step {
    /// Takes in the step that follows; gives it back where the two must stay apart.
    ///
    /// 1. An update joins the opening or the update before it: the latest state, both texts.
    /// 2. A resolution takes the place of the updates before it: what was worth saying while it
    ///    lasted is not worth a word after it is over. What a person said is said all the same.
    /// 3. A resolution does not join an opening: the page's history should show that there was
    ///    something.
    /// 4. Nothing joins a resolution.
    pub(super) fn absorb(&mut self, later: Self) -> Option<Self> {
        match (self.kind, later.kind) {
            (ActionKind::Resolve, _) | (ActionKind::Open, ActionKind::Resolve) => Some(later),
            (ActionKind::Update, ActionKind::Resolve) => {
                let mut texts = std::mem::take(&mut self.texts);
                texts.retain(|(sequence, _)| self.by_person.contains(sequence));
                texts.extend(later.texts);
                self.by_person.extend(later.by_person);
                let by_person = std::mem::take(&mut self.by_person);
                *self = Self { since: self.since, texts, by_person, ..later };
                None
            }
            (ActionKind::Open | ActionKind::Update, ActionKind::Open | ActionKind::Update) => {
                let mut texts = std::mem::take(&mut self.texts);
                texts.extend(later.texts);
                let mut surplus = texts.len().saturating_sub(MAX_TEXTS);
                self.by_person.extend(later.by_person);
                let by_person = std::mem::take(&mut self.by_person);
                texts.retain(|(sequence, _)| {
                    let goes = surplus > 0 && !by_person.contains(sequence);
                    surplus -= usize::from(goes);
                    !goes
                });
                *self = Self { kind: self.kind, since: self.since, texts, by_person, ..later };
                None
            }
        }
    }

    /// What is written to the API when the steps up to `applied` stand there already and the
    /// components `unlisted` are not known to it.
    pub(super) fn payload(
        &self,
        key: &IncidentKey,
        install: &str,
        applied: u32,
        unlisted: &BTreeSet<ComponentId>,
    ) -> Payload {
        Payload {
            key: key.clone(),
            install: install.to_owned(),
            sequence: self.sequence,
            kind: self.kind,
            at: self.at,
            started_at: self.started_at,
            status: self.status,
            impact: self.impact,
            title: self.title.clone(),
            body: self.body(applied),
            notify: false,
            components: self
                .components
                .iter()
                .filter(|(component, _)| !unlisted.contains(*component))
                .map(|(component, status)| (component.clone(), *status))
                .collect(),
        }
    }

    /// The texts that are news, in order; nothing is said twice in a row.
    pub(super) fn body(&self, applied: u32) -> String {
        let mut said: Vec<&str> = Vec::new();
        for (_, text) in self.texts.iter().filter(|(sequence, _)| *sequence > applied) {
            let text = text.trim();
            if !text.is_empty() && said.last() != Some(&text) {
                said.push(text);
            }
        }
        said.join("\n\n")
    }
}

/// Steps that wait, first to last, with those that may join joined.
pub(super) fn fold(steps: impl IntoIterator<Item = Step>) -> Vec<Step> {
    let mut folded: Vec<Step> = Vec::new();
    for step in steps {
        let apart = match folded.last_mut() {
            Some(last) => last.absorb(step),
            None => Some(step),
        };
        folded.extend(apart);
    }
    folded
}
