//! One request and its answer over one connection, bounded in time, headers and body.

use std::pin::pin;

use bytes::Bytes;
use futures_util::future::{Either, select};
use http::HeaderValue;
use http::header::{LOCATION, SET_COOKIE};
use http::response::Parts;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};

use super::decode::{self, Undecodable};
use super::ground::Opening;
use super::line::{self, Line, MOST_HEADERS};
use super::request::Redirect;
use super::{Answer, clock};
use crate::check::trace::Head;
use crate::config::HttpVersion;
use crate::model::{ClockOffset, Phase, Reason, Span};
use crate::net::Run;
use crate::net::wire::{Silence, Speaks, Watched};

/// What is read of an answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::check) struct Limits {
    /// How many bytes of body are read.
    pub(in crate::check) max_body: u64,
    /// Whether they are kept.
    pub(in crate::check) keep_body: bool,
    /// Whether redirects are followed; then the body of one does not matter.
    pub(in crate::check) follow: bool,
    /// How long the answer may take to begin.
    pub(in crate::check) first_byte: Option<Span>,
    /// How long nothing may come in its middle.
    pub(in crate::check) idle: Option<Span>,
}

/// What one hop showed.
#[derive(Debug)]
pub(super) struct Seen {
    /// What the answer tells about the target's clock, known as soon as its head has come.
    pub(super) clock: Option<ClockOffset>,
    /// The cookies that it gave, by then as well.
    pub(super) cookies: Vec<HeaderValue>,
    /// The answer's head, if it is traced and came.
    pub(super) head: Option<Head>,
    /// How it ended.
    pub(super) ending: Result<Ending, Reason>,
}

impl Seen {
    /// The status of the answer, if one came whole.
    pub(super) fn status(&self) -> Option<u16> {
        match self.ending.as_ref().ok()? {
            Ending::Answer(answer) => Some(answer.status),
            Ending::Redirect(redirect, _) => Some(redirect.status),
        }
    }
}

/// How a hop ends that does not fail.
#[derive(Debug)]
pub(super) enum Ending {
    /// With an answer.
    Answer(Answer),
    /// With a redirect to be followed, and its own head.
    Redirect(Redirect, Answer),
}

/// What a head tells beside the answer.
#[derive(Default)]
struct Told {
    clock: Option<ClockOffset>,
    cookies: Vec<HeaderValue>,
    traced: bool,
    head: Option<Head>,
}

/// Sends `request` over an open connection and reads the answer.
pub(super) async fn talk(
    run: &mut Run,
    Opening { wire, speaks, proxy, traced }: Opening,
    request: http::Request<Full<Bytes>>,
    limits: Limits,
) -> Seen {
    let wire = Watched::new(wire, run.clock().stopwatch(), speaks);
    let marks = wire.marks();
    let mut told = Told { traced, ..Told::default() };
    let outcome = run
        .within_deadline(async {
            let silence = marks.silence(limits.first_byte, limits.idle);
            let conversation = converse(run, (wire, speaks), request, limits, &mut told);
            match select(pin!(conversation), pin!(silence)).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right((silence, _)) => Err(Broken::TooSilent(silence)),
            }
        })
        .await;
    let phase = marks.settle(&mut run.phases);
    let ending = match outcome {
        // It is the proxy that says this, whatever it was asked for.
        Some(Ok(Ending::Answer(Answer { status: 407, .. }))) if proxy.is_some() => {
            Err(Reason::ProxyAuth)
        }
        Some(Ok(ending)) => Ok(ending),
        Some(Err(broken)) => Err(broken.reason(phase)),
        None => Err(Reason::Timeout { phase }),
    };
    Seen { clock: told.clock, cookies: told.cookies, head: told.head, ending }
}

async fn converse(
    run: &Run,
    (wire, speaks): (Watched, Speaks),
    request: http::Request<Full<Bytes>>,
    limits: Limits,
    told: &mut Told,
) -> Result<Ending, Broken> {
    let mut line = Line::open(wire, speaks).await?;
    let sent = run.clock().now();
    let answer = match line.send(request).await {
        Ok(answer) => answer,
        Err(_) if line.is_flooded() => return Err(Broken::HeadersTooLarge),
        Err(error) => return Err(error.into()),
    };
    // The whole head has come by now, and so has the date, whenever in it the date was written.
    let received = run.clock().now();
    let (head, body) = answer.into_parts();
    if head.headers.len() > MOST_HEADERS {
        return Err(Broken::HeadersTooLarge);
    }
    told.clock = clock::offset(&head.headers, sent, received);
    told.cookies = head.headers.get_all(SET_COOKIE).iter().cloned().collect();
    let is_redirect = limits.follow && is_redirect(&head);
    let (status, headers, version) = (head.status.as_u16(), head.headers, version(head.version));
    if told.traced {
        let headers = headers.clone();
        told.head = Some(Head { status, version, headers, body_bytes: 0, content_bytes: None });
    }
    if is_redirect {
        let location = headers.get(LOCATION).cloned();
        let head = Answer { status, version, headers, body: Vec::new(), sent, received };
        return Ok(Ending::Redirect(Redirect { status, location }, head));
    }
    let decoded = decode::Body::new(&headers, limits.max_body, limits.keep_body)?;
    let mut came = 0;
    let body = line.alongside(read(body, decoded, &mut came)).await;
    if let Some(head) = &mut told.head {
        head.body_bytes = came;
        let kept = body.as_ref().ok().filter(|_| limits.keep_body);
        head.content_bytes = kept.and_then(|body| u64::try_from(body.len()).ok());
    }
    let (body, received) = (body?, run.clock().now());
    Ok(Ending::Answer(Answer { status, version, headers, body, sent, received }))
}

const fn version(version: http::Version) -> HttpVersion {
    match version {
        http::Version::HTTP_2 => HttpVersion::Two,
        http::Version::HTTP_11 => HttpVersion::OneOne,
        _ => HttpVersion::OneZero,
    }
}

fn is_redirect(head: &Parts) -> bool {
    matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Reads all of `incoming`, undoes its compression, and returns it if it is to be kept; counts what
/// `came`.
async fn read(
    mut incoming: Incoming,
    mut body: decode::Body,
    came: &mut u64,
) -> Result<Vec<u8>, Broken> {
    // What announces itself as too long need not be read to be known.
    if incoming.size_hint().lower() > body.left() {
        return Err(Broken::BodyTooLarge);
    }
    while let Some(frame) = incoming.frame().await {
        if let Ok(data) = frame?.into_data() {
            *came += data.len() as u64;
            body.take(&data)?;
        }
    }
    Ok(body.finish()?)
}

/// Why an exchange broke off.
#[derive(Debug)]
enum Broken {
    Http(hyper::Error),
    HeadersTooLarge,
    BodyTooLarge,
    BodyEncoding(String),
    TooSilent(Silence),
}

impl From<Undecodable> for Broken {
    fn from(error: Undecodable) -> Self {
        match error {
            Undecodable::TooLarge => Self::BodyTooLarge,
            Undecodable::Broken(detail) => Self::BodyEncoding(detail),
        }
    }
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl Broken {
    fn reason(self, phase: Phase) -> Reason {
        match self {
            Self::BodyTooLarge => Reason::BodyTooLarge,
            Self::HeadersTooLarge => Reason::HeadersTooLarge,
            Self::BodyEncoding(detail) => Reason::BodyEncoding { detail },
            Self::TooSilent(Silence::FirstByte(limit)) => Reason::FirstByteLimit { limit },
            Self::TooSilent(Silence::Idle(limit)) => Reason::IdleLimit { limit },
            Self::Http(error) => line::broken(&error, phase),
        }
    }
}
