//! DNS over HTTPS (RFC 8484): one POST on an HTTP/2 connection.
//!
//! HTTP/2 is the least that the RFC recommends, and all that some servers speak.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use h2::client::{Builder, SendRequest};
use hickory_proto::op::Message;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Uri};

use super::message::Question;
use crate::model::{Phase, Reason};
use crate::net::Wire;
use crate::net::connect::breakage;

/// What both sides say that they send.
const MEDIA_TYPE: &str = "application/dns-message";

/// The longest message that DNS knows.
const LONGEST: usize = 65_535;

/// Longest head of an answer, in bytes.
const LONGEST_HEAD: u32 = 16 * 1024;

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

/// Asks over `wire`, which speaks HTTP/2.
pub(super) async fn post(
    wire: Wire,
    request: Request<()>,
    question: &Question,
) -> Result<Message, Reason> {
    let (sender, connection) = Builder::new()
        .enable_push(false)
        .max_header_list_size(LONGEST_HEAD)
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
    if head.status != http::StatusCode::OK {
        return Err(Reason::Status { got: head.status.as_u16() });
    }
    let media_type = head.headers.get(CONTENT_TYPE).map(http::HeaderValue::as_bytes);
    if media_type != Some(MEDIA_TYPE.as_bytes()) {
        let got = String::from_utf8_lossy(media_type.unwrap_or(b"nothing")).into_owned();
        let detail = format!("its content type is {got}");
        return Err(Reason::MalformedAnswer { detail });
    }
    let mut packet = Vec::new();
    while let Some(part) = body.data().await {
        let part = part.map_err(broke)?;
        packet.extend_from_slice(&part);
        if packet.len() > LONGEST {
            let detail = String::from("it is longer than any message");
            return Err(Reason::MalformedAnswer { detail });
        }
        body.flow_control().release_capacity(part.len()).map_err(broke)?;
    }
    question.answered_whole_by(&packet)
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
