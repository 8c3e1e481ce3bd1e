//! JSON in memory, bounded: what a text says in a few bytes can take hundreds as a tree, so the
//! tree is weighed while it grows. Its nesting the parser bounds.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// What a tree may weigh, in bytes, roughly as the allocator counts them.
const HEAVIEST: usize = 64 << 20;

/// How often all values together may be come by on a path. Each `..` after the first comes by a
/// value once more for everything that it is within, and finds it as often.
const MOST_VISITS: usize = 1 << 21;

/// A value in a list that doubles when it is full.
const VALUE: usize = 2 * size_of::<Value>();
/// The least that a list with something in it allocates.
const LIST: usize = 4 * size_of::<Value>();
/// The least that a table with something in it allocates.
const TABLE: usize = 11 * (size_of::<Value>() + size_of::<String>());
/// A further entry of a table.
const ENTRY: usize = 2 * (size_of::<Value>() + size_of::<String>());

/// A tree, and how large it is.
#[derive(Debug)]
pub(in crate::check) struct Tree {
    pub(in crate::check) root: Value,
    values: usize,
    depth: usize,
}

impl Tree {
    /// Whether a path, as it is written, finds no more in it than can be looked into.
    pub(in crate::check) fn affords(&self, path: &str) -> bool {
        self.visits(path.matches("..").count()) <= MOST_VISITS
    }

    /// How often its values are come by at most on a path with so many `..`.
    fn visits(&self, descents: usize) -> usize {
        let again = u32::try_from(descents.saturating_sub(1)).unwrap_or(u32::MAX);
        // One descent comes by each value once, and what a tree may weigh bounds their number.
        if again == 0 { 0 } else { self.values.saturating_mul(self.depth.saturating_pow(again)) }
    }
}

/// What is known of a tree while it grows.
#[derive(Debug)]
struct Growth {
    /// What it may still weigh.
    left: Cell<usize>,
    values: Cell<usize>,
    depth: Cell<usize>,
}

/// The tree that `text` says; or what is wrong with it.
pub(in crate::check) fn parse(text: &[u8]) -> Result<Tree, serde_json::Error> {
    // Some write a byte order mark where JSON has none.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let growth = Growth { left: Cell::new(HEAVIEST), values: Cell::new(0), depth: Cell::new(0) };
    let mut source = serde_json::Deserializer::from_slice(text);
    let root = Weighed { growth: &growth, at: 1 }.deserialize(&mut source)?;
    source.end()?;
    Ok(Tree { root, values: growth.values.get(), depth: growth.depth.get() })
}

#[derive(Clone, Copy)]
struct Weighed<'a> {
    growth: &'a Growth,
    /// How deep it is in the tree.
    at: usize,
}

impl Weighed<'_> {
    fn weigh<E: Error>(self, weight: usize) -> Result<(), E> {
        match self.growth.left.get().checked_sub(weight) {
            Some(left) => self.growth.left.set(left),
            None => return Err(E::custom("more values than can be looked into")),
        }
        Ok(())
    }

    /// What is within it.
    fn below(self) -> Self {
        Self { at: self.at + 1, ..self }
    }
}

impl<'de> DeserializeSeed<'de> for Weighed<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        self.weigh(VALUE)?;
        self.growth.values.set(self.growth.values.get() + 1);
        self.growth.depth.set(self.growth.depth.get().max(self.at));
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Weighed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.weigh(value.len())?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below())? {
            if list.is_empty() {
                self.weigh(LIST)?;
            }
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut table = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let entry = if table.is_empty() { TABLE } else { ENTRY };
            self.weigh(entry.saturating_add(key.len()))?;
            let value = entries.next_value_seed(self.below())?;
            table.insert(key, value);
        }
        Ok(Value::Object(table))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::parse;

    #[test]
    fn says_what_the_text_says() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"ü\n"],"b":{"c":{}},"a2":[]}"#;
        let tree = parse(text.as_bytes()).unwrap().root;
        assert_eq!(tree, serde_json::from_str::<Value>(text).unwrap());
        assert_eq!(parse(b"\xef\xbb\xbf[1]").unwrap().root, json!([1]));
        for text in ["", "{", "[1] [2]", "{\"a\":1,}", "nul", "\u{1}"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn neither_deep_nor_heavy() {
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
        assert!(parse(("[".repeat(100) + &"]".repeat(100)).as_bytes()).is_ok());
        for small in ["0", "{\"\":0}", "[0]", "\"\""] {
            let list = format!("[{}{small}]", format!("{small},").repeat(2_000_000));
            let words = parse(list.as_bytes()).unwrap_err().to_string();
            assert!(words.starts_with("more values than can be looked into"), "{small}: {words}");
            let list = format!("[{}{small}]", format!("{small},").repeat(50_000));
            assert!(parse(list.as_bytes()).is_ok(), "{small}");
        }
    }
}
