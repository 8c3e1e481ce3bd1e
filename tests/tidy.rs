//! The house rules that no lint knows: which room may look into which, that the pure rooms are
//! pure, and that every file says what it is for.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may use, in the order of the flow. `clock` and `model` may be used by all
/// that are not pure; `model` by all.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    BTreeMap::from([
        ("model", vec![]),
        ("clock", vec!["model"]),
        // Own words are tried on samples when they are read.
        ("config", vec!["model", "words"]),
        ("schedule", vec!["model"]),
        ("words", vec!["model"]),
        ("engine", vec!["model", "words"]),
        ("outbox", vec!["model", "words"]),
        ("offset", vec!["model"]),
        ("drawing", vec!["model"]),
        ("replay", vec!["model", "engine", "drawing"]),
        ("net", vec!["model", "clock", "config"]),
        ("veil", vec!["config"]),
        ("check", vec!["model", "clock", "config", "net", "offset", "veil"]),
        ("publish", vec!["model", "clock", "config", "net", "outbox", "veil"]),
        ("store", vec!["model"]),
        ("metrics", vec!["model"]),
        ("serve", vec!["model", "clock", "config", "metrics", "runtime", "store"]),
        (
            "runtime",
            vec![
                "model", "clock", "config", "schedule", "engine", "outbox", "check", "publish",
                "store", "metrics",
            ],
        ),
    ])
}

/// Rooms that are synchronous functions of what they are given.
const PURE: [&str; 8] =
    ["model", "words", "schedule", "offset", "engine", "outbox", "drawing", "replay"];

/// Parts of other rooms that are pure, too.
const PURE_PARTS: [&str; 2] = ["src/demo/judge", "src/demo/report"];

/// What a pure room may not even mention, and why.
const IMPURE: [(&str, &str); 12] = [
    ("std::fs", "files are read at the edges"),
    ("std::net::Tcp", "sockets are opened at the edges"),
    ("std::env", "the environment is an input of the command line"),
    ("std::thread", "decisions are synchronous"),
    ("tokio", "decisions are synchronous"),
    ("async ", "decisions are synchronous"),
    ("tracing::", "pure code returns events; the shell logs"),
    ("println!", "pure code returns events; the shell logs"),
    ("Instant", "time is an argument"),
    ("SystemTime", "time is an argument"),
    ("getrandom", "ids are derived, never random"),
    ("HashMap", "its order differs from run to run"),
];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(root).unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    files
}

/// The room of a file below `src`: its first folder, or its name.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    Some(first.trim_end_matches(".rs").to_owned())
}

/// The code of a file without its tests and comments: tests may do what they like.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_test_file(path: &Path) -> bool {
    path.components().any(|part| {
        let name = part.as_os_str().to_string_lossy();
        name == "tests" || name == "tests.rs" || name.ends_with("_tests.rs")
    })
}

/// Every `crate::room` that a file mentions, also inside `use crate::{a, b::C}`.
fn mentions(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let list = rest.strip_prefix('{').map_or(rest, |list| list.split("};").next().unwrap());
        let names = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
        for name in names {
            let name = name.trim();
            let end = name.find(|c: char| !c.is_ascii_lowercase() && c != '_');
            rooms.push(name[..end.unwrap_or(name.len())].to_owned());
        }
    }
    rooms.retain(|room| !room.is_empty());
    rooms
}

#[test]
fn arrows_go_right() {
    let allowed = allowed();
    let mut wrong = Vec::new();
    let mut read = 0;
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        let Some(may_use) = allowed.get(room.as_str()) else { continue };
        if is_test_file(&path) {
            continue;
        }
        read += 1;
        for used in mentions(&code(&text)) {
            if used != room && !may_use.contains(&used.as_str()) {
                wrong.push(format!("{}: {room} may not use {used}", path.display()));
            }
        }
    }
    assert!(read > 40, "only {read} files were read: the rule has lost sight of the code");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_rooms_are_pure() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        let is_part = PURE_PARTS.iter().any(|part| path.with_extension("").starts_with(part));
        if !(is_part || PURE.contains(&room.as_str())) || is_test_file(&path) {
            continue;
        }
        let code = code(&text);
        for (word, reason) in IMPURE {
            if code.contains(word) {
                wrong.push(format!("{}: mentions {word}: {reason}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not open with //!", path.display()));
        }
        let lines = code(&text).lines().filter(|line| !line.trim().is_empty()).count();
        if lines > 450 {
            wrong.push(format!("{}: {lines} lines of code: two rooms in one?", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_drawers_for_odds_and_ends() {
    let banned = ["mod.rs", "utils.rs", "util.rs", "helpers.rs", "common.rs", "manager.rs"];
    for (path, _) in sources() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(!banned.contains(&name.as_str()), "{}: name it for what it does", path.display());
    }
}
