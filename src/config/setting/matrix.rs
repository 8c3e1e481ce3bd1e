//! `matrix = { tenant = ["a", "b"] }`: the values that a check runs for, and the texts in which
//! `{{matrix.tenant}}` stands for one of them.
//!
//! The texts are filled in before anything else reads them, so that no kind of check knows of it.
//! Their names begin with `matrix.` so that none is ever taken for a script's capture or another
//! variable of this kind, whose value is known only when the check runs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::super::mistake::{Mistake, VariableMistake, list, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::id::Id;
use super::text::Line;
use crate::model::Variant;

/// As many variants as addresses: more are not a sample any more but a load.
const MOST: usize = 64;

/// What the names in the braces begin with.
const PREFIX: &str = "matrix.";

/// The variables that a check runs for, in the order of their names, with their values.
pub(in super::super) struct Matrix(Vec<(Spanned<String>, Vec<String>)>);

/// The value that each variable has in one variant.
pub(in super::super) type Values<'m> = BTreeMap<&'m str, &'m str>;

/// What stands in the list of a variable.
struct Choice(String);

impl Setting for Choice {
    const EXPECTED: &'static str = Line::<64>::EXPECTED;

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Line::<64>::read(node, problems)?.0;
        // It would be read again by what has variables of its own.
        if text.contains(['{', '}']) {
            let trouble = "a value that other texts are filled with, and has braces in it";
            let mistake = Mistake::InvalidText { trouble, most: 64, one_line: true };
            problems.report(node.span(), mistake);
            return None;
        }
        Some(Self(text))
    }

    fn schema() -> Value {
        Line::<64>::schema()
    }
}

impl Setting for Matrix {
    const EXPECTED: &'static str = "a table such as { tenant = [\"a\", \"b\"] }";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let DeValue::Table(table) = node.get_ref() else {
            return Self::wrong_type(node, problems);
        };
        let each: Vec<Option<_>> = table
            .iter()
            .map(|(key, node)| {
                let values = values(node, problems);
                let name = DeValue::String(key.get_ref().clone());
                let name = Id::read(&Spanned::new(key.span(), name), problems);
                Some((Spanned::new(key.span(), name?.0), values?))
            })
            .collect();
        let variables = Self(each.into_iter().collect::<Option<_>>()?);
        let count =
            variables.0.iter().map(|(_, values)| values.len()).fold(1, usize::saturating_mul);
        if variables.0.is_empty() || count > MOST {
            let got = if variables.0.is_empty() { 0 } else { count };
            problems.report(node.span(), out_of_range(got, "variants"));
            return None;
        }
        Some(variables)
    }

    fn schema() -> Value {
        let values = json!({
            "type": "array", "items": Choice::schema(),
            "minItems": 1, "maxItems": MOST, "uniqueItems": true,
        });
        json!({ "type": "object", "additionalProperties": values, "minProperties": 1 })
    }
}

/// The values of one variable, each of them once.
fn values(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Vec<String>> {
    let found = Vec::<Spanned<Choice>>::read(node, problems)?;
    if !(1..=MOST).contains(&found.len()) {
        problems.report(node.span(), out_of_range(found.len(), "values"));
        return None;
    }
    let mut first: BTreeMap<&str, &Spanned<Choice>> = BTreeMap::new();
    let mut all_new = true;
    for value in &found {
        let text = value.get_ref().0.as_str();
        if let Some(first) = first.get(text) {
            let places = [(value.span(), Some("again")), (first.span(), Some("first"))];
            problems.report_all(places, Mistake::DuplicateValue { value: shorten(text) });
            all_new = false;
        }
        first.entry(text).or_insert(value);
    }
    all_new.then(|| found.iter().map(|value| value.get_ref().0.clone()).collect())
}

fn out_of_range(got: usize, what: &str) -> Mistake {
    let (least, most) = ("1".to_owned(), MOST.to_string());
    Mistake::OutOfRange { got: format!("{got} {what}"), least, most }
}

impl Matrix {
    /// Every choice of one value for each variable, with its name: `region=eu,tenant=a`.
    pub(in super::super) fn variants(&self) -> Vec<(Variant, Values<'_>)> {
        let mut all: Vec<Values<'_>> = vec![Values::new()];
        for (name, values) in &self.0 {
            let mut longer = Vec::new();
            for before in &all {
                for value in values {
                    let mut one = before.clone();
                    one.insert(name.get_ref(), value);
                    longer.push(one);
                }
            }
            all = longer;
        }
        all.into_iter()
            .map(|values| {
                let parts = values.iter().map(|(name, value)| format!("{name}={value}"));
                (Variant::new(parts.collect::<Vec<_>>().join(",")), values)
            })
            .collect()
    }

    /// Reports what stands in the texts of `keys` and is no variable, and variables that stand in
    /// none: with those the check would run several times for the same. Gives whether the texts can
    /// be filled in.
    pub(in super::super) fn check(
        matrix: Option<&Self>,
        table: &DeTable<'_>,
        keys: &[&str],
        problems: &mut Problems<'_>,
    ) -> bool {
        let variables = matrix.map(|matrix| matrix.0.as_slice()).unwrap_or_default();
        let known: Vec<&str> = variables.iter().map(|(name, _)| name.get_ref().as_str()).collect();
        let mut used = BTreeSet::new();
        let mut all_known = true;
        for node in keys.iter().filter_map(|key| table.get(*key)) {
            each_text(node, &mut |node, text| {
                let _ = fill(text, |name| {
                    if !known.contains(&name) {
                        let (got, known) = (shorten(name), list(&known));
                        problems.report(node.span(), Mistake::unknown_variable(got, &known));
                        all_known = false;
                    }
                    used.insert(name.to_owned());
                    None
                });
            });
        }
        for (name, _) in variables.iter().filter(|(name, _)| !used.contains(name.get_ref())) {
            let mistake = Mistake::OfVariables(VariableMistake::UnusedInMatrix {
                name: name.get_ref().clone(),
            });
            problems.report(name.span(), mistake);
        }
        all_known
    }
}

/// `table` with the texts of `keys` filled in. What stands there keeps its place in the file.
pub(in super::super) fn filled<'t>(
    table: &DeTable<'t>,
    keys: &[&str],
    values: &Values<'_>,
) -> DeTable<'t> {
    let mut table = table.clone();
    for key in keys {
        if let Some(node) = table.get_mut(*key) {
            fill_in(node.get_mut(), values);
        }
    }
    table
}

fn fill_in(value: &mut DeValue<'_>, values: &Values<'_>) {
    match value {
        DeValue::String(text) => {
            let full = fill(text, |name| values.get(name).copied());
            *text = full.into();
        }
        DeValue::Array(items) => {
            for item in items.iter_mut() {
                fill_in(item.get_mut(), values);
            }
        }
        DeValue::Table(table) => {
            for (_, item) in table.iter_mut() {
                fill_in(item.get_mut(), values);
            }
        }
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

fn each_text<'n, 't>(node: &'n Node<'t>, tell: &mut impl FnMut(&'n Node<'t>, &'n str)) {
    match node.get_ref() {
        DeValue::String(text) => tell(node, text),
        DeValue::Array(items) => items.iter().for_each(|item| each_text(item, tell)),
        DeValue::Table(table) => table.values().for_each(|item| each_text(item, tell)),
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) => {}
    }
}

/// `text` with what `value` has for each variable of the matrix; whatever else stands in braces is
/// others' business.
fn fill<'v>(text: &str, mut value: impl FnMut(&str) -> Option<&'v str>) -> String {
    let mut full = String::new();
    let mut rest = text;
    while let Some((head, open)) = rest.split_once("{{") {
        full.push_str(head);
        let inside = open.split_once("}}");
        let name = inside.and_then(|(name, _)| name.trim().strip_prefix(PREFIX));
        rest = match (inside, name.and_then(&mut value)) {
            (Some((_, tail)), Some(value)) => {
                full.push_str(value);
                tail
            }
            _ => {
                full.push_str("{{");
                open
            }
        };
    }
    full.push_str(rest);
    full
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::{Matrix, Values, fill};

    fn names(text: &str) -> Result<Vec<String>, String> {
        let matrix = read::<Matrix>(text)?;
        Ok(matrix.variants().into_iter().map(|(name, _)| name.to_string()).collect())
    }

    #[test]
    fn every_choice_of_values_is_a_variant() {
        let each = names("{ tenant = ['b', 'a'], region = ['eu', 'us'] }").unwrap();
        let all = ["eu,tenant=b", "eu,tenant=a", "us,tenant=b", "us,tenant=a"];
        assert_eq!(each, all.map(|one| format!("region={one}")));
        assert_eq!(names("{ tenant = ['one'] }").unwrap(), ["tenant=one"]);
    }

    #[test]
    fn what_is_no_matrix_is_told() {
        for (text, code) in [
            ("'a'", "wrong_type"),
            ("{ tenant = 'a' }", "wrong_type"),
            ("{ tenant = [1] }", "wrong_type"),
            ("{}", "out_of_range: `0 variants`"),
            ("{ tenant = [] }", "out_of_range: `0 values`"),
            ("{ Tenant = ['a'] }", "invalid_id"),
            ("{ tenant = ['a', 'b', ' a '] }", "duplicate_value"),
            ("{ tenant = ['{{user}}'] }", "invalid_text"),
        ] {
            let told = names(text).unwrap_err();
            assert!(told.starts_with(code) && !told.contains("; "), "{text}: {told}");
        }
        let eight = "['1', '2', '3', '4', '5', '6', '7', '8']";
        assert_eq!(names(&format!("{{ a = {eight}, b = {eight} }}")).unwrap().len(), 64);
        let more = names(&format!("{{ a = {eight}, b = {eight}, c = ['1', '2'] }}"));
        assert!(more.unwrap_err().contains("`128 variants`"));
    }

    #[test]
    fn only_the_matrix_own_variables_are_filled_in() {
        let values = Values::from([("tenant", "acme"), ("region", "eu")]);
        let full = |text| fill(text, |name| values.get(name).copied());
        assert_eq!(full("https://{{matrix.tenant}}.{{ matrix.region }}.x/"), "https://acme.eu.x/");
        for text in ["{{tenant}}", "{{1}} {{ matrix. }}", "{{matrix.tenant", "}}{{", "{{matrix.x}}"]
        {
            assert_eq!(full(text), text);
        }
        assert_eq!(full("{{user}}{{{matrix.tenant}}}"), "{{user}}{{{matrix.tenant}}}");
        assert_eq!(full("{{ {{matrix.tenant}}"), "{{ acme");
    }
}
