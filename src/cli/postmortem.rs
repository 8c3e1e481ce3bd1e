//! `farol postmortem`: the draft of a postmortem, from the state directory.

use std::path::PathBuf;

use clap::Args;

use crate::engine::{self, Closed, Engine};
use crate::model::{Account, EventKind, IncidentKey, Input, Policy, Timestamp};
use crate::outbox;
use crate::store::{Journal, StoreError};
use crate::words;

use super::Ending;
use super::print::{self, Progress};

/// How long before the beginning of an incident its evidence begins, in seconds.
const LEAD: u64 = 600;

/// Print the draft of a postmortem of an incident that is over
///
/// Without ID, lists the incidents that there are. Reads the state directory, beside a farol that
/// runs on it or after it. The draft says no more than the public may read; --evidence adds what
/// checks said, with addresses and reasons, for the team alone.
#[derive(Debug, Args)]
pub(super) struct Postmortem {
    /// The incident's key
    #[arg(value_name = "ID")]
    id: Option<String>,

    /// Where farol keeps its state
    #[arg(long, default_value = "state", env = "FAROL_STATE_DIR", value_name = "FOLDER")]
    state_dir: PathBuf,

    /// Add what each check said, from the journal: not for the public
    #[arg(long, requires = "id")]
    evidence: bool,

    /// Write it into this file
    #[arg(long, value_name = "FILE", requires = "id")]
    output: Option<PathBuf>,
}

/// Why there is none.
#[derive(Debug, thiserror::Error)]
enum NoDraft {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the saved state of a lane cannot be read: {0}")]
    Lane(#[from] outbox::StateError),
    #[error("incident {0} is open: its postmortem can be drafted when it is over")]
    Open(IncidentKey),
    #[error(
        "no incident {0} is remembered in {dir}, nor does its journal tell of one; farol \\
         postmortem lists those that are",
        dir = .1.display()
    )]
    Unknown(IncidentKey, PathBuf),
    #[error(
        "incident {0} is not remembered, and the journal in {dir} does not reach back to it: it \\
         begins at {2}",
        dir = .1.display()
    )]
    Pruned(IncidentKey, PathBuf, Timestamp),
    #[error(
        "incident {0} was resolved by a farol that kept no account of it, and the journal does not \\
         reach back to it"
    )]
    Untold(IncidentKey),
}

impl Postmortem {
    pub(super) fn run(self) -> Ending {
        let done = match &self.id {
            Some(id) => self.one(&IncidentKey::new(id)),
            None => self.list(),
        };
        let text = match done {
            Ok(text) => text,
            Err(error) => {
                print::error(&error.to_string());
                return Ending::Failed;
            }
        };
        match &self.output {
            Some(file) => match std::fs::write(file, text) {
                Ok(()) => Ending::Well,
                Err(error) => {
                    print::error(&format!("cannot write {}: {error}", file.display()));
                    Ending::Failed
                }
            },
            None => {
                print::raw(&text);
                Ending::Well
            }
        }
    }

    fn list(&self) -> Result<String, NoDraft> {
        let engine = self.present()?;
        let lines = engine.state().recent().rev().filter(|closed| closed.account.is_some());
        let text: String = lines.map(line).collect();
        Ok(if text.is_empty() {
            "no incident that is over is remembered\n".to_owned()
        } else {
            text
        })
    }

    fn one(&self, key: &IncidentKey) -> Result<String, NoDraft> {
        let account = self.account(key)?;
        let mut text = words::postmortem(&account, self.published_at(key)?);
        if self.evidence {
            text.push_str(&self.evidence_of(&account)?);
        }
        Ok(text)
    }

    /// The engine as it is: as it was saved last, and told all that happened since.
    fn present(&self) -> Result<Engine, NoDraft> {
        let (covers, state) = self.saved()?;
        let mut engine = Engine::new(state);
        for entry in Journal::read(&self.state_dir, covers.saturating_add(1))? {
            let (_, at, input) = entry?;
            let _ = engine.handle(&input, at);
        }
        Ok(engine)
    }

    fn saved(&self) -> Result<(u64, engine::State), StoreError> {
        let Some((covers, json)) = Journal::read(&self.state_dir, 0)?.snapshot()? else {
            return Ok((0, engine::State::default()));
        };
        let state = serde_json::from_str(&json)
            .map_err(|source| StoreError::Damaged { what: "state of the engine", source })?;
        Ok((covers, state))
    }

    /// The account of an incident: remembered, or made again from the journal.
    fn account(&self, key: &IncidentKey) -> Result<Account, NoDraft> {
        let engine = self.present()?;
        if engine.state().incidents().contains_key(key) {
            return Err(NoDraft::Open(key.clone()));
        }
        let known = engine.state().recent().find(|closed| closed.key == *key);
        if let Some(account) = known.and_then(|closed| closed.account.clone()) {
            return Ok(*account);
        }
        let mut progress = Progress::new("rows", Journal::read(&self.state_dir, 0)?.rows()?);
        let mut again = Engine::default();
        let mut first = None;
        for entry in Journal::read(&self.state_dir, 0)? {
            let (_, at, input) = entry?;
            if first.is_none() {
                first = Some(at);
                // By it the journal begins, if its beginning is forgotten.
                let policy = Box::new(engine.state().policy().clone());
                let _ = again.handle(&Input::PolicyChanged(policy), at);
            }
            progress.advance(1);
            let decision = again.handle(&input, at);
            let ended = decision.actions.into_iter().find(|action| action.incident == *key);
            if let Some(account) = ended.and_then(|action| action.account) {
                return Ok(*account);
            }
        }
        let dir = self.state_dir.clone();
        Err(match first {
            Some(first) if known.is_none_or(|closed| closed.opened_at >= first) => {
                NoDraft::Unknown(key.clone(), dir)
            }
            Some(first) => NoDraft::Pruned(key.clone(), dir, first),
            None if known.is_some() => NoDraft::Untold(key.clone()),
            None => NoDraft::Unknown(key.clone(), dir),
        })
    }

    /// When it was first on a page, as far as any lane remembers.
    fn published_at(&self, key: &IncidentKey) -> Result<Option<Timestamp>, NoDraft> {
        let mut first = None;
        for json in Journal::read(&self.state_dir, 0)?.outboxes()? {
            let at = outbox::State::from_json(&json)?.published_at(key);
            first = first.into_iter().chain(at).min();
        }
        Ok(first)
    }

    /// What the checks of its components said from a while before its beginning to its end.
    fn evidence_of(&self, account: &Account) -> Result<String, NoDraft> {
        let from = account.started_at - std::time::Duration::from_secs(LEAD);
        let (_, saved) = self.saved()?;
        let mut lines = String::new();
        let mut begun: Option<Policy> = Some(saved.policy().clone());
        let mut engine = Engine::default();
        let mut progress = Progress::new("rows", Journal::read(&self.state_dir, 0)?.rows()?);
        for entry in Journal::read(&self.state_dir, 0)? {
            let (_, at, input) = entry?;
            if at > account.resolved_at {
                break;
            }
            if let Some(policy) = begun.take() {
                let _ = engine.handle(&Input::PolicyChanged(Box::new(policy)), at);
            }
            progress.advance(1);
            let decision = engine.handle(&input, at);
            for event in decision.events.iter().filter(|event| event.at >= from) {
                let EventKind::HealthChanged { check, .. } = &event.kind else { continue };
                let policy = engine.state().policy().checks.get(check);
                if policy.is_some_and(|policy| account.components.contains_key(&policy.component)) {
                    lines.push_str(&said(event.at, &event.kind));
                }
            }
        }
        drop(progress);
        if lines.is_empty() {
            lines.push_str("- nothing: the journal does not reach back to it\n");
        }
        Ok(format!("\n## Evidence (not for the public)\n\nTimes are in UTC.\n\n{lines}"))
    }
}

/// One change of what a check makes of one of its subjects.
fn said(at: Timestamp, kind: &EventKind) -> String {
    let EventKind::HealthChanged { check, variant, subject, from, to, reason, step } = kind else {
        return String::new();
    };
    let time = at.to_utc().format("%Y-%m-%d %H:%M:%S");
    let mut text = format!("- {time} `{check}`");
    for part in [
        variant.as_ref().map(ToString::to_string),
        subject.address().map(|address| address.to_string()),
        step.as_ref().map(|step| format!("step {step}")),
    ]
    .into_iter()
    .flatten()
    {
        text.push_str(&format!(" {part}"));
    }
    text.push_str(&format!(": {from} to {to}"));
    if let Some(reason) = reason {
        text.push_str(&format!(", {}: {reason}", reason.name()));
    }
    text.push('\n');
    text
}

fn line(closed: &Closed) -> String {
    let title = closed.account.as_ref().map(|account| account.title.as_str()).unwrap_or_default();
    let ended = closed.resolved_at.to_utc().format("%Y-%m-%d %H:%M:%SZ");
    let length = closed.resolved_at.since(closed.opened_at).as_secs();
    let lasted = humantime::format_duration(std::time::Duration::from_secs(length));
    format!(
        "{:16} {:12} resolved {ended}, open for {lasted}: {title}\n",
        closed.key, closed.platform
    )
}
