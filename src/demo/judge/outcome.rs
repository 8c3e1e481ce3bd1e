//! What the judge says.

use std::collections::BTreeSet;
use std::fmt;

use super::IncidentSeen;
use crate::model::{IncidentStatus, Span, Timestamp};

/// What came of one play.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// When each expectation of the scenario was first met, in their order.
    pub reached: Vec<Option<Timestamp>>,
    /// What was first noticed, and how soon the page told it.
    pub symptoms: Vec<Symptom>,
    /// Which components the page blamed.
    pub components: Score,
    /// Everything that was not as it should be, in the order of its being found.
    pub wrongs: Vec<Wrong>,
    /// The incidents as they stood at the end, newest first.
    pub incidents: Vec<IncidentSeen>,
}

impl Outcome {
    /// Whether everything came as it should.
    pub fn is_right(&self) -> bool {
        self.wrongs.is_empty()
    }

    /// Whether nothing of this kind was wrong.
    pub fn is_free_of(&self, kinds: &[WrongKind]) -> bool {
        !self.wrongs.iter().any(|wrong| kinds.contains(&wrong.kind))
    }

    /// Whether each incident lived as it should.
    pub fn lifecycle_is_right(&self) -> bool {
        self.is_free_of(&[WrongKind::Lifecycle])
    }

    /// Whether everything was said that customers need, and nothing that they should not read.
    pub fn words_are_right(&self) -> bool {
        self.is_free_of(&[WrongKind::Words, WrongKind::Silence])
    }

    /// How soon the page told what it told last of all first symptoms, if there were any.
    pub fn longest_lag(&self) -> Option<Told> {
        self.symptoms.iter().map(Symptom::how_soon).max()
    }

    /// How much was wrong, in words; nothing if nothing was.
    pub fn amount_wrong(&self) -> Option<String> {
        match self.wrongs.len() {
            0 => None,
            1 => Some("1 thing was wrong".to_owned()),
            count => Some(format!("{count} things were wrong")),
        }
    }
}

/// Something that hurts customers, and when the page told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symptom {
    /// What it is.
    pub says: String,
    /// When it began.
    pub at: Timestamp,
    /// Until when it had to be told.
    pub bound: Timestamp,
    /// When it was.
    pub told: Option<Timestamp>,
    /// Whether the bound passed without a word.
    pub(super) late: bool,
}

impl Symptom {
    /// How long after its beginning it was told.
    pub fn lag(&self) -> Option<Span> {
        self.told.map(|told| told.since(self.at).into())
    }

    /// The same, with a word for never.
    pub fn how_soon(&self) -> Told {
        self.lag().map_or(Told::Never, Told::After)
    }

    pub(super) fn is_late(&self) -> bool {
        self.late
    }
}

/// How soon the page told a first symptom. What was never told is later than whatever was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// After so long.
    After(Span),
    /// Not within its bound, and nobody looked for it any longer.
    Never,
}

impl Told {
    /// In words, where it is the slowest of several: `after 18.2s at most`.
    pub fn at_most(self) -> String {
        match self {
            Self::After(span) => format!("after {span} at most"),
            Self::Never => "not always in time".to_owned(),
        }
    }
}

/// `18.2s`, or that it was not.
impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::After(span) => f.pad(&span.to_string()),
            Self::Never => f.pad("not in time"),
        }
    }
}

/// Which components were blamed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Those that should be.
    pub right: BTreeSet<String>,
    /// Those that should have been.
    pub missing: BTreeSet<String>,
    /// Those that should not.
    pub wrong: BTreeSet<String>,
}

impl Score {
    /// Of those that should be, and those that were.
    pub(super) fn of(expected: &BTreeSet<String>, shown: &BTreeSet<String>) -> Self {
        Self {
            right: expected.intersection(shown).cloned().collect(),
            missing: expected.difference(shown).cloned().collect(),
            wrong: shown.difference(expected).cloned().collect(),
        }
    }
}

/// Something that was not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// When it was found.
    pub at: Timestamp,
    /// Of which kind it is.
    pub kind: WrongKind,
    /// In which phase: 0 is the calm in the beginning, 1 the first expectation.
    pub phase: usize,
    /// What it is.
    pub what: String,
}

/// Of which kind something wrong is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongKind {
    /// Something is published where nothing should be.
    FalseAlarm,
    /// The page shows something else than it should.
    Page,
    /// What was expected did not come in time, or not at all.
    Missed,
    /// A first symptom was told too late.
    Late,
    /// An incident went through other statuses than it should.
    Lifecycle,
    /// A text says what it should not, or does not say what it should.
    Words,
    /// An incident went without a word for too long.
    Silence,
}

/// What a look at the page came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Remark {
    /// A first symptom is on the page.
    Told {
        /// When.
        at: Timestamp,
        /// What.
        says: String,
        /// How long after its beginning.
        lag: Span,
    },
    /// An expectation is met.
    Met {
        /// When.
        at: Timestamp,
        /// Which.
        says: String,
        /// How long after it was allowed.
        lag: Span,
    },
    /// Something is not as it should be.
    Wrong(Wrong),
}

/// The statuses that an incident went through.
pub(super) fn life(incident: &IncidentSeen) -> Vec<IncidentStatus> {
    let mut life: Vec<IncidentStatus> =
        incident.updates.iter().rev().map(|update| update.status).collect();
    life.dedup();
    life
}

/// Lives in words.
pub(super) fn lives(lives: &[Vec<IncidentStatus>]) -> String {
    let one = |life: &Vec<IncidentStatus>| {
        life.iter().map(|status| status.as_str()).collect::<Vec<_>>().join(" > ")
    };
    let all: Vec<String> = lives.iter().map(one).collect();
    if all.is_empty() { "none".to_owned() } else { all.join(" and ") }
}
