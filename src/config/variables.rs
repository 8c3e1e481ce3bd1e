//! `[variables]`: what is the same in many places of a probe file or differs from one installation
//! to the next, written once and used in any text as `${name}`.
//!
//! The texts are filled in before anything else reads them and keep their places in the file, so no
//! setting knows of it and every mistake points at what its author wrote.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use serde_json::{Value, json};
use toml::de::{DeTable, DeValue};

use super::mistake::{Mistake, VariableMistake, list, shorten};
use super::problem::Problems;
use super::reader::{Key, Node, Setting};
use super::setting::secret::looks_secret;
use super::suggest::nearest;

/// The key of the table.
pub(super) const NAME: &str = "variables";

/// Where it stands in a file of either sort.
pub(super) const VARIABLES: Key<Variables> = Key::new(
    NAME,
    "Texts that are used in others as `${name}`; `--var name=value` and `FAROL_VAR_NAME` replace them.",
);

/// What a variable in a text begins with.
const OPEN: &str = "${";

/// The most characters that a value may have.
const LONGEST: usize = 500;

/// Values that stand in the place of those in the files.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    values: BTreeMap<String, String>,
    /// Those that somebody named on purpose: a file must have them.
    asked: BTreeSet<String>,
}

impl Overrides {
    /// What the environment has, which may be for other files too: `FAROL_VAR_DESK` is `desk`.
    pub fn of_environment(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let values = variables.into_iter().filter_map(|(name, value)| {
            Some((name.strip_prefix("FAROL_VAR_")?.to_ascii_lowercase(), value))
        });
        Self { values: values.collect(), asked: BTreeSet::new() }
    }

    /// Adds a value; one that was there gives way. Some file must have the variable.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        self.asked.insert(name.clone());
        self.values.insert(name, value.into());
    }

    /// Those that were named on purpose and that none of `known` is.
    pub(super) fn unknown(&self, known: &BTreeSet<String>) -> Vec<Mistake> {
        let unknown = self.asked.iter().filter(|name| !known.contains(*name));
        unknown
            .map(|name| {
                let known: Vec<&str> = known.iter().map(String::as_str).collect();
                Mistake::OfVariables(VariableMistake::NoFileHas {
                    got: shorten(name),
                    help: help(name, &known),
                })
            })
            .collect()
    }
}

/// `[variables]`, for the schema: what is wrong there is told when the texts are filled in.
pub(super) struct Variables;

impl Setting for Variables {
    const EXPECTED: &'static str = "a table such as { desk = \"https://desk.example\" }";

    fn read(_: &Node<'_>, _: &mut Problems<'_>) -> Option<Self> {
        Some(Self)
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "propertyNames": { "pattern": "^[a-z][a-z0-9_]{0,63}$" },
            "additionalProperties": { "type": "string", "maxLength": LONGEST },
        })
    }
}

/// A variable of one file.
struct Variable {
    place: Range<usize>,
    /// None if it is wrong, which has been told.
    value: Option<String>,
    used: bool,
}

/// Fills in every text of `document` outside of `[variables]`, and gives the names that stand there.
///
/// 1. A value is a text of its own: no variable is filled in there.
/// 2. What the command or the environment says holds, not what the file says.
/// 3. `$${` stands for `${`, which is no variable then.
/// 4. A variable that is used nowhere is a mistake: it is most likely a slip, and whoever sets it
///    would wait in vain for an effect.
pub(super) fn fill_in(
    document: &mut DeTable<'_>,
    overrides: &Overrides,
    problems: &mut Problems<'_>,
) -> BTreeSet<String> {
    let mut known = match document.get(NAME) {
        Some(node) => read(node, overrides, problems),
        None => BTreeMap::new(),
    };
    for (key, node) in document.iter_mut() {
        if key.get_ref() != NAME {
            fill_node(node, &mut known, problems);
        }
    }
    for (name, variable) in &known {
        if !variable.used && variable.value.is_some() {
            let mistake = Mistake::OfVariables(VariableMistake::WithoutUse { name: name.clone() });
            problems.report(variable.place.clone(), mistake);
        }
    }
    known.into_keys().collect()
}

fn read(
    node: &Node<'_>,
    overrides: &Overrides,
    problems: &mut Problems<'_>,
) -> BTreeMap<String, Variable> {
    let DeValue::Table(table) = node.get_ref() else {
        let _ = Variables::wrong_type(node, problems);
        return BTreeMap::new();
    };
    let mut known = BTreeMap::new();
    for (key, node) in table {
        let name = key.get_ref().to_string();
        let place = key.span();
        let value = match node.get_ref().as_str() {
            _ if !is_name(&name) => {
                problems.report(
                    place.clone(),
                    Mistake::OfVariables(VariableMistake::InvalidName { got: shorten(&name) }),
                );
                None
            }
            _ if looks_secret(&name) => {
                problems.hide(node.span());
                let what = "the value of this variable";
                problems.report(place.clone(), Mistake::PlainSecret { what });
                None
            }
            None => {
                let _ = String::wrong_type(node, problems);
                None
            }
            Some(written) => {
                let value = overrides.values.get(&name).map_or(written, String::as_str);
                judge(value, node.span(), problems)
            }
        };
        known.insert(name, Variable { place, value, used: false });
    }
    known
}

fn judge(value: &str, place: Range<usize>, problems: &mut Problems<'_>) -> Option<String> {
    let trouble = if value.contains(OPEN) {
        "the value of a variable, and has a variable in it"
    } else if value.chars().count() > LONGEST {
        "too long"
    } else if value.chars().any(char::is_control) {
        "more than one line, or holds control characters"
    } else {
        return Some(value.to_owned());
    };
    let mistake = Mistake::InvalidText { trouble, most: LONGEST, one_line: true };
    problems.report(place, mistake);
    None
}

/// Small letters, so that its name in the environment is no other's.
fn is_name(name: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= 64
        && name.bytes().next().is_some_and(|first| first.is_ascii_lowercase())
        && name.bytes().all(good)
}

fn fill_node(
    node: &mut Node<'_>,
    known: &mut BTreeMap<String, Variable>,
    problems: &mut Problems<'_>,
) {
    let span = node.span();
    match node.get_mut() {
        DeValue::String(text) => {
            if text.contains(OPEN) {
                let full = fill(text, span, known, problems);
                *text = full.into();
            }
        }
        DeValue::Array(items) => {
            items.iter_mut().for_each(|item| fill_node(item, known, problems));
        }
        DeValue::Table(table) => {
            table.iter_mut().for_each(|(_, item)| fill_node(item, known, problems));
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

fn fill(
    text: &str,
    span: Range<usize>,
    known: &mut BTreeMap<String, Variable>,
    problems: &mut Problems<'_>,
) -> String {
    let mut full = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, open)) = rest.split_once(OPEN) {
        if let Some(head) = head.strip_suffix('$') {
            full.extend([head, OPEN]);
            rest = open;
            continue;
        }
        full.push_str(head);
        let Some((name, tail)) = open.split_once('}') else {
            let got = shorten(rest.get(head.len()..).unwrap_or_default());
            let mistake = Mistake::OfVariables(VariableMistake::Open { got });
            problems.report(within(span.clone(), OPEN, problems), mistake);
            problems.forgive(span);
            return full;
        };
        rest = tail;
        let place = within(span.clone(), &format!("{OPEN}{name}}}"), problems);
        match known.get_mut(name) {
            Some(variable) => {
                variable.used = true;
                full.push_str(variable.value.as_deref().unwrap_or_default());
                // What is wrong with a value is told there, and not again wherever it is used.
                if variable.value.is_none() {
                    problems.forgive(span.clone());
                }
            }
            None if !is_name(name) => {
                problems.report(
                    place,
                    Mistake::OfVariables(VariableMistake::InvalidName { got: shorten(name) }),
                );
                problems.forgive(span.clone());
            }
            None => {
                let names: Vec<&str> = known.keys().map(String::as_str).collect();
                let help = help(name, &names);
                problems.report(
                    place,
                    Mistake::OfVariables(VariableMistake::Unknown { got: shorten(name), help }),
                );
                problems.forgive(span.clone());
            }
        }
    }
    full.push_str(rest);
    full
}

/// Where `part` stands in the text at `span`, or the whole of it.
fn within(span: Range<usize>, part: &str, problems: &Problems<'_>) -> Range<usize> {
    match problems.text(span.clone()).find(part) {
        Some(at) => span.start + at..span.start + at + part.len(),
        None => span,
    }
}

/// How to mend a name that is none of `known`.
fn help(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? Known here: {}", list(known)),
        None if known.is_empty() => {
            format!("give it a value: [variables] with {name} = \"...\" in the file")
        }
        None => format!(
            "add it to [variables], or write `$${{` for what is no variable; known here: {}",
            list(known)
        ),
    }
}
