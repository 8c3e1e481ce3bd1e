//! From text to a validated [`Config`].

pub mod plan;
pub mod secret;

pub use plan::{
    Addresses, Check, CheckKind, ClockLimits, Component, Config, DnsCheck, HeaderText, HttpCheck,
    Platform, Publish, StatusSet, Statuspage, TcpCheck,
};
pub use secret::{Secret, SecretRef, Secrets};
