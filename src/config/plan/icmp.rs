//! The plan of checks that ask for echoes.

use std::net::IpAddr;

use super::{Addresses, Family};

/// ICMP echoes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcmpCheck {
    /// A name or an address.
    pub host: String,
    /// Which addresses are asked.
    pub addresses: Addresses,
    /// Which of them; `None` for those of both families.
    pub family: Option<Family>,
    /// The address that is asked from; then only addresses of its family are asked.
    pub source: Option<IpAddr>,
    /// How many echoes are sent in a run, one after the other.
    pub count: u16,
    /// How many of them may be lost.
    pub lost: LossLimits,
    /// How many bytes of payload each has.
    pub size: u16,
    /// How many routers each may pass; `None` for as many as the system lets all packets pass.
    pub ttl: Option<u8>,
}

/// How many echoes may be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LossLimits {
    /// With so many the check is degraded.
    pub degraded: u16,
    /// With so many it fails.
    pub failed: u16,
}
