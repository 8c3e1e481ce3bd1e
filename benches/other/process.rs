//! A part of a benchmark that runs in a process of its own, so that its work is not counted: the
//! benchmark's own program, started again with the name of a role.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const ROLE: &str = "--role=";

/// The role that this process was started for, if it was.
pub(crate) fn role() -> Option<String> {
    std::env::args().find_map(|argument| argument.strip_prefix(ROLE).map(str::to_owned))
}

/// Waits until whoever started this process has gone or had enough of it.
pub(crate) fn until_dismissed() {
    // Nothing is ever written: it ends when the other end is closed, even by a crash.
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// The other process. It ends when this is dropped.
pub(crate) struct Other {
    child: Child,
    _stdin: ChildStdin,
    stdout: Option<BufReader<ChildStdout>>,
}

impl Other {
    /// Starts this program again as `role`.
    pub(crate) fn start(role: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg(format!("{ROLE}{role}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        let stdout = child.stdout.take().map(BufReader::new);
        Self { child, _stdin: stdin, stdout }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
