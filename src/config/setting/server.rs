//! Name servers: an address, with a port if it is not 53, or a URL that says how to talk to it.

use std::net::{IpAddr, SocketAddr};

use rustls::pki_types::ServerName;
use serde_json::{Value, json};
use url::Url;

use super::super::mistake::{Mistake, shorten};
use super::super::plan::{DnsTransport, NameServer};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

/// Where a DoH server listens if its URL does not say; the path of RFC 8484's examples, which
/// nearly all have taken over.
const PATH: &str = "/dns-query";

impl Setting for NameServer {
    const EXPECTED: &'static str = "an address such as \"192.0.2.53\", or a URL";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let server = parse(&text);
        if server.is_none() {
            problems.report(node.span(), Mistake::InvalidServer { got: shorten(&text) });
        }
        server
    }

    fn schema() -> Value {
        json!({ "type": "string", "pattern": r"^([0-9a-fA-F.:\[\]]+|(udp|tcp|tls|https)://.+)$" })
    }
}

fn parse(text: &str) -> Option<NameServer> {
    if text.contains("://") { of_url(text) } else { of_address(text).map(NameServer::from) }
}

fn of_address(text: &str) -> Option<SocketAddr> {
    let address = bare(text).parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 53));
    address.or_else(|| text.parse().ok()).filter(|address| address.port() != 0)
}

/// A URL: `udp`, `tcp`, `tls` or `https`. A fragment is the name that the certificate must be for,
/// where that is not the host: `tls://192.0.2.53#dns.example`, as other resolvers spell it.
fn of_url(text: &str) -> Option<NameServer> {
    let url = Url::parse(text).ok()?;
    let host = bare(url.host_str()?).to_owned();
    let name = match url.fragment() {
        Some(name) => Some(name.to_owned()),
        None => Some(host.clone()),
    };
    let named = || name.filter(|name| is_name(name));
    let plain_path = matches!(url.path(), "" | "/");
    let (over, port) = match url.scheme() {
        "udp" if plain_path && url.fragment().is_none() => (DnsTransport::Udp, 53),
        "tcp" if plain_path && url.fragment().is_none() => (DnsTransport::Tcp, 53),
        "tls" if plain_path => (DnsTransport::Tls { name: named()? }, 853),
        "https" => {
            let path = if plain_path { PATH } else { url.path() }.to_owned();
            (DnsTransport::Https { name: named()?, path }, 443)
        }
        _ => return None,
    };
    let port = url.port().unwrap_or(port);
    let bare_url =
        url.username().is_empty() && url.password().is_none() && url.query().is_none() && port != 0;
    (bare_url && is_name(&host)).then_some(NameServer { host, port, over })
}

/// Whether a certificate can be for it.
fn is_name(text: &str) -> bool {
    ServerName::try_from(text).is_ok()
}

fn bare(text: &str) -> &str {
    text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::{DnsTransport, NameServer};

    fn server(host: &str, port: u16, over: DnsTransport) -> NameServer {
        NameServer { host: host.to_owned(), port, over }
    }

    #[test]
    fn addresses_and_never_names() {
        for (text, host, port) in [
            ("'127.0.0.1'", "127.0.0.1", 53),
            ("'127.0.0.1:5353'", "127.0.0.1", 5353),
            ("'::1'", "::1", 53),
            ("'[::1]'", "::1", 53),
            ("'[::1]:5353'", "::1", 5353),
        ] {
            let udp = server(host, port, DnsTransport::Udp);
            assert_eq!(read::<NameServer>(text), Ok(udp), "{text}");
        }
        for text in ["'dns.example'", "'localhost:53'", "''", "'127.0.0.1:0'", "'127.0.0.1:'"] {
            assert!(read::<NameServer>(text).unwrap_err().starts_with("invalid_server"), "{text}");
        }
    }

    #[test]
    fn urls_say_how_and_to_whom() {
        let tls = |name: &str| DnsTransport::Tls { name: name.to_owned() };
        let https = |name: &str, path: &str| DnsTransport::Https {
            name: name.to_owned(),
            path: path.to_owned(),
        };
        for (text, expected) in [
            ("'udp://192.0.2.53'", server("192.0.2.53", 53, DnsTransport::Udp)),
            ("'tcp://[2001:db8::1]:5353'", server("2001:db8::1", 5353, DnsTransport::Tcp)),
            ("'udp://ns1.example'", server("ns1.example", 53, DnsTransport::Udp)),
            ("'tls://192.0.2.53'", server("192.0.2.53", 853, tls("192.0.2.53"))),
            ("'tls://192.0.2.53#dns.example'", server("192.0.2.53", 853, tls("dns.example"))),
            ("'tls://dns.example:8853'", server("dns.example", 8853, tls("dns.example"))),
            (
                "'https://dns.example'",
                server("dns.example", 443, https("dns.example", "/dns-query")),
            ),
            (
                "'https://[::1]:8443/ask#dns.example'",
                server("::1", 8443, https("dns.example", "/ask")),
            ),
        ] {
            assert_eq!(read::<NameServer>(text), Ok(expected), "{text}");
        }
        for text in [
            "'udp://'",
            "'http://dns.example'",
            "'quic://192.0.2.53'",
            "'udp://192.0.2.53/path'",
            "'udp://192.0.2.53#dns.example'",
            "'tls://192.0.2.53/path'",
            "'tls://192.0.2.53#dns example'",
            "'tls://192.0.2.53#'",
            "'tls://192.0.2.53:0'",
            "'https://user@dns.example'",
            "'https://dns.example/?dns=a'",
            "'udp://dns_example!'",
        ] {
            assert!(read::<NameServer>(text).is_err(), "{text}");
        }
    }
}
