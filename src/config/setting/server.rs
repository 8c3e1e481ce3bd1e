//! Name servers: an address, with a port if it is not 53.

use std::net::{IpAddr, SocketAddr};

use serde_json::{Value, json};

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

impl Setting for SocketAddr {
    const EXPECTED: &'static str = "an address such as \"192.0.2.53\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let server = parse(&text);
        if server.is_none() {
            problems.report(node.span(), Mistake::InvalidServer { got: shorten(&text) });
        }
        server
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": r"^[0-9a-fA-F.:\[\]]+$" })
    }
}

fn parse(text: &str) -> Option<SocketAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53));
    address.or_else(|| text.parse().ok()).filter(|address| address.port() != 0)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::super::tests::read;

    #[test]
    fn addresses_and_never_names() {
        for (text, address) in [
            ("'127.0.0.1'", "127.0.0.1:53"),
            ("'127.0.0.1:5353'", "127.0.0.1:5353"),
            ("'::1'", "[::1]:53"),
            ("'[::1]'", "[::1]:53"),
            ("'[::1]:5353'", "[::1]:5353"),
        ] {
            assert_eq!(read::<SocketAddr>(text), Ok(address.parse().unwrap()), "{text}");
        }
        for text in ["'dns.example'", "'localhost:53'", "''", "'127.0.0.1:0'", "'127.0.0.1:'"] {
            assert!(read::<SocketAddr>(text).unwrap_err().starts_with("invalid_server"), "{text}");
        }
    }
}
