//! The binary as a command that ends, and the probe files that these tests begin with.

use std::path::Path;
use std::process::{Command, Output};

/// A platform whose one check is refused at once.
pub(crate) const SHOP: &str = r#"
[platform]
name = "Shop"
[[component]]
name = "Storefront"
[[component.check]]
name = "answers"
tcp = "127.0.0.1:1"
"#;

/// `farol` with `arguments` in the folder `dir`, to be run or to be changed first.
pub(crate) fn farol(dir: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
    command.current_dir(dir).args(arguments);
    for name in ["FAROL_PROBES", "FAROL_STATE_DIR", "FAROL_LISTEN", "FAROL_LOG", "NO_COLOR"] {
        command.env_remove(name);
    }
    command
}

/// The exit code, and what was said on standard error.
pub(crate) fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8(output.stderr.clone()).unwrap())
}

/// How `farol` with `arguments` in the folder `dir` ends.
pub(crate) fn ends(dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    told(&farol(dir, arguments).output().unwrap())
}
