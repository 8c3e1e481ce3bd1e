//! The rules, held against an engine from outside: a reference that knows nothing but what was
//! told and said.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::super::wording::check_words;
use crate::engine::{Decision, Engine};
use crate::model::{
    Action, ActionKind, Cause, CheckId, ComponentId, ComponentStatus, Event, EventKind, Health,
    Impact, IncidentKey, IncidentStatus, Observation, Span, Timestamp, Verdict,
};

/// Watches an engine from outside, and complains when it breaks a rule.
#[derive(Default)]
pub(super) struct Watcher {
    latest: BTreeMap<IncidentKey, Action>,
    conclusive: BTreeMap<CheckId, Timestamp>,
    looks: Vec<(CheckId, Timestamp)>,
    /// Why each incident took each step.
    causes: BTreeMap<(IncidentKey, u32), Cause>,
    /// When a person last called the trouble of each component over.
    over: BTreeMap<ComponentId, Timestamp>,
    /// Components that were bad then, and ever since.
    left: BTreeSet<ComponentId>,
    /// When each component joined the incident that holds it.
    joined: BTreeMap<(IncidentKey, ComponentId), Timestamp>,
}

impl Watcher {
    pub(super) fn heard(&mut self, observation: &Observation, now: Timestamp) {
        if observation.findings.iter().any(|f| f.verdict != Verdict::Inconclusive) {
            self.conclusive.insert(observation.check.clone(), now);
        }
    }

    pub(super) fn decided(&mut self, engine: &Engine, decision: &Decision) {
        let told = decision.events.iter().filter_map(|event| match &event.kind {
            EventKind::IncidentChanged { incident, sequence, status, impact, .. } => {
                Some((incident, *sequence, *status, *impact, event.at))
            }
            EventKind::HealthChanged { .. }
            | EventKind::FlappingChanged { .. }
            | EventKind::AddressAppeared { .. }
            | EventKind::AddressVanished { .. }
            | EventKind::ComponentChanged { .. }
            | EventKind::MaintenanceChanged { .. }
            | EventKind::TroubleInMaintenance { .. }
            | EventKind::NetworkLost { .. }
            | EventKind::NetworkRegained { .. } => None,
        });
        let said =
            decision.actions.iter().map(|a| (&a.incident, a.sequence, a.status, a.impact, a.at));
        assert!(told.eq(said), "every step is told to the operator and to the public");
        let known = |id: &ComponentId| engine.state().components().contains_key(id);
        self.left.retain(known);
        self.over.retain(|id, _| known(id));
        let mut actions = decision.actions.iter();
        for event in &decision.events {
            if let EventKind::IncidentChanged { incident, sequence, cause, .. } = &event.kind {
                self.causes.insert((incident.clone(), *sequence), *cause);
            }
            self.respect(engine, event);
            if let EventKind::IncidentChanged { .. } = event.kind {
                self.step(engine, actions.next().unwrap());
            }
        }
    }

    fn step(&mut self, engine: &Engine, action: &Action) {
        use IncidentStatus::{Identified, Investigating, Monitoring, Resolved};
        check_words(action);
        self.count_updates(engine, action);
        for id in action.components.keys() {
            self.joined.entry((action.incident.clone(), id.clone())).or_insert(action.at);
        }
        assert!(action.started_at <= action.at);
        let Some(before) = self.latest.insert(action.incident.clone(), action.clone()) else {
            assert_eq!((action.sequence, action.status), (1, Investigating));
            assert_eq!(action.kind, ActionKind::Open);
            let all = action.components.iter().filter(|(_, status)| status.is_bad());
            let outside = all.filter(|(id, _)| !is_worked_on(engine, id, action.at));
            assert!(outside.count() > 0, "opened in a maintenance: {action:?}");
            let hour = Duration::from_secs(3_600);
            let fresh = |over: &Timestamp| *over + hour <= action.at;
            let mut opens = action.components.keys().map(|id| self.over.get(id));
            assert!(opens.any(|over| over.is_none_or(fresh)), "too soon: {action:?}");
            self.returns(engine, action);
            return;
        };
        assert_eq!(action.sequence, before.sequence + 1);
        assert!(action.at >= before.at);
        assert!(action.impact >= before.impact && action.impact > Impact::None);
        assert!(action.started_at <= before.started_at);
        assert!(before.components.keys().all(|id| action.components.contains_key(id)));
        let cause = self.causes[&(action.incident.clone(), action.sequence)];
        let mut legal = vec![
            (Investigating, Investigating),
            (Investigating, Monitoring),
            (Identified, Identified),
            (Identified, Monitoring),
            (Monitoring, Monitoring),
            (Monitoring, Investigating),
            (Monitoring, Resolved),
        ];
        // What only a person can know.
        if cause == Cause::OperatorNoted {
            legal.push((Investigating, Identified));
        } else if cause == Cause::OperatorResolved {
            legal = [Investigating, Identified, Monitoring].map(|was| (was, Resolved)).into();
        }
        assert!(legal.contains(&(before.status, action.status)), "{before:?} {action:?}");
        assert_eq!(action.by_person, cause == Cause::OperatorNoted);
        let well = action.components.values().all(|status| !status.is_bad());
        assert_eq!(well, action.status >= Monitoring);
        let over = action.status == Resolved;
        assert_eq!(action.kind, if over { ActionKind::Resolve } else { ActionKind::Update });
        if let Some(promise) = promised(&before.body)
            && self.looked_within(engine, &before, promise)
        {
            assert!(
                action.at <= before.at + promise,
                "promised {promise:?}: {before:?} {action:?}"
            );
        }
        if over && cause == Cause::StayedWell {
            self.proven(engine, action);
        }
    }

    /// Remembers what a person called over, and what of it has recovered since.
    fn respect(&mut self, engine: &Engine, event: &Event) {
        if let EventKind::ComponentChanged { component, to, .. } = &event.kind
            && !to.is_bad()
        {
            self.left.remove(component);
        }
        if let EventKind::IncidentChanged { incident, cause: Cause::OperatorResolved, .. } =
            &event.kind
        {
            for (id, status) in &self.latest[incident].components {
                self.over.insert(id.clone(), event.at);
                // That it is well may have been waiting to be told.
                let is = engine.state().components().get(id);
                if status.is_bad() && is.is_some_and(|is| is.status.is_bad()) {
                    self.left.insert(id.clone());
                }
            }
        }
    }

    /// Remembers which checks were taken in just now; one that was here before is not.
    pub(super) fn looked(&mut self, engine: &Engine, now: Timestamp) {
        // A check that a policy took away is forgotten, and with it that it was looked at.
        self.looks.retain(|(id, _)| engine.state().checks().contains_key(id));
        let checks = engine.state().checks().iter();
        let just_now = checks.filter(|(_, check)| check.observed_at() == Some(now));
        self.looks.extend(just_now.map(|(id, _)| (id.clone(), now)));
    }

    /// Whether anybody looked at what `said` was about in time to keep its promise.
    fn looked_within(&self, engine: &Engine, said: &Action, promise: Duration) -> bool {
        let checks = &engine.state().policy().checks;
        self.looks.iter().any(|(check, at)| {
            let about = checks.get(check).map(|policy| &policy.component);
            about.is_some_and(|id| said.components.contains_key(id))
                && *at > said.at
                && *at <= said.at + promise
        })
    }

    /// Everything that the incident holds was heard after it was first seen to be well.
    fn proven(&self, engine: &Engine, action: &Action) {
        let state = engine.state();
        for (id, policy) in &state.policy().checks {
            let decided = state.checks().get(id).is_some_and(|check| {
                check.subjects().any(|(_, _, track)| track.health() != Health::Unknown)
            });
            if decided && action.components.contains_key(&policy.component) {
                let is = &state.components()[&policy.component];
                // Work on it began as the incident let go of it, or later.
                if is.since >= action.at {
                    continue;
                }
                let recovered = is.since;
                assert!(self.conclusive[id] > recovered, "{id} was not heard: {action:?}");
            }
        }
    }

    /// What holds between any two inputs.
    pub(super) fn at_rest(&self, engine: &Engine) {
        let state = engine.state();
        for (id, component) in state.components() {
            let holders = state.incidents().values().filter(|i| i.holds(id)).count();
            assert!(holders <= 1, "{id} is held by {holders}");
            let waits = state.is_waiting(id);
            let maintained = component.status == ComponentStatus::UnderMaintenance;
            assert!(!maintained || holders == 0, "{id}");
            let worked_on = is_worked_on(engine, id, state.now());
            assert!(!worked_on || maintained || holders == 1, "{id}");
            assert!(!waits || component.status.is_bad() && holders == 0, "{id}");
            let left = self.left.contains(id);
            assert!(!left || component.status.is_bad() && !waits && holders == 0, "{id}");
            assert!(!component.status.is_bad() || waits || left || holders == 1, "{id}");
            if let Some(incident) = state.incident_of(id) {
                let shown = incident.components().find(|(held, _)| *held == id).unwrap().1;
                assert_eq!(shown, component.status, "{id}");
                let told = self.latest[incident.key()].components.get(id);
                let is_told = told == Some(&component.status);
                assert!(is_told || !incident.news.is_empty(), "what changes is told: {id}");
            }
        }
        for (key, incident) in state.incidents() {
            assert_eq!(incident.sequence(), self.latest[key].sequence);
            assert_eq!(incident.status(), self.latest[key].status);
            let waits = incident.news_due_at().is_none_or(|due| due > state.now());
            assert!(waits, "what is new waits too long: {key}");
            let overdue = incident.next_update_at().is_some_and(|at| at <= state.now());
            assert!(!overdue || !incident.looked_at(state), "a promise is not kept: {key}");
        }
        let wakeup = engine.next_wakeup();
        let promised = state.incidents().values().any(|i| i.next_update_at() > Some(state.now()));
        assert!(wakeup.is_some() || !promised);
        self.no_dependent_is_alone(engine);
        assert!(wakeup.is_none_or(|wakeup| wakeup.at > state.now()));
    }
}

impl Watcher {
    /// So many updates without news, and no more; the last says so, promises nothing, and silence
    /// follows until there is news.
    fn count_updates(&self, engine: &Engine, action: &Action) {
        let cause = |sequence| self.causes[&(action.incident.clone(), sequence)];
        let earlier = (1..action.sequence).rev().map(cause);
        let in_vain = earlier.take_while(|cause| *cause == Cause::UpdateDue).count();
        let platform = engine.state().policy().platforms.get(&action.platform);
        let most = platform.and_then(|platform| platform.max_unattended_updates);
        let latest = cause(action.sequence);
        if let Some(most) = most.and_then(|most| usize::try_from(most).ok()) {
            assert!(latest != Cause::UpdateDue || in_vain < most, "{action:?}");
            assert!(latest != Cause::HandedOver || in_vain == most, "{action:?}");
        }
        let handed_over = latest == Cause::HandedOver;
        assert_eq!(action.body.contains("stops repeating"), handed_over, "{}", action.body);
        assert!(!handed_over || promised(&action.body).is_none(), "{}", action.body);
        if action.sequence > 1 && cause(action.sequence - 1) == Cause::HandedOver {
            assert!(!matches!(latest, Cause::UpdateDue | Cause::HandedOver), "{action:?}");
        }
    }

    /// An incident that opens refers to the latest that was over soon enough before, and to no
    /// other: found anew from all that was ever published.
    fn returns(&self, engine: &Engine, open: &Action) {
        let platform = engine.state().policy().platforms.get(&open.platform);
        let within = platform.map_or(Span::ZERO, |platform| platform.reopen_within);
        let over = self.latest.values().filter(|action| {
            action.status == IncidentStatus::Resolved
                && action.at <= open.at
                && open.at.since(action.at) <= within.to_duration()
                && !within.is_zero()
                && action.components.keys().any(|id| open.components.contains_key(id))
        });
        let latest = over.clone().map(|action| action.at).max();
        let expected: BTreeSet<Option<&IncidentKey>> = match latest {
            None => BTreeSet::from([None]),
            at => over.filter(|it| Some(it.at) == at).map(|it| Some(&it.incident)).collect(),
        };
        // More may have ended since than are remembered.
        let known = engine.state().recent().count() < 20;
        assert!(!known || expected.contains(&open.follows.as_ref()), "{open:?} {expected:?}");
        assert_eq!(open.body.contains("The problem that was resolved"), open.follows.is_some());
    }

    /// What goes bad after something that it depends on joins the incident of such.
    fn no_dependent_is_alone(&self, engine: &Engine) {
        let state = engine.state();
        for (id, policy) in &state.policy().components {
            let Some(incident) = state.incident_of(id) else { continue };
            // One that was not told yet is held all the same.
            let joined = self.joined.get(&(incident.key().clone(), id.clone()));
            let Some(joined) = joined.copied() else { continue };
            // Only now is everything as it was when it joined.
            if joined != state.now() {
                continue;
            }
            let was_bad = |root: &&ComponentId| {
                let root = state.components().get(*root);
                root.is_some_and(|root| root.status.is_bad() && root.since < joined)
            };
            let roots = policy.depends_on.iter().filter(was_bad);
            let theirs = roots.filter_map(|root| {
                let theirs = state.incident_of(root)?.key();
                let root = (theirs.clone(), root.clone());
                self.joined.get(&root).is_some_and(|at| *at < joined).then_some(theirs)
            });
            let theirs: BTreeSet<&IncidentKey> = theirs.collect();
            assert!(theirs.is_empty() || theirs.contains(incident.key()), "{id}");
        }
    }
}

/// Whether a maintenance of `component` is under way at `at`, by its announcement alone.
fn is_worked_on(engine: &Engine, component: &ComponentId, at: Timestamp) -> bool {
    let state = engine.state();
    let all = state.policy().maintenances.values();
    let mut ours = all.filter(|maintenance| maintenance.components.contains(component));
    let mut on_pages = state.announced().values().flat_map(BTreeMap::values);
    ours.any(|maintenance| maintenance.when.next(at).is_some_and(|window| window.from <= at))
        || on_pages.any(|it| it.components.contains(component) && it.window.holds(at))
}

/// The length of time that a text promises the next update in.
fn promised(body: &str) -> Option<Duration> {
    let (_, rest) = body.split_once("Next update in ")?;
    let (promise, _) = rest.split_once(',').unwrap();
    let words: Vec<&str> = promise.split(' ').collect();
    let secs = words.chunks(2).map(|pair| {
        let unit = match pair[1].trim_end_matches('s') {
            "second" => 1,
            "minute" => 60,
            "hour" => 3600,
            "day" => 86400,
            other => panic!("what is a {other}?"),
        };
        pair[0].parse::<u64>().unwrap() * unit
    });
    Some(Duration::from_secs(secs.sum()))
}
