//! What a run tells of its exchanges, when somebody asks.

use std::sync::Arc;

use farol::check::{Exchange, Prober, Purpose};
use farol::clock::Clock;
use farol::config::{Addresses, Auth, Check, HttpVersion, OAuth2, Secret, SecretRef, Secrets};
use farol::model::{Observation, Phase, Span, Vantage};
use tokio::io::AsyncWriteExt;

use crate::asking::{get, http, written};
use crate::name_server::{NameServer, THREE};
use crate::servers::{Nobody, Server, listeners, ok, read_request, serve, serve_answer, serve_on};

async fn traced(check: &Check) -> (Observation, Vec<Exchange>) {
    let secret = |name: &str, value| (SecretRef::Env(name.into()), Secret::new(value));
    let secrets = Secrets::new([secret("KEY", "s3same"), secret("WORD", "open:s3same")]);
    let prober = Prober::with_roots(Clock::start(), Vantage::new("here"), secrets, &[]).unwrap();
    prober.run_traced(check).await
}

fn typed(kind: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// `/` leads to a page, which needs a script that has moved.
async fn site() -> Server {
    serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        let answer = match request.split(' ').nth(1).unwrap() {
            "/" => "HTTP/1.1 302 Found\r\nLocation: page?code=1\r\nSet-Cookie: id=abcdefgh\r\n\
                    Content-Length: 0\r\n\r\n"
                .to_owned(),
            "/page?code=1" => {
                typed("text/html", "<p>Enough to be seen<script src='a.js?x=1'></script>")
            }
            "/a.js?x=1" => {
                "HTTP/1.1 301 Moved\r\nLocation: /b.js\r\nContent-Length: 0\r\n\r\n".to_owned()
            }
            _ => typed("text/javascript", "1"),
        };
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn every_exchange_is_told_in_its_order() {
    let names = NameServer::start().await;
    let server = site().await;
    let url = format!("http://one.test:{}/", server.port());
    let settings = "page = true, redirects = 3, headers = { X-Key = { env = 'KEY' } }";
    let mut check = written(&url, settings, "");
    check.resolvers = Arc::from([names.address.into()]);
    let (observation, exchanges) = traced(&check).await;
    assert_eq!(observation.findings[0].reason, None);
    let seen: Vec<(Purpose, &str, u16, Option<&str>)> = exchanges
        .iter()
        .map(|one| {
            let url = one.url.split(&format!(":{}", server.port())).nth(1).unwrap();
            (one.purpose, url, one.answer.as_ref().unwrap().status, one.redirect.as_deref())
        })
        .collect();
    let page = format!("{url}page?code=[redacted]");
    let script = format!("{url}b.js");
    assert_eq!(
        seen,
        [
            (Purpose::Answer, "/", 302, Some(page.as_str())),
            (Purpose::Answer, "/page?code=[redacted]", 200, None),
            (Purpose::Part, "/a.js?x=1", 301, Some(&script)),
            (Purpose::Part, "/b.js", 200, None),
        ]
    );
    // The name was resolved for the first, and for nobody else.
    for (number, one) in exchanges.iter().enumerate() {
        assert_eq!(one.phases.get(Phase::Resolve).is_some(), number == 0, "{one:?}");
        assert!(one.phases.get(Phase::Connect).is_some());
        assert_eq!(one.address, Some(server.address.ip()));
        assert_eq!(one.entry, one.address);
        assert!(one.failure.is_none() && !one.has_body);
        let sent = |name| one.request_headers.iter().find(|(known, _)| known == name);
        assert_eq!(sent("x-key").unwrap().1, "[redacted]");
        assert_eq!(sent("cookie").is_some(), number > 0);
    }
    for pair in exchanges.windows(2) {
        let end = pair[0].offset.as_micros() + pair[0].phases.total().as_micros();
        // Times are whole microseconds, each cut by itself.
        assert!(end <= pair[1].offset.as_micros() + 6, "they come one after the other: {pair:?}");
    }
    let answer = exchanges[1].answer.as_ref().unwrap();
    assert_eq!((answer.version, answer.body_bytes), (HttpVersion::OneOne, 52));
    assert_eq!((answer.content_bytes, answer.mime_type.as_str()), (Some(52), "text/html"));
    assert!(!format!("{exchanges:?}").contains("abcdefgh"));
}

#[tokio::test]
async fn what_fails_is_told_as_far_as_it_came() {
    let nobody = Nobody::new();
    let (observation, refused) = traced(&get(http(&format!("http://{}/", nobody.address)))).await;
    let [refused] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(refused.failure.as_deref(), Some("connect_refused: connection refused"));
    assert!(refused.answer.is_none() && refused.request_headers.is_empty(), "{refused:?}");
    assert_eq!(refused.phases, observation.findings[0].phases);

    let short = serve_answer("HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\nhalf").await;
    let (observation, half) = traced(&get(http(&short.url("/")))).await;
    let [half] = &half[..] else { panic!("{half:?}") };
    assert!(half.failure.as_ref().unwrap().starts_with("transfer_closed: "), "{half:?}");
    let answer = half.answer.as_ref().unwrap();
    assert_eq!((answer.status, answer.body_bytes), (500, 4));
    assert_eq!(half.phases, observation.findings[0].phases);
    assert_ne!(half.phases.total(), Span::ZERO);
}

#[tokio::test]
async fn a_token_is_asked_for_before_all_addresses() {
    let names = NameServer::start().await;
    let tokens = serve_answer(ok("{\"access_token\":\"t0ken-of-theirs\"}")).await;
    let servers: Vec<Server> = listeners(&THREE.map(|text| text.parse().unwrap()))
        .await
        .into_iter()
        .map(|listener| {
            serve_on(listener, |mut stream| async move {
                let request = read_request(&mut stream).await;
                let shown = request.lines().find_map(|line| line.strip_prefix("authorization: "));
                let shown = shown.unwrap().to_owned();
                let answer =
                    format!("HTTP/1.1 200 OK\r\nX-Saw: {shown}\r\nContent-Length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await.unwrap();
            })
        })
        .collect();
    let mut http = http(&format!("http://three.test:{}/", servers[0].port()));
    http.addresses = Addresses::All;
    http.client.auth = Some(Auth::OAuth2(OAuth2 {
        token_url: tokens.url("/token").parse().unwrap(),
        client_id: "probe".into(),
        client_secret: SecretRef::Env("WORD".into()),
        scopes: Vec::new(),
    }));
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
    let (observation, exchanges) = traced(&check).await;
    assert_eq!(observation.findings.len(), 3);
    let [token, others @ ..] = &exchanges[..] else { panic!("{exchanges:?}") };
    assert_eq!((token.purpose, token.entry, token.has_body), (Purpose::Token, None, true));
    let mut entries: Vec<_> = others.iter().map(|one| one.entry.unwrap().to_string()).collect();
    entries.sort();
    assert_eq!(entries, THREE);
    for one in others {
        let answer = one.answer.as_ref().unwrap();
        assert!(answer.headers.contains(&("x-saw".into(), "Bearer [redacted]".into())), "{one:?}");
    }
    let all = format!("{exchanges:?} {observation:?}");
    assert!(!all.contains("t0ken") && !all.contains("s3same"), "{all}");
}
