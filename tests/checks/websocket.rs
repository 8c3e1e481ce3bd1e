//! The `websocket` check against servers that speak WebSocket well: upgrades, scripts, TLS,
//! subprotocols, every address.

use std::sync::{Arc, Mutex};

use farol::config::{Check, Config, Secret, SecretRef, Secrets, SourceFile, parse};
use farol::model::{Finding, Phase, Reason, Span, Subject, Verdict};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::{WebSocketStream, accept_async, accept_hdr_async};

use crate::asking::{HASTY, find, observe, observe_with, only};
use crate::authority::{Authority, for_days};
use crate::name_server::{NameServer, THREE};
use crate::servers::{Server, listeners, serve, serve_on};

/// The check that a probe file has, with `options` after the URL.
pub(crate) fn written(url: &str, options: &str) -> Check {
    let text = format!(
        "[platform]\nname = 'Blip'\n[[component]]\nname = 'Live'\n[[component.check]]\n\
         name = 'It talks'\ntimeout = '20s'\n[component.check.websocket]\nurl = '{url}'\n{options}"
    );
    let file = SourceFile { name: "blip.toml".to_owned(), text };
    let config: Config =
        parse(&[file]).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    config.checks().next().unwrap().2.clone()
}

pub(crate) fn url(server: &Server) -> String {
    format!("ws://{}/live", server.address)
}

/// Sends every message back, until there is no more.
pub(crate) async fn echo(mut socket: WebSocketStream<impl AsyncRead + AsyncWrite + Unpin>) {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_close() {
            break;
        }
        if socket.send(message).await.is_err() {
            return;
        }
    }
    // The other side hangs up once it has been told goodbye.
    while let Some(Ok(_)) = socket.next().await {}
}

async fn serve_echo() -> Server {
    serve(|stream| async move { echo(accept_async(stream).await.unwrap()).await }).await
}

#[tokio::test]
async fn an_upgrade_is_enough() {
    let server = serve_echo().await;
    let finding = find(&written(&url(&server), "")).await;
    assert_eq!(finding.reason, None);
    for phase in [Phase::Connect, Phase::Send, Phase::FirstByte, Phase::Transfer] {
        assert!(finding.phases.get(phase).is_some(), "{phase}");
    }
    assert_eq!(finding.phases.get(Phase::Tls), None);
}

#[tokio::test]
async fn text_and_bytes_go_both_ways_and_captures_go_back() {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let remembered = heard.clone();
    let server = serve(move |stream| {
        let remembered = remembered.clone();
        async move {
            let mut socket = accept_async(stream).await.unwrap();
            // What nobody waits for comes first, and a ping, which must be answered.
            for message in [Message::text("welcome"), Message::Ping("1".into())] {
                socket.send(message).await.unwrap();
            }
            socket.send(Message::text("session=17.42;")).await.unwrap();
            while let Some(Ok(message)) = socket.next().await {
                let answer = match &message {
                    Message::Text(text) => Message::text(format!("you said {text}")),
                    Message::Binary(_) => Message::binary(vec![0x00, 0xff, 0x0a]),
                    Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {
                        Message::Pong("nobody asked".into())
                    }
                };
                remembered.lock().unwrap().push(message);
                let _ = socket.send(answer).await;
            }
        }
    })
    .await;
    let check = written(
        &url(&server),
        r#"script = [
            { expect = 'session=(?<id>\d+)\.(\d+);' },
            { send = "hello {{id}} {{2}}" },
            { expect = '^you said hello 17 42$' },
            { send_hex = "00 ab" },
            { expect_bytes = "ff0a" },
        ]"#,
    );
    assert_eq!(find(&check).await.reason, None);
    let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
    let expected = [
        Message::Pong("1".into()),
        Message::text("hello 17 42"),
        Message::binary(vec![0x00, 0xab]),
        Message::Close(Some(goodbye)),
    ];
    assert_eq!(*heard.lock().unwrap(), expected);
}

#[tokio::test]
async fn messages_in_pieces_are_one() {
    let server = serve(|stream| async move {
        use tokio::io::AsyncWriteExt;
        let mut socket = accept_async(stream).await.unwrap();
        let pieces = [&[0x01, 2][..], b"he", &[0x89, 0], &[0x00, 2], b"ll", &[0x80, 1], b"o"];
        socket.get_mut().write_all(&pieces.concat()).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(find(&written(&url(&server), "expect = '^hello$'")).await.reason, None);
}

#[tokio::test]
async fn another_message_than_expected_is_told() {
    let server = serve_echo().await;
    let expect = |expected: &str| {
        let (expected, got) = (expected.to_owned(), "ping".to_owned());
        Some(Reason::WebsocketExpect { expected, got })
    };
    let mut check = written(&url(&server), "send = 'ping'\nexpect = '^pong'");
    check.timeout = HASTY;
    let finding = find(&check).await;
    assert_eq!((finding.verdict, finding.reason), (Verdict::Fail, expect("^pong")));
    // The step's own limit ends it sooner than the run's.
    let patience = "expect_timeout = '200ms'\nsend = 'ping'\nexpect = '^pong'";
    assert_eq!(find(&written(&url(&server), patience)).await.reason, expect("^pong"));
    let silent = "expect_timeout = '200ms'\nexpect = '^pong'";
    let limit = Span::from_millis(200);
    let reason = find(&written(&url(&server), silent)).await.reason;
    assert_eq!(reason, Some(Reason::ExpectLimit { limit }));
    // A step that has been answered does not lend its words to the next one.
    let script = "script = [{ send = 'ping' }, { expect = 'ping' }, { expect = 'pong' }]";
    let mut check = written(&url(&server), script);
    check.timeout = HASTY;
    let reason = find(&check).await.reason;
    assert_eq!(reason, Some(Reason::Timeout { phase: Phase::Transfer }));
}

/// Remembers each request's head, and chooses `subprotocol`.
async fn serve_choice(
    subprotocol: Option<&'static str>,
) -> (Server, Arc<Mutex<Vec<http::HeaderMap>>>) {
    let heads = Arc::new(Mutex::new(Vec::new()));
    let remembered = heads.clone();
    let server = serve(move |stream| {
        let remembered = remembered.clone();
        async move {
            #[expect(clippy::result_large_err, reason = "the library's callback")]
            let choose = move |request: &Request, mut answer: Response| {
                remembered.lock().unwrap().push(request.headers().clone());
                let chosen = subprotocol.map(|name| name.parse().unwrap());
                let name = http::header::SEC_WEBSOCKET_PROTOCOL;
                answer.headers_mut().extend(chosen.map(|chosen| (name, chosen)));
                Ok::<_, ErrorResponse>(answer)
            };
            if let Ok(socket) = accept_hdr_async(stream, choose).await {
                echo(socket).await;
            }
        }
    })
    .await;
    (server, heads)
}

#[tokio::test]
async fn a_subprotocol_must_be_chosen_among_those_offered() {
    let offer = "subprotocols = ['v2.chat', 'chat']";
    for (chosen, options, got) in [
        (Some("chat"), offer, None),
        (Some("v1.chat"), offer, Some("v1.chat")),
        (None, offer, Some("none")),
        (Some("chat"), "", Some("chat")),
        (None, "", None),
    ] {
        let (server, heads) = serve_choice(chosen).await;
        let reason = find(&written(&url(&server), options)).await.reason;
        let expected = got.map(|got| Reason::WebsocketSubprotocol { got: got.to_owned() });
        assert_eq!(reason, expected, "{chosen:?}, {options}");
        let offered = heads.lock().unwrap()[0].get("sec-websocket-protocol").cloned();
        assert_eq!(offered.is_some(), !options.is_empty());
        assert!(offered.is_none_or(|offered| offered == "v2.chat, chat"));
    }
}

#[tokio::test]
async fn headers_go_with_the_upgrade() {
    let (server, heads) = serve_choice(None).await;
    let options = "headers = { Origin = 'https://desk.example', \
                   Authorization = { env = 'T', prefix = 'Bearer ' } }";
    let check = written(&url(&server), options);
    let secrets = Secrets::new([(SecretRef::Env("T".to_owned()), Secret::new("hush"))]);
    assert_eq!(only(observe_with(&check, secrets, &[]).await).reason, None);
    let head = heads.lock().unwrap()[0].clone();
    assert_eq!(head["origin"], "https://desk.example");
    assert_eq!(head["authorization"], "Bearer hush");
    assert_eq!(head["host"], server.address.to_string());
    assert!(head["user-agent"].to_str().unwrap().starts_with("farol/"));
    // A secret that this process does not have is not held against the target.
    let finding = find(&check).await;
    assert_eq!(finding.verdict, Verdict::Inconclusive);
    assert_eq!(finding.reason.unwrap().name(), "prober_misconfigured");
}

#[tokio::test]
async fn over_tls_certificates_count_too() {
    let authority = Authority::new();
    let identity = authority.identify("127.0.0.1", for_days(30));
    let acceptor = identity.acceptor_speaking(&["h2", "http/1.1"]);
    let server = serve(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
            echo(accept_async(stream).await.unwrap()).await;
        }
    })
    .await;
    let ask = async |options: &str| -> Finding {
        let check = written(&format!("wss://{}/", server.address), options);
        only(observe_with(&check, Secrets::default(), &[authority.root()]).await)
    };
    let finding = ask("send = 'ping'\nexpect = '^ping$'").await;
    assert_eq!(finding.reason, None);
    assert!(finding.phases.get(Phase::Tls).is_some() && finding.tls.is_some());
    assert!(finding.certificate_expires_at.is_some());
    let finding = ask("certificate = { failed = '60d', degraded = '90d' }").await;
    assert_eq!(finding.reason.unwrap().name(), "tls_certificate_expiring");
    let reason = find(&written(&format!("wss://{}/", server.address), "")).await.reason;
    assert_eq!(reason.unwrap().name(), "tls_untrusted");
    let options = "tls = { skip_verify = true, server_name = 'other.test' }";
    assert_eq!(ask(options).await.reason, None);
}

#[tokio::test]
async fn every_address_is_asked_on_its_own() {
    let addresses = THREE.map(|text| text.parse().unwrap());
    let names = NameServer::start().await;
    let listening = listeners(&addresses).await.into_iter().enumerate();
    let servers: Vec<Server> = listening
        .map(|(number, listener)| {
            serve_on(listener, move |stream| async move {
                let mut socket = accept_async(stream).await.unwrap();
                if number == 1 {
                    let frame = CloseFrame { code: CloseCode::Restart, reason: "soon".into() };
                    socket.close(Some(frame)).await.unwrap();
                }
                echo(socket).await;
            })
        })
        .collect();
    let mut check = written(
        &format!("ws://three.test:{}/", servers[0].port()),
        "addresses = 'all'\nsend = 'ping'\nexpect = 'ping'",
    );
    check.resolvers = Arc::from([names.address.into()]);
    let observation = observe(&check).await;
    let subjects: Vec<Subject> = observation.findings.iter().map(|one| one.subject).collect();
    assert_eq!(subjects, addresses.map(Subject::Address));
    assert_eq!(observation.findings[0].reason, None);
    let closed = Reason::WebsocketClosed { code: 1012, detail: "soon".to_owned() };
    assert_eq!(observation.findings[1].reason, Some(closed));
    assert_eq!(observation.findings[2].reason, None);
}

#[tokio::test]
async fn a_server_that_does_not_say_goodbye_keeps_nobody() {
    let server = serve(|stream| async move {
        let _socket = accept_async(stream).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let mut check = written(&url(&server), "");
    // Later than the test waits for any run.
    check.timeout = Span::from_secs(300);
    assert_eq!(find(&check).await.reason, None);
}
