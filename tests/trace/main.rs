//! Looking into a check, with the real binary: what a trace and its HAR show, and that nothing secret
//! is in anything that farol writes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod har;
mod hostile;
mod logins;
#[expect(dead_code, reason = "other tests look at more of what is served")]
#[path = "../support/process.rs"]
mod process;
mod secrets;
mod waterfall;

use std::path::Path;
use std::process::{Command, Output};

/// `farol` with `arguments` in `dir`, and what the planted secrets are.
fn farol(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
    command.current_dir(dir).args(arguments).envs(hostile::environment());
    for name in ["FAROL_PROBES", "FAROL_STATE_DIR", "FAROL_LISTEN", "FAROL_LOG", "NO_COLOR"] {
        command.env_remove(name);
    }
    command.output().unwrap()
}

/// The same beside a server that this thread's runtime drives.
async fn farol_beside(dir: &Path, arguments: &[&str]) -> Output {
    let dir = dir.to_owned();
    let arguments: Vec<String> = arguments.iter().map(|text| (*text).to_owned()).collect();
    let run = move || farol(&dir, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}
