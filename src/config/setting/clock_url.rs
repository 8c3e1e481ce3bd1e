//! Where a clock is read: `"https://desk.example/"`, or `"ntp://ntp1.example"`.

use serde_json::{Value, json};
use url::{Host, Url};

use super::super::mistake::Mistake;
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::web_url::read_url;

/// Where a clock is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum ClockUrl {
    /// Over HTTP.
    Web(Url),
    /// By NTP.
    Ntp {
        /// A name in ASCII, or an address without brackets.
        host: String,
        port: u16,
    },
}

/// The port that NTP has.
const NTP: u16 = 123;

impl Setting for ClockUrl {
    const EXPECTED: &'static str =
        "a URL such as \"https://desk.example/\" or \"ntp://ntp1.example\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let known = "`https://`, `http://` or `ntp://`";
        let url = read_url(&text, &["http", "https", "ntp"], known, node, problems)?;
        if url.scheme() != "ntp" {
            return Some(Self::Web(url));
        }
        match ntp(&url) {
            Ok(server) => Some(server),
            Err(reason) => {
                problems.report(node.span(), Mistake::InvalidUrl { reason });
                None
            }
        }
    }

    fn schema() -> Value {
        let pattern = "^([hH][tT][tT][pP][sS]?|[nN][tT][pP])://";
        json!({ "type": "string", "format": "uri", "pattern": pattern })
    }
}

fn ntp(url: &Url) -> Result<ClockUrl, String> {
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("an NTP server has no paths".to_owned());
    }
    // Of a scheme that it does not know the URL's standard leaves the host as it is written.
    let host =
        Host::parse(url.host_str().unwrap_or_default()).map_err(|error| error.to_string())?;
    let host = match host {
        Host::Domain(name) => name,
        Host::Ipv4(address) => address.to_string(),
        Host::Ipv6(address) => address.to_string(),
    };
    Ok(ClockUrl::Ntp { host, port: url.port().unwrap_or(NTP) })
}

#[cfg(test)]
mod tests {
    use super::super::tests::read;
    use super::ClockUrl;

    #[test]
    fn the_web_and_ntp_servers() {
        for (text, host, port) in [
            ("'ntp://Ntp1.example'", "ntp1.example", 123),
            ("'NTP://ntp1.example:1123/'", "ntp1.example", 1123),
            ("'ntp://correção.example'", "xn--correo-7ta5a.example", 123),
            ("'ntp://192.0.2.1'", "192.0.2.1", 123),
            ("'ntp://[2001:DB8::1]:11123'", "2001:db8::1", 11123),
        ] {
            let wanted = ClockUrl::Ntp { host: host.to_owned(), port };
            assert_eq!(read(text), Ok(wanted), "{text}");
        }
        assert!(matches!(read("'https://desk.example'"), Ok(ClockUrl::Web(_))));
        for (text, code) in [
            ("'sntp://desk.example'", "url_scheme"),
            ("'desk.example:123'", "url_scheme"),
            ("'ntp1.example'", "invalid_url"),
            ("'ntp://'", "invalid_url"),
            ("'ntp://a b'", "invalid_url"),
            ("'ntp://a:0'", "invalid_url"),
            ("'ntp://ntp1.example/time'", "invalid_url"),
            ("'ntp://ntp1.example?v=4'", "invalid_url"),
            ("'ntp://me@ntp1.example'", "url_credentials"),
            ("123", "wrong_type"),
        ] {
            assert!(read::<ClockUrl>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
