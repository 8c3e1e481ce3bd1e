//! URLs of the web, without credentials.

use serde_json::{Value, json};
use url::Url;

use super::super::mistake::{Mistake, shorten};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};

impl Setting for Url {
    const EXPECTED: &'static str = "a URL in quotes";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let text = Self::text(node, problems)?;
        let mistake = match Self::parse(&text) {
            Ok(url) => match fault(&url) {
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

    fn schema() -> Value {
        json!({ "type": "string", "format": "uri", "pattern": "^[hH][tT][tT][pP][sS]?://" })
    }
}

fn fault(url: &Url) -> Option<Mistake> {
    if !matches!(url.scheme(), "http" | "https") {
        return Some(Mistake::UrlScheme { scheme: shorten(url.scheme()) });
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Some(Mistake::UrlCredentials);
    }
    // The URL standard gives both schemes a host always; the port may still be nobody's.
    (url.port() == Some(0)).then(|| Mistake::InvalidUrl { reason: "port 0".to_owned() })
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::super::tests::read;

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
            ("'localhost:8080'", "url_scheme"),
            ("'https://user@desk.example'", "url_credentials"),
            ("'https://:secret@desk.example'", "url_credentials"),
        ] {
            assert!(read::<Url>(text).unwrap_err().starts_with(code), "{text}");
        }
    }
}
