//! Ending: in order, with exit code 0, whatever is under way; and not because nobody reads the log.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::time::Duration;

use crate::command::{SHOP, farol};
use crate::process::Farol;
use crate::targets::stalling;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_with_a_check_in_flight() {
    let dir = tempfile::tempdir().unwrap();
    let target = stalling().await;
    let check = format!("http = \"http://{target}/\"");
    let text = SHOP.replace("tcp = \"127.0.0.1:1\"", &format!("{check}\ninterval = \"1s\""));
    let text = text.replace("interval =", "timeout = \"1s\"\ninterval =");
    fs::write(dir.path().join("shop.toml"), text).unwrap();
    let mut farol = Farol::start(dir.path(), &dir.path().join("shop.toml"), &[]);
    farol.summary_until(Duration::from_secs(20), |_| true).await;
    let (code, took) = farol.terminate();
    assert_eq!(code, Some(0), "{}", farol.read_log());
    // Generous for a machine that is busy; the promise is five seconds.
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[test]
fn nobody_has_to_read_the_log() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("shop.toml"), SHOP.replace("1\"", "1\"\ninterval = \"1s\"")).unwrap();
    let arguments = ["run", "shop.toml", "--listen", "127.0.0.1:0", "--log", "debug"];
    let mut child = farol(dir.path(), &arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let running = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("is running")));
    assert!(running.is_some());
    drop(lines);
    // The incident of the first second is logged to nobody.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(child.try_wait().unwrap(), None, "it ended with its reader");
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
