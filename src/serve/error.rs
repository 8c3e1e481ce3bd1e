//! What the APIs answer when they cannot do what was asked.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::store::page::PageError;

/// Why a request was not carried out.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("Could not authenticate")]
    Unauthenticated,
    #[error("not found")]
    NotFound,
    #[error("method not allowed")]
    MethodNotAllowed,
    #[error("the request cannot be read: {0}")]
    Malformed(String),
    #[error("the request is larger than {limit} bytes")]
    TooLarge { limit: usize },
    #[error("the incident is not the one that the change was made for any more")]
    Changed,
    #[error("the request took too long")]
    TooSlow,
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    #[error("internal error")]
    Store(PageError),
    #[error("the page cannot be rendered")]
    Template(minijinja::Error),
    #[error("stopping")]
    Interrupted,
}

impl From<PageError> for ApiError {
    fn from(error: PageError) -> Self {
        match error {
            PageError::NoPage | PageError::NoIncident | PageError::NoPostmortem => Self::NotFound,
            PageError::NoComponent(_)
            | PageError::KeyTaken
            | PageError::RequestKeyTaken
            | PageError::Unresolved
            | PageError::Schedule(_) => Self::Invalid(vec![error.to_string()]),
            PageError::Store(_) => Self::Store(error),
        }
    }
}

impl ApiError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Changed => StatusCode::PRECONDITION_FAILED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Store(_) | Self::Template(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// Tells the operator what the client is not told.
    pub(super) fn log(&self) {
        if let Self::Store(error) = self {
            tracing::error!(%error, "a status page's database failed");
        } else if let Self::Template(error) = self {
            tracing::error!(%error, "a status page cannot be rendered");
        }
    }
}

/// Both forms of the vendor's: `error` as it really answers, `message` as its specification says.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let message = self.to_string();
        let error = if let Self::Invalid(problems) = &self {
            Value::from(problems.clone())
        } else {
            Value::from(message.clone())
        };
        (self.status(), Json(json!({ "error": error, "message": message }))).into_response()
    }
}
