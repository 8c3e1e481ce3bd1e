//! The plan of checks that read a clock, and how far one may be off.

use std::net::IpAddr;
use std::num::NonZeroU32;

use http::HeaderName;
use serde_json_path::JsonPath;

use super::expect::TimeFormat;
use super::{Addresses, Family, HttpCheck};
use crate::model::Span;

/// A clock, read on purpose.
#[derive(Clone, Debug)]
pub struct ClockCheck {
    /// Whose clock, and how it is read.
    pub target: ClockTarget,
    /// How often it is read in a run.
    pub samples: NonZeroU32,
    /// How far it may be off.
    pub limits: ClockLimits,
}

/// Whose clock is read, and how.
#[derive(Clone, Debug)]
pub enum ClockTarget {
    /// An HTTP server's.
    Http {
        /// How it is asked.
        ask: Box<HttpCheck>,
        /// Where in the answer the time stands.
        place: TimePlace,
    },
    /// An NTP server's.
    Ntp {
        /// A name or an address.
        host: String,
        /// The port.
        port: u16,
        /// Which addresses are asked.
        addresses: Addresses,
        /// Of which family they are; `None` for both.
        family: Option<Family>,
        /// The address that is asked from; then only addresses of its family are asked.
        source: Option<IpAddr>,
        /// Whether it is asked for the true time, and not for what its own clock shows: then the
        /// offset is wider by what the server says that it may be wrong by.
        as_reference: bool,
    },
}

impl ClockTarget {
    /// An NTP server that is asked for the true time, from wherever and in whatever family its
    /// addresses are.
    pub fn reference(host: String, port: u16, addresses: Addresses) -> Self {
        Self::Ntp { host, port, addresses, family: None, source: None, as_reference: true }
    }
}

/// Where in an HTTP answer the time stands, and how it is written if that cannot be told from it.
#[derive(Clone, Debug)]
pub enum TimePlace {
    /// In its `Date`.
    Date,
    /// In another header.
    Header(HeaderName, Option<TimeFormat>),
    /// In its JSON.
    Json {
        /// The path, as written.
        written: String,
        /// The path, compiled.
        path: JsonPath,
        /// How it is written.
        format: Option<TimeFormat>,
    },
}

/// How far a clock may be off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClockLimits {
    /// Beyond this the finding is degraded.
    pub degraded: Span,
    /// Beyond this it fails.
    pub failed: Span,
    /// A clock that goes further than this between two runs, beyond the time between them, was set:
    /// that degrades.
    pub jump: Option<Span>,
    /// A clock that is faster or slower by more than this, in parts per million, degrades.
    pub drift: Option<NonZeroU32>,
}

impl ClockCheck {
    /// How an HTTP server is asked, if it is one.
    pub fn http(&self) -> Option<&HttpCheck> {
        match &self.target {
            ClockTarget::Http { ask, .. } => Some(ask),
            ClockTarget::Ntp { .. } => None,
        }
    }

    /// Which addresses are asked.
    pub fn addresses(&self) -> Addresses {
        match &self.target {
            ClockTarget::Http { ask, .. } => ask.addresses,
            ClockTarget::Ntp { addresses, .. } => *addresses,
        }
    }

    /// Whether `address` is one of those that may be asked.
    pub(super) fn admits(&self, address: IpAddr) -> bool {
        match &self.target {
            ClockTarget::Http { ask, .. } => ask.client.admits(address),
            ClockTarget::Ntp { family, source, .. } => Family::fits(*family, *source, address),
        }
    }

    /// Whether there is a name to resolve.
    pub(super) fn names(&self) -> bool {
        match &self.target {
            ClockTarget::Http { ask, .. } => matches!(ask.url.host(), Some(url::Host::Domain(_))),
            ClockTarget::Ntp { host, .. } => host.parse::<IpAddr>().is_err(),
        }
    }
}
