//! The cookies of one run: given by one answer, sent with the next request, then forgotten.

use cookie_store::CookieStore;
use http::HeaderValue;
use url::Url;

/// Longest cookie that is kept, and most of them, as browsers have it.
const LONGEST: usize = 4096;
const MOST: usize = 50;

/// What has been given so far. Cookies belong to the host that the URL names, whichever address
/// answered for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Jar(CookieStore);

impl Jar {
    /// Keeps what an answer from `url` gives.
    pub(super) fn keep(&mut self, given: &[HeaderValue], url: &Url) {
        for text in given.iter().filter_map(|value| value.to_str().ok()) {
            if text.len() <= LONGEST && self.0.iter_any().count() < MOST {
                // One that cannot be read, or is for somebody else, is no cookie.
                let _ = self.0.parse(text, url);
            }
        }
    }

    /// What is sent to `url`, if anything.
    pub(super) fn header(&self, url: &Url) -> Option<HeaderValue> {
        let mut pairs: Vec<String> =
            self.0.get_request_values(url).map(|(name, value)| format!("{name}={value}")).collect();
        // The store has no order; what is sent must not change from run to run.
        pairs.sort_unstable();
        let mut value = HeaderValue::from_str(&pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        (!pairs.is_empty()).then_some(value)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::{Jar, LONGEST, MOST};

    fn jar(given: &[String]) -> Jar {
        let mut jar = Jar::default();
        let given: Vec<_> = given.iter().map(|text| text.parse::<HeaderValue>().unwrap()).collect();
        jar.keep(&given, &"https://desk.example/a/b".parse().unwrap());
        jar
    }

    fn sent(given: &[&str], to: &str) -> String {
        let jar = jar(&given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let header = jar.header(&to.parse().unwrap());
        header.map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[test]
    fn cookies_go_where_they_belong() {
        let given = [
            "z=1",
            "a=2; Path=/",
            "s=3; Secure; Path=/",
            "d=4; Domain=desk.example; Path=/",
            "e=5; Domain=other.example; Path=/",
            "gone=6; Max-Age=0; Path=/",
            "nonsense",
        ];
        assert_eq!(sent(&given, "https://desk.example/a/c"), "a=2; d=4; s=3; z=1");
        assert_eq!(sent(&given, "http://desk.example/c"), "a=2; d=4");
        assert_eq!(sent(&given, "https://www.desk.example/"), "d=4");
        assert_eq!(sent(&given, "https://other.example/"), "");
    }

    #[test]
    fn a_jar_has_a_bottom() {
        let many: Vec<String> = (0..10_000).map(|n| format!("n{n}=x; Path=/")).collect();
        assert_eq!(jar(&many).0.iter_any().count(), MOST);
        let long = format!("n={}; Path=/", "x".repeat(LONGEST));
        assert_eq!(jar(&[long]).0.iter_any().count(), 0);
    }
}
