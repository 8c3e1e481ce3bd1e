//! The schema and the reader accept the same keys, the same files and the same defaults.

use std::collections::BTreeSet;

use farol::config::schema;
use serde_json::Value;

use super::{EXAMPLE, PROBER, mistakes, parse_text};

fn validator() -> jsonschema::Validator {
    let schema = schema();
    assert!(jsonschema::meta::is_valid(&schema));
    jsonschema::draft202012::new(&schema).unwrap()
}

fn json(text: &str) -> Value {
    toml::from_str(text).unwrap()
}

/// Every object of the schema that has a fixed set of keys, by its place.
fn tables(schema: &Value, place: &str, found: &mut Vec<(String, BTreeSet<String>)>) {
    if let Some(keys) = schema.get("properties").and_then(Value::as_object) {
        assert_eq!(schema["additionalProperties"], Value::Bool(false), "{place}");
        found.push((place.to_owned(), keys.keys().cloned().collect()));
        for (key, schema) in keys {
            tables(schema, format!("{place}.{key}").trim_start_matches('.'), found);
        }
    }
    for part in ["items", "additionalProperties"] {
        schema.get(part).into_iter().for_each(|schema| tables(schema, place, found));
    }
    for schema in schema.get("anyOf").and_then(Value::as_array).into_iter().flatten() {
        tables(schema, place, found);
    }
}

/// A table whose keys are the user's own has one.
fn named(parent: &str, key: &str) -> String {
    let own = ["headers", "metadata", "expect_headers", "query", "fields", "extract", "cookies"];
    // That of a step is; that of a short form is a table like others.
    let own = own.contains(&key) || key == "form" && parent.ends_with("steps");
    if own { format!("{key}.any") } else { key.to_owned() }
}

/// The header of the table at `place`, below that of each list that it is in.
fn header(place: &str) -> String {
    let (mut path, mut lists) = (String::new(), String::new());
    for key in place.split('.') {
        path = format!("{path}.{}", named(&path, key)).trim_start_matches('.').to_owned();
        if matches!(key, "steps" | "accounts") {
            lists.push_str(&format!("[[{path}]]\n"));
        }
    }
    if lists.ends_with(&format!("[[{path}]]\n")) { lists } else { format!("{lists}[{path}]\n") }
}

/// A file with a key `zzz` in the table at `place`, which nobody knows anywhere.
fn with_unknown_key(place: &str) -> String {
    // A reference is asked as a check is.
    if let Some(inner) = place.strip_prefix("reference") {
        let check = with_unknown_key(&format!("component.check{inner}"));
        return check.replace("[[component]]\n", "").replace("component.check", "reference");
    }
    let (parents, key) = place.rsplit_once('.').unwrap_or(("", place));
    let zzz = |key: &str| match key {
        list @ ("script" | "steps" | "accounts" | "maintenance") => {
            format!("{list} = [{{ zzz = 1 }}]\n")
        }
        key => format!("{key} = {{ zzz = 1 }}\n"),
    };
    match (parents, key) {
        ("", "") => "zzz = 1\n".to_owned(),
        ("", "component") => "[[component]]\nzzz = 1\n".to_owned(),
        ("component", "check") => "[[component]]\n[[component.check]]\nzzz = 1\n".to_owned(),
        (parents, key) if parents.starts_with("component.check") => {
            let inner = parents.strip_prefix("component.check").unwrap();
            let table = header(&format!("component.check{inner}"));
            let table = if inner.is_empty() { String::new() } else { table };
            format!("[[component]]\n[[component.check]]\n{table}{}", zzz(&named(parents, key)))
        }
        ("", key) => zzz(key),
        (parents, key) => format!("[{parents}]\n{}", zzz(key)),
    }
}

/// The keys that the reader knows where an unknown one stands.
fn known_in(text: &str) -> BTreeSet<String> {
    let error = parse_text(text).unwrap_err();
    let helps = error.problems().iter().filter(|p| p.code().ends_with("unknown_key"));
    let helps: Vec<String> = helps.map(|problem| problem.help()).collect();
    assert_eq!(helps.len(), 1, "one unknown key in\n{text}: {helps:?}");
    let help = helps.concat();
    help.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_reader_knows_the_schemas_keys_and_no_others() {
    let mut found = Vec::new();
    tables(&schema(), "", &mut found);
    assert!(found.len() > 40, "tables of the schema: {found:#?}");
    for (place, keys) in found {
        let text = with_unknown_key(&place);
        let mut known = known_in(&text);
        if place.is_empty() {
            // There are two sorts of files, with keys of their own.
            known.extend(known_in(&format!("{text}[prober]\n")));
        }
        assert_eq!(known, keys, "in the table `{place}`");
    }
}

#[test]
fn the_examples_fit_the_schema() {
    for example in [EXAMPLE, PROBER] {
        let (validator, example) = (validator(), json(example));
        let errors: Vec<String> =
            validator.iter_errors(&example).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
    }
}

/// Mistakes that a schema can see, it sees.
#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let validator = validator();
    for (name, text) in mistakes() {
        // Not even TOML; or a matter between two settings, or of what a text means.
        let beyond = "syntax syntax_and_others contradiction proxy_resolves script_twice tls_twice \
            words words_say no_tls without_effect unknown_capture unknown_variable unused_variable unset_variable invalid_name \
            no_answer_yet open_variable secret_in_url looks_for_nothing duplicate_name no_steps \
            head_has_no_body counts_no_addresses invalid_selector absent_and_more no_id \
            reserved_id duplicate_id duplicate_page_id no_page_id invalid_template \
            duplicate_header invalid_text unknown_word invalid_pattern url_credentials \
            invalid_domain invalid_record invalid_header reserved_header url_path \
            plain_secret out_of_range invalid_duration too_few_references \
            reference_to_ourselves dependency_cycle unknown_component invalid_moment \
            ends_before_start invalid_recurrence";
        if !beyond.split(' ').any(|beyond| beyond == name) {
            assert!(!validator.is_valid(&json(&text)), "{name}.toml fits the schema");
        }
    }
}

/// The defaults of the keys that stand in the schema at `pointer`, as a user would write them.
fn written(pointer: &str) -> String {
    let schema = schema();
    let keys = schema.pointer(pointer).and_then(Value::as_object).expect("a table's keys");
    let lines: Vec<String> = keys
        .iter()
        .filter_map(|(key, schema)| Some(format!("{key} = {}\n", schema.get("default")?)))
        .collect();
    assert!(!lines.is_empty(), "{pointer}");
    lines.concat()
}

fn parsed(text: &str) -> String {
    format!("{:#?}", parse_text(text).expect("what the schema says of it"))
}

/// Every default that the schema tells of, written out, changes nothing.
#[test]
fn defaults_are_what_the_schema_says() {
    let check = "/properties/component/items/properties/check/items/properties";
    let of_kind = |kind: &str| written(&format!("{check}/{kind}/anyOf/1/properties"));
    let text = |platform: &str, statuspage: &str, check: &str, kinds: [&str; 8]| {
        let [http, dns, tcp, tls, icmp, grpc, websocket, clock] = kinds;
        format!(
            "[platform]\nname = 'Blip'\n{platform}\
             [publish.statuspage]\npage = 'a'\ntoken = {{ env = 'T' }}\n{statuspage}\
             [[component]]\nname = 'Desk'\nstatuspage_id = 'b'\n\
             [[component.check]]\nname = 'h'\n{check}\
             [component.check.http]\nurl = 'https://desk.example'\n{http}\
             [[component.check]]\nname = 'd'\ndns.name = 'desk.example'\n{dns}\
             [[component.check]]\nname = 't'\n\
             [component.check.tcp]\naddress = 'desk.example:1'\n{tcp}\
             [[component.check]]\nname = 's'\n\
             [component.check.tls]\naddress = 'desk.example:443'\n{tls}\
             [[component.check]]\nname = 'i'\n\
             [component.check.icmp]\nhost = 'desk.example'\n{icmp}\
             [[component.check]]\nname = 'g'\n\
             [component.check.grpc]\nurl = 'https://desk.example'\n{grpc}\
             [[component.check]]\nname = 'w'\n\
             [component.check.websocket]\nurl = 'wss://desk.example'\n{websocket}\
             [[component.check]]\nname = 'c'\n\
             [component.check.clock]\nurl = 'https://desk.example'\n{clock}"
        )
    };
    let dns = of_kind("dns").lines().map(|line| format!("dns.{line}\n")).collect::<String>();
    let full = text(
        &written("/properties/platform/properties"),
        &written("/properties/publish/properties/statuspage/properties"),
        &written(check),
        [
            &of_kind("http"),
            &dns,
            &of_kind("tcp"),
            &of_kind("tls"),
            &of_kind("icmp"),
            &of_kind("grpc"),
            &of_kind("websocket"),
            &of_kind("clock"),
        ],
    );
    let short = text("", "", "", [""; 8]);
    assert_ne!(full, short);
    assert_eq!(parsed(&full), parsed(&short));
}

#[test]
fn defaults_of_the_prober_are_what_the_schema_says() {
    let prober = written("/properties/prober/properties");
    assert_eq!(parsed(&format!("[prober]\n{prober}")), parsed("[prober]\n"));
    let beat = written("/properties/prober/properties/heartbeat/properties");
    let with = |beat: &str| format!("[prober.heartbeat]\nurl = 'https://beat.example/1'\n{beat}");
    assert_eq!(parsed(&with(&beat)), parsed(&with("")));
}
