//! How a check authorizes itself; tokens that are asked for are kept until they expire.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use data_encoding::BASE64;
use http::HeaderValue;
use serde_json::Value;

use super::ground::Ground;
use super::hop::{self, Ending, Limits};
use super::request::Request;
use crate::check::trace::{Asking, Purpose};
use crate::config::{Auth, HttpClient, OAuth2, Secret, SecretRef, Secrets, TlsSettings};
use crate::model::{Reason, Span, Timestamp};
use crate::net::Run;

/// The longest answer to a request for a token.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// How long before its end a token is no longer used, at most: it must outlive the request.
const MARGIN: Duration = Duration::from_secs(30);

/// What a request says of us.
#[derive(Clone)]
pub(in crate::check) struct Authorization {
    pub(in crate::check) header: HeaderValue,
    /// The token in it, if we have asked for it.
    token: Option<Secret>,
}

/// What `ground`'s check says of itself, if anything. A token is asked for in the time that the
/// run has, but its phases are not the target's.
pub(in crate::check) async fn authorization(
    ground: &Ground<'_>,
    tokens: &Tokens,
    run: Run,
) -> Result<Option<Authorization>, Reason> {
    let text = match &ground.client.auth {
        None => return Ok(None),
        Some(Auth::Basic { user, password }) => {
            basic(user, secret(ground.secrets, password)?.reveal())
        }
        Some(Auth::Bearer(token)) => {
            format!("Bearer {}", secret(ground.secrets, token)?.reveal())
        }
        Some(Auth::OAuth2(oauth2)) => {
            let token = tokens.get(ground, oauth2, run).await?;
            ground.notes.veil.add(token.reveal());
            let header = sensitive(&format!("Bearer {}", token.reveal()))?;
            return Ok(Some(Authorization { header, token: Some(token) }));
        }
    };
    Ok(Some(Authorization { header: sensitive(&text)?, token: None }))
}

fn secret<'a>(secrets: &'a Secrets, reference: &SecretRef) -> Result<&'a Secret, Reason> {
    let missing = || Reason::ProberMisconfigured { detail: format!("the {reference}") };
    secrets.get(reference).ok_or_else(missing)
}

fn sensitive(text: &str) -> Result<HeaderValue, Reason> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Reason::ProberMisconfigured {
        detail: String::from("credentials that a header can carry"),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// A name and a password as a header has them (RFC 7617).
pub(in crate::check) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{user}:{password}").as_bytes()))
}

/// The tokens that were given, for all checks that ask in the same name.
#[derive(Debug, Default)]
pub(in crate::check) struct Tokens {
    /// Grows with the configuration and not with time.
    slots: Mutex<BTreeMap<OAuth2, Arc<Slot>>>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Whose turn it is to ask: the others wait for what comes of it.
    turn: tokio::sync::Mutex<()>,
    token: Mutex<Option<(Secret, Timestamp)>>,
}

impl Slot {
    /// The token, if it is still good at `now`.
    fn good(&self, now: Timestamp) -> Option<Secret> {
        let held = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|(_, until)| now < *until).map(|(token, _)| token.clone())
    }
}

impl Tokens {
    fn slot(&self, oauth2: &OAuth2) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.entry(oauth2.clone()).or_default().clone()
    }

    async fn get(&self, ground: &Ground<'_>, oauth2: &OAuth2, run: Run) -> Result<Secret, Reason> {
        let slot = self.slot(oauth2);
        let late =
            || Reason::TokenUnavailable { detail: String::from("another check is asking for it") };
        let _turn = run.within_deadline(slot.turn.lock()).await.ok_or_else(late)?;
        if let Some(token) = slot.good(run.clock().now()) {
            return Ok(token);
        }
        let asked_at = run.clock().now();
        let Token { token, lifetime } = ask(ground, oauth2, run).await?;
        // One of unknown lifetime is good for this once.
        if let Some(lifetime) = lifetime {
            let until = asked_at + lifetime.saturating_sub(MARGIN.min(lifetime / 10));
            let mut held = slot.token.lock().unwrap_or_else(PoisonError::into_inner);
            *held = Some((token.clone(), until));
        }
        Ok(token)
    }

    /// Forgets the token of `authorization`, which the target did not take: the next run asks for
    /// another, and this one has its verdict.
    pub(in crate::check) fn refused(&self, authorization: &Authorization, client: &HttpClient) {
        let (Some(Auth::OAuth2(oauth2)), Some(token)) = (&client.auth, &authorization.token) else {
            return;
        };
        let slot = self.slot(oauth2);
        let mut held = slot.token.lock().unwrap_or_else(PoisonError::into_inner);
        // Another run may have got a new one meanwhile.
        if held.as_ref().is_some_and(|(held, _)| held == token) {
            *held = None;
        }
    }
}

/// Asks for a token on the way that the check's own requests take.
async fn ask(ground: &Ground<'_>, oauth2: &OAuth2, mut run: Run) -> Result<Token, Reason> {
    let client = HttpClient {
        tls: TlsSettings { server_name: None, ..ground.client.tls.clone() },
        family: ground.client.family,
        source: ground.client.source,
        proxy: ground.client.proxy.clone(),
        ..HttpClient::default()
    };
    let ground = Ground { client: &client, ..*ground };
    let password = secret(ground.secrets, &oauth2.client_secret)?;
    // Both are encoded as a form is before they are put together (RFC 6749, 2.3.1).
    let user = basic(&form(&oauth2.client_id), &form(password.reveal()));
    let request = Request::for_token(oauth2, sensitive(&user)?)?;
    let limits = Limits {
        max_body: LONGEST_ANSWER,
        keep_body: true,
        follow: false,
        first_byte: None,
        idle: None,
    };
    let unavailable = |reason: Reason| {
        if reason.is_ours() {
            return reason;
        }
        Reason::TokenUnavailable { detail: reason.to_string() }
    };
    let mut entry = ground.notes.entry(&run, &run.phases, || Asking {
        step: None,
        entry: None,
        purpose: Purpose::Token,
        method: request.method.clone(),
        url: request.url.clone(),
    });
    let (mut address, mut head) = (None, None);
    let exchange = async {
        address = ground.locate(&request.url, &mut run).await?;
        let opening = ground.open(&request.url, address, &mut run).await?;
        let encoded = request.encode(&opening, None);
        entry.iter_mut().for_each(|entry| entry.sends(&encoded));
        let seen = hop::talk(&mut run, opening, encoded, limits).await;
        head = seen.head;
        seen.ending
    };
    let ending = exchange.await;
    if let Some(entry) = entry {
        entry.close(&run, address, head, ending.as_ref().err());
    }
    match ending.map_err(unavailable)? {
        Ending::Answer(answer) if (200..300).contains(&answer.status) => Token::read(&answer.body),
        Ending::Answer(answer) => Err(Reason::TokenRefused { got: answer.status }),
        Ending::Redirect(redirect, _) => Err(Reason::TokenRefused { got: redirect.status }),
    }
}

/// `text` as a form has it.
pub(in crate::check) fn form(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A token that was given.
struct Token {
    token: Secret,
    lifetime: Option<Duration>,
}

impl Token {
    /// Reads an answer of RFC 6749, 5.1. What is wrong with it is said in our words: its own may
    /// hold what is secret.
    fn read(body: &[u8]) -> Result<Self, Reason> {
        let malformed = |detail: &str| Reason::TokenMalformed { detail: detail.to_owned() };
        let answer: Value = serde_json::from_slice(body).map_err(|_| malformed("no JSON"))?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.ok_or_else(|| malformed("without `access_token`"))?;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("an `access_token` that no header can carry"));
        }
        let kind = answer.get("token_type").and_then(Value::as_str);
        if kind.is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
            return Err(malformed("a `token_type` other than Bearer"));
        }
        // Some servers write the number as a text.
        let seconds = match answer.get("expires_in") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(other) => other.as_f64().map(|seconds| seconds as u64),
            None => None,
        };
        let lifetime = seconds.map(|seconds| Span::from_secs(seconds).to_duration());
        Ok(Self { token: Secret::new(token), lifetime })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Token;

    #[test]
    fn tokens_and_what_is_none() {
        let read = |text: &str| Token::read(text.as_bytes());
        let token = read(r#"{"access_token":"abc","token_type":"bearer","expires_in":3600}"#);
        let token = token.ok().unwrap();
        assert_eq!(
            (token.token.reveal(), token.lifetime),
            ("abc", Some(Duration::from_secs(3600)))
        );
        let lifetime = |text: &str| read(text).ok().unwrap().lifetime;
        assert_eq!(
            lifetime(r#"{"access_token":"abc","expires_in":"60"}"#),
            Some(Duration::from_secs(60))
        );
        assert_eq!(lifetime(r#"{"access_token":"abc"}"#), None);
        assert_eq!(lifetime(r#"{"access_token":"abc","expires_in":-5}"#), Some(Duration::ZERO));
        for text in [
            "",
            "[]",
            "hush",
            r#"{"token":"hush"}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"hush hush"}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"hush","token_type":"mac"}"#,
        ] {
            let reason = read(text).err().unwrap();
            assert_eq!(reason.name(), "token_malformed", "{text}");
            assert!(!reason.to_string().contains("hush"), "{reason}");
        }
    }
}
