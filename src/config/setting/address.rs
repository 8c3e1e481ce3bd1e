//! Where to connect: `"mail.example:25"`, `"192.0.2.1:25"`, `"[2001:db8::1]:25"`.

use serde_json::{Value, json};
use url::Host;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct HostPort {
    /// A name in ASCII, or an address without brackets.
    pub(in super::super) host: String,
    pub(in super::super) port: u16,
}

impl Setting for HostPort {
    const EXPECTED: &'static str = "an address such as \"mail.example:25\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        match parse(&text) {
            Ok(address) => Some(address),
            Err(reason) => {
                let mistake = Mistake::InvalidAddress { got: shorten(&text), reason };
                problems.report(node.span(), mistake);
                None
            }
        }
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": "^.+:[0-9]{1,5}$" })
    }
}

fn parse(text: &str) -> Result<HostPort, String> {
    let (host, port) = text.rsplit_once(':').ok_or("it has no port")?;
    if host.contains(':') && !host.starts_with('[') {
        return Err("an IPv6 address stands in [brackets]".to_owned());
    }
    let digits = port.bytes().all(|b| b.is_ascii_digit());
    let port = port.parse::<u16>().ok().filter(|port| digits && *port > 0);
    let port = port.ok_or("the port is a number from 1 to 65535")?;
    let host = match Host::parse(host).map_err(|error| error.to_string())? {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Ok(HostPort { host, port })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::HostPort;

    #[test]
    fn names_and_addresses_with_ports() {
        for (text, host, port) in [
            ("'Mail.example:25'", "mail.example", 25),
            ("'192.0.2.1:1'", "192.0.2.1", 1),
            ("'[2001:db8::1]:65535'", "2001:db8::1", 65535),
        ] {
            assert_eq!(read(text), Ok(HostPort { host: host.to_owned(), port }), "{text}");
        }
        for text in [
            "'mail.example'",
            "':25'",
            "'a:0'",
            "'a:65536'",
            "'a:+5'",
            "'::1:25'",
            "'a b:25'",
            "'a:'",
        ] {
            assert!(read::<HostPort>(text).unwrap_err().starts_with("invalid_address"), "{text}");
        }
    }
}
