//! The journal: every input of the engine, written before the engine sees it, so that a crash
//! loses no observation and any decision can be made again.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, params};

use crate::model::{Input, Timestamp};

use super::{FORMAT, StoreError, database};

/// Rows that are read at once.
const CHUNK: usize = 1_000;

/// One row: its number, when the engine was told, and what.
pub type Entry = (u64, Timestamp, Input);

/// Writes `entries` in one transaction, all or none, and gives the number of the last: zero if
/// there were none.
pub(super) fn append(
    db: &mut Connection,
    entries: &[(Timestamp, Input)],
) -> Result<u64, StoreError> {
    let transaction = db.transaction()?;
    {
        let mut insert = transaction
            .prepare_cached("INSERT INTO journal (at, check_id, body) VALUES (?1, ?2, ?3)")?;
        for (at, input) in entries {
            let check = match input {
                Input::Observed(observation) => Some(observation.check.as_str()),
                Input::PolicyChanged(_) | Input::Maintenance(_) | Input::Operator(_) => None,
            };
            insert.execute(params![at.as_micros(), check, encode(input)?])?;
        }
    }
    let last = if entries.is_empty() { 0 } else { transaction.last_insert_rowid() };
    transaction.commit()?;
    Ok(last.unsigned_abs())
}

/// The form of a row's body.
pub(super) fn encode(input: &Input) -> Result<String, StoreError> {
    serde_json::to_string(input).map_err(|source| StoreError::Damaged { what: "input", source })
}

/// Up to [`CHUNK`] rows from number `from` on.
fn chunk(db: &Connection, from: u64) -> Result<VecDeque<Entry>, StoreError> {
    let mut select = db.prepare_cached(
        "SELECT seq, at, body FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT ?2",
    )?;
    let mut rows = select.query(params![from, CHUNK])?;
    let mut entries = VecDeque::new();
    while let Some(row) = rows.next()? {
        let at = Timestamp::from_micros(row.get(1)?);
        let input = serde_json::from_str(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?)
            .map_err(|source| StoreError::Damaged { what: "journal row", source })?;
        entries.push_back((row.get(0)?, at, input));
    }
    Ok(entries)
}

/// Reads a journal from its database, beside the process that writes it if need be.
#[derive(Debug)]
pub struct Journal {
    db: Connection,
    next: u64,
    read: VecDeque<Entry>,
    over: bool,
}

impl Journal {
    /// The rows of the journal in state directory `dir` from number `from` on, in order.
    pub fn read(dir: &Path, from: u64) -> Result<Self, StoreError> {
        let path = database(dir);
        let opening = |source| StoreError::Open { path: path.clone(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(&path, flags).map_err(opening)?;
        db.busy_timeout(std::time::Duration::from_secs(5)).map_err(opening)?;
        let found =
            db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(opening)?;
        check_format(&path, found)?;
        Ok(Self::of(db, from))
    }

    /// About how many rows there are.
    pub fn rows(&self) -> Result<u64, StoreError> {
        let count = "SELECT coalesce(max(seq) - min(seq) + 1, 0) FROM journal";
        Ok(self.db.query_row(count, [], |row| row.get(0))?)
    }

    /// The engine's state as it was last saved, with the number of the last row that it had seen.
    pub fn snapshot(&self) -> Result<Option<(u64, String)>, StoreError> {
        let found = self
            .db
            .query_row("SELECT covers, body FROM engine", [], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(found.optional()?)
    }

    /// The states of the lanes as they were last saved.
    pub fn outboxes(&self) -> Result<Vec<String>, StoreError> {
        let mut select = self.db.prepare("SELECT body FROM outbox ORDER BY platform")?;
        Ok(select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    /// The engine's state as it was last saved, if it was.
    pub fn engine(&self) -> Result<Option<String>, StoreError> {
        Ok(self.db.query_row("SELECT body FROM engine", [], |row| row.get(0)).optional()?)
    }

    /// The rows from number `from` on, over an open connection.
    pub(super) fn of(db: Connection, from: u64) -> Self {
        Self { db, next: from, read: VecDeque::new(), over: false }
    }

    /// Gives the connection back.
    pub(super) fn into_connection(self) -> Connection {
        self.db
    }
}

fn check_format(path: &Path, found: usize) -> Result<(), StoreError> {
    if found > FORMAT {
        return Err(StoreError::Newer { path: PathBuf::from(path), found, known: FORMAT });
    }
    Ok(())
}

impl Iterator for Journal {
    type Item = Result<Entry, StoreError>;

    /// The next row; after an error none.
    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() && !self.over {
            match chunk(&self.db, self.next) {
                Ok(read) => self.read = read,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
        let entry = self.read.pop_front();
        match &entry {
            Some((seq, _, _)) => self.next = seq.saturating_add(1),
            None => self.over = true,
        }
        entry.map(Ok)
    }
}
