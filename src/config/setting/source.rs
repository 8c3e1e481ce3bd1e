//! The address of this host that a connection comes from.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

impl Setting for IpAddr {
    const EXPECTED: &'static str = "an IP address such as \"192.0.2.7\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let address = text.parse().ok();
        if address.is_none() {
            problems.report(node.span(), Mistake::InvalidIp { got: shorten(&text) });
        }
        address
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^[0-9a-fA-F.:]+$" })
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::super::tests::read;

    #[test]
    fn addresses_without_a_port() {
        assert_eq!(read::<IpAddr>("'192.0.2.7'"), Ok("192.0.2.7".parse().unwrap()));
        assert_eq!(read::<IpAddr>("'2001:db8::7'"), Ok("2001:db8::7".parse().unwrap()));
        for text in ["'eth0'", "'192.0.2.7:1'", "'[::1]'", "''"] {
            assert!(read::<IpAddr>(text).unwrap_err().starts_with("invalid_ip"), "{text}");
        }
    }
}
