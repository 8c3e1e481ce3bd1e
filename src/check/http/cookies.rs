//! The cookies of one run: given by one answer, sent with the next request, then forgotten.

use cookie_store::{Cookie, CookieStore, RawCookie};
use http::HeaderValue;
use url::{Host, Url};

use super::initiator::{Crossing, is_public_suffix};

/// Longest cookie that is kept, and most of them, as browsers have it.
const LONGEST: usize = 4096;
const MOST: usize = 50;

/// What has been given so far. Cookies belong to the host that the URL names, whichever address
/// answered for it.
#[derive(Clone, Debug, Default)]
pub(in crate::check) struct Jar(CookieStore);

impl Jar {
    /// Keeps what an answer from `url` gives.
    pub(in crate::check) fn keep(&mut self, given: &[HeaderValue], url: &Url) {
        for text in given.iter().filter_map(|value| value.to_str().ok()) {
            let Ok(mut cookie) = RawCookie::parse(text) else { continue };
            if text.len() > LONGEST || !is_kept(&mut cookie, url) {
                continue;
            }
            if self.0.iter_any().count() < MOST {
                // One that is for somebody else is no cookie.
                let _ = self.0.insert_raw(&cookie, url);
            }
        }
    }

    /// The value of the cookie of this name that is sent to `url`.
    pub(in crate::check) fn value(&self, name: &str, url: &Url) -> Option<&str> {
        self.0.get_request_values(url).find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// What a request sends to `url` that comes there by `crossing`, if anything. A cookie that
    /// says nothing of other sites goes along: where browsers take that for `Lax`, they make an
    /// exception for the first two minutes, and a run is no longer.
    pub(super) fn header(&self, url: &Url, crossing: Crossing) -> Option<HeaderValue> {
        let goes = |cookie: &&Cookie<'static>| match crossing {
            Crossing::No => true,
            Crossing::Safely => !cookie.same_site().is_some_and(|it| it.is_strict()),
            Crossing::Unsafely => cookie.same_site().is_none_or(|it| it.is_none()),
        };
        let mut pairs: Vec<String> = self
            .0
            .matches(url)
            .into_iter()
            .filter(goes)
            .map(|cookie| format!("{}={}", cookie.name(), cookie.value()))
            .collect();
        // The store has no order; what is sent must not change from run to run.
        pairs.sort_unstable();
        let mut value = HeaderValue::from_str(&pairs.join("; ")).ok()?;
        value.set_sensitive(true);
        (!pairs.is_empty()).then_some(value)
    }
}

/// Whether browsers keep a cookie that `url` gives (RFC 6265bis, 5.7).
///
/// 1. Who is not secure gives nothing that must be.
/// 2. What all sites' requests carry must be secure.
/// 3. A name that promises something must keep it.
/// 4. A domain that nobody can own is nobody's, unless it is the host itself, and its alone.
fn is_kept(cookie: &mut RawCookie<'_>, url: &Url) -> bool {
    let secure = cookie.secure().unwrap_or(false);
    let is_public = cookie.domain().is_some_and(is_public_suffix);
    if is_public && cookie.domain() == url.host_str() {
        cookie.unset_domain();
    }
    let name = cookie.name().to_ascii_lowercase();
    let goes_everywhere = cookie.same_site().is_some_and(|it| it.is_none());
    let must_be_secure = goes_everywhere || name.starts_with("__secure-");
    let well_secured = if secure { is_secure(url) } else { !must_be_secure };
    let is_of_host = secure && cookie.domain().is_none() && cookie.path() == Some("/");
    well_secured
        && (is_of_host || !name.starts_with("__host-"))
        && (!is_public || cookie.domain().is_none())
}

/// Whether browsers take `url` for secure: this host itself needs no TLS.
fn is_secure(url: &Url) -> bool {
    let is_here = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    is_here || url.scheme() == "https"
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::{Crossing, Jar, LONGEST, MOST};

    fn jar(given: &[String]) -> Jar {
        let mut jar = Jar::default();
        let given: Vec<_> = given.iter().map(|text| text.parse::<HeaderValue>().unwrap()).collect();
        jar.keep(&given, &"https://desk.example/a/b".parse().unwrap());
        jar
    }

    fn sent(given: &[&str], to: &str) -> String {
        let jar = jar(&given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        let header = jar.header(&to.parse().unwrap(), Crossing::No);
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
    fn cookies_and_other_sites() {
        let given = [
            "s=1; SameSite=Strict; Path=/",
            "l=2; SameSite=Lax; Path=/",
            "n=3; SameSite=None; Secure; Path=/",
            "u=4; Path=/",
            "open=5; SameSite=None; Path=/",
        ];
        let jar = jar(&given.map(str::to_owned));
        for (crossing, sent) in [
            (Crossing::No, "l=2; n=3; s=1; u=4"),
            (Crossing::Safely, "l=2; n=3; u=4"),
            (Crossing::Unsafely, "n=3; u=4"),
        ] {
            let header = jar.header(&"https://desk.example/".parse().unwrap(), crossing);
            assert_eq!(header.unwrap(), sent, "{crossing:?}");
        }
    }

    #[test]
    fn cookies_that_no_browser_keeps() {
        let kept = |given: &str, by: &str| {
            let mut jar = Jar::default();
            let by = by.parse().unwrap();
            jar.keep(&[given.parse().unwrap()], &by);
            jar.value(given.split('=').next().unwrap(), &by).is_some()
        };
        for (given, by, expected) in [
            ("a=1; Secure", "https://desk.example/", true),
            ("a=1; Secure", "http://desk.example/", false),
            ("a=1; Secure", "http://127.0.0.1/", true),
            ("__Secure-a=1", "https://desk.example/", false),
            ("__Secure-a=1; Secure", "https://desk.example/", true),
            ("__Host-a=1; Secure; Path=/", "https://desk.example/", true),
            ("__Host-a=1; Secure", "https://desk.example/", false),
            ("__Host-a=1; Secure; Path=/; Domain=desk.example", "https://desk.example/", false),
            ("a=1; Domain=co.uk", "https://desk.co.uk/", false),
            ("a=1; Domain=github.io", "https://github.io/", true),
            ("a=1; Domain=desk.co.uk", "https://www.desk.co.uk/", true),
        ] {
            assert_eq!(kept(given, by), expected, "{given} by {by}");
        }
    }

    #[test]
    fn a_jar_has_a_bottom() {
        let many: Vec<String> = (0..10_000).map(|n| format!("n{n}=x; Path=/")).collect();
        assert_eq!(jar(&many).0.iter_any().count(), MOST);
        let long = format!("n={}; Path=/", "x".repeat(LONGEST));
        assert_eq!(jar(&[long]).0.iter_any().count(), 0);
    }
}
