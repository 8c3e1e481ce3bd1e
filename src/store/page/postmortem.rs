//! Postmortems beside incidents: a draft that nobody but its authors reads, until it is published.

use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::incident::touch;
use super::{PageError, PageStatus, PageStore};
use crate::model::{IncidentStatus, Timestamp};

/// What is written of an incident after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Postmortem {
    /// The draft, if there is one that is not published.
    pub draft: Option<String>,
    /// When the draft last changed.
    pub draft_updated_at: Option<Timestamp>,
    /// What everybody reads, if it is published.
    pub body: Option<String>,
    /// When that last changed.
    pub body_updated_at: Option<Timestamp>,
    /// When it was published.
    pub published_at: Option<Timestamp>,
}

impl PageStore {
    /// The postmortem of an incident, if somebody has written one.
    pub fn postmortem(&self, incident: &str) -> Result<Option<Postmortem>, PageError> {
        let mut statement = self.db.prepare_cached(
            "SELECT draft, draft_updated_at, body, body_updated_at, published_at
             FROM postmortem WHERE incident_id = ?1",
        )?;
        let time = |at: Option<i64>| at.map(Timestamp::from_micros);
        let found = statement.query_row([incident], |row| {
            Ok(Postmortem {
                draft: row.get(0)?,
                draft_updated_at: time(row.get(1)?),
                body: row.get(2)?,
                body_updated_at: time(row.get(3)?),
                published_at: time(row.get(4)?),
            })
        });
        Ok(found.optional()?)
    }

    /// Keeps a draft in the place of the one that there is; what is published stays as it is.
    pub fn draft_postmortem(
        &mut self,
        page: &str,
        incident: &str,
        draft: &str,
        now: Timestamp,
    ) -> Result<Postmortem, PageError> {
        self.write((page, incident, now), true, |postmortem| {
            postmortem.draft = Some(draft.to_owned());
            postmortem.draft_updated_at = Some(now);
            Ok(())
        })
    }

    /// Publishes the draft; only of what is over.
    pub fn publish_postmortem(
        &mut self,
        page: &str,
        incident: &str,
        now: Timestamp,
    ) -> Result<Postmortem, PageError> {
        if self.incident(page, incident)?.status != PageStatus::Incident(IncidentStatus::Resolved) {
            return Err(PageError::Unresolved);
        }
        self.write((page, incident, now), false, |postmortem| {
            let draft = postmortem.draft.take().or_else(|| postmortem.body.clone());
            postmortem.body = Some(draft.ok_or(PageError::NoPostmortem)?);
            postmortem.body_updated_at = Some(now);
            postmortem.published_at = Some(now);
            Ok(())
        })
    }

    /// Takes back what was published: it is a draft again, unless there is another.
    pub fn revert_postmortem(
        &mut self,
        page: &str,
        incident: &str,
        now: Timestamp,
    ) -> Result<Postmortem, PageError> {
        self.write((page, incident, now), false, |postmortem| {
            let body = postmortem.body.take().ok_or(PageError::NoPostmortem)?;
            postmortem.draft.get_or_insert(body);
            postmortem.draft_updated_at = Some(now);
            (postmortem.body_updated_at, postmortem.published_at) = (None, None);
            Ok(())
        })
    }

    /// Forgets the postmortem of an incident.
    pub fn delete_postmortem(
        &mut self,
        page: &str,
        incident: &str,
        now: Timestamp,
    ) -> Result<(), PageError> {
        self.incident(page, incident)?;
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let gone = tx.execute("DELETE FROM postmortem WHERE incident_id = ?1", [incident])?;
        if gone == 0 {
            return Err(PageError::NoPostmortem);
        }
        touch(&tx, page, now)?;
        tx.commit()?;
        Ok(())
    }

    /// Changes a postmortem; one that there is not is made only for a draft.
    fn write(
        &mut self,
        (page, incident, now): (&str, &str, Timestamp),
        drafts: bool,
        change: impl FnOnce(&mut Postmortem) -> Result<(), PageError>,
    ) -> Result<Postmortem, PageError> {
        self.incident(page, incident)?;
        let known = self.postmortem(incident)?;
        let mut postmortem =
            known.or_else(|| drafts.then(Postmortem::default)).ok_or(PageError::NoPostmortem)?;
        change(&mut postmortem)?;
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let time = |at: Option<Timestamp>| at.map(Timestamp::as_micros);
        tx.execute(
            "INSERT OR REPLACE INTO postmortem
                 (incident_id, draft, draft_updated_at, body, body_updated_at, published_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                incident,
                postmortem.draft,
                time(postmortem.draft_updated_at),
                postmortem.body,
                time(postmortem.body_updated_at),
                time(postmortem.published_at)
            ],
        )?;
        // A draft changes nothing that anybody sees.
        if !drafts {
            touch(&tx, page, now)?;
        }
        tx.commit()?;
        Ok(postmortem)
    }
}
