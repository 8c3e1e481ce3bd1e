//! The documents say what the program does: their tables of options are made from the schema,
//! their examples are valid, and every reason has its place.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod alerts;
mod caps;
mod examples;
mod options;
mod reasons;
mod scoreboard;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The README and all of `docs`, in order, each with its path from the root.
fn documents() -> Vec<(PathBuf, String)> {
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> =
        docs.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect();
    paths.sort();
    paths.insert(0, root().join("README.md"));
    let named = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path.strip_prefix(root()).unwrap().to_owned(), text)
    };
    paths.into_iter().map(named).collect()
}
