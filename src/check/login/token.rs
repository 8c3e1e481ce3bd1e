//! What a JSON Web Token must say, and what its times tell of its issuer's clock. Pure. Nothing of
//! a token is ever told but the names of its claims and how far its times are off.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use super::super::http::expect::tree;
use crate::model::{ClockOffset, ClockSource, Reason, Span, Timestamp};

/// The longest token that is looked into.
const LONGEST: usize = 64 * 1024;

/// What is expected of one token, with its variables filled in.
pub(super) struct Expected {
    pub(super) issuer: Option<String>,
    pub(super) audience: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) leeway: Span,
}

/// When a token can have been issued and when it came, by our clock.
#[derive(Clone, Copy)]
pub(super) struct Moments {
    /// When the flow began.
    pub(super) began: Timestamp,
    /// When the answer had come.
    pub(super) came: Timestamp,
    /// How far the host's wall clock is ahead of the one that told these: nobody knows which is
    /// right, so what they differ by is held against no token.
    pub(super) wall_step: i64,
}

/// Judges `token`; gives what it tells of its issuer's clock, if that is certain.
///
/// 1. It must be a token.
/// 2. Its issuer, one of its audiences and its nonce must be those that are expected.
/// 3. It must not have expired, nor be issued or good only later, all with some leeway.
/// 4. That it was issued in this flow is known by the nonce; then its time is evidence.
pub(super) fn judge(
    token: &str,
    expected: &Expected,
    moments: Moments,
) -> Result<Option<ClockOffset>, Reason> {
    let claims = read(token).ok_or_else(|| wrong("it is no JSON Web Token"))?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if expected.issuer.as_deref().is_some_and(|issuer| text("iss") != Some(issuer)) {
        return Err(wrong("its issuer is another"));
    }
    if let Some(audience) = expected.audience.as_deref() {
        let is_for = match claims.get("aud") {
            Some(Value::Array(all)) => all.iter().any(|one| one.as_str() == Some(audience)),
            other => other.and_then(Value::as_str) == Some(audience),
        };
        if !is_for {
            return Err(wrong("it is for another audience"));
        }
    }
    if expected.nonce.as_deref().is_some_and(|nonce| text("nonce") != Some(nonce)) {
        return Err(wrong("its nonce is another"));
    }
    let issued = judge_times(&claims, expected.leeway, moments)?;
    Ok(issued.filter(|_| expected.nonce.is_some()).map(|issued| offset(issued, moments)))
}

fn wrong(detail: &str) -> Reason {
    Reason::TokenClaim { detail: detail.to_owned() }
}

/// The claims of a token, of which the signature is not looked at.
fn read(token: &str) -> Option<Value> {
    let mut parts = token.split('.');
    let (_, claims, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || token.len() > LONGEST {
        return None;
    }
    let claims = BASE64URL_NOPAD.decode(claims.trim_end_matches('=').as_bytes()).ok()?;
    tree::parse(&claims).ok().map(|tree| tree.root).filter(Value::is_object)
}

/// Judges the times that are there; gives when it was issued.
fn judge_times(
    claims: &Value,
    leeway: Span,
    moments: Moments,
) -> Result<Option<Timestamp>, Reason> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => match value.as_f64() {
            // A float beyond all times becomes the last of them.
            Some(seconds) => Ok(Some(Timestamp::from_micros((seconds * 1e6) as i64))),
            None => Err(Reason::TokenTime { detail: format!("its `{name}` is no time") }),
        },
    };
    let doubt = i64::try_from(leeway.as_micros()).unwrap_or(i64::MAX);
    let late = |name: &str, words: &str, by: i64| {
        let by = by.saturating_sub(moments.wall_step.saturating_abs());
        if by <= doubt {
            return Ok(());
        }
        let by = Span::from_secs(by.unsigned_abs().div_ceil(1_000_000));
        Err(Reason::TokenTime { detail: format!("its `{name}` is {by} {words}") })
    };
    let now = moments.came.as_micros();
    let issued = time("iat")?;
    if let Some(issued) = issued {
        late("iat", "ahead", issued.as_micros().saturating_sub(now))?;
    }
    if let Some(from) = time("nbf")? {
        late("nbf", "ahead", from.as_micros().saturating_sub(now))?;
    }
    if let Some(until) = time("exp")? {
        late("exp", "past", now.saturating_sub(until.as_micros()))?;
    }
    Ok(issued)
}

/// The issuer's clock stood in the second that begins at `issued`, at some moment of the flow.
fn offset(issued: Timestamp, moments: Moments) -> ClockOffset {
    let Moments { began, came, .. } = moments;
    let issued = issued.as_micros();
    let (least, most) = (issued.saturating_sub(came.as_micros()), issued.saturating_add(1_000_000));
    ClockOffset {
        at_least: least,
        at_most: most.saturating_sub(began.as_micros()),
        source: ClockSource::Token,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_700_000_000;
    const YEAR: i64 = 365 * 24 * 3600;

    fn token(claims: &Value) -> String {
        let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
        format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims))
    }

    fn judged(token: &str) -> Result<Option<ClockOffset>, Reason> {
        let expected = Expected {
            issuer: Some("https://idp.example".to_owned()),
            audience: Some("desk".to_owned()),
            nonce: Some("n".to_owned()),
            leeway: Span::from_secs(60),
        };
        let (began, came) = (Timestamp::from_secs(NOW - 1), Timestamp::from_secs(NOW));
        judge(token, &expected, Moments { began, came, wall_step: 0 })
    }

    fn with(name: &str, value: &Value) -> String {
        let mut claims = json!({
            "iss": "https://idp.example", "aud": ["desk", "crm"], "nonce": "n",
            "iat": NOW, "exp": NOW + 300, "nbf": NOW,
        });
        claims[name] = value.clone();
        token(&claims)
    }

    #[test]
    fn a_token_that_is_right_tells_the_time() {
        let source = crate::model::ClockSource::Token;
        let offset = ClockOffset { at_least: 0, at_most: 2_000_000, source };
        assert_eq!(judged(&with("aud", &json!("desk"))), Ok(Some(offset)));
        assert!(judged(&with("exp", &json!(NOW as f64 + 0.5))).is_ok());
        assert!(judged(&with("iat", &json!(NOW + 59))).is_ok());
    }

    #[test]
    fn what_is_wrong_with_a_token() {
        for (name, value, reason) in [
            ("iss", json!("https://idp.example/"), "the token is not right: its issuer is another"),
            ("iss", json!(null), "the token is not right: its issuer is another"),
            ("aud", json!("crm"), "the token is not right: it is for another audience"),
            ("aud", json!([]), "the token is not right: it is for another audience"),
            ("nonce", json!("hush"), "the token is not right: its nonce is another"),
            ("iat", json!(NOW + YEAR), "the token's times are off: its `iat` is 365d ahead"),
            ("nbf", json!(NOW + YEAR), "the token's times are off: its `nbf` is 365d ahead"),
            ("exp", json!(NOW - YEAR), "the token's times are off: its `exp` is 365d past"),
            ("exp", json!("soon"), "the token's times are off: its `exp` is no time"),
            ("iat", json!(1e300), ""),
        ] {
            let got = judged(&with(name, &value)).unwrap_err();
            assert!(got.to_string().starts_with(reason), "{name}: {got}");
        }
        for none in ["", "hush", "a.b", "a.b.c", "a.b.c.d", &"a".repeat(LONGEST + 1)] {
            assert_eq!(judged(none), Err(wrong("it is no JSON Web Token")));
        }
    }
}
