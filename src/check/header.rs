//! The configured headers of a request, with their secrets filled in. Pure.

use http::HeaderValue;

use crate::config::{HeaderText, Secrets};
use crate::model::Reason;

/// The header's value; a secret is marked as one, which is how a redirect knows it.
pub(super) fn value(text: &HeaderText, secrets: &Secrets) -> Result<HeaderValue, Reason> {
    let (prefix, reference) = match text {
        HeaderText::Plain(value) => return Ok(value.clone()),
        HeaderText::Secret { prefix, secret } => (prefix, secret),
    };
    let secret = secrets
        .get(reference)
        .ok_or_else(|| Reason::ProberMisconfigured { detail: format!("the {reference}") })?;
    let mut value =
        HeaderValue::from_str(&format!("{prefix}{}", secret.reveal())).map_err(|_| {
            let detail = format!("a header's value: the {reference} has line breaks in it");
            Reason::ProberMisconfigured { detail }
        })?;
    value.set_sensitive(true);
    Ok(value)
}
