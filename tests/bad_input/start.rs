//! What keeps farol from starting: one line that says what and how to go on, and exit code 1.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;

use crate::command::{SHOP, ends};
use crate::process::Farol;

fn shop() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("shop.toml"), SHOP).unwrap();
    dir
}

/// Starts on a state directory that cannot be used; gives the one line that is said.
fn refused(dir: &Path, state: &str, listen: &str) -> String {
    let arguments = ["run", "shop.toml", "--listen", listen, "--state-dir", state];
    let (code, said) = ends(dir, &arguments);
    assert_eq!(code, Some(1), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("farol: ")).collect();
    let [error] = errors[..] else { panic!("one line is one error: {said}") };
    error.to_owned()
}

#[test]
fn a_port_in_use_and_a_state_directory_that_is_none() {
    let dir = shop();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(dir.path(), "state", &address);
    assert!(said.contains(&address) && said.contains("FAROL_LISTEN"), "{said}");
    for state in ["shop.toml", "shop.toml/below", "/proc/farol"] {
        let said = refused(dir.path(), state, "127.0.0.1:0");
        assert!(said.contains(state) && said.contains("FAROL_STATE_DIR"), "{said}");
    }
}

#[test]
fn the_demo_says_the_same_and_keeps_its_state_where_it_is_told() {
    let dir = shop();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, said) = ends(dir.path(), &["demo", "--exit", "--listen", &address]);
    assert!(code == Some(1) && said.contains("cannot listen on"), "{said}");
    let (code, said) = ends(dir.path(), &["demo", "--exit", "--state-dir", "shop.toml"]);
    assert!(code == Some(1) && said.contains("shop.toml/demo-"), "{said}");
}

#[tokio::test]
async fn a_state_directory_that_is_in_use_newer_or_damaged() {
    let dir = shop();
    let mut farol = Farol::start(dir.path(), &dir.path().join("shop.toml"), &[]);
    // An incident, so that there is something in every table.
    farol
        .summary_until(Duration::from_secs(20), |summary| summary["incidents"][0].is_object())
        .await;
    let said = refused(dir.path(), "state", "127.0.0.1:0");
    assert!(said.contains("in use by another farol"), "{said}");
    assert_eq!(farol.terminate().0, Some(0), "{}", farol.read_log());

    let newer = "PRAGMA user_version = 99";
    let anew = "move it away to start anew";
    for (file, harm, words) in [
        ("farol.db", newer, "run the version that wrote it"),
        ("status.db", newer, "run the version that wrote it"),
        ("farol.db", "UPDATE engine SET body = '{'", anew),
        ("farol.db", "UPDATE outbox SET body = 'hello'", anew),
        ("farol.db", "DELETE FROM engine; UPDATE journal SET body = 'hello' WHERE seq = 2", anew),
    ] {
        let name = copied(dir.path());
        let db = Connection::open(dir.path().join(&name).join(file)).unwrap();
        db.execute_batch(harm).unwrap();
        drop(db);
        let said = refused(dir.path(), &name, "127.0.0.1:0");
        assert!(said.contains(&name) && said.contains(words), "{harm}: {said}");
    }
    for file in ["farol.db", "status.db"] {
        let name = copied(dir.path());
        fs::write(dir.path().join(&name).join(file), "this is no database".repeat(100)).unwrap();
        let said = refused(dir.path(), &name, "127.0.0.1:0");
        assert!(said.contains(file) && said.contains(anew), "{said}");
    }
}

/// A copy of the state directory; gives its name.
fn copied(dir: &Path) -> String {
    let copy = "copy";
    let _ = fs::remove_dir_all(dir.join(copy));
    fs::create_dir(dir.join(copy)).unwrap();
    for entry in fs::read_dir(dir.join("state")).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), dir.join(copy).join(entry.file_name())).unwrap();
    }
    copy.to_owned()
}
