//! Where only the components of an incident are set: what each should show, and who decides of it.

use crate::model::{Action, ComponentId, ComponentStatus, Timestamp};

use super::Publication;

impl Publication {
    /// Whether components are set for it apart from an incident on the page.
    pub(in crate::outbox) fn sets_components(&self) -> bool {
        !self.sets.is_empty()
    }

    /// Its components should show what `action` says.
    pub(in crate::outbox) fn wish(&mut self, action: &Action) {
        self.holds = action.components.keys().cloned().collect();
        self.sets.clone_from(&action.components);
    }

    /// What its components should show, as long as no incident tells of them and no person has it.
    pub(in crate::outbox) fn wishes(
        &self,
    ) -> impl Iterator<Item = (&ComponentId, ComponentStatus)> {
        let apart = self.detached.is_none() && !self.gate.is_open() && !self.over;
        self.sets.iter().filter(move |_| apart).map(|(id, status)| (id, *status))
    }

    /// Since when it is so, and before when nothing is set: a person's word is respected here too.
    pub(in crate::outbox) fn wishes_since(&self) -> (Timestamp, Timestamp) {
        let since = self.waiting.first().map(|step| step.since).or(self.wanted_at);
        let from = self.wait.as_ref().map(|wait| wait.until);
        (since.unwrap_or(Timestamp::EPOCH), from.unwrap_or(Timestamp::EPOCH))
    }

    /// Whether its components are its own affair: it is on the page, or about to be, or a
    /// person's.
    pub(in crate::outbox) fn leads_components(&self) -> bool {
        self.detached.is_some() || (self.gate.is_open() && !self.over)
    }

    /// Whether it has taken over what was set before: it is on the page, or a person's.
    pub(in crate::outbox) fn has_taken_components(&self) -> bool {
        self.leads_components() && (self.detached.is_some() || self.remote.is_some())
    }
}
