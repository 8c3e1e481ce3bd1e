//! NTP servers: `"ntp1.example"`, `"ntp2.example:1123"`, `"2001:db8::7"`.

use std::fmt;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::address::HostPort;
use super::host::Host;

/// Where NTP servers listen.
const PORT: u16 = 123;

/// A host, and a port if it is not NTP's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct NtpServer {
    /// A name in ASCII, or an address without brackets.
    pub(in super::super) host: String,
    pub(in super::super) port: u16,
}

/// As it may be written.
impl fmt::Display for NtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.host.parse::<IpAddr>()) {
            (PORT, _) => f.write_str(&self.host),
            (port, Ok(IpAddr::V6(address))) => write!(f, "[{address}]:{port}"),
            (port, Ok(IpAddr::V4(_)) | Err(_)) => write!(f, "{}:{port}", self.host),
        }
    }
}

impl Setting for NtpServer {
    const EXPECTED: &'static str = "a server such as \"ntp1.example\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        if text.contains("://") {
            let reason = "it is a URL".to_owned();
            problems.report(node.span(), Mistake::InvalidAddress { got: shorten(&text), reason });
            return None;
        }
        let has_port = text.contains(':') && text.parse::<IpAddr>().is_err();
        if has_port {
            let HostPort { host, port } = HostPort::read(node, problems)?;
            return Some(Self { host, port });
        }
        Host::read(node, problems).map(|Host(host)| Self { host, port: PORT })
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1, "examples": ["ntp1.example"] })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::NtpServer;

    #[test]
    fn names_and_addresses_with_a_port_where_it_is_another() {
        for (text, host, port, shown) in [
            ("'Ntp1.example'", "ntp1.example", 123, "ntp1.example"),
            ("'ntp2.example:1123'", "ntp2.example", 1123, "ntp2.example:1123"),
            ("'192.0.2.7'", "192.0.2.7", 123, "192.0.2.7"),
            ("'192.0.2.7:123'", "192.0.2.7", 123, "192.0.2.7"),
            ("'2001:DB8::7'", "2001:db8::7", 123, "2001:db8::7"),
            ("'[2001:db8::7]:1123'", "2001:db8::7", 1123, "[2001:db8::7]:1123"),
        ] {
            let server = read::<NtpServer>(text).unwrap();
            assert_eq!(server, NtpServer { host: host.to_owned(), port }, "{text}");
            assert_eq!(server.to_string(), shown);
        }
        for (text, code) in [
            ("'ntp://ntp1.example'", "invalid_address"),
            ("'ntp1.example:0'", "invalid_address"),
            ("'ntp1.example:ntp'", "invalid_address"),
            ("''", "invalid_domain"),
            ("123", "wrong_type"),
        ] {
            assert!(read::<NtpServer>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
