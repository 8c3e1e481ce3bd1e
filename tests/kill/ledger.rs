//! The books: what the journal says must have been published, against what the status page says.

use std::path::Path;

use farol::engine::{Decision, Engine};
use farol::model::{Action, ActionKind, Event};
use farol::outbox::{Outbox, State, Timing};
use farol::store::{Journal, Options, Store};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// How many texts are told together at most.
const TOGETHER: usize = 12;

/// All that an engine decides on a journal.
#[derive(Default)]
pub(crate) struct Replay {
    pub(crate) actions: Vec<Action>,
    pub(crate) events: Vec<Event>,
    pub(crate) engine: Engine,
}

impl Replay {
    /// Reads a state folder's journal from its beginning.
    pub(crate) fn of(state: &Path) -> Self {
        let mut replay = Self::default();
        for row in Journal::read(state, 1).unwrap() {
            let (_, at, input) = row.unwrap();
            let Decision { actions, events } = replay.engine.handle(&input, at);
            replay.actions.extend(actions);
            replay.events.extend(events);
        }
        replay
    }

    /// Everything that was decided, to the byte.
    pub(crate) fn json(&self) -> String {
        serde_json::to_string(&(&self.actions, &self.events)).unwrap()
    }

    /// What a process that starts now begins with, the last snapshot and the journal since, is
    /// what the whole journal leads to.
    pub(crate) fn assert_resumes(mut self, state: &Path) {
        let (_store, restored) = Store::open(state, Options::default()).unwrap();
        let (_, snapshot) = restored.engine.expect("a process that was asked to stop left one");
        let mut resumed = Engine::new(serde_json::from_str(&snapshot).unwrap());
        for (_, at, input) in restored.tail {
            let _decided = resumed.handle(&input, at);
        }
        // The snapshot has seen the ticks between observations, and the journal has not.
        let now = self.engine.state().now().max(resumed.state().now());
        let _nothing_due = (self.engine.settle(now), resumed.settle(now));
        let json = |engine: &Engine| serde_json::to_string_pretty(engine.state()).unwrap();
        assert_eq!(json(&resumed), json(&self.engine));
    }
}

/// What a process left in its outbox.
#[derive(Debug)]
pub(crate) struct Left {
    /// Steps that are not known to be published.
    pub(crate) pending: usize,
    /// The last step that is.
    pub(crate) applied: u64,
    /// Whether a request was on its way.
    pub(crate) in_flight: bool,
}

/// Reads the one outbox of a state folder, if it was ever saved.
pub(crate) fn outbox(state: &Path) -> Option<Left> {
    let db = Connection::open_with_flags(state.join("farol.db"), OpenFlags::SQLITE_OPEN_READ_ONLY);
    let read = "SELECT body FROM outbox";
    let body: String = db.unwrap().query_row(read, [], |row| row.get(0)).ok()?;
    let pending = Outbox::new("", State::from_json(&body).unwrap(), Timing::default()).pending();
    let body: Value = serde_json::from_str(&body).unwrap();
    let incident = body["incidents"].as_object().and_then(|all| all.values().next());
    Some(Left {
        pending,
        applied: incident.and_then(|incident| incident["applied"].as_u64()).unwrap_or(0),
        in_flight: !body["in_flight"].is_null(),
    })
}

/// One incident as a status page shows it in the end.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) status: String,
    /// Every text, oldest first, with the step it was written for where the page tells.
    pub(crate) texts: Vec<(Option<u32>, String)>,
    /// The statuses of the page's components.
    pub(crate) components: Vec<String>,
}

impl Shown {
    /// As the server in memory keeps it.
    pub(crate) fn elsewhere(incident: &Value) -> Self {
        let steps = list(&incident["steps"]).iter().map(|step| Some(text(step).parse().unwrap()));
        let components = incident["components"].as_object().unwrap();
        Self {
            status: text(&incident["status"]),
            texts: steps.zip(list(&incident["texts"]).iter().map(text)).collect(),
            components: components.values().map(text).collect(),
        }
    }

    /// As the public API shows it, newest update first.
    pub(crate) fn embedded(incident: &Value, summary: &Value) -> Self {
        let updates = list(&incident["incident_updates"]).iter().rev();
        Self {
            status: text(&incident["status"]),
            texts: updates.map(|update| (None, text(&update["body"]))).collect(),
            components: list(&summary["components"]).iter().map(|c| text(&c["status"])).collect(),
        }
    }

    /// Every step stands on the page once and in order. Returns how many were left out as they may
    /// be.
    ///
    /// 1. Steps that waited together are one text: each of theirs, without one that repeats the
    ///    one before it.
    /// 2. Of more than [`TOGETHER`] steps that waited together, the latest are told.
    /// 3. The resolution takes the place of updates that waited with it; which are later than
    ///    `strict`, up to where all was published before the recovery began.
    pub(crate) fn assert_tells(&self, actions: &[Action], strict: u64) -> usize {
        assert!(
            actions.iter().enumerate().all(|(i, action)| action.sequence as usize == i + 1),
            "the steps are counted without a gap: {actions:#?}"
        );
        // Each way to read the texts so far: up to which step, and with how many left out.
        let mut ways = vec![(0, 0)];
        for (step, text) in &self.texts {
            let mut longer = Vec::new();
            for (from, left_out) in &ways {
                for to in from + 1..=actions.len() {
                    if step.is_some_and(|step| step as usize != to) {
                        continue;
                    }
                    let steps = &actions[*from..to];
                    if said(steps) == *text {
                        longer.push((to, left_out + steps.len().saturating_sub(TOGETHER)));
                    } else if replaces(steps, text, strict) {
                        longer.push((to, left_out + steps.len() - 1));
                    }
                }
            }
            assert!(!longer.is_empty(), "{}", self.mismatch(actions, &ways, text));
            ways = longer;
        }
        let whole = ways.iter().filter(|(to, _)| *to == actions.len()).map(|(_, out)| *out).min();
        whole.unwrap_or_else(|| panic!("{}", self.mismatch(actions, &ways, "the end")))
    }

    fn mismatch(&self, actions: &[Action], ways: &[(usize, usize)], at: &str) -> String {
        let steps: Vec<_> = actions.iter().map(|a| (a.sequence, a.kind, &a.body)).collect();
        let texts = &self.texts;
        format!(
            "the page and the journal part at {at:?}, after step {ways:?}\n{steps:#?}\n{texts:#?}"
        )
    }
}

fn said(steps: &[Action]) -> String {
    let told = &steps[steps.len().saturating_sub(TOGETHER)..];
    let mut texts: Vec<&str> = told.iter().map(|step| step.body.trim()).collect();
    texts.dedup();
    texts.join("\n\n")
}

fn replaces(steps: &[Action], text: &str, strict: u64) -> bool {
    let Some((last, before)) = steps.split_last() else { return false };
    last.kind == ActionKind::Resolve
        && last.body.trim() == text
        && before
            .iter()
            .all(|step| step.kind == ActionKind::Update && u64::from(step.sequence) > strict)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}
