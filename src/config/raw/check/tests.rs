//! A check with a matrix, from its text to the plan.

use std::collections::BTreeSet;

use crate::config::{CheckKind, Config, ConfigError, SecretRef, SourceFile, parse};

const MINIMAL: &str = r#"
[platform]
name = "Blip"
[[component]]
name = "Desk"
[[component.check]]
name = "Desk answers"
http = "https://desk.example/health"
"#;

fn parse_text(text: &str) -> Result<Config, ConfigError> {
    parse(&[SourceFile { name: "probes/blip.toml".to_owned(), text: text.to_owned() }])
}

#[test]
fn a_matrix_fills_in_whatever_is_asked_before_it_is_read() {
    let text = r#"
        [platform]
        name = "Blip"
        [[component]]
        name = "Desk"
        [[component.check]]
        name = "Desk answers"
        matrix = { tenant = ["acme", "globex"], port = ["80", "8080"] }
        major_when = "50%"
        [component.check.http]
        url = "http://{{matrix.tenant}}.desk.example:{{ matrix.port }}/"
        headers = { Authorization = { env = "TOKEN_OF_{{matrix.tenant}}" } }
        [[component.check]]
        name = "Mail greets"
        matrix = { tenant = ["acme"] }
        tcp = { address = "mail.example:25", script = [
            { expect = '^(?<code>\d+) ' }, { send = "{{code}} {{matrix.tenant}}" },
        ] }
    "#;
    let config = parse_text(text).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let (_, _, check) = config.checks().next().unwrap();
    let urls = check.variants.iter().filter_map(|(name, variant)| {
        let CheckKind::Http(http) = &variant.kind else { return None };
        Some(format!("{name}: {}", http.url))
    });
    let expected = [
        "port=80,tenant=acme: http://acme.desk.example/",
        "port=80,tenant=globex: http://globex.desk.example/",
        "port=8080,tenant=acme: http://acme.desk.example:8080/",
        "port=8080,tenant=globex: http://globex.desk.example:8080/",
    ];
    assert_eq!(urls.collect::<Vec<_>>(), expected);
    let tokens = ["TOKEN_OF_acme", "TOKEN_OF_globex"].map(|name| SecretRef::Env(name.to_owned()));
    assert_eq!(config.secret_refs(), BTreeSet::from(tokens));
    let policy = config.policy();
    let variants = policy.checks[&check.id].variants.iter().map(ToString::to_string);
    assert!(variants.eq([
        "port=80,tenant=acme",
        "port=80,tenant=globex",
        "port=8080,tenant=acme",
        "port=8080,tenant=globex"
    ]));
    let ids: BTreeSet<String> = check.variants.iter().map(|(_, it)| it.id.to_string()).collect();
    assert_eq!(ids.len(), 4, "what is remembered of one is not remembered of all: {ids:?}");
}

#[test]
fn what_is_wrong_in_several_variants_is_told_once() {
    let told = |check: &str| {
        let text = MINIMAL.replace("http = \"https://desk.example/health\"", check);
        let error = parse_text(&text).unwrap_err();
        let all = error.problems().iter();
        all.map(|it| format!("{}: {}", it.line().unwrap(), it.code())).collect::<Vec<_>>()
    };
    let check = "matrix = { tenant = ['a', 'b', 'c d', 'e f'] }\n\
                 [component.check.http]\n\
                 url = 'https://{{matrix.tenant}}.example/'\n\
                 matches = '['\n\
                 maxredirects = 3";
    let each = ["10: invalid_url", "11: invalid_pattern", "12: unknown_key"];
    assert_eq!(told(check), each.map(|it| it.replace(": ", ": farol::config::")));
    // What only one of them makes, and only when they are weighed.
    let check = "matrix = { host = ['192.0.2.1', 'desk.example', '192.0.2.2'] }\n\
                 min_addresses = 2\n\
                 http = 'https://{{matrix.host}}/'";
    assert_eq!(told(check), ["9: farol::config::counts_no_addresses"]);
    // Where the matrix itself is wrong, nothing is said of what it would have filled in.
    let check = "matrix = { host = [] }\nhttp = 'https://{{matrix.host}}/'";
    assert_eq!(told(check), ["8: farol::config::out_of_range"]);
}
