//! What the operator may ask over HTTP, for `farol incidents` and whoever speaks as it does.
//!
//! `GET /v1/farol/incidents`, `POST /v1/farol/incidents/{id}/{approve,hold,rejoin}`, and for all
//! publishing at once `POST` and `DELETE /v1/farol/hold`. Every answer is the report of how it is
//! then. The token is that of the management API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Shared;
use super::error::ApiError;
use crate::model::IncidentKey;
use crate::runtime::{Command, Refused};

pub(super) async fn incidents(State(site): State<Arc<Shared>>, request: Request) -> Response {
    let command = match *request.method() {
        Method::GET => Command::List,
        _ => return ApiError::MethodNotAllowed.into_response(),
    };
    let allowed = allowed(&site, &request);
    obey(&site, allowed, command).await
}

pub(super) async fn incident(
    State(site): State<Arc<Shared>>,
    Path((id, verb)): Path<(String, String)>,
    request: Request,
) -> Response {
    let key = IncidentKey::new(id);
    let command = match (request.method(), verb.as_str()) {
        (&Method::POST, "approve") => Command::Approve(key),
        (&Method::POST, "hold") => Command::Leave(key),
        (&Method::POST, "rejoin") => Command::Rejoin(key),
        (_, "approve" | "hold" | "rejoin") => return ApiError::MethodNotAllowed.into_response(),
        _ => return ApiError::NotFound.into_response(),
    };
    let allowed = allowed(&site, &request);
    obey(&site, allowed, command).await
}

pub(super) async fn hold(State(site): State<Arc<Shared>>, request: Request) -> Response {
    let command = match *request.method() {
        Method::GET => Command::List,
        Method::POST => Command::Hold(true),
        Method::DELETE => Command::Hold(false),
        _ => return ApiError::MethodNotAllowed.into_response(),
    };
    let allowed = allowed(&site, &request);
    obey(&site, allowed, command).await
}

fn allowed(site: &Shared, request: &Request) -> Result<(), ApiError> {
    site.token.check(request.headers(), request.uri().query().unwrap_or_default())
}

async fn obey(site: &Shared, allowed: Result<(), ApiError>, command: Command) -> Response {
    if let Err(error) = allowed {
        return error.into_response();
    }
    match site.operator.ask(command).await {
        Ok(report) => Json(report).into_response(),
        Err(refused) => {
            let status = match refused {
                Refused::Unknown(_) => StatusCode::NOT_FOUND,
                Refused::Pointless { .. } => StatusCode::CONFLICT,
                Refused::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
                Refused::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            };
            let said = refused.to_string();
            (status, Json(json!({ "error": said, "message": said }))).into_response()
        }
    }
}
