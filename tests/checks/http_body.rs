//! The `http` check and bodies that are compressed, and answers that stall in the middle.

use std::io::Write;
use std::time::Duration;

use farol::model::{Phase, Reason, Span};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::AsyncWriteExt;

use crate::asking::{HASTY, find, get, http};
use crate::servers::{
    Server, ok, read_request, serve, serve_and_stall, serve_answer, serve_silence,
};

/// An answer with `body` in `encoding`.
fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("Content-Encoding: {encoding}\r\nContent-Length: {length}\r\n\r\n");
    [b"HTTP/1.1 200 OK\r\n", head.as_bytes(), body].concat()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Answers with the `Accept-Encoding` that it was asked with.
async fn serve_wishes() -> Server {
    serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        let wish = request.lines().find(|line| line.starts_with("accept-encoding"));
        stream.write_all(ok(wish.unwrap_or("none")).as_bytes()).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn compression_is_asked_for_unless_it_is_not_wanted() {
    let server = serve_wishes().await;
    for (compression, wish) in
        [(true, "^accept-encoding: gzip, deflate, br, zstd$"), (false, "^none$")]
    {
        let mut http = http(&server.url("/"));
        http.client.compression = compression;
        http.expect.body_matches.push(regex::bytes::Regex::new(wish).unwrap());
        assert_eq!(find(&get(http)).await.reason, None, "{wish}");
    }
}

#[tokio::test]
async fn a_compressed_body_is_looked_into() {
    let zstd = zstd::encode_all(&b"all is well"[..], 1).unwrap();
    for (encoding, body) in [("gzip", gzip(b"all is well")), ("zstd", zstd)] {
        let server = serve_answer(encoded(encoding, &body)).await;
        let mut http = http(&server.url("/"));
        http.expect.body_contains.push("is well".into());
        assert_eq!(find(&get(http)).await.reason, None, "{encoding}");
    }
}

#[tokio::test]
async fn a_broken_encoding_has_its_own_reason() {
    let whole = gzip(b"all is well");
    let (half, _) = whole.split_at(whole.len() / 2);
    for (encoding, body) in
        [("gzip", &b"plain text"[..]), ("gzip", half), ("br", &whole), ("rot13", b"x")]
    {
        let server = serve_answer(encoded(encoding, body)).await;
        let reason = find(&get(http(&server.url("/")))).await.reason.unwrap();
        assert_eq!(reason.name(), "body_encoding", "{encoding}: {reason}");
    }
    let server = serve_answer("HTTP/1.1 204 No Content\r\nContent-Encoding: gzip\r\n\r\n").await;
    assert_eq!(find(&get(http(&server.url("/")))).await.reason, None);
}

#[tokio::test]
async fn an_answer_that_does_not_begin_breaks_its_own_limit() {
    let server = serve_silence().await;
    let mut http = http(&server.url("/"));
    http.client.first_byte_timeout = Some(HASTY);
    http.client.idle_timeout = Some(Span::from_millis(1));
    let finding = find(&get(http)).await;
    assert_eq!(finding.reason, Some(Reason::FirstByteLimit { limit: HASTY }));
    assert!(finding.phases.get(Phase::FirstByte).is_some_and(|took| took >= HASTY));
    assert_eq!(finding.phases.get(Phase::Transfer), None);
}

#[tokio::test]
async fn an_answer_that_stalls_breaks_the_limit_of_silence() {
    let limit = Span::from_millis(200);
    for start in
        ["HTTP/1.1 200 OK\r\nContent-Le", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"]
    {
        let server = serve_and_stall(start).await;
        let mut http = http(&server.url("/"));
        http.client.first_byte_timeout = Some(Span::from_secs(20));
        http.client.idle_timeout = Some(limit);
        let finding = find(&get(http)).await;
        assert_eq!(finding.reason, Some(Reason::IdleLimit { limit }), "{start:?}");
        assert!(finding.phases.get(Phase::Transfer).is_some_and(|took| took >= limit));
    }
}

/// What drips is not silent: only the whole limits it.
#[tokio::test]
async fn an_answer_that_drips_ends_at_the_timeout() {
    let server = serve(|mut stream| async move {
        read_request(&mut stream).await;
        let mut every = tokio::time::interval(Duration::from_millis(20));
        for byte in ok(&"x".repeat(10_000)).bytes() {
            every.tick().await;
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
        }
    })
    .await;
    let mut http = http(&server.url("/"));
    // As long as all that the run may take: a machine that stalls for as long ends it both ways.
    http.client.idle_timeout = Some(Span::from_secs(2));
    let mut check = get(http);
    check.timeout = Span::from_secs(2);
    let reason = find(&check).await.reason;
    assert_eq!(reason, Some(Reason::Timeout { phase: Phase::Transfer }));
}
