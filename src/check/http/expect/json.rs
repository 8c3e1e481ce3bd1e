//! What the values must be that paths lead to in a body's JSON. Pure.

use std::cmp::Ordering;

use serde_json::{Number, Value};

use super::super::Answer;
use super::{record, tree};
use crate::config::{Comparison, CountRange, JsonExpect, JsonTest};
use crate::model::Reason;

/// Judges the body as JSON.
///
/// 1. It must be JSON.
/// 2. A path must lead to as many values as expected, and without another word to at least one.
/// 3. Each of these values must pass each test.
pub(super) fn judge(expectations: &[JsonExpect], answer: &Answer) -> Result<(), Reason> {
    let malformed = |detail| Err(Reason::MalformedAnswer { detail });
    let tree = match tree::parse(&answer.body) {
        Ok(tree) => tree,
        Err(error) => return malformed(format!("not JSON: {error}")),
    };
    for expect in expectations {
        if !tree.affords(&expect.written) {
            return malformed(format!("JSON of which {} finds too much", expect.written));
        }
        let found = expect.path.query(&tree.root).all();
        if !expect.count.contains(found.len()) {
            let expected = format!("{} {}", expect.written, how_many(expect.count));
            return Err(Reason::Json { expected, got: amount(found.len()) });
        }
        for test in &expect.tests {
            judge_all(expect, test, &found, answer)?;
        }
    }
    Ok(())
}

fn judge_all(
    expect: &JsonExpect,
    test: &JsonTest,
    found: &[&Value],
    answer: &Answer,
) -> Result<(), Reason> {
    let (words, passes): (String, &dyn Fn(&Value) -> bool) = match test {
        JsonTest::Record(limits) => {
            return record::judge(&expect.written, limits, found, (answer.sent, answer.received));
        }
        JsonTest::Equals(wanted) => (format!("equals {wanted}"), &|value| same(value, wanted)),
        JsonTest::Matches(pattern) => (format!("matches {pattern}"), &|value| {
            scalar(value).is_some_and(|text| pattern.is_match(text.as_bytes()))
        }),
        JsonTest::Compares(comparison, number) => {
            (format!("{} {number}", comparison.as_str()), &|value| {
                compares(value, *comparison, number)
            })
        }
    };
    match found.iter().position(|value| !passes(value)) {
        None => Ok(()),
        Some(at) => {
            let expected = format!("{} {words}", place(&expect.written, at, found.len()));
            Err(Reason::Json { expected, got: shown(found.get(at).copied()) })
        }
    }
}

/// The path, and which of the values that it leads to.
pub(super) fn place(path: &str, at: usize, of: usize) -> String {
    if of == 1 { path.to_owned() } else { format!("{path} ({} of {of})", at.saturating_add(1)) }
}

/// A value in a few words: the value itself if it is short by nature.
pub(super) fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::Array(items)) => format!("a list of {}", items.len()),
        Some(Value::Object(entries)) => format!("an object of {}", entries.len()),
        Some(Value::String(text)) => {
            // The whole is cut later; escaping megabytes before would be for nothing. That it was
            // cut is how half a secret at its end is known.
            match text.char_indices().nth(200) {
                Some((end, _)) => format!("{:?}", format!("{}…", &text[..end])),
                None => format!("{text:?}"),
            }
        }
        Some(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value.to_string(),
    }
}

fn how_many(count: CountRange) -> String {
    match (count.least, count.most) {
        (0, 0) => "does not exist".to_owned(),
        (1, u64::MAX) => "exists".to_owned(),
        (least, most) if least == most => format!("exists {least} times"),
        (0, most) => format!("exists at most {most} times"),
        (least, u64::MAX) => format!("exists at least {least} times"),
        (least, most) => format!("exists {least} to {most} times"),
    }
}

fn amount(count: usize) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => "1 value".to_owned(),
        count => format!("{count} values"),
    }
}

/// What a pattern is matched with: lists, tables and null have no text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Equality as JSON's users mean it: 1 is 1.0.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => order(one, other) == Some(Ordering::Equal),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(a, b)| same(a, b))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, a)| other.get(key).is_some_and(|b| same(a, b)))
        }
        (one, other) => one == other,
    }
}

fn compares(value: &Value, comparison: Comparison, with: &Number) -> bool {
    let Value::Number(number) = value else { return false };
    order(number, with).is_some_and(|order| match comparison {
        Comparison::Below => order.is_lt(),
        Comparison::AtMost => order.is_le(),
        Comparison::Above => order.is_gt(),
        Comparison::AtLeast => order.is_ge(),
    })
}

/// Whole numbers are compared exactly: identifiers are larger than what a float can tell apart.
fn order(one: &Number, other: &Number) -> Option<Ordering> {
    match (one.as_i128(), other.as_i128()) {
        (Some(one), Some(other)) => Some(one.cmp(&other)),
        _ => one.as_f64()?.partial_cmp(&other.as_f64()?),
    }
}
