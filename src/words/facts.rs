//! The facts that go into public texts: only such as a customer may know. Names of checks,
//! addresses and reasons in the operator's words are not among them.

use serde::Serialize;

use super::Tongue;
use crate::model::Cause;

/// The kinds of texts that an incident has, each of them a template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The title, at all times.
    Title,
    /// The text while something is wrong.
    Investigating,
    /// The text while all is well again, and watched.
    Monitoring,
    /// The last text.
    Resolved,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 4] = [Self::Title, Self::Investigating, Self::Monitoring, Self::Resolved];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Investigating => "investigating",
            Self::Monitoring => "monitoring",
            Self::Resolved => "resolved",
        }
    }
}

/// What a customer notices of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Symptom {
    /// Nothing.
    Well,
    /// It cannot be used.
    Down,
    /// Some cannot use it.
    DownForSome,
    /// It answers, but nobody should rely on what it says.
    Faulty,
    /// It answers, but some should not rely on what it says.
    FaultyForSome,
    /// It is slow.
    Slow,
    /// It has fewer servers than it should.
    Reduced,
    /// Nobody can log in.
    NoLogin,
    /// Some cannot log in.
    NoLoginForSome,
    /// Logging in takes long.
    SlowLogin,
    /// Logging in is not as it should be.
    ImpairedLogin,
    /// Its dates and times are off.
    WrongTime,
    /// It shows what was, not what is.
    Outdated,
    /// It is not as it should be, in a way that has no simpler name.
    Impaired,
    /// Several components differ.
    Mixed,
}

impl Symptom {
    /// Every symptom that a component can have.
    pub const BAD: [Self; 13] = [
        Self::Down,
        Self::DownForSome,
        Self::Faulty,
        Self::FaultyForSome,
        Self::Slow,
        Self::Reduced,
        Self::NoLogin,
        Self::NoLoginForSome,
        Self::SlowLogin,
        Self::ImpairedLogin,
        Self::WrongTime,
        Self::Outdated,
        Self::Impaired,
    ];
}

/// Components in a sentence.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Names {
    /// Their names, joined as the language does; nothing if there are none.
    pub list: String,
    /// Whether there is more than one.
    pub several: bool,
}

impl Names {
    /// How many components a title or a sentence names before it counts the rest.
    const MOST: usize = 3;

    /// These names, in the words of `tongue`.
    pub fn of<'a>(tongue: &Tongue, names: impl Iterator<Item = &'a str>) -> Self {
        let names: Vec<String> = names.map(|name| tongue.name(name)).collect();
        Self { list: tongue.list(&names, Self::MOST), several: names.len() > 1 }
    }
}

/// What is wrong with one component.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// Its name.
    pub name: String,
    /// What a customer notices of it.
    pub symptom: Symptom,
    /// Since when its trouble comes and goes, if it does.
    pub unstable: Option<String>,
    /// How many of its servers fail, if that is known: a whole sentence.
    pub servers: Option<String>,
    /// How many of what stands for different customers, if that is known: a whole sentence.
    pub tests: Option<String>,
    /// Whether its dates and times may be wrong as well.
    pub clock: bool,
    /// Whether what it shows may be out of date as well.
    pub stale: bool,
    /// Whether it is we who are not well, so that what is said of all others may not hold.
    pub ours: bool,
    /// Whether it was so before.
    pub still: bool,
}

/// What a title is made of.
#[derive(Clone, Debug, Serialize)]
pub struct Title {
    /// What the symptom is told of: all that have trouble of their own.
    pub about: Names,
    /// The worst that they have had.
    pub symptom: Symptom,
    /// The others, if they depend on it.
    pub dependents: Option<Dependents>,
}

/// The components of an incident that depend on one other, which is its root.
#[derive(Clone, Debug, Serialize)]
pub struct Dependents {
    /// The root's name.
    pub root: String,
    /// Their names, unless they are too long for a title.
    pub list: Option<String>,
    /// How many there are, in words.
    pub number: String,
    /// Whether there is more than one.
    pub several: bool,
}

/// What a text is made of.
#[derive(Clone, Debug, Serialize)]
pub struct Body {
    /// Why there is something to tell.
    pub cause: Cause,
    /// That the last updates had nothing new to say, if this one says that no more follow.
    pub handed_over: Option<String>,
    /// Every component of the incident.
    pub all: Names,
    /// The components that the cause is about.
    pub about: Names,
    /// Those that are not well, each with a line of its own.
    pub affected: Vec<Line>,
    /// The others, if they depend on the first.
    pub dependents: Option<Dependents>,
    /// How many affected components have no line.
    pub more: usize,
    /// The components that are well since this step.
    pub recovered: Names,
    /// Those that were well before.
    pub well: Names,
    /// The incident before, if its trouble has returned.
    pub earlier: Option<Earlier>,
    /// The maintenance that the trouble of a newcomer has outlasted.
    pub maintenance: Option<Outlasted>,
    /// What else is in maintenance as the incident opens, which the trouble is no part of.
    pub beyond: Names,
    /// When the trouble began.
    pub since: String,
    /// How long it has lasted.
    pub lasted: String,
    /// When the state was last confirmed.
    pub heard_at: Option<String>,
    /// Whether that was since the last text.
    pub heard: bool,
    /// How soon something will be told again at the latest.
    pub next_update: String,
    /// What is told of a recovery, once there is one.
    pub watch: Option<Watch>,
    /// Whether all was well for a while before it failed again.
    pub relapsed: bool,
    /// Whether a clock was wrong at any time.
    pub clock: bool,
}

/// What is told of a maintenance that trouble has outlasted.
#[derive(Clone, Debug, Serialize)]
pub struct Outlasted {
    /// Until when it was planned, or when it ended.
    pub until: String,
    /// Whether it ended sooner than planned.
    pub early: bool,
}

/// What is told of the incident before.
#[derive(Clone, Debug, Serialize)]
pub struct Earlier {
    /// When it was resolved.
    pub resolved_at: String,
    /// Which of those that belong together this is, in words, once there are more than two.
    pub number: Option<String>,
    /// When the first of them began.
    pub since: String,
}

/// What is told of a recovery.
#[derive(Clone, Debug, Serialize)]
pub struct Watch {
    /// Since when all is well.
    pub since: String,
    /// How long it was not.
    pub lasted: String,
    /// From when to when it was not.
    pub period: String,
    /// How long it must stay well.
    pub quiet: String,
    /// When that will be.
    pub resolve_at: String,
    /// Whether the quiet period is over, and only the proof is missing that it was quiet.
    pub overdue: bool,
    /// Whether an update is due before the quiet period is over.
    pub update_first: bool,
    /// Whether it has been seen to stay well.
    pub stayed_well: bool,
}
