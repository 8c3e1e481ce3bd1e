//! An incident's life: what moves it on, what it promises, and when it is over.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Decision;
use super::chronicle::{Chronicle, Taken};
use super::correlate::Changes;
use super::depend;
use super::detect::CheckState;
use super::maintenance;
use super::narrate::{self, Telling};
use super::news::{Counts, News};
use super::state::{Closed, Follows, State};
use super::status::{self, Part, Trouble};
use crate::model::{
    Account, Action, ActionKind, Cause, ComponentId, ComponentStatus, Event, EventKind, Impact,
    IncidentKey, IncidentStatus, PlatformId, PlatformPolicy, Policy, Timestamp,
};

/// The shortest time between two timed updates: with none at all the engine would never come to
/// the end of them.
const LEAST_UPDATE_EVERY: Duration = Duration::from_secs(1);

/// An open incident. It carries all that its texts need, so that it can be led to its end after
/// its platform has gone from the configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    key: IncidentKey,
    platform: PlatformId,
    pub(super) stage: Stage,
    impact: Impact,
    sequence: u32,
    pub(super) started_at: Timestamp,
    opened_at: Timestamp,
    /// When a component last went bad in a way that others may have to do with.
    pub(super) grouped_at: Timestamp,
    /// Whether all was well for a while before something failed again.
    pub(super) relapsed: bool,
    pub(super) said_at: Timestamp,
    pub(super) next_update_at: Timestamp,
    pub(super) voice: PlatformPolicy,
    pub(super) members: BTreeMap<ComponentId, Member>,
    /// The resolved incident whose trouble has returned with this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) follows: Option<Follows>,
    /// That, and nobody was told so yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) returns: bool,
    /// What has changed and was not told yet.
    #[serde(default, skip_serializing_if = "News::is_empty")]
    pub(super) news: News,
    /// When something new was last told.
    #[serde(default = "long_ago")]
    pub(super) news_at: Timestamp,
    /// How many timed updates there were since a fact last changed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(super) unattended: u32,
    /// No timed update follows: what else there is to tell, people must.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) handed_over: bool,
    /// A person has said that the cause is known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) identified: bool,
    /// What is remembered of it for its end.
    #[serde(default, skip_serializing_if = "Chronicle::is_empty")]
    chronicle: Chronicle,
}

/// As serde asks for it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes what it skips by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Whatever an older version remembers may be told at once.
fn long_ago() -> Timestamp {
    Timestamp::EPOCH
}

/// Where an open incident is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stage {
    /// Something is wrong.
    Investigating,
    /// All is well, and watched.
    Monitoring {
        /// Since when all is well.
        since: Timestamp,
        /// When the quiet period that was promised is over.
        resolve_at: Timestamp,
    },
}

/// A component that an incident holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) joined_at: Timestamp,
    /// All that it depends on, directly or by way of others.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) depends_on: BTreeSet<ComponentId>,
    pub(super) status: ComponentStatus,
    pub(super) trouble: Trouble,
    /// The end of the maintenance that its trouble has outlasted, if it began in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) outlasts: Option<Timestamp>,
    /// Whether somebody ended that sooner than it was announced for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) early: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) servers: Option<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) variants: Option<Part>,
    /// Since when it is unstable, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) unstable_since: Option<Timestamp>,
    /// How many fail, as it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<Counts>,
    pub(super) worst: ComponentStatus,
    pub(super) worst_trouble: Trouble,
}

/// What an open incident waits for; the order is the order at the same moment, since an incident
/// that is over needs no update.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Resolve,
    News,
    Update,
}

impl Incident {
    /// An incident that nothing was said of yet and that holds nothing.
    pub(super) fn new(
        key: IncidentKey,
        platform: PlatformId,
        voice: PlatformPolicy,
        follows: Option<Follows>,
        at: Timestamp,
    ) -> Self {
        Self {
            key,
            platform,
            stage: Stage::Investigating,
            impact: Impact::None,
            sequence: 0,
            started_at: at,
            opened_at: at,
            grouped_at: at,
            relapsed: false,
            said_at: at,
            next_update_at: at,
            voice,
            members: BTreeMap::new(),
            returns: follows.is_some(),
            follows,
            news: News::default(),
            news_at: at,
            unattended: 0,
            handed_over: false,
            identified: false,
            chronicle: Chronicle::default(),
        }
    }

    /// Its name.
    pub fn key(&self) -> &IncidentKey {
        &self.key
    }

    /// The platform it is about.
    pub fn platform(&self) -> &PlatformId {
        &self.platform
    }

    /// Its status.
    pub fn status(&self) -> IncidentStatus {
        match self.stage {
            Stage::Investigating if self.identified => IncidentStatus::Identified,
            Stage::Investigating => IncidentStatus::Investigating,
            Stage::Monitoring { .. } => IncidentStatus::Monitoring,
        }
    }

    /// The worst impact it has had.
    pub fn impact(&self) -> Impact {
        self.impact
    }

    /// How many steps it has had.
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// When the trouble began, as far as the observations tell.
    pub fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// When it was opened.
    pub fn opened_at(&self) -> Timestamp {
        self.opened_at
    }

    /// When the public is told something at the latest, if that is promised.
    pub fn next_update_at(&self) -> Option<Timestamp> {
        (!self.handed_over).then_some(self.next_update_at)
    }

    /// Whether no timed update follows, so that people must tell what else there is.
    pub fn waits_for_people(&self) -> bool {
        self.handed_over
    }

    /// Why an update is due when nothing has changed: it was promised; and the last that is,
    /// after as many as there may be.
    pub(super) fn due_cause(&self) -> Cause {
        match self.voice.max_unattended_updates {
            Some(most) if self.unattended >= most => Cause::HandedOver,
            Some(_) | None => Cause::UpdateDue,
        }
    }

    /// Whether it holds `component`.
    pub fn holds(&self, component: &ComponentId) -> bool {
        self.members.contains_key(component)
    }

    /// The components that it holds.
    pub fn components(&self) -> impl Iterator<Item = (&ComponentId, ComponentStatus)> {
        self.members.iter().map(|(id, member)| (id, member.status))
    }

    /// Takes `component` in; what is wrong with it is looked up with the next step.
    pub(super) fn take_in(
        &mut self,
        component: ComponentId,
        name: String,
        depends_on: BTreeSet<ComponentId>,
        at: Timestamp,
    ) {
        self.grouped_at = at;
        self.members.insert(
            component,
            Member {
                name,
                joined_at: at,
                depends_on,
                outlasts: None,
                early: false,
                status: ComponentStatus::Operational,
                trouble: Trouble::default(),
                servers: None,
                variants: None,
                unstable_since: None,
                told: None,
                worst: ComponentStatus::Operational,
                worst_trouble: Trouble::default(),
            },
        );
    }

    /// Takes over the names and periods of a new policy. What it does not name stays as it was;
    /// what was promised is kept.
    pub(super) fn adopt(&mut self, policy: &Policy) {
        if let Some(voice) = policy.platforms.get(&self.platform) {
            self.voice = voice.clone();
        }
        for (id, member) in &mut self.members {
            if let Some(name) = policy.told_name(id) {
                member.name = name;
                member.depends_on = depend::needs(policy, id).into_iter().collect();
            }
        }
    }

    /// Looks up how every component is that the incident holds:
    ///
    /// 1. One that the policy no longer names counts as recovered.
    /// 2. The worst that a component has had is kept, for the title.
    /// 3. Trouble that turns out to have begun earlier makes the incident begin earlier. What began
    ///    in a maintenance counts from the end of that.
    pub(super) fn look_up(&mut self, state: &State) {
        for (id, member) in &mut self.members {
            let Some(component) = state.components.get(id) else {
                member.status = ComponentStatus::Operational;
                member.trouble = Trouble::default();
                (member.servers, member.variants) = (None, None);
                member.unstable_since = None;
                continue;
            };
            member.status = component.status;
            // What nobody can tell stays as it was.
            let Some(found) = status::of_component(state, id) else { continue };
            member.trouble = found.trouble;
            (member.servers, member.variants) = (found.servers, found.variants);
            member.unstable_since = found.unstable_since;
            match member.status.cmp(&member.worst) {
                std::cmp::Ordering::Less => {}
                std::cmp::Ordering::Equal => {
                    member.worst_trouble = member.worst_trouble.and(member.trouble);
                }
                std::cmp::Ordering::Greater => {
                    (member.worst, member.worst_trouble) = (member.status, member.trouble);
                }
            }
            let outlasted = maintenance::outlasted(state, id, found.bad_since);
            let outlasts = outlasted.filter(|_| member.status.is_bad());
            member.outlasts = outlasts.map(|(until, _)| until);
            member.early = outlasts.is_some_and(|(_, early)| early);
            if let Some(bad_since) = outlasted.map(|(until, _)| until).or(found.bad_since) {
                self.started_at = self.started_at.min(bad_since);
            }
        }
    }

    /// Whether all is well, and watched.
    pub(super) fn is_monitored(&self) -> bool {
        matches!(self.stage, Stage::Monitoring { .. })
    }

    /// Whether every component that it holds is well.
    pub(super) fn is_well(&self) -> bool {
        self.members.values().all(|member| !member.status.is_bad())
    }

    /// Whether a monitored incident has been seen to stay well. The passing of time is no proof:
    /// a prober that lost its own network sees nothing.
    ///
    /// 1. Every decided check of every component must have been heard after the monitoring began.
    /// 2. The latest that was heard of it must be no worse than what is decided.
    /// 3. A component that has checks must have one that is decided.
    /// 4. While our own network is lost nothing is proven, nor by what was heard before that.
    pub(super) fn stayed_well(&self, state: &State) -> bool {
        let Stage::Monitoring { since, .. } = self.stage else { return false };
        let Some(trusted) = state.network.trusted_since() else { return false };
        let since = since.max(trusted);
        self.members.keys().all(|id| {
            let all = state.policy.checks.iter().filter(|(_, policy)| policy.component == *id);
            let (mut any, mut decided, mut heard) = (false, false, true);
            for (id, policy) in all {
                any = true;
                if let Some(check) = state.checks.get(id)
                    && status::of_check(check, policy).is_some()
                {
                    decided = true;
                    heard &= check.agreed_at().is_some_and(|at| at > since);
                }
            }
            heard && (decided || !any)
        })
    }

    /// Whether anybody has looked at what the incident holds since it was last told of. While
    /// nobody has, as when farol was not running, there is nothing to tell.
    pub(super) fn looked_at(&self, state: &State) -> bool {
        let mut checks = state
            .policy
            .checks
            .iter()
            .filter(|(_, policy)| self.members.contains_key(&policy.component))
            .peekable();
        checks.peek().is_none()
            || checks.any(|(id, _)| {
                let observed_at = state.checks.get(id).and_then(CheckState::observed_at);
                observed_at.is_some_and(|at| at > self.said_at)
            })
    }

    /// What the components that it holds come to now.
    pub(super) fn impact_now(&self) -> Impact {
        Impact::of(self.members.values().map(|member| member.status))
    }

    /// What the incident waits for, and until when:
    ///
    /// 1. The update that was promised, if one was.
    /// 2. While it is monitored, the end of the quiet period.
    /// 3. What has changed, to be told.
    pub(super) fn deadlines(&self) -> impl Iterator<Item = (Timestamp, Due)> {
        let resolve = match self.stage {
            Stage::Investigating => None,
            Stage::Monitoring { resolve_at, .. } => Some((resolve_at, Due::Resolve)),
        };
        let update = self.next_update_at().map(|at| (at, Due::Update));
        let news = self.news_due_at().map(|at| (at, Due::News));
        resolve.into_iter().chain(update).chain(news)
    }

    /// Takes one step and says it, with all that has changed since the last: the status moves as
    /// the cause demands, the impact never shrinks, the step gets the next number, and the time to
    /// the next update starts again.
    pub(super) fn step(
        &mut self,
        state: &State,
        cause: Cause,
        at: Timestamp,
        decision: &mut Decision,
    ) {
        self.step_saying(None, state, cause, at, decision);
    }

    /// The same, in a person's words, if there are any.
    pub(super) fn step_saying(
        &mut self,
        words: Option<&str>,
        state: &State,
        cause: Cause,
        at: Timestamp,
        decision: &mut Decision,
    ) {
        self.look_up(state);
        self.impact = self.impact.max(self.impact_now());
        let changes = self.news.changes(self);
        let news = std::mem::take(&mut self.news);
        self.sequence = self.sequence.saturating_add(1);
        let (kind, status) = self.move_on(cause, at);
        let update_every = self.voice.update_every(self.impact).to_duration();
        let update_every = update_every.max(LEAST_UPDATE_EVERY);
        let telling = Telling {
            incident: self,
            cause,
            news: &news,
            changes: &changes,
            at,
            update_every,
            stayed_well: self.stayed_well(state),
            worked_on: self.worked_on(state, at),
            heard_at: self.heard_at(state),
        };
        let text = narrate::tell(&telling);
        let heard = telling.heard_at.is_some_and(|at| at > self.said_at);
        let mut chronicle = std::mem::take(&mut self.chronicle);
        chronicle.note(self, state, &Taken { cause, changes: &changes, words, at, heard });
        self.chronicle = chronicle;
        self.next_update_at = at + update_every;
        self.said(cause, &changes, at);
        decision.events.push(Event {
            at,
            kind: EventKind::IncidentChanged {
                incident: self.key.clone(),
                platform: self.platform.clone(),
                sequence: self.sequence,
                status,
                impact: self.impact,
                cause,
            },
        });
        decision.actions.push(Action {
            incident: self.key.clone(),
            sequence: self.sequence,
            kind,
            follows: self.follows.as_ref().map(|follows| follows.incident.clone()),
            platform: self.platform.clone(),
            at,
            started_at: self.started_at,
            status,
            impact: self.impact,
            components: self.shown(cause),
            title: text.title,
            body: words.map_or(text.body, str::to_owned),
            by_person: words.is_some(),
            account: (kind == ActionKind::Resolve).then(|| Box::new(self.account(at))),
        });
    }

    /// Remembers what was told, and when.
    fn said(&mut self, cause: Cause, changes: &Changes, at: Timestamp) {
        self.unattended =
            if cause == Cause::UpdateDue { self.unattended.saturating_add(1) } else { 0 };
        self.handed_over = cause == Cause::HandedOver;
        self.returns = false;
        for (id, member) in &mut self.members {
            member.told = Some(Counts::told(member, changes.contains_key(id), at));
        }
        self.said_at = at;
        if !matches!(cause, Cause::UpdateDue | Cause::HandedOver) {
            self.news_at = at;
        }
    }

    /// The status that it has when it took a step for this cause.
    pub(super) fn status_after(&self, cause: Cause) -> IncidentStatus {
        match cause {
            Cause::StayedWell | Cause::OperatorResolved => IncidentStatus::Resolved,
            Cause::ComponentFailed
            | Cause::ComponentJoined
            | Cause::GotWorse
            | Cause::GotBetter
            | Cause::AllRecovered
            | Cause::FailedAgain
            | Cause::UpdateDue
            | Cause::HandedOver
            | Cause::OperatorNoted => self.status(),
        }
    }

    fn account(&self, at: Timestamp) -> Account {
        self.chronicle.account(self, at)
    }

    /// The components as the public is to see them: well once a person has said that it is over,
    /// since nobody would set them right afterwards.
    fn shown(&self, cause: Cause) -> BTreeMap<ComponentId, ComponentStatus> {
        let well = cause == Cause::OperatorResolved;
        let status = |is| if well { ComponentStatus::Operational } else { is };
        self.components().map(|(id, is)| (id.clone(), status(is))).collect()
    }

    fn move_on(&mut self, cause: Cause, at: Timestamp) -> (ActionKind, IncidentStatus) {
        match cause {
            Cause::ComponentFailed => {
                return (ActionKind::Open, IncidentStatus::Investigating);
            }
            Cause::StayedWell | Cause::OperatorResolved => {
                return (ActionKind::Resolve, IncidentStatus::Resolved);
            }
            Cause::AllRecovered => {
                let resolve_at = at + self.voice.resolve_after;
                self.stage = Stage::Monitoring { since: at, resolve_at };
                self.identified = false;
            }
            Cause::ComponentJoined | Cause::GotWorse | Cause::GotBetter | Cause::FailedAgain => {
                self.relapsed |= self.is_monitored();
                self.stage = Stage::Investigating;
            }
            Cause::UpdateDue | Cause::HandedOver | Cause::OperatorNoted => {}
        }
        (ActionKind::Update, self.status())
    }

    /// The names of what is worked on elsewhere on the platform, which none of it is.
    fn worked_on(&self, state: &State, at: Timestamp) -> Vec<String> {
        let all = maintenance::worked_on(state, &self.platform, at);
        let others = all.iter().filter(|id| !self.holds(id));
        others.filter_map(|id| state.policy.told_name(id)).collect()
    }

    /// Until when what is decided of the bad components was last seen to be so.
    fn heard_at(&self, state: &State) -> Option<Timestamp> {
        let bad = self.members.iter().filter(|(_, member)| member.status.is_bad());
        bad.filter_map(|(id, _)| status::heard_at(state, id)).min()
    }

    /// What is remembered of it when it is over.
    pub(super) fn closed(&self, at: Timestamp) -> Closed {
        Closed {
            key: self.key.clone(),
            platform: self.platform.clone(),
            components: self.members.keys().cloned().collect(),
            started_at: self.started_at,
            opened_at: self.opened_at,
            resolved_at: at,
            follows: self.follows.clone(),
            account: Some(Box::new(self.account(at))),
        }
    }
}
