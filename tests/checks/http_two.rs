//! The `http` check in HTTP/2: what is negotiated, what is sent, and targets that break it.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use farol::config::{HttpCheck, HttpVersion, Secrets};
use farol::model::{Finding, Phase, Reason};
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
