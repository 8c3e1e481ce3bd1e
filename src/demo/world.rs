//! The platforms that the demo simulates.

use serde::Deserialize;

/// Which platform it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Blip.
    Blip,
    /// iAdvize.
    Iadvize,
}
