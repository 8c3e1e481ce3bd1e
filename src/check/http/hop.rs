//! One request and its answer over one connection, bounded in time, headers and body.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use bytes::{Buf, Bytes};
use http::header::LOCATION;
use http::response::Parts;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::interim::{Bounded, TooMuch};
use super::request::Redirect;
use super::{Answer, clock};
use crate::model::{ClockOffset, Phase, Reason};
use crate::net::connect::breakage;
use crate::net::wire::Watched;
use crate::net::{Run, Wire};

/// Longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Most bytes before the end of an answer's head, with all interim answers: more than the library
/// buffers for a head alone.
const LONGEST_PRELUDE: usize = 4 * LONGEST_HEAD;

/// Most headers of an answer.
const MOST_HEADERS: usize = 256;

/// What is read of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// How many bytes of body are read.
    pub(super) max_body: u64,
    /// Whether they are kept.
    pub(super) keep_body: bool,
    /// Whether redirects are followed; then the body of one does not matter.
    pub(super) follow: bool,
}

/// What one hop showed.
#[derive(Debug)]
pub(super) struct Seen {
    /// What the answer tells about the target's clock, known as soon as its head has come.
    pub(super) clock: Option<ClockOffset>,
    /// How it ended.
    pub(super) ending: Result<Ending, Reason>,
}

/// How a hop ends that does not fail.
#[derive(Debug)]
pub(super) enum Ending {
    /// With an answer.
    Answer(Answer),
    /// With a redirect to be followed.
    Redirect(Redirect),
}

/// Sends `request` over `wire` and reads the answer.
pub(super) async fn talk(
    run: &mut Run,
    wire: Wire,
    request: http::Request<Full<Bytes>>,
    limits: Limits,
) -> Seen {
    let wire = Watched::new(wire, run.clock().stopwatch());
    let marks = wire.marks();
    let mut clock = None;
    let conversation = converse(run, wire, request, limits, &mut clock);
    let outcome = run.within_deadline(conversation).await;
    let phase = marks.settle(&mut run.phases);
    let ending = match outcome {
        Some(Ok(ending)) => Ok(ending),
        Some(Err(broken)) => Err(broken.reason(phase)),
        None => Err(Reason::Timeout { phase }),
    };
    Seen { clock, ending }
}

async fn converse(
    run: &Run,
    wire: Watched,
    request: http::Request<Full<Bytes>>,
    limits: Limits,
    clock: &mut Option<ClockOffset>,
) -> Result<Ending, Broken> {
    let wire = Bounded::new(wire, LONGEST_PRELUDE);
    let head_came = wire.head();
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(MOST_HEADERS)
        .max_header_size(LONGEST_HEAD)
        .max_buf_size(LONGEST_HEAD)
        .handshake(TokioIo::new(wire))
        .await?;
    let mut connection = Some(Box::pin(connection));
    let sent = run.clock().now();
    let answer = alongside(&mut connection, sender.send_request(request)).await?;
    // The whole head has come by now, and so has the date, whenever in it the date was written.
    let received = run.clock().now();
    head_came.set();
    let (head, body) = answer.into_parts();
    *clock = clock::offset(&head.headers, sent, received, run.clock().wall_step());
    if limits.follow && is_redirect(&head) {
        let location = head.headers.get(LOCATION).cloned();
        return Ok(Ending::Redirect(Redirect { status: head.status.as_u16(), location }));
    }
    let body = alongside(&mut connection, read(body, limits)).await?;
    let (status, headers) = (head.status.as_u16(), head.headers);
    Ok(Ending::Answer(Answer { status, headers, body, sent, received: run.clock().now() }))
}

fn is_redirect(head: &Parts) -> bool {
    matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Does `work`, which needs the connection to be driven, and drives it. Both in one task, so that
/// nothing is left behind when the deadline cuts it short.
async fn alongside<C: Future, T>(
    connection: &mut Option<Pin<Box<C>>>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        // Its own outcome is of no interest: `work` learns of it, since dropping the connection
        // closes its channels.
        if let Some(driven) = connection
            && driven.as_mut().poll(cx).is_ready()
        {
            *connection = None;
        }
        match work.as_mut().poll(cx) {
            Poll::Ready(done) => Poll::Ready(done),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Reads all of `body` and returns it if it is to be kept.
async fn read(mut body: Incoming, limits: Limits) -> Result<Vec<u8>, Broken> {
    // What announces itself as too long need not be read to be known.
    if body.size_hint().lower() > limits.max_body {
        return Err(Broken::BodyTooLarge);
    }
    let mut left = limits.max_body;
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame?.into_data() else { continue };
        left = u64::try_from(data.remaining())
            .ok()
            .and_then(|length| left.checked_sub(length))
            .ok_or(Broken::BodyTooLarge)?;
        if limits.keep_body {
            kept.extend_from_slice(&data.copy_to_bytes(data.remaining()));
        }
    }
    Ok(kept)
}

/// Why an exchange broke off.
#[derive(Debug)]
enum Broken {
    Http(hyper::Error),
    BodyTooLarge,
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl Broken {
    fn reason(self, phase: Phase) -> Reason {
        let error = match self {
            Self::BodyTooLarge => return Reason::BodyTooLarge,
            Self::Http(error) => error,
        };
        if error.is_parse_too_large() {
            return Reason::HeadersTooLarge;
        }
        if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
            return Reason::ConnectionClosed { phase };
        }
        let source = std::error::Error::source(&error);
        match source.and_then(|source| source.downcast_ref::<std::io::Error>()) {
            Some(io) if io.get_ref().is_some_and(|inner| inner.is::<TooMuch>()) => {
                Reason::HeadersTooLarge
            }
            Some(io) => breakage(io, phase),
            None => Reason::MalformedAnswer { detail: error.to_string() },
        }
    }
}
