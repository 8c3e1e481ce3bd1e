//! The command line: one file per command.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod check;
mod demo;
mod health;
mod incidents;
mod log;
mod postmortem;
mod preview;
mod print;
mod probes;
mod replay;
mod run;
mod schema;
mod validate;

/// A synthetic monitoring probe that opens incidents by itself.
///
/// Farol runs HTTP, DNS, TCP and TLS checks against the components of a platform, decides by thresholds
/// whether each is operational, degraded or out, and opens, updates and resolves incidents on a
/// status page: its own, or Atlassian Statuspage.
///
/// To see it work, with nothing to configure: farol demo
#[derive(Debug, Parser)]
#[command(name = "farol", version, max_term_width = 100, after_long_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0   all is well
  1   a check did not pass, or farol could not start or go on
  2   the arguments are wrong
  78  the configuration is wrong, or a secret is missing";

// What each is for stands at its arguments: a comment here would hide it from the help.
#[derive(Debug, Subcommand)]
enum Command {
    Run(Box<run::Run>),
    Check(check::Check),
    Validate(validate::Validate),
    Preview(preview::Preview),
    Replay(replay::Replay),
    Schema(schema::Schema),
    Demo(demo::Demo),
    Health(health::Health),
    Incidents(incidents::Incidents),
    Postmortem(postmortem::Postmortem),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// All is well.
    Well,
    /// Something is not as it should be: a check did not pass, a server could not start.
    Failed,
    /// An argument names what there is not, as clap has it for arguments that it can judge.
    BadArguments,
    /// The configuration is wrong: `EX_CONFIG` of sysexits.h.
    BadConfiguration,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Well => Self::SUCCESS,
            Ending::Failed => Self::from(1),
            Ending::BadArguments => Self::from(2),
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
        Command::Preview(command) => command.run(),
        Command::Replay(command) => command.run(),
        Command::Schema(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Health(command) => command.run(),
        Command::Incidents(command) => command.run(),
        Command::Postmortem(command) => command.run(),
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

/// An address to listen on, as an argument.
fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "write an IP address and a port: 127.0.0.1:9321, or [::]:9321 for all interfaces".to_owned()
    })
}

/// Where probe files are looked for when none is named.
fn default_probes() -> Vec<PathBuf> {
    vec![PathBuf::from("probes")]
}
