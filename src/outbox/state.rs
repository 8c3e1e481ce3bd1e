//! What of a lane survives a restart.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, IncidentKey, Timestamp};

use super::backoff::Backoff;
use super::board::Pin;
use super::left::Leavings;
use super::plan::Errand;
use super::publication::Publication;
use super::yielding::Respect;
use super::{AttemptId, RemoteId};

/// The saved format. What an older one lacks is filled in by serde's defaults; a newer one is
/// refused.
const VERSION: u32 = 1;

/// How many incidents that are done with are remembered, so that a step that is made again (by a
/// replay, after a crash) is known for an old one.
const MAX_DONE: usize = 1_000;

/// Why a saved state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is not what a lane saves.
    #[error("the saved outbox cannot be read: {0}")]
    Damaged(#[from] serde_json::Error),
    /// It was written by a later version of farol.
    #[error("the saved outbox has format {found}, and this version of farol knows only {VERSION}")]
    Newer {
        /// The format it has.
        found: u32,
    },
}

/// All that a lane knows: save it whenever the lane has changed, and before an attempt is made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    version: u32,
    /// The incidents that something is wanted of, or may be.
    pub(super) incidents: BTreeMap<IncidentKey, Publication>,
    /// Those that are done with, oldest first.
    #[serde(default)]
    done: VecDeque<Done>,
    /// The request that was handed out and not answered.
    pub(super) in_flight: Option<InFlight>,
    #[serde(default)]
    pub(super) last_attempt: u64,
    /// When the lane may go on.
    #[serde(default)]
    pub(super) lane: Backoff,
    /// Components that the API does not know.
    #[serde(default)]
    pub(super) unlisted: BTreeSet<ComponentId>,
    /// How many steps were given up.
    #[serde(default)]
    pub(super) abandoned: u64,
    /// When the latest step that was ever wanted had been decided.
    #[serde(default)]
    pub(super) latest: Option<Timestamp>,
    /// People who ended an incident early.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) respected: Vec<Respect>,
    /// Components that are set apart from incidents.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) board: BTreeMap<ComponentId, Pin>,
    /// The page that the lane leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) page: Option<String>,
    /// What stands open on pages that it led to before.
    #[serde(default, skip_serializing_if = "Leavings::is_empty")]
    pub(super) left: Leavings,
}

/// A request that was handed out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InFlight {
    pub(super) id: AttemptId,
    pub(super) at: Timestamp,
    pub(super) key: IncidentKey,
    pub(super) errand: Errand,
}

/// What is remembered of an incident that is done with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Done {
    key: IncidentKey,
    seen: u32,
    remote: Option<RemoteId>,
    /// When it was first known to stand on the page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    published_at: Option<Timestamp>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            version: VERSION,
            incidents: BTreeMap::new(),
            done: VecDeque::new(),
            in_flight: None,
            last_attempt: 0,
            lane: Backoff::default(),
            unlisted: BTreeSet::new(),
            abandoned: 0,
            latest: None,
            respected: Vec::new(),
            board: BTreeMap::new(),
            page: None,
            left: Leavings::new(),
        }
    }
}

impl State {
    /// Reads what [`State::to_json`] wrote.
    pub fn from_json(text: &str) -> Result<Self, StateError> {
        /// The part that every format has.
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let Head { version } = serde_json::from_str(text)?;
        if version > VERSION {
            return Err(StateError::Newer { found: version });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// When the latest step that was ever wanted had been decided.
    pub fn latest(&self) -> Option<Timestamp> {
        self.latest
    }

    /// When an incident was first known to stand on the page, if it is remembered and was.
    pub fn published_at(&self, key: &IncidentKey) -> Option<Timestamp> {
        let done = || self.done.iter().find(|done| done.key == *key)?.published_at;
        let open = self.incidents.get(key).and_then(|publication| publication.published_at);
        open.or_else(done)
    }

    /// The saved form.
    pub fn to_json(&self) -> Result<String, StateError> {
        Ok(serde_json::to_string(self)?)
    }

    /// The incident, as far as it is known: the highest sequence seen and its id at the API.
    pub(super) fn recall(&mut self, key: &IncidentKey) -> Option<&mut Publication> {
        if !self.incidents.contains_key(key)
            && let Some(index) = self.done.iter().position(|done| done.key == *key)
        {
            let done = self.done.remove(index)?;
            let mut revived = Publication::revived(done.seen, done.remote);
            revived.published_at = done.published_at;
            self.incidents.insert(done.key, revived);
        }
        self.incidents.get_mut(key)
    }

    /// The highest sequence that was ever pushed of an incident.
    pub(super) fn seen(&self, key: &IncidentKey) -> u32 {
        let done = || self.done.iter().find(|done| done.key == *key).map(|done| done.seen);
        self.incidents.get(key).map(|publication| publication.seen).or_else(done).unwrap_or(0)
    }

    /// No incident that is done with is on this page.
    pub(super) fn forget_remotes(&mut self) {
        for done in &mut self.done {
            done.remote = None;
        }
    }

    /// Remembers little more than the name of an incident that is done with.
    pub(super) fn retire(&mut self, key: &IncidentKey) {
        if let Some(publication) = self.incidents.remove(key) {
            self.entomb(key, publication);
        }
    }

    fn entomb(&mut self, key: &IncidentKey, publication: Publication) {
        let Publication { seen, remote, published_at, .. } = publication;
        self.done.push_back(Done { key: key.clone(), seen, remote, published_at });
        let surplus = self.done.len().saturating_sub(MAX_DONE);
        self.done.drain(..surplus);
    }
}
