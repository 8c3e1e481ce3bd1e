//! The JSON schema of a probe file, for editors. It is what the readers say of themselves.

use serde_json::{Map, Value, json};

use super::raw::RawFile;
use super::raw::prober::RawProberFile;
use super::reader::section_schema;

/// The JSON schema (draft 2020-12) of a probe file: one about a platform, or the one about the
/// prober. The keys of both stand in one table, as editors complete from that, and which go
/// together stands below it.
pub fn schema() -> Value {
    let sorts = [section_schema::<RawFile>(), section_schema::<RawProberFile>()];
    let keys = |schema: &Value| schema["properties"].as_object().cloned().unwrap_or_default();
    let all: Map<String, Value> = sorts.iter().flat_map(keys).collect();
    let sort = |schema: &Value| {
        let own = keys(schema);
        let others = all.keys().filter(|key| !own.contains_key(*key));
        let others: Map<String, Value> = others.map(|key| (key.clone(), json!(false))).collect();
        json!({ "required": schema["required"], "properties": others })
    };
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Farol probe file",
        "description": "One platform: its components, and the checks that speak for them. Or what \
                        farol must know of itself.",
        "type": "object",
        "additionalProperties": false,
        "oneOf": sorts.iter().map(sort).collect::<Vec<Value>>(),
        "properties": all,
    })
}
