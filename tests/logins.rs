//! The examples of logins are valid, and each short form is what its example says it is short for.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use farol::config::{
    Action, Check, CheckKind, LoginCheck, LoginStep, PostBody, SecretRef, SourceFile, parse, schema,
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
    let config = parse(&[source]).map_err(|error| error.render(false, 100)).unwrap();
    let login = |check: &Check| {
        if let CheckKind::Login(login) = &check.kind { Some((**login).clone()) } else { None }
    };
    config.checks().filter_map(|(_, _, check)| login(check)).collect()
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

/// A file with one login check that has these keys.
fn file(check: &str, login: &str) -> String {
    format!(
        "[platform]\nname = 'Blip'\n[[component]]\nname = 'Desk'\n[[component.check]]\nname = 'a'\n\
         {check}[component.check.login]\nurl = 'https://desk.example'\n{login}\n"
    )
}

/// The codes of what is wrong in a file, and the lines.
fn mistakes(text: &str) -> Vec<(String, Option<usize>)> {
    let source = SourceFile { name: "logins.toml".to_owned(), text: text.to_owned() };
    let found = parse(&[source]).err();
    let problems = found.iter().flat_map(|error| error.problems());
    let code = |code: String| code.replace("farol::config::", "");
    problems.map(|problem| (code(problem.code()), problem.line())).collect()
}

#[test]
fn steps_are_slow_and_wait_only_within_the_timeout() {
    let contradiction = |line| vec![("contradiction".to_owned(), Some(line))];
    let slow = "steps = [{ get = '/', degraded_over = '10s' }]";
    assert_eq!(mistakes(&file("", slow)), contradiction(9), "the timeout is 10 s by default");
    assert_eq!(mistakes(&file("timeout = '11s'\n", slow)), []);
    let waits = "steps = [{ sleep = '6s' },\n{ sleep = '4s' }]";
    assert_eq!(mistakes(&file("", waits)), contradiction(10), "all pauses together");
    assert_eq!(mistakes(&file("timeout = '11s'\n", waits)), []);
}

#[test]
fn steps_and_accounts_are_bounded() {
    let out_of_range = vec![("out_of_range".to_owned(), Some(9))];
    let steps = |count| file("", &format!("steps = [{}]", "{ get = '/' }, ".repeat(count)));
    assert_eq!(mistakes(&steps(50)), []);
    assert_eq!(mistakes(&steps(51)), out_of_range);
    let accounts = |count| {
        let account = |n| format!("{{ user = 'u{n}', password = {{ env = 'P' }} }}, ");
        let all: String = (0..count).map(account).collect();
        file("", &format!("accounts = [{all}]\nform_login = {{}}"))
    };
    assert_eq!(mistakes(&accounts(20)), []);
    assert_eq!(mistakes(&accounts(21)), out_of_range);
    assert_eq!(mistakes(&accounts(0)), out_of_range);
}

#[test]
fn what_a_short_form_needs_is_missed_once() {
    for short in ["form_login = {}", "basic = true", "saml = {}"] {
        let missing = vec![("missing_key".to_owned(), Some(9))];
        assert_eq!(mistakes(&file("", short)), missing, "{short} without an account");
    }
    let account = "account = { user = 'me', password = { env = 'P' } }\n";
    let totp = format!("{account}form_login = {{ totp_field = 'otp' }}");
    assert_eq!(mistakes(&file("", &totp)), [("unset_variable".to_owned(), Some(10))]);
    let two = format!("{account}form_login = {{}}\nbasic = true");
    assert_eq!(mistakes(&file("", &two)), [("several_of".to_owned(), Some(10))]);
    let both = format!("{account}accounts = []\nform_login = {{}}");
    assert_eq!(mistakes(&file("", &both)), [("several_of".to_owned(), Some(9))]);
}

#[test]
fn steps_are_named_by_what_they_do_and_no_two_alike() {
    let text = "steps = [{ get = '/a' }, { get = '/a' }, { submit = 'form' }, { sleep = '2s' },\
                { name = 'get /b', look = true, contains = 'x' }, { get = '/b' }]";
    let steps = logins(&file("", text)).remove(0).steps;
    let names: Vec<&str> = steps.iter().map(|step| &*step.name).collect();
    assert_eq!(names, ["get /a", "get /a (2)", "submit form", "sleep 2s", "get /b", "get /b (2)"]);
}

#[test]
fn a_password_that_is_sent_may_be_rejected() {
    let text = "account = { user = 'me', password = { env = 'P' } }\n\
                steps = [{ get = '/' }, { submit = 'form', fields = { p = '{{password}}' } },\
                { post = '/', json_body = { p = ['{{password}}'] } },\
                { post = '/', form = { p = '{{password}}' }, rejected = { contains = 'no' } }]";
    let steps = logins(&file("", text)).remove(0).steps;
    let told: Vec<_> = steps.iter().map(|step| step.rejected.as_ref()).collect();
    let [None, Some(form), Some(json), Some(own)] = told.as_slice() else { panic!("{told:?}") };
    assert!(form.status.contains(401) && form.status.contains(403) && form.html.len() == 1);
    assert!(json.status.contains(401) && json.html.is_empty());
    assert!(own.status.0.is_empty() && own.contains == ["no"]);

    let short = |keys: &str| {
        file("", &format!("account = {{ user = 'me', password = {{ env = 'P' }} }}\n{keys}"))
    };
    for (keys, step) in [
        ("form_login = { rejected = { contains = 'no' } }", 1),
        ("saml = { rejected = { contains = 'no' } }", 1),
        (
            "oidc = { issuer = 'https://id.test', client_id = 'c', redirect_uri = \
             'https://desk.test/', form = { rejected = { contains = 'no' } } }",
            2,
        ),
    ] {
        let rejected = logins(&short(keys)).remove(0).steps[step].rejected.clone().unwrap();
        assert!(rejected.status.0.is_empty() && rejected.contains == ["no"], "{keys}");
    }
    let none = vec![("none_of".to_owned(), Some(10))];
    assert_eq!(mistakes(&short("form_login = { rejected = {} }")), none);
}

#[test]
fn every_secret_of_a_login_is_known_before_it_runs() {
    let text = "accounts = [{ label = 'a', user = { env = 'A' }, password = { env = 'B' }, totp = { env = 'C' } }]\n\
                steps = [{ get = '/', headers = { X-Key = { env = 'D' } } },\
                { post = '/', form = { key = { env = 'E', prefix = 'k-' } } }, { totp = { env = 'F' } }]";
    let source = SourceFile { name: "logins.toml".to_owned(), text: file("", text) };
    let refs = parse(&[source]).unwrap().secret_refs();
    let all = ["A", "B", "C", "D", "E", "F"].map(|name| SecretRef::Env(name.to_owned()));
    assert_eq!(refs, BTreeSet::from(all));
    let client = std::fs::read_to_string(examples().remove(1)).unwrap();
    let source = SourceFile { name: "logins.toml".to_owned(), text: client };
    let partner = SecretRef::Env("PARTNER_SECRET".to_owned());
    assert_eq!(parse(&[source]).unwrap().secret_refs(), BTreeSet::from([partner]));
}

/// Every default that the schema tells of, written out, changes nothing.
#[test]
fn defaults_are_what_the_schema_says() {
    let schema = schema();
    let written = |part: &str| -> String {
        let check = "/properties/component/items/properties/check/items/properties";
        let keys = schema.pointer(&format!("{check}/login{part}/properties")).unwrap();
        let default = |(key, schema): (&String, &serde_json::Value)| {
            Some(format!("{key} = {}\n", schema.get("default")?))
        };
        let lines: String = keys.as_object().unwrap().iter().filter_map(default).collect();
        assert!(!lines.is_empty(), "{part}");
        lines
    };
    let text = |form: [&str; 4], oidc: &str| {
        let [login, totp, form, step] = form;
        let user = "user = 'a'\npassword.env = 'P'\n";
        let form = format!(
            "{login}[component.check.login.account]\n{user}\
             [component.check.login.account.totp]\nenv = 'S'\n{totp}\
             [component.check.login.form_login]\n{form}\
             [[component.check.login.steps]]\npost = '/'\nbody = 'b'\n{step}"
        );
        let oidc = format!(
            "[component.check.login.account]\n{user}[component.check.login.oidc]\n\
             issuer = 'https://id.example'\nclient_id = 'c'\nclient_secret.env = 'C'\n\
             redirect_uri = 'https://desk.example'\n{oidc}"
        );
        [form, oidc].map(|login| format!("{:#?}", logins(&file("", &login))))
    };
    let part = |name: &str| written(&format!("/properties/{name}"));
    let totp = part("account/properties/totp");
    let form = [&written(""), &totp, &part("form_login"), &part("steps/items")];
    assert_eq!(text(form.map(String::as_str), &part("oidc")), text([""; 4], ""));
}

/// The steps of use of the only check of a file.
fn use_after(text: &str) -> Vec<String> {
    let source = SourceFile { name: "logins.toml".to_owned(), text: text.to_owned() };
    let config = parse(&[source]).map_err(|error| error.render(false, 100)).unwrap();
    let policy = config.policy();
    let check = policy.checks.values().next().unwrap();
    check.steps_of_use.iter().map(|step| step.to_string()).collect()
}

#[test]
fn what_comes_after_a_login_is_use() {
    let mut seen = Vec::new();
    for path in examples() {
        let text = std::fs::read_to_string(&path).unwrap();
        let steps = use_after(&text).join(", ");
        seen.push(format!("{}: {steps}", path.file_stem().unwrap().display()));
    }
    let expected = [
        "basic: queue",
        "client-credentials: orders",
        "form: conversation, inbox, log out, read the note, remove the note, write a note",
        "oidc: who am I",
        "password-grant: profile",
        "saml: inbox",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn a_login_ends_with_what_finishes_it() {
    let account = "account = { user = 'me', password = { env = 'P' }, totp = { env = 'T' } }\n";
    let of = |steps: &str| use_after(&file("", &format!("{account}steps = [{steps}]"))).join(", ");
    let shows =
        "{ get = '/login' }, { name = 'log in', submit = 'form', fields = { p = '{{password}}' } }";
    let mail = "{ name = 'mail', get = '/mail' }";
    assert_eq!(of(shows), "");
    assert_eq!(of(&format!("{shows}, {mail}")), "mail");
    let second = "{ name = 'second', submit = 'form', fields = { code = '{{totp}}' } }";
    assert_eq!(of(&format!("{shows}, {{ get = '/second' }}, {second}, {mail}")), "mail");
    let look = "{ name = 'look', look = true, contains = 'Hello' }";
    let consent = "{ name = 'consent', submit = 'form' }";
    let again = "{ name = 'again', look = true, contains = 'Hello' }";
    assert_eq!(of(&format!("{shows}, {look}, {consent}, {mail}, {again}")), "again, mail");
    let out = "{ name = 'out', submit = 'form', always = true }";
    assert_eq!(of(&format!("{shows}, {out}")), "out");
    assert_eq!(of("{ get = '/' }, { get = '/mail' }"), "", "nobody logs in: there is no telling");
}
