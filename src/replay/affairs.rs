//! Which incidents of several reports are about the same trouble.

use std::collections::BTreeSet;

use crate::model::{ComponentId, PlatformId, Timestamp};

use super::report::{Incident, Report};

/// One trouble, and the incidents that each report has of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Affair<'a> {
    /// The platform.
    pub platform: &'a PlatformId,
    /// When the first of its incidents was opened.
    pub began: Timestamp,
    /// When the last of them ended.
    pub ended: Timestamp,
    /// The incidents, for each report in turn: none where it did not notice the trouble, several
    /// where it took it for several.
    pub incidents: Vec<Vec<&'a Incident>>,
    components: BTreeSet<&'a ComponentId>,
}

/// Puts the reports' incidents together, in the order in which they began. Two are about the same
/// trouble if they have a component in common and were open at the same time, or if a third one is
/// about the same trouble as both.
pub fn affairs(reports: &[Report]) -> Vec<Affair<'_>> {
    let mut all: Vec<Affair<'_>> = Vec::new();
    let incidents = reports.iter().enumerate().flat_map(|(column, report)| {
        report.incidents.values().map(move |incident| (column, incident, report.to))
    });
    for (column, incident, now) in incidents {
        let mut affair = Affair {
            platform: &incident.platform,
            began: incident.opened_at,
            ended: incident.end(now),
            incidents: vec![Vec::new(); reports.len()],
            components: incident.components.keys().collect(),
        };
        if let Some(ours) = affair.incidents.get_mut(column) {
            ours.push(incident);
        }
        // Whatever it touches becomes one with it, and what those touch is part of them already.
        let (same, others) = all.into_iter().partition(|other| affair.touches(other));
        all = others;
        Vec::into_iter(same).for_each(|other| affair.absorb(other));
        all.push(affair);
    }
    for affair in &mut all {
        affair.incidents.iter_mut().for_each(|ours| ours.sort_by_key(|one| one.opened_at));
    }
    all.sort_by_key(|affair| (affair.began, affair.platform));
    all
}

impl Affair<'_> {
    fn touches(&self, other: &Self) -> bool {
        self.began <= other.ended
            && other.began <= self.ended
            && !self.components.is_disjoint(&other.components)
    }

    fn absorb(&mut self, other: Self) {
        self.began = self.began.min(other.began);
        self.ended = self.ended.max(other.ended);
        self.components.extend(other.components);
        for (ours, theirs) in self.incidents.iter_mut().zip(other.incidents) {
            ours.extend(theirs);
        }
    }
}
