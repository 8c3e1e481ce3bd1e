//! The plan of a check that opens a WebSocket and talks over it.

use std::net::IpAddr;

use http::HeaderName;
use url::Url;

use super::tcp::{CertificateLimits, Step};
use super::{Addresses, Family, HeaderText, TlsSettings};
use crate::model::Span;

/// A WebSocket and a few messages.
#[derive(Clone, Debug)]
pub struct WebsocketCheck {
    /// `ws` or `wss`, with a host.
    pub url: Url,
    /// Headers to send with the upgrade, beside those that every upgrade has.
    pub headers: Vec<(HeaderName, HeaderText)>,
    /// The subprotocols that are offered, the best first; the target must choose one of them.
    pub subprotocols: Vec<String>,
    /// What is said and heard.
    pub script: Vec<Step>,
    /// How long one step may wait for what it expects; `None` for as long as the run has.
    pub expect_timeout: Option<Span>,
    /// How many bytes a message may have.
    pub max_message: u64,
    /// Which addresses are asked.
    pub addresses: Addresses,
    /// Of which family they are; `None` for both.
    pub family: Option<Family>,
    /// The address that is asked from; then only addresses of its family are asked.
    pub source: Option<IpAddr>,
    /// Whom it trusts and what it shows.
    pub tls: TlsSettings,
    /// How long the certificates must still be valid.
    pub certificate: Option<CertificateLimits>,
}
