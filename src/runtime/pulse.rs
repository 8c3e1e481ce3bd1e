//! Whether the owner loop lives, for `/healthz` and `/readyz`.

use crate::model::Timestamp;

/// How the process is, for whoever restarts it or sends it traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pulse {
    /// Not all is set up yet.
    #[default]
    Starting,
    /// Checks run.
    Ready {
        /// When the owner loop last turned, by the clock of real time.
        turned_at: Timestamp,
        /// Whether the operator wants nothing to be published.
        held: bool,
    },
    /// It was told to stop.
    Stopping,
}
