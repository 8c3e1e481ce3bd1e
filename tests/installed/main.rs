//! Against servers as users have them, and Prometheus's promtool and Chromium. They are run with
//! `cargo test --test installed -- --ignored` on a machine that has them installed; `.ci/run` names
//! the packages.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a panic is how a test fails, and the patience of tests is nobody else's time"
)]

#[expect(dead_code, reason = "several suites share it, and each uses a part")]
#[path = "../support/process.rs"]
mod process;

#[expect(dead_code, reason = "two suites share it, and each uses a part")]
#[path = "../support/certificates.rs"]
mod certificates;

mod alertmanager;
#[expect(dead_code, reason = "two suites share it, and this one uses a part")]
#[path = "../checks/asking.rs"]
mod asking;
mod browser;
mod busy;
mod clocks;
mod clocks_prober;
mod command;
mod grpc;
mod knot;
mod login_django;
mod login_oidc;
mod nginx;
mod nginx_tls;
mod probing;
mod promtool;
mod proxies;
mod servers;
mod starttls;
mod unbound;
mod uplink;
mod websocket;
