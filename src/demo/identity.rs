//! The platform's identity service: backends issue tokens by their own clocks, and the identity
//! service checks them by the true one. So a server that lives in next year lets nobody in.

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::{Span, Timestamp};

/// Protects nothing: it is the same in every demo.
const KEY: &[u8] = b"the demo's signing key";

/// How long a token is good for.
const VALIDITY: Span = Span::from_secs(3_600);

/// How far a backend's clock may run ahead before its tokens are from the future.
const LEEWAY: Span = Span::from_secs(60);

/// What a token says, with the times in seconds as JSON Web Tokens have them.
#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    sub: String,
    iat: i64,
    exp: i64,
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Rejected {
    #[error("the token cannot be read")]
    Malformed,
    #[error("the token's signature is wrong")]
    Signature,
    #[error("the token was issued in the future")]
    FromTheFuture,
    #[error("the token has expired")]
    Expired,
}

/// A token for `user`, by the clock of whoever issues it.
pub(super) fn issue(user: &str, now: Timestamp) -> String {
    let claims = Claims { sub: user.to_owned(), iat: seconds(now), exp: seconds(now + VALIDITY) };
    // Strings and integers always serialise; were it otherwise, the token would be refused.
    let payload = serde_json::to_vec(&claims).unwrap_or_default();
    format!("{}.{}", BASE64URL_NOPAD.encode(&payload), sign(&payload))
}

/// Whether `token` is good at `now`, the true time. In the order of the rules:
///
/// 1. A token has a payload and a signature; the signature is ours.
/// 2. It was not issued after now, but for a little leeway.
/// 3. It has not expired.
pub(super) fn verify(token: &str, now: Timestamp) -> Result<(), Rejected> {
    let (payload, signature) = token.split_once('.').ok_or(Rejected::Malformed)?;
    let payload = BASE64URL_NOPAD.decode(payload.as_bytes()).map_err(|_| Rejected::Malformed)?;
    if sign(&payload) != signature {
        return Err(Rejected::Signature);
    }
    let claims: Claims = serde_json::from_slice(&payload).map_err(|_| Rejected::Malformed)?;
    if claims.iat > seconds(now + LEEWAY) {
        return Err(Rejected::FromTheFuture);
    }
    if claims.exp <= seconds(now) {
        return Err(Rejected::Expired);
    }
    Ok(())
}

fn sign(payload: &[u8]) -> String {
    let digest = Sha256::new().chain_update(KEY).chain_update(payload).finalize();
    BASE64URL_NOPAD.encode(&digest)
}

fn seconds(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Rejected, issue, verify};
    use crate::model::Timestamp;

    const NOW: Timestamp = Timestamp::from_secs(1_631_713_200);

    #[test]
    fn only_a_token_of_about_now_is_good() {
        let minute = Duration::from_secs(60);
        let year = 365 * 24 * 60 * minute;
        let cases = [
            (NOW, Ok(())),
            (NOW + minute, Ok(())),
            (NOW + 2 * minute, Err(Rejected::FromTheFuture)),
            (NOW + year, Err(Rejected::FromTheFuture)),
            (NOW - 59 * minute, Ok(())),
            (NOW - 60 * minute, Err(Rejected::Expired)),
            (NOW - year, Err(Rejected::Expired)),
        ];
        for (issued_at, verdict) in cases {
            assert_eq!(verify(&issue("demo", issued_at), NOW), verdict, "issued at {issued_at}");
        }
    }

    #[test]
    fn a_token_that_was_not_issued_here_is_refused() {
        let good = issue("demo", NOW);
        let (payload, _) = good.split_once('.').unwrap();
        assert_eq!(verify("", NOW), Err(Rejected::Malformed));
        assert_eq!(verify("?.?", NOW), Err(Rejected::Malformed));
        assert_eq!(verify(&format!("{payload}."), NOW), Err(Rejected::Signature));
        assert_eq!(verify(&format!("e30.{}", super::sign(b"{}")), NOW), Err(Rejected::Malformed));
    }
}
