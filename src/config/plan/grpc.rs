//! The plan of checks that ask a gRPC server for its health.

use std::net::IpAddr;

use http::HeaderName;
use url::Url;

use super::{Addresses, CertificateLimits, Family, HeaderText, TlsSettings};

/// A question about a gRPC server's health: `grpc.health.v1.Health/Check`.
#[derive(Clone, Debug)]
pub struct GrpcCheck {
    /// `https`, or `http` for HTTP/2 without TLS; a host and perhaps a port.
    pub url: Url,
    /// The service that is asked about; empty for the server as a whole.
    pub service: String,
    /// Headers to send, beside those that every call has.
    pub metadata: Vec<(HeaderName, HeaderText)>,
    /// Whom it trusts and what it shows.
    pub tls: TlsSettings,
    /// How long the server's certificates must still be valid.
    pub certificate: Option<CertificateLimits>,
    /// Which addresses are asked.
    pub addresses: Addresses,
    /// Which of them; `None` for those of both families.
    pub family: Option<Family>,
    /// The address that is asked from; then only addresses of its family are asked.
    pub source: Option<IpAddr>,
}
