//! Pages whose scripts and stylesheets load, and pages that only look fine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use farol::config::{Check, CheckKind, HeaderText, Secret, SecretRef, Secrets};
use farol::model::{Phase, Reason};
use http::header::{AUTHORIZATION, HeaderValue};
use tokio::io::AsyncWriteExt;

use crate::asking::{HASTY, find, observe_with, only, written};
use crate::servers::{Nobody, Server, ok, read_request, serve};

/// An answer of a type.
fn typed(kind: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn html(body: &str) -> String {
    typed("text/html; charset=utf-8", body)
}

/// Answers `/` with `page` and other paths by their name; keeps what it is asked.
async fn site(page: &str) -> (Server, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let (kept, page) = (asked.clone(), Arc::<str>::from(page));
    let server = serve(move |mut stream| {
        let (kept, page) = (kept.clone(), page.clone());
        async move {
            let request = read_request(&mut stream).await;
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            kept.lock().unwrap().push(request);
            let answer = match path.as_str() {
                "/" => html(&page),
                "/fallback.js" => html("<p>Not found, but who would say so?"),
                "/gone.js" => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(),
                "/moved.js" => "HTTP/1.1 301 Moved\r\nLocation: /good.js\r\n\r\n".to_owned(),
                "/short.js" => typed("text/javascript", "x").replace(": 1", ": 9"),
                "/closed.js" => return,
                "/stalled.js" => std::future::pending().await,
                path if path.ends_with(".css") => typed("text/css", "p {}"),
                _ => typed("text/javascript", "draw()"),
            };
            // A prober that has its reason does not wait for the rest.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    (server, asked)
}

fn page_of(server: &Server) -> Check {
    written(&server.url("/"), "page = true", "")
}

#[tokio::test]
async fn a_page_with_all_that_it_needs_passes() {
    let page = "<link rel=stylesheet href=/a.css><script src=good.js></script>\
                <script type=module src=/moved.js></script><div id=root></div>";
    let (server, asked) = site(page).await;
    assert_eq!(find(&page_of(&server)).await.reason, None);
    let mut paths: Vec<String> =
        asked.lock().unwrap().iter().map(|r| r.split(' ').nth(1).unwrap().to_owned()).collect();
    paths.sort();
    assert_eq!(paths, ["/", "/a.css", "/good.js", "/good.js", "/moved.js"]);
}

#[tokio::test]
async fn a_part_that_does_not_load_fails_the_page() {
    let nobody = Nobody::new();
    let elsewhere = format!("http://{}/cdn.js", nobody.address);
    for (part, shown, detail) in [
        ("/gone.js", "/gone.js", "unexpected status 404"),
        ("/closed.js", "/closed.js", "closed by the target in phase first_byte"),
        ("/short.js", "/short.js", "closed by the target in phase transfer"),
        (&*format!("{elsewhere}?key=hush"), &*format!("{elsewhere}?..."), "connection refused"),
    ] {
        let page = "<p>Hello<script src=good.js></script>".to_owned();
        let (server, _) = site(&format!("{page}<script src='{part}'></script>")).await;
        let url = if shown.starts_with('/') { server.url(shown) } else { shown.to_owned() };
        let reason = find(&page_of(&server)).await.reason;
        assert_eq!(reason, Some(Reason::PagePart { url, detail: detail.to_owned() }), "{part}");
    }
}

#[tokio::test]
async fn what_answers_in_the_place_of_a_script_is_none() {
    let (server, _) = site("<div id=root></div><script src=/fallback.js></script>").await;
    let reason = find(&page_of(&server)).await.reason;
    let (url, got) = (server.url("/fallback.js"), "text/html".to_owned());
    assert_eq!(reason, Some(Reason::PagePartType { url, got }));
    let (server, _) = site("<p>Hello<link rel=stylesheet href=good.js>").await;
    assert_eq!(find(&page_of(&server)).await.reason.unwrap().name(), "page_part_type");
}

#[tokio::test]
async fn a_part_that_stalls_ends_with_the_run() {
    let (server, _) = site("<p>Hello<script src=/stalled.js></script>").await;
    let mut check = page_of(&server);
    check.timeout = HASTY;
    let finding = find(&check).await;
    let detail = "timed out in phase first_byte".to_owned();
    assert_eq!(finding.reason, Some(Reason::PagePart { url: server.url("/stalled.js"), detail }));
    // What the parts take is not what the page's own answer took.
    assert!(finding.phases.get(Phase::Transfer).is_some());
}

#[tokio::test]
async fn blank_pages_are_told() {
    for (page, reason) in [
        ("<p>Hello", None),
        ("<div id=root></div><script>draw()</script>", None),
        ("<div id=root></div>", Some(Reason::PageBlank)),
        ("", Some(Reason::PageBlank)),
        ("<script src=good.js></script>", Some(Reason::PageBlank)),
    ] {
        let (server, _) = site(page).await;
        assert_eq!(find(&page_of(&server)).await.reason, reason, "{page}");
    }
}

#[tokio::test]
async fn only_the_pages_own_origin_gets_its_credentials() {
    let (other, asked_there) = site("").await;
    let page = format!(
        "<p>Hello<script src=good.js></script><script src={}></script>",
        other.url("/there.js")
    );
    let (server, asked_here) = site(&page).await;
    let mut check = page_of(&server);
    let reference = SecretRef::Env("TOKEN".into());
    let CheckKind::Http(http) = &mut check.kind else { panic!("an http check") };
    let secret = HeaderText::Secret { prefix: String::new(), secret: reference.clone() };
    let accept = HeaderText::Plain(HeaderValue::from_static("text/html"));
    http.headers = vec![(AUTHORIZATION, secret), (http::header::ACCEPT, accept)];
    let secrets = Secrets::new([(reference, Secret::new("opensesame"))]);
    assert_eq!(only(observe_with(&check, secrets, &[]).await).reason, None);
    let here = asked_here.lock().unwrap().clone();
    assert_eq!(here.iter().filter(|request| request.contains("opensesame")).count(), 2);
    assert!(here[1].to_lowercase().contains("accept: */*\r\n"), "{}", here[1]);
    let there = asked_there.lock().unwrap().clone();
    assert!(there.len() == 1 && !there[0].contains("opensesame"), "{there:?}");
}

#[tokio::test]
async fn parts_are_asked_for_with_the_cookies_that_the_page_gave() {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = asked.clone();
    let server = serve(move |mut stream| {
        let kept = kept.clone();
        async move {
            let request = read_request(&mut stream).await;
            let answer = if request.starts_with("GET / ") {
                let given = "HTTP/1.1 200 OK\r\nSet-Cookie: seen=1; Path=/\r\n\
                             Set-Cookie: there=2; Path=/there\r\n";
                let page = html("<p>Hello<script src=/here.js></script><script src=/there/a.js>");
                page.replace("HTTP/1.1 200 OK\r\n", given)
            } else {
                typed("text/javascript", "")
            };
            kept.lock().unwrap().push(request);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    assert_eq!(find(&page_of(&server)).await.reason, None);
    let asked = asked.lock().unwrap();
    let cookies = |path: &str| -> String {
        let request = asked.iter().find(|request| request.starts_with(&format!("GET {path} ")));
        let line = request.unwrap().lines().find_map(|line| line.strip_prefix("cookie: "));
        line.unwrap_or_default().to_owned()
    };
    assert_eq!(cookies("/"), "");
    assert_eq!(cookies("/here.js"), "seen=1");
    assert_eq!(cookies("/there/a.js"), "seen=1; there=2");
}

/// Through a proxy all addresses are public that say so.
#[tokio::test]
async fn a_public_page_leads_to_nothing_private() {
    for (part, private) in [
        ("http://127.0.0.1:1/a.js", Some("127.0.0.1")),
        ("http://169.254.169.254/latest/meta-data", Some("169.254.169.254")),
        ("http://[::1]/a.js", Some("::1")),
        // By a redirect as well.
        ("/moved.js", Some("10.0.0.1")),
        ("http://203.0.113.9/a.js", None),
    ] {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let kept = asked.clone();
        let proxy = serve(move |mut stream| {
            let kept = kept.clone();
            async move {
                let request = read_request(&mut stream).await;
                let url = request.split(' ').nth(1).unwrap_or_default().to_owned();
                let answer = match url.as_str() {
                    "http://203.0.113.7/" => html(&format!("<p>Hello<script src='{part}'>")),
                    "http://203.0.113.7/moved.js" => "HTTP/1.1 302 Found\r\n\
                         Location: http://10.0.0.1/\r\nContent-Length: 0\r\n\r\n"
                        .to_owned(),
                    _ => typed("text/javascript", ""),
                };
                kept.lock().unwrap().push(url);
                stream.write_all(answer.as_bytes()).await.unwrap();
            }
        })
        .await;
        let through = format!("page = true, proxy = 'http://{}'", proxy.address);
        let reason = find(&written("http://203.0.113.7/", &through, "")).await.reason;
        match (reason, private) {
            (Some(Reason::PagePart { detail, .. }), Some(private)) => {
                assert_eq!(detail, format!("a redirect to the private address {private}"));
            }
            (None, None) => {}
            (reason, _) => panic!("{part}: {reason:?}"),
        }
        let asked = asked.lock().unwrap();
        assert!(asked.iter().all(|url| url.starts_with("http://203.0.113.")), "{asked:?}");
    }
}

#[tokio::test]
async fn parts_are_bounded_in_number_and_in_how_many_load_at_once() {
    let page: String = (0..80).map(|n| format!("<script src=/{n}.js></script>")).collect();
    let page: Arc<str> = format!("<p>Hello{page}").into();
    let (now, most, all): (Arc<AtomicUsize>, Arc<AtomicUsize>, Arc<AtomicUsize>) =
        Default::default();
    let counts = (now.clone(), most.clone(), all.clone());
    let server = serve(move |mut stream| {
        let (page, (now, most, all)) = (page.clone(), counts.clone());
        async move {
            let request = read_request(&mut stream).await;
            let answer = if request.starts_with("GET / ") {
                html(&page)
            } else {
                all.fetch_add(1, Ordering::Relaxed);
                let at_once = now.fetch_add(1, Ordering::Relaxed) + 1;
                most.fetch_max(at_once, Ordering::Relaxed);
                // Long enough for others to come meanwhile, if they may.
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                now.fetch_sub(1, Ordering::Relaxed);
                typed("text/javascript", "")
            };
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    assert_eq!(find(&page_of(&server)).await.reason, None);
    assert_eq!(all.load(Ordering::Relaxed), 50);
    let most = most.load(Ordering::Relaxed);
    assert!((2..=6).contains(&most), "{most} at once");
}

#[tokio::test]
async fn endless_parts_are_cut_off() {
    let server = serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        if request.starts_with("GET / ") {
            let page = html("<p>Hello<script src=/endless.js></script>");
            return stream.write_all(page.as_bytes()).await.unwrap();
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        let more = vec![b' '; 1 << 16];
        while stream.write_all(&more).await.is_ok() {}
    })
    .await;
    let reason = find(&page_of(&server)).await.reason;
    let detail = "the answer's body is larger than max_body".to_owned();
    assert_eq!(reason, Some(Reason::PagePart { url: server.url("/endless.js"), detail }));
    let plain = serve(|mut stream| async move {
        read_request(&mut stream).await;
        stream.write_all(ok("Hello").as_bytes()).await.unwrap();
    })
    .await;
    assert_eq!(find(&page_of(&plain)).await.reason, None);
}
