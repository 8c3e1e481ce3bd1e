//! The `http` check's limits, to the byte: what is just within them is fine.

use farol::model::{Phase, Reason};

use crate::asking::{HASTY, find, get, http};
use crate::servers::{Nobody, ok, serve_answer, serve_silence};

#[tokio::test]
async fn nobody_listens() {
    let nobody = Nobody::new();
    let finding = find(&get(http(&format!("http://{}/", nobody.address)))).await;
    assert_eq!(finding.reason, Some(Reason::ConnectRefused));
    assert!(finding.phases.get(Phase::Connect).is_some());
    assert_eq!(finding.phases.get(Phase::Send), None);
}

#[tokio::test]
async fn a_request_that_is_not_read_times_out_while_it_is_sent() {
    let server = serve_silence().await;
    let mut http = http(&server.url("/"));
    http.method = http::Method::POST;
    // More than any system buffers for a connection.
    http.body = Some(vec![b'x'; 64 << 20].into());
    let mut check = get(http);
    check.timeout = HASTY;
    let finding = find(&check).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::Send }));
    assert_eq!(finding.phases.get(Phase::FirstByte), None);
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    for (length, reason) in [(1000, None), (1001, Some(Reason::BodyTooLarge))] {
        let server = serve_answer(format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(length))).await;
        let mut http = http(&server.url("/"));
        http.max_body = 1000;
        assert_eq!(find(&get(http)).await.reason, reason, "{length} bytes");
    }
}

#[tokio::test]
async fn interim_answers_are_skipped() {
    let interim = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
    let server = serve_answer(format!("{}{}", interim.repeat(20), ok("well"))).await;
    assert_eq!(find(&get(http(&server.url("/")))).await.reason, None);
}

#[tokio::test]
async fn headers_are_read_up_to_their_number_and_length() {
    let field = |length: usize| format!("X: {}\r\n", "y".repeat(length));
    for (headers, reason) in [
        (field(200).repeat(255), None),
        (field(1).repeat(256), Some(Reason::HeadersTooLarge)),
        (field(60_000), None),
        (field(70_000), Some(Reason::HeadersTooLarge)),
    ] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}Content-Length: 0\r\n\r\n");
        let length = answer.len();
        let server = serve_answer(answer).await;
        assert_eq!(find(&get(http(&server.url("/")))).await.reason, reason, "{length} bytes");
    }
}
