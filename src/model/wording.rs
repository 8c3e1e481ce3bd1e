//! What a platform tells the public in its own words instead of farol's.

use serde::{Deserialize, Serialize};

/// Templates, as they are written; where there is none, farol's own holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Wording {
    /// Of the title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Of a text while something is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub investigating: Option<String>,
    /// Of a text while all is well again, and watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub monitoring: Option<String>,
    /// Of the last text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolved: Option<String>,
    /// A line that every text ends with; no template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<String>,
}

impl Wording {
    /// Whether all is said in farol's words.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
