//! Opening an SQLite file: settings, and migrations with a version.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

/// Why a store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The state directory cannot be made, or is not writable.
    #[error(
        "cannot use the state directory {}: {source}; it must be a folder that farol may write \
         to: choose another with --state-dir or FAROL_STATE_DIR",
        path.display()
    )]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another process works with the state directory.
    #[error(
        "the state directory {} is in use by another farol process: stop that one, or choose \
         another directory with --state-dir or FAROL_STATE_DIR",
        path.display()
    )]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The writing thread cannot be started.
    #[error("cannot start the store's thread: {0}")]
    Thread(std::io::Error),
    /// The writing thread has ended.
    #[error("the store has stopped")]
    Stopped,
    /// The system gives no random bytes for the installation's name.
    #[error("no random bytes: {0}")]
    Random(getrandom::Error),
    /// The file cannot be opened or made.
    #[error("cannot open the database {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The file was written by a later version of farol.
    #[error(
        "the database {} has format {found}, and this version of farol knows formats up to \
         {known}: run the version that wrote it, or start with an empty state directory",
        path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format it has.
        found: usize,
        /// The latest format known here.
        known: usize,
    },
    /// A statement failed: the disk is full, the file is damaged.
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A row does not hold what it should.
    #[error("the database holds a {what} that cannot be read: {source}")]
    Damaged {
        /// What was being read.
        what: &'static str,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

impl StoreError {
    /// Whether what was saved is spoilt, so that trying again will not help.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Damaged { .. } => true,
            Self::Open { source, .. } | Self::Sqlite(source) => matches!(
                source.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
            ),
            Self::Directory { .. }
            | Self::Locked { .. }
            | Self::Thread(_)
            | Self::Stopped
            | Self::Random(_)
            | Self::Newer { .. } => false,
        }
    }
}

/// Opens the database at `path` and brings it to the format that `migrations` describe: the n-th
/// of them takes format n to n + 1, and one that was released is never edited.
pub fn open(path: &Path, migrations: &[&str]) -> Result<Connection, StoreError> {
    let opening = |source| StoreError::Open { path: path.to_owned(), source };
    let mut db = Connection::open(path).map_err(opening)?;
    db.busy_timeout(Duration::from_secs(5)).map_err(opening)?;
    // WAL lets readers go on while a writer commits; FULL makes a commit survive a power cut,
    // which is what "intent before send" rests on.
    db.pragma_update(None, "journal_mode", "WAL").map_err(opening)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(opening)?;
    db.pragma_update(None, "foreign_keys", "ON").map_err(opening)?;
    migrate(&mut db, path, migrations)?;
    Ok(db)
}

fn migrate(db: &mut Connection, path: &Path, migrations: &[&str]) -> Result<(), StoreError> {
    let found: usize = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = migrations.len();
    if found > known {
        return Err(StoreError::Newer { path: path.to_owned(), found, known });
    }
    for (format, statements) in migrations.iter().enumerate().skip(found) {
        let transaction = db.transaction()?;
        transaction.execute_batch(statements)?;
        transaction.pragma_update(None, "user_version", format + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{StoreError, open};

    #[test]
    fn migrates_step_by_step_and_refuses_what_is_newer() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("test.db");
        let first = "CREATE TABLE a (x INTEGER)";
        drop(open(&path, &[first]).unwrap());
        let db = open(&path, &[first, "ALTER TABLE a ADD COLUMN y TEXT"]).unwrap();
        db.execute("INSERT INTO a (x, y) VALUES (1, 'one')", []).unwrap();
        drop(db);
        let error = open(&path, &[first]).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 2, known: 1, .. }), "{error}");
    }

    #[test]
    fn says_which_file_cannot_be_opened() {
        let error = open(std::path::Path::new("/nonexistent/farol.db"), &[]).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/farol.db"), "{error}");
    }
}
