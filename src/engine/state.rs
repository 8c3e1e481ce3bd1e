//! All that the engine remembers: one value that can be written down, read back and gone on with
//! as if nothing had happened.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::detect::CheckState;
use super::lifecycle::Incident;
use super::maintenance::{Announced, Maintained};
use super::operator::Respected;
use super::quorum::Network;
use crate::model::{
    Account, CheckId, ComponentId, ComponentStatus, IncidentKey, LaneId, MaintenanceId,
    PageMaintenance, PlatformId, Policy, Timestamp,
};

/// How many resolved incidents of each platform are remembered.
const RECENT: usize = 20;

/// What the engine remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    format: Format,
    /// The latest time that was told; it never runs back.
    pub(super) now: Timestamp,
    pub(super) policy: Policy,
    pub(super) checks: BTreeMap<CheckId, CheckState>,
    pub(super) components: BTreeMap<ComponentId, ComponentState>,
    pub(super) incidents: BTreeMap<IncidentKey, Incident>,
    /// Components that are bad and wait for what they depend on, and until when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) waiting: BTreeMap<ComponentId, Timestamp>,
    /// The windows of maintenances that are under way or come next.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) windows: BTreeMap<MaintenanceId, Announced>,
    /// What is announced on status pages, by their lanes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) announced: BTreeMap<LaneId, BTreeMap<MaintenanceId, PageMaintenance>>,
    /// Components that are in maintenance, or were until lately.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) maintained: BTreeMap<ComponentId, Maintained>,
    /// Components of which a person said that it is over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) respected: BTreeMap<ComponentId, Respected>,
    recent: VecDeque<Closed>,
    #[serde(default)]
    pub(super) network: Network,
}

/// How one component is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ComponentState {
    /// The status.
    pub status: ComponentStatus,
    /// Since when it is that.
    pub since: Timestamp,
}

/// An incident that is over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Closed {
    /// The incident.
    pub key: IncidentKey,
    /// Its platform.
    pub platform: PlatformId,
    /// The components that it held.
    pub components: Vec<ComponentId>,
    /// When the trouble began, as far as the observations tell.
    pub started_at: Timestamp,
    /// When the incident was opened.
    pub opened_at: Timestamp,
    /// When it was resolved.
    pub resolved_at: Timestamp,
    /// The incident before it that it belongs to, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<Follows>,
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<Account>>,
}

/// That an incident belongs to one that was resolved a short while before it opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Follows {
    /// The latest incident before.
    pub incident: IncidentKey,
    /// When that was resolved.
    pub resolved_at: Timestamp,
    /// Which of those that belong together this is: 2 for the second.
    pub number: u32,
    /// When the trouble of the first of them began.
    pub since: Timestamp,
}

impl Follows {
    /// That an incident belongs to `closed`.
    pub(super) fn after(closed: &Closed) -> Self {
        let before = closed.follows.as_ref();
        Self {
            incident: closed.key.clone(),
            resolved_at: closed.resolved_at,
            number: before.map_or(1, |before| before.number).saturating_add(1),
            since: before.map_or(closed.started_at, |before| before.since),
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self {
            format: Format,
            now: Timestamp::EPOCH,
            policy: Policy::default(),
            checks: BTreeMap::new(),
            components: BTreeMap::new(),
            incidents: BTreeMap::new(),
            waiting: BTreeMap::new(),
            windows: BTreeMap::new(),
            announced: BTreeMap::new(),
            maintained: BTreeMap::new(),
            respected: BTreeMap::new(),
            recent: VecDeque::new(),
            network: Network::default(),
        }
    }
}

impl State {
    /// The format that this version of farol writes and reads.
    pub const FORMAT: u32 = 1;

    /// The latest time that the engine was told.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The policy that decisions are made by.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Every check that was observed, with its subjects.
    pub fn checks(&self) -> &BTreeMap<CheckId, CheckState> {
        &self.checks
    }

    /// Every component of the policy, with its status.
    pub fn components(&self) -> &BTreeMap<ComponentId, ComponentState> {
        &self.components
    }

    /// The open incidents.
    pub fn incidents(&self) -> &BTreeMap<IncidentKey, Incident> {
        &self.incidents
    }

    /// The windows of maintenances that are under way or come next.
    pub fn windows(&self) -> &BTreeMap<MaintenanceId, Announced> {
        &self.windows
    }

    /// What is announced on status pages and counts: what was last read there, by their lanes.
    pub fn announced(&self) -> &BTreeMap<LaneId, BTreeMap<MaintenanceId, PageMaintenance>> {
        &self.announced
    }

    /// Whether `component` is bad, and waits for what it depends on before that is told.
    pub fn is_waiting(&self, component: &ComponentId) -> bool {
        self.waiting.contains_key(component)
    }

    /// The components that a person's word holds for, be they well or not.
    pub fn respected(&self) -> impl Iterator<Item = (&ComponentId, &Respected)> {
        let holds = |respected: &Respected| respected.holds_at(self.now);
        self.respected.iter().filter(move |(_, respected)| holds(respected))
    }

    /// The latest incidents that were resolved, oldest first.
    pub fn recent(&self) -> impl DoubleEndedIterator<Item = &Closed> {
        self.recent.iter()
    }

    /// What is known of our own network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The open incident that holds `component`, if one does.
    pub fn incident_of(&self, component: &ComponentId) -> Option<&Incident> {
        self.incidents.values().find(|incident| incident.holds(component))
    }

    /// Remembers an incident that is over, for as long as there is room for its platform's: one
    /// that has many does not make another's forgotten. Those of platforms that have gone are.
    pub(super) fn close(&mut self, closed: Closed) {
        let Self { policy, recent, .. } = self;
        recent.retain(|old| policy.platforms.contains_key(&old.platform));
        let of_platform = |old: &Closed| old.platform == closed.platform;
        if recent.iter().filter(|old| of_platform(old)).count() >= RECENT
            && let Some(oldest) = recent.iter().position(of_platform)
        {
            recent.remove(oldest);
        }
        recent.push_back(closed);
    }
}

/// The format's number, checked where it is read: a state of another format is refused before it
/// can be misunderstood.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Format;

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(State::FORMAT)
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u32::deserialize(deserializer)? {
            State::FORMAT => Ok(Self),
            found => Err(de::Error::custom(format!(
                "the engine's state has format {found}, and this version of farol knows {}",
                State::FORMAT
            ))),
        }
    }
}
