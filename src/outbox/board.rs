//! The statuses of components where no incident is written: what each should show, what farol set
//! it to, and what is a person's.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::{ComponentId, ComponentStatus, IncidentKey, Timestamp};

use super::backoff::Backoff;
use super::plan::{Errand, Plan, Urgency};
use super::publication::Publication;
use super::state::InFlight;
use super::{ComponentNews, Notice, Outbox, Outcome, Request, Shows};

/// A component that farol set, or wants to set, apart from any incident on the page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pin {
    /// The incident that it was last set for.
    by: IncidentKey,
    /// What farol certainly set it to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    set: Option<ComponentStatus>,
    /// What is being sent: written down before it leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sending: Option<ComponentStatus>,
    /// What may have been set since.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    doubtful: BTreeSet<ComponentStatus>,
    /// A person set it otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    theirs: bool,
    /// The operator said to go on from whatever it shows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rejoined: bool,
    /// It was told that something open on the page has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    told_held: bool,
    #[serde(default)]
    backoff: Backoff,
}

impl Pin {
    fn new(by: IncidentKey) -> Self {
        Self {
            by,
            set: None,
            sending: None,
            doubtful: BTreeSet::new(),
            theirs: false,
            rejoined: false,
            told_held: false,
            backoff: Backoff::default(),
        }
    }

    /// What it shows as far as farol knows.
    fn shown(&self) -> ComponentStatus {
        self.set.unwrap_or_default()
    }

    fn is_in_doubt(&self) -> bool {
        self.rejoined || self.sending.is_some() || !self.doubtful.is_empty()
    }

    /// What it may show without a person having set it.
    fn expected(&self) -> BTreeSet<ComponentStatus> {
        if self.rejoined {
            return ComponentStatus::ALL.into_iter().collect();
        }
        self.doubtful.iter().copied().chain([self.shown()]).collect()
    }

    /// The process was restarted: what was being sent may have arrived.
    pub(super) fn resume(&mut self) {
        self.doubtful.extend(self.sending.take());
        self.backoff.clear();
    }
}

/// What an incident wants a component to show.
struct Wish<'a> {
    status: ComponentStatus,
    key: &'a IncidentKey,
    /// Since when, and not before when.
    since: Timestamp,
    from: Timestamp,
}

impl Outbox {
    /// What the components should show of which no incident is written: the worst that one says.
    fn wishes(&self) -> BTreeMap<&ComponentId, Wish<'_>> {
        let mut wishes: BTreeMap<&ComponentId, Wish<'_>> = BTreeMap::new();
        for (key, publication) in &self.state.incidents {
            let (since, from) = publication.wishes_since();
            for (id, status) in publication.wishes() {
                let worse = wishes.get(id).is_none_or(|other| other.status < status);
                if worse && status.is_bad() {
                    wishes.insert(id, Wish { status, key, since, from });
                }
            }
        }
        wishes
    }

    /// The components of those incidents.
    fn held_by(&self, those: fn(&Publication) -> bool) -> BTreeSet<&ComponentId> {
        let incidents = self.state.incidents.values().filter(|it| those(it));
        incidents.flat_map(Publication::holds).collect()
    }

    /// The components that are to be looked at and set:
    ///
    /// 1. One that an open incident of ours or a person's decides of is left to that.
    /// 2. One that a person set otherwise is theirs until nothing is wanted of it any more.
    /// 3. One that nothing is wanted of becomes operational if farol set it.
    /// 4. One in doubt is looked at again: to set it twice does no harm.
    pub(super) fn component_plans(&self) -> Vec<(IncidentKey, Plan)> {
        let wishes = self.wishes();
        let ids: BTreeSet<&ComponentId> =
            wishes.keys().copied().chain(self.state.board.keys()).collect();
        if ids.is_empty() {
            return Vec::new();
        }
        let led = self.held_by(Publication::leads_components);
        let ids = ids.into_iter().filter(|id| !self.state.unlisted.contains(*id));
        ids.filter(|id| !led.contains(id))
            .filter_map(|id| {
                let (pin, wish) = (self.state.board.get(id), wishes.get(id));
                let wanted = wish.map_or(ComponentStatus::Operational, |wish| wish.status);
                let shown = pin.map_or(ComponentStatus::Operational, Pin::shown);
                let theirs = pin.is_some_and(|pin| pin.theirs);
                if theirs || (shown == wanted && !pin.is_some_and(Pin::is_in_doubt)) {
                    return None;
                }
                let key = wish.map(|wish| wish.key).or(pin.map(|pin| &pin.by))?;
                let at = pin.map_or(Timestamp::EPOCH, |pin| pin.backoff.until());
                let at = wish.map_or(at, |wish| at.max(wish.from));
                let better = wanted < shown || wish.is_none();
                let urgency = if better { Urgency::Resolve } else { Urgency::Create };
                let since = wish.map_or(Timestamp::EPOCH, |wish| wish.since);
                let errand = Errand::Component(id.clone());
                Some((key.clone(), Plan { at, urgency, since, errand }))
            })
            .collect()
    }

    /// The request that sets a component, which is noted before it leaves.
    pub(super) fn set_component(
        &mut self,
        key: &IncidentKey,
        id: &ComponentId,
        now: Timestamp,
    ) -> Request {
        let wanted = self.wishes().get(id).map(|wish| wish.status).unwrap_or_default();
        let pin = self.state.board.entry(id.clone()).or_insert_with(|| Pin::new(key.clone()));
        pin.by.clone_from(key);
        pin.sending = Some(wanted);
        Request::SetComponent {
            key: key.clone(),
            component: id.clone(),
            status: wanted,
            expect: pin.expected(),
            at: now,
        }
    }

    /// What came of setting a component:
    ///
    /// 1. It shows what it should: that is ours to take back.
    /// 2. A person set it otherwise: it is left alone, and the operator told.
    /// 3. Something open on the page has it: it is looked at again later.
    /// 4. The API does not know it: it is left out.
    pub(super) fn component_set(
        &mut self,
        flight: &InFlight,
        id: &ComponentId,
        outcome: Outcome,
        now: Timestamp,
    ) -> Vec<Notice> {
        let timing = &self.timing;
        let Some(pin) = self.state.board.get_mut(id) else { return Vec::new() };
        let Some(sent) = pin.sending.take() else { return Vec::new() };
        let news = match outcome {
            Outcome::Component(Shows::Wanted) => {
                *pin = Pin { set: Some(sent), ..Pin::new(flight.key.clone()) };
                ComponentNews::Set(sent)
            }
            Outcome::Component(Shows::Other(shown)) => {
                *pin = Pin { theirs: true, ..Pin::new(flight.key.clone()) };
                ComponentNews::Theirs(shown)
            }
            Outcome::Component(Shows::Held(by)) => {
                pin.backoff.hold(now + timing.maintenance);
                if std::mem::replace(&mut pin.told_held, true) {
                    return Vec::new();
                }
                ComponentNews::Held(by)
            }
            Outcome::Rejected { status, detail } => {
                pin.backoff.fail(now, timing.rejected, timing.longest_retry, id.as_str());
                ComponentNews::Refused { status, detail }
            }
            Outcome::Gone => {
                self.state.board.remove(id);
                self.state.unlisted.insert(id.clone());
                return vec![Notice::Unlisted { components: vec![id.clone()] }];
            }
            // It did not leave: the lane waits.
            Outcome::NotSent { .. }
            | Outcome::RateLimited { .. }
            | Outcome::Unauthorized { .. } => return Vec::new(),
            Outcome::Uncertain { .. }
            | Outcome::Done { .. }
            | Outcome::Differs(_)
            | Outcome::Found(_)
            | Outcome::Surveyed(_)
            | Outcome::Announced(_)
            | Outcome::Listed(_) => {
                pin.doubtful.insert(sent);
                return Vec::new();
            }
        };
        vec![Notice::Component { incident: flight.key.clone(), component: id.clone(), news }]
    }

    /// Forgets what nothing is wanted of any more, and what an incident on the page, or a person,
    /// has taken over.
    pub(super) fn clear_board(&mut self) {
        if self.state.board.is_empty() {
            return;
        }
        let mut board = std::mem::take(&mut self.state.board);
        let (wishes, taken) = (self.wishes(), self.held_by(Publication::has_taken_components));
        board.retain(|id, pin| {
            let ours = pin.is_in_doubt() || pin.shown() != ComponentStatus::Operational;
            !taken.contains(id) && (wishes.contains_key(id) || (ours && !pin.theirs))
        });
        self.state.board = board;
    }

    /// Goes on with the components of an incident that people set, from whatever they show;
    /// whether there were any.
    pub(super) fn rejoin_components(&mut self, key: &IncidentKey, all: bool) -> bool {
        let Some(publication) = self.state.incidents.get(key) else { return false };
        let bad = publication.wishes().filter(|(_, status)| status.is_bad());
        let ids: Vec<ComponentId> = bad.map(|(id, _)| id.clone()).collect();
        let theirs = |id: &ComponentId| self.state.board.get(id).is_some_and(|pin| pin.theirs);
        let ids: Vec<ComponentId> = ids.into_iter().filter(|id| all || theirs(id)).collect();
        for id in &ids {
            let pin = Pin { rejoined: true, ..Pin::new(key.clone()) };
            self.state.board.insert(id.clone(), pin);
        }
        !ids.is_empty()
    }

    /// Whether the page shows components of this incident otherwise than operational because farol
    /// set them so.
    pub(super) fn shows_components(&self, publication: &Publication) -> bool {
        publication.wishes().any(|(id, _)| {
            let pin = self.state.board.get(id);
            pin.is_some_and(|pin| pin.shown() != ComponentStatus::Operational || pin.is_in_doubt())
        })
    }

    /// Which of its components people set, for the operator.
    pub(super) fn set_by_people(&self, publication: &Publication) -> Option<String> {
        let theirs = |id: &ComponentId| self.state.board.get(id).is_some_and(|pin| pin.theirs);
        let ids = publication.wishes().map(|(id, _)| id).filter(|id| theirs(id));
        let ids: Vec<&str> = ids.map(ComponentId::as_str).collect();
        (!ids.is_empty()).then(|| format!("somebody set {}", ids.join(", ")))
    }
}
