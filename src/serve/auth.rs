//! Who may use the management API.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};

use super::error::ApiError;
use crate::config::Secret;

/// The key to the management API, as a digest: digests have one length, and comparing them tells
/// nothing about the key itself.
pub(super) struct Token([u8; 32]);

impl Token {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.reveal()).into())
    }

    /// Accepts the key as clients of the vendor send it: `OAuth <key>` and `Bearer <key>` in any
    /// case, the bare key, and `?api_key=<key>`.
    pub(super) fn check(&self, headers: &HeaderMap, query: &str) -> Result<(), ApiError> {
        let in_header = headers.get(AUTHORIZATION).map(|value| without_scheme(value.as_bytes()));
        if in_header.is_some_and(|key| self.is(key)) {
            return Ok(());
        }
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let in_query = pairs.find(|(name, _)| name == "api_key");
        if in_query.is_some_and(|(_, key)| self.is(key.as_bytes())) {
            return Ok(());
        }
        Err(ApiError::Unauthenticated)
    }

    /// Compares in a time that does not depend on where the first difference is.
    fn is(&self, presented: &[u8]) -> bool {
        let presented: [u8; 32] = Sha256::digest(presented).into();
        let difference = self.0.iter().zip(presented).fold(0, |all, (a, b)| all | (a ^ b));
        std::hint::black_box(difference) == 0
    }
}

fn without_scheme(value: &[u8]) -> &[u8] {
    let value = value.trim_ascii();
    match value.iter().position(u8::is_ascii_whitespace) {
        Some(end) if is_scheme(&value[..end]) => value[end..].trim_ascii(),
        _ => value,
    }
}

fn is_scheme(word: &[u8]) -> bool {
    word.eq_ignore_ascii_case(b"oauth") || word.eq_ignore_ascii_case(b"bearer")
}
