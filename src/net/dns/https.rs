//! DNS over HTTPS (RFC 8484): one POST, in HTTP/2 or, to a server that does not agree on it, in
//! HTTP/1.1.
//!
//! HTTP/2 is the least that the RFC recommends, and all that some servers speak.

use std::io;
use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use h2::client::{Builder, SendRequest};
use hickory_proto::op::Message;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderValue, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::message::Question;
use crate::model::{Phase, Reason};
use crate::net::Wire;
use crate::net::connect::breakage;

/// What may be spoken, the best first.
pub(super) const ALPN: [&str; 2] = [TWO, "http/1.1"];
const TWO: &str = "h2";

/// What both sides say that they send.
const MEDIA_TYPE: &str = "application/dns-message";

/// The longest message that DNS knows.
const LONGEST: usize = 65_535;

/// Longest head of an answer, in bytes.
const LONGEST_HEAD: u16 = 16 * 1024;

/// The head of a request to the server `name`.
pub(super) fn request(name: &str, port: u16, path: &str) -> Result<Request<()>, Reason> {
    let name = if name.contains(':') { format!("[{name}]") } else { name.to_owned() };
    let authority = if port == 443 { name } else { format!("{name}:{port}") };
    let unfit = |error: http::Error| Reason::ProberMisconfigured { detail: error.to_string() };
    let uri = Uri::builder().scheme("https").authority(authority).path_and_query(path).build();
    Request::post(uri.map_err(unfit)?)
        .header(ACCEPT, MEDIA_TYPE)
        .header(CONTENT_TYPE, MEDIA_TYPE)
        .body(())
        .map_err(unfit)
}

/// Asks over `wire`, which speaks what was agreed on as `alpn`.
pub(super) async fn post(
    wire: Wire,
    alpn: Option<Vec<u8>>,
    request: Request<()>,
    question: &Question,
) -> Result<Message, Reason> {
    if alpn.as_deref() == Some(TWO.as_bytes()) {
        post_in_two(wire, request, question).await
    } else {
        post_in_one(wire, request, question).await
    }
}

async fn post_in_two(
    wire: Wire,
    request: Request<()>,
    question: &Question,
) -> Result<Message, Reason> {
    let (sender, connection) = Builder::new()
        .enable_push(false)
        .max_header_list_size(LONGEST_HEAD.into())
        .handshake::<_, Bytes>(wire)
        .await
        .map_err(|error| broken(&error))?;
    // Both in one task, so that nothing is left behind when the deadline cuts it short.
    let connection = Box::pin(connection);
    match select(pin!(exchange(sender, request, question)), connection).await {
        Either::Left((answer, _)) => answer,
        // That the connection has ended, the exchange is told when it is dropped, and sometimes
        // only then; which it is by now.
        Either::Right((_, exchange)) => exchange.await,
    }
}

async fn exchange(
    sender: SendRequest<Bytes>,
    request: Request<()>,
    question: &Question,
) -> Result<Message, Reason> {
    let broke = |error: h2::Error| broken(&error);
    let mut sender = sender.ready().await.map_err(broke)?;
    let (answer, mut body) = sender.send_request(request, false).map_err(broke)?;
    body.send_data(Bytes::copy_from_slice(question.packet()), true).map_err(broke)?;
    let (head, mut body) = answer.await.map_err(broke)?.into_parts();
    expect_message(head.status, &head.headers)?;
    let mut packet = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.map_err(broke)?;
        add(&mut packet, &part)?;
        body.flow_control().release_capacity(part.len()).map_err(broke)?;
    }
    question.answered_whole_by(&packet)
}

async fn post_in_one(
    wire: Wire,
    request: Request<()>,
    question: &Question,
) -> Result<Message, Reason> {
    let (sender, connection) = http1::Builder::new()
        .max_header_size(LONGEST_HEAD.into())
        .max_buf_size(LONGEST_HEAD.into())
        .handshake(TokioIo::new(wire))
        .await
        .map_err(|error| one_broken(&error))?;
    match select(pin!(exchange_in_one(sender, request, question)), pin!(connection)).await {
        Either::Left((answer, _)) => answer,
        Either::Right((_, exchange)) => exchange.await,
    }
}

async fn exchange_in_one(
    mut sender: http1::SendRequest<Full<Bytes>>,
    request: Request<()>,
    question: &Question,
) -> Result<Message, Reason> {
    let broke = |error: hyper::Error| one_broken(&error);
    let packet = Bytes::copy_from_slice(question.packet());
    let mut request = request.map(|()| Full::new(packet));
    // What HTTP/2 says in pseudo-headers stands in the first line and in `Host`.
    let uri = request.uri().clone().into_parts();
    let host = uri.authority.and_then(|name| HeaderValue::from_str(name.as_str()).ok());
    request.headers_mut().extend(host.map(|host| (HOST, host)));
    *request.uri_mut() = uri.path_and_query.map(Uri::from).unwrap_or_default();
    let (head, mut body) = sender.send_request(request).await.map_err(broke)?.into_parts();
    expect_message(head.status, &head.headers)?;
    let mut packet = Vec::new();
    while let Some(part) = body.frame().await {
        add(&mut packet, part.map_err(broke)?.data_ref().map_or(&[], |part| part))?;
    }
    question.answered_whole_by(&packet)
}

/// What comes must be a message by its head.
fn expect_message(status: StatusCode, headers: &HeaderMap) -> Result<(), Reason> {
    if status != StatusCode::OK {
        return Err(Reason::Status { got: status.as_u16() });
    }
    let media_type = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes);
    if media_type == Some(MEDIA_TYPE.as_bytes()) {
        return Ok(());
    }
    let got = String::from_utf8_lossy(media_type.unwrap_or(b"nothing")).into_owned();
    Err(Reason::MalformedAnswer { detail: format!("its content type is {got}") })
}

/// Adds `part` to `packet`, unless that is too much for a message.
fn add(packet: &mut Vec<u8>, part: &[u8]) -> Result<(), Reason> {
    packet.extend_from_slice(part);
    if packet.len() > LONGEST {
        let detail = String::from("it is longer than any message");
        return Err(Reason::MalformedAnswer { detail });
    }
    Ok(())
}

/// What a break of a connection in HTTP/1.1 means.
fn one_broken(error: &hyper::Error) -> Reason {
    let source = std::error::Error::source(error);
    if let Some(io) = source.and_then(|source| source.downcast_ref::<io::Error>()) {
        return breakage(io, Phase::FirstByte);
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Reason::ConnectionClosed { phase: Phase::FirstByte };
    }
    if error.is_parse_too_large() {
        return Reason::HeadersTooLarge;
    }
    Reason::MalformedAnswer { detail: error.to_string() }
}

/// What a break of the connection means.
fn broken(error: &h2::Error) -> Reason {
    if let Some(error) = error.get_io() {
        return breakage(error, Phase::FirstByte);
    }
    // The peer has said that it will not go on; what we say is about what the peer has sent.
    if error.is_remote() {
        return Reason::ConnectionClosed { phase: Phase::FirstByte };
    }
    Reason::MalformedAnswer { detail: error.to_string() }
}
