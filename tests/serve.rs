//! The served APIs and page, over real HTTP.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "serve/site.rs"]
mod site;

#[path = "kill/chance.rs"]
mod chance;
#[path = "serve/maintenance.rs"]
mod maintenance;
#[path = "serve/page.rs"]
mod page;
#[path = "serve/person.rs"]
mod person;
#[path = "serve/postmortem.rs"]
mod postmortem;
#[path = "serve/process.rs"]
mod process;
#[path = "serve/v1.rs"]
mod v1;
#[path = "serve/v2.rs"]
mod v2;
