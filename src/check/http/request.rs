//! What is sent: the configured request, and what a redirect makes of it. Pure.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, COOKIE, HOST, PROXY_AUTHORIZATION, USER_AGENT,
};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use http_body_util::Full;
use url::{Position, Url};

use super::super::header;
use super::auth::Authorization;
use super::decode;
use super::ground::Opening;
use super::initiator::{Crossing, Initiator};
use crate::config::{HttpCheck, HttpClient, OAuth2, RequestBody, SecretRef, Secrets};
use crate::model::Reason;
use crate::net::wire::Speaks;

/// Who we are, to whoever reads a target's logs.
pub(in super::super) const OUR_NAME: &str = concat!("farol/", env!("CARGO_PKG_VERSION"));

/// Headers that are for one origin only, whatever the configuration calls them.
const CREDENTIALS: [HeaderName; 3] = [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];

/// Headers that speak of a body, and go when it goes.
const OF_THE_BODY: [HeaderName; 3] = [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING];

/// An answer that points elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Redirect {
    pub(super) status: u16,
    pub(super) location: Option<HeaderValue>,
}

/// One request of an exchange.
#[derive(Clone, Debug)]
pub(in crate::check) struct Request {
    pub(in crate::check) url: Url,
    /// The URL as a request line has it.
    target: Uri,
    pub(super) method: Method,
    headers: HeaderMap,
    body: Option<Arc<[u8]>>,
    /// The page that it is made from, if it is one's.
    initiator: Option<Initiator>,
}

impl Request {
    /// A request for `url`, as a page makes it or, without one, whoever types addresses; `None` if
    /// HTTP cannot carry it.
    pub(in crate::check) fn new(
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Arc<[u8]>>,
        initiator: Option<Initiator>,
    ) -> Option<Self> {
        Some(Self { target: target(&url)?, url, method, headers, body, initiator })
    }

    /// What `client` has in all its requests to where it is at home.
    pub(in crate::check) fn at_home(
        mut self,
        client: &HttpClient,
        authorization: Option<&Authorization>,
    ) -> Self {
        if let Some(own) = authorization {
            self.headers.entry(AUTHORIZATION).or_insert(own.header.clone());
        }
        if let Some(host) = &client.host {
            self.headers.extend(HeaderValue::from_str(host.as_str()).ok().map(|host| (HOST, host)));
        }
        self
    }

    /// The request as configured, with its secrets filled in.
    pub(in crate::check) fn first(
        http: &HttpCheck,
        secrets: &Secrets,
        authorization: Option<&Authorization>,
    ) -> Result<Self, Reason> {
        let mut headers = HeaderMap::new();
        headers.extend(authorization.map(|own| (AUTHORIZATION, own.header.clone())));
        for (name, text) in &http.headers {
            headers.append(name, header::value(text, secrets)?);
        }
        let target = target(&http.url).ok_or_else(|| Reason::ProberMisconfigured {
            detail: format!("a path that HTTP can carry: {}", http.url.path()),
        })?;
        if let Some(host) = &http.client.host {
            // What is an authority is a header's value too.
            headers.extend(HeaderValue::from_str(host.as_str()).ok().map(|host| (HOST, host)));
        }
        if http.client.compression {
            headers.entry(ACCEPT_ENCODING).or_insert(HeaderValue::from_static(decode::ACCEPTED));
        }
        Ok(Self {
            url: http.url.clone(),
            target,
            method: http.method.clone(),
            headers,
            body: http.body.as_ref().map(|body| text(body, secrets)).transpose()?,
            initiator: None,
        })
    }

    /// A request for a token, as whoever has `authorization`.
    pub(super) fn for_token(oauth2: &OAuth2, authorization: HeaderValue) -> Result<Self, Reason> {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", "client_credentials");
        if !oauth2.scopes.is_empty() {
            form.append_pair("scope", &oauth2.scopes.join(" "));
        }
        let target = target(&oauth2.token_url).ok_or_else(|| Reason::ProberMisconfigured {
            detail: format!("a path that HTTP can carry: {}", oauth2.token_url.path()),
        })?;
        let json = HeaderValue::from_static("application/json");
        let encoded = HeaderValue::from_static("application/x-www-form-urlencoded");
        Ok(Self {
            url: oauth2.token_url.clone(),
            target,
            method: Method::POST,
            headers: [(AUTHORIZATION, authorization), (ACCEPT, json), (CONTENT_TYPE, encoded)]
                .into_iter()
                .collect(),
            body: Some(Arc::from(form.finish().into_bytes())),
            initiator: None,
        })
    }

    /// The request as HTTP sends it. Headers that every request has give way to configured ones,
    /// but for `Connection`: each run must have its own. HTTP/2 has neither it nor `Host`, which
    /// goes into the URL.
    pub(super) fn encode(
        &self,
        opening: &Opening,
        cookies: Option<&HeaderValue>,
    ) -> http::Request<Full<Bytes>> {
        let body = self.body.clone().map_or_else(Bytes::new, Bytes::from_owner);
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        let headers = request.headers_mut();
        *headers = self.headers.clone();
        if let Some(cookies) = cookies {
            let own = headers.get(COOKIE).map(HeaderValue::as_bytes);
            let all =
                own.into_iter().chain([cookies.as_bytes()]).collect::<Vec<_>>().join(&b"; "[..]);
            headers.extend(HeaderValue::from_bytes(&all).ok().map(|all| (COOKIE, all)));
        }
        if let Ok(host) = HeaderValue::from_str(&authority(&self.url)) {
            headers.entry(HOST).or_insert(host);
        }
        if let Some(initiator) = &self.initiator {
            initiator.tell(&self.url, &self.method, headers);
        }
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_NAME));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("*/*"));
        match opening.speaks {
            Speaks::Http1 => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
                if let Some(known_as) = &opening.proxy {
                    let known_as = known_as.iter().cloned();
                    headers.extend(known_as.map(|known_as| (PROXY_AUTHORIZATION, known_as)));
                    let whole = self.absolute(authority(&self.url).as_bytes());
                    *request.uri_mut() = whole.unwrap_or_else(|| self.target.clone());
                }
            }
            Speaks::Http2 => {
                let host = headers.remove(HOST);
                // A host that is no authority would be none in HTTP/1.1 either, but is sent there.
                let whole = host.and_then(|host| self.absolute(host.as_bytes()));
                *request.uri_mut() = whole.unwrap_or_else(|| self.target.clone());
            }
        }
        request
    }

    /// The whole URL, of `authority` instead of its own.
    fn absolute(&self, authority: &[u8]) -> Option<Uri> {
        let mut parts = self.target.clone().into_parts();
        parts.scheme = Scheme::try_from(self.url.scheme()).ok();
        parts.authority = Authority::try_from(authority).ok();
        Uri::from_parts(parts).ok()
    }

    /// What is asked where, with which cookies: two requests that agree in it get the same answer.
    pub(super) fn place(&self, cookies: Option<HeaderValue>) -> (Method, Url, Option<HeaderValue>) {
        (self.method.clone(), self.url.clone(), cookies)
    }

    /// How it leaves the site of the page that it is made from.
    pub(super) fn crossing(&self) -> Crossing {
        let crosses = |page: &Initiator| page.crossing(&self.url, &self.method);
        self.initiator.as_ref().map_or(Crossing::No, crosses)
    }

    /// Where `redirect` points, whether that can be followed or not.
    pub(super) fn pointed(&self, redirect: &Redirect) -> Option<Url> {
        let location = redirect.location.as_ref()?.to_str().ok()?;
        self.url.join(location).ok()
    }

    /// The request for something that a page needs, which gets this request's credentials only if
    /// it is of the same origin.
    pub(super) fn part(self, url: &Url) -> Result<Self, Reason> {
        let location = HeaderValue::from_str(url.as_str()).ok();
        let mut part = self.follow(&Redirect { status: 303, location })?;
        part.headers.remove(ACCEPT);
        part.initiator = None;
        Ok(part)
    }

    /// The request that `redirect` asks for.
    ///
    /// 1. It must lead to `http` or `https`.
    /// 2. After 301 and 302 a POST becomes a GET, after 303 everything but HEAD does; then the
    ///    body and what was said of it go.
    /// 3. 307 and 308 repeat method and body.
    /// 4. Another origin gets no credentials, and does not answer to a configured `Host`.
    pub(super) fn follow(mut self, redirect: &Redirect) -> Result<Self, Reason> {
        let mut url = self
            .pointed(redirect)
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or(Reason::RedirectInvalid)?;
        url.set_fragment(None);
        let to_get = match redirect.status {
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::HEAD,
            _ => false,
        };
        if to_get {
            self.method = Method::GET;
            self.body = None;
            OF_THE_BODY.iter().for_each(|name| drop(self.headers.remove(name)));
        }
        if let Some(initiator) = &mut self.initiator {
            initiator.redirected(&self.url, &url);
        }
        if url.origin() != self.url.origin() {
            self.headers = self
                .headers
                .iter()
                .filter(|(name, value)| {
                    **name != HOST && !value.is_sensitive() && !CREDENTIALS.contains(name)
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
        }
        self.target = target(&url).ok_or(Reason::RedirectInvalid)?;
        self.url = url;
        Ok(self)
    }
}

fn text(body: &RequestBody, secrets: &Secrets) -> Result<Arc<[u8]>, Reason> {
    let path = match body {
        RequestBody::Inline(text) => return Ok(text.clone()),
        RequestBody::File(path) => path,
    };
    let reference = SecretRef::File(path.clone());
    let held = secrets.get(&reference);
    let held = held.map(|held| Arc::from(held.reveal().as_bytes()));
    held.ok_or_else(|| Reason::ProberMisconfigured { detail: format!("the {reference}") })
}

/// The URL as a request line has it, if it can have it.
pub(in super::super) fn target(url: &Url) -> Option<Uri> {
    Uri::try_from(&url[Position::BeforePath..Position::AfterQuery]).ok()
}

/// The host, with the port where it is not the scheme's own.
pub(in super::super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

#[cfg(test)]
mod tests;
