//! Every kind of check against real sockets on the loopback: what it asks, and what it makes of what
//! it is answered. Targets that are out to harm it are in `tests/hostile`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod asking;
mod authority;
mod clock_ntp;
mod clock_web;
mod clocks;
mod dns;
mod dns_secure;
mod dns_zone;
mod dnssec;
mod dnssec_private;
mod grpc;
mod grpc_hostile;
mod http_addresses;
mod http_auth;
mod http_body;
mod http_client;
mod http_expect;
mod http_limits;
mod http_page;
mod http_proxy;
mod http_tls;
mod http_two;
mod http_well;
mod icmp;
mod login_faults;
mod login_sso;
mod login_steps;
mod login_token;
mod login_world;
mod matrix;
mod name_server;
mod ntp_server;
mod servers;
mod starttls;
mod starttls_servers;
mod tcp;
mod tcp_script;
mod tls;
mod tls_check;
mod trace;
mod websocket;
mod websocket_hostile;
