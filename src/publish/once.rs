//! A request that is one call, to an API that takes a call that comes again for the same: there is
//! nothing to look for and nothing to tidy.

use crate::outbox::{Outcome, Payload, RemoteId, Request};

use super::dialect::{Answer, Conversation, Turn, refusal};

/// A request on its way.
pub(super) struct Once {
    turn: Option<Turn>,
    /// The API gives no id: an incident is called there as it is called here.
    remote: RemoteId,
}

impl Once {
    /// Begins a request that writes nothing.
    pub(super) fn without_a_call(request: &Request) -> Self {
        Self::of(request, |_| Turn::Over(Outcome::Gone))
    }

    /// Begins `request`, of which `call` makes what is sent.
    pub(super) fn of(request: &Request, call: impl FnOnce(&Payload) -> Turn) -> Self {
        let (turn, key) = match request {
            Request::Create(payload) | Request::Update { payload, .. } => {
                (call(payload), payload.key.as_str())
            }
            Request::Find { key } | Request::Read { key, .. } => {
                (Turn::Over(Outcome::Found(Vec::new())), key.as_str())
            }
            Request::Retire { remote, key } => {
                (Turn::Over(Outcome::Done { remote: remote.clone(), standing: None }), key.as_str())
            }
            // It knows of no components, so none of them can be why it refused.
            // Nor does it show what others have open.
            // Drafts are kept nowhere.
            Request::Components
            | Request::Survey
            | Request::Announcements
            | Request::Draft { .. }
            | Request::SetComponent { .. } => (Turn::Over(Outcome::Gone), ""),
        };
        Self { turn: Some(turn), remote: RemoteId::new(key) }
    }
}

impl Conversation for Once {
    fn open(&mut self) -> Turn {
        self.turn.take().unwrap_or_else(|| Turn::Over(Outcome::Found(Vec::new())))
    }

    fn hear(&mut self, answer: &Answer) -> Turn {
        let done = || Outcome::Done { remote: self.remote.clone(), standing: None };
        Turn::Over(refusal(answer).unwrap_or_else(done))
    }
}
