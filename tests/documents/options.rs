//! The tables of options in `docs/checks.md` and `docs/status-apis.md` are what the schema says.
//!
//! A table stands between `<!-- options: PATH -->` and `<!-- end -->`, where the path is that of
//! a TOML table. Kinds of check have tables of their own; other tables are rows of the one that
//! they are in.

use std::fs;

use farol::config::schema;
use serde_json::{Map, Value};

use crate::root;

/// The documents with tables; the last is for the places that incidents are published to.
const DOCUMENTS: [&str; 2] = ["docs/checks.md", "docs/status-apis.md"];
const REWRITE: &str = "FAROL_DOCS=write cargo test --test documents";

/// A table of the document.
struct Options {
    path: String,
    table: String,
}

/// Every table that the document must have, in the order of a probe file.
fn tables() -> Vec<Options> {
    let schema = schema();
    let top = &schema["properties"];
    let component = &top["component"]["items"];
    let check = &component["properties"]["check"]["items"];
    let kinds: Vec<&str> = one_of(check);
    let mut tables = vec![
        options("platform", &top["platform"]),
        options("publish", &top["publish"]),
        options("defaults", &top["defaults"]),
        options("component", component),
        options("component.check", check),
        options("maintenance", &top["maintenance"]["items"]),
    ];
    let reference = &top["reference"]["items"];
    tables.extend([options("prober", &top["prober"]), options("reference", reference)]);
    let targets = top["publish"]["properties"].as_object().into_iter().flatten();
    let targets = targets.filter(|(_, schema)| is_target(schema));
    tables.extend(targets.map(|(name, schema)| options(&format!("publish.{name}"), schema)));
    for kind in kinds {
        let schema = &check["properties"][kind];
        let table = variants(schema).into_iter().find(|schema| schema["properties"].is_object());
        tables.extend(table.map(|table| options(&format!("component.check.{kind}"), table)));
    }
    tables
}

fn options(path: &str, schema: &Value) -> Options {
    let mut rows = Vec::new();
    let own_tables: Vec<&str> = match path {
        "publish" => {
            let targets = schema["properties"].as_object().into_iter().flatten();
            targets.filter(|(_, it)| is_target(it)).map(|(name, _)| name.as_str()).collect()
        }
        _ if is_asking(path) => one_of(schema),
        _ => Vec::new(),
    };
    add_rows("", schema, &own_tables, &mut rows);
    let head = "| option | what it takes | default | meaning |\n|---|---|---|---|\n";
    Options { path: path.to_owned(), table: format!("{head}{}", rows.concat()) }
}

/// Whether the table is one of a check, whose kinds have tables of their own.
fn is_asking(path: &str) -> bool {
    matches!(path, "component.check" | "reference")
}

/// Whether it is a place that incidents are published to, with something to say of it.
fn is_target(schema: &Value) -> bool {
    schema["properties"].as_object().is_some_and(|keys| !keys.is_empty())
}

/// The keys of which exactly one must be there.
fn one_of(schema: &Value) -> Vec<&str> {
    let sets = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
    let all = sets.flat_map(|set| set["oneOf"].as_array().into_iter().flatten());
    all.filter_map(|one| one["required"][0].as_str()).collect()
}

/// The ways in which a value may be written.
fn variants(schema: &Value) -> Vec<&Value> {
    match schema["anyOf"].as_array() {
        Some(all) => all.iter().flat_map(variants).collect(),
        None => vec![schema],
    }
}

fn add_rows(parent: &str, schema: &Value, own_tables: &[&str], rows: &mut Vec<String>) {
    let Some(keys) = schema["properties"].as_object() else { return };
    let required = |key: &str| {
        schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == key))
    };
    let alternatives = one_of(schema);
    for (key, schema) in keys {
        let name = format!("{parent}{key}");
        let default = match schema.get("default") {
            Some(default) => format!("`{default}`"),
            None if required(key) => "needed".to_owned(),
            None if alternatives.contains(&key.as_str()) => "one of these".to_owned(),
            None => String::new(),
        };
        let about = schema["description"].as_str().unwrap_or_default();
        let takes = takes(schema);
        let row = format!("| `{name}` | {} | {default} | {} |\n", cell(&takes), cell(about));
        // What may be one table or a list of them is told once.
        if !rows.contains(&row) {
            rows.push(row);
        }
        // `[[component.check]]` has a table of its own, as each kind of check has.
        if !(own_tables.contains(&key.as_str()) || parent.is_empty() && key == "check") {
            add_inner_rows(&name, schema, rows);
        }
    }
}

fn add_inner_rows(name: &str, schema: &Value, rows: &mut Vec<String>) {
    for variant in variants(schema) {
        add_rows(&format!("{name}."), variant, &[], rows);
        for inner in ["items", "additionalProperties"] {
            let place = if inner == "items" { name.to_owned() } else { format!("{name}.*") };
            if variant[inner].is_object() {
                add_inner_rows(&place, &variant[inner], rows);
            }
        }
    }
}

/// What a value may be, in words.
fn takes(schema: &Value) -> String {
    let mut ways: Vec<String> = Vec::new();
    for variant in variants(schema) {
        let way = one_way(variant);
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways.join(", or ")
}

fn one_way(schema: &Value) -> String {
    if let Some(only) = schema.get("const") {
        return format!("`{only}`");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
        return words.join(", ");
    }
    if schema["type"].is_array() {
        return "any value".to_owned();
    }
    let example = schema["examples"].get(0);
    let such_as = example.map_or_else(String::new, |example| format!(" such as `{example}`"));
    match schema["type"].as_str() {
        Some("object") if schema["additionalProperties"].is_object() => {
            format!("table of: {}", takes(&schema["additionalProperties"]))
        }
        Some("object") => "table".to_owned(),
        Some("array") => format!("list of: {}", takes(&schema["items"])),
        Some("boolean") => "`true`, `false`".to_owned(),
        Some(number @ ("integer" | "number")) => {
            let name = if number == "integer" { "whole number" } else { "number" };
            format!("{name}{}{such_as}", bounds(schema.as_object().unwrap()))
        }
        _ if schema["format"] == "uri" => "URL".to_owned(),
        _ => format!("text{such_as}"),
    }
}

fn bounds(schema: &Map<String, Value>) -> String {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(least), Some(most)) => format!(" from {least} to {most}"),
        (Some(least), None) => format!(" from {least}"),
        (None, Some(most)) => format!(" up to {most}"),
        (None, None) => String::new(),
    }
}

/// A text as a cell of a table may have it.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn start(path: &str) -> String {
    format!("<!-- options: {path} -->\n")
}

/// The document with the table of `options` as it should be; one that has no place yet comes last.
fn put(document: &str, options: &Options) -> String {
    let Options { path, table } = options;
    let start = start(path);
    match document.split_once(&start) {
        Some((before, rest)) => {
            let after = rest.split_once("<!-- end -->").map_or("\n", |(_, after)| after);
            format!("{before}{start}\n{table}\n<!-- end -->{after}")
        }
        None => format!("{document}\n## `[{path}]`\n\n{start}\n{table}\n<!-- end -->\n"),
    }
}

#[test]
fn the_tables_of_options_are_what_the_schema_says() {
    for document in DOCUMENTS {
        holds_its_tables(document);
    }
}

/// The document that the table at `path` stands in.
fn document_of(path: &str) -> &'static str {
    DOCUMENTS[usize::from(path.starts_with("publish."))]
}

#[expect(clippy::disallowed_methods, reason = "a test asks whether to rewrite what it tests")]
fn holds_its_tables(document: &str) {
    let written = crate::read(document);
    let mut tables = tables();
    tables.retain(|table| document_of(&table.path) == document);
    let right = tables.iter().fold(written.clone(), |text, table| put(&text, table));
    for known in written.split("<!-- options: ").skip(1) {
        let path = known.split(" -->").next().unwrap();
        let exists = tables.iter().any(|table| table.path == path);
        assert!(exists, "{document} has a table for `{path}`, which does not exist: remove it");
    }
    if std::env::var("FAROL_DOCS").is_ok_and(|wish| wish == "write") {
        fs::write(root().join(document), &right).unwrap();
        return;
    }
    let differs = right.lines().zip(written.lines()).find(|(right, written)| right != written);
    assert!(
        right == written,
        "{document} is not what the schema says: run `{REWRITE}`, then look at the difference and \
         write what a new section should say besides its table.\nFirst: {differs:#?}"
    );
}

#[test]
fn a_table_is_replaced_where_it_stands_and_added_where_there_is_none() {
    let options = |table: &str| Options { path: "a.b".into(), table: table.into() };
    let first = put("# Title\n", &options("| one |\n"));
    let inside = "<!-- options: a.b -->\n\n| one |\n\n<!-- end -->\n";
    assert_eq!(first, format!("# Title\n\n## `[a.b]`\n\n{inside}"));
    let prose = format!("{first}Prose.\n");
    assert_eq!(put(&prose, &options("| one |\n")), prose);
    assert_eq!(put(&prose, &options("| two |\n")), prose.replace("one", "two"));
}
