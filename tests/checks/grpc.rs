//! The `grpc` check against a server that speaks HTTP/2 properly, whatever it says in it.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use farol::config::{
    Addresses, Check, CheckKind, GrpcCheck, HeaderText, Secret, SecretRef, Secrets, TlsSettings,
};
use farol::model::{Finding, Phase, Reason, Span, Verdict};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::asking::{HASTY, PATIENT, check, find, observe_with, only};
use crate::authority::{ALWAYS, Authority, for_days};
use crate::servers::{Server, serve};

pub(crate) fn grpc(url: &str) -> GrpcCheck {
    GrpcCheck {
        url: url.parse().unwrap(),
        service: String::new(),
        metadata: Vec::new(),
        tls: TlsSettings::default(),
        certificate: None,
        addresses: Addresses::Any,
        family: None,
        source: None,
    }
}

pub(crate) fn call(grpc: GrpcCheck) -> Check {
    check(CheckKind::Grpc(Box::new(grpc)))
}

/// What a server answers a call with.
#[derive(Clone)]
struct Reply {
    status: u16,
    head: Vec<(&'static str, &'static str)>,
    body: Vec<Vec<u8>>,
    trailers: Vec<(&'static str, &'static str)>,
}

const GRPC: (&str, &str) = ("content-type", "application/grpc");
const OK: (&str, &str) = ("grpc-status", "0");

impl Reply {
    /// An answer as it should be, with this message.
    fn of(message: &[u8]) -> Self {
        let length = u8::try_from(message.len()).unwrap();
        let body = vec![[&[0, 0, 0, 0, length], message].concat()];
        Self { status: 200, head: vec![GRPC], body, trailers: vec![OK] }
    }

    /// A status in the head, and nothing after it.
    fn at_once(status: &'static str, message: &'static str) -> Self {
        let head = vec![GRPC, ("grpc-status", status), ("grpc-message", message)];
        Self { head, body: Vec::new(), trailers: Vec::new(), ..Self::of(&[]) }
    }
}

fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

type Asked = Arc<Mutex<Vec<(Request<()>, Bytes)>>>;

async fn answer(
    reply: Reply,
    kept: Asked,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let (reply, kept) = (reply.clone(), kept.clone());
        async move {
            let (head, sent) = request.into_parts();
            let body = sent.collect().await.unwrap().to_bytes();
            kept.lock().unwrap().push((Request::from_parts(head, ()), body));
            let data = reply.body.into_iter().map(|data| Frame::data(Bytes::from(data)));
            let trailers = (!reply.trailers.is_empty()).then(|| map(&reply.trailers));
            let frames = data.chain(trailers.map(Frame::trailers)).map(Ok::<_, Infallible>);
            let frames: Vec<_> = frames.collect();
            let mut answer = Response::new(StreamBody::new(futures_util::stream::iter(frames)));
            *answer.status_mut() = http::StatusCode::from_u16(reply.status).unwrap();
            *answer.headers_mut() = map(&reply.head);
            Ok::<_, Infallible>(answer)
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    let _ = server.serve_connection(TokioIo::new(stream), answer).await;
}

async fn serve_calls(reply: Reply) -> (Server, Asked) {
    let asked = Asked::default();
    let kept = asked.clone();
    (serve(move |stream| answer(reply.clone(), kept.clone(), stream)).await, asked)
}

/// What comes of a call that is answered so.
async fn answered(reply: Reply) -> Finding {
    let (server, _) = serve_calls(reply).await;
    find(&call(grpc(&server.url("")))).await
}

#[tokio::test]
async fn a_call_is_as_the_protocol_has_it() {
    let (server, asked) = serve_calls(Reply::of(&[8, 1])).await;
    let mut check = grpc(&server.url(""));
    check.service = "desk.Agents".into();
    let secret = SecretRef::Env("T".into());
    let hidden = HeaderText::Secret { prefix: "Bearer ".into(), secret: secret.clone() };
    check.metadata = vec![
        (http::header::AUTHORIZATION, hidden),
        ("x-tenant".parse().unwrap(), HeaderText::Plain("a".parse().unwrap())),
    ];
    let secrets = Secrets::new([(secret, Secret::new("t0ken"))]);
    let finding = only(observe_with(&call(check.clone()), secrets, &[]).await);
    assert_eq!(finding.reason, None);
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Connect, Phase::Send, Phase::FirstByte, Phase::Transfer]);
    let lacks = only(observe_with(&call(check), Secrets::default(), &[]).await);
    assert_eq!(lacks.verdict, Verdict::Inconclusive);
    assert_eq!(lacks.reason.unwrap().name(), "prober_misconfigured");

    let asked = asked.lock().unwrap();
    let [(request, body)] = &asked[..] else { panic!("one call is one call: {asked:?}") };
    assert_eq!(request.method(), http::Method::POST);
    let url = format!("http://{}/grpc.health.v1.Health/Check", server.address);
    assert_eq!(request.uri().to_string(), url);
    let header = |name: &str| request.headers()[name].to_str().unwrap();
    assert_eq!((header("content-type"), header("te")), ("application/grpc", "trailers"));
    assert_eq!((header("authorization"), header("x-tenant")), ("Bearer t0ken", "a"));
    let millis: u64 = header("grpc-timeout").strip_suffix('m').unwrap().parse().unwrap();
    assert!((1..=PATIENT.as_micros() / 1000).contains(&millis), "{millis} ms");
    assert_eq!(&body[..], b"\0\0\0\0\x0d\x0a\x0bdesk.Agents");
}

#[tokio::test]
async fn only_a_service_that_serves_passes() {
    assert_eq!(answered(Reply::of(&[8, 1])).await.reason, None);
    let mut other = Reply::of(&[8, 1]);
    other.head = vec![("content-type", "application/grpc+proto")];
    assert_eq!(answered(other).await.reason, None);
    for (message, got) in [
        (&[][..], "UNKNOWN"),
        (&[8, 2], "NOT_SERVING"),
        (&[8, 3], "SERVICE_UNKNOWN"),
        (&[8, 7], "in state 7, which nobody knows"),
    ] {
        let finding = answered(Reply::of(message)).await;
        assert_eq!(finding.reason, Some(Reason::GrpcHealth { got: got.into() }));
        assert_eq!(finding.verdict, Verdict::Fail);
    }
    let (server, _) = serve_calls(Reply::of(&[8, 1])).await;
    let mut check = call(grpc(&server.url("")));
    check.degraded_over = Some(Span::ZERO);
    assert_eq!(find(&check).await.verdict, Verdict::Degraded);
}

#[tokio::test]
async fn a_status_is_told_by_its_name_wherever_it_stands() {
    let status = |got: &str| Reason::GrpcStatus { got: got.into() };
    let unknown = Reason::GrpcHealth { got: "SERVICE_UNKNOWN".into() };
    for (code, message, reason) in [
        ("12", "no such method", status("UNIMPLEMENTED: no such method")),
        ("14", "draining", status("UNAVAILABLE: draining")),
        ("4", "too late", status("DEADLINE_EXCEEDED: too late")),
        ("16", "who are you", status("UNAUTHENTICATED: who are you")),
        ("99", "what", status("status 99: what")),
        ("5", "unknown service", unknown),
    ] {
        let finding = answered(Reply::at_once(code, message)).await;
        assert_eq!(finding.reason.as_ref(), Some(&reason));
        let mut late = Reply::of(&[8, 1]);
        late.trailers = vec![("grpc-status", code), ("grpc-message", message)];
        assert_eq!(answered(late.clone()).await.reason.as_ref(), Some(&reason));
        late.body.clear();
        assert_eq!(answered(late).await.reason, Some(reason));
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_malformed() {
    let good = Reply::of(&[8, 1]);
    let with_body = |body: Vec<u8>| Reply { body: vec![body], ..good.clone() };
    let with_kind = |kind| Reply { head: vec![("content-type", kind)], ..good.clone() };
    let with_end = |status| Reply { trailers: vec![("grpc-status", status)], ..good.clone() };
    for (reply, detail) in [
        (with_kind("text/html"), "not gRPC but the content type \"text/html\""),
        (
            with_kind("application/grpc-web"),
            "not gRPC but the content type \"application/grpc-web\"",
        ),
        (Reply { head: Vec::new(), ..good.clone() }, "not gRPC but the content type \"\""),
        (Reply { trailers: Vec::new(), ..good.clone() }, "an answer without grpc-status"),
        (with_end("OK"), "the grpc-status \"OK\""),
        (with_end("-1"), "the grpc-status \"-1\""),
        (Reply { body: Vec::new(), ..good.clone() }, "an answer without a message"),
        (Reply::at_once("0", ""), "an answer without a message"),
        (with_body(vec![1, 0, 0, 0, 2, 8, 1]), "a compressed message, which was not asked for"),
        (with_body(vec![2, 0, 0, 0, 2, 8, 1]), "a message with the flag 2"),
        (with_body(vec![0, 0, 0, 0, 3, 8, 1]), "a message of 3 bytes by its prefix, and 2 came"),
        (
            with_body(vec![0, 255, 255, 255, 255, 8]),
            "a message of 4294967295 bytes by its prefix, and 1 came",
        ),
        (with_body(vec![0; 4097]), "an answer of more than 4096 bytes"),
        (with_body(vec![0, 0, 0, 0, 1, 8]), "a message that is no HealthCheckResponse"),
    ] {
        let finding = answered(reply).await;
        let detail = detail.to_owned();
        assert_eq!(finding.reason, Some(Reason::MalformedAnswer { detail }));
        assert_eq!(finding.verdict, Verdict::Fail);
    }
    let teapot = Reply { status: 503, ..good };
    assert_eq!(answered(teapot).await.reason, Some(Reason::Status { got: 503 }));
}

/// A server over TLS that speaks one of `alpn` afterwards.
async fn serve_tls(identity: crate::authority::Identity, alpn: &[&str]) -> Server {
    let acceptor = identity.acceptor_speaking(alpn);
    serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            answer(Reply::of(&[8, 1]), Asked::default(), stream).await;
        }
    })
    .await
}

#[tokio::test]
async fn over_tls_it_must_be_agreed_on_and_certificates_are_looked_at() {
    let authority = Authority::new();
    let ask = async |server: &Server, expiry: Option<Span>| {
        let mut check = grpc(&format!("https://{}", server.address));
        check.certificate = expiry.map(|failed| farol::config::CertificateLimits {
            degraded: None,
            failed: Some(failed),
        });
        only(observe_with(&call(check), Secrets::default(), &[authority.root()]).await)
    };
    let well = serve_tls(authority.identify("127.0.0.1", ALWAYS), &["h2"]).await;
    let finding = ask(&well, Some(Span::from_secs(1))).await;
    assert_eq!(finding.reason, None);
    assert!(finding.tls.is_some() && finding.phases.get(Phase::Tls).is_some());
    let one = serve_tls(authority.identify("127.0.0.1", ALWAYS), &["http/1.1"]).await;
    let got = "none of those offered".to_owned();
    assert_eq!(ask(&one, None).await.reason, Some(Reason::HttpVersion { got }));
    let silent = serve_tls(authority.identify("127.0.0.1", ALWAYS), &[]).await;
    let got = "not 2, by what TLS agreed on".to_owned();
    assert_eq!(ask(&silent, None).await.reason, Some(Reason::HttpVersion { got }));
    let soon = serve_tls(authority.identify("127.0.0.1", for_days(9)), &["h2"]).await;
    assert_eq!(ask(&soon, None).await.reason, None);
    let late = ask(&soon, Some(Span::from_secs(30 * 24 * 3600))).await;
    assert_eq!(late.reason.unwrap().name(), "tls_certificate_expiring");
    let other = serve_tls(authority.identify("other.example", ALWAYS), &["h2"]).await;
    assert_eq!(ask(&other, None).await.reason, Some(Reason::TlsNameMismatch));
    let mut check = grpc(&format!("https://{}", other.address));
    check.tls.server_name = Some("other.example".into());
    let named = observe_with(&call(check.clone()), Secrets::default(), &[authority.root()]).await;
    assert_eq!(only(named).reason, None);
    check.tls.skip_verify = true;
    assert_eq!(find(&call(check)).await.reason, None);
}

/// A server that heeds no deadline does not hold the run up.
#[tokio::test]
async fn the_deadline_is_real() {
    let server = serve(|stream| async move {
        let never = service_fn(|_: Request<Incoming>| {
            std::future::pending::<Result<Response<String>, Infallible>>()
        });
        let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        let _ = server.serve_connection(TokioIo::new(stream), never).await;
    })
    .await;
    let mut check = call(grpc(&server.url("")));
    check.timeout = HASTY;
    let finding = find(&check).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::FirstByte }));
}
