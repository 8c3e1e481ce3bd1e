//! What survives a restart: the journal of all that the engine was told, and the last saved state
//! of the engine and of every outbox.
//!
//! A state directory belongs to one process. All writes are made by one thread, each is a
//! transaction, and what was acknowledged is on the disk: `kill -9` and power cuts included. A
//! write that fails (the disk is full) is told to whoever asked for it, and the next may succeed.

mod journal;
pub mod page;
mod prune;
pub mod sqlite;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{Input, LaneId, Timestamp};

pub use journal::{Entry, Journal};
pub use sqlite::StoreError;

use writer::Writer;

/// Each step of the format, in order; none is ever edited after a release.
const MIGRATIONS: &[&str] = &["
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE journal (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        check_id TEXT,
        body TEXT NOT NULL
    ) STRICT;
    CREATE TABLE engine (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        covers INTEGER NOT NULL,
        body TEXT NOT NULL
    ) STRICT;
    CREATE TABLE outbox (platform TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT, WITHOUT ROWID;
"];

/// The format that this version writes.
const FORMAT: usize = MIGRATIONS.len();

/// How much of the journal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// For how long.
    pub retain_for: Duration,
    /// How large the database may be.
    pub retain_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { retain_for: Duration::from_secs(30 * 24 * 3600), retain_bytes: 2 << 30 }
    }
}

/// What is to be saved in one transaction. What is not given stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The engine's state, and the number of the last journal row that it has seen.
    pub engine: Option<(u64, String)>,
    /// The state of outboxes.
    pub outboxes: BTreeMap<LaneId, String>,
}

/// What was found in the state directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Restored {
    /// The engine's last state, and the number of the last journal row that it had seen.
    pub engine: Option<(u64, String)>,
    /// The last state of each outbox.
    pub outboxes: BTreeMap<LaneId, String>,
    /// The journal after that: the engine has to be told again.
    pub tail: Vec<Entry>,
    /// The installation's name, made when the directory was.
    pub install: String,
}

/// A state directory in use.
#[derive(Debug)]
pub struct Store {
    // Dropped in this order: the lock goes when the writer has ended.
    writer: Writer,
    _lock: File,
    options: Options,
}

impl Store {
    /// Opens the state directory, making it if need be, and reads what is there.
    pub fn open(dir: &Path, options: Options) -> Result<(Self, Restored), StoreError> {
        let lock = lock(dir)?;
        let path = database(dir);
        let db = sqlite::open(&path, MIGRATIONS)?;
        incremental(&db)?;
        let (db, restored) = restore(db)?;
        let writer = Writer::start(db)?;
        Ok((Self { writer, _lock: lock, options }, restored))
    }

    /// Writes inputs to the journal, all or none, and gives the number of the last one: zero if
    /// there were none. When this returns they are on the disk.
    pub async fn append(
        &self,
        entries: impl Into<Arc<Vec<(Timestamp, Input)>>>,
    ) -> Result<u64, StoreError> {
        let entries = entries.into();
        self.writer.run(move |db| journal::append(db, &entries)).await
    }

    /// Saves a snapshot, all or nothing. When this returns it is on the disk.
    pub async fn save(&self, snapshot: Snapshot) -> Result<(), StoreError> {
        self.writer.run(move |db| save(db, &snapshot)).await
    }

    /// Forgets some of what is older, or more, than is to be kept, and tells whether there is more
    /// to forget: other writes can have their turn in between.
    pub async fn prune(&self, now: Timestamp) -> Result<bool, StoreError> {
        let options = self.options;
        let deleted = self.writer.run(move |db| prune::slice(db, options, now)).await?;
        Ok(!prune::is_last(deleted))
    }

    /// The bytes that the database uses.
    pub async fn size(&self) -> Result<u64, StoreError> {
        self.writer.run(|db| prune::size(db)).await
    }
}

fn database(dir: &Path) -> PathBuf {
    dir.join("farol.db")
}

/// Makes the directory and takes its lock, which ends with the process however that ends.
fn lock(dir: &Path) -> Result<File, StoreError> {
    let failed = |source| StoreError::Directory { path: dir.to_owned(), source };
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir).map_err(failed)?;
    let path = dir.join("farol.lock");
    let lock = File::options().create(true).append(true).open(path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StoreError::Locked { path: dir.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Lets deleted rows give their space back. The setting has to be there before the first table,
/// or be followed by a rewrite, which costs nothing while there is nothing to rewrite.
fn incremental(db: &Connection) -> Result<(), StoreError> {
    const INCREMENTAL: u32 = 2;
    let found: u32 = db.pragma_query_value(None, "auto_vacuum", |row| row.get(0))?;
    if found != INCREMENTAL {
        db.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?;
    }
    Ok(())
}

fn restore(db: Connection) -> Result<(Connection, Restored), StoreError> {
    let install = install(&db)?;
    let engine: Option<(u64, String)> = db
        .query_row("SELECT covers, body FROM engine", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let outboxes = db
        .prepare("SELECT platform, body FROM outbox")?
        .query_map([], |row| Ok((LaneId::new(row.get::<_, String>(0)?), row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    let covered = engine.as_ref().map_or(0, |(covers, _)| *covers);
    let mut journal = Journal::of(db, covered.saturating_add(1));
    let tail = journal.by_ref().collect::<Result<_, _>>()?;
    Ok((journal.into_connection(), Restored { engine, outboxes, tail, install }))
}

/// The installation's name: random, since two installations that share a page have nothing else
/// that tells them apart; made once.
fn install(db: &Connection) -> Result<String, StoreError> {
    let known = "SELECT value FROM meta WHERE name = 'install'";
    if let Some(install) = db.query_row(known, [], |row| row.get(0)).optional()? {
        return Ok(install);
    }
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(StoreError::Random)?;
    let install = data_encoding::HEXLOWER.encode(&bytes);
    db.execute("INSERT INTO meta (name, value) VALUES ('install', ?1)", [&install])?;
    Ok(install)
}

fn save(db: &mut Connection, snapshot: &Snapshot) -> Result<(), StoreError> {
    let transaction = db.transaction()?;
    if let Some((covers, body)) = &snapshot.engine {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO engine (one, covers, body) VALUES (1, ?1, ?2)")?
            .execute(params![covers, body])?;
    }
    for (lane, body) in &snapshot.outboxes {
        transaction
            .prepare_cached("INSERT OR REPLACE INTO outbox (platform, body) VALUES (?1, ?2)")?
            .execute(params![lane.as_str(), body])?;
    }
    transaction.commit()?;
    Ok(())
}
