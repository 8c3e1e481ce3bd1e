//! What an outcome tells of a write.

use super::{Outcome, Remote, RemoteId, Standing};

/// What came of a write, as far as that can be told.
pub(super) enum Written {
    /// It was applied.
    Applied { remote: RemoteId, standing: Option<Standing> },
    /// It was not applied, since a person had been there.
    Differs(Remote),
    /// There is nothing to write to.
    Gone,
    /// The API does not want it.
    Rejected { status: u16, detail: String },
    /// It was not applied, and may be as it is.
    Unapplied,
    /// Nobody can tell.
    Unknown,
}

impl Outcome {
    /// What it tells of a write:
    ///
    /// 1. What never left, what came too soon, and what was sent by somebody whom the API does not
    ///    know was not applied, and nothing is wrong with it.
    /// 2. Whose answer was lost, or is none, may have been applied or not.
    /// 3. Lists and the like answer another question: whoever gave them, nobody can tell.
    /// 4. Everything else says what it says.
    pub(super) fn of_write(self) -> Written {
        match self {
            Self::Done { remote, standing } => Written::Applied { remote, standing },
            Self::Differs(remote) => Written::Differs(remote),
            Self::Gone => Written::Gone,
            Self::Rejected { status, detail } => Written::Rejected { status, detail },
            Self::NotSent { .. } | Self::RateLimited { .. } | Self::Unauthorized { .. } => {
                Written::Unapplied
            }
            Self::Uncertain { .. }
            | Self::Found(_)
            | Self::Surveyed(_)
            | Self::Announced(_)
            | Self::Component(_)
            | Self::Listed(_) => Written::Unknown,
        }
    }
}
