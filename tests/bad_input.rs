//! What a user gets wrong, and what goes wrong around the process: the real binary says so clearly,
//! ends with the right code where it cannot start, and lives on where it has started.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[path = "bad_input/command.rs"]
mod command;
#[path = "bad_input/configuration.rs"]
mod configuration;
#[expect(dead_code, reason = "other tests look at more of what is served")]
#[path = "support/process.rs"]
mod process;
#[path = "statuspage/server.rs"]
mod server;
#[path = "bad_input/start.rs"]
mod start;
#[path = "bad_input/status_api.rs"]
mod status_api;
#[path = "bad_input/stop.rs"]
mod stop;
#[path = "bad_input/targets.rs"]
mod targets;
