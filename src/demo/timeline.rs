//! The lines that the demo shows: who did or said what, and when by the story's clock.

use std::fmt;
use std::sync::Arc;

use crate::model::Timestamp;

/// Who a line is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// What happens to the platform.
    Platform,
    /// What farol saw and decided.
    Farol,
    /// What the status page said.
    Page,
    /// An expectation that was met.
    Met,
    /// One that was not.
    Unmet,
}

impl Voice {
    /// The word in front of the line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Farol => "farol",
            Self::Page => "page",
            Self::Met => "as it should",
            Self::Unmet => "NOT as it should",
        }
    }
}

impl fmt::Display for Voice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A line of the timeline.
#[derive(Clone, Debug)]
pub struct Line {
    /// Who it is about.
    pub voice: Voice,
    /// When it was said, by the story's clock.
    pub at: Timestamp,
    /// What is said.
    pub text: String,
}

/// Where lines go: they come from several tasks and are shown in the order they come.
#[derive(Clone)]
pub struct Timeline {
    show: Arc<dyn Fn(&Line) + Send + Sync>,
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").finish_non_exhaustive()
    }
}

impl Timeline {
    /// A timeline that is shown by `show`.
    pub fn new(show: impl Fn(&Line) + Send + Sync + 'static) -> Self {
        Self { show: Arc::new(show) }
    }

    /// Says a line.
    pub fn say(&self, voice: Voice, at: Timestamp, text: impl Into<String>) {
        (self.show)(&Line { voice, at, text: text.into() });
    }
}
