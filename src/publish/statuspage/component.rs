//! Setting a component apart from incidents: it is looked at, then whatever is open on the page,
//! and only then it is set. Three looks for one write, but a person's hand is seen in each.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};

use crate::model::{ComponentId, ComponentStatus, Timestamp};
use crate::outbox::{Outcome, Request, Shows, Sighting};

use super::super::dialect::{Answer, Call, Conversation, Turn, refusal};
use super::{MAX_PAGES, PER_PAGE, Statuspage, row};

/// A component on its way to be set.
#[derive(Debug)]
pub(super) struct Setting<'a> {
    dialect: &'a Statuspage,
    component: &'a ComponentId,
    status: ComponentStatus,
    expect: &'a BTreeSet<ComponentStatus>,
    at: Timestamp,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Look,
    Unresolved(usize),
    Maintenance(usize),
    Write,
}

impl<'a> Setting<'a> {
    /// The setting that `request` asks for, if it asks for one.
    pub(super) fn of(dialect: &'a Statuspage, request: &'a Request) -> Option<Self> {
        let Request::SetComponent { component, status, expect, at, .. } = request else {
            return None;
        };
        let (status, at, stage) = (*status, *at, Stage::Look);
        Some(Self { dialect, component, status, expect, at, stage })
    }

    fn call(&self) -> Turn {
        // One that is not on this page.
        let Some(id) = self.dialect.components.get(self.component) else {
            return Turn::Over(Outcome::Gone);
        };
        let path = ["components", id.as_str()];
        let list = |path: &[&str], page| self.dialect.list(path, "per_page", page);
        let call: Call = match self.stage {
            Stage::Look => self.dialect.call(Method::GET, &path, None),
            Stage::Unresolved(page) => list(&["incidents", "unresolved"], page),
            Stage::Maintenance(page) => list(&["incidents", "active_maintenance"], page),
            Stage::Write => {
                let body = json!({ "component": { "status": self.status.as_str() } });
                self.dialect.call(Method::PATCH, &path, Some(body))
            }
        };
        Turn::Call(call)
    }

    /// 1. What shows what it should is let be.
    /// 2. What shows anything that we did not set is a person's.
    /// 3. What something open on the page has is that one's; but a maintenance has nothing once
    ///    the time is over that it was announced for.
    /// 4. A list that was cut short may hide such a thing.
    fn weigh(&mut self, value: &Value) -> Turn {
        let shown = || value.get("status").and_then(Value::as_str);
        match self.stage {
            Stage::Look => {
                let Some(shown) = shown() else { return nonsense() };
                let known = ComponentStatus::parse(shown);
                if !known.is_some_and(|known| self.expect.contains(&known)) {
                    return Turn::Over(Outcome::Component(Shows::Other(shown.to_owned())));
                }
                if known == Some(self.status) {
                    return Turn::Over(Outcome::Component(Shows::Wanted));
                }
                self.stage = Stage::Unresolved(1);
            }
            Stage::Unresolved(page) | Stage::Maintenance(page) => {
                let maintenance = matches!(self.stage, Stage::Maintenance(_));
                let Some(rows) = value.as_array() else { return nonsense() };
                if let Some(other) = rows.iter().find_map(|row| self.holder(row, maintenance)) {
                    return Turn::Over(Outcome::Component(Shows::Held(other.id)));
                }
                let full = rows.len() >= PER_PAGE;
                if full && page >= MAX_PAGES {
                    let detail = "more is open than can be read".to_owned();
                    return Turn::Over(Outcome::NotSent { detail });
                }
                self.stage = match (maintenance, full) {
                    (false, true) => Stage::Unresolved(page + 1),
                    (false, false) => Stage::Maintenance(1),
                    (true, true) => Stage::Maintenance(page + 1),
                    (true, false) => Stage::Write,
                };
            }
            Stage::Write if shown() == Some(self.status.as_str()) => {
                return Turn::Over(Outcome::Component(Shows::Wanted));
            }
            Stage::Write => {
                let detail = "the answer does not show what was set".to_owned();
                return Turn::Over(Outcome::Uncertain { detail });
            }
        }
        self.call()
    }

    fn holder(&self, row: &Value, maintenance: bool) -> Option<Sighting> {
        let Statuspage { install, components, .. } = self.dialect;
        let found = row::sighting(row, install, components, maintenance)?;
        let current = found.until.is_none_or(|until| self.at < until);
        (current && found.components.contains(self.component)).then_some(found)
    }
}

fn nonsense() -> Turn {
    let detail = "the answer is not what was asked for".to_owned();
    Turn::Over(Outcome::NotSent { detail })
}

impl Conversation for Setting<'_> {
    fn open(&mut self) -> Turn {
        self.call()
    }

    fn only_reads(&self) -> bool {
        self.stage != Stage::Write
    }

    fn hear(&mut self, answer: &Answer) -> Turn {
        match (answer.status, self.stage) {
            (404, Stage::Look | Stage::Write) => return Turn::Over(Outcome::Gone),
            // An API without maintenances has none under way.
            (404, Stage::Maintenance(_)) => return self.weigh(&json!([])),
            _ => {}
        }
        if let Some(outcome) = refusal(answer) {
            if let Outcome::Uncertain { detail } = &outcome
                && self.only_reads()
            {
                return Turn::Over(Outcome::NotSent { detail: detail.clone() });
            }
            return Turn::Over(outcome);
        }
        match serde_json::from_slice::<Value>(&answer.body) {
            Ok(value) => self.weigh(&value),
            Err(_) if self.only_reads() => nonsense(),
            Err(_) => {
                let detail = "the answer is no JSON".to_owned();
                Turn::Over(Outcome::Uncertain { detail })
            }
        }
    }
}
