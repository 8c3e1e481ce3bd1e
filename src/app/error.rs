//! Why farol cannot start, or had to stop.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::check::ProberError;
use crate::config::SecretRef;
use crate::outbox::StateError;
use crate::publish::PublishError;
use crate::store::StoreError;

/// Why farol cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The address is taken, or not ours.
    #[error("cannot listen on {address}: {source}; choose another with --listen or FAROL_LISTEN")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The state directory or a database in it cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was saved cannot be read.
    #[error(
        "the state directory {} cannot be used: {source}; restore it from a backup, or move it \
         away to start anew: incidents that are open then have to be resolved by hand",
        dir.display()
    )]
    Damaged {
        /// The directory.
        dir: PathBuf,
        /// What is wrong with what is in it.
        source: DamageError,
    },
    /// The API token's file cannot be used.
    #[error("cannot use the API token's file {}: {source}", path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The system gives no random numbers to make a token of.
    #[error("the system gives no random numbers for the API token: {0}; set FAROL_API_TOKEN_FILE")]
    Random(getrandom::Error),
    /// A secret was not loaded.
    #[error("the secret in the {0} was not loaded")]
    Secret(SecretRef),
    /// The checks cannot be run on this machine.
    #[error(transparent)]
    Prober(#[from] ProberError),
    /// A status API cannot be spoken to from this machine.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The metrics contradict each other: a bug.
    #[error("the metrics could not be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// Our own address makes no URL: a bug.
    #[error("{text} is not a URL: {source}")]
    OwnUrl {
        /// What was made of the address.
        text: String,
        /// What is wrong with it.
        source: url::ParseError,
    },
    /// The server failed.
    #[error("the server failed: {0}")]
    Serve(std::io::Error),
    /// A task panicked.
    #[error("a task failed: {0}")]
    Task(tokio::task::JoinError),
    /// A task ended that never should.
    #[error("a task ended that never should; see the log")]
    Ended,
    /// Not everything ended in time.
    #[error(
        "not everything ended within five seconds; what was going on is taken up at the next start"
    )]
    StopTimeout,
}

impl AppError {
    /// What went wrong with the state directory `dir`.
    pub(super) fn of_store(dir: &Path, error: StoreError) -> Self {
        if error.is_damage() {
            Self::Damaged { dir: dir.to_owned(), source: error.into() }
        } else {
            Self::Store(error)
        }
    }
}

/// What of the saved state cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DamageError {
    /// A database, or a row of one.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What an outbox saved.
    #[error(transparent)]
    Outbox(#[from] StateError),
}
