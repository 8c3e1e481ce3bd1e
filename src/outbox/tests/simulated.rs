//! The outbox against a model of a status API that loses answers, is slow, busy or away, and of a
//! process that is killed at any moment: in the end every page must be right.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Outbox, Outcome, Payload, Remote, RemoteId, Request, State, Timing, action, at};
use crate::model::{
    Action, ActionKind, ComponentId, ComponentStatus, IncidentKey, IncidentStatus, Span, Timestamp,
};

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

#[derive(Debug)]
struct Incident {
    id: RemoteId,
    key: IncidentKey,
    created_at: Timestamp,
    status: IncidentStatus,
    sequence: u32,
    components: BTreeMap<ComponentId, ComponentStatus>,
    texts: Vec<String>,
}

#[derive(Debug, Default)]
struct StatusApi {
    incidents: Vec<Incident>,
    late: Vec<(Timestamp, Request)>,
}

impl StatusApi {
    fn carry_out(&mut self, request: &Request, now: Timestamp) -> Outcome {
        match request {
            Request::Create(payload) => {
                let id = RemoteId::new(format!("r{}", self.incidents.len()));
                self.incidents.push(Incident {
                    id: id.clone(),
                    key: payload.key.clone(),
                    created_at: now,
                    status: payload.status,
                    sequence: 0,
                    components: BTreeMap::new(),
                    texts: Vec::new(),
                });
                self.apply(&id, payload)
            }
            Request::Update { remote, payload } => self.apply(remote, payload),
            Request::Retire { remote, .. } => {
                panic!("{remote} was taken for a duplicate: {:?}", self.incidents)
            }
            Request::Find { .. } => Outcome::Found(self.incidents.iter().map(seen).collect()),
            Request::Read { remote, .. } => {
                let incident = self.incidents.iter().find(|incident| incident.id == *remote);
                incident.map_or(Outcome::Gone, |incident| Outcome::Found(vec![seen(incident)]))
            }
            Request::Components => panic!("nothing was refused"),
        }
    }

    fn apply(&mut self, id: &RemoteId, payload: &Payload) -> Outcome {
        let incident = self.incidents.iter_mut().find(|incident| incident.id == *id).unwrap();
        assert!(payload.sequence > incident.sequence, "an update came twice, or out of order");
        incident.status = payload.status;
        incident.sequence = payload.sequence;
        incident.components = payload.components.clone();
        incident.texts.push(payload.body.clone());
        Outcome::Done { remote: id.clone() }
    }

    fn catch_up(&mut self, now: Timestamp) {
        let (due, late) =
            std::mem::take(&mut self.late).into_iter().partition(|(at, _)| *at <= now);
        self.late = late;
        let due: Vec<(Timestamp, Request)> = due;
        for (at, request) in due {
            let _unheard = self.carry_out(&request, at);
        }
    }
}

fn seen(incident: &Incident) -> Remote {
    Remote {
        id: incident.id.clone(),
        key: incident.key.clone(),
        sequence: incident.sequence,
        status: Some(incident.status),
        created_at: incident.created_at,
    }
}

/// Runs to the end and gives the API's view and the number of attempts.
fn run(script: &[Action], faults: &[Fault]) -> (StatusApi, usize) {
    let mut api = StatusApi::default();
    let mut faults = faults.iter().copied();
    let mut script = script.iter().peekable();
    let mut decided: Vec<Action> = Vec::new();
    let mut outbox = Outbox::new("install", State::default(), Timing::default());
    let mut now = at(0);
    let mut attempts = 0;
    loop {
        while let Some(action) = script.next_if(|action| action.at <= now) {
            decided.push(action.clone());
            outbox.push(action.clone());
        }
        api.catch_up(now);
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
                outbox = Outbox::new("install", state, Timing::default());
                outbox.resume(now);
                // The engine is replayed, and wants everything again.
                decided.iter().for_each(|action| outbox.push(action.clone()));
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
                script.push(action(key, u32::try_from(index).unwrap() + 2, kind, secs));
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
        let (api, attempts) = run(&script, &faults);
        let keys: std::collections::BTreeSet<_> =
            script.iter().map(|action| action.incident.clone()).collect();
        prop_assert_eq!(api.incidents.len(), keys.len(), "{:?}", api);
        for incident in &api.incidents {
            let last = script.iter().rfind(|action| action.incident == incident.key).unwrap();
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
            prop_assert!(said.is_sorted_by(|a, b| a < b), "twice or out of order: {:?}", said);
            prop_assert_eq!(said.first(), Some(&1));
            prop_assert_eq!(said.last(), Some(&last.sequence));
        }
        // Two writes at least for each incident; each fault costs a few looks at most.
        prop_assert!(attempts <= script.len() + 5 * faults.len() + 2, "{} attempts", attempts);
    }
}
