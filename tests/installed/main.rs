//! Against servers as users have them: nginx, knot, Prometheus's promtool, Chromium. They are run
//! with `cargo test --test installed -- --ignored` on a machine that has them installed.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a panic is how a test fails, and the patience of tests is nobody else's time"
)]

#[expect(dead_code, reason = "several suites share it, and each uses a part")]
#[path = "../support/process.rs"]
mod process;

mod browser;
mod nginx;
mod promtool;
mod servers;
