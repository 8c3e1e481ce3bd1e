//! Forgetting: the journal is bounded by age and by size, a slice at a time, and never loses a row
//! that the engine's snapshot does not cover.

use rusqlite::{Connection, params};

use crate::model::Timestamp;

use super::{Options, StoreError};

/// Rows that are deleted in one transaction: some milliseconds, for which writers have to wait.
const SLICE: usize = 2_000;

/// Deletes at most one slice of what is too old, or too much, and gives its size: less than a whole
/// slice when there is nothing more to delete.
pub(super) fn slice(
    db: &mut Connection,
    options: Options,
    now: Timestamp,
) -> Result<usize, StoreError> {
    let covered: u64 =
        db.query_row("SELECT coalesce((SELECT covers FROM engine), 0)", [], |row| row.get(0))?;
    let oldest = now - options.retain_for;
    let too_big = size(db)? > options.retain_bytes;
    // Rows are told by their number, not by their time: the prefix of the journal is what goes,
    // and looking for it must not read all of it.
    let last: Option<u64> = db.query_row(
        "SELECT max(seq) FROM (SELECT seq, at FROM journal ORDER BY seq LIMIT ?1)
         WHERE seq <= ?2 AND (at < ?3 OR ?4)",
        params![SLICE, covered, oldest.as_micros(), too_big],
        |row| row.get(0),
    )?;
    let Some(last) = last else { return Ok(0) };
    let deleted = db.execute("DELETE FROM journal WHERE seq <= ?1", [last])?;
    release(db)?;
    Ok(deleted)
}

/// Whether a slice of this size was the last.
pub(super) fn is_last(deleted: usize) -> bool {
    deleted < SLICE
}

/// The bytes that are in use, whatever the file's size.
pub(super) fn size(db: &Connection) -> Result<u64, StoreError> {
    let pragma = |name| db.pragma_query_value(None, name, |row| row.get::<_, u64>(0));
    let pages = pragma("page_count")?.saturating_sub(pragma("freelist_count")?);
    Ok(pages.saturating_mul(pragma("page_size")?))
}

/// Gives free pages back to the file system, not all at once.
fn release(db: &Connection) -> Result<(), StoreError> {
    let mut statement = db.prepare("PRAGMA incremental_vacuum(2000)")?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}
