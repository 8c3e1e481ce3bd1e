//! Parts of an address: a host alone, and a host with or without a port.

use std::net::IpAddr;

use http::uri::Authority;
use serde_json::{Value, json};
use url::Host;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// A name, or an IP address without brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct HostName(pub(in super::super) String);

impl Setting for HostName {
    const EXPECTED: &'static str = "a name such as \"desk.example\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let host = text.parse::<IpAddr>().map(|address| Ok(address.to_string()));
        let host = host.unwrap_or_else(|_| match Host::parse(&text) {
            Ok(Host::Domain(name)) => Ok(name),
            Ok(Host::Ipv4(address)) => Ok(address.to_string()),
            Ok(Host::Ipv6(address)) => Ok(address.to_string()),
            Err(error) => Err(error.to_string()),
        });
        or_report(host, &text, node, problems).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// A host, with a port or without.
impl Setting for Authority {
    const EXPECTED: &'static str = "a host such as \"desk.example\" or \"desk.example:8443\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let authority = if text.contains('@') {
            problems.hide(node.span());
            Err("it has an `@`".to_owned())
        } else {
            text.parse().map_err(|_| "it has characters that no host has".to_owned())
        };
        or_report(authority, &text, node, problems)
    }

    fn schema() -> Value {
        json!({ "type": "string", "minLength": 1 })
    }
}

/// What became of reading `text`, which should have been a name; what is wrong with it is reported.
pub(super) fn or_report<T>(
    outcome: Result<T, String>,
    text: &str,
    node: &Node<'_>,
    problems: &mut Problems<'_>,
) -> Option<T> {
    outcome
        .map_err(|reason| {
            let mistake = Mistake::InvalidDomain { got: shorten(text), reason };
            problems.report(node.span(), mistake);
        })
        .ok()
}

#[cfg(test)]
mod tests {
    use http::uri::Authority;

    use super::super::tests::read;
    use super::HostName;

    #[test]
    fn names_and_ports() {
        for (text, host) in
            [("'Desk.example'", "desk.example"), ("'::1'", "::1"), ("'[::1]'", "::1")]
        {
            assert_eq!(read(text), Ok(HostName(host.to_owned())), "{text}");
        }
        assert!(read::<HostName>("'a b'").unwrap_err().starts_with("invalid_domain"));
        assert!(read::<Authority>("'desk.example:8443'").is_ok());
        for text in ["'a b'", "''", "'user@desk.example'", "'desk.example/path'"] {
            assert!(read::<Authority>(text).unwrap_err().starts_with("invalid_domain"), "{text}");
        }
    }
}
