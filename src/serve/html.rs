//! The status page as HTML, for people. It needs no script and loads nothing from elsewhere.

use std::sync::{Arc, LazyLock};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
};
use axum::response::{Html, IntoResponse, Response};
use data_encoding::BASE64;
use minijinja::{Environment, context};
use sha2::{Digest, Sha256};

use super::Shared;
use super::error::ApiError;
use view::{PlatformView, RowView};

mod view;

const TEMPLATE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The style and the script stand in the page itself, so that it is one request, and are allowed
/// by their digests, so that nothing else that got into it would be.
static POLICY: LazyLock<Option<HeaderValue>> = LazyLock::new(|| {
    let digest = |text: &str| BASE64.encode(&Sha256::digest(text));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; \
         img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        digest(STYLE),
        digest(SCRIPT)
    );
    policy.parse().ok()
});

/// One platform's page if there is one, or else a list of them.
pub(super) async fn index(State(site): State<Arc<Shared>>) -> Response {
    let now = site.clock.now();
    let answer = site.with_store(move |store| {
        let pages = store.pages()?;
        if let [only] = pages.as_slice() {
            return platform_page(&PlatformView::read(store, only, now)?);
        }
        let rows = pages.iter().map(|page| RowView::read(store, page));
        let rows = rows.collect::<Result<Vec<_>, _>>()?;
        let message = "There is no status page here.";
        render(&context! { title => "Status", heading => "Status", platforms => rows, message })
    });
    answered(answer.await)
}

/// The page of one platform.
pub(super) async fn platform(
    State(site): State<Arc<Shared>>,
    Path(platform): Path<String>,
) -> Response {
    let now = site.clock.now();
    let answer = site.with_store(move |store| {
        let pages = store.pages()?;
        let page = pages.iter().find(|page| page.platform.as_str() == platform);
        let page = page.ok_or(ApiError::NotFound)?;
        platform_page(&PlatformView::read(store, page, now)?)
    });
    answered(answer.await)
}

pub(super) async fn favicon() -> Response {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")];
    (headers, include_str!("favicon.svg")).into_response()
}

pub(super) fn not_found() -> Response {
    answered(Err(ApiError::NotFound))
}

fn platform_page(view: &PlatformView) -> Result<String, ApiError> {
    let heading = format!("{} status", view.name);
    let title = format!("{} – {heading}", view.description);
    render(&context! { title, heading, platform => view })
}

fn answered(page: Result<String, ApiError>) -> Response {
    let mut response = match page {
        Ok(page) => ([(CACHE_CONTROL, "public, max-age=5")], Html(page)).into_response(),
        Err(error) => {
            error.log();
            let (title, message) = match error.status() {
                StatusCode::NOT_FOUND => ("Not found", "There is no page here."),
                _ => ("Not available", "The status cannot be shown right now."),
            };
            let page = render(&context! { title, heading => title, message });
            (error.status(), Html(page.unwrap_or_else(|_| message.to_owned()))).into_response()
        }
    };
    let headers = response.headers_mut();
    if let Some(policy) = &*POLICY {
        headers.insert(CONTENT_SECURITY_POLICY, policy.clone());
    }
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn render(context: &minijinja::Value) -> Result<String, ApiError> {
    let context = context! { css => STYLE, script => SCRIPT, ..context.clone() };
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
    environment.render_named_str("page.html", TEMPLATE, context).map_err(ApiError::Template)
}
