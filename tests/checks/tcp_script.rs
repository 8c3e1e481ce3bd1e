//! Scripts of the `tcp` check: captures, one buffer for all steps, binary, and where the connection
//! comes from.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farol::config::{Check, CheckKind, Config, SourceFile, parse};
use farol::model::{Finding, Phase, Reason, Span, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::asking::{HASTY, check, find, tcp};
use crate::servers::{Server, serve};

/// The check that a probe file has, with `options` after the address.
fn written(address: SocketAddr, options: &str) -> Check {
    let text = format!(
        "[platform]\nname = 'Blip'\n[[component]]\nname = 'Mail'\n[[component.check]]\n\
         name = 'It talks'\ntimeout = '20s'\n[component.check.tcp]\naddress = '{address}'\n{options}"
    );
    let file = SourceFile { name: "blip.toml".to_owned(), text };
    let config: Config = parse(&[file]).expect(options);
    config.checks().next().unwrap().2.clone()
}

/// Says `greeting`, answers each line with what `answer` makes of it, and remembers the lines.
async fn serve_lines(
    greeting: &'static [u8],
    answer: fn(&str) -> String,
) -> (Server, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let remembered = heard.clone();
    let server = serve(move |mut stream| {
        let remembered = remembered.clone();
        async move {
            stream.write_all(greeting).await.unwrap();
            let mut line = Vec::new();
            while let Ok(byte) = stream.read_u8().await {
                line.push(byte);
                if byte == b'\n' {
                    let said = String::from_utf8(std::mem::take(&mut line)).unwrap();
                    let words = answer(&said);
                    remembered.lock().unwrap().push(said);
                    if stream.write_all(words.as_bytes()).await.is_err() {
                        return;
                    }
                }
            }
        }
    })
    .await;
    (server, heard)
}

#[tokio::test]
async fn what_was_captured_is_sent_by_number_and_by_name() {
    let (server, heard) =
        serve_lines(b"+OK <17.42@mail.test> ready\r\n", |line| format!("you said {line}")).await;
    let check = written(
        server.address,
        r#"script = [
            { expect = '^\+OK <(?<pid>\d+)\.(\d+)@(?<host>[^>]+)>.*\n' },
            { send = "A {{2}} {{ host }} {{0}}" },
            { expect = '^you said A (\w+) mail.test \+OK <17' },
            { send = "B {{1}} {{pid}}\r\n" },
            { expect = 'B 42 17\r\n' },
        ]"#,
    );
    assert_eq!(find(&check).await.reason, None);
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard, ["A 42 mail.test +OK <17.42@mail.test> ready\r\n", "B 42 17\r\n"]);
}

#[tokio::test]
async fn what_comes_after_a_match_is_left_for_the_next_step() {
    // All of it in one packet, before anything is asked.
    let (server, _) = serve_lines(b"one two\r\nthree\r\n", |_| String::new()).await;
    let script = |last: &str| {
        format!(
            "script = [{{ expect = '^one ' }}, {{ expect = '^two\\r\\n' }}, {{ expect = '{last}' }}]"
        )
    };
    assert_eq!(find(&written(server.address, &script("^three"))).await.reason, None);
    // What was taken is gone, and the step that lacks it is named.
    let mut again = written(server.address, &script("one"));
    again.timeout = HASTY;
    let reason = find(&again).await.reason;
    let (expected, got) = ("step 3: one".to_owned(), "three\u{fffd}\u{fffd}".to_owned());
    assert_eq!(reason, Some(Reason::TcpExpect { expected, got }));
}

#[tokio::test]
async fn a_step_that_hears_nothing_is_a_timeout_even_if_others_did_not() {
    let (server, _) = serve_lines(b"hello\r\n", |_| String::new()).await;
    let mut check = written(
        server.address,
        r#"script = [{ expect = "hello\r\n" }, { send = "and?\r\n" }, { expect = "." }]"#,
    );
    check.timeout = HASTY;
    let finding = find(&check).await;
    assert_eq!(finding.reason, Some(Reason::Timeout { phase: Phase::FirstByte }));
    assert!(finding.phases.get(Phase::Send).is_some());
}

#[tokio::test]
async fn bytes_that_are_no_text_can_be_said_and_heard() {
    let server = serve(|mut stream| async move {
        let mut asked = [0; 4];
        stream.read_exact(&mut asked).await.unwrap();
        stream.write_all(&[0xff, 0x00, asked[3], 0x0a, 0x80]).await.unwrap();
        std::future::pending::<()>().await;
    })
    .await;
    let binary = |bytes: &str| {
        format!("script = [{{ send_hex = '00 01 02 ab' }}, {{ expect_bytes = '{bytes}' }}]")
    };
    assert_eq!(find(&written(server.address, &binary("00ab 0A 80"))).await.reason, None);
    let mut other = written(server.address, &binary("00 ac"));
    other.timeout = HASTY;
    assert_eq!(find(&other).await.reason.unwrap().name(), "tcp_expect");
}

#[tokio::test]
async fn the_short_form_means_what_it_says() {
    // Braces in it stand for themselves: nothing was captured before.
    let (server, heard) = serve_lines(b"", |line| line.to_owned()).await;
    let check = written(server.address, "send = \"{{1}}\\r\\n\"\nexpect = '^\\{\\{1\\}\\}\\r\\n'");
    assert_eq!(find(&check).await.reason, None);
    assert_eq!(*heard.lock().unwrap(), ["{{1}}\r\n"]);
}

async fn serve_peers() -> (Server, Arc<Mutex<Vec<SocketAddr>>>) {
    let peers = Arc::new(Mutex::new(Vec::new()));
    let seen = peers.clone();
    let server = serve(move |mut stream| {
        seen.lock().unwrap().push(stream.peer_addr().unwrap());
        async move { stream.write_all(b"hello").await.unwrap() }
    })
    .await;
    (server, peers)
}

#[tokio::test]
async fn a_connection_comes_from_where_it_should() {
    let (server, peers) = serve_peers().await;
    let from = async |source: &str| {
        let mut tcp = tcp(server.address, "", "hello");
        tcp.source = Some(source.parse().unwrap());
        find(&check(CheckKind::Tcp(tcp))).await
    };
    assert_eq!(from("127.0.0.77").await.reason, None);
    assert_eq!(peers.lock().unwrap()[0].ip().to_string(), "127.0.0.77");
    // What this host does not have is not held against the target: TEST-NET, and another family.
    for source in ["192.0.2.1", "::1"] {
        let finding = from(source).await;
        assert_eq!(finding.verdict, Verdict::Inconclusive, "{source}");
        assert_eq!(finding.reason.unwrap().name(), "prober_misconfigured", "{source}");
    }
    assert_eq!(peers.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn connecting_can_be_slow_on_its_own() {
    let (server, _) = serve_peers().await;
    let ask = async |limit: Span| -> Finding {
        let mut check = check(CheckKind::Tcp(tcp(server.address, "", "hello")));
        check.degraded_over_in.add(Phase::Connect, limit);
        find(&check).await
    };
    assert_eq!(ask(Span::from_secs(60)).await.reason, None);
    let finding = ask(Span::ZERO).await;
    assert_eq!(finding.verdict, Verdict::Degraded);
    let took = finding.phases.get(Phase::Connect).unwrap();
    assert_eq!(finding.reason, Some(Reason::SlowPhase { phase: Phase::Connect, took }));
}

#[tokio::test]
async fn a_byte_now_and_then_does_not_win_time() {
    let server = serve(|mut stream| async move {
        let mut every = tokio::time::interval(Duration::from_millis(20));
        loop {
            every.tick().await;
            if stream.write_all(b"x").await.is_err() {
                return;
            }
        }
    })
    .await;
    let mut check = written(server.address, "script = [{ expect = 'x' }, { expect = 'y' }]");
    check.timeout = HASTY;
    assert_eq!(find(&check).await.reason.unwrap().name(), "tcp_expect");
}
