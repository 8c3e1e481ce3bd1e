//! `farol demo --report`, with the real binary: a story is played at real intervals, and what came
//! of it is written in both forms; and what cannot be written is told before anything is played.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

/// The simulated platform has addresses of its own, so one story is played at a time.
static TURN: Mutex<()> = Mutex::new(());

/// Eleven minutes in which `component` is to be blamed for what CRM does.
fn story(component: &str) -> String {
    format!(
        r#"
[scenario]
id = "short"
title = "CRM is away & comes back"
about = "For the test."
platform = "blip"
begins = "2021-09-15 10:30"
ends = "2021-09-15 10:41"
speed = 1

[report]
title = "CRM"
impact_from = "10:32"
first_post = "10:39"
resolved = "11:00"
components = ["crm"]

[[event]]
at = "10:32"
says = "CRM refuses all connections"
symptom = true
begin = [{{ id = "down", fault = "refuse", service = "crm" }}]

[[expect]]
from = "10:32"
within = "1m"
says = "CRM is out"
components = {{ {component} = "major_outage" }}
incidents = 1
status = "investigating"
impact = "critical"

[[event]]
at = "10:34"
says = "CRM is there again"
end = ["down"]

[[expect]]
from = "10:34"
within = "1m"
says = "it is watched"
incidents = 1
status = "monitoring"
impact = "critical"

[[expect]]
from = "10:39"
within = "1m"
says = "it is over"
incidents = 1
status = "resolved"
impact = "critical"
"#
    )
}

fn demo(folder: &Path, arguments: &[&str]) -> Output {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
    command.arg("demo").args(arguments).current_dir(folder).env_remove("FAROL_STATE_DIR");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All names in a folder, those of drafts too.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn a_story_is_written_in_both_forms() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::write(folder.join("short.toml"), story("crm")).unwrap();
    let output = demo(folder, &["short.toml", "--rounds", "2", "--report", "board.md"]);
    let said = text(&output.stdout);
    assert!(output.status.success(), "{output:?}");
    assert!(
        said.contains("short                round 2 of 2: as it should; first words"),
        "{said}"
    );
    assert_eq!(names(folder), ["board", "board.md", "short.toml"]);
    assert_eq!(names(&folder.join("board")), ["short.svg"]);
    let board = fs::read_to_string(folder.join("board.md")).unwrap();
    assert!(board.contains("Everything came as it should: 1 scenario in 2 rounds."), "{board}");
    assert!(board.contains("](board/short.svg)") && board.contains("> **CRM is unavailable**"));
    assert!(board.contains("farol demo short.toml --rounds 2 --report board.md"), "{board}");
    let row = board.lines().find(|line| line.starts_with("| [short](#short)")).unwrap();
    assert!(row.contains("| 7 min |") && row.ends_with("| 1, 0, 0 | right | right | 2 |"), "{row}");
    let svg = fs::read_to_string(folder.join("board/short.svg")).unwrap();
    assert!(svg.contains("major_outage from 10:32:") && svg.contains("CRM is away &amp; comes"));

    let output = demo(folder, &["short.toml", "--report", "board.html"]);
    assert!(output.status.success(), "{output:?}");
    let page = fs::read_to_string(folder.join("board.html")).unwrap();
    assert_eq!(page.matches("<iframe sandbox").count(), 2, "the page at its worst and at the end");
    assert!(page.contains("&lt;!doctype html&gt;") && page.contains("<svg "));
    assert_eq!(names(folder), ["board", "board.html", "board.md", "short.toml"]);
}

#[test]
fn what_is_wrong_is_written_and_is_a_failure() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("short.toml"), story("desk")).unwrap();
    let output = demo(folder.path(), &["short.toml", "--report", "board.md"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text(&output.stdout).contains("NOT as it should"), "{output:?}");
    let board = fs::read_to_string(folder.path().join("board.md")).unwrap();
    assert!(board.contains("**Not everything came as it should: 1 of 1 scenario"), "{board}");
    assert!(
        board.contains("- wrongly blamed: CRM") && board.contains("- missing: Desk"),
        "{board}"
    );
}

#[test]
fn what_cannot_be_written_is_told_before_anything_is_played() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    fs::create_dir(folder.join("folder.md")).unwrap();
    fs::write(folder.join("taken"), "a file").unwrap();
    let cases: [(&[&str], i32, &str); 8] = [
        (&["--all", "--report", "board.txt"], 2, "the file's name must end in .md or .html"),
        (&["--all", "--report", "no/board.md"], 1, "make the folder no first"),
        (&["--all", "--report", "folder.md"], 2, "cannot write folder.md: it is a folder"),
        (&["--all", "--report", "taken.md"], 2, "the pictures need a folder of that name"),
        (&["--report", "board.md"], 2, "needs to know what to play: --all, or scenarios"),
        (&["nosuch", "--report", "board.md"], 2, "there is no scenario nosuch"),
        (&["--all", "--rounds", "3"], 2, "--report <FILE>"),
        (&["--all", "--report", "board.md", "--speed", "2"], 2, "cannot be used with"),
    ];
    for (arguments, code, complaint) in cases {
        let output = demo(folder, arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {output:?}");
        assert!(text(&output.stderr).contains(complaint), "{arguments:?}: {output:?}");
        assert!(!text(&output.stdout).contains("round"), "{arguments:?}: {output:?}");
        assert_eq!(names(folder), ["folder.md", "taken"], "{arguments:?} left something");
    }
}

#[test]
fn two_scenarios_of_one_id_are_not_played() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let copy = story("crm").replace("id = \"short\"", "id = \"healthy\"");
    fs::write(folder.join("copy.toml"), copy).unwrap();
    let cases: [(&[&str], &str); 3] = [
        (&["healthy", "healthy"], "healthy is named twice"),
        (&["healthy", "copy.toml"], "healthy and copy.toml have the same id, healthy"),
        (&["copy.toml", "healthy", "--report", "board.md"], "copy.toml and healthy have the same"),
    ];
    for (arguments, complaint) in cases {
        let output = demo(folder, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {output:?}");
        assert!(text(&output.stderr).contains(complaint), "{arguments:?}: {output:?}");
        assert_eq!((text(&output.stdout).as_str(), names(folder)), ("", vec!["copy.toml".into()]));
    }
}

#[test]
fn who_stops_it_gets_no_report() {
    let folder = TempDir::new().unwrap();
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
    command.args(["demo", "healthy", "--report", "board.md"]).current_dir(folder.path());
    let mut farol = command.env_remove("FAROL_STATE_DIR").stdout(Stdio::piped()).spawn().unwrap();
    let mut said = Vec::new();
    let mut stdout = farol.stdout.take().unwrap();
    // It plays from here on, and has a draft to put away.
    while !text(&said).contains("begins") {
        let mut some = [0; 64];
        let count = stdout.read(&mut some).unwrap();
        assert!(count > 0, "{}", text(&said));
        said.extend_from_slice(&some[..count]);
    }
    assert!(names(folder.path())[0].starts_with(".board.md."), "{:?}", names(folder.path()));
    let sent = Command::new("kill").arg("-INT").arg(farol.id().to_string()).status().unwrap();
    assert!(sent.success());
    assert_eq!(farol.wait().unwrap().code(), Some(1));
    assert_eq!(names(folder.path()), Vec::<String>::new());
}
