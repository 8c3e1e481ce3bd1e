//! The platform's web servers: health, a login and a page, each server with a clock of its own.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, DATE, HOST, SET_COOKIE};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use url::form_urlencoded;

use super::identity;
use crate::clock::Clock;
use crate::model::Timestamp;

const MAX_HEADER_BYTES: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
const MAX_BODY: usize = 4 * 1024;

/// How long a client may take over its headers, and again over its body.
const PATIENCE: Duration = Duration::from_secs(5);

/// The last second of the year 9999: an HTTP date cannot say more.
const LAST_HTTP_DATE: u64 = 253_402_300_799;

/// The demo's only account; it opens nothing.
const ACCOUNT: (&str, &str) = ("demo", "demo");

/// What is wrong with one server.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// How far its clock is ahead of the true time, in microseconds.
    pub(super) clock_offset: i64,
    /// Whether its logins fail.
    pub(super) login_broken: bool,
    /// How long every answer is held back.
    pub(super) delay: Duration,
}

/// One server of the cluster.
#[derive(Clone, Debug)]
pub(super) struct Backend {
    /// The address that it listens on.
    pub(super) address: IpAddr,
    /// The true time.
    pub(super) clock: Clock,
    /// What is wrong with it now.
    pub(super) faults: watch::Receiver<Faults>,
}

impl Backend {
    /// What this server takes for the time.
    fn now(&self) -> Timestamp {
        let offset = self.faults.borrow().clock_offset;
        Timestamp::from_micros(self.clock.now().as_micros().saturating_add(offset))
    }
}

/// Serves one connection until the client leaves.
pub(super) async fn serve(backend: Arc<Backend>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let backend = Arc::clone(&backend);
        async move { Ok::<_, Infallible>(respond(&backend, request).await) }
    });
    let connection = server().serve_connection(TokioIo::new(stream), service);
    // A client that says nonsense or vanishes ends its own connection and nothing else.
    let _ = connection.await;
}

/// How a connection is served: bounded in what it may send and how long it may take.
pub(super) fn server() -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEADER_BYTES);
    server
}

async fn respond(backend: &Backend, request: Request<Incoming>) -> Response<Full<Bytes>> {
    let answer = answer(backend, request).await;
    let delay = backend.faults.borrow().delay;
    tokio::time::sleep(delay).await;
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = answer.status;
    let date = http_date(backend.now());
    let headers = [(CONTENT_TYPE, answer.content_type.to_owned()), (DATE, date)];
    for (name, value) in headers.into_iter().chain(answer.header) {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// An answer before it is dressed in HTTP.
pub(super) struct Answer {
    status: StatusCode,
    content_type: &'static str,
    header: Option<(HeaderName, String)>,
    body: String,
}

impl Answer {
    fn text(status: StatusCode, body: impl Into<String>) -> Self {
        let content_type = "text/plain; charset=utf-8";
        Self { status, content_type, header: None, body: body.into() }
    }

    fn page(title: &str, content: &str) -> Self {
        let body = format!(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <title>{title}</title>\n<h1>{title}</h1>\n{content}\n</html>\n"
        );
        let content_type = "text/html; charset=utf-8";
        Self { status: StatusCode::OK, content_type, header: None, body }
    }

    fn with(self, name: HeaderName, value: impl Into<String>) -> Self {
        Self { header: Some((name, value.into())), ..self }
    }
}

async fn answer(backend: &Backend, request: Request<Incoming>) -> Answer {
    let product = product(&request);
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    match request.uri().path() {
        "/health" if reads => health(backend),
        "/portal" if reads => {
            Answer::page(product, "<p><a href=\"/login\">Log in</a> to see your bots.</p>")
        }
        "/login" if reads => Answer::page(
            product,
            "<form method=\"post\" action=\"/login\">\n\
             <label>User <input name=\"user\"></label>\n\
             <label>Password <input name=\"password\" type=\"password\"></label>\n\
             <button>Log in</button>\n</form>",
        ),
        "/login" if request.method() == Method::POST => match form(request.into_body()).await {
            Ok(form) => log_in(backend, &form),
            Err(refusal) => refusal,
        },
        "/health" | "/portal" => not_allowed("GET, HEAD"),
        "/login" => not_allowed("GET, HEAD, POST"),
        _ => Answer::text(StatusCode::NOT_FOUND, "there is no such page\n"),
    }
}

/// The product that the request's host name stands for: one cluster serves them all.
fn product<B>(request: &Request<B>) -> &'static str {
    let host = request.headers().get(HOST).map_or(&b""[..], HeaderValue::as_bytes);
    if host.starts_with(b"desk.") { "Blip Desk" } else { "Blip Portal" }
}

fn not_allowed(methods: &str) -> Answer {
    let text = "this page does not take that method\n";
    Answer::text(StatusCode::METHOD_NOT_ALLOWED, text).with(ALLOW, methods)
}

fn health(backend: &Backend) -> Answer {
    let body = serde_json::json!({
        "status": "ok",
        "server": backend.address,
        "time": backend.now().to_rfc3339(),
    });
    let content_type = "application/json";
    Answer { content_type, ..Answer::text(StatusCode::OK, format!("{body}\n")) }
}

/// Reads a form, bounded in size and time.
pub(super) async fn form(body: Incoming) -> Result<Bytes, Answer> {
    match tokio::time::timeout(PATIENCE, Limited::new(body, MAX_BODY).collect()).await {
        Ok(Ok(form)) => Ok(form.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Answer::text(StatusCode::PAYLOAD_TOO_LARGE, "the form is too long\n"))
        }
        Ok(Err(_)) => Err(Answer::text(StatusCode::BAD_REQUEST, "the form broke off\n")),
        Err(_) => Err(Answer::text(StatusCode::REQUEST_TIMEOUT, "the form did not come\n")),
    }
}

/// 1. Where logins are broken, they fail.
/// 2. The account must be the demo's.
/// 3. The server issues a token by its own clock, and the identity service must accept it by the
///    true one.
fn log_in(backend: &Backend, form: &[u8]) -> Answer {
    if backend.faults.borrow().login_broken {
        let text = "the identity service does not answer\n";
        return Answer::text(StatusCode::INTERNAL_SERVER_ERROR, text);
    }
    let field = |name| {
        form_urlencoded::parse(form)
            .find_map(|(key, value)| (key == name).then_some(value))
            .unwrap_or_default()
    };
    let user = field("user");
    if (user.as_ref(), field("password").as_ref()) != ACCOUNT {
        return Answer::text(StatusCode::UNAUTHORIZED, "wrong user or password\n");
    }
    let token = identity::issue(&user, backend.now());
    match identity::verify(&token, backend.clock.now()) {
        Ok(()) => Answer::text(StatusCode::OK, format!("welcome, {user}\n"))
            .with(SET_COOKIE, format!("session={token}; Path=/; HttpOnly; SameSite=Lax")),
        Err(rejected) => {
            let text = format!("authentication failed: {rejected}\n");
            Answer::text(StatusCode::UNAUTHORIZED, text)
        }
    }
}

/// The `Date` header of `at`, held within what a header can say.
pub(super) fn http_date(at: Timestamp) -> String {
    let seconds = at.since(Timestamp::EPOCH).as_secs().min(LAST_HTTP_DATE);
    let time: SystemTime = UNIX_EPOCH + Duration::from_secs(seconds);
    httpdate::fmt_http_date(time)
}

#[cfg(test)]
mod tests {
    use super::http_date;
    use crate::model::Timestamp;

    #[test]
    fn a_date_can_be_said_whatever_the_clock_shows() {
        let cases = [
            (i64::MIN, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (-1, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (1_631_713_200_999_999, "Wed, 15 Sep 2021 13:40:00 GMT"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
        ];
        for (micros, date) in cases {
            assert_eq!(http_date(Timestamp::from_micros(micros)), date);
        }
    }
}
