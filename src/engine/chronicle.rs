//! What is remembered of an open incident for the account of it that is given at its end. Only
//! what the public may read is kept: what a customer could notice, and how many checks saw it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::correlate::Changes;
use super::lifecycle::{Incident, Stage};
use super::narrate;
use super::state::State;
use super::status;
use crate::model::{
    Account, Affected, Cause, Change, ComponentId, ComponentStatus, Doubt, Happening, Timestamp,
};
use crate::words::Tongue;

/// How many happenings are kept: the beginning and the end, should there be more.
const MOST: usize = 60;

/// What was noted of an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chronicle {
    timeline: Vec<Happening>,
    #[serde(default)]
    left_out: u32,
    components: BTreeMap<ComponentId, Affected>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    doubts: BTreeSet<Doubt>,
}

/// One step that an incident takes.
pub(super) struct Taken<'a> {
    pub(super) cause: Cause,
    pub(super) changes: &'a Changes,
    /// What a person says with it.
    pub(super) words: Option<&'a str>,
    pub(super) at: Timestamp,
    /// Whether there was a result since the step before.
    pub(super) heard: bool,
}

impl Chronicle {
    /// Whether nothing was noted.
    pub(super) fn is_empty(&self) -> bool {
        self.timeline.is_empty()
    }

    /// Notes a step of `incident`, as it is after it:
    ///
    /// 1. An update that only says that nothing changed is no happening.
    /// 2. Of too many, those in the middle are left out, and counted.
    /// 3. A component's trouble began with the first bad run that led to it.
    pub(super) fn note(&mut self, incident: &Incident, state: &State, taken: &Taken<'_>) {
        for (id, member) in &incident.members {
            let name = Tongue::of(incident.voice.language).name(&member.name);
            let known = self.components.entry(id.clone());
            let affected = known.or_insert_with(|| Affected {
                name: String::new(),
                worst: ComponentStatus::Operational,
                seen: String::new(),
                since: taken.at,
                recovered_at: None,
                failing: 0,
                checks: 0,
            });
            affected.name = name;
            if !member.status.is_bad() {
                affected.recovered_at.get_or_insert(taken.at);
                continue;
            }
            affected.recovered_at = None;
            affected.worst = member.worst;
            affected.seen =
                narrate::seen(incident, &affected.name, member.worst, member.worst_trouble);
            let began = status::of_component(state, id).and_then(|found| found.bad_since);
            let began = member.outlasts.or(began);
            affected.since = began.map_or(affected.since, |began| began.min(affected.since));
            let (failing, checks) = status::witnesses(state, id);
            if failing >= affected.failing {
                (affected.failing, affected.checks) = (failing, checks);
            }
        }
        self.doubt(incident, state, taken);
        if taken.cause == Cause::UpdateDue {
            return;
        }
        if self.timeline.len() >= MOST {
            self.timeline.remove(MOST / 2);
            self.left_out = self.left_out.saturating_add(1);
        }
        self.timeline.push(Happening {
            at: taken.at,
            cause: taken.cause,
            status: incident.status_after(taken.cause),
            changes: changes(incident, taken.changes),
            words: taken.words.map(str::to_owned),
        });
    }

    fn doubt(&mut self, incident: &Incident, state: &State, taken: &Taken<'_>) {
        let members = || incident.members.values();
        let doubts = [
            (Doubt::Unheard, taken.cause == Cause::UpdateDue && !taken.heard),
            (Doubt::NetworkLost, state.network().lost_since().is_some()),
            (Doubt::CalledOver, taken.cause == Cause::OperatorResolved && !incident.is_well()),
            (Doubt::Outlasted, members().any(|member| member.outlasts.is_some())),
            (Doubt::Ours, members().any(|member| member.trouble.ours)),
        ];
        self.doubts.extend(doubts.into_iter().filter(|(_, is)| *is).map(|(doubt, _)| doubt));
    }

    /// What `incident` was, when it is over at `at`.
    pub(super) fn account(&self, incident: &Incident, at: Timestamp) -> Account {
        let recovered_at = match incident.stage {
            Stage::Monitoring { since, .. } => Some(since),
            Stage::Investigating => None,
        };
        Account {
            language: incident.voice.language,
            time_zone: incident.voice.time_zone,
            title: narrate::titled(incident),
            impact: incident.impact(),
            started_at: incident.started_at,
            opened_at: incident.opened_at(),
            recovered_at,
            resolved_at: at,
            timeline: self.timeline.clone(),
            left_out: self.left_out,
            components: self.components.clone(),
            doubts: self.doubts.clone(),
        }
    }
}

fn changes(incident: &Incident, changes: &Changes) -> Vec<Change> {
    let ours = changes.iter().filter_map(|(id, (_, to))| Some((incident.members.get(id)?, *to)));
    let change = |(member, to): (&super::lifecycle::Member, ComponentStatus)| {
        let name = Tongue::of(incident.voice.language).name(&member.name);
        let seen = to.is_bad().then(|| narrate::seen(incident, &name, to, member.trouble));
        Change { name, to, seen: seen.unwrap_or_default() }
    };
    ours.map(change).collect()
}
