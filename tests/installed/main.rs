//! Against servers as users have them: nginx, knot, Prometheus's promtool, Chromium. They are run
//! with `cargo test --test installed -- --ignored` on a machine that has them installed.

#[path = "../support/process.rs"]
mod process;

mod browser;
mod nginx;
mod promtool;
mod servers;
