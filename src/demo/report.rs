//! The scoreboard: what came of scenarios that were played, for people to read. Everything in it is
//! counted from the rounds that were played and the scenarios' own files.
//!
//! It is pure: whoever played gives it the rounds, and writes down what it returns.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::judge::{self, IncidentSeen, Outcome, Score, Symptom, Told, UpdateSeen};
use super::page::own_id;
use super::scenario::Scenario;
use super::stepped::{OFTEN, Played};
use super::world::{Kind, LIMITS};
use crate::config;
use crate::model::{ComponentStatus, Span, Timestamp};

mod axis;
mod html;
mod markdown;
mod picture;
#[cfg(test)]
mod tests;

pub use html::html;
pub use markdown::markdown;
pub use picture::picture;

const TITLE: &str = "What farol makes of real incidents";

/// Everything that was played, and how.
#[derive(Clone, Debug)]
pub struct Scoreboard {
    /// The command that played it, for whoever wants to see for themselves.
    pub command: String,
    /// The scenarios, in their order.
    pub stories: Vec<Story>,
}

/// A scenario, and the rounds of it that were played.
#[derive(Clone, Debug)]
pub struct Story {
    /// The scenario.
    pub scenario: Arc<Scenario>,
    /// The components of its platform, as the page has them in a row.
    pub components: Vec<Row>,
    /// The rounds, at least one.
    pub rounds: Vec<Played>,
}

/// A component, as the page lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Our id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The group that it is in.
    pub group: Option<String>,
}

impl Row {
    /// The components of a platform, in the order of its page.
    pub fn all_of(kind: Kind) -> Vec<Self> {
        let parsed = config::parse(&[kind.probe_file()]);
        let platform = parsed.ok().and_then(|config| config.platforms.into_iter().next());
        // A probe file that cannot be read shows by a page on which nothing is known.
        let Some(platform) = platform else { return Vec::new() };
        let row = |it: &config::Component| Self {
            id: own_id(&platform, it),
            name: it.name.clone(),
            group: it.group.clone(),
        };
        platform.components.iter().map(row).collect()
    }
}

/// How long after its beginning a first symptom may be on the page: one interval, and the slack.
pub fn bound() -> Span {
    Span::from(judge::INTERVAL.to_duration() + judge::SLACK)
}

fn is_in_time(told: Told) -> bool {
    told <= Told::After(bound())
}

impl Scoreboard {
    /// Whether everything came as it should, in every round.
    pub fn is_right(&self) -> bool {
        self.stories.iter().all(Story::is_right)
    }

    /// Those in which something is to be told.
    fn incidents(&self) -> impl Iterator<Item = &Story> {
        self.stories.iter().filter(|story| !story.scenario.is_silent())
    }

    /// Those in which nothing is.
    fn quiet(&self) -> impl Iterator<Item = &Story> {
        self.stories.iter().filter(|story| story.scenario.is_silent())
    }

    /// How many rounds were played.
    fn rounds(&self) -> usize {
        self.stories.iter().map(|story| story.rounds.len()).sum()
    }

    /// How many of them did not come as they should.
    fn wrong_rounds(&self) -> usize {
        let all = self.stories.iter().flat_map(|story| &story.rounds);
        all.filter(|round| !round.outcome.is_right()).count()
    }

    /// How many runs of checks there were, and how many of them asked for real.
    fn runs(&self) -> (u64, u64) {
        let each = self.stories.iter().map(Story::runs);
        each.fold((0, 0), |(all, real), (more, really)| (all + more, real + really))
    }

    /// What was told last of all that was to be told, and how many first symptoms there were.
    fn slowest(&self) -> (Option<Told>, usize) {
        let count = self.stories.iter().flat_map(|story| &story.rounds);
        let count = count.map(|round| round.outcome.symptoms.len()).sum();
        (self.stories.iter().filter_map(Story::slowest).max(), count)
    }

    /// The sum of it in a few sentences, and whether it is good news.
    fn verdict(&self) -> String {
        let (all, real) = self.runs();
        let scenarios = counted(self.stories.len(), "scenario", "scenarios");
        let rounds = counted(self.rounds(), "round", "rounds");
        let wrong = self.stories.iter().filter(|story| !story.is_right()).count();
        let came = match wrong {
            0 => format!("Everything came as it should: {scenarios} in {rounds}."),
            _ => format!(
                "Not everything came as it should: {wrong} of {scenarios}, in {} of {rounds}.",
                self.wrong_rounds()
            ),
        };
        let told = match self.slowest() {
            (Some(slowest), count) => {
                let symptoms = counted(count, "first symptom", "first symptoms");
                let told = slowest.at_most();
                format!(" {symptoms} came to the page {told}; the bound is {}.", bound())
            }
            (None, _) => String::new(),
        };
        format!(
            "{came}{told} {} runs of checks were made for it, {} of them over sockets.",
            thousands(all),
            thousands(real)
        )
    }

    /// How it was made, in paragraphs.
    fn making(&self) -> Vec<String> {
        let (all, real) = self.runs();
        let rounds = if self.stories.iter().any(|story| story.rounds.len() > 1) {
            " In each round farol was started at another moment, so that its checks fall \
             differently around what goes wrong; figures are those of the worst round."
        } else {
            ""
        };
        vec![
            "Each scenario is a file that says what goes wrong and when, and what the page must show \
             meanwhile. It is played on a small platform on the loopback that fails as the real one \
             did. All of farol is there but its loop: checks ask over sockets, farol decides, and \
             publishes over HTTP to the status page that it embeds, which is read as the public reads \
             it."
                .to_owned(),
            format!(
                "Only the time is set by hand, from one moment at which something is due to the next: \
                 a check that runs every 30 seconds does so by the clock of the story, and all seconds \
                 told here are seconds of that clock. A check that has asked in the same state of the \
                 platform before may be answered with what it found then, which was so for {} of {} \
                 runs.{rounds}",
                thousands(all - real),
                thousands(all)
            ),
            format!(
                "Time limits are shorter there than in the probe files that users get, so that what hangs \
                 is told within the bound, too: {}. On the day on which packets are lost, each check is \
                 asked {OFTEN} times in each round, and what it found is told in another order again and again.",
                LIMITS.map(|(name, limit)| format!("`{name} = \"{limit}\"`")).join(", ")
            ),
            "When the real status pages spoke is from the reports of their owners. The pictures and \
             the quoted texts are of the round of each scenario that came out worst."
                .to_owned(),
        ]
    }
}

impl Story {
    /// Whether everything came as it should, in every round.
    pub fn is_right(&self) -> bool {
        self.outcomes().all(Outcome::is_right)
    }

    fn outcomes(&self) -> impl Iterator<Item = &Outcome> {
        self.rounds.iter().map(|round| &round.outcome)
    }

    /// The round that is shown: the one in which most was wrong, of these the one in which a first
    /// symptom was told last, of these the first.
    fn shown(&self) -> Option<&Played> {
        let badness = |round: &Played| (round.outcome.wrongs.len(), round.outcome.longest_lag());
        self.rounds.iter().rev().max_by_key(|round| badness(round))
    }

    /// How many runs of checks there were, and how many of them asked for real.
    fn runs(&self) -> (u64, u64) {
        let real: u64 = self.rounds.iter().map(|round| round.real).sum();
        let retold: u64 = self.rounds.iter().map(|round| round.retold).sum();
        (real + retold, real)
    }

    /// How long the real page took for its first word.
    fn real_lag(&self) -> Option<Span> {
        let report = self.scenario.report.as_ref()?;
        Some(report.first_post.since(report.impact_from).into())
    }

    /// How soon each first symptom was told, in the worst of all rounds.
    fn symptoms(&self) -> Vec<(&Symptom, Told)> {
        let first = self.rounds.first().map(|round| round.outcome.symptoms.as_slice());
        let worst = |(n, symptom)| {
            let same = self.outcomes().filter_map(|outcome| outcome.symptoms.get(n));
            let told = same.map(Symptom::how_soon).max().unwrap_or(Told::Never);
            (symptom, told)
        };
        first.unwrap_or_default().iter().enumerate().map(worst).collect()
    }

    /// How soon the very first was told.
    fn first_word(&self) -> Option<Told> {
        self.symptoms().first().map(|(_, told)| *told)
    }

    /// How soon the slowest was.
    fn slowest(&self) -> Option<Told> {
        self.symptoms().into_iter().map(|(_, told)| told).max()
    }

    /// The components that were right in every round, missing in any, wrong in any.
    fn score(&self) -> Score {
        let mut rounds = self.outcomes().map(|outcome| outcome.components.clone());
        let first = rounds.next().unwrap_or_default();
        rounds.fold(first, |sum, one| Score {
            right: sum.right.intersection(&one.right).cloned().collect(),
            missing: sum.missing.union(&one.missing).cloned().collect(),
            wrong: sum.wrong.union(&one.wrong).cloned().collect(),
        })
    }

    fn lifecycle_is_right(&self) -> bool {
        self.outcomes().all(Outcome::lifecycle_is_right)
    }

    fn words_are_right(&self) -> bool {
        self.outcomes().all(Outcome::words_are_right)
    }

    /// What was published in a story in which nothing should be: `nothing`, it is to be hoped.
    fn published(&self) -> String {
        let most = self.outcomes().map(|outcome| outcome.incidents.len()).max().unwrap_or(0);
        let blamed = self.score().wrong;
        match (most, blamed.is_empty()) {
            (0, true) => "nothing".to_owned(),
            (0, false) => format!("that these are not well: {}", self.names(&blamed)),
            (_, true) => counted(most, "incident", "incidents"),
            (_, false) => {
                format!("{}, of {}", counted(most, "incident", "incidents"), self.names(&blamed))
            }
        }
    }

    /// What is wrong with it, each with its round and time; a thing that was wrong in several
    /// rounds is told once, and how often.
    fn wrongs(&self) -> Vec<String> {
        let mut all: Vec<(&str, Timestamp, Vec<u32>)> = Vec::new();
        for round in &self.rounds {
            for wrong in &round.outcome.wrongs {
                match all.iter_mut().find(|(what, _, _)| *what == wrong.what) {
                    Some((_, _, rounds)) if rounds.last() == Some(&round.round) => {}
                    Some((_, _, rounds)) => rounds.push(round.round),
                    None => all.push((&wrong.what, wrong.at, vec![round.round])),
                }
            }
        }
        let told = |(what, at, rounds): (&str, Timestamp, Vec<u32>)| {
            let rounds = match (rounds.len(), self.rounds.len()) {
                (_, 1) => String::new(),
                (some, all) => format!(" (in {some} of {all} rounds)"),
            };
            format!("{}: {what}{rounds}", self.clock(at))
        };
        all.into_iter().map(told).collect()
    }

    /// The names of components, in the order of the page.
    fn names(&self, ids: &BTreeSet<String>) -> String {
        if ids.is_empty() {
            return "none".to_owned();
        }
        let known = self.components.iter().filter(|row| ids.contains(&row.id));
        let mut names: Vec<String> = known.map(|row| self.name(row)).collect();
        let unknown = ids.iter().filter(|id| !self.components.iter().any(|row| row.id == **id));
        names.extend(unknown.cloned());
        names.join(", ")
    }

    /// A component's name, with its group's in front where the name alone is that of several.
    fn name(&self, row: &Row) -> String {
        let is_alone = self.components.iter().filter(|it| it.name == row.name).count() < 2;
        match &row.group {
            Some(group) if !is_alone => format!("{group}: {}", row.name),
            Some(_) | None => row.name.clone(),
        }
    }

    /// A time as customers saw it on their clocks.
    fn clock(&self, at: Timestamp) -> String {
        self.scenario.clock(at)
    }

    /// The day of the story.
    fn day(&self) -> String {
        self.scenario.day().format("%-d %B %Y").to_string()
    }

    /// The incidents of the round that is shown, the oldest first.
    fn told(&self) -> impl Iterator<Item = &IncidentSeen> {
        self.shown().into_iter().flat_map(|round| round.outcome.incidents.iter().rev())
    }

    /// How much was published, in the round that is shown.
    fn amount(&self) -> String {
        let incidents = self.told().count();
        let updates = self.told().map(|incident| incident.updates.len()).sum();
        let incidents = counted(incidents, "incident", "incidents");
        format!("{incidents}, {}", counted(updates, "update", "updates"))
    }

    /// What a customer read first, with the incident as it stood then: its title may have become
    /// another.
    fn read_first(&self) -> Option<(&IncidentSeen, &UpdateSeen)> {
        let incident = self.shown()?.looks.iter().find_map(|look| look.incidents.last())?;
        Some((incident, incident.updates.last()?))
    }

    /// Since when a component was how, in the round that is shown; until the story's end.
    fn stretches(&self, id: &str) -> Vec<(Timestamp, ComponentStatus)> {
        let mut stretches = vec![(self.scenario.begins, ComponentStatus::Operational)];
        for look in self.shown().into_iter().flat_map(|round| &round.looks) {
            let status = look.components.get(id).copied();
            let status = status.unwrap_or(ComponentStatus::Operational);
            if stretches.last().is_none_or(|(_, last)| *last != status) {
                stretches.push((look.at, status));
            }
        }
        stretches
    }
}

/// `1 round`, `2 rounds`.
fn counted(count: usize, one: &str, several: &str) -> String {
    let count = u64::try_from(count).unwrap_or(u64::MAX);
    format!("{} {}", thousands(count), if count == 1 { one } else { several })
}

/// A number with its thousands apart: `12,213`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut apart = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart
}

/// A long time in whole minutes: `3 h 35 min`.
fn length(span: Span) -> String {
    let minutes = span.as_micros() / 60_000_000;
    match (minutes / 60, minutes % 60) {
        (0, 0) => span.to_string(),
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// Whether something is right, in a word.
const fn word(is_right: bool) -> &'static str {
    if is_right { "right" } else { "WRONG" }
}
