//! Statuspage's management API: what a publisher uses.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::header::{ETAG, HeaderValue, IF_MATCH};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use data_encoding::HEXLOWER;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use super::shape::{self, Links};
use super::{Shared, body, change, postmortem};
use crate::model::Timestamp;
use crate::store::page::{Incident, Listing, Of, PageError, PageStore};

const MAX_PER_PAGE: u32 = 100;
const MAX_IDEMPOTENCY_KEY: usize = 255;

/// A request, understood as far as it can be without the database.
struct Call {
    method: Method,
    path: String,
    query: Vec<(String, String)>,
    body: Value,
    once: Option<String>,
    /// The version of an incident that a change is meant for.
    if_match: Option<String>,
    base: String,
    now: Timestamp,
}

type Answer = (StatusCode, Value);

pub(super) async fn handle(State(site): State<Arc<Shared>>, request: Request) -> Response {
    match answer(&site, request).await {
        Ok((status, _)) if status == StatusCode::NO_CONTENT => status.into_response(),
        Ok((status, body)) => {
            match version(&body).and_then(|etag| HeaderValue::try_from(etag).ok()) {
                Some(etag) => (status, [(ETAG, etag)], Json(body)).into_response(),
                None => (status, Json(body)).into_response(),
            }
        }
        Err(error) => error.into_response(),
    }
}

/// The version of an incident that is shown: whatever of it changes, this does.
fn version(shape: &Value) -> Option<String> {
    shape.get("incident_updates")?;
    let digest = Sha256::digest(shape.to_string());
    Some(format!("\"{}\"", HEXLOWER.encode(&digest[..16])))
}

async fn answer(site: &Shared, request: Request) -> Result<Answer, ApiError> {
    let call = read(site, request).await?;
    site.with_store(move |store| route(store, &call)).await
}

async fn read(site: &Shared, request: Request) -> Result<Call, ApiError> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    site.token.check(&parts.headers, query)?;
    let path = parts.uri.path();
    let method = match parts.method {
        Method::HEAD => Method::GET,
        Method::PUT => Method::PATCH,
        other => other,
    };
    let body = match method {
        Method::POST | Method::PATCH => body::read(body).await?,
        // What a body of another method says, its content type included, is of no interest.
        _ => Value::Null,
    };
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let once = parts.headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    if once.is_some_and(|key| key.len() > MAX_IDEMPOTENCY_KEY) {
        let what = format!("Idempotency-Key is longer than {MAX_IDEMPOTENCY_KEY} characters");
        return Err(ApiError::Invalid(vec![what]));
    }
    let if_match = parts.headers.get(IF_MATCH).and_then(|version| version.to_str().ok());
    Ok(Call {
        if_match: if_match.filter(|version| *version != "*").map(str::to_owned),
        method,
        path: path.strip_suffix(".json").unwrap_or(path).to_owned(),
        query: pairs.into_owned().collect(),
        body,
        once: once.filter(|key| !key.is_empty()).map(str::to_owned),
        base: site.base(&parts.headers),
        now: site.clock.now(),
    })
}

fn route(store: &mut PageStore, call: &Call) -> Result<Answer, ApiError> {
    let segments: Vec<&str> = call.path.split('/').filter(|part| !part.is_empty()).collect();
    match (&call.method, segments.get(1..).unwrap_or_default()) {
        (&Method::GET, ["pages"]) => pages(store, call),
        (_, ["pages", page, rest @ ..]) => {
            let page = store.page(page)?;
            let links = Links { base: &call.base, page: &page };
            match rest {
                [] if call.method == Method::GET => ok(shape::page(&links)),
                ["incidents", rest @ ..] => incidents(store, call, &links, rest),
                ["components", rest @ ..] => components(store, call, &page.id, rest),
                ["component-groups", rest @ ..] => groups(store, call, &page.id, rest),
                _ => Err(ApiError::NotFound),
            }
        }
        _ => Err(ApiError::NotFound),
    }
}

fn ok(body: Value) -> Result<Answer, ApiError> {
    Ok((StatusCode::OK, body))
}

fn pages(store: &PageStore, call: &Call) -> Result<Answer, ApiError> {
    let pages = store.pages()?;
    let shapes = pages.iter().map(|page| shape::page(&Links { base: &call.base, page }));
    ok(shapes.collect())
}

fn incidents(
    store: &mut PageStore,
    call: &Call,
    links: &Links<'_>,
    rest: &[&str],
) -> Result<Answer, ApiError> {
    let page = &links.page.id;
    let once = call.once.as_deref();
    let one = |incident: &Incident| shape::incident(links, incident);
    match (&call.method, rest) {
        (&Method::GET, [] | ["unresolved" | "scheduled" | "upcoming" | "active_maintenance"]) => {
            let of = match rest {
                ["unresolved"] => Of::Unresolved,
                ["scheduled"] => Of::Maintenances,
                ["upcoming"] => Of::Upcoming,
                ["active_maintenance"] => Of::Active,
                _ => Of::All,
            };
            let listing = Listing { of, ..listing(call) };
            ok(store.incidents(page, &listing)?.iter().map(one).collect())
        }
        (&Method::POST, []) => {
            let change = change::incident(&call.body, true)?;
            let incident = store.create(page, &change, once, call.now)?;
            Ok((StatusCode::CREATED, one(&incident)))
        }
        (&Method::GET, [id]) => ok(one(&store.incident(page, id)?)),
        (&Method::PATCH, [id]) => {
            let change = change::incident(&call.body, false)?;
            if let Some(wanted) = &call.if_match
                && version(&one(&store.incident(page, id)?)).as_ref() != Some(wanted)
            {
                return Err(ApiError::Changed);
            }
            ok(one(&store.update(page, id, &change, once, call.now)?))
        }
        (&Method::DELETE, [id]) => ok(one(&store.delete(page, id, call.now)?)),
        (&Method::PATCH, [id, "incident_updates", update]) => {
            let body = change::update(&call.body)?;
            let update = store.edit(page, id, update, &body, call.now)?;
            ok(shape::update(&update))
        }
        (method, [id, "postmortem", rest @ ..]) => {
            postmortem::answer(store, (method, &call.body, call.now), (page, id), rest)
        }
        (_, [] | [_] | [_, "incident_updates", _]) => Err(ApiError::MethodNotAllowed),
        _ => Err(ApiError::NotFound),
    }
}

fn components(
    store: &mut PageStore,
    call: &Call,
    page: &str,
    rest: &[&str],
) -> Result<Answer, ApiError> {
    match (&call.method, rest) {
        (&Method::GET, []) => {
            let rows = shape::components(&store.groups(page)?, &store.components(page)?);
            ok(cut(rows, call))
        }
        (&Method::GET, [id]) => {
            let rows = shape::components(&store.groups(page)?, &store.components(page)?);
            ok(rows.into_iter().find(|row| row["id"] == **id).ok_or(ApiError::NotFound)?)
        }
        (&Method::PATCH, [id]) => {
            if store.groups(page)?.iter().any(|group| group.id == **id) {
                let what = "the status of a group follows from its components";
                return Err(ApiError::Invalid(vec![what.to_owned()]));
            }
            let known = store.component(page, id);
            if matches!(known, Err(PageError::NoComponent(_))) {
                return Err(ApiError::NotFound);
            }
            let status = change::component(&call.body)?;
            ok(shape::component(&store.set_component_status(page, id, status, call.now)?))
        }
        // Which components there are is said in the probe files.
        (_, [] | [_]) => Err(ApiError::MethodNotAllowed),
        _ => Err(ApiError::NotFound),
    }
}

fn groups(store: &PageStore, call: &Call, page: &str, rest: &[&str]) -> Result<Answer, ApiError> {
    let components = store.components(page)?;
    let groups = store.groups(page)?;
    match (&call.method, rest) {
        (&Method::GET, []) => {
            let rows = groups.iter().map(|group| shape::group(group, &components)).collect();
            ok(cut(rows, call))
        }
        (&Method::GET, [id]) => {
            let found = groups.iter().find(|group| group.id == **id).ok_or(ApiError::NotFound)?;
            ok(shape::group(found, &components))
        }
        (_, [] | [_]) => Err(ApiError::MethodNotAllowed),
        _ => Err(ApiError::NotFound),
    }
}

fn listing(call: &Call) -> Listing {
    let limit = number(call, "limit").or_else(|| number(call, "per_page"));
    let limit = limit.unwrap_or(MAX_PER_PAGE).clamp(1, MAX_PER_PAGE);
    let before = number(call, "page").unwrap_or(1).saturating_sub(1);
    let query = parameter(call, "q").filter(|query| !query.is_empty());
    Listing {
        query: query.map(str::to_owned),
        limit,
        offset: before.saturating_mul(limit),
        ..Listing::default()
    }
}

/// The page of a list that the query asks for.
fn cut(rows: Vec<Value>, call: &Call) -> Value {
    let Listing { limit, offset, .. } = listing(call);
    let size = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
    rows.into_iter().skip(size(offset)).take(size(limit)).collect()
}

fn parameter<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn number(call: &Call, name: &str) -> Option<u32> {
    parameter(call, name)?.parse().ok()
}
