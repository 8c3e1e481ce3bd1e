//! How often something may change before it is not believed any more.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::Span;

/// What changes more often than this is unstable: it is held in its worse state until it settles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flapping {
    /// How many changes there may be.
    pub changes: NonZeroU32,
    /// In which time; and how long nothing must change before it is believed again.
    pub within: Span,
}
