//! Statuspage's public API: what everybody may read, as widgets and aggregators know it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    CACHE_CONTROL, HeaderValue,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::Shared;
use super::error::ApiError;
use super::shape::{self, Links};
use crate::model::ComponentStatus;
use crate::store::page::{Listing, Of, Page, PageStore};

/// As many as the vendor lists.
const INCIDENTS: u32 = 50;
/// Long enough to shield the database from a crowd, short enough to be the truth.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=5");

/// The API of the first page.
pub(super) async fn first(
    State(site): State<Arc<Shared>>,
    Path(path): Path<String>,
    request: Request,
) -> Response {
    respond(&site, None, path, request).await
}

/// The API of the page of one platform.
pub(super) async fn of_platform(
    State(site): State<Arc<Shared>>,
    Path((platform, path)): Path<(String, String)>,
    request: Request,
) -> Response {
    respond(&site, Some(platform), path, request).await
}

async fn respond(
    site: &Shared,
    platform: Option<String>,
    path: String,
    request: Request,
) -> Response {
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        Method::GET | Method::HEAD => {
            let base = site.base(request.headers());
            let answer = site.with_store(move |store| {
                let page = find(store, platform.as_deref())?;
                view(store, &Links { base: &base, page: &page }, &path)
            });
            match answer.await {
                Ok(body) => ([(CACHE_CONTROL, CACHE)], Json(body)).into_response(),
                Err(error) => error.into_response(),
            }
        }
        _ => ApiError::MethodNotAllowed.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("GET, HEAD, OPTIONS"));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("*"));
    response
}

fn find(store: &PageStore, platform: Option<&str>) -> Result<Page, ApiError> {
    let mut pages = store.pages()?.into_iter();
    let is_it = |page: &Page| platform.is_none_or(|wanted| page.platform.as_str() == wanted);
    pages.find(is_it).ok_or(ApiError::NotFound)
}

fn view(store: &PageStore, links: &Links<'_>, path: &str) -> Result<Value, ApiError> {
    let page = &links.page.id;
    let mut body = json!({ "page": shape::public_page(links) });
    match path.strip_suffix(".json").unwrap_or(path) {
        "status" => body["status"] = status(store, page)?,
        "components" => body["components"] = components(store, page)?,
        "summary" => {
            body["status"] = status(store, page)?;
            body["components"] = components(store, page)?;
            body["incidents"] = incidents(store, links, Of::Unresolved)?.into();
            let mut announced = incidents(store, links, Of::Active)?;
            announced.extend(incidents(store, links, Of::Upcoming)?);
            body["scheduled_maintenances"] = announced.into();
        }
        "incidents" => body["incidents"] = incidents(store, links, Of::Incidents)?.into(),
        "incidents/unresolved" => {
            body["incidents"] = incidents(store, links, Of::Unresolved)?.into();
        }
        "scheduled-maintenances" => {
            body["scheduled_maintenances"] = incidents(store, links, Of::Maintenances)?.into();
        }
        "scheduled-maintenances/upcoming" => {
            body["scheduled_maintenances"] = incidents(store, links, Of::Upcoming)?.into();
        }
        "scheduled-maintenances/active" => {
            body["scheduled_maintenances"] = incidents(store, links, Of::Active)?.into();
        }
        _ => return Err(ApiError::NotFound),
    }
    Ok(body)
}

fn status(store: &PageStore, page: &str) -> Result<Value, ApiError> {
    let components = store.components(page)?;
    let statuses: Vec<ComponentStatus> = components.iter().map(|each| each.status).collect();
    Ok(shape::status(&statuses))
}

fn components(store: &PageStore, page: &str) -> Result<Value, ApiError> {
    Ok(shape::components(&store.groups(page)?, &store.components(page)?).into())
}

fn incidents(store: &PageStore, links: &Links<'_>, of: Of) -> Result<Vec<Value>, ApiError> {
    let listing = Listing { of, limit: INCIDENTS, ..Listing::default() };
    let incidents = store.incidents(&links.page.id, &listing)?;
    Ok(incidents.iter().map(|incident| shape::told_incident(links, incident)).collect())
}
