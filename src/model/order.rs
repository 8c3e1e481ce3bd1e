//! What the operator says of an incident: an input as every other, so that a replay obeys again.

use serde::{Deserialize, Serialize};

use super::{IncidentKey, IncidentStatus};

/// How long a note may be, in characters: what every status API takes whole.
const LONGEST_NOTE: usize = 4_000;

/// A person's word about one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The incident.
    pub incident: IncidentKey,
    /// What is wanted of it.
    pub wish: Wish,
}

/// What a person wants of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wish {
    /// It is over.
    Resolve,
    /// The public is told this.
    Note {
        /// The text, as it is published.
        text: String,
        /// Whether the cause is known from now on, which farol never says by itself.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        identified: bool,
    },
}

/// Why a note cannot be published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteProblem {
    /// It says nothing.
    #[error("the text is empty: say what the public should read")]
    Empty,
    /// It is too long.
    #[error("the text has {found} characters, and status pages take {LONGEST_NOTE}: shorten it")]
    Long {
        /// How long it is.
        found: usize,
    },
    /// It has characters that no text has.
    #[error("the text has characters that cannot be seen, like {:?}: take them out", .0)]
    Invisible(char),
    /// Farol finds out by itself that an incident is at any other status.
    #[error("status {0:?} is not a person's to set: only \"identified\" is")]
    Status(String),
}

impl Wish {
    /// A note, if it can be published. Space around the text is no part of it.
    pub fn note(text: &str, status: Option<&str>) -> Result<Self, NoteProblem> {
        let text = text.replace("\r\n", "\n").trim().to_owned();
        let invisible = |c: char| {
            (c.is_control() && c != '\n')
                || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
        };
        let found = text.chars().count();
        if found == 0 {
            return Err(NoteProblem::Empty);
        }
        if found > LONGEST_NOTE {
            return Err(NoteProblem::Long { found });
        }
        if let Some(strange) = text.chars().find(|c| invisible(*c)) {
            return Err(NoteProblem::Invisible(strange));
        }
        let identified = match status {
            None => false,
            Some(status) if status == IncidentStatus::Identified.as_str() => true,
            Some(other) => return Err(NoteProblem::Status(other.to_owned())),
        };
        Ok(Self::Note { text, identified })
    }
}

#[cfg(test)]
mod tests {
    use super::{NoteProblem, Wish};

    #[test]
    fn a_note_is_what_can_be_published() {
        let text = "  We found it.\r\nMore soon. ";
        let note = |text: &str, identified| Wish::Note { text: text.to_owned(), identified };
        assert_eq!(Wish::note(text, None), Ok(note("We found it.\nMore soon.", false)));
        assert_eq!(Wish::note("Ça va.", Some("identified")), Ok(note("Ça va.", true)));
        assert_eq!(Wish::note(" \n ", None), Err(NoteProblem::Empty));
        assert_eq!(Wish::note(&"x".repeat(4_000), None), Ok(note(&"x".repeat(4_000), false)));
        let long = Wish::note(&"x".repeat(4_001), None);
        assert_eq!(long, Err(NoteProblem::Long { found: 4_001 }));
        assert_eq!(Wish::note("a\u{7}b", None), Err(NoteProblem::Invisible('\u{7}')));
        assert_eq!(Wish::note("a\u{202E}b", None), Err(NoteProblem::Invisible('\u{202E}')));
        let status = Wish::note("a", Some("resolved"));
        assert_eq!(status, Err(NoteProblem::Status("resolved".to_owned())));
    }
}
