//! The `http` check against targets that speak HTTP as they should: what is sent, what is
//! expected, and where redirects lead.

use std::sync::{Arc, Mutex};

use farol::config::{Contents, HeaderText, RequestBody, Secret, SecretRef, Secrets, StatusSet};
use farol::model::{Phase, Phases, Reason, Span, Subject, Verdict};
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue};
use tokio::io::AsyncWriteExt;

use crate::asking::{find, get, http, observe_with, only};
use crate::servers::{Server, ok, read_request, serve, serve_answer};

/// A server that keeps what it is asked, and answers by the path.
async fn serve_paths(
    answer: impl Fn(&str) -> String + Send + Sync + 'static,
) -> (Server, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let answer = Arc::new(answer);
    let kept = asked.clone();
    let server = serve(move |mut stream| {
        let (kept, answer) = (kept.clone(), answer.clone());
        async move {
            let request = read_request(&mut stream).await;
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            kept.lock().unwrap().push(request);
            stream.write_all(answer(&path).as_bytes()).await.unwrap();
        }
    })
    .await;
    (server, asked)
}

fn redirect(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

#[tokio::test]
async fn a_right_answer_passes_with_its_phases() {
    let server = serve_answer(ok("all is well")).await;
    let mut http = http(&server.url("/health"));
    http.expect.body_contains.push("is well".into());
    http.expect.body_matches.push(regex::bytes::Regex::new("^all").unwrap());
    let finding = find(&get(http)).await;
    assert_eq!(finding.verdict, Verdict::Pass, "{:?}", finding.reason);
    assert_eq!(finding.subject, Subject::Whole);
    assert_eq!(finding.address, Some(server.address.ip()));
    let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
    assert_eq!(phases, [Phase::Connect, Phase::Send, Phase::FirstByte, Phase::Transfer]);
}

#[tokio::test]
async fn the_request_says_who_asks_and_for_what() {
    let (server, asked) = serve_paths(|_| ok("")).await;
    let mut http = http(&server.url("/path?query#fragment"));
    http.method = http::Method::PUT;
    http.body = Some((*b"some words").into());
    let name = HeaderName::from_static("x-more");
    http.headers.push((name, HeaderText::Plain(HeaderValue::from_static("of it"))));
    find(&get(http)).await;
    let request = asked.lock().unwrap().remove(0).to_lowercase();
    assert!(request.starts_with("put /path?query http/1.1\r\n"), "{request}");
    let host = format!("\r\nhost: {}\r\n", server.address);
    let agent = concat!("\r\nuser-agent: farol/", env!("CARGO_PKG_VERSION"), "\r\n");
    let others = ["\r\naccept: */*\r\n", "\r\nconnection: close\r\n", "\r\nx-more: of it\r\n"];
    for line in [&*host, agent].iter().chain(&others) {
        assert!(request.contains(line), "{line:?} in {request}");
    }
    assert!(request.ends_with("\r\n\r\nsome words"), "{request}");
}

#[tokio::test]
async fn a_body_from_a_file_is_sent_to_the_letter() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("body");
    std::fs::write(&path, "two\nlines\n").unwrap();
    let secrets = Secrets::load_with_files([], [(path.clone(), Contents::Body)]).unwrap();
    let (server, asked) = serve_paths(|_| ok("")).await;
    let mut http = http(&server.url("/"));
    http.method = http::Method::POST;
    http.body = Some(RequestBody::File(path));
    let check = get(http);
    assert_eq!(find(&check).await.reason.unwrap().name(), "prober_misconfigured");
    assert_eq!(only(observe_with(&check, secrets, &[]).await).verdict, Verdict::Pass);
    let request = asked.lock().unwrap().remove(0).to_lowercase();
    assert!(request.contains("\r\ncontent-length: 10\r\n"), "{request}");
    assert!(request.ends_with("\r\n\r\ntwo\nlines\n"), "{request}");
}

#[tokio::test]
async fn status_body_and_speed_are_judged() {
    let server = serve_answer("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nsoon").await;
    let reason = find(&get(http(&server.url("/")))).await.reason;
    assert_eq!(reason, Some(Reason::Status { got: 503 }));

    let mut expecting = http(&server.url("/"));
    expecting.expect.status = StatusSet(vec![(503, 503)]);
    assert_eq!(find(&get(expecting.clone())).await.verdict, Verdict::Pass);

    let mut check = get(expecting.clone());
    check.degraded_over = Some(Span::ZERO);
    let finding = find(&check).await;
    assert_eq!(finding.verdict, Verdict::Degraded);
    assert_eq!(finding.reason, Some(Reason::Slow { took: finding.phases.total() }));

    expecting.expect.body_contains.push("later".into());
    let reason = find(&get(expecting)).await.reason;
    assert_eq!(reason, Some(Reason::Body { expected: "contains \"later\"".into() }));
}

#[tokio::test]
async fn a_redirect_is_an_answer_until_it_is_to_be_followed() {
    let (server, asked) = serve_paths(|path| match path {
        "/old" => redirect(302, "new?a=b"),
        _ => ok("here"),
    })
    .await;
    let mut http = http(&server.url("/old"));
    assert_eq!(find(&get(http.clone())).await.reason, Some(Reason::Status { got: 302 }));

    http.max_redirects = 1;
    http.expect.body_contains.push("here".into());
    assert_eq!(find(&get(http)).await.reason, None);
    let last = asked.lock().unwrap().pop().unwrap();
    assert!(last.starts_with("GET /new?a=b HTTP/1.1\r\n"), "{last}");
}

#[tokio::test]
async fn every_redirect_is_told_with_its_own_phases() {
    let (there, _) = serve_paths(|_| ok("")).await;
    let elsewhere = there.url("/").replace("127.0.0.1", "localhost");
    let (server, _) = serve_paths(move |path| match path {
        "/old" => redirect(302, "/new"),
        _ => redirect(307, &elsewhere),
    })
    .await;
    let mut http = http(&server.url("/old"));
    http.max_redirects = 5;
    let finding = find(&get(http.clone())).await;
    let told: Vec<_> = finding.hops.iter().map(|hop| (&*hop.host, hop.status)).collect();
    let expected = [("127.0.0.1", Some(302)), ("127.0.0.1", Some(307)), ("localhost", Some(200))];
    assert_eq!(told, expected);
    for phase in Phase::ALL {
        let micros = |phases: &Phases| phases.get(phase).map(Span::as_micros);
        let sum: u64 = finding.hops.iter().filter_map(|hop| micros(&hop.phases)).sum();
        assert_eq!(micros(&finding.phases).unwrap_or(0), sum, "{phase}");
    }
    assert!(finding.hops[0].phases.get(Phase::Resolve).is_none());
    assert!(finding.hops[2].phases.get(Phase::Resolve).is_some());

    http.max_redirects = 0;
    assert!(find(&get(http)).await.hops.is_empty());
}

#[tokio::test]
async fn redirects_end_at_the_limit_and_where_they_lead_back() {
    let (server, asked) = serve_paths(|path| redirect(302, &format!("{path}x"))).await;
    let mut endless = http(&server.url("/"));
    endless.max_redirects = 3;
    assert_eq!(find(&get(endless)).await.reason, Some(Reason::RedirectLimit));
    assert_eq!(asked.lock().unwrap().len(), 4);

    let (server, asked) = serve_paths(|path| redirect(302, path)).await;
    let mut loops = http(&server.url("/same"));
    loops.max_redirects = 200;
    assert_eq!(find(&get(loops)).await.reason, Some(Reason::RedirectLoop));
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_redirect_to_nowhere_is_invalid() {
    for location in ["ftp://127.0.0.1/file", "http://", "file:///etc/passwd", "javascript:alert()"]
    {
        let server = serve_answer(redirect(301, location)).await;
        let mut http = http(&server.url("/"));
        http.max_redirects = 5;
        assert_eq!(find(&get(http)).await.reason, Some(Reason::RedirectInvalid), "{location}");
    }
    let server = serve_answer("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n").await;
    let mut http = http(&server.url("/"));
    http.max_redirects = 5;
    assert_eq!(find(&get(http)).await.reason, Some(Reason::RedirectInvalid));
}

#[tokio::test]
async fn another_host_gets_no_credentials() {
    let (other, asked_there) = serve_paths(|_| ok("")).await;
    let there = other.url("/there");
    let (server, asked_here) = serve_paths(move |path| match path {
        "/start" => redirect(307, "/middle"),
        _ => redirect(307, &there),
    })
    .await;
    let mut http = http(&server.url("/start"));
    http.max_redirects = 5;
    let reference = SecretRef::Env("TOKEN".into());
    let secret = HeaderText::Secret { prefix: "Key ".into(), secret: reference.clone() };
    let plain = |text| HeaderText::Plain(HeaderValue::from_static(text));
    http.headers = vec![
        (HeaderName::from_static("x-api-key"), secret),
        (AUTHORIZATION, plain("Basic c2VjcmV0")),
        (COOKIE, plain("session=secret")),
        (HeaderName::from_static("x-plain"), plain("public")),
    ];
    let secrets = Secrets::new([(reference, Secret::new("opensesame"))]);
    let finding = only(observe_with(&get(http), secrets, &[]).await);
    assert_eq!(finding.reason, None);

    let here = asked_here.lock().unwrap().clone();
    assert_eq!(here.len(), 2);
    for request in here {
        for part in ["x-api-key: Key opensesame", "c2VjcmV0", "session=secret", "x-plain"] {
            assert!(request.contains(part), "{part} in {request}");
        }
    }
    let there = asked_there.lock().unwrap().remove(0).to_lowercase();
    for part in ["opensesame", "x-api-key", "authorization", "cookie"] {
        assert!(!there.contains(part), "{part} in {there}");
    }
    assert!(there.contains("x-plain: public"), "{there}");
    assert!(there.contains(&format!("host: {}\r\n", other.address)), "{there}");
}

#[tokio::test]
async fn a_secret_that_was_not_loaded_is_our_trouble() {
    let server = serve_answer(ok("")).await;
    let mut http = http(&server.url("/"));
    let secret = SecretRef::Env("TOKEN".into());
    let text = HeaderText::Secret { prefix: String::new(), secret };
    http.headers.push((AUTHORIZATION, text));
    let finding = find(&get(http)).await;
    assert_eq!(finding.verdict, Verdict::Inconclusive);
    let detail = "the environment variable TOKEN".into();
    assert_eq!(finding.reason, Some(Reason::ProberMisconfigured { detail }));
}
