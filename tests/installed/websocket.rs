//! The `websocket` check against Python's websockets.

use farol::model::{Finding, Phase, Reason, Verdict};

use crate::asking::only;
use crate::certificates::{ALWAYS, Authority};
use crate::probing::{ask, observe, why};
use crate::process::free_address;
use crate::servers::echo::echo;
use crate::servers::write_identity;

/// Says something, and repeats a part of what comes back.
const SCRIPT: &str = "script = [{ send = 'ticket 4711' }, { expect = '^ticket (?<number>\\d+)$' }, \
                      { send = 'again {{number}}' }, { expect = '^again 4711$' }]";

fn phases(finding: &Finding) -> Vec<Phase> {
    finding.phases.iter().map(|(phase, _)| phase).collect()
}

#[tokio::test]
#[ignore = "needs python3-websockets"]
async fn what_is_said_comes_back_until_the_server_stops() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let server = echo(dir.path(), address, None);
    let check = |options: &str| {
        format!("websocket = {{ url = 'ws://{address}/live', expect_timeout = '2s', {options} }}")
    };
    let finding = ask(&check(SCRIPT)).await;
    assert_eq!(finding.reason, None, "{}", server.said());
    let measured = [Phase::Connect, Phase::Send, Phase::FirstByte, Phase::Transfer];
    assert_eq!(phases(&finding), measured);

    let finding = ask(&check("send = 'ping', expect = '^pong$'")).await;
    let reason = Reason::WebsocketExpect { expected: "^pong$".to_owned(), got: "ping".to_owned() };
    assert_eq!((finding.reason, finding.verdict), (Some(reason), Verdict::Fail));
    for (subprotocols, reason) in [("'chat'", "pass"), ("'talk'", "websocket_subprotocol")] {
        let finding = ask(&check(&format!("subprotocols = [{subprotocols}]"))).await;
        assert_eq!(why(&finding), reason, "{:?}", finding.reason);
    }

    drop(server);
    let finding = ask(&check(SCRIPT)).await;
    assert_eq!((finding.reason, finding.verdict), (Some(Reason::ConnectRefused), Verdict::Fail));
}

#[tokio::test]
#[ignore = "needs python3-websockets"]
async fn what_is_said_comes_back_over_tls() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let papers = write_identity(dir.path(), "echo", &authority.identify("127.0.0.1", ALWAYS));
    let server = echo(dir.path(), address, Some(&papers));
    let check = format!("websocket = {{ url = 'wss://{address}/live', {SCRIPT} }}");
    let finding = only(observe("", &check, &[authority.root()]).await);
    assert_eq!(finding.reason, None, "{}", server.said());
    assert!(finding.tls.is_some() && phases(&finding).contains(&Phase::Tls));
    assert_eq!(why(&ask(&check).await), "tls_untrusted");
}
