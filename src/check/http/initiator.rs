//! The page that a request is made from: what a browser tells of it, and which cookies go along.
//! Pure.

use http::header::{ORIGIN, REFERER};
use http::{HeaderMap, HeaderValue, Method};
use url::{Host, Url};

/// The page on which something was clicked or sent off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::check) struct Initiator {
    page: Url,
    /// Redirects have gone through so many origins that none can be told any more.
    opaque: bool,
}

/// How a request leaves the site of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) enum Crossing {
    /// It does not, or there is no page: as if somebody had typed the address.
    No,
    /// To look at something elsewhere.
    Safely,
    /// To change something elsewhere.
    Unsafely,
}

impl Initiator {
    pub(in crate::check) fn new(page: Url) -> Self {
        Self { page, opaque: false }
    }

    /// How a request to `url` leaves the page's site. As RFC 6265bis has it, only where it began
    /// and where it goes count, whatever redirects led there.
    pub(super) fn crossing(&self, url: &Url, method: &Method) -> Crossing {
        match () {
            () if site(&self.page) == site(url) => Crossing::No,
            () if method.is_safe() => Crossing::Safely,
            () => Crossing::Unsafely,
        }
    }

    /// A redirect leads from `here` to `next`. Whoever is asked after a detour over a third origin
    /// is not told who began (Fetch, 4.4).
    pub(super) fn redirected(&mut self, here: &Url, next: &Url) {
        self.opaque |= here.origin() != next.origin() && self.page.origin() != here.origin();
    }

    /// Adds what a browser says of the page to a request for `url`, by the policy that is theirs
    /// unless a page has another: `strict-origin-when-cross-origin`.
    pub(super) fn tell(&self, url: &Url, method: &Method, headers: &mut HeaderMap) {
        let origin = self.page.origin().ascii_serialization();
        if !method.is_safe() && !headers.contains_key(ORIGIN) {
            let origin = if self.opaque { "null" } else { &origin };
            headers.extend(HeaderValue::from_str(origin).ok().map(|origin| (ORIGIN, origin)));
        }
        let is_downgrade = self.page.scheme() == "https" && url.scheme() != "https";
        if is_downgrade || headers.contains_key(REFERER) {
            return;
        }
        let referer = if self.page.origin() == url.origin() {
            let mut page = self.page.clone();
            page.set_fragment(None);
            // URLs of the web can have none of these refused.
            let _ = (page.set_username(""), page.set_password(None));
            page.into()
        } else {
            format!("{origin}/")
        };
        let referer = HeaderValue::from_str(&referer).ok().map(|mut referer| {
            referer.set_sensitive(true);
            referer
        });
        headers.extend(referer.map(|referer| (REFERER, referer)));
    }
}

/// The scheme and the domain that somebody has registered; a host that is no such name is a site.
fn site(url: &Url) -> (&str, String) {
    let host = match url.host() {
        Some(Host::Domain(name)) => psl::domain_str(name).unwrap_or(name).to_owned(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    (url.scheme(), host)
}

/// Whether nobody can own `domain`: what is given to all of it is given to strangers.
pub(super) fn is_public_suffix(domain: &str) -> bool {
    psl::suffix_str(domain) == Some(domain)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::{Crossing, Initiator, is_public_suffix};

    fn from(page: &str) -> Initiator {
        Initiator::new(page.parse().unwrap())
    }

    #[test]
    fn sites() {
        use Crossing::{No, Safely, Unsafely};
        let page = "https://desk.example.co.uk/login";
        for (url, get, post) in [
            ("https://desk.example.co.uk/", No, No),
            ("https://idp.example.co.uk:8443/", No, No),
            ("http://desk.example.co.uk/", Safely, Unsafely),
            ("https://other.co.uk/", Safely, Unsafely),
            ("https://127.0.0.1/", Safely, Unsafely),
        ] {
            let url = url.parse().unwrap();
            assert_eq!(from(page).crossing(&url, &Method::GET), get, "{url}");
            assert_eq!(from(page).crossing(&url, &Method::POST), post, "{url}");
        }
        for (page, url, crossing) in [
            ("http://127.0.0.1:1/", "http://127.0.0.1:2/", No),
            ("http://127.0.0.1/", "http://127.0.0.2/", Safely),
            ("http://localhost/", "http://localhost/", No),
            ("https://one.github.io/", "https://two.github.io/", Safely),
        ] {
            assert_eq!(from(page).crossing(&url.parse().unwrap(), &Method::GET), crossing, "{url}");
        }
        assert!(is_public_suffix("co.uk") && is_public_suffix("github.io"));
        assert!(!is_public_suffix("example.co.uk"));
    }

    #[test]
    fn what_is_told_of_the_page() {
        let told = |initiator: &Initiator, url: &str, method: Method| {
            let mut headers = HeaderMap::new();
            initiator.tell(&url.parse().unwrap(), &method, &mut headers);
            let text =
                |name| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
            (text("origin"), text("referer"))
        };
        let own = |origin: &str, referer: &str| (origin.to_owned(), referer.to_owned());
        let mut page = from("https://me@desk.example/login?next=a#top");
        let (here, next) = ("https://desk.example/session", "https://idp.example/");
        let whole = "https://desk.example/login?next=a";
        assert_eq!(told(&page, here, Method::POST), own("https://desk.example", whole));
        assert_eq!(told(&page, here, Method::GET), own("", whole));
        let away = own("https://desk.example", "https://desk.example/");
        page.redirected(&here.parse().unwrap(), &next.parse().unwrap());
        assert_eq!(told(&page, next, Method::POST), away);
        page.redirected(&next.parse().unwrap(), &"https://third.example/".parse().unwrap());
        assert_eq!(told(&page, "https://third.example/", Method::POST).0, "null");
        assert_eq!(told(&page, "http://desk.example/", Method::GET), own("", ""));
    }
}
