//! What the `http` check expects of answers that come over real connections.

use std::time::{SystemTime, UNIX_EPOCH};

use farol::model::{Phase, Reason, Verdict};
use tokio::io::AsyncWriteExt;

use crate::asking::{HASTY, find, written};
use crate::servers::{ok, read_request, serve, serve_answer, serve_without_end};

async fn reason(answer: &str, settings: &str) -> Option<Reason> {
    let server = serve_answer(answer).await;
    find(&written(&server.url("/"), settings, "")).await.reason
}

fn name(reason: Option<&Reason>) -> &'static str {
    reason.map_or("pass", Reason::name)
}

#[tokio::test]
async fn every_part_of_an_answer_can_be_expected() {
    let body = r#"{"status":"ok","queue":7,"agents":[{"up":true}]}"#;
    let answer = ok(body).replacen("\r\n", "\r\nServer: nginx\r\n", 1);
    for (settings, expected) in [
        ("expect_headers = { Server = 'nginx' }", "pass"),
        ("expect_headers = { Server = { exists = false } }", "header"),
        ("final_url = { matches = '^http://127' }", "pass"),
        ("final_url = { matches = 'login' }", "final_url"),
        ("excludes = 'error'", "pass"),
        ("excludes = 'agents'", "body"),
        ("size = { at_least = '48B', at_most = '48B' }", "pass"),
        ("size = { at_least = '1KiB' }", "body_size"),
        ("json = [{ path = '$.status', equals = 'ok' }, { path = '$.queue', below = 8 }]", "pass"),
        ("json = [{ path = '$.status', equals = 'ok' }, { path = '$.queue', below = 7 }]", "json"),
        ("json = { path = '$.agents[*].up', equals = true, count = 1 }", "pass"),
        ("json = { path = '$.missing' }", "json"),
        ("html = { select = '#login' }", "html"),
        ("html = { select = 'body', contains = 'status' }", "pass"),
    ] {
        let reason = reason(&answer, settings).await;
        assert_eq!(name(reason.as_ref()), expected, "{settings}: {reason:?}");
    }
}

#[tokio::test]
async fn the_status_comes_before_all_that_is_expected_of_an_answer() {
    let answer = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
    let settings = "json = { path = '$' }, page = true, expect_headers = { X-A = 'a' }";
    assert_eq!(reason(answer, settings).await, Some(Reason::Status { got: 500 }));
}

#[tokio::test]
async fn redirects_lead_where_they_should() {
    let server = serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        let answer = match request.split(' ').nth(1) {
            Some("/") => "HTTP/1.1 302 Found\r\nLocation: /login?next=hush\r\n\r\n".to_owned(),
            _ => ok("in"),
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await;
    let expecting = |path: &str| format!("final_url = '{}'", server.url(path));
    let check = written(&server.url("/"), &expecting("/login?next=hush"), "");
    assert_eq!(find(&check).await.reason, None);
    let check = written(&server.url("/"), &expecting("/home"), "");
    let got = server.url("/login?...");
    assert_eq!(find(&check).await.reason, Some(Reason::FinalUrl { got }));
}

#[tokio::test]
async fn records_must_be_of_today() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let settings = "json = { path = '$[*].at', max_age = '10m', max_ahead = '1m' }";
    for (at, expected) in [
        (now, "pass"),
        (now * 1000, "pass"),
        (now - 400, "pass"),
        (now - 3600, "record_stale"),
        // The clock was a year ahead when this was written, whatever it is now.
        (now + 365 * 86_400, "record_ahead"),
        (now + 3600, "record_ahead"),
    ] {
        let body = format!("[{{\"at\":{now}}},{{\"at\":{at}}}]");
        let reason = reason(&ok(&body), settings).await;
        assert_eq!(name(reason.as_ref()), expected, "{body}: {reason:?}");
    }
    let reason = reason(&ok("[{\"at\":\"yesterday\"}]"), settings).await.unwrap();
    assert_eq!(reason.to_string(), "the record at $[*].at has no time but \"yesterday\"");
}

#[tokio::test]
async fn a_phase_that_is_slow_degrades() {
    let server = serve(|mut stream| async move {
        read_request(&mut stream).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        stream.write_all(ok("").as_bytes()).await.unwrap();
    })
    .await;
    let check = written(&server.url("/"), "", "degraded_over = { first_byte = '49ms' }");
    let finding = find(&check).await;
    assert_eq!(finding.verdict, Verdict::Degraded);
    let took = finding.phases.get(Phase::FirstByte).unwrap();
    let reason = Reason::SlowPhase { phase: Phase::FirstByte, took };
    assert_eq!((reason.name(), finding.reason), ("first_byte_slow", Some(reason.clone())));
    let limits = "degraded_over = { first_byte = '19s', total = '19s', tls = '1ms' }";
    assert_eq!(find(&written(&server.url("/"), "", limits)).await.reason, None);
}

#[tokio::test]
async fn what_is_looked_into_is_bounded() {
    let json = "json = { path = '$..a' }";
    let html = "html = { select = 'div div' }";
    let deep = "[".repeat(1 << 20);
    let heavy = format!("[{}0]", "{\"\":0},".repeat(500_000));
    let nested = "<div>".repeat(500_000);
    let many = "<b></b>".repeat(500_000);
    for (settings, body) in [(json, &deep), (json, &heavy), (html, &nested), (html, &many)] {
        let reason = reason(&ok(body), settings).await;
        assert_eq!(name(reason.as_ref()), "malformed_answer", "{reason:?}");
    }
    let server = serve_without_end("HTTP/1.1 200 OK\r\n\r\n", "[".repeat(0x8000)).await;
    let endless = find(&written(&server.url("/"), json, "")).await.reason;
    assert_eq!(endless, Some(Reason::BodyTooLarge));
}

#[tokio::test]
async fn what_takes_too_long_to_look_into_ends_with_the_run() {
    // Each attribute of an element is compared with all before it.
    let attributes: String = (0..400_000).map(|n| format!("a{n} ")).collect();
    let server = serve_answer(ok(&format!("<b {attributes}>"))).await;
    let mut check = written(&server.url("/"), "html = { select = 'b' }", "");
    check.timeout = HASTY;
    let finding = find(&check).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::Transfer }));
}

#[tokio::test]
async fn garbage_is_neither_json_nor_blank_by_accident() {
    let garbage = "\u{0}\u{1}<\u{7f}\u{85}&#0;&#xffffffff;<![CDATA[<!--<script";
    assert_eq!(
        name(reason(&ok(garbage), "json = { path = '$' }").await.as_ref()),
        "malformed_answer"
    );
    assert_eq!(name(reason(&ok(garbage), "html = { select = 'p' }").await.as_ref()), "html");
    assert_eq!(name(reason(&ok(""), "json = { path = '$' }").await.as_ref()), "malformed_answer");
    assert_eq!(name(reason(&ok(""), "page = true").await.as_ref()), "page_blank");
}
