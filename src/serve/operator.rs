//! What the operator may ask over HTTP, for `farol incidents` and whoever speaks as it does.
//!
//! `GET /v1/farol/incidents`, `POST /v1/farol/incidents/{id}/{approve,hold,rejoin,forget,resolve,note}`,
//! a note with its `text` and perhaps a `status` as JSON or a form, and for all publishing at once
//! `POST` and `DELETE /v1/farol/hold`. Every answer is the report of how it is
//! then. The token is that of the management API.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::error::ApiError;
use super::{Shared, body};
use crate::model::{IncidentKey, Order, Wish};
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
    let allowed = allowed(&site, &request);
    let command = match (request.method(), verb.as_str()) {
        (&Method::POST, "approve") => Command::Approve(key),
        (&Method::POST, "hold") => Command::Leave(key),
        (&Method::POST, "rejoin") => Command::Rejoin(key),
        (&Method::POST, "forget") => Command::Forget(key),
        (&Method::POST, "resolve") => Command::Order(Order { incident: key, wish: Wish::Resolve }),
        (&Method::POST, "note") => {
            // Nobody's text is read before it is known who they are.
            let read = match allowed {
                Ok(()) => note(key, request).await,
                Err(error) => Err(error),
            };
            return match read {
                Ok(order) => obey(&site, Ok(()), Command::Order(order)).await,
                Err(error) => error.into_response(),
            };
        }
        (_, "approve" | "hold" | "rejoin" | "forget" | "resolve" | "note") => {
            return ApiError::MethodNotAllowed.into_response();
        }
        _ => return ApiError::NotFound.into_response(),
    };
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

/// What the public is to be told, as the body says.
async fn note(incident: IncidentKey, request: Request) -> Result<Order, ApiError> {
    let body = body::read(request.into_body()).await?;
    let known = |name: &String| name == "text" || name == "status";
    if let Some(strange) =
        body.as_object().and_then(|fields| fields.keys().find(|name| !known(name)))
    {
        let what =
            format!("there is no field {strange:?}: a note has a text, and may have a status");
        return Err(ApiError::Invalid(vec![what]));
    }
    let field = |name: &str| match &body[name] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str())),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(ApiError::Invalid(vec![format!("{name} must be a text")]))
        }
    };
    let (text, status) = (field("text")?.unwrap_or_default(), field("status")?);
    let wish = Wish::note(text, status);
    let wish = wish.map_err(|problem| ApiError::Invalid(vec![problem.to_string()]))?;
    Ok(Order { incident, wish })
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
                Refused::Pointless { .. } | Refused::Led(_) | Refused::Monitored(_) => {
                    StatusCode::CONFLICT
                }
                Refused::File { .. } => StatusCode::INTERNAL_SERVER_ERROR,
                Refused::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            };
            let said = refused.to_string();
            (status, Json(json!({ "error": said, "message": said }))).into_response()
        }
    }
}
