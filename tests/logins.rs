//! The examples of logins are valid, and each short form is what its example says it is short for.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use farol::config::{
    Action, CheckKind, LoginCheck, LoginStep, PostBody, SourceFile, parse, schema,
};

/// What stands before the steps that a short form is short for, each line of which is a comment.
const WRITTEN_OUT: &str = "# The same, written out:\n#\n";

fn examples() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("probes/logins");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The logins of a file, in order.
fn logins(text: &str) -> Vec<LoginCheck> {
    let source = SourceFile { name: "logins.toml".to_owned(), text: text.to_owned() };
    let config = parse(&[source]).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let logins = config.checks().map(|(_, _, check)| match &check.kind {
        CheckKind::Login(login) => (**login).clone(),
        other => panic!("not a login: {other:?}"),
    });
    logins.collect()
}

/// The steps in full. In which order fields are sent does not matter, and a file has none.
fn told(steps: &[LoginStep]) -> String {
    let sorted = |step: &LoginStep| {
        let mut step = step.clone();
        match &mut step.action {
            Action::Get { query: fields, .. }
            | Action::Submit { fields, .. }
            | Action::Post { body: PostBody::Form(fields), .. } => {
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            }
            Action::Post { .. } | Action::Look | Action::Sleep(_) | Action::Totp(_) => {}
        }
        format!("{step:#?}")
    };
    steps.iter().map(sorted).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_short_form_is_what_it_says_it_is_short_for() {
    let mut compared = 0;
    for path in examples() {
        let text = std::fs::read_to_string(&path).unwrap();
        let short = logins(&text);
        let [short] = short.as_slice() else { panic!("{}: one login", path.display()) };
        let Some((before, comments)) = text.split_once(WRITTEN_OUT) else { continue };
        let long: String = comments
            .lines()
            .map(|line| line.strip_prefix("# ").unwrap().to_owned() + "\n")
            .collect();
        let both = logins(&format!("{before}{long}"));
        let [_, long] = both.as_slice() else { panic!("{}: two logins", path.display()) };
        let expanded = short.steps.get(..long.steps.len()).unwrap();
        assert_same(&path, &told(expanded), &told(&long.steps));
        compared += 1;
    }
    assert_eq!(compared, 5);
}

/// Says the first line that differs: whole steps are long.
fn assert_same(path: &Path, short: &str, long: &str) {
    let differs = short.lines().zip(long.lines()).find(|(short, long)| short != long);
    assert!(short == long, "{}: {differs:?}\n{short}\n\n{long}", path.display());
}

/// `oidc` and its like; a table's keys beside these are not.
#[test]
fn every_short_form_has_an_example() {
    let login = "/properties/component/items/properties/check/items/properties/login/properties";
    let login = schema().pointer(login).unwrap().as_object().unwrap().clone();
    let is_short = |about: &serde_json::Value| about.as_str().unwrap().starts_with("Short for: ");
    let short: BTreeSet<&str> = login
        .iter()
        .filter(|(_, schema)| is_short(&schema["description"]))
        .map(|(key, _)| key.as_str())
        .collect();
    assert!(short.len() >= 6, "{short:?}");
    let all: String =
        examples().iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    for key in short {
        let table = format!("[component.check.login.{key}]\n");
        let inline = format!("\n{key} = ");
        assert!(all.contains(&table) || all.contains(&inline), "no example of `{key}`");
    }
}

#[test]
fn basic_goes_with_every_request_to_the_entry_host_and_no_other() {
    let logins = logins(
        "[platform]\nname = 'Blip'\n[[component]]\nname = 'Desk'\n[[component.check]]\nname = 'a'\n\
         [component.check.login]\nurl = 'https://a.example/x'\nbasic = true\n\
         account = { user = 'me', password = { env = 'P' } }\n\
         steps = [{ get = '/y' }, { get = 'https://a.example/z', extract = { id = { json = '$' } } }, \
         { post = '/{{id}}' }, { get = 'https://b.example/' }, { get = '//b.example/{{id}}' }, \
         { get = '{{id}}' }, { get = '/own', headers = { Authorization = 'Bearer {{id}}' } }]\n",
    );
    let shown: Vec<bool> =
        logins[0].steps.iter().map(|step| format!("{step:?}").contains("Basic")).collect();
    assert_eq!(shown, [true, true, true, true, false, false, false, false]);
}
