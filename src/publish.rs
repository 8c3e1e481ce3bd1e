//! Delivery: the outbox's requests over HTTP to a status API, and what came of each.
//!
//! One attempt is one attempt: no redirects are followed, no library repeats a request, and no
//! connection is used twice, since a request that dies on a connection that was about to close is
//! one that nobody knows the fate of. What may be tried again, and when, is the outbox's to say.

mod about;
mod alertmanager;
mod cachet;
mod dialect;
mod heartbeat;
mod incident_io;
mod instatus;
mod mark;
mod once;
mod pace;
mod pagerduty;
#[cfg(test)]
mod sample;
mod statuspage;
mod talk;
mod target;
mod webhook;

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::HeaderMap;
use http::header::{AUTHORIZATION, CONTENT_TYPE, DATE, ETAG, HeaderValue, IF_MATCH, RETRY_AFTER};
use rustls::{ClientConfig, RootCertStore};
use url::{Host, Url};

use crate::config::Secret;
use crate::model::ComponentId;
use crate::outbox::{Outcome, Request};
use crate::veil::{Cover, Known, Veil};

use dialect::{Answer, Call, Dialect, Turn, follow, retry_after};
use pace::Class;
use target::Parts;

pub use about::About;
pub use dialect::{Caps, Marker};
pub use heartbeat::{Heart, HeartbeatError};
pub use pace::Pace;
pub use target::{AlertmanagerTarget, Login, PageTarget, PagerDutyTarget, Target, WebhookTarget};

/// How much of an answer is read: a hundred incidents with all their updates fit easily.
const MAX_ANSWER: usize = 8 << 20;

/// Why nothing can be delivered. These are found at start-up; later trouble is an [`Outcome`].
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The API's address cannot have a path.
    #[error("{url} cannot be the base of a status API")]
    Url {
        /// The address.
        url: Url,
    },
    /// The API key cannot be sent in a header. It is not shown.
    #[error("the status API's key has characters that no header can carry: is there a line break?")]
    Token,
    /// A secret that should be the heartbeat's address is none. It is not shown.
    #[error("the heartbeat's URL, which is kept as a secret, is none that begins with http")]
    HeartbeatUrl,
    /// The TLS library does not take our settings.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
    /// The HTTP client does not take our settings.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// A page of a Statuspage API, with all that is needed to publish to it.
#[derive(Clone, Debug)]
pub struct StatuspageTarget {
    /// The API's base, `https://api.statuspage.io/v1`.
    pub url: Url,
    /// The page's id.
    pub page: String,
    /// The API key.
    pub token: Secret,
    /// The id that each component has there.
    pub components: BTreeMap<ComponentId, String>,
    /// The installation, whose incidents are ours.
    pub install: String,
    /// Whether it is the server of this very process: no proxy stands before that.
    pub own: bool,
}

/// How long delivery waits for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For a connection, with TLS.
    pub connect: Duration,
    /// For the whole of one call.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self::remote(Duration::from_secs(30))
    }
}

impl Patience {
    /// For a status API somewhere on a network: `total` for one call.
    pub fn remote(total: Duration) -> Self {
        Self { connect: total.min(Duration::from_secs(5)), total }
    }

    /// For the status API that farol serves itself: it is near, and has no limit.
    pub fn embedded() -> Self {
        Self { connect: Duration::from_secs(1), total: Duration::from_secs(10) }
    }
}

/// Delivers requests to one target.
#[derive(Debug)]
pub struct Publisher {
    client: reqwest::Client,
    base: Url,
    authorization: Option<HeaderValue>,
    /// Over the API key, which its owner may send back.
    cover: Cover,
    dialect: Box<dyn Dialect>,
    pace: Arc<Pace>,
}

impl Publisher {
    /// A publisher for `target`. Nothing is sent yet.
    pub fn new(
        target: impl Into<Target>,
        patience: Patience,
        pace: Arc<Pace>,
    ) -> Result<Self, PublishError> {
        let Parts { url, authorization, secrets, dialect, own } = target.into().into_parts()?;
        if url.cannot_be_a_base() {
            return Err(PublishError::Url { url });
        }
        Ok(Self {
            client: builder(own || is_local(&url), patience)?.build()?,
            base: url,
            authorization,
            cover: Veil::over(&Known::new(&secrets)).draw(),
            dialect,
            pace,
        })
    }

    /// Makes one attempt and tells what came of it.
    pub async fn deliver(&self, request: &Request) -> Outcome {
        let mut outcome = self.attempt(request).await;
        if let Outcome::NotSent { detail }
        | Outcome::Uncertain { detail }
        | Outcome::Rejected { detail, .. }
        | Outcome::Unauthorized { detail } = &mut outcome
        {
            *detail = self.cover.hide(detail);
        }
        outcome
    }

    async fn attempt(&self, request: &Request) -> Outcome {
        let mut conversation = self.dialect.begin(request, self.pace.now());
        let mut turn = conversation.open();
        loop {
            let call = match turn {
                Turn::Over(outcome) => return outcome,
                Turn::Call(call) => call,
            };
            let heard = self.send(call, Class::of(request)).await;
            turn = follow(conversation.as_mut(), heard);
        }
    }

    async fn send(&self, call: Call, class: Class) -> Result<Answer, Outcome> {
        self.pace.turn(class).await;
        let url = self.address(&call);
        let mut request = self.client.request(call.method, url);
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization.clone());
        }
        if let Some(version) = &call.if_match {
            request = request.header(IF_MATCH, version);
        }
        for (name, value) in call.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &call.body {
            // To the byte what was signed.
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let mut response = request.send().await.map_err(lost)?;
        let retry_after = wait(response.headers());
        let status = response.status().as_u16();
        // The key has used up what it may: what is said to one page is meant for all.
        if let (420 | 429, Some(patience)) = (status, retry_after) {
            self.pace.hold(patience);
        }
        let etag = response.headers().get(ETAG).and_then(|value| value.to_str().ok());
        let etag = etag.map(str::to_owned);
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > MAX_ANSWER => {
                    let detail = format!("the answer is longer than {MAX_ANSWER} bytes");
                    return Err(Outcome::Uncertain { detail });
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => return Ok(Answer { status, retry_after, etag, body }),
                // A refusal is one whatever became of its text.
                Err(_) if (400..500).contains(&status) => {
                    return Ok(Answer { status, retry_after, etag, body });
                }
                Err(error) => return Err(Outcome::Uncertain { detail: chain(error) }),
            }
        }
    }

    fn address(&self, call: &Call) -> Url {
        let mut url = self.base.clone();
        // Whoever has no path of its own is called at the very address.
        if !call.path.is_empty()
            && let Ok(mut path) = url.path_segments_mut()
        {
            path.pop_if_empty().extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        url
    }
}

fn builder(near: bool, patience: Patience) -> Result<reqwest::ClientBuilder, PublishError> {
    let builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls()?)
        .user_agent(concat!("farol/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(0)
        .connect_timeout(patience.connect)
        .timeout(patience.total);
    // A proxy of the environment is for what is outside.
    Ok(if near { builder.no_proxy() } else { builder })
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

fn tls() -> Result<ClientConfig, PublishError> {
    // The same for all: read for each of many lanes, the system's certificates delay the start.
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let roots = ROOTS.get_or_init(|| Arc::new(crate::net::trusted_roots()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(Arc::clone(roots))
        .with_no_client_auth())
}

fn wait(headers: &HeaderMap) -> Option<crate::model::Span> {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    retry_after(text(RETRY_AFTER), text(DATE))
}

/// A request without an answer: only what fails before there is a connection has certainly not
/// been applied.
fn lost(error: reqwest::Error) -> Outcome {
    let never_left = error.is_connect() || error.is_builder();
    let detail = chain(error);
    if never_left { Outcome::NotSent { detail } } else { Outcome::Uncertain { detail } }
}

/// An error with its causes, without the address that everybody knows.
fn chain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
