//! Requests and what redirects make of them.

use std::sync::Arc;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{HeaderName, HeaderValue, Method};

use super::super::ground::Opening;
use super::{Redirect, Request, authority, target};
use crate::model::Reason;
use crate::net::wire::Speaks;

fn post() -> Request {
    let url: url::Url = "https://desk.example:8443/a/b?c".parse().unwrap();
    let mut request = Request {
        target: target(&url).unwrap(),
        url,
        method: Method::POST,
        headers: [
            (CONTENT_TYPE, "text/plain"),
            (AUTHORIZATION, "Bearer secret"),
            (HOST, "other.example"),
            (HeaderName::from_static("x-plain"), "plain"),
        ]
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .into_iter()
        .collect(),
        body: Some(Arc::from(*b"words")),
        initiator: None,
    };
    let mut secret = HeaderValue::from_static("secret");
    secret.set_sensitive(true);
    request.headers.insert("x-key", secret);
    request
}

fn redirected(request: Request, status: u16, location: &'static str) -> Result<Request, Reason> {
    let location = Some(HeaderValue::from_static(location));
    request.follow(&Redirect { status, location })
}

fn names(request: &Request) -> Vec<&str> {
    let mut names: Vec<&str> = request.headers.keys().map(HeaderName::as_str).collect();
    names.sort_unstable();
    names
}

#[test]
fn what_becomes_of_method_and_body() {
    for (status, method, next) in [
        (301, Method::POST, Method::GET),
        (302, Method::POST, Method::GET),
        (303, Method::POST, Method::GET),
        (307, Method::POST, Method::POST),
        (308, Method::POST, Method::POST),
        (301, Method::PUT, Method::PUT),
        (303, Method::PUT, Method::GET),
        (303, Method::HEAD, Method::HEAD),
    ] {
        let mut request = post();
        request.method = method.clone();
        let followed = redirected(request, status, "/d").unwrap();
        assert_eq!(followed.method, next, "{status} after {method}");
        let kept = status >= 307 || next == method;
        assert_eq!(followed.body.is_some(), kept, "{status} after {method}");
        assert_eq!(followed.headers.contains_key(CONTENT_TYPE), kept, "{status} after {method}");
    }
}

#[test]
fn locations_are_read_as_a_browser_does() {
    for (location, url) in [
        ("d", "https://desk.example:8443/a/d"),
        ("/d?e#f", "https://desk.example:8443/d?e"),
        ("?e", "https://desk.example:8443/a/b?e"),
        ("//www.example", "https://www.example/"),
        ("http://www.example:80", "http://www.example/"),
    ] {
        assert_eq!(redirected(post(), 302, location).unwrap().url.as_str(), url);
    }
    for location in ["mailto:a@b.example", "https://", "https://a b/", "data:,x"] {
        let outcome = redirected(post(), 302, location).unwrap_err();
        assert_eq!(outcome, Reason::RedirectInvalid, "{location}");
    }
    let without = Redirect { status: 302, location: None };
    assert_eq!(post().follow(&without).unwrap_err(), Reason::RedirectInvalid);
}

#[test]
fn credentials_stay_with_their_origin() {
    let same = redirected(post(), 307, "/d").unwrap();
    assert_eq!(names(&same), ["authorization", "content-type", "host", "x-key", "x-plain"]);
    for elsewhere in
        ["https://www.example:8443/", "https://desk.example/", "http://desk.example:8443/"]
    {
        let other = redirected(post(), 307, elsewhere).unwrap();
        assert_eq!(names(&other), ["content-type", "x-plain"], "{elsewhere}");
        // And are not found again on the way back.
        let back = redirected(other, 307, "https://desk.example:8443/").unwrap();
        assert_eq!(names(&back), ["content-type", "x-plain"], "{elsewhere}");
    }
}

#[test]
fn a_configured_host_is_sent_and_the_port_only_where_it_is_unusual() {
    let wire = Box::new(tokio::io::empty());
    let opening = Opening { wire, speaks: Speaks::Http1, proxy: None, traced: false };
    assert_eq!(post().encode(&opening, None).headers()[HOST], "other.example");
    for (url, host) in [
        ("https://desk.example/", "desk.example"),
        ("https://desk.example:443/", "desk.example"),
        ("http://desk.example:443/", "desk.example:443"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ] {
        assert_eq!(authority(&url.parse().unwrap()), host);
    }
}
