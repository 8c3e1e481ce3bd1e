//! The `http` check through a proxy: `CONNECT`, whole URLs, SOCKS 5 with addresses and with names;
//! and proxies that fail.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use farol::config::{Check, HttpCheck, Proxy, ProxyKind, Secret, SecretRef, Secrets, TlsSettings};
use farol::model::{Finding, Phase, Reason, Subject, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::asking::{HASTY, get, http, observe_with, only};
use crate::authority::Authority;
use crate::name_server::NameServer;
use crate::servers::{
    Nobody, Server, ok, read_request, serve, serve_answer, serve_silence, serve_without_end,
};

type Asked = Arc<Mutex<Vec<String>>>;

/// Leads everybody to `target`, whatever they ask for, and keeps what that was.
async fn serve_connect(target: SocketAddr) -> (Server, Asked) {
    let asked = Asked::default();
    let kept = asked.clone();
    let server = serve(move |mut stream| {
        let kept = kept.clone();
        async move {
            let request = read_request(&mut stream).await;
            kept.lock().unwrap().push(request.clone());
            if !request.starts_with("CONNECT ") {
                stream.write_all(ok("from the proxy").as_bytes()).await.unwrap();
                return;
            }
            let mut target = TcpStream::connect(target).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 Well\r\nX-Proxy: yes\r\n\r\n").await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut target).await;
        }
    })
    .await;
    (server, asked)
}

/// The same in SOCKS 5; those who can must show a name and a password.
async fn serve_socks(target: SocketAddr) -> (Server, Asked) {
    let asked = Asked::default();
    let kept = asked.clone();
    let server = serve(move |mut stream| {
        let kept = kept.clone();
        async move {
            let asked = socks_request(&mut stream).await.unwrap();
            kept.lock().unwrap().push(asked);
            let mut target = TcpStream::connect(target).await.unwrap();
            stream.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
            let _ = copy_bidirectional(&mut stream, &mut target).await;
        }
    })
    .await;
    (server, asked)
}

/// What is asked for, and by whom if they say.
async fn socks_request(stream: &mut TcpStream) -> std::io::Result<String> {
    async fn text(stream: &mut TcpStream) -> std::io::Result<String> {
        let mut text = vec![0; stream.read_u8().await?.into()];
        stream.read_exact(&mut text).await?;
        Ok(String::from_utf8(text).unwrap())
    }
    assert_eq!(stream.read_u8().await?, 5);
    let mut methods = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut methods).await?;
    let mut user = String::new();
    if methods.contains(&2) {
        stream.write_all(&[5, 2]).await?;
        assert_eq!(stream.read_u8().await?, 1);
        user = format!("{}:{}@", text(stream).await?, text(stream).await?);
        stream.write_all(&[1, 0]).await?;
    } else {
        stream.write_all(&[5, 0]).await?;
    }
    let mut head = [0; 4];
    stream.read_exact(&mut head).await?;
    assert_eq!(head[..3], [5, 1, 0]);
    let host = if head[3] == 1 {
        std::net::Ipv4Addr::from(stream.read_u32().await?).to_string()
    } else {
        assert_eq!(head[3], 3);
        text(stream).await?
    };
    Ok(format!("{user}{host}:{}", stream.read_u16().await?))
}

fn proxy(kind: ProxyKind, address: SocketAddr) -> Proxy {
    Proxy { kind, host: address.ip().to_string(), port: address.port(), user: None }
}

fn through(http: &mut HttpCheck, kind: ProxyKind, server: &Server) {
    http.client.proxy = Some(proxy(kind, server.address));
}

fn knowing(http: HttpCheck, names: &NameServer) -> Check {
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
    check
}

async fn ask(check: &Check) -> Finding {
    let word = (SecretRef::Env("WORD".into()), Secret::new("sesame"));
    only(observe_with(check, Secrets::new([word]), &[]).await)
}

fn me() -> Option<(String, SecretRef)> {
    Some(("me".into(), SecretRef::Env("WORD".into())))
}

#[tokio::test]
async fn tls_goes_through_connect_and_names_are_the_proxys() {
    let authority = Authority::new();
    let target = authority.serve("one.test", (2020, 2099)).await;
    let (server, asked) = serve_connect(target.address).await;
    // Nobody here knows the name.
    let mut http = http("https://one.test/");
    http.expect.body_contains.push("one.test".into());
    http.client.tls = TlsSettings { skip_verify: true, ..<_>::default() };
    through(&mut http, ProxyKind::Http, &server);
    http.client.proxy.as_mut().unwrap().user = me();
    let finding = ask(&get(http)).await;
    assert_eq!(finding.reason, None);
    assert_eq!((finding.subject, finding.address), (Subject::Whole, None));
    assert_eq!(finding.phases.get(Phase::Resolve), None);
    let request = asked.lock().unwrap().remove(0);
    assert!(
        request.starts_with("CONNECT one.test:443 HTTP/1.1\r\nHost: one.test:443\r\n"),
        "{request}"
    );
    // `me:sesame`
    assert!(request.contains("\r\nProxy-Authorization: Basic bWU6c2VzYW1l\r\n"), "{request}");
}

#[tokio::test]
async fn without_tls_the_proxy_is_asked_with_the_whole_url() {
    let nobody = Nobody::new();
    let (server, asked) = serve_connect(nobody.address).await;
    let mut http = http("http://one.test:8080/path?query");
    http.expect.body_contains.push("from the proxy".into());
    through(&mut http, ProxyKind::Http, &server);
    http.client.proxy.as_mut().unwrap().user = me();
    assert_eq!(ask(&get(http)).await.reason, None);
    let request = asked.lock().unwrap().remove(0);
    assert!(request.starts_with("GET http://one.test:8080/path?query HTTP/1.1\r\n"), "{request}");
    for line in ["\r\nhost: one.test:8080\r\n", "\r\nproxy-authorization: Basic bWU6c2VzYW1l\r\n"] {
        assert!(request.contains(line), "{request}");
    }
}

#[tokio::test]
async fn socks_is_given_addresses_or_names() {
    let names = NameServer::start().await;
    let target = serve_answer(ok("well")).await;
    let (server, asked) = serve_socks(target.address).await;
    for (kind, host) in [(ProxyKind::Socks5, "203.0.113.7"), (ProxyKind::Socks5h, "public.test")] {
        for user in [None, me()] {
            let mut http = http("http://public.test:8080/");
            http.expect.body_contains.push("well".into());
            through(&mut http, kind, &server);
            http.client.proxy.as_mut().unwrap().user = user.clone();
            let finding = ask(&knowing(http, &names)).await;
            assert_eq!(finding.reason, None);
            let resolves = kind == ProxyKind::Socks5;
            assert_eq!(finding.address.is_some(), resolves);
            assert_eq!(finding.phases.get(Phase::Resolve).is_some(), resolves);
            let user = if user.is_some() { "me:sesame@" } else { "" };
            assert_eq!(asked.lock().unwrap().pop().unwrap(), format!("{user}{host}:8080"));
        }
    }
}

/// Through a proxy all addresses are public that say so.
#[tokio::test]
async fn a_redirect_from_public_to_private_is_refused() {
    let names = NameServer::start().await;
    for (kind, url) in [
        (ProxyKind::Socks5, "http://public.test/"),
        (ProxyKind::Socks5, "http://203.0.113.7/"),
        (ProxyKind::Socks5h, "http://public.test/"),
    ] {
        for (location, to) in [
            ("http://127.0.0.1:1/", "127.0.0.1"),
            ("http://[::1]/", "::1"),
            ("http://169.254.169.254/latest/meta-data", "169.254.169.254"),
        ] {
            let moved =
                format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n");
            let target = serve_answer(moved).await;
            let (server, asked) = serve_socks(target.address).await;
            let mut http = http(url);
            http.max_redirects = 5;
            through(&mut http, kind, &server);
            let finding = ask(&knowing(http, &names)).await;
            let refused = Reason::RedirectRefused { to: to.parse().unwrap() };
            assert_eq!(finding.reason, Some(refused), "{url} to {location}");
            assert_eq!(asked.lock().unwrap().len(), 1);
        }
    }
    // A name that leads there is as bad.
    let moved = "HTTP/1.1 302 Found\r\nLocation: http://one.test/\r\nContent-Length: 0\r\n\r\n";
    let target = serve_answer(moved).await;
    let (server, _) = serve_socks(target.address).await;
    let mut http = http("http://public.test/");
    http.max_redirects = 5;
    through(&mut http, ProxyKind::Socks5, &server);
    let refused = Reason::RedirectRefused { to: "127.0.0.1".parse().unwrap() };
    assert_eq!(ask(&knowing(http, &names)).await.reason, Some(refused));
}

async fn reason_through(server: &Server, kind: ProxyKind, scheme: &str) -> (Verdict, Reason) {
    let mut http = http(&format!("{scheme}://203.0.113.7/"));
    through(&mut http, kind, server);
    let mut check = get(http);
    check.timeout = HASTY;
    let finding = ask(&check).await;
    assert!(finding.phases.get(Phase::Connect).is_some());
    assert_eq!(finding.phases.get(Phase::Tls), None);
    (finding.verdict, finding.reason.unwrap())
}

#[tokio::test]
async fn proxies_that_fail_are_told_from_targets_that_do() {
    for (answer, name, verdict) in [
        ("HTTP/1.1 407 Who\r\n\r\n", "proxy_auth", Verdict::Inconclusive),
        ("HTTP/1.1 403 Never\r\n\r\n", "proxy_denied", Verdict::Inconclusive),
        ("HTTP/1.1 502 Bad Gateway\r\n\r\n", "proxy_failed", Verdict::Fail),
        ("SSH-2.0-OpenSSH\r\n\r\n", "proxy_malformed", Verdict::Inconclusive),
        ("HTTP/1.1 200 OK\r\n", "proxy_malformed", Verdict::Inconclusive),
        ("", "proxy_malformed", Verdict::Inconclusive),
    ] {
        let server = serve_answer(answer).await;
        let (got, reason) = reason_through(&server, ProxyKind::Http, "https").await;
        assert_eq!((reason.name(), got), (name, verdict), "{answer:?}");
    }
    let endless = serve_without_end("HTTP/1.1 200 OK\r\n", "X-More: and more\r\n").await;
    let (_, reason) = reason_through(&endless, ProxyKind::Http, "https").await;
    assert_eq!(reason.name(), "proxy_malformed");
    let who = serve_answer("HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n").await;
    let mut http = http("http://203.0.113.7/");
    through(&mut http, ProxyKind::Http, &who);
    assert_eq!(ask(&get(http)).await.reason, Some(Reason::ProxyAuth));
}

#[tokio::test]
async fn socks_says_what_went_wrong() {
    for (code, name) in [
        (1, "proxy_failed"),
        (2, "proxy_denied"),
        (4, "proxy_failed"),
        (5, "proxy_failed"),
        (7, "proxy_malformed"),
        (99, "proxy_malformed"),
    ] {
        let server = serve(move |mut stream| async move {
            socks_request(&mut stream).await.unwrap();
            stream.write_all(&[5, code, 0, 1, 0, 0, 0, 0, 0, 0]).await.unwrap();
        })
        .await;
        let (_, reason) = reason_through(&server, ProxyKind::Socks5, "http").await;
        assert_eq!(reason.name(), name, "{code}: {reason}");
    }
    for (words, name) in [
        (&[5, 0xff][..], "proxy_auth"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "proxy_malformed"),
        (b"", "proxy_malformed"),
    ] {
        let server = serve(move |mut stream| async move {
            let mut hello = [0; 3];
            stream.read_exact(&mut hello).await.unwrap();
            stream.write_all(words).await.unwrap();
        })
        .await;
        let (_, reason) = reason_through(&server, ProxyKind::Socks5, "http").await;
        assert_eq!(reason.name(), name, "{words:?}: {reason}");
    }
}

#[tokio::test]
async fn silence_in_a_proxy_is_the_connect_phases() {
    let server = serve_silence().await;
    let timeout = Reason::Timeout { phase: Phase::Connect };
    for (kind, scheme) in [(ProxyKind::Http, "https"), (ProxyKind::Socks5, "http")] {
        let (verdict, reason) = reason_through(&server, kind, scheme).await;
        assert_eq!((verdict, reason), (Verdict::Fail, timeout.clone()));
    }
}

#[tokio::test]
async fn a_proxy_that_is_not_there_is_our_trouble() {
    let names = NameServer::start().await;
    let nobody = Nobody::new();
    for host in [nobody.address.ip().to_string(), "missing.test".into(), "silent.test".into()] {
        let mut http = http("http://203.0.113.7/");
        http.client.proxy = Some(Proxy { host, ..proxy(ProxyKind::Http, nobody.address) });
        let mut check = knowing(http, &names);
        check.timeout = HASTY;
        let finding = ask(&check).await;
        assert_eq!(finding.reason.unwrap().name(), "proxy_unreachable");
        assert_eq!(finding.verdict, Verdict::Inconclusive);
    }
}
