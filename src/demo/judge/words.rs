//! Whether the words are worth reading: everything that customers need, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{IncidentSeen, UpdateSeen};
use crate::demo::scenario::{Expect, Scenario};
use crate::model::Timestamp;

/// What no customer may ever read, whatever the story: addresses, links, and codes.
const NEVER: [(&str, &str); 3] = [
    (r"\b\d{1,3}(\.\d{1,3}){3}\b", "an address"),
    (r"\w://", "a link"),
    (r"\bHTTP\b|\b[45]\d\d\b", "a status code"),
];

/// What is behind the scene: the names of things, and which of them the public may know.
#[derive(Clone, Debug, Default)]
pub struct Backstage {
    /// The components' names by their ids.
    pub components: BTreeMap<String, String>,
    /// Texts that are nobody's business: names of hosts and of checks.
    pub hidden: BTreeSet<String>,
}

impl Backstage {
    /// The name of a component, or its id where it has none.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        self.components.get(id).map_or(id, String::as_str)
    }
}

/// What the phase wants said and no update of its time says.
pub(super) fn unsaid(phase: &Expect, incident: &IncidentSeen, until: Timestamp) -> Vec<String> {
    let in_time = |update: &&UpdateSeen| phase.from <= update.at && update.at < until;
    let said: Vec<&UpdateSeen> = incident.updates.iter().filter(in_time).collect();
    let missing = phase
        .words
        .iter()
        .filter(|pattern| !said.iter().any(|update| pattern.is_match(&update.body)));
    missing.map(|pattern| pattern.as_str().to_owned()).collect()
}

/// What an update says that it should not:
///
/// 1. Addresses, links and codes; names of hosts and of checks.
/// 2. What the scenario or the phase forbids.
/// 3. The name of a component that has had nothing to do with it so far, neither by its trouble nor
///    by work that is announced.
pub(super) fn unfit(
    scenario: &Scenario,
    phase: Option<&Expect>,
    incident: &IncidentSeen,
    update: &UpdateSeen,
    backstage: &Backstage,
) -> Vec<String> {
    let text = format!("{}\n{}", incident.title, update.body);
    let mut found = Vec::new();
    for (pattern, what) in NEVER {
        // What is wrong with a pattern of our own, a test would have found.
        let hit = Regex::new(pattern).ok().and_then(|it| Some(it.find(&text)?.as_str().to_owned()));
        found.extend(hit.map(|hit| format!("a text has {what}: {hit:?}")));
    }
    let hidden = backstage.hidden.iter().filter(|it| text.contains(it.as_str()));
    found.extend(hidden.map(|it| format!("a text names {it:?}")));
    let of_phase = phase.iter().flat_map(|phase| &phase.never);
    let forbidden = scenario.never.iter().chain(of_phase).filter(|it| it.is_match(&text));
    found.extend(forbidden.map(|it| format!("a text says {:?}", it.as_str())));
    let concerned = scenario.affected_until(update.at).into_iter();
    let concerned = concerned.chain(scenario.announced_until(update.at));
    let concerned: BTreeSet<&str> = concerned.map(|id| backstage.name_of(id)).collect();
    for name in backstage.components.values() {
        let is_part = concerned.iter().any(|concerned| concerned.contains(name.as_str()));
        if !is_part && has_word(&text, name) {
            found.push(format!("a text names {name}, which has nothing to do with it"));
        }
    }
    found
}

/// Whether `text` has `name` as words of its own.
fn has_word(text: &str, name: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    text.match_indices(name).any(|(at, _)| {
        let before = text.get(..at).and_then(|text| text.chars().next_back());
        let after = text.get(at + name.len()..).and_then(|text| text.chars().next());
        !is_letter(before) && !is_letter(after)
    })
}
