//! Every TOML example in the documents is one that `farol validate` accepts.
//!
//! An example may be a fragment. What a whole file must have besides is filled in by this rule:
//!
//! 1. Without `[platform]` there is one that has a name.
//! 2. Without `[[component]]` there is one. `[[component.check]]` alone is a check of it.
//! 3. With `[prober]` or `[[reference]]` it is the file about the prober, and gets the former.
//! 4. A component without a name or a check gets one of each, and so does a check without a name.
//!
//! Nothing that stands in the example is changed.

use std::collections::BTreeSet;
use std::path::Path;

use farol::config::{Overrides, SourceFile, load, parse, schema};
use serde_json::{Value, json};

use crate::{documents, root};

/// The pages at which components have ids of their own.
const PAGES: [&str; 4] = ["statuspage", "cachet", "incident_io", "instatus"];

/// The text of each fenced block of TOML, with the line that it begins on.
fn examples(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.trim() == "```toml" {
            let inside = lines.by_ref().map(|(_, line)| line);
            let block: Vec<&str> = inside.take_while(|line| line.trim() != "```").collect();
            found.push((number + 2, block.join("\n") + "\n"));
        }
    }
    found
}

/// The example with what a whole file needs besides.
fn whole(example: &str) -> Result<Value, String> {
    let mut file: Value = toml::from_str(example).map_err(|error| error.to_string())?;
    let name = |table: &mut Value, name: &str| {
        table.as_object_mut().unwrap().entry("name").or_insert(json!(name));
    };
    let keys = file.as_object_mut().unwrap();
    if keys.contains_key("prober") || keys.contains_key("reference") {
        keys.entry("prober").or_insert(json!({}));
        return Ok(file);
    }
    keys.entry("platform").or_insert(json!({ "name": "Example" }));
    let component = keys.entry("component").or_insert(json!([{}]));
    if component.is_object() {
        *component = json!([component.take()]);
    }
    let published = keys.get("publish").and_then(Value::as_object).cloned().unwrap_or_default();
    let components = keys["component"].as_array_mut().ok_or("`component` is no list")?;
    for (number, component) in components.iter_mut().enumerate() {
        name(component, &format!("Component {number}"));
        let keys = component.as_object_mut().unwrap();
        for page in PAGES.iter().filter(|page| published.contains_key(**page)) {
            keys.entry(format!("{page}_id")).or_insert(json!(format!("component{number}")));
        }
        let checks = keys.entry("check").or_insert(json!([{ "http": "https://shop.example/" }]));
        for (number, check) in
            checks.as_array_mut().ok_or("`check` is no list")?.iter_mut().enumerate()
        {
            name(check, &format!("Check {number}"));
        }
    }
    Ok(file)
}

fn validate(path: &Path, line: usize, example: &str) -> Result<Value, String> {
    let place = format!("{}:{line}", path.display());
    let file = whole(example).map_err(|error| format!("{place}: {error}"))?;
    let text = toml::to_string(&file).unwrap();
    let source = SourceFile { name: "example.toml".to_owned(), text: text.clone() };
    match parse(&[source]) {
        Ok(_) => Ok(file),
        Err(error) => Err(format!("{place}:\n{}\n{text}", error.render(false, 100))),
    }
}

#[test]
fn every_example_in_the_documents_is_valid() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (path, text) in documents() {
        for (line, example) in examples(&text) {
            count += 1;
            wrong.extend(validate(&path, line, &example).err());
        }
    }
    assert!(count >= 8, "only {count} examples were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_probe_file_beside_them_is_valid() {
    if let Err(error) = load(&[root().join("probes")], &Overrides::default()) {
        panic!("{}", error.render(false, 100));
    }
}

#[test]
fn every_kind_of_check_has_an_example() {
    let schema = schema();
    let check = "/properties/component/items/properties/check/items/oneOf";
    let kinds = schema.pointer(check).unwrap().as_array().unwrap().iter();
    let kinds: BTreeSet<String> =
        kinds.map(|one| one["required"][0].as_str().unwrap().to_owned()).collect();
    let mut shown = BTreeSet::new();
    for (line, example) in examples(&crate::read("docs/checks.md")) {
        let file = validate(Path::new("docs/checks.md"), line, &example).unwrap();
        for component in file["component"].as_array().into_iter().flatten() {
            for check in component["check"].as_array().unwrap() {
                shown.extend(check.as_object().unwrap().keys().cloned());
            }
        }
    }
    let missing: Vec<&String> = kinds.difference(&shown).collect();
    assert!(
        missing.is_empty(),
        "docs/checks.md has no example of {missing:?}: add a ```toml block that begins with \
         [[component.check]] to the kind's section"
    );
}

#[test]
fn fragments_are_filled_in_and_mistakes_are_not_hidden() {
    let valid = |example| validate(Path::new("a.md"), 1, example).is_ok();
    assert!(valid("[[component.check]]\nhttp = 'https://desk.example/'\n"));
    assert!(valid("[defaults]\ninterval = '1m'\n"));
    assert!(valid("[publish.statuspage]\npage = 'a'\ntoken = { env = 'T' }\n"));
    assert!(!valid("[[component.check]]\nhtp = 'https://desk.example/'\n"));
    assert!(!valid("[defaults]\ninterval = '1 parsec'\n"));
    assert!(!valid("interval = '1m'\n"));
    assert!(!valid("interval =\n"));
}
