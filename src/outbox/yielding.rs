//! Making way for people: what is looked at before an incident is opened, who is respected for how
//! long, and what is said when a person has an incident.

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, IncidentKey, Timestamp};

use super::publication::Publication;
use super::{Foreign, Notice, Outbox, Outcome, Remote, Sighting};

/// A person ended an incident early; their word holds for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Respect {
    components: Vec<ComponentId>,
    until: Timestamp,
}

impl Outbox {
    /// Says what is due to be said though nothing was asked of the API, and lets go of what is
    /// over.
    pub fn tick(&mut self, now: Timestamp) -> Vec<Notice> {
        if !self.named {
            return Vec::new();
        }
        let mut notices = self.settle_drafts(now);
        for (key, publication) in &mut self.state.incidents {
            notices.extend(publication.say_again(key, now));
            notices.extend(publication.say_wait(key));
        }
        notices.extend(self.old(now));
        self.state.respected.retain(|respect| respect.until > now);
        self.clear_away();
        notices
    }

    /// When [`Outbox::tick`] has something to say, whatever is asked of the API.
    pub fn next_word(&self) -> Option<Timestamp> {
        let incidents = self.state.incidents.values().filter(|_| self.named);
        incidents
            .filter_map(|publication| {
                let untold = publication.waits_untold();
                let draft = publication
                    .impact()
                    .and_then(|impact| publication.gate.deadline(impact, &self.publishing));
                let said = untold.then_some(Timestamp::EPOCH);
                said.or_else(|| publication.say_again_at()).or(draft)
            })
            .min()
    }

    /// Takes up again an incident that a person has, or the components of one that people set;
    /// `None` if none such is known.
    pub fn rejoin(&mut self, key: &IncidentKey) -> Option<Notice> {
        self.named.then_some(())?;
        let detached = self.state.incidents.get_mut(key)?.rejoin();
        let components = self.rejoin_components(key, detached);
        (detached || components).then(|| {
            self.cleared.remove(key);
            Notice::Rejoined { incident: key.clone() }
        })
    }

    /// Leaves an incident to people, as if one had changed it; `None` if that is so, or it is not
    /// known.
    pub fn leave(&mut self, key: &IncidentKey, now: Timestamp) -> Option<Notice> {
        self.named.then_some(())?;
        self.detach(key, Foreign::Asked, now)
    }

    /// How many incidents people have.
    pub fn detached(&self) -> usize {
        let incidents = self.state.incidents.values().filter(|_| self.named);
        incidents.filter(|publication| publication.detached().is_some()).count()
    }

    /// Steps back from an incident. Where a person ended it, they are respected for a while.
    pub(super) fn detach(
        &mut self,
        key: &IncidentKey,
        why: Foreign,
        now: Timestamp,
    ) -> Option<Notice> {
        self.state.incidents.get_mut(key)?.detach(key, why, now)
    }

    /// Remembers whom to respect, of those that were just found to have ended an incident.
    pub(super) fn respect(&mut self, notices: &[Notice], now: Timestamp) {
        for notice in notices {
            if let Notice::Detached { incident, why: Foreign::Resolved | Foreign::Gone, .. } =
                notice
                && let Some(publication) = self.state.incidents.get(incident)
            {
                let components = publication.holds().cloned().collect();
                let until = now + self.timing.respect;
                self.state.respected.push(Respect { components, until });
            }
        }
    }

    /// What a new incident has to wait for: a person who just ended one on the same component.
    pub(super) fn make_wait(&mut self, key: &IncidentKey) {
        let Some(publication) = self.state.incidents.get_mut(key) else { return };
        let until = self
            .state
            .respected
            .iter()
            .filter(|respect| publication.holds().any(|id| respect.components.contains(id)))
            .map(|respect| respect.until)
            .max();
        if let Some(until) = until {
            publication.wait(Foreign::Resolved, until);
        }
    }

    /// Whether the page was looked at, and nothing found that stands in the way of a new incident.
    pub(super) fn is_clear(&self, key: &IncidentKey, now: Timestamp) -> bool {
        let valid = self.timing.survey.to_duration();
        self.cleared.get(key).is_some_and(|at| now.since(*at) <= valid)
    }

    /// What is open on the page against what waits to be opened:
    ///
    /// 1. An incident of somebody else's, or one of ours that a person has, on one of its
    ///    components: farol does not open another.
    /// 2. A maintenance on one of them, unless the time that it was announced for is over: farol
    ///    looks again later.
    /// 3. One with its own key: it was opened after all, and is looked for.
    /// 4. Where the API cannot tell, nothing stands in the way.
    pub(super) fn surveyed(&mut self, outcome: Outcome, now: Timestamp) -> Vec<Notice> {
        let sightings = match outcome {
            Outcome::Surveyed(sightings) => sightings,
            Outcome::Rejected { .. } | Outcome::Gone => Vec::new(),
            Outcome::Done { .. }
            | Outcome::Differs(_)
            | Outcome::NotSent { .. }
            | Outcome::Uncertain { .. }
            | Outcome::RateLimited { .. }
            | Outcome::Unauthorized { .. }
            | Outcome::Found(_)
            | Outcome::Announced(_)
            | Outcome::Component(_)
            | Outcome::Listed(_) => return Vec::new(),
        };
        self.cleared.clear();
        let wanted = self.state.incidents.iter().filter(|(_, publication)| publication.is_new());
        let wanted: Vec<IncidentKey> = wanted.map(|(key, _)| key.clone()).collect();
        let mut notices = Vec::new();
        for key in wanted {
            let found = self.state.incidents.get(&key).and_then(|publication| {
                let current = |it: &&Sighting| it.until.is_none_or(|until| now < until);
                let mut current = sightings.iter().filter(current);
                current.find(|sighting| self.is_in_the_way(&key, publication, sighting))
            });
            match found {
                None => {
                    self.cleared.insert(key, now);
                }
                // Ours, though nobody here knows it: the search that follows adopts it.
                Some(lost) if lost.key.as_ref().is_some_and(|lost| self.state.seen(lost) == 0) => {
                    if let Some(publication) = self.state.incidents.get_mut(&key) {
                        publication.look_first(now);
                    }
                }
                Some(own) if own.key.as_ref() == Some(&key) => {
                    if let Some(publication) = self.state.incidents.get_mut(&key) {
                        publication.look_first(now);
                    }
                }
                Some(other) if other.maintenance => {
                    let (why, until) = (other.id.clone(), now + self.timing.maintenance);
                    if let Some(publication) = self.state.incidents.get_mut(&key) {
                        publication.wait(Foreign::Maintenance(why), until);
                    }
                }
                Some(other) => {
                    let why = Foreign::Incident(other.id.clone());
                    notices.extend(self.detach(&key, why, now));
                }
            }
        }
        notices
    }

    fn is_in_the_way(&self, key: &IncidentKey, new: &Publication, sighting: &Sighting) -> bool {
        let shared = new.holds().any(|id| sighting.components.contains(id));
        match &sighting.key {
            Some(other) if other == key => true,
            // Ours, and led by us: the engine knows of both.
            Some(other) => {
                let known = self.state.incidents.get(other);
                shared && known.is_none_or(|publication| publication.detached().is_some())
            }
            None => shared,
        }
    }

    /// The incident did not stand as it should have before it was written.
    pub(super) fn differed(
        &mut self,
        key: &IncidentKey,
        remote: &Remote,
        now: Timestamp,
    ) -> Vec<Notice> {
        let Some(publication) = self.state.incidents.get_mut(key) else { return Vec::new() };
        let before = publication.standing().cloned().unwrap_or_default();
        publication.unsent();
        // It was said to differ; if no difference is seen, a doubt is a person all the same.
        let foreign = remote.standing.as_ref().and_then(|seen| before.foreign(seen));
        publication.detach(key, foreign.unwrap_or(Foreign::Update), now).into_iter().collect()
    }
}
