//! A scenario file as it is written: typed, each value with its place, nothing weighed yet.
//!
//! Every table is read on its own, so that a mistake in one does not hide those in the others.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::mistake::ScenarioMistake;
use crate::demo::fault::Fault;
use crate::demo::world::Kind;

/// A text with its place.
pub(super) type Text = Spanned<String>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScenario {
    pub(super) id: Text,
    pub(super) title: String,
    pub(super) about: String,
    pub(super) platform: Kind,
    pub(super) begins: Text,
    pub(super) ends: Text,
    pub(super) speed: Spanned<u32>,
    #[serde(default)]
    pub(super) never: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawReport {
    pub(super) title: String,
    pub(super) impact_from: Text,
    pub(super) first_post: Text,
    pub(super) resolved: Text,
    pub(super) components: Vec<Text>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSpeed {
    pub(super) from: Text,
    pub(super) speed: Spanned<u32>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEvent {
    pub(super) at: Text,
    pub(super) says: String,
    #[serde(default)]
    pub(super) end: Vec<Text>,
    pub(super) announce: Option<RawAnnouncement>,
    pub(super) wall_step: Option<Text>,
    #[serde(default)]
    pub(super) symptom: bool,
    /// Whether faults begin; which, is read apart: what one is made of, its own type knows.
    pub(super) begin: Option<IgnoredAny>,
    #[serde(skip)]
    pub(super) faults: Vec<(Text, Fault)>,
    #[serde(skip)]
    pub(super) span: Range<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawAnnouncement {
    pub(super) name: String,
    pub(super) components: Vec<Text>,
    pub(super) from: Text,
    pub(super) until: Text,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawExpect {
    pub(super) from: Text,
    pub(super) within: Option<Text>,
    pub(super) says: String,
    #[serde(default)]
    pub(super) components: BTreeMap<Text, Text>,
    pub(super) incidents: Spanned<usize>,
    pub(super) status: Option<Text>,
    pub(super) impact: Option<Text>,
    pub(super) title: Option<Text>,
    #[serde(default)]
    pub(super) words: Vec<Text>,
    #[serde(default)]
    pub(super) never: Vec<Text>,
    pub(super) updates: Option<Text>,
    #[serde(skip)]
    pub(super) span: Range<usize>,
}

/// A whole file; what could not be read is not in it.
#[derive(Debug, Default)]
pub(super) struct RawFile {
    pub(super) scenario: Option<RawScenario>,
    pub(super) report: Option<RawReport>,
    pub(super) speeds: Vec<RawSpeed>,
    pub(super) events: Vec<RawEvent>,
    pub(super) expects: Vec<RawExpect>,
}

const TABLES: &str = "[scenario], [report], [[speed]], [[event]] and [[expect]]";

/// Reads a text, and every mistake of its shape.
pub(super) fn read(text: &str) -> (RawFile, Vec<ScenarioMistake>) {
    let mut mistakes = Vec::new();
    let mut file = RawFile::default();
    let root = match DeTable::parse(text) {
        Ok(root) => root.into_inner(),
        Err(error) => return (file, vec![of(0..0, &error)]),
    };
    if !root.contains_key("scenario") {
        mistakes.push(ScenarioMistake::new(0..0, "there is no [scenario]: it names the story"));
    }
    for (key, value) in root {
        match key.get_ref().as_ref() {
            "scenario" => file.scenario = one(value, &mut mistakes),
            "report" => file.report = one(value, &mut mistakes),
            "speed" => file.speeds = each(value, &mut mistakes, one),
            "event" => file.events = each(value, &mut mistakes, event),
            "expect" => file.expects = each(value, &mut mistakes, expect),
            other => {
                let what = format!("there is no `{other}` in a scenario; it has {TABLES}");
                mistakes.push(ScenarioMistake::new(key.span(), what));
            }
        }
    }
    (file, mistakes)
}

type Node<'t> = Spanned<DeValue<'t>>;
type Mistakes = Vec<ScenarioMistake>;

fn of(span: Range<usize>, error: &toml::de::Error) -> ScenarioMistake {
    ScenarioMistake::new(error.span().unwrap_or(span), error.message().trim().replace('\n', " "))
}

fn one<T: DeserializeOwned>(node: Node<'_>, mistakes: &mut Mistakes) -> Option<T> {
    let span = node.span();
    let read = T::deserialize(ValueDeserializer::from(node));
    read.map_err(|error| mistakes.push(of(span, &error))).ok()
}

fn each<T>(
    node: Node<'_>,
    mistakes: &mut Mistakes,
    read: impl Fn(Node<'_>, &mut Mistakes) -> Option<T>,
) -> Vec<T> {
    let span = node.span();
    let node = node.into_inner();
    let found = node.type_str();
    if let DeValue::Array(nodes) = node {
        return nodes.into_iter().filter_map(|node| read(node, mistakes)).collect();
    }
    let what = format!("a list of tables, written with [[ ]], not {found}");
    mistakes.push(ScenarioMistake::new(span, what));
    Vec::new()
}

fn expect(node: Node<'_>, mistakes: &mut Mistakes) -> Option<RawExpect> {
    let span = node.span();
    one::<RawExpect>(node, mistakes).map(|expect| RawExpect { span, ..expect })
}

fn event(node: Node<'_>, mistakes: &mut Mistakes) -> Option<RawEvent> {
    let span = node.span();
    let (given, rest) = without(node, "begin");
    let begin = given.is_some().then_some(IgnoredAny);
    let faults = given.map(|given| each(given, mistakes, fault)).unwrap_or_default();
    one::<RawEvent>(rest, mistakes).map(|event| RawEvent { begin, faults, span, ..event })
}

fn fault(node: Node<'_>, mistakes: &mut Mistakes) -> Option<(Text, Fault)> {
    let span = node.span();
    let (id, rest) = without(node, "id");
    let Some(id) = id else {
        let what = "a fault needs an `id`, the name that it is ended by";
        mistakes.push(ScenarioMistake::new(span, what));
        return None;
    };
    Some((one(id, mistakes)?, one(rest, mistakes)?))
}

/// What stands at `key` of a table, and the rest of it.
fn without<'t>(node: Node<'t>, key: &str) -> (Option<Node<'t>>, Node<'t>) {
    let span = node.span();
    let mut rest = node.into_inner();
    let taken = if let DeValue::Table(table) = &mut rest { table.remove(key) } else { None };
    (taken, Spanned::new(span, rest))
}
