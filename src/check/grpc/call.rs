//! One call over one connection in HTTP/2, bounded in time and size.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;

use super::message::{self, LONGEST, Malformed};
use super::{Answer, Status};
use crate::check::header;
use crate::check::http::line::{Line, MOST_HEADERS, broken};
use crate::check::http::request::{OUR_NAME, authority};
use crate::config::{GrpcCheck, Secrets};
use crate::model::{Phase, Reason, Span};
use crate::net::wire::{Speaks, Watched};
use crate::net::{Run, Wire};

const METHOD: &str = "/grpc.health.v1.Health/Check";
const TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The call that asks what `grpc` asks.
pub(super) fn request(grpc: &GrpcCheck, secrets: &Secrets) -> Result<Request<Full<Bytes>>, Reason> {
    let url = format!("{}://{}{METHOD}", grpc.url.scheme(), authority(&grpc.url));
    let body = Full::from(message::question(&grpc.service));
    let mut request = Request::new(body);
    *request.method_mut() = Method::POST;
    *request.uri_mut() = http::Uri::try_from(url)
        .map_err(|error| Reason::ProberMisconfigured { detail: format!("a URL: {error}") })?;
    let headers = request.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(OUR_NAME));
    for (name, text) in &grpc.metadata {
        headers.insert(name, header::value(text, secrets)?);
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(TE, HeaderValue::from_static("trailers"));
    Ok(request)
}

/// At most eight digits and a unit: a run has at most five minutes.
fn timeout(left: Span) -> HeaderValue {
    let millis = (left.as_micros() / 1000).clamp(1, 99_999_999);
    HeaderValue::try_from(format!("{millis}m")).unwrap_or(HeaderValue::from_static("1S"))
}

/// Sends `request` over `wire` and reads how the call ends. The server is told how long the run has
/// left by now, since its answer is of no use later.
pub(super) async fn talk(
    run: &mut Run,
    wire: Wire,
    mut request: Request<Full<Bytes>>,
) -> Result<Answer, Reason> {
    request.headers_mut().insert(TIMEOUT, timeout(run.time_left()));
    let wire = Watched::new(wire, run.clock().stopwatch(), Speaks::Http2);
    let marks = wire.marks();
    let outcome = run.within_deadline(converse(wire, request)).await;
    let phase = marks.settle(&mut run.phases);
    match outcome {
        Some(Ok(answer)) => Ok(answer),
        Some(Err(broken)) => Err(broken.reason(phase)),
        None => Err(Reason::Timeout { phase }),
    }
}

async fn converse(wire: Watched, request: Request<Full<Bytes>>) -> Result<Answer, Broken> {
    let mut line = Line::open(wire, Speaks::Http2).await?;
    let response = match line.send(request).await {
        Ok(response) => response,
        Err(_) if line.is_flooded() => return Err(Broken::HeadersTooLarge),
        Err(error) => return Err(error.into()),
    };
    line.alongside(read(response)).await
}

/// Reads how a call ends: with its status after the answer, or at once in place of one.
async fn read(response: Response<Incoming>) -> Result<Answer, Broken> {
    let (head, mut body) = response.into_parts();
    if head.headers.len() > MOST_HEADERS {
        return Err(Broken::HeadersTooLarge);
    }
    if head.status != http::StatusCode::OK {
        return Err(Broken::Status(head.status.as_u16()));
    }
    speaks_grpc(&head.headers)?;
    if let Some(status) = status(&head.headers)? {
        return match status.code {
            0 => Err(Malformed::Nothing.into()),
            _ => Ok(Err(status)),
        };
    }
    let (mut answer, mut ending) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame?.into_data() {
            Ok(data) if answer.len() + data.len() > LONGEST => {
                return Err(Malformed::TooLong.into());
            }
            Ok(data) => answer.extend_from_slice(&data),
            Err(frame) => ending = frame.into_trailers().ok(),
        }
    }
    let trailers = ending.unwrap_or_default();
    if trailers.len() > MOST_HEADERS {
        return Err(Broken::HeadersTooLarge);
    }
    match status(&trailers)? {
        None => Err(Broken::Malformed("an answer without grpc-status".to_owned())),
        Some(Status { code: 0, .. }) => Ok(Ok(message::answer(&answer)?)),
        Some(status) => Ok(Err(status)),
    }
}

/// Whether the answer is one of gRPC's: what stands in between may answer in its own words.
fn speaks_grpc(headers: &HeaderMap) -> Result<(), Broken> {
    let kind = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    match kind.strip_prefix(b"application/grpc") {
        Some([] | [b'+' | b';', ..]) => Ok(()),
        _ => {
            let kind = String::from_utf8_lossy(kind);
            Err(Broken::Malformed(format!("not gRPC but the content type \"{kind}\"")))
        }
    }
}

fn status(headers: &HeaderMap) -> Result<Option<Status>, Broken> {
    let Some(code) = headers.get(STATUS) else { return Ok(None) };
    let words = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let code = code
        .to_str()
        .ok()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| Broken::Malformed(format!("the grpc-status \"{}\"", words(code))))?;
    let message = headers.get(MESSAGE).map(words).unwrap_or_default();
    Ok(Some(Status { code, message }))
}

/// Why a call has no end.
#[derive(Debug)]
enum Broken {
    Http(hyper::Error),
    HeadersTooLarge,
    Status(u16),
    Malformed(String),
}

impl From<hyper::Error> for Broken {
    fn from(error: hyper::Error) -> Self {
        Self::Http(error)
    }
}

impl From<Malformed> for Broken {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl Broken {
    fn reason(self, phase: Phase) -> Reason {
        match self {
            Self::Http(error) => broken(&error, phase),
            Self::HeadersTooLarge => Reason::HeadersTooLarge,
            Self::Status(got) => Reason::Status { got },
            Self::Malformed(detail) => Reason::MalformedAnswer { detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Span, timeout};

    #[test]
    fn a_deadline_is_in_milliseconds_and_never_none() {
        assert_eq!(timeout(Span::from_secs(300)), "300000m");
        assert_eq!(timeout(Span::from_micros(1_999)), "1m");
        assert_eq!(timeout(Span::ZERO), "1m");
        assert_eq!(timeout(Span::from_micros(u64::MAX)), "99999999m");
    }
}
