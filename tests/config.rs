//! The configuration as its users meet it: what is accepted, what each mistake looks like, and
//! that the schema says what the reader does.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use farol::config::{
    CheckKind, Config, ConfigError, Overrides, SecretRef, SourceFile, load, parse, parse_with,
};
use proptest::prelude::*;

#[path = "config/in_step.rs"]
mod in_step;

const EXAMPLE: &str = include_str!("../probes/example.toml");

const MINIMAL: &str = r#"
[platform]
name = "Blip"
[[component]]
name = "Desk"
[[component.check]]
name = "Desk answers"
http = "https://desk.example/health"
"#;

/// The cases that are named for something else than one code.
const SEVERAL: [&str; 3] = ["clock", "five", "syntax_and_others"];

fn source(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.to_owned(), text: text.to_owned() }
}

fn parse_text(text: &str) -> Result<Config, ConfigError> {
    parse(&[source("probes/blip.toml", text)])
}

/// What a user without colours sees in a window of the usual width.
fn report(result: Result<Config, ConfigError>) -> String {
    result.expect_err("there is a mistake in it").render(false, 100)
}

fn codes(error: &ConfigError) -> BTreeSet<String> {
    error.problems().iter().map(|problem| problem.code()).collect()
}

/// The cases of `tests/mistakes`: a file for each code, named by it.
fn mistakes() -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

#[test]
fn the_example_is_valid_and_shows_every_kind() {
    let config = parse(&[source("probes/example.toml", EXAMPLE)])
        .unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let kind = |kind: &CheckKind| match kind {
        CheckKind::Http(_) => "http",
        CheckKind::Dns(_) => "dns",
        CheckKind::Tcp(_) => "tcp",
        CheckKind::Tls(_) => "tls",
        CheckKind::Login(_) => "login",
        CheckKind::Icmp(_) => "icmp",
        CheckKind::Grpc(_) => "grpc",
        CheckKind::Websocket(_) => "websocket",
        CheckKind::Clock(_) => "clock",
        CheckKind::Prober(_) => "prober",
    };
    let kinds: BTreeSet<&str> = config.checks().map(|(_, _, check)| kind(&check.kind)).collect();
    let all = ["clock", "dns", "grpc", "http", "icmp", "tcp", "tls", "websocket"];
    assert_eq!(kinds, BTreeSet::from(all));
    let secrets = ["AGENTS_TOKEN", "DESK_TOKEN"].map(|name| SecretRef::Env(name.to_owned()));
    assert_eq!(config.secret_refs(), BTreeSet::from(secrets));
    insta::assert_debug_snapshot!("example", config);
}

#[test]
fn the_policy_names_everything_once() {
    let config = parse(&[source("probes/example.toml", EXAMPLE)]).unwrap();
    insta::assert_debug_snapshot!("policy", config.policy());
}

#[test]
fn every_mistake_is_shown_with_its_place_and_its_remedy() {
    for (name, text) in mistakes() {
        let shown = report(parse_text(&text));
        // What stands for a secret in these files must be in no report.
        assert!(!shown.contains("hush"), "{name} shows a secret:\n{shown}");
        insta::assert_snapshot!(format!("mistake_{name}"), shown);
    }
}

#[test]
fn an_option_that_went_says_what_to_write_now() {
    let text = "[platform]\nname = \"Blip\"\n[publish.statuspage]\npage = \"abc123def456\"\n\
                token = { env = \"TOKEN\" }\nnotify = true\n";
    let shown = report(parse_text(text));
    assert!(shown.contains("mode = \"full\"") && shown.contains("[publish]"), "{shown}");
}

#[test]
fn five_mistakes_in_one_file_are_five_problems_each_with_its_line() {
    let text = mistakes().into_iter().find(|(name, _)| name == "five").unwrap().1;
    let error = parse_text(&text).unwrap_err();
    let lines: Vec<_> = error.problems().iter().map(|problem| problem.line()).collect();
    assert_eq!(lines, [Some(4), Some(7), Some(10), Some(15), Some(16)]);
    assert_eq!(codes(&error).len(), 5, "five of different kinds: {:?}", codes(&error));
}

/// Each file in `tests/mistakes` makes the mistake that it is named for, and each code that there
/// is has its case, there or among the paths below.
#[test]
fn every_code_has_a_case() {
    let mut covered = BTreeSet::new();
    for (name, text) in mistakes().into_iter().filter(|(name, _)| !SEVERAL.contains(&name.as_str()))
    {
        let code = format!("farol::config::{name}");
        let found = codes(&parse_text(&text).unwrap_err());
        assert_eq!(found, BTreeSet::from([code.clone()]), "{name}.toml makes one kind of mistake");
        covered.insert(code);
    }
    let of_paths =
        ["no_files", "not_found", "empty_directory", "unreadable", "too_large", "not_utf8"];
    let of_several_files = ["duplicate_prober", "unknown_override"];
    covered.extend(
        of_paths.iter().chain(&of_several_files).map(|name| format!("farol::config::{name}")),
    );
    let sources = [
        include_str!("../src/config/mistake.rs"),
        include_str!("../src/config/mistake/variables.rs"),
        include_str!("../src/config/mistake/wording.rs"),
    ];
    let all: BTreeSet<String> = sources
        .iter()
        .flat_map(|source| source.split("code(").skip(1))
        .map(|rest| rest.split(')').next().unwrap().to_owned())
        .collect();
    assert_eq!(covered, all);
}

#[test]
fn what_is_wrong_with_paths_is_told_beside_what_is_wrong_in_files() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    std::fs::create_dir(path("empty")).unwrap();
    std::fs::write(path("bad.toml"), MINIMAL.replace("https", "gopher")).unwrap();
    std::fs::write(path("binary.toml"), b"[platform]\nname = \"\xff\"\n").unwrap();
    std::fs::write(path("large.toml"), "#".repeat((1 << 20) + 1)).unwrap();
    let names =
        ["missing.toml", "empty", "bad.toml", "bad.toml/inside", "binary.toml", "large.toml"];
    let error = load(&names.map(path), &Overrides::default()).unwrap_err();
    let shown = error.render(false, 100).replace(dir.path().to_str().unwrap(), "DIR");
    insta::assert_snapshot!("paths", shown);
    assert_eq!(error.problems().len(), 6);
    insta::assert_snapshot!("no_paths", report(load(&[], &Overrides::default())));
}

#[test]
fn directories_give_their_files_in_order_and_no_file_twice() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["b.toml", "a.toml", ".hidden.toml", "notes.txt"] {
        let text = if name.ends_with("l") && !name.starts_with('.') { MINIMAL } else { "no" };
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    std::fs::create_dir(dir.path().join("c.toml")).unwrap();
    let config =
        load(&[dir.path().to_owned(), dir.path().join("b.toml")], &Overrides::default()).unwrap();
    let ids: Vec<&str> = config.platforms.iter().map(|platform| platform.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
}

#[test]
fn two_files_with_one_id_are_both_pointed_at() {
    let named = MINIMAL.replace("name = \"Blip\"", "name = \"Blip\"\nid = \"blip\"");
    let files = [source("probes/blip.toml", MINIMAL), source("probes/other.toml", &named)];
    insta::assert_snapshot!("duplicate_platform", report(parse(&files)));
}

const VARIABLES: &str = r#"
[variables]
desk = "https://desk.example"
wait = "5s"
title = "Desk"
[platform]
name = "Blip"
[defaults]
timeout = "${wait}"
[[component]]
name = "${title}"
[[component.check]]
name = "${title} answers"
http = { url = "${desk}/health", contains = ["${title}: $${title}", "costs $5"], json = { path = "$.x" } }
"#;

fn with(values: &[(&str, &str)], text: &str) -> Result<Config, ConfigError> {
    let mut overrides = Overrides::default();
    values.iter().for_each(|(name, value)| overrides.set(*name, *value));
    parse_with(&[source("probes/blip.toml", text)], &overrides)
}

#[test]
fn variables_stand_in_any_text_and_can_be_replaced() {
    let asked = |config: &Config| {
        let (_, component, check) = config.checks().next().unwrap();
        let CheckKind::Http(http) = &check.kind else { panic!("it is HTTP") };
        let url = http.url.to_string();
        (component.name.clone(), check.name.clone(), url, check.timeout.to_string())
    };
    let told = |name: &str, url: &str, wait: &str| {
        (name.to_owned(), format!("{name} answers"), url.to_owned(), wait.to_owned())
    };
    let config = with(&[], VARIABLES).unwrap();
    assert_eq!(asked(&config), told("Desk", "https://desk.example/health", "5s"));
    assert!(format!("{config:?}").contains("Desk: ${title}"), "{config:?}");
    let values = [("desk", "http://127.0.0.1:8080"), ("title", "Pult")];
    let config = with(&values, VARIABLES).unwrap();
    assert_eq!(asked(&config), told("Pult", "http://127.0.0.1:8080/health", "5s"));

    let environment = [("FAROL_VAR_WAIT", "2s"), ("FAROL_VAR_ELSEWHERE", "x"), ("WAIT", "3s")];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut overrides = Overrides::of_environment(environment);
    let file = [source("probes/blip.toml", VARIABLES)];
    assert_eq!(asked(&parse_with(&file, &overrides).unwrap()).3, "2s");
    overrides.set("wait", "1s");
    assert_eq!(asked(&parse_with(&file, &overrides).unwrap()).3, "1s");
}

#[test]
fn what_is_wrong_with_variables_and_with_what_they_fill_is_told_where_it_is_written() {
    let error = with(&[("tilte", "Pult")], VARIABLES).unwrap_err();
    insta::assert_snapshot!("unknown_override", error.render(false, 100));
    // A value that does not fit where it is used is pointed at there, and once in each place.
    let error = with(&[("wait", "soon")], VARIABLES).unwrap_err();
    insta::assert_snapshot!("value_that_does_not_fit", error.render(false, 100));
    // What is wrong with a variable itself is told once, and not again wherever it is used.
    for (value, code) in [("'${desk}'", "invalid_text"), ("5", "wrong_type")] {
        let text = VARIABLES.replace("\"5s\"", value);
        let error = parse_text(&text).unwrap_err();
        let code = format!("farol::config::{code}");
        let found: Vec<_> = error.problems().iter().map(|one| (one.code(), one.line())).collect();
        assert_eq!(found, [(code, Some(4))], "{value}");
    }
    let text = VARIABLES.replace("wait = ", "api_token = 'hush'\nwait = ");
    let shown = report(parse_text(&text));
    assert!(shown.contains("plain_secret") && !shown.contains("hush"), "{shown}");
    // Mistakes after a value that is longer or shorter are still where they were.
    let text = VARIABLES.replace("path = \"$.x\"", "pth = \"$.x\"");
    let lines = |values: &[(&str, &str)]| {
        let error = with(values, &text).unwrap_err();
        error.problems().iter().map(|one| one.line()).collect::<Vec<_>>()
    };
    assert_eq!(lines(&[]), [Some(14)]);
    assert_eq!(lines(&[("title", &"x".repeat(100))]), [Some(14)]);
}

#[test]
fn the_file_about_the_prober_has_variables_too() {
    let text = PROBER
        .replace("https://www.example.org/", "${site}")
        .replace("[prober]", "[variables]\nsite = 'https://www.example.org/'\n[prober]");
    assert_eq!(parse_text(&text).unwrap().prober.references.len(), 2);
}

const PROBER: &str = r#"
[prober]
ntp = ["ntp1.example.net", "192.0.2.7:1123"]
max_clock_error = "500ms"
confirm_after = "3s"
second_resolvers = ["192.0.2.54"]
heartbeat = { url = { env = "HEARTBEAT_URL" }, interval = "2m" }
[[reference]]
name = "A public site"
http = "https://www.example.org/"
[[reference]]
name = "The office"
icmp = "203.0.113.9"
interval = "1m"
timeout = "2s"
"#;

#[test]
fn a_file_about_the_prober_stands_beside_those_about_platforms() {
    let config = parse(&[source("blip.toml", MINIMAL), source("us.toml", PROBER)])
        .unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    assert_eq!(config.platforms.len(), 1);
    let mut ids: Vec<&str> = config.every_check().map(|check| check.id.as_str()).collect();
    assert_eq!(ids.remove(0), "blip/desk/desk-answers");
    let own = [
        "reference/a-public-site",
        "reference/the-office",
        "time/ntp1-example-net",
        "time/192-0-2-7-1123",
    ];
    assert_eq!(ids, own.map(|id| format!("prober/{id}")));
    let policy = config.policy();
    assert_eq!((policy.checks.len(), policy.prober.references.len()), (1, 4));
    assert_eq!(config.secret_refs(), BTreeSet::from([SecretRef::Env("HEARTBEAT_URL".to_owned())]));
    insta::assert_debug_snapshot!("prober", config.prober);
    // References that can outvote each other need no others, and neither do none at all.
    for text in [
        PROBER.replace("[prober]", "[prober]\nfind_references = false"),
        "[prober]\nfind_references = false\n".to_owned(),
    ] {
        assert!(!parse_text(&text).unwrap().prober.find_references);
    }
}

#[test]
fn two_files_about_the_prober_are_both_pointed_at() {
    let files = [source("probes/a.toml", PROBER), source("probes/b.toml", "[prober]\n")];
    let error = parse(&files).unwrap_err();
    assert_eq!(codes(&error), BTreeSet::from(["farol::config::duplicate_prober".to_owned()]));
    insta::assert_snapshot!("duplicate_prober", report(parse(&files)));
}

/// The served routes are `src/serve.rs`'s; what is below one of them is not a platform's.
#[test]
fn no_platform_hides_behind_what_farol_serves() {
    let routes = include_str!("../src/serve.rs").split(".route(\"/").skip(1);
    let served: BTreeSet<&str> = routes
        .map(|rest| rest.split(['"', '/']).next().unwrap())
        .filter(|first| !first.is_empty() && !first.contains(['{', '.']))
        .collect();
    assert!(served.contains("metrics") && served.contains("v1"), "{served:?}");
    for id in served.into_iter().chain(["prober"]) {
        let error = parse(&[source(&format!("probes/{id}.toml"), MINIMAL)]).unwrap_err();
        assert_eq!(codes(&error), BTreeSet::from(["farol::config::reserved_id".to_owned()]));
    }
}

#[test]
fn a_contradiction_between_defaults_is_told_once() {
    let defaults = "[defaults]\ninterval = '1s'\nconfirm_interval = '2s'\ntimeout = '1s'\n\
                    degraded_over = '1s'\n";
    let error = parse_text(&format!("{defaults}{MINIMAL}")).unwrap_err();
    let lines: Vec<_> = error.problems().iter().map(|problem| problem.line()).collect();
    assert_eq!(lines, [Some(3), Some(5)]);
}

#[test]
fn an_inherited_confirm_interval_gives_way_to_a_shorter_interval() {
    let text = format!("[defaults]\nconfirm_interval = '10s'\n{MINIMAL}interval = '2s'\n");
    let config = parse_text(&text).unwrap();
    let (_, _, check) = config.checks().next().unwrap();
    assert_eq!(check.confirm_interval, check.interval);
    // Its own does not: then one of the two is a mistake.
    let text = format!("[defaults]\ninterval = '2s'\n{MINIMAL}confirm_interval = '10s'\n");
    assert!(codes(&parse_text(&text).unwrap_err()).contains("farol::config::contradiction"));
}

#[test]
fn versions_that_could_never_pass_are_a_contradiction() {
    let with = |versions: &str| {
        let kind = format!("tls = {{ address = 'desk.example:443', {versions} }}");
        parse_text(&MINIMAL.replace("http = \"https://desk.example/health\"", &kind))
    };
    let error = with("min_version = '1.3', versions = '1.2'").unwrap_err();
    assert_eq!(codes(&error), BTreeSet::from(["farol::config::contradiction".to_owned()]));
    assert!(with("min_version = '1.2', versions = ['1.2', '1.3']").is_ok());
}

#[test]
fn a_script_has_at_most_so_many_steps() {
    let with = |steps: usize| {
        let script = "{ send = 'x' }, ".repeat(steps);
        let kind = format!("tcp = {{ address = 'desk.example:1', script = [{script}] }}");
        parse_text(&MINIMAL.replace("http = \"https://desk.example/health\"", &kind))
    };
    assert!(with(64).is_ok());
    assert_eq!(
        codes(&with(65).unwrap_err()),
        BTreeSet::from(["farol::config::out_of_range".to_owned()])
    );
}

#[test]
fn a_check_cannot_be_slow_only_after_its_timeout() {
    let text = format!("[defaults]\ndegraded_over = '2s'\n{MINIMAL}timeout = '1s'\n");
    let error = parse_text(&text).unwrap_err();
    assert_eq!(codes(&error), BTreeSet::from(["farol::config::contradiction".to_owned()]));
}

#[test]
fn broken_syntax_makes_no_echoes() {
    // The header's bracket is missing, so all that follows it seems to be [platform]'s.
    let text = MINIMAL.replace("[[component]]", "[[component");
    let error = parse_text(&text).unwrap_err();
    assert_eq!(codes(&error), BTreeSet::from(["farol::config::syntax".to_owned()]));
}

#[test]
fn secrets_stay_hidden_on_broken_lines_and_under_misspelt_keys() {
    for line in [
        "token = \"hush",
        "token = hush",
        "token: \"hush\"",
        "token = { env = 'T' }\ntoken = \"hush\"",
        "tokn = \"hush\"",
        "api_token = \"hush\"",
    ] {
        let text = format!("[publish.statuspage]\npage = \"a\"\n{line}\n{MINIMAL}");
        let shown = report(parse_text(&text));
        assert!(!shown.contains("hush"), "{shown}");
    }
}

#[test]
fn empty_lists_are_no_components_and_no_checks() {
    let error = parse_text("component = []\n[platform]\nname = 'Blip'\n").unwrap_err();
    assert_eq!(codes(&error), BTreeSet::from(["farol::config::empty_platform".to_owned()]));
    let text = "[platform]\nname = 'Blip'\n[[component]]\nname = 'Desk'\ncheck = []\n";
    let error = parse_text(text).unwrap_err();
    assert_eq!(codes(&error), BTreeSet::from(["farol::config::no_checks".to_owned()]));
}

#[test]
fn a_line_that_no_window_holds_is_not_drawn() {
    let long = MINIMAL.replace("https", &"x".repeat(5000));
    let shown = report(parse_text(&long));
    assert!(shown.contains("probes/blip.toml, line 8: "), "{shown}");
    assert!(shown.len() < 1000, "{shown}");
}

#[test]
fn nothing_in_a_file_commands_the_terminal() {
    let shown = report(parse_text(&format!("# \u{1b}[2J\n{MINIMAL}interval = \"\u{1b}]0;\"")));
    assert!(!shown.contains('\u{1b}'), "{shown:?}");
}

/// The example with a few of its bytes cut out, doubled or replaced.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (0..EXAMPLE.len(), 0..40_usize, "(\\PC|[\\[\\]{}=\"'\n.,]){0,6}");
    proptest::collection::vec(edit, 1..6).prop_map(|edits| {
        let mut text: Vec<char> = EXAMPLE.chars().collect();
        for (at, cut, put) in edits {
            let at = at.min(text.len());
            let end = (at + cut).min(text.len());
            text.splice(at..end, put.chars());
        }
        text.into_iter().collect()
    })
}

/// Whatever the text is: a plan, or problems that can be drawn and have a code and a remedy.
fn is_answered(text: &str) {
    if let Err(error) = parse_text(text) {
        assert!(!error.problems().is_empty());
        assert!(!error.render(false, 80).is_empty());
        for problem in error.problems() {
            assert!(problem.code().starts_with("farol::config::"), "{problem:?}");
            assert!(!problem.help().is_empty(), "{problem:?}");
            assert!(problem.line().is_some(), "{problem:?}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_is_too_strange(text in "(\\PC|\\s|[\\[\\]{}=\"'#.,]){0,300}") {
        is_answered(&text);
    }

    #[test]
    fn no_mutation_is_too_strange(text in mutated()) {
        is_answered(&text);
    }
}
