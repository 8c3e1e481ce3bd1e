//! The draft of a postmortem, which the vendor keeps beside an incident and shows nobody until a
//! person publishes it.

use http::Method;
use serde_json::{Value, json};

use crate::model::{IncidentKey, IncidentStatus};
use crate::outbox::{Outcome, RemoteId};

use super::{Answer, Call, Conversation, Statuspage, Turn, complaint};
use crate::publish::dialect::refusal;

/// A draft on its way: what stands there is read before anything is written.
#[derive(Debug)]
pub(super) struct Drafting<'a> {
    dialect: &'a Statuspage,
    remote: &'a RemoteId,
    key: &'a IncidentKey,
    text: &'a str,
    stage: Stage,
}

/// What is asked: whose the incident is, what stands beside it, and then to keep the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Whose,
    Beside,
    Write,
}

impl<'a> Drafting<'a> {
    pub(super) fn new(
        dialect: &'a Statuspage,
        remote: &'a RemoteId,
        key: &'a IncidentKey,
        text: &'a str,
    ) -> Self {
        Self { dialect, remote, key, text, stage: Stage::Whose }
    }

    fn call(&self) -> Call {
        let incident = ["incidents", self.remote.as_str()];
        let path = ["incidents", self.remote.as_str(), "postmortem"];
        match self.stage {
            Stage::Whose => self.dialect.call(Method::GET, &incident, None),
            Stage::Beside => self.dialect.call(Method::GET, &path, None),
            Stage::Write => {
                let body = json!({ "postmortem": { "body_draft": self.text } });
                self.dialect.call(Method::PUT, &path, Some(body))
            }
        }
    }

    fn go_on(&mut self, stage: Stage) -> Turn {
        self.stage = stage;
        Turn::Call(self.call())
    }

    /// Whose the incident is: nothing is put beside what carries another mark, asks to be left
    /// alone, or was opened again by somebody.
    fn claim(&mut self, answer: &Answer) -> Turn {
        let own = serde_json::from_slice(&answer.body).ok();
        let own = own.and_then(|row: Value| self.dialect.own(&row));
        let over = |standing: &super::Standing| {
            !standing.held && standing.status == IncidentStatus::Resolved.as_str()
        };
        match own {
            Some(own) if own.key == *self.key && own.standing.as_ref().is_some_and(over) => {
                self.go_on(Stage::Beside)
            }
            Some(_) | None => Turn::Over(Outcome::Gone),
        }
    }

    fn done(&self) -> Outcome {
        Outcome::Done { remote: self.remote.clone(), standing: None }
    }

    /// What stands there already:
    ///
    /// 1. Nothing: the draft is written.
    /// 2. The draft itself: an earlier try arrived.
    /// 3. Anything else is a person's.
    fn weigh(&mut self, answer: &Answer) -> Turn {
        let said = if answer.status == 404 {
            Value::Null
        } else {
            match serde_json::from_slice::<Value>(&answer.body) {
                Ok(said) => said,
                Err(_) => {
                    let detail = format!("the answer is no JSON: {}", complaint(&answer.body));
                    return Turn::Over(Outcome::NotSent { detail });
                }
            }
        };
        let texts = ["body_draft", "body"].map(|field| said[field].as_str().unwrap_or_default());
        let mut texts = texts.into_iter().filter(|text| !text.trim().is_empty()).peekable();
        if texts.peek().is_none() {
            return self.go_on(Stage::Write);
        }
        if texts.all(|text| words(text).eq(words(self.text))) {
            return Turn::Over(self.done());
        }
        let detail = "somebody has written a postmortem already".to_owned();
        Turn::Over(Outcome::Rejected { status: 409, detail })
    }
}

/// Spaces do not count, since some servers tidy them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

impl Conversation for Drafting<'_> {
    fn open(&mut self) -> Turn {
        Turn::Call(self.call())
    }

    fn only_reads(&self) -> bool {
        self.stage != Stage::Write
    }

    fn hear(&mut self, answer: &Answer) -> Turn {
        match refusal(answer) {
            Some(Outcome::Rejected { status: 404, .. }) if self.stage == Stage::Beside => {
                self.weigh(answer)
            }
            Some(Outcome::Rejected { status: 404, .. }) => Turn::Over(Outcome::Gone),
            Some(Outcome::Uncertain { detail }) if self.only_reads() => {
                Turn::Over(Outcome::NotSent { detail })
            }
            Some(outcome) => Turn::Over(outcome),
            None => match self.stage {
                Stage::Whose => self.claim(answer),
                Stage::Beside => self.weigh(answer),
                Stage::Write => Turn::Over(self.done()),
            },
        }
    }
}
