//! A cursor over a TOML table that describes itself.
//!
//! A table's reader asks for each key that it knows, once, with the key's type, words and default.
//! What was asked for is what is known: whatever else stands in the table is a mistake, and the
//! same questions put to an empty table make the table's schema. So the reader, the "did you mean"
//! and the schema cannot differ.

use std::marker::PhantomData;
use std::ops::Range;

use serde_json::{Map, Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistake::Mistake;
use super::problem::{Problems, SourceFile};
use super::setting::secret::looks_secret;
use super::suggest::{nearest, went};

/// A value with its place.
pub(super) type Node<'t> = Spanned<DeValue<'t>>;

/// A type of setting: how it is spelled, and what is wrong with what is not.
pub(super) trait Setting: Sized {
    /// What stands in "expected ...".
    const EXPECTED: &'static str;

    /// Reads the value, or reports what is wrong with it.
    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self>;

    /// The JSON schema of what [`Setting::read`] takes.
    fn schema() -> Value;

    /// The text that stands there; anything else is reported.
    fn text(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<String> {
        let text = node.get_ref().as_str().map(str::to_owned);
        if text.is_none() {
            Self::wrong_type(node, problems);
        }
        text
    }

    /// Reports that `node` is of another type.
    fn wrong_type(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let found = node.get_ref().type_str();
        problems.report(node.span(), Mistake::WrongType { expected: Self::EXPECTED, found });
        None
    }
}

/// A table with known keys.
pub(super) trait Section: Sized {
    /// How the table is written, for "unknown key in ...".
    const NAME: &'static str;

    /// Asks for every key, whatever the answers are; `None` if what it needs is not there.
    fn read_keys(table: &mut Reader<'_, '_, '_>) -> Option<Self>;
}

impl<S: Section> Setting for S {
    const EXPECTED: &'static str = "a table";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        read_section(node.span(), table, problems)
    }

    fn schema() -> Value {
        section_schema::<Self>()
    }
}

/// Reads a table that stands at `span`.
pub(super) fn read_section<S: Section>(
    span: Range<usize>,
    table: &DeTable<'_>,
    problems: &mut Problems<'_>,
) -> Option<S> {
    let mut reader = Reader::new(S::NAME, span, table, problems);
    let section = S::read_keys(&mut reader);
    reader.finish();
    section
}

/// The schema of a table, from the questions that its reader asks.
pub(super) fn section_schema<S: Section>() -> Value {
    let (table, file) = (DeTable::new(), SourceFile { name: String::new(), text: String::new() });
    let mut problems = Problems::new(&file);
    let mut reader = Reader::new(S::NAME, 0..0, &table, &mut problems);
    S::read_keys(&mut reader);
    reader.into_schema()
}

/// A key: its name, its type, what it is for and what holds without it.
#[derive(Debug)]
pub(super) struct Key<T> {
    name: &'static str,
    about: &'static str,
    default: Option<Fallback>,
    of: PhantomData<fn() -> T>,
}

/// A default, as a user would write it.
#[derive(Clone, Copy, Debug)]
enum Fallback {
    Text(&'static str),
    Number(u32),
    Flag(bool),
}

impl<T: Setting> Key<T> {
    pub(super) const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, default: None, of: PhantomData }
    }

    pub(super) const fn or_text(mut self, default: &'static str) -> Self {
        self.default = Some(Fallback::Text(default));
        self
    }

    pub(super) const fn or_number(mut self, default: u32) -> Self {
        self.default = Some(Fallback::Number(default));
        self
    }

    pub(super) const fn or_flag(mut self, default: bool) -> Self {
        self.default = Some(Fallback::Flag(default));
        self
    }

    /// How it is written.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// What it is for.
    pub(super) const fn about(&self) -> &'static str {
        self.about
    }

    fn schema(about: &'static str, default: Option<Fallback>) -> Value {
        let mut schema = T::schema();
        if let Value::Object(schema) = &mut schema {
            schema.insert("description".into(), about.into());
            if let Some(default) = default {
                let value = match default {
                    Fallback::Text(text) => json!(text),
                    Fallback::Number(number) => json!(number),
                    Fallback::Flag(flag) => json!(flag),
                };
                schema.insert("default".into(), value);
            }
        }
        schema
    }
}

/// What a table says about a key.
#[derive(Clone, Debug, Default)]
pub(super) enum Field<T> {
    /// Nothing.
    #[default]
    Absent,
    /// Something that was reported as wrong: to be treated neither as given nor as left out.
    Wrong,
    /// This.
    Given(Spanned<T>),
}

impl<T> Field<T> {
    /// The value if there is a good one.
    pub(super) fn given(self) -> Option<Spanned<T>> {
        match self {
            Self::Given(value) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }

    /// The value or, if the file says nothing, `default`; `None` if what it says is wrong.
    pub(super) fn or(self, default: T) -> Option<T> {
        self.optional().map(|value| value.unwrap_or(default))
    }

    /// The value, if any; the outer `None` if what the file says is wrong.
    pub(super) fn optional(self) -> Option<Option<T>> {
        match self {
            Self::Given(value) => Some(Some(value.into_inner())),
            Self::Absent => Some(None),
            Self::Wrong => None,
        }
    }

    /// The value with its place, if any; the outer `None` if what the file says is wrong.
    pub(super) fn optional_spanned(self) -> Option<Option<Spanned<T>>> {
        match self {
            Self::Given(value) => Some(Some(value)),
            Self::Absent => Some(None),
            Self::Wrong => None,
        }
    }

    /// This if the file says anything about it, else `other`.
    pub(super) fn or_else<'a>(&'a self, other: &'a Self) -> &'a Self {
        if matches!(self, Self::Absent) { other } else { self }
    }
}

/// A question that was put to a table.
struct Asked {
    name: &'static str,
    /// What it is to leave the key out, if that is a mistake.
    missing: Option<Mistake>,
    about: &'static str,
    default: Option<Fallback>,
    schema: fn(&'static str, Option<Fallback>) -> Value,
}

/// The cursor.
pub(super) struct Reader<'r, 't, 'f> {
    section: &'static str,
    span: Range<usize>,
    table: &'r DeTable<'t>,
    problems: &'r mut Problems<'f>,
    asked: Vec<Asked>,
    one_of: Vec<&'static [&'static str]>,
}

impl<'r, 't, 'f> Reader<'r, 't, 'f> {
    fn new(
        section: &'static str,
        span: Range<usize>,
        table: &'r DeTable<'t>,
        problems: &'r mut Problems<'f>,
    ) -> Self {
        Self { section, span, table, problems, asked: Vec::new(), one_of: Vec::new() }
    }

    /// Reports a mistake in something that was read from the table.
    pub(super) fn report(&mut self, span: Range<usize>, mistake: Mistake) {
        self.problems.report(span, mistake);
    }

    /// Reports a mistake that is the whole table's.
    pub(super) fn report_here(&mut self, mistake: Mistake) {
        self.problems.report(self.span.clone(), mistake);
    }

    /// Reports one mistake that stands in several places.
    pub(super) fn report_all(&mut self, spans: Vec<Range<usize>>, mistake: Mistake) {
        let one = |(n, span)| (span, Some(if n == 0 { "one" } else { "another" }));
        self.problems.report_all(spans.into_iter().enumerate().map(one), mistake);
    }

    /// Those of `keys` that are there, whatever their values are.
    pub(super) fn there(&self, keys: &[&'static str]) -> Vec<(&'static str, Range<usize>)> {
        let place = |key: &&'static str| Some((*key, self.table.get_key_value(*key)?.0.span()));
        keys.iter().filter_map(place).collect()
    }

    /// The text at `key`, as it was meant; empty if there is none.
    pub(super) fn text_of(&self, key: &str) -> &str {
        self.table.get(key).and_then(|node| node.get_ref().as_str()).unwrap_or_default()
    }

    /// Asks for a key that may be left out.
    pub(super) fn take<T: Setting>(&mut self, key: &Key<T>) -> Field<T> {
        self.ask(key, None)
    }

    /// Asks for a key that must be there.
    pub(super) fn require<T: Setting>(&mut self, key: &Key<T>) -> Option<Spanned<T>> {
        let Key { name, about, .. } = *key;
        let missing = Mistake::MissingKey { key: name, section: self.section, about };
        self.ask(key, Some(missing)).given()
    }

    /// Asks for a key whose absence is a mistake with a name of its own.
    pub(super) fn require_or<T: Setting>(
        &mut self,
        key: &Key<T>,
        missing: Mistake,
    ) -> Option<Spanned<T>> {
        self.ask(key, Some(missing)).given()
    }

    /// Asks the same of each of these tables, as if each stood where this one does. A mistake that
    /// several of them make is told once.
    pub(super) fn ask_each<T>(
        &mut self,
        tables: &[DeTable<'_>],
        ask: impl Fn(&mut Reader<'_, '_, '_>) -> T,
    ) -> Vec<T> {
        let before = self.problems.count();
        let mut asked = Vec::new();
        let answers = tables.iter().map(|table| {
            let mut reader = Reader::new(self.section, self.span.clone(), table, self.problems);
            let answer = ask(&mut reader);
            asked = reader.asked;
            answer
        });
        let answers = answers.collect();
        self.asked.extend(asked);
        self.problems.forget_repeats(before);
        answers
    }

    /// The table itself, and where its mistakes are reported.
    pub(super) fn parts(&mut self) -> (&'r DeTable<'t>, &mut Problems<'f>) {
        (self.table, self.problems)
    }

    /// Says that exactly one of these keys must be there; it may be said of several sets.
    pub(super) fn exactly_one(&mut self, keys: &'static [&'static str]) {
        self.one_of.push(keys);
    }

    fn ask<T: Setting>(&mut self, key: &Key<T>, missing: Option<Mistake>) -> Field<T> {
        let Key { name, about, default, .. } = *key;
        self.asked.push(Asked { name, missing, about, default, schema: Key::<T>::schema });
        let Some(node) = self.table.get(name) else { return Field::Absent };
        match T::read(node, self.problems) {
            Some(value) => Field::Given(Spanned::new(node.span(), value)),
            None => Field::Wrong,
        }
    }

    /// Reports what is left over and what is missing. A key that is missing because it is
    /// misspelt is one mistake, not two.
    fn finish(mut self) {
        let misspelt = self.report_unknown();
        for keys in std::mem::take(&mut self.one_of) {
            self.report_one_of(keys, &misspelt);
        }
        for Asked { name, missing, .. } in self.asked {
            if let Some(missing) = missing
                && !self.table.contains_key(name)
                && !misspelt.contains(&name)
            {
                self.problems.report(self.span.clone(), missing);
            }
        }
    }

    /// Reports the keys that were not asked for; gives the keys that they were probably meant as.
    fn report_unknown(&mut self) -> Vec<&'static str> {
        let known: Vec<&'static str> = self.asked.iter().map(|asked| asked.name).collect();
        let mut misspelt = Vec::new();
        for (key, value) in self.table {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            let near = nearest(name, known.iter().copied());
            misspelt.extend(near);
            // It is not known what stands here, but by its name it is not for showing.
            if looks_secret(name) || near.is_some_and(looks_secret) {
                self.problems.hide(value.span());
            }
            let mistake = match went(self.section, name) {
                Some(help) => {
                    let (key, help) = (name.to_owned(), help.to_owned());
                    Mistake::UnknownKey { key, section: self.section, help }
                }
                None => Mistake::unknown_key(name, self.section, near, &known),
            };
            self.problems.report(key.span(), mistake);
        }
        misspelt
    }

    fn report_one_of(&mut self, keys: &'static [&'static str], misspelt: &[&str]) {
        let section = self.section;
        let there: Vec<_> =
            self.table.keys().filter(|key| keys.contains(&key.get_ref().as_ref())).collect();
        match there.as_slice() {
            [] if keys.iter().any(|key| misspelt.contains(key)) => {}
            [] => self.problems.report(self.span.clone(), Mistake::NoneOf { section, keys }),
            [_] => {}
            several => {
                let places = several.iter().map(|key| (key.span(), Some("one")));
                let places = places
                    .enumerate()
                    .map(|(n, (span, label))| (span, if n == 0 { label } else { Some("another") }));
                self.problems.report_all(places, Mistake::SeveralOf { section, keys });
            }
        }
    }

    fn into_schema(self) -> Value {
        let required: Vec<&str> =
            self.asked.iter().filter(|a| a.missing.is_some()).map(|a| a.name).collect();
        let properties: Map<String, Value> = self
            .asked
            .iter()
            .map(|asked| (asked.name.to_owned(), (asked.schema)(asked.about, asked.default)))
            .collect();
        let mut schema =
            json!({ "type": "object", "additionalProperties": false, "properties": properties });
        if let Value::Object(schema) = &mut schema {
            if !required.is_empty() {
                schema.insert("required".into(), json!(required));
            }
            let one_of = |keys: &&[&str]| -> Value {
                keys.iter().map(|key| json!({ "required": [key] })).collect()
            };
            match self.one_of.as_slice() {
                [] => {}
                [keys] => drop(schema.insert("oneOf".into(), one_of(keys))),
                sets => {
                    let all: Value =
                        sets.iter().map(|keys| json!({ "oneOf": one_of(keys) })).collect();
                    schema.insert("allOf".into(), all);
                }
            }
        }
        schema
    }
}
