//! The `http` check in HTTP/2: what is negotiated, what is sent, and targets that break it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use farol::config::{HttpCheck, HttpVersion, Secrets};
use farol::model::{Finding, Phase, Reason, Verdict};
use http::{Request, Response, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::asking::{HASTY, find, get, http, observe_with, only};
use crate::authority::{ALWAYS, Authority};
use crate::servers::{Server, ok, read_request, serve};

type Asked = Arc<Mutex<Vec<(Request<()>, usize)>>>;

/// A server in HTTP/2 alone, over TLS, that keeps what it is asked.
async fn serve_two(authority: &Authority, body: &'static [u8]) -> (Server, Asked) {
    let acceptor = authority.identify("127.0.0.1", ALWAYS).acceptor_speaking(&["h2"]);
    let asked = Asked::default();
    let kept = asked.clone();
    let server = serve(move |stream| {
        let (acceptor, kept) = (acceptor.clone(), kept.clone());
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let answer = service_fn(move |request: Request<Incoming>| {
                let kept = kept.clone();
                async move {
                    let (head, sent) = request.into_parts();
                    let length = sent.collect().await.unwrap().to_bytes().len();
                    kept.lock().unwrap().push((Request::from_parts(head, ()), length));
                    Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(body))))
                }
            });
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            let _ = server.serve_connection(TokioIo::new(stream), answer).await;
        }
    })
    .await;
    (server, asked)
}

fn https(server: &Server, versions: &[HttpVersion]) -> HttpCheck {
    let mut http = http(&format!("https://{}/path?query", server.address));
    if !versions.is_empty() {
        http.client.versions = Some(BTreeSet::from_iter(versions.iter().copied()));
    }
    http
}

async fn ask(http: HttpCheck, authority: &Authority) -> Finding {
    only(observe_with(&get(http), Secrets::default(), &[authority.root()]).await)
}

#[tokio::test]
async fn two_is_spoken_where_the_target_can() {
    let authority = Authority::new();
    let (server, asked) = serve_two(&authority, b"all is well").await;
    let mut check = https(&server, &[]);
    check.expect.body_contains.push("is well".into());
    check.method = http::Method::POST;
    check.body = Some(vec![b'x'; 300_000].into());
    let finding = ask(check, &authority).await;
    assert_eq!(finding.reason, None);
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    let all = [Phase::Connect, Phase::Tls, Phase::Send, Phase::FirstByte, Phase::Transfer];
    assert_eq!(phases, all);

    let asked = asked.lock().unwrap();
    let [(request, length)] = &asked[..] else { panic!("one request is one request: {asked:?}") };
    assert_eq!((request.version(), *length), (Version::HTTP_2, 300_000));
    let url = format!("https://{}/path?query", server.address);
    assert_eq!(request.uri().to_string(), url);
    assert!(!request.headers().contains_key("connection"), "{request:?}");
}

#[tokio::test]
async fn the_expected_version_is_offered_and_expected() {
    use HttpVersion::{OneOne, OneZero, Two};
    let authority = Authority::new();
    let (two, _) = serve_two(&authority, b"").await;
    let acceptor = authority.identify("127.0.0.1", ALWAYS).acceptor();
    let one = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            read_request(&mut stream).await;
            stream.write_all(ok("").as_bytes()).await.unwrap();
        }
    })
    .await;
    let other = |got: &str| Some(Reason::HttpVersion { got: got.into() });
    for (server, versions, reason) in [
        (&two, &[Two][..], None),
        (&two, &[Two, OneOne], None),
        (&two, &[OneOne], other("none of those offered")),
        (&one, &[OneOne], None),
        (&one, &[Two], other("1.1")),
        (&one, &[OneZero], other("1.1")),
    ] {
        let finding = ask(https(server, versions), &authority).await;
        assert_eq!(finding.reason, reason, "{versions:?}");
    }
}

/// The head of a frame.
pub(crate) fn frame(length: usize, kind: u8, flags: u8, stream: u8) -> Vec<u8> {
    let [.., a, b, c] = length.to_be_bytes();
    vec![a, b, c, kind, flags, 0, 0, 0, stream]
}

const SETTINGS: u8 = 4;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const DATA: u8 = 0;
pub(crate) const CONTINUATION: u8 = 9;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) fn settings() -> Vec<u8> {
    frame(0, SETTINGS, 0, 0)
}

/// `:status: 200` and nothing else.
fn head(flags: u8) -> Vec<u8> {
    [frame(1, HEADERS, flags, 1), vec![0x88]].concat()
}

/// Without TLS: says `start`, then `more` until nobody listens, or nothing for ever if there is no
/// more. Reads all the while.
pub(crate) async fn serve_frames(start: Vec<u8>, more: Vec<u8>) -> Server {
    let words = Arc::new((start, more));
    serve(move |stream| {
        let words = words.clone();
        async move {
            let (mut read, mut write) = stream.into_split();
            let mut preface = [0; 24];
            read.read_exact(&mut preface).await.unwrap();
            let speak = async {
                let mut outcome = write.write_all(&words.0).await;
                while outcome.is_ok() && !words.1.is_empty() {
                    outcome = write.write_all(&words.1).await;
                }
                if words.1.is_empty() {
                    std::future::pending::<()>().await;
                }
            };
            let mut drain = tokio::io::sink();
            tokio::join!(speak, async { drop(tokio::io::copy(&mut read, &mut drain).await) });
        }
    })
    .await
}

fn plain(server: &Server) -> HttpCheck {
    let mut http = http(&server.url("/"));
    http.client.versions = Some(BTreeSet::from([HttpVersion::Two]));
    http
}

#[tokio::test]
async fn silence_has_the_phase_that_it_came_in() {
    let half = [settings(), head(END_HEADERS), frame(10, DATA, 0, 1), b"half".to_vec()].concat();
    for (start, phase) in [
        (vec![], Phase::FirstByte),
        // Settings are no answer.
        (settings(), Phase::FirstByte),
        ([settings(), head(0)].concat(), Phase::Transfer),
        ([settings(), head(END_HEADERS)].concat(), Phase::Transfer),
        (half, Phase::Transfer),
    ] {
        let server = serve_frames(start.clone(), Vec::new()).await;
        let mut check = get(plain(&server));
        check.timeout = HASTY;
        let finding = find(&check).await;
        assert_eq!(finding.reason, Some(Reason::Timeout { phase }), "{start:?}");
        assert!(finding.phases.get(Phase::Send).is_some());
        let transferred = finding.phases.get(Phase::Transfer).is_some();
        assert_eq!(transferred, phase == Phase::Transfer, "{start:?}");
    }
}

#[tokio::test]
async fn what_has_no_end_is_cut_off() {
    let data = [frame(16_384, DATA, 0, 1), vec![b'x'; 16_384]].concat();
    // A literal header, `x: yyy...`, which is not to be indexed.
    let header = [&[0, 1, b'x', 0x7f, 0x81, 0x7e][..], &[b'y'; 16_256]].concat();
    let header = [frame(header.len(), CONTINUATION, 0, 1), header].concat();
    let small = [frame(5, CONTINUATION, 0, 1), vec![0, 1, b'x', 1, b'y']].concat();
    let empty = frame(0, CONTINUATION, 0, 1);
    let window = "stream error detected: flow-control protocol violated".to_owned();
    let flood = Reason::MalformedAnswer { detail: window };
    for (start, more, reason) in [
        // More than may be under way; one that waits to be let on is cut off at `max_body`.
        (head(END_HEADERS), data.clone(), flood),
        (head(0), header, Reason::HeadersTooLarge),
        (head(0), small, Reason::HeadersTooLarge),
        (head(0), empty, Reason::HeadersTooLarge),
    ] {
        let server = serve_frames([settings(), start].concat(), more.clone()).await;
        let finding = find(&get(plain(&server))).await;
        assert_eq!(finding.reason, Some(reason), "{:?}", &more[..9]);
        assert_eq!(finding.verdict, Verdict::Fail);
    }
    let server = serve_frames([settings(), head(END_HEADERS), data].concat(), Vec::new()).await;
    let mut http = plain(&server);
    http.max_body = 16_383;
    assert_eq!(find(&get(http)).await.reason, Some(Reason::BodyTooLarge));
}

#[tokio::test]
async fn many_headers_at_once_are_too_many() {
    let field = [0, 1, b'x', 1, b'y'];
    for (count, reason) in [(256, None), (257, Some(Reason::HeadersTooLarge))] {
        let fields = [&[0x88][..], &field.repeat(count)].concat();
        // It ends the headers and the stream at once.
        let head = [frame(fields.len(), HEADERS, END_HEADERS | 1, 1), fields].concat();
        let server = serve_frames([settings(), head].concat(), Vec::new()).await;
        assert_eq!(find(&get(plain(&server))).await.reason, reason, "{count} headers");
    }
}

#[tokio::test]
async fn what_is_not_http_two_is_malformed_and_hanging_up_is_closing() {
    let reset = [frame(4, 3, 0, 1), vec![0, 0, 0, 2]].concat();
    let away = [frame(8, 7, 0, 0), vec![0, 0, 0, 0, 0, 0, 0, 1]].concat();
    for (start, name) in [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "malformed_answer"),
        ([settings(), frame(1, HEADERS, END_HEADERS, 1), vec![0xff]].concat(), "malformed_answer"),
        ([settings(), frame(3, DATA, 0, 1), vec![0; 3]].concat(), "malformed_answer"),
        ([settings(), reset].concat(), "transfer_closed"),
        ([settings(), away].concat(), "first_byte_closed"),
    ] {
        let server = serve_frames(start.clone(), Vec::new()).await;
        let mut check = get(plain(&server));
        check.timeout = HASTY;
        let reason = find(&check).await.reason.unwrap();
        assert_eq!(reason.name(), name, "{start:?}: {reason}");
    }
    let server = serve(|stream| async move { drop(stream) }).await;
    let reason = find(&get(plain(&server))).await.reason.unwrap();
    assert!(matches!(reason, Reason::ConnectionClosed { .. }), "{reason:?}");
}
