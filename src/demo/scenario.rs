//! A scenario: what goes wrong on a simulated platform and when, and what the public must read of
//! it meanwhile. It is data: a file under `tests/scenarios`, read by both players and by the judge.
//!
//! All times are the story's own, as the clocks of the platform's customers showed them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use chrono_tz::Tz;
use regex::Regex;

use super::fault::Fault;
use super::world::Kind;
use crate::model::{ComponentStatus, Impact, IncidentStatus, Span, Timestamp};

pub mod collection;
pub mod mistake;
pub mod moment;
mod raw;
mod read;
pub mod tempo;
#[cfg(test)]
mod tests;
pub mod validate;

pub use mistake::{ScenarioError, ScenarioMistake};
pub use read::read;
pub use tempo::Tempo;

/// One story, whole and consistent.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What it is called by: `2021-09-15`. Files and folders are named by it, so it has letters,
    /// digits, `-` and `_` only.
    pub id: String,
    /// In a few words.
    pub title: String,
    /// What happened, in a sentence or two.
    pub about: String,
    /// Which platform it happens to.
    pub platform: Kind,
    /// The zone of all its times.
    pub time_zone: Tz,
    /// When it begins.
    pub begins: Timestamp,
    /// When it is over.
    pub ends: Timestamp,
    /// How fast it is played live.
    pub tempo: Tempo,
    /// What the real status page did, if there was one.
    pub report: Option<Report>,
    /// What happens, in its order.
    pub events: Vec<Event>,
    /// What the page must show, in its order. Before the first of them it shows nothing.
    pub expects: Vec<Expect>,
    /// What no text may ever say.
    pub never: Vec<Regex>,
}

/// What the real status page did.
#[derive(Clone, Debug)]
pub struct Report {
    /// The report's title, as it was posted.
    pub title: String,
    /// Since when customers were hurt.
    pub impact_from: Timestamp,
    /// When the first word of it was on the status page.
    pub first_post: Timestamp,
    /// When it was called resolved.
    pub resolved: Timestamp,
    /// The components that it named, by our ids.
    pub components: BTreeSet<String>,
}

/// Something that happens.
#[derive(Clone, Debug)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What, for the timeline.
    pub says: String,
    /// The faults that begin, each with the name that it is ended by.
    pub begin: Vec<(String, Fault)>,
    /// The faults that are mended.
    pub end: Vec<String>,
    /// Work that a person announces on the status page.
    pub announce: Option<Announcement>,
    /// How far the prober's own wall clock is set ahead, in microseconds; back if negative.
    pub wall_step: Option<i64>,
    /// Whether it is the first symptom of something: the page must tell of it within one interval
    /// and five seconds.
    pub symptom: bool,
}

/// Work that a person announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// What is done.
    pub name: String,
    /// On which components, by their ids.
    pub components: BTreeSet<String>,
    /// When it begins.
    pub from: Timestamp,
    /// When it is to be over.
    pub until: Timestamp,
}

/// What the page must show from some time on, until the next of these holds.
#[derive(Clone, Debug)]
pub struct Expect {
    /// Since when it may be shown.
    pub from: Timestamp,
    /// How long it may take to be shown, beside the few real seconds that a player allows.
    pub within: Span,
    /// What is expected, for the timeline.
    pub says: String,
    /// The components that are not operational; all others are.
    pub components: BTreeMap<String, ComponentStatus>,
    /// How many incidents there are in all, over or not.
    pub incidents: usize,
    /// The status of the newest; all others are resolved.
    pub status: Option<IncidentStatus>,
    /// The impact of the newest.
    pub impact: Option<Impact>,
    /// What the title of the newest must say.
    pub title: Option<Regex>,
    /// What must be said of the newest while this holds, each in at least one update.
    pub words: Vec<Regex>,
    /// What no update may say while this holds.
    pub never: Vec<Regex>,
    /// How long the newest may go without a word while this holds.
    pub updates: Option<Span>,
}

impl Scenario {
    /// Every fault that is there once all events up to `at` have happened.
    pub fn faults_at(&self, at: Timestamp) -> Vec<Fault> {
        let mut there: BTreeMap<&str, &Fault> = BTreeMap::new();
        for event in self.events.iter().filter(|event| event.at <= at) {
            for id in &event.end {
                there.remove(id.as_str());
            }
            there.extend(event.begin.iter().map(|(id, fault)| (id.as_str(), fault)));
        }
        there.into_values().cloned().collect()
    }

    /// The day on which it begins, where its customers are.
    pub fn day(&self) -> NaiveDate {
        self.begins.to_utc().with_timezone(&self.time_zone).date_naive()
    }

    /// A time as customers saw it on their clocks: `10:40:05`, with its day where that is another
    /// than the story's.
    pub fn clock(&self, at: Timestamp) -> String {
        moment::shown(at, self.time_zone, self.day())
    }

    /// When the prober's own wall clock is set, and how far, in microseconds.
    pub fn wall_steps(&self) -> Vec<(Timestamp, i64)> {
        self.events.iter().filter_map(|event| Some((event.at, event.wall_step?))).collect()
    }

    /// Whether nothing at all may be published.
    pub fn is_silent(&self) -> bool {
        self.expects.iter().all(|expect| expect.incidents == 0)
    }

    /// Every component that is expected to be bad at some time up to `at`.
    pub fn affected_until(&self, at: Timestamp) -> BTreeSet<&str> {
        let so_far = self.expects.iter().filter(|expect| expect.from <= at);
        let bad = so_far.flat_map(|expect| &expect.components);
        bad.filter(|(_, status)| status.is_bad()).map(|(id, _)| id.as_str()).collect()
    }

    /// Every component that work is announced on up to `at`.
    pub fn announced_until(&self, at: Timestamp) -> BTreeSet<&str> {
        let so_far = self.events.iter().filter(|event| event.at <= at);
        let announced = so_far.filter_map(|event| event.announce.as_ref());
        announced.flat_map(|work| &work.components).map(String::as_str).collect()
    }
}
