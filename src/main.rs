//! The `farol` command: parses arguments, runs, and maps what came of it to an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    farol::cli::main()
}
