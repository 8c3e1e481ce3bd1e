//! A name or an address, without a port.

use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::server_name::ServerName;

/// A name in ASCII, or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Host(pub(in super::super) String);

impl Setting for Host {
    const EXPECTED: &'static str = "a name or an address such as \"gateway.example\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        if let Ok(address) = text.parse::<std::net::IpAddr>() {
            return Some(Self(address.to_string()));
        }
        // What is an address to browsers only (`0x7f.1`) is meant by nobody.
        if let Ok(url::Host::Ipv4(_) | url::Host::Ipv6(_)) = url::Host::parse(&text) {
            problems.report(node.span(), Mistake::InvalidIp { got: shorten(&text) });
            return None;
        }
        ServerName::read(node, problems).map(|name| Self(name.0))
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::Host;

    #[test]
    fn names_and_addresses_without_a_port() {
        for (text, host) in [
            ("'Gateway.example'", "gateway.example"),
            ("'192.0.2.1'", "192.0.2.1"),
            ("'2001:DB8::1'", "2001:db8::1"),
        ] {
            assert_eq!(read(text), Ok(Host(host.to_owned())), "{text}");
        }
        for (text, code) in [
            ("'gateway.example:7'", "invalid_domain"),
            ("'https://gateway.example'", "invalid_domain"),
            ("''", "invalid_domain"),
            ("'[::1]'", "invalid_ip"),
            ("'0x7f.1'", "invalid_ip"),
            ("7", "wrong_type"),
        ] {
            assert!(read::<Host>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
