//! Which request is made next, and when.

use crate::model::{IncidentKey, Mode, Timestamp};

use super::plan::{Errand, Plan};
use super::publication::Publication;
use super::state::InFlight;
use super::{Attempt, AttemptId, Outbox, Request};

/// When to ask for the next attempt, and why then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wakeup {
    /// When.
    pub at: Timestamp,
    /// Why then.
    pub reason: WakeReason,
}

/// What a lane waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WakeReason {
    /// Its own pace, or the end of a wait after a failure.
    Lane,
    /// A step may be written.
    Write,
    /// Something is to be looked up.
    Look,
    /// A duplicate is to be resolved, or the draft of a postmortem put there.
    Tidy,
    /// The operator is to be told something.
    Say,
}

impl Outbox {
    /// The request to make now, if one is due and none is under way.
    ///
    /// 1. At most one request of a lane is in flight, and two are spaced.
    /// 2. A new incident goes before the end of one, that before other updates, that before tidying, and drafts
    ///    come last.
    /// 3. Among equals, what has waited longest.
    /// 4. But whatever is written of an incident goes after all that is still to be said of one that
    ///    held one of its components before (`Publication::goes_before`): each would take what the
    ///    other writes of the component for a person's doing, and the end of the earlier one would
    ///    make operational what the later one says is out.
    pub fn next(&mut self, now: Timestamp) -> Option<Attempt> {
        if !self.named || self.state.in_flight.is_some() || now < self.state.lane.until() {
            return None;
        }
        let due = self
            .plans()
            .map(|(key, plan)| (key.clone(), plan))
            .chain(self.component_plans())
            .filter(|(_, plan)| plan.at <= now)
            .min_by(|(a_key, a), (b_key, b)| {
                (a.urgency, a.since, a_key).cmp(&(b.urgency, b.since, b_key))
            });
        let Some((key, plan)) = due else {
            return self.begin_reading(now).or_else(|| self.begin_sweep(now));
        };
        let new = self.state.incidents.get(&key).is_some_and(Publication::is_new);
        let looks = !self.timing.idempotent;
        let unseen = looks && new && plan.errand == Errand::Write && !self.is_clear(&key, now);
        let plan = if unseen { Plan { errand: Errand::Survey, ..plan } } else { plan };
        let request = self.request(&key, &plan.errand, now)?;
        self.state.last_attempt += 1;
        let id = AttemptId(self.state.last_attempt);
        self.state.in_flight = Some(InFlight { id, at: now, key, errand: plan.errand });
        Some(Attempt { id, at: now, request })
    }

    /// When to ask for the next attempt; `None` while one is in flight or nothing is wanted.
    pub fn next_wakeup(&self) -> Option<Wakeup> {
        if !self.named || self.state.in_flight.is_some() {
            return None;
        }
        let word = self.next_word().map(|at| Wakeup { at, reason: WakeReason::Say });
        word.into_iter().chain(self.next_request()).min_by_key(|wakeup| wakeup.at)
    }

    fn next_request(&self) -> Option<Wakeup> {
        let sweep = self.sweep_at().map(|at| (at, Errand::Sweep));
        let reading = self.reading_at().map(|at| (at, Errand::Announcements));
        let components = self.component_plans();
        let plans = self.plans().map(|(_, plan)| plan);
        let plans = plans.chain(components.into_iter().map(|(_, plan)| plan));
        let plans = plans.map(|plan| (plan.at, plan.errand));
        let (at, errand) = plans.chain(sweep).chain(reading).min_by_key(|(at, _)| *at)?;
        let lane = self.state.lane.until();
        let reason = match errand {
            _ if lane > at => WakeReason::Lane,
            Errand::Write | Errand::Repeat | Errand::Component(_) => WakeReason::Write,
            Errand::Look
            | Errand::Sweep
            | Errand::Components
            | Errand::Survey
            | Errand::Announcements => WakeReason::Look,
            Errand::Retire(_) | Errand::Draft => WakeReason::Tidy,
        };
        Some(Wakeup { at: at.max(lane), reason })
    }

    fn plans(&self) -> impl Iterator<Item = (&IncidentKey, Plan)> {
        let incidents = self.state.incidents.iter();
        incidents
            .filter(|(key, publication)| !self.is_behind(key, publication))
            .filter_map(|(key, publication)| Some((key, publication.plan()?)))
    }

    /// Whether an incident has to let another one on its components go first.
    fn is_behind(&self, key: &IncidentKey, waits: &Publication) -> bool {
        let mut others = self.state.incidents.iter().filter(|(other, _)| *other != key);
        waits.writes_next() && others.any(|(_, other)| other.goes_before(waits))
    }

    fn request(&mut self, key: &IncidentKey, errand: &Errand, now: Timestamp) -> Option<Request> {
        if *errand == Errand::Draft {
            return self.draft(key);
        }
        if let Errand::Component(id) = errand {
            return Some(self.set_component(key, id, now));
        }
        let publication = self.state.incidents.get_mut(key)?;
        let key = key.clone();
        Some(match (errand, publication.remote.clone()) {
            (Errand::Write, remote) => {
                let applied = publication.applied;
                let expect = publication.standing().cloned();
                let modes = self.publishing.modes;
                let step = publication.begin(now)?;
                let mut payload = step.payload(&key, &self.install, applied, &self.state.unlisted);
                payload.notify = modes.of(payload.impact) == Mode::Full;
                match remote {
                    Some(remote) => Request::Update { remote, payload, expect },
                    None => Request::Create(payload),
                }
            }
            (Errand::Repeat, remote) => {
                let step = publication.repeated_step()?;
                let payload = step.payload(&key, &self.install, 0, &self.state.unlisted);
                Request::Update { remote: remote?, payload, expect: None }
            }
            (Errand::Look, Some(remote)) => Request::Read { remote, key },
            (Errand::Look, None) | (Errand::Sweep, _) => Request::Find { key },
            (Errand::Components | Errand::Component(_), _) => Request::Components,
            (Errand::Survey | Errand::Draft, _) => Request::Survey,
            (Errand::Announcements, _) => Request::Announcements,
            (Errand::Retire(stray), _) => {
                publication.retiring(stray);
                Request::Retire { remote: stray.clone(), key }
            }
        })
    }
}
