//! What farol serves: the status pages as HTML and as Statuspage's public API (v2), Statuspage's
//! management API (v1) for whoever publishes to them, metrics and health.
//!
//! The pages' database belongs to this room: the publisher speaks HTTP to it, as it does to the
//! real vendor, so that the default path is the real path.

mod auth;
mod body;
mod change;
mod error;
mod html;
mod listen;
mod operator;
mod overall;
mod postmortem;
mod shape;
mod v1;
mod v2;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{StatusCode, Uri, uri::Authority};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tokio::sync::{Mutex, watch};
use url::Url;

use crate::clock::Clock;
use crate::config::Secret;
use crate::metrics::{self, Metrics};
use crate::runtime::{Operator, Pulse};
use crate::store::page::PageStore;
use auth::Token;
use error::ApiError;

pub use crate::store::page::{component_page_id, page_id};
pub use listen::serve;

/// How long a request may take from its headers to the answer: reading a body that trickles, and
/// waiting for the database.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// How long the owner loop may stand still, many times its heartbeat, before it is taken for hung.
const STANDSTILL: Duration = Duration::from_secs(60);

/// What is served.
pub struct Site {
    /// The pages.
    pub store: PageStore,
    /// The key to the management API.
    pub token: Secret,
    /// What Prometheus scrapes.
    pub metrics: Arc<Metrics>,
    /// Tells the time of what is published.
    pub clock: Clock,
    /// The operator's way to the owner loop.
    pub operator: Operator,
    /// How the owner loop is; its sender lives as long as the loop does.
    pub pulse: watch::Receiver<Pulse>,
    /// Where the public reaches this site; without it links are made from the `Host` header.
    pub base_url: Option<Url>,
}

/// What every handler shares.
struct Shared {
    /// SQLite is synchronous. Its calls are rare and short, so they run on the runtime's blocking
    /// threads; waiting for one's turn at this asynchronous lock occupies none of them. A call
    /// that began is finished even if its client goes away.
    store: Arc<Mutex<PageStore>>,
    token: Token,
    metrics: Arc<Metrics>,
    clock: Clock,
    operator: Operator,
    pulse: watch::Receiver<Pulse>,
    base_url: Option<Url>,
}

/// Everything that is served, under one router.
pub fn router(site: Site) -> Router {
    let shared = Arc::new(Shared {
        store: Arc::new(Mutex::new(site.store)),
        token: Token::new(&site.token),
        metrics: site.metrics,
        clock: site.clock,
        operator: site.operator,
        pulse: site.pulse,
        base_url: site.base_url,
    });
    Router::new()
        .route("/", get(html::index))
        .route("/{platform}", get(html::platform))
        .route("/favicon.svg", get(html::favicon))
        .route("/metrics", get(metrics_page))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/api/v2/{*path}", any(v2::first))
        .route("/{platform}/api/v2/{*path}", any(v2::of_platform))
        .route("/v1/farol/incidents", any(operator::incidents))
        .route("/v1/farol/incidents/{id}/{verb}", any(operator::incident))
        .route("/v1/farol/hold", any(operator::hold))
        .route("/v1", any(v1::handle))
        .route("/v1/", any(v1::handle))
        .route("/v1/{*path}", any(v1::handle))
        .route("/api", any(not_found))
        .fallback(not_found)
        .layer(from_fn(guard))
        .with_state(shared)
}

impl Shared {
    /// Lets `work` have the database, on a thread where it may block. What was to happen by itself
    /// has happened by then.
    async fn with_store<T, F>(&self, work: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&mut PageStore) -> Result<T, ApiError> + Send + 'static,
    {
        let mut store = Arc::clone(&self.store).lock_owned().await;
        let now = self.clock.now();
        let settled = move || {
            store.settle(now)?;
            work(&mut store)
        };
        let done = tokio::task::spawn_blocking(settled).await;
        done.unwrap_or(Err(ApiError::Interrupted))
    }

    /// Whether the owner loop lives.
    ///
    /// 1. When it ends, its side of the channel is dropped.
    /// 2. When it hangs, its last turn grows old.
    fn lives(&self) -> bool {
        let turns = match *self.pulse.borrow() {
            Pulse::Ready { turned_at, .. } => {
                self.clock.real().now().since(turned_at) <= STANDSTILL
            }
            Pulse::Starting | Pulse::Stopping => true,
        };
        turns && self.pulse.has_changed().is_ok()
    }

    /// Whether all is well, for whoever would restart us if not. Our own trouble is told and fails
    /// nothing, since a restart mends none of it.
    fn health(&self, well: bool) -> Response {
        let (status, word) =
            if well { (StatusCode::OK, "ok") } else { (StatusCode::SERVICE_UNAVAILABLE, "no") };
        let mut text = format!("{word}\n");
        for trouble in self.metrics.own_troubles() {
            text.push_str(&format!("own trouble: {trouble}\n"));
        }
        if matches!(*self.pulse.borrow(), Pulse::Ready { held: true, .. }) {
            text.push_str("publishing is held\n");
        }
        (status, [(CACHE_CONTROL, "no-store")], text).into_response()
    }

    /// Where the public reaches this site, without a slash at the end.
    fn base(&self, headers: &HeaderMap) -> String {
        if let Some(url) = &self.base_url {
            return url.as_str().trim_end_matches('/').to_owned();
        }
        let host = headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = host.and_then(|host| host.parse::<Authority>().ok());
        host.map_or_else(String::new, |host| format!("http://{host}"))
    }
}

/// Bounds every request in time and keeps browsers from guessing content types.
async fn guard(request: Request, next: Next) -> Response {
    let mut response = match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::TooSlow.into_response(),
    };
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn not_found(uri: Uri) -> Response {
    let path = uri.path();
    if path == "/api" || path.starts_with("/api/") || path.contains("/api/v2") {
        return ApiError::NotFound.into_response();
    }
    html::not_found()
}

async fn metrics_page(State(site): State<Arc<Shared>>) -> Response {
    match site.metrics.render() {
        Ok(text) => ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "the metrics cannot be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn healthz(State(site): State<Arc<Shared>>) -> Response {
    site.health(site.lives())
}

async fn readyz(State(site): State<Arc<Shared>>) -> Response {
    site.health(site.lives() && matches!(*site.pulse.borrow(), Pulse::Ready { .. }))
}
