//! The outbox against a model of a status API that loses answers, is slow, busy or away, and of a
//! process that is killed at any moment: in the end every page must be right. And beside a person
//! who does whatever people do: what they touched is theirs.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::drafts::account;
use super::{
    Outbox, Outcome, Payload, Remote, RemoteId, Request, State, Timing, action, at, component,
};
use crate::model::{
    Action, ActionKind, ComponentId, ComponentStatus, IncidentKey, IncidentStatus, Span, Timestamp,
};
use crate::outbox::{Sighting, Standing};

/// What happens to one request.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// It is carried out, and the answer lost.
    AnswerLost,
    /// It is not carried out, and nobody can tell.
    RequestLost,
    /// The client gives up; it is carried out so many seconds after it was sent.
    Late(u8),
    Busy(u8),
    Away,
    Unauthorized,
    /// The process is killed before the request leaves.
    KilledBefore,
    /// The process is killed after the request was carried out, before the answer is handled.
    KilledAfter,
}

/// What a person does to an incident on the page.
#[derive(Clone, Copy, Debug)]
enum Deed {
    Says,
    Edits,
    Renames,
    Identifies,
    Rates,
    SetsComponent,
    Resolves,
    Deletes,
    Unmarks,
    Holds,
    /// Opens one of their own.
    Opens,
    /// Ends what is theirs.
    Closes,
}

#[derive(Debug)]
struct Incident {
    id: RemoteId,
    /// None for what is not, or not any more, marked as ours.
    key: Option<IncidentKey>,
    created_at: Timestamp,
    status: IncidentStatus,
    sequence: u32,
    name: String,
    impact: String,
    components: BTreeMap<ComponentId, ComponentStatus>,
    texts: Vec<String>,
    held: bool,
    /// What stands beside it for its authors.
    postmortem: Option<String>,
    /// Since when a person has it.
    touched: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct StatusApi {
    incidents: Vec<Incident>,
    made: usize,
    late: Vec<(Timestamp, Request)>,
    deeds: Vec<(Timestamp, u8, Deed)>,
}

impl StatusApi {
    fn carry_out(&mut self, request: &Request, now: Timestamp) -> Outcome {
        match request {
            Request::Create(payload) => {
                let theirs = self.incidents.iter().find(|incident| {
                    let long = incident.touched.is_some_and(|at| now.since(at).as_secs() > 60);
                    long && incident.status != IncidentStatus::Resolved
                });
                assert!(theirs.is_none(), "a person knows already: {theirs:?}");
                let id = self.make(Some(payload.key.clone()), now);
                self.apply(&id, payload)
            }
            Request::Update { remote, payload, expect } => {
                let Some(incident) = self.incidents.iter().find(|own| own.id == *remote) else {
                    return Outcome::Gone;
                };
                let Some(seen) = seen(incident) else { return Outcome::Gone };
                if seen.sequence >= payload.sequence {
                    return Outcome::Uncertain { detail: "it stands there".to_owned() };
                }
                let standing = seen.standing.clone().unwrap();
                let expect = expect.as_ref().expect("what stands there is always known");
                if expect.foreign(&standing).is_some() {
                    return Outcome::Differs(seen);
                }
                self.apply(remote, payload)
            }
            Request::Retire { remote, .. } => {
                panic!("{remote} was taken for a duplicate: {:?}", self.incidents)
            }
            Request::Find { .. } => {
                Outcome::Found(self.incidents.iter().filter_map(seen).collect())
            }
            Request::Read { remote, .. } => {
                let incident = self.incidents.iter().find(|incident| incident.id == *remote);
                let seen = incident.and_then(seen);
                seen.map_or(Outcome::Gone, |seen| Outcome::Found(vec![seen]))
            }
            Request::Survey => {
                let open = self.incidents.iter().filter(|i| i.status != IncidentStatus::Resolved);
                Outcome::Surveyed(open.map(sighting).collect())
            }
            Request::Draft { remote, key, text } => {
                let incident = self.incidents.iter_mut().find(|incident| incident.id == *remote);
                let ours = |own: &&mut Incident| own.key.as_ref() == Some(key) && !own.held;
                let Some(incident) = incident.filter(ours) else { return Outcome::Gone };
                // Only a person opens again what is over.
                let touched = incident.touched.is_some();
                assert!(incident.status == IncidentStatus::Resolved || touched, "{incident:?}");
                if incident.status != IncidentStatus::Resolved {
                    return Outcome::Gone;
                }
                let known = incident.postmortem.get_or_insert(text.clone());
                if known != text {
                    return Outcome::Rejected { status: 409, detail: String::new() };
                }
                Outcome::Done { remote: remote.clone(), standing: None }
            }
            Request::Components | Request::Announcements | Request::SetComponent { .. } => {
                panic!("nothing was refused")
            }
        }
    }

    fn make(&mut self, key: Option<IncidentKey>, now: Timestamp) -> RemoteId {
        let id = RemoteId::new(format!("r{}", self.made));
        self.made += 1;
        self.incidents.push(Incident {
            id: id.clone(),
            touched: key.is_none().then_some(now),
            key,
            created_at: now,
            status: IncidentStatus::Investigating,
            sequence: 0,
            name: String::new(),
            impact: String::new(),
            components: BTreeMap::new(),
            texts: Vec::new(),
            held: false,
            postmortem: None,
        });
        id
    }

    fn apply(&mut self, id: &RemoteId, payload: &Payload) -> Outcome {
        let incident = self.incidents.iter_mut().find(|incident| incident.id == *id).unwrap();
        assert_eq!(incident.touched, None, "a person's: {incident:?} by {payload:?}");
        assert!(payload.sequence > incident.sequence, "an update came twice, or out of order");
        incident.status = payload.status;
        incident.sequence = payload.sequence;
        incident.name = payload.title.clone();
        incident.impact = payload.impact.to_string();
        incident.components = payload.components.clone();
        incident.texts.push(payload.body.clone());
        Outcome::Done { remote: id.clone(), standing: Some(standing(incident)) }
    }

    /// Lets a person do what they do until `now`.
    fn live(&mut self, now: Timestamp) {
        let (due, deeds) =
            std::mem::take(&mut self.deeds).into_iter().partition(|(at, _, _)| *at <= now);
        self.deeds = deeds;
        let due: Vec<(Timestamp, u8, Deed)> = due;
        for (at, which, deed) in due {
            self.meddle(at, which, deed);
        }
    }

    fn meddle(&mut self, at: Timestamp, which: u8, deed: Deed) {
        match deed {
            Deed::Opens => {
                let id = self.make(None, at);
                let own = self.incidents.iter_mut().find(|incident| incident.id == id).unwrap();
                own.components.insert(component("desk"), ComponentStatus::MajorOutage);
                return;
            }
            Deed::Closes => {
                let theirs = self.incidents.iter_mut().filter(|own| own.touched.is_some());
                theirs.for_each(|own| own.status = IncidentStatus::Resolved);
                return;
            }
            Deed::Says
            | Deed::Edits
            | Deed::Renames
            | Deed::Identifies
            | Deed::Rates
            | Deed::SetsComponent
            | Deed::Resolves
            | Deed::Deletes
            | Deed::Unmarks
            | Deed::Holds => {}
        }
        if self.incidents.is_empty() {
            return;
        }
        let index = usize::from(which) % self.incidents.len();
        let incident = &mut self.incidents[index];
        if let Deed::Deletes = deed {
            self.incidents.remove(index);
            return;
        }
        incident.touched.get_or_insert(at);
        match deed {
            Deed::Says => incident.texts.push("a person's".to_owned()),
            Deed::Edits => {
                if let Some(text) = incident.texts.last_mut() {
                    text.push_str(" (edited)");
                }
            }
            Deed::Renames => incident.name.push('!'),
            Deed::Identifies => {
                incident.status = IncidentStatus::Identified;
                incident.texts.push("a person knows why".to_owned());
            }
            Deed::Rates => incident.impact = "none".to_owned(),
            Deed::SetsComponent => {
                incident.components.insert(component("desk"), ComponentStatus::UnderMaintenance);
            }
            Deed::Resolves => {
                incident.status = IncidentStatus::Resolved;
                incident.texts.push("over".to_owned());
            }
            Deed::Unmarks => incident.key = None,
            Deed::Holds => incident.held = true,
            Deed::Deletes | Deed::Opens | Deed::Closes => unreachable!(),
        }
    }

    fn catch_up(&mut self, now: Timestamp) {
        let (due, late) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = late;
        let due: Vec<(Timestamp, Request)> = due;
        for (at, request) in due {
            self.live(at);
            let _unheard = self.carry_out(&request, at);
        }
        self.live(now);
    }
}

fn seen(incident: &Incident) -> Option<Remote> {
    Some(Remote {
        id: incident.id.clone(),
        key: incident.key.clone()?,
        sequence: incident.sequence,
        status: Some(incident.status),
        created_at: incident.created_at,
        standing: Some(standing(incident)),
    })
}

fn standing(incident: &Incident) -> Standing {
    let texts = incident.texts.iter().enumerate();
    let components = incident.components.iter();
    Standing {
        name: incident.name.clone(),
        status: incident.status.to_string(),
        impact: Some(incident.impact.clone()),
        components: components.clone().map(|(id, is)| (id.to_string(), is.to_string())).collect(),
        ids: components.map(|(id, _)| (id.clone(), id.to_string())).collect(),
        updates: texts.map(|(id, text)| (format!("u{id}"), Standing::digest(text))).collect(),
        held: incident.held,
    }
}

fn sighting(incident: &Incident) -> Sighting {
    Sighting {
        id: incident.id.clone(),
        key: incident.key.clone(),
        components: incident.components.keys().cloned().collect(),
        maintenance: false,
        until: None,
    }
}

fn timing() -> Timing {
    Timing { drafts: true, ..Timing::default() }
}

/// Runs to the end and gives the API's view and the number of attempts.
fn run(
    script: &[Action],
    faults: &[Fault],
    deeds: Vec<(Timestamp, u8, Deed)>,
) -> (StatusApi, usize) {
    let mut api = StatusApi { deeds, ..StatusApi::default() };
    let mut faults = faults.iter().copied();
    let mut script = script.iter().peekable();
    let mut decided: Vec<Action> = Vec::new();
    let mut outbox = Outbox::new("install", State::default(), timing());
    let mut now = at(0);
    let mut attempts = 0;
    loop {
        while let Some(action) = script.next_if(|action| action.at <= now) {
            decided.push(action.clone());
            outbox.push(action.clone());
        }
        api.catch_up(now);
        let _said = outbox.tick(now);
        let Some(attempt) = outbox.next(now) else {
            let wakeup = outbox.next_wakeup().map(|wakeup| wakeup.at);
            assert!(wakeup.is_none_or(|at| at > now), "due, but nothing to do: {outbox:?}");
            let next = wakeup.into_iter().chain(script.peek().map(|action| action.at)).min();
            match next {
                Some(at) => now = at,
                None => return (api, attempts),
            }
            continue;
        };
        attempts += 1;
        assert!(attempts < 1_000, "no end in sight: {outbox:?}");
        // What is written down before the request leaves.
        let saved = outbox.state().to_json().unwrap();
        let fault = faults.next();
        let (took, outcome) = perform(&mut api, attempt.request, fault, now);
        now = now + took;
        api.catch_up(now);
        match outcome {
            Some(outcome) => {
                let _notices = outbox.outcome(attempt.id, outcome, now);
            }
            None => {
                let state = State::from_json(&saved).unwrap();
                outbox = Outbox::new("install", state, timing());
                outbox.resume(now);
                // The engine is replayed, and wants everything again.
                for action in &decided {
                    outbox.push(action.clone());
                }
            }
        }
    }
}

/// Carries out a request under a fault: how long it took, and what was heard if anybody lived to
/// hear it.
fn perform(
    api: &mut StatusApi,
    request: Request,
    fault: Option<Fault>,
    now: Timestamp,
) -> (Span, Option<Outcome>) {
    let uncertain = || Some(Outcome::Uncertain { detail: String::new() });
    let quick = Span::from_millis(80);
    match fault {
        None => (quick, Some(api.carry_out(&request, now))),
        Some(Fault::AnswerLost) => {
            api.carry_out(&request, now);
            (quick, uncertain())
        }
        Some(Fault::RequestLost) => (quick, uncertain()),
        Some(Fault::Late(secs)) => {
            if request.is_write() {
                api.late.push((now + Span::from_secs(secs.into()), request));
            }
            (Span::from_secs(10), uncertain())
        }
        Some(Fault::Busy(secs)) => {
            let retry_after = (secs > 0).then(|| Span::from_secs(secs.into()));
            (quick, Some(Outcome::RateLimited { retry_after }))
        }
        Some(Fault::Away) => (quick, Some(Outcome::NotSent { detail: String::new() })),
        Some(Fault::Unauthorized) => (quick, Some(Outcome::Unauthorized { detail: String::new() })),
        Some(Fault::KilledBefore) => (quick, None),
        Some(Fault::KilledAfter) => {
            api.carry_out(&request, now);
            (quick, None)
        }
    }
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        3 => Just(Fault::AnswerLost),
        2 => Just(Fault::RequestLost),
        2 => (0_u8..28).prop_map(Fault::Late),
        1 => (0_u8..70).prop_map(Fault::Busy),
        1 => Just(Fault::Away),
        1 => Just(Fault::Unauthorized),
        2 => Just(Fault::KilledBefore),
        2 => Just(Fault::KilledAfter),
    ]
}

fn deed() -> impl Strategy<Value = (Timestamp, u8, Deed)> {
    let deeds = prop_oneof![
        Just(Deed::Says),
        Just(Deed::Edits),
        Just(Deed::Renames),
        Just(Deed::Identifies),
        Just(Deed::Rates),
        Just(Deed::SetsComponent),
        Just(Deed::Resolves),
        Just(Deed::Deletes),
        Just(Deed::Unmarks),
        Just(Deed::Holds),
        Just(Deed::Opens),
        Just(Deed::Closes),
    ];
    let secs = prop_oneof![3 => 0_i64..400_000, 1 => 400_000_i64..4_000_000];
    // In milliseconds, so that what happens between two requests is met.
    let at = secs.prop_map(|millis| at(0) + Span::from_millis(millis.unsigned_abs()));
    (at, any::<u8>(), deeds)
}

/// One to three incidents, each opened, updated up to six times, and resolved.
fn script() -> impl Strategy<Value = Vec<Action>> {
    let incident = (0_i64..60, prop::collection::vec(0_i64..90, 1..8));
    prop::collection::vec(incident, 1..4).prop_map(|incidents| {
        let mut script = Vec::new();
        for (key, (start, gaps)) in ["a", "b", "c"].into_iter().zip(incidents) {
            let mut secs = start;
            script.push(action(key, 1, ActionKind::Open, secs));
            let last = gaps.len() - 1;
            for (index, gap) in gaps.into_iter().enumerate() {
                secs += gap;
                let kind = if index == last { ActionKind::Resolve } else { ActionKind::Update };
                let mut step = action(key, u32::try_from(index).unwrap() + 2, kind, secs);
                step.account = (kind == ActionKind::Resolve).then(|| account(step.at));
                script.push(step);
            }
        }
        script.sort_by_key(|action| action.at);
        script
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn in_the_end_every_page_is_right(
        script in script(),
        faults in prop::collection::vec(fault(), 0..24),
    ) {
        let (api, attempts) = run(&script, &faults, Vec::new());
        let keys: std::collections::BTreeSet<_> =
            script.iter().map(|action| action.incident.clone()).collect();
        prop_assert_eq!(api.incidents.len(), keys.len(), "{:?}", api);
        for incident in &api.incidents {
            let last = script.iter().rfind(|action| Some(&action.incident) == incident.key.as_ref()).unwrap();
            prop_assert_eq!(incident.status, IncidentStatus::Resolved);
            prop_assert_eq!(incident.sequence, last.sequence);
            prop_assert_eq!(&incident.components, &last.components);
            prop_assert!(incident.texts.len() >= 2, "history shows no trouble: {:?}", incident);
            let said: Vec<u32> = incident
                .texts
                .iter()
                .flat_map(|text| text.split("\n\n"))
                .map(|text| text.rsplit_once('#').unwrap().1.parse().unwrap())
                .collect();
            let draft = incident.postmortem.as_ref();
            // It is tried five times.
            prop_assert!(draft.is_some_and(|text| text.starts_with("# ")) || faults.len() >= 5);
            prop_assert!(said.is_sorted_by(|a, b| a < b), "twice or out of order: {:?}", said);
            prop_assert_eq!(said.first(), Some(&1));
            prop_assert_eq!(said.last(), Some(&last.sequence));
        }
        // Two writes at least for each incident; each fault costs a few looks at most, and the page
        // is looked at before each opening; at last comes a draft.
        let most = script.len() + 6 * faults.len() + 2 + 2 * keys.len();
        prop_assert!(attempts <= most, "{} attempts", attempts);
    }

    /// That nothing of a person's is written is asserted where the API is written.
    #[test]
    fn what_a_person_touched_is_theirs_and_all_else_is_right(
        script in script(),
        faults in prop::collection::vec(fault(), 0..12),
        deeds in prop::collection::vec(deed(), 1..6),
    ) {
        let (api, _) = run(&script, &faults, deeds);
        for incident in api.incidents.iter().filter(|incident| incident.touched.is_none()) {
            let last = script.iter().rfind(|action| Some(&action.incident) == incident.key.as_ref());
            let last = last.unwrap();
            prop_assert_eq!(incident.status, IncidentStatus::Resolved, "{:?}", api);
            prop_assert_eq!(incident.sequence, last.sequence);
            prop_assert_eq!(&incident.components, &last.components);
        }
    }
}
