//! The languages that the public reads.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A language that the words for the public come in.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Portuguese, as it is written in Brazil.
    #[serde(rename = "pt")]
    Portuguese,
    /// Spanish, as it is written in Latin America.
    #[serde(rename = "es")]
    Spanish,
    /// French.
    #[serde(rename = "fr")]
    French,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 4] = [Self::English, Self::Portuguese, Self::Spanish, Self::French];

    /// Its code of ISO 639-1.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt",
            Self::Spanish => "es",
            Self::French => "fr",
        }
    }

    /// The language that has this code.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.as_str() == text)
    }

    /// Whether it is the one that is spoken if none is named.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
