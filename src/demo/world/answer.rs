//! What a server answers before it is dressed in HTTP, and bodies that stop in their middle.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderName, StatusCode};
use hyper::body::{Body, Frame, SizeHint};

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) content_type: &'static str,
    pub(super) headers: Vec<(HeaderName, String)>,
    pub(super) body: String,
}

impl Answer {
    fn new(status: StatusCode, content_type: &'static str, body: String) -> Self {
        Self { status, content_type, headers: Vec::new(), body }
    }

    pub(super) fn text(status: StatusCode, body: &str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", format!("{body}\n"))
    }

    pub(super) fn json(body: &serde_json::Value) -> Self {
        Self::new(StatusCode::OK, "application/json", format!("{body}\n"))
    }

    /// A page whose script and style sheet stand at `below`.
    pub(super) fn page(title: &str, content: &str, below: &str) -> Self {
        let body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<link rel=\"stylesheet\" href=\"{below}app.css\">\n\
             <script src=\"{below}app.js\"></script></head>\n\
             <body><h1>{title}</h1>\n{content}\n</body></html>\n"
        );
        Self::new(StatusCode::OK, "text/html; charset=utf-8", body)
    }

    /// A page with nothing on it.
    pub(super) fn blank() -> Self {
        let body = "<!doctype html>\n<html><head><title></title></head><body></body></html>\n";
        Self::new(StatusCode::OK, "text/html; charset=utf-8", body.to_owned())
    }

    pub(super) fn script() -> Self {
        let body = "document.documentElement.classList.add(\"ready\");\n";
        Self::new(StatusCode::OK, "text/javascript; charset=utf-8", body.to_owned())
    }

    pub(super) fn style() -> Self {
        let body = "body { font-family: sans-serif }\n";
        Self::new(StatusCode::OK, "text/css; charset=utf-8", body.to_owned())
    }

    pub(super) fn redirect(to: String) -> Self {
        Self::text(StatusCode::SEE_OTHER, "it is elsewhere").with(http::header::LOCATION, to)
    }

    pub(super) fn with(mut self, name: HeaderName, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(super) fn is_page(&self) -> bool {
        self.content_type.starts_with("text/html")
    }
}

/// A body, of which perhaps only a part ever comes.
#[derive(Debug)]
pub(super) struct Part {
    rest: Bytes,
    never: u64,
}

impl Part {
    /// All of it, or half.
    pub(super) fn of(body: String, stalls: bool) -> Self {
        let mut rest = Bytes::from(body);
        let whole = rest.len();
        if stalls {
            rest.truncate(whole / 2);
        }
        Self { never: u64::try_from(whole - rest.len()).unwrap_or(0), rest }
    }
}

impl Body for Part {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let rest = std::mem::take(&mut self.rest);
        match (rest.is_empty(), self.never) {
            (false, _) => Poll::Ready(Some(Ok(Frame::data(rest)))),
            (true, 0) => Poll::Ready(None),
            // Nobody wakes it: the connection's lifetime ends it, or the client does.
            (true, _) => Poll::Pending,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(u64::try_from(self.rest.len()).unwrap_or(0) + self.never)
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.never == 0
    }
}
