//! URLs of the web and of WebSockets, without credentials.

use serde_json::{Value, json};
use url::Url;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

const WEB: (&[&str], &str) = (&["http", "https"], "`https://` or `http://`");

impl Setting for Url {
    const EXPECTED: &'static str = "a URL in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let (schemes, known) = WEB;
        read_url(&text, schemes, known, node, problems)
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uri", "pattern": "^[hH][tT][tT][pP][sS]?://" })
    }
}

/// Where a WebSocket is: `wss` or `ws`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct SocketUrl(pub(in super::super) Url);

impl Setting for SocketUrl {
    const EXPECTED: &'static str = "a URL such as \"wss://desk.example/live\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        read_url(&text, &["ws", "wss"], "`wss://` or `ws://`", node, problems).map(Self)
    }

    fn schema() -> Value {
        json!({ "type": "string", "format": "uri", "pattern": "^[wW][sS][sS]?://" })
    }
}

/// Reads a URL of one of `schemes`.
pub(super) fn read_url(
    text: &str,
    schemes: &[&str],
    known: &'static str,
    node: &Node<'_>,
    problems: &mut Problems<'_>,
) -> Option<Url> {
    let mistake = match Url::parse(text) {
        Ok(url) => match fault(&url, schemes, known) {
            None => return Some(url),
            Some(mistake) => mistake,
        },
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            Mistake::InvalidUrl { reason: "it has no scheme".to_owned() }
        }
        Err(error) => Mistake::InvalidUrl { reason: error.to_string() },
    };
    // Whatever else is wrong with it: before an `@` there may be a password.
    if text.contains('@') {
        problems.hide(node.span());
    }
    problems.report(node.span(), mistake);
    None
}

/// What is wrong with a URL that is one of the web.
pub(in super::super) fn web_fault(url: &Url) -> Option<Mistake> {
    let (schemes, known) = WEB;
    fault(url, schemes, known)
}

fn fault(url: &Url, schemes: &[&str], known: &'static str) -> Option<Mistake> {
    if !schemes.contains(&url.scheme()) {
        return Some(Mistake::UrlScheme { scheme: shorten(url.scheme()), known });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some(Mistake::UrlCredentials);
    }
    // The URL standard gives all these schemes a host always; the port may still be nobody's.
    (url.port() == Some(0)).then(|| Mistake::InvalidUrl { reason: "port 0".to_owned() })
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::tests::read;
    use super::SocketUrl;

    #[test]
    fn takes_the_web_and_no_credentials() {
        for text in ["'https://desk.example/health'", "'http://[::1]:8080'", "'https://é.example'"]
        {
            assert!(read::<Url>(text).is_ok(), "{text}");
        }
        for (text, code) in [
            ("'desk.example/health'", "invalid_url"),
            ("'https://'", "invalid_url"),
            ("'https://a:99999/'", "invalid_url"),
            ("'http://a:0/'", "invalid_url"),
            ("'ftp://desk.example'", "url_scheme"),
            ("'wss://desk.example'", "url_scheme"),
            ("'localhost:8080'", "url_scheme"),
            ("'https://user@desk.example'", "url_credentials"),
            ("'https://:secret@desk.example'", "url_credentials"),
        ] {
            assert!(read::<Url>(text).unwrap_err().starts_with(code), "{text}");
        }
    }

    #[test]
    fn a_websocket_has_schemes_of_its_own() {
        for text in ["'wss://desk.example/live?room=1'", "'ws://[::1]:8080'"] {
            assert!(read::<SocketUrl>(text).is_ok(), "{text}");
        }
        for (text, code) in [
            ("'https://desk.example'", "url_scheme"),
            ("'wss://'", "invalid_url"),
            ("'ws://a:0/'", "invalid_url"),
            ("'wss://user:secret@desk.example'", "url_credentials"),
        ] {
            assert!(read::<SocketUrl>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
