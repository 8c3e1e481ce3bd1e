//! What has changed of an incident and was not told yet. Components fail one by one, as their checks
//! come round; told one by one they are a dozen posts that nobody reads. So what follows on a word
//! waits for a while and is told together.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::correlate::Changes;
use super::lifecycle::{Incident, Member};
use super::status::Part;
use crate::model::{Cause, ComponentId, ComponentStatus, Timestamp};

/// That more or fewer of a component's servers or variants fail, while its status stays as it is, is
/// told so long after the latest news of it at the soonest: worth a word, and not a word each time.
const COUNTS_AFTER: Duration = Duration::from_secs(300);

/// What there is to tell of one incident.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct News {
    /// Components that it held already, with the status that was told and the one now.
    held: Changes,
    /// Components that are new to it.
    joined: BTreeSet<ComponentId>,
}

impl News {
    /// Whether there is nothing to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty() && self.joined.is_empty()
    }

    /// A component that the incident held went from one status to another. What is as it was told
    /// is no news.
    pub(super) fn changed(
        &mut self,
        id: &ComponentId,
        (from, to): (ComponentStatus, ComponentStatus),
    ) {
        let (told, _) = self.held.get(id).copied().unwrap_or((from, to));
        if told == to {
            self.held.remove(id);
        } else {
            self.held.insert(id.clone(), (told, to));
        }
    }

    /// A component is new to the incident.
    pub(super) fn joins(&mut self, id: &ComponentId) {
        self.joined.insert(id.clone());
    }

    /// Takes in what has happened since.
    pub(super) fn add(&mut self, later: Self) {
        for (id, change) in &later.held {
            // How a newcomer is, is looked up when it is told.
            if !self.joined.contains(id) {
                self.changed(id, *change);
            }
        }
        self.joined.extend(later.joined);
    }

    /// Whether a component that the incident held already is bad.
    pub(super) fn has_bad(&self) -> bool {
        self.held.values().any(|(_, to)| to.is_bad())
    }

    /// Whether `id` is new to the incident.
    pub(super) fn has_joined(&self, id: &ComponentId) -> bool {
        self.joined.contains(id)
    }

    /// All changes of `incident`'s components: the newcomers were well before, and of whom other
    /// counts are told, the status is as it was.
    pub(super) fn changes(&self, incident: &Incident) -> Changes {
        let mut changes = self.held.clone();
        for (id, now) in incident.components().filter(|(id, _)| self.joined.contains(*id)) {
            changes.insert(id.clone(), (ComponentStatus::Operational, now));
        }
        for (id, member) in &incident.members {
            if shift(member).is_some() {
                changes.entry(id.clone()).or_insert((member.status, member.status));
            }
        }
        changes
    }
}

/// How a bad component is now, of which was told that so many of its servers or variants fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shift {
    /// Fewer fail.
    Fewer,
    /// More do.
    More,
}

/// How many of a component's servers and variants fail, as it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// When there was news of the component.
    at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    servers: Option<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    variants: Option<Part>,
}

impl Counts {
    /// What is told of `member` at `at`, be it news or not.
    pub(super) fn told(member: &Member, is_news: bool, at: Timestamp) -> Self {
        let before = member.told.filter(|_| !is_news);
        let at = before.map_or(at, |told| told.at);
        Self { at, servers: member.servers, variants: member.variants }
    }
}

/// Whether more or fewer fail now. Where the whole is another one nobody could compare.
pub(super) fn shift(member: &Member) -> Option<Shift> {
    let told = member.told?;
    let between = |(told, now): (Option<Part>, Option<Part>)| {
        let (told, now) = (told?, now?);
        match now.failing.cmp(&told.failing) {
            _ if now.total != told.total => None,
            std::cmp::Ordering::Less => Some(Shift::Fewer),
            std::cmp::Ordering::Equal => None,
            std::cmp::Ordering::Greater => Some(Shift::More),
        }
    };
    let both = [(told.servers, member.servers), (told.variants, member.variants)];
    both.into_iter().filter_map(between).max().filter(|_| member.status.is_bad())
}

impl Incident {
    /// Lets go of the components that nobody was told of yet.
    pub(super) fn let_newcomers_go(&mut self) -> Vec<ComponentId> {
        let newcomers: Vec<ComponentId> =
            std::mem::take(&mut self.news.joined).into_iter().collect();
        self.members.retain(|id, _| !newcomers.contains(id));
        newcomers
    }

    /// The components that are bad, and were told to be well.
    pub(super) fn told_well(&self) -> BTreeSet<ComponentId> {
        let told = self.news.held.iter().filter(|(_, (told, now))| !told.is_bad() && now.is_bad());
        told.map(|(id, _)| id.clone()).collect()
    }

    /// When what has changed is told, if anything has; long ago means at once:
    ///
    /// 1. That there is an incident, that it is worse than it ever was, and that what was well and
    ///    watched is not: at once.
    /// 2. Any other change of a status: `group_interval` after the last news, together with what
    ///    comes until then.
    /// 3. That more or fewer of a component's servers or variants fail, which is no change of its
    ///    status: not within five minutes of the last news of that component either.
    pub(super) fn news_due_at(&self) -> Option<Timestamp> {
        let gathered = self.news_at + self.voice.group_interval;
        if self.news.is_empty() {
            let shifted = self.members.values().filter(|member| shift(member).is_some());
            let told = shifted.filter_map(|member| Some(member.told?.at + COUNTS_AFTER)).min();
            return told.map(|at| at.max(gathered));
        }
        let at_once =
            self.sequence() == 0 || self.is_monitored() || self.impact_now() > self.impact();
        Some(if at_once { self.news_at } else { gathered })
    }

    /// Why it takes a step to tell what is new, if anything is; the first that holds:
    ///
    /// 1. Nothing was said of it before: a component failed.
    /// 2. It was monitored, and a component that it held is bad: that failed again.
    /// 3. A component joined, and has not recovered since.
    /// 4. All its components are well: all recovered.
    /// 5. A component that it held is worse, or more of it fails: it got worse.
    /// 6. Otherwise one is better: it got better.
    pub(super) fn news_cause(&self) -> Option<Cause> {
        let news = &self.news;
        let shifts = self.members.values().filter_map(shift).max();
        if news.is_empty() && shifts.is_none() {
            return None;
        }
        let mut newcomers = self.components().filter(|(id, _)| news.has_joined(id));
        Some(if self.sequence() == 0 {
            Cause::ComponentFailed
        } else if self.is_monitored() && news.has_bad() {
            Cause::FailedAgain
        } else if newcomers.any(|(_, status)| status.is_bad()) {
            Cause::ComponentJoined
        } else if self.is_well() {
            Cause::AllRecovered
        } else if news.held.values().any(|(from, to)| to > from) || shifts == Some(Shift::More) {
            Cause::GotWorse
        } else {
            Cause::GotBetter
        })
    }
}
