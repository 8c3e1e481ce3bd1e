//! Every kind of check against real sockets on the loopback: targets that answer well, and targets
//! that answer in every bad way that is known.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic is how a test fails"
)]

mod asking;
mod authority;
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
mod http_hostile;
mod http_page;
mod http_proxy;
mod http_tls;
mod http_two;
mod http_well;
mod icmp;
mod name_server;
mod servers;
mod starttls;
mod starttls_servers;
mod tcp;
mod tcp_script;
mod tls;
mod tls_check;
mod tls_hostile;
mod websocket;
mod websocket_hostile;
