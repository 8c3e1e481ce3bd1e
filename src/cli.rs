//! The command line: one file per command.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod check;
mod demo;
mod health;
mod log;
mod print;
mod probes;
mod run;
mod schema;
mod validate;

/// A synthetic monitoring probe that opens incidents by itself.
///
/// Farol runs HTTP, DNS and TCP checks against the components of a platform, decides by thresholds
/// whether each is operational, degraded or out, and opens, updates and resolves incidents on a
/// status page: its own, or Atlassian Statuspage.
///
/// To see it work, with nothing to configure: farol demo
#[derive(Debug, Parser)]
#[command(name = "farol", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the checks on schedule and keep the status page true, until stopped
    Run(Box<run::Run>),
    /// Run each check once and print what was found
    Check(check::Check),
    /// Check probe files for mistakes; needs no secrets and no network
    Validate(validate::Validate),
    /// Print the JSON Schema of probe files, for editors
    Schema(schema::Schema),
    /// Watch farol find and publish a real incident, on this machine alone
    Demo(demo::Demo),
    /// Ask a running farol whether it is well: exit code 0 if it is
    Health(health::Health),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// All is well.
    Well,
    /// Something is not as it should be: a check did not pass, a server could not start.
    Failed,
    /// The configuration is wrong: `EX_CONFIG` of sysexits.h.
    BadConfiguration,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Well => Self::SUCCESS,
            Ending::Failed => Self::from(1),
            Ending::BadConfiguration => Self::from(78),
        }
    }
}

/// Runs the command that the process's arguments name.
pub fn main() -> ExitCode {
    // An error means that one is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ending = match Arguments::parse().command {
        Command::Run(command) => command.run(),
        Command::Check(command) => command.run(),
        Command::Validate(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Health(command) => command.run(),
    };
    ending.into()
}

/// The runtime that a command's tasks run on.
fn runtime() -> Result<tokio::runtime::Runtime, Ending> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        print::error(&format!("cannot start the runtime: {error}"));
        Ending::Failed
    })
}

/// Where probe files are looked for when none is named.
fn default_probes() -> Vec<PathBuf> {
    vec![PathBuf::from("probes")]
}
