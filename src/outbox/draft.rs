//! The draft of a postmortem, put where the status API keeps drafts once an incident is over. It
//! comes after all else, holds nothing up, and is never in a person's way.

use serde::{Deserialize, Serialize};

use crate::model::{Account, Action, IncidentKey, Span, Timestamp};
use crate::words;

use super::written::Written;
use super::{Notice, Outbox, Outcome, Request};

/// How long after a failure it is tried again, and twice as long after each further one.
const AGAIN: Span = Span::from_secs(60);

/// How often it is tried: nobody misses it for long, and `farol postmortem` prints it.
const TRIES: u32 = 5;

/// A draft that is still to be put there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Draft {
    account: Box<Account>,
    /// When it is to be tried, at the earliest.
    pub(super) at: Timestamp,
    #[serde(default)]
    tries: u32,
}

impl Draft {
    /// The draft of what `account` is of.
    pub(super) fn new(account: Box<Account>) -> Self {
        let at = account.resolved_at;
        Self { account, at, tries: 0 }
    }

    /// It did not work; whether it is worth another try.
    fn failed(&mut self, now: Timestamp) -> bool {
        let wait = AGAIN.as_micros().saturating_mul(1 << self.tries.min(16));
        self.at = now + Span::from_micros(wait);
        self.tries = self.tries.saturating_add(1);
        self.tries < TRIES
    }

    /// After a restart: what was wrong may be mended.
    pub(super) fn resume(&mut self, now: Timestamp) {
        self.at = self.at.min(now);
    }
}

impl Outbox {
    /// The action without what nobody wants: the account of an incident where there is no draft.
    pub(super) fn without_account(&self, mut action: Action) -> Action {
        if !self.timing.drafts || !self.publishing.postmortem {
            action.account = None;
        }
        action
    }

    /// The request that puts the draft of `key` there.
    pub(super) fn draft(&self, key: &IncidentKey) -> Option<Request> {
        let publication = self.state.incidents.get(key)?;
        let draft = publication.draft.as_ref()?;
        let text = words::postmortem(&draft.account, publication.published_at);
        Some(Request::Draft { remote: publication.remote.clone()?, key: key.clone(), text })
    }

    /// What came of a draft:
    ///
    /// 1. It stands there, or the API does not want it: that is the end of it.
    /// 2. Nobody can tell, or it never left: it is tried again later, but not for ever. A second
    ///    try looks what stands there, as the first did.
    pub(super) fn drafted(
        &mut self,
        key: &IncidentKey,
        outcome: Outcome,
        now: Timestamp,
    ) -> Option<Notice> {
        let publication = self.state.incidents.get_mut(key)?;
        let incident = key.clone();
        let why = match outcome.of_write() {
            Written::Applied { remote, .. } => {
                publication.draft = None;
                return Some(Notice::PostmortemDrafted { incident, remote });
            }
            Written::Gone => "the status API keeps no postmortem of it".to_owned(),
            Written::Rejected { status, detail } => format!("status {status}: {detail}"),
            Written::Unapplied | Written::Unknown | Written::Differs(_) => {
                if publication.draft.as_mut()?.failed(now) {
                    return None;
                }
                format!("not after {TRIES} tries")
            }
        };
        publication.draft = None;
        Some(Notice::NoPostmortem { incident, why })
    }
}
