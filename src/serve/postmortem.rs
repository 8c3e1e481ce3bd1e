//! Postmortems in the management API: `GET`, `PUT` and `DELETE` for the draft, and `PUT` of
//! `publish` and `revert`, as the vendor has them.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::change;
use super::error::ApiError;
use crate::model::Timestamp;
use crate::store::page::{PageError, PageStore, Postmortem};

/// What is asked of the postmortem of `incident`, which `rest` of the path follows.
pub(super) fn answer(
    store: &mut PageStore,
    (method, body, now): (&Method, &Value, Timestamp),
    (page, incident): (&str, &str),
    rest: &[&str],
) -> Result<(StatusCode, Value), ApiError> {
    let ok = |postmortem: &Postmortem| Ok((StatusCode::OK, shape(postmortem)));
    match (method, rest) {
        (&Method::GET, []) => {
            store.incident(page, incident)?;
            ok(&store.postmortem(incident)?.ok_or(PageError::NoPostmortem)?)
        }
        (&Method::PATCH, []) => {
            let draft = change::postmortem(body)?;
            ok(&store.draft_postmortem(page, incident, &draft, now)?)
        }
        (&Method::DELETE, []) => {
            store.delete_postmortem(page, incident, now)?;
            Ok((StatusCode::NO_CONTENT, Value::Null))
        }
        (&Method::PATCH, ["publish"]) => ok(&store.publish_postmortem(page, incident, now)?),
        (&Method::PATCH, ["revert"]) => ok(&store.revert_postmortem(page, incident, now)?),
        (_, [] | ["publish" | "revert"]) => Err(ApiError::MethodNotAllowed),
        _ => Err(ApiError::NotFound),
    }
}

/// The vendor's shape; nobody is notified from here, so it says so.
fn shape(postmortem: &Postmortem) -> Value {
    json!({
        "preview_key": null,
        "body": postmortem.body,
        "body_updated_at": postmortem.body_updated_at.map(Timestamp::to_rfc3339),
        "body_draft": postmortem.draft,
        "body_draft_updated_at": postmortem.draft_updated_at.map(Timestamp::to_rfc3339),
        "published_at": postmortem.published_at.map(Timestamp::to_rfc3339),
        "notify_subscribers": false,
        "notify_twitter": false,
        "custom_tweet": null,
    })
}
