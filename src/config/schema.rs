//! The JSON schema of a probe file, for editors. It is what the readers say of themselves.

use serde_json::{Value, json};

use super::raw::RawFile;
use super::reader::section_schema;

/// The JSON schema (draft 2020-12) of a probe file.
pub fn schema() -> Value {
    let mut schema = section_schema::<RawFile>();
    if let Value::Object(schema) = &mut schema {
        schema.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
        schema.insert("title".into(), json!("Farol probe file"));
        schema.insert(
            "description".into(),
            json!("One platform: its components, and the checks that speak for them."),
        );
    }
    schema
}
