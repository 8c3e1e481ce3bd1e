//! The way from HTTP to a WebSocket: the request, and what its answer must be like (RFC 6455, 4).
//!
//! HTTP is spoken by the library that speaks it in `http` checks, so that the same bounds hold and
//! the same reasons are told; the answer is judged here, by everything that the RFC asks for.

use std::future::poll_fn;
use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Version, response};
use http_body_util::Empty;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::super::bounded::Bounded;
use super::super::header;
use super::super::http::line::{LONGEST_PRELUDE, MOST_HEADERS, broken, one};
use super::super::http::request::{OUR_NAME, authority, target};
use crate::config::{Secrets, WebsocketCheck};
use crate::model::{Phase, Reason};
use crate::net::wire::Watched;

/// Most that comes over one WebSocket, in bytes, beside four messages of the largest size. Little of
/// it need be messages at all, and it may come faster than it is looked through.
const MOST_BESIDE: usize = 4 << 20;

/// A connection that does not flood us, neither before the answer's head nor after.
pub(super) type Bound = Bounded<Bounded<Watched>>;

/// A connection over which WebSocket is spoken from now on, and what of it came with the answer.
pub(super) struct Open {
    pub(super) wire: Bound,
    pub(super) early: Bytes,
}

/// Why there is no WebSocket, or no more.
#[derive(Debug)]
pub(super) enum Unfit {
    /// HTTP broke off, in whatever phase that was.
    Http(hyper::Error),
    /// It is known why.
    Known(Reason),
}

impl Unfit {
    /// The reason, if it happened in `phase`.
    pub(super) fn reason(self, phase: Phase) -> Reason {
        match self {
            Self::Http(error) => broken(&error, phase),
            Self::Known(reason) => reason,
        }
    }
}

impl From<hyper::Error> for Unfit {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl From<Reason> for Unfit {
    fn from(reason: Reason) -> Self {
        Self::Known(reason)
    }
}

/// What is asked for, and what answers it.
pub(super) struct Upgrade<'a> {
    request: Request<Empty<Bytes>>,
    /// What only somebody who has read our key and speaks WebSocket can know.
    accept: String,
    offered: &'a [String],
    /// How many bytes may come in all.
    most: usize,
}

impl<'a> Upgrade<'a> {
    /// The upgrade as configured, with its secrets filled in.
    pub(super) fn new(check: &'a WebsocketCheck, secrets: &Secrets) -> Result<Self, Reason> {
        let lacks = |what: &str| Reason::ProberMisconfigured { detail: what.to_owned() };
        let key = generate_key();
        let accept = derive_accept_key(key.as_bytes());
        let mut request = Request::new(Empty::new());
        *request.uri_mut() =
            target(&check.url).ok_or_else(|| lacks("a path that HTTP can carry"))?;
        let headers = request.headers_mut();
        for (name, text) in &check.headers {
            headers.append(name, header::value(text, secrets)?);
        }
        headers.entry(USER_AGENT).or_insert(HeaderValue::from_static(OUR_NAME));
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| lacks("a text that a header can carry"))
        };
        headers.insert(HOST, value(&authority(&check.url))?);
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        headers.insert(SEC_WEBSOCKET_KEY, value(&key)?);
        let offered = &check.subprotocols;
        if !offered.is_empty() {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, value(&offered.join(", "))?);
        }
        let largest = usize::try_from(check.max_message).unwrap_or(usize::MAX);
        let most = largest.saturating_mul(4).saturating_add(MOST_BESIDE);
        Ok(Self { request, accept, offered, most })
    }

    /// Asks over `wire`.
    pub(super) async fn ask(self, wire: Watched) -> Result<Open, Unfit> {
        let wire = Bounded::new(Bounded::new(wire, self.most), LONGEST_PRELUDE);
        let head = wire.head();
        let (mut sender, mut connection) = one().handshake(TokioIo::new(wire)).await?;
        let answer = {
            let driver = poll_fn(|cx| connection.poll_without_shutdown(cx));
            match select(pin!(sender.send_request(self.request)), pin!(driver)).await {
                Either::Left((answer, _)) => answer?,
                // How the connection ended, the request is told as well.
                Either::Right((_, answer)) => answer.await?,
            }
        };
        head.came();
        judge(&answer.into_parts().0, &self.accept, self.offered)?;
        // Nothing is left for HTTP to do but to let go of the connection.
        drop(sender);
        let parts = connection.into_parts();
        Ok(Open { wire: parts.io.into_inner(), early: parts.read_buf })
    }
}

/// Judges the answer to an upgrade:
///
/// 1. Its status must be 101, and nothing of it longer than we read.
/// 2. It must change over to WebSocket, and say so twice.
/// 3. It must be for the key that we sent: otherwise it may be anybody's, from a cache.
/// 4. It must choose one subprotocol of those that were offered, and none if none were.
/// 5. It must not use extensions, since none was offered.
fn judge(head: &response::Parts, accept: &str, offered: &[String]) -> Result<(), Reason> {
    if head.status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Reason::Status { got: head.status.as_u16() });
    }
    let headers = &head.headers;
    if headers.len() > MOST_HEADERS {
        return Err(Reason::HeadersTooLarge);
    }
    let malformed = |what: &str| Err(Reason::MalformedAnswer { detail: what.to_owned() });
    if head.version != Version::HTTP_11 {
        return malformed("only HTTP/1.1 changes over to WebSocket");
    }
    if !is_in(headers, &UPGRADE, "websocket") {
        return malformed("no `Upgrade: websocket` in it");
    }
    if !is_in(headers, &CONNECTION, "upgrade") {
        return malformed("no `Connection: Upgrade` in it");
    }
    let accepted = headers.get_all(SEC_WEBSOCKET_ACCEPT).iter().map(HeaderValue::as_bytes);
    if !accepted.eq([accept.as_bytes()]) {
        return malformed("its `Sec-WebSocket-Accept` is not for our key");
    }
    let chosen: Vec<&[u8]> =
        headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().map(HeaderValue::as_bytes).collect();
    let fits = match chosen.as_slice() {
        [] => offered.is_empty(),
        [one] => offered.iter().any(|offer| offer.as_bytes() == *one),
        _ => false,
    };
    if !fits {
        let got = if chosen.is_empty() { b"none".to_vec() } else { chosen.join(&b", "[..]) };
        return Err(Reason::WebsocketSubprotocol { got: String::from_utf8_lossy(&got).into() });
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return malformed("it uses an extension that was not offered");
    }
    Ok(())
}

/// Whether one of the words in the header `name` is `word`.
fn is_in(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).any(|one| one.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests;
