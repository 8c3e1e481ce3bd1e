//! Probe files, secrets and arguments that are wrong: exit code 78 (2 for arguments), and all that
//! is wrong at once.

use std::fs;

use serde_json::Value;

use crate::command::{SHOP, ends, farol, told};

#[test]
fn every_command_refuses_what_is_wrong_with_probe_files() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at("mixed")).unwrap();
    fs::write(at("mixed/good.toml"), SHOP).unwrap();
    fs::write(at("mixed/bad.toml"), SHOP.replace("tcp =", "tpc =")).unwrap();
    fs::write(at("broken.toml"), "[platform\nname = 1").unwrap();
    let cases: [(&[&str], &[&str]); 5] = [
        (&[], &["probes: there is no such file or directory"]),
        (&["broken.toml"], &["not TOML", "broken.toml:1:"]),
        (&["mixed"], &["did you mean `tcp`?", "mixed/bad.toml:8:1"]),
        (&["empty"], &["empty: the directory holds no probe file"]),
        (&["nowhere", "broken.toml", "empty"], &["nowhere", "not TOML", "3 mistakes"]),
    ];
    for command in ["validate", "check", "run"] {
        for (paths, words) in cases {
            let (code, said) = ends(dir.path(), &[&[command], paths].concat());
            assert_eq!(code, Some(78), "{command} {paths:?}: {said}");
            for word in words {
                assert!(said.contains(word), "{command} {paths:?} lacks {word:?}: {said}");
            }
        }
    }
    assert!(!at("state").exists(), "nothing is made for a configuration that is wrong");
}

#[test]
fn every_missing_secret_is_named_where_it_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let text = r#"
        [platform]
        name = "Shop"
        [publish.statuspage]
        page = "page"
        token = { env = "FAROL_TEST_TOKEN" }
        [[component]]
        name = "Storefront"
        statuspage_id = "abc"
        [[component.check]]
        name = "answers"
        [component.check.http]
        url = "http://127.0.0.1:1/"
        headers = { A = { file = "/nowhere/key" }, B = { env = "FAROL_TEST_KEY" } }
    "#;
    fs::write(dir.path().join("shop.toml"), text).unwrap();
    for command in ["check", "run"] {
        let (code, said) = ends(dir.path(), &[command, "shop.toml"]);
        assert_eq!(code, Some(78), "{said}");
        assert_eq!(said.lines().filter(|line| line.starts_with("farol: ")).count(), 3, "{said}");
        for name in ["FAROL_TEST_TOKEN", "FAROL_TEST_KEY", "/nowhere/key"] {
            assert!(said.contains(name), "{name}: {said}");
        }
    }
    assert_eq!(ends(dir.path(), &["validate", "shop.toml"]).0, Some(0));
}

#[test]
fn arguments_that_are_wrong_are_explained() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("shop.toml"), SHOP).unwrap();
    for (arguments, words) in [
        (["--listen", ":9321"], "127.0.0.1:9321"),
        (["--log", "inof"], "neither one of error, warn, info"),
        (["--retain", "5x"], "unknown time unit"),
        (["--max-in-flight", "0"], "1..=65535"),
    ] {
        let (code, said) = ends(dir.path(), &[&["run", "shop.toml"], &arguments[..]].concat());
        assert_eq!(code, Some(2), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
}

#[test]
fn a_log_for_machines_is_one_object_a_line_even_of_a_start_that_fails() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("bad.toml"), SHOP.replace("tcp =", "tpc =")).unwrap();
    fs::write(dir.path().join("good.toml"), SHOP).unwrap();
    let unusable = ["--state-dir", "good.toml", "--listen", "127.0.0.1:0"];
    for (arguments, code, words) in [
        (&["bad.toml"][..], 78, "unknown key"),
        (&[&["good.toml"], &unusable[..]].concat()[..], 1, "cannot use the state directory"),
    ] {
        let start = ["run", "--log-format", "json"];
        let (ended, said) = ends(dir.path(), &[&start[..], arguments].concat());
        assert_eq!(ended, Some(code), "{said}");
        let lines: Vec<Value> =
            said.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
        assert!(lines.iter().any(|line| line["message"].to_string().contains(words)), "{said}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("shop.toml"), SHOP).unwrap();
    for arguments in [&["check", "shop.toml"][..], &["schema"], &["run", "--help"]] {
        // A pipe whose reader is gone before anything is written.
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let (code, said) = told(&farol(dir.path(), arguments).stdout(writer).output().unwrap());
        assert!(matches!(code, Some(0 | 1)), "{arguments:?}: {code:?}");
        assert_eq!(said, "", "{arguments:?}");
    }
}

#[test]
fn the_help_says_what_each_command_does_and_the_exit_codes() {
    let dir = tempfile::tempdir().unwrap();
    let help = |arguments: &[&str]| {
        let output = farol(dir.path(), arguments).env("COLUMNS", "80").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    for (arguments, words) in [
        (&["--help"][..], "78 the configuration is wrong"),
        (&["check", "--help"], "Nothing is published"),
        (&["validate", "--help"], "The exit code is 78"),
        (&["run", "--help"], "goes on with the same incidents"),
    ] {
        let text = help(arguments).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{arguments:?}: {text}");
    }
    for command in ["run", "check", "validate", "schema", "demo", "health"] {
        for flag in ["-h", "--help"] {
            let text = help(&[command, flag]);
            let wide = text.lines().find(|line| line.chars().count() > 80);
            assert_eq!(wide, None, "{command} {flag}");
        }
    }
}
