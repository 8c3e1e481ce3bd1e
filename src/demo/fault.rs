//! Stub.
use serde::Deserialize;
/// Stub.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Stub.
    Clock {
        /// Stub.
        backends: Vec<usize>,
        /// Stub.
        ahead: String,
    },
    /// Stub.
    Slow {
        /// Stub.
        service: String,
        /// Stub.
        delay: String,
    },
    /// Stub.
    Cut {},
}
