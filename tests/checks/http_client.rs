//! The `http` check's own manners: cookies, `Host`, and from where to where it goes.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use farol::config::{Check, Family, HttpCheck};
use farol::model::{Reason, Verdict};
use http::header::{COOKIE, HeaderValue};
use tokio::io::AsyncWriteExt;

use crate::asking::{find, get, http};
use crate::name_server::NameServer;
use crate::servers::{Server, ok, read_request, serve};

type Asked = Arc<Mutex<Vec<(IpAddr, String)>>>;

/// A server that keeps who asked and what, and answers with what `answer` makes of it.
async fn serve_kept(answer: fn(&str) -> String) -> (Server, Asked) {
    let asked = Asked::default();
    let kept = asked.clone();
    let server = serve(move |mut stream| {
        let kept = kept.clone();
        async move {
            let from = stream.peer_addr().unwrap().ip();
            let request = read_request(&mut stream).await;
            kept.lock().unwrap().push((from, request.clone()));
            stream.write_all(answer(&request).as_bytes()).await.unwrap();
        }
    })
    .await;
    (server, asked)
}

fn redirect(location: &str, more: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\n{more}Content-Length: 0\r\n\r\n")
}

fn following(url: &str) -> HttpCheck {
    let mut http = http(url);
    http.max_redirects = 10;
    http
}

#[tokio::test]
async fn a_cookie_lets_a_redirect_lead_back() {
    let (server, asked) = serve_kept(|request| {
        // The loopback is as safe as TLS, to browsers as well.
        if request.contains("cookie: first=1; safe=4; second=2\r\n") {
            return ok("welcome back");
        }
        let more = "Set-Cookie: first=1; HttpOnly\r\nSet-Cookie: second=2; Path=/\r\n\
                    Set-Cookie: other=3; Domain=example.com\r\nSet-Cookie: safe=4; Secure\r\n";
        redirect("/", more)
    })
    .await;
    let mut http = following(&server.url("/"));
    http.expect.body_contains.push("welcome back".into());
    assert_eq!(find(&get(http.clone())).await.reason, None);
    assert_eq!(asked.lock().unwrap().len(), 2);
    // The next run is a new visitor.
    assert_eq!(find(&get(http)).await.reason, None);
    assert!(!asked.lock().unwrap()[2].1.contains("cookie"));
}

#[tokio::test]
async fn a_cookie_that_changes_nothing_is_still_a_loop() {
    let (server, asked) = serve_kept(|_| redirect("/", "Set-Cookie: same=1\r\n")).await;
    assert_eq!(find(&get(following(&server.url("/")))).await.reason, Some(Reason::RedirectLoop));
    assert_eq!(asked.lock().unwrap().len(), 2);
    let (server, _) = serve_kept(|request| {
        // Ever more cookies, with the length of what is asked for a name.
        redirect("/", &format!("Set-Cookie: n{}=1\r\n", request.len()))
    })
    .await;
    assert_eq!(find(&get(following(&server.url("/")))).await.reason, Some(Reason::RedirectLimit));
}

#[tokio::test]
async fn a_cookie_is_the_hosts_and_not_the_addresses() {
    let names = NameServer::start().await;
    let (server, asked) = serve_kept(|request| match request {
        one if one.contains("host: one.test") => redirect(
            &format!(
                "http://alias.test:{}/",
                one.split("one.test:").nth(1).unwrap().split("\r\n").next().unwrap()
            ),
            "Set-Cookie: here=only\r\n",
        ),
        _ => ok(""),
    })
    .await;
    let mut http = following(&format!("http://one.test:{}/", server.port()));
    let own = farol::config::HeaderText::Plain(HeaderValue::from_static("own=1"));
    http.headers.push((COOKIE, own));
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
    assert_eq!(find(&check).await.reason, None);
    let asked = asked.lock().unwrap();
    assert!(asked[0].1.contains("cookie: own=1\r\n"), "{asked:?}");
    assert!(!asked[1].1.contains("cookie"), "{asked:?}");
}

#[tokio::test]
async fn another_host_is_asked_for_until_a_redirect_leads_away() {
    let (server, asked) =
        serve_kept(
            |request| {
                if request.contains("GET / ") { redirect("/here", "") } else { ok("") }
            },
        )
        .await;
    let mut http = following(&server.url("/"));
    http.client.host = Some("Other.example:8443".parse().unwrap());
    assert_eq!(find(&get(http)).await.reason, None);
    for (_, request) in asked.lock().unwrap().iter() {
        assert!(request.contains("\r\nhost: Other.example:8443\r\n"), "{request}");
    }
}

#[tokio::test]
async fn only_addresses_of_the_family_are_asked() {
    let names = NameServer::start().await;
    let (server, _) = serve_kept(|_| ok("")).await;
    let check = |name: &str, family| -> Check {
        let mut http = http(&format!("http://{name}:{}/", server.port()));
        http.client.family = Some(family);
        let mut check = get(http);
        check.resolvers = Arc::from([names.address.into()]);
        check
    };
    let finding = find(&check("both.test", Family::Ipv4)).await;
    assert_eq!((finding.reason, finding.address), (None, Some("127.0.0.1".parse().unwrap())));
    let finding = find(&check("both.test", Family::Ipv6)).await;
    assert_eq!(finding.address, Some("::1".parse().unwrap()));
    for name in ["one.test", "127.0.0.1"] {
        let finding = find(&check(name, Family::Ipv6)).await;
        assert_eq!(finding.reason, Some(Reason::ResolveNoAddress), "{name}");
    }
}

#[tokio::test]
async fn the_source_address_is_the_configured_one() {
    let (server, asked) = serve_kept(|_| ok("")).await;
    let mut http = http(&server.url("/"));
    let source: IpAddr = "127.0.9.9".parse().unwrap();
    http.client.source = Some(source);
    assert_eq!(find(&get(http.clone())).await.reason, None);
    assert_eq!(asked.lock().unwrap()[0].0, source);

    // Not an address of this host.
    http.client.source = Some("203.0.113.7".parse().unwrap());
    let finding = find(&get(http.clone())).await;
    let detail = "the source address 203.0.113.7".into();
    assert_eq!(finding.reason, Some(Reason::ProberMisconfigured { detail }));
    assert_eq!(finding.verdict, Verdict::Inconclusive);

    http.client.source = Some("::1".parse().unwrap());
    assert_eq!(find(&get(http)).await.reason, Some(Reason::ResolveNoAddress));
}
