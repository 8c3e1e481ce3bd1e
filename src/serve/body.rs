//! Reading a request's body: JSON or a form, whatever the content type says, since clients of the
//! vendor send JSON with none and some send forms.

use axum::body::{Body, to_bytes};
use serde_json::{Map, Value};

use super::error::ApiError;

/// The longest text of an update is 25,000 characters, which JSON can spell as 12 bytes each.
const MAX_BODY: usize = 256 * 1024;
const MAX_PAIRS: usize = 1_000;
const MAX_DEPTH: usize = 8;

/// Reads a body as a tree; one that is empty is an empty object.
pub(super) async fn read(body: Body) -> Result<Value, ApiError> {
    let bytes =
        to_bytes(body, MAX_BODY).await.map_err(|_| ApiError::TooLarge { limit: MAX_BODY })?;
    parse(&bytes)
}

fn parse(bytes: &[u8]) -> Result<Value, ApiError> {
    let trimmed = bytes.trim_ascii();
    match trimmed.first() {
        None => Ok(Value::Object(Map::new())),
        // No form begins so: its keys would be encoded.
        Some(b'{' | b'[' | b'"') => {
            serde_json::from_slice(trimmed).map_err(|error| ApiError::Malformed(error.to_string()))
        }
        Some(_) => form(trimmed),
    }
}

/// `incident[components][abc]=major_outage&incident[component_ids][]=abc`
fn form(bytes: &[u8]) -> Result<Value, ApiError> {
    let mut tree = Value::Object(Map::new());
    for (count, (name, value)) in url::form_urlencoded::parse(bytes).enumerate() {
        if count >= MAX_PAIRS {
            return Err(ApiError::Malformed(format!("more than {MAX_PAIRS} fields")));
        }
        let refused = || ApiError::Malformed(format!("the field {name:?} does not fit"));
        let keys = keys(&name).ok_or_else(refused)?;
        *place(&mut tree, &keys).ok_or_else(refused)? = Value::String(value.into_owned());
    }
    Ok(tree)
}

/// `a[b][]` is the path `a`, `b`, nothing.
fn keys(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[') else { return Some(vec![name]) };
    let inner = rest.strip_suffix(']')?;
    let keys: Vec<&str> = std::iter::once(first).chain(inner.split("][")).collect();
    (keys.len() <= MAX_DEPTH).then_some(keys)
}

/// The place in the tree that a path leads to, made if need be; `None` if something else is there.
fn place<'a>(tree: &'a mut Value, keys: &[&str]) -> Option<&'a mut Value> {
    let mut at = tree;
    for key in keys {
        if key.is_empty() {
            if at.is_null() {
                *at = Value::Array(Vec::new());
            }
            let list = at.as_array_mut()?;
            list.push(Value::Null);
            at = list.last_mut()?;
        } else {
            if at.is_null() {
                *at = Value::Object(Map::new());
            }
            at = at.as_object_mut()?.entry(*key).or_insert(Value::Null);
        }
    }
    // A name that was given before as something with parts.
    (!at.is_object() && !at.is_array()).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::parse;

    #[test]
    fn a_form_is_the_tree_that_its_names_say() {
        let text = "incident[name]=A%26B+C&incident[component_ids][]=x&incident[component_ids][]=y\
                    &incident[components][x]=major_outage&flat=1";
        let expected = json!({
            "flat": "1",
            "incident": {
                "name": "A&B C",
                "component_ids": ["x", "y"],
                "components": { "x": "major_outage" },
            },
        });
        assert_eq!(parse(text.as_bytes()).unwrap(), expected);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let deep = format!("a{}=1", "[b]".repeat(50));
        for text in ["a=1&a[b]=2", "a[b]=1&a=2", "a[b=1", "{", deep.as_str()] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(bytes: Vec<u8>, text in "[a-z\\[\\]=&%{}\" ]{0,60}") {
            let _ = parse(&bytes);
            let _ = parse(text.as_bytes());
        }
    }
}
