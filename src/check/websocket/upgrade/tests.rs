//! Answers to an upgrade, good and bad.

use http::Response;

use super::judge;

/// The name of the reason that an answer with these headers gets.
fn judged(status: u16, headers: &[(&str, &str)], offered: &[&str]) -> Option<&'static str> {
    let mut answer = Response::builder().status(status);
    for (name, value) in headers {
        answer = answer.header(*name, *value);
    }
    let offered: Vec<String> = offered.iter().map(|one| (*one).to_owned()).collect();
    let (head, ()) = answer.body(()).unwrap().into_parts();
    judge(&head, "the key", &offered).err().map(|reason| reason.name())
}

const UPGRADE: (&str, &str) = ("upgrade", "websocket");
const CONNECTION: (&str, &str) = ("connection", "Upgrade");
const ACCEPT: (&str, &str) = ("sec-websocket-accept", "the key");
const CHAT: (&str, &str) = ("sec-websocket-protocol", "chat");

#[test]
fn what_is_an_upgrade() {
    assert_eq!(judged(101, &[UPGRADE, CONNECTION, ACCEPT], &[]), None);
    assert_eq!(judged(101, &[UPGRADE, CONNECTION, ACCEPT, CHAT], &["talk", "chat"]), None);
    // Proxies add words and change cases.
    let others = [("upgrade", "WebSocket"), ("connection", "keep-alive, upgrade"), ACCEPT];
    assert_eq!(judged(101, &others, &[]), None);
}

#[test]
fn what_is_none() {
    let (malformed, subprotocol) = (Some("malformed_answer"), Some("websocket_subprotocol"));
    for status in [200, 204, 301, 426, 503] {
        assert_eq!(judged(status, &[UPGRADE, CONNECTION, ACCEPT], &[]), Some("status"));
    }
    assert_eq!(judged(101, &[CONNECTION, ACCEPT], &[]), malformed);
    assert_eq!(judged(101, &[("upgrade", "h2c"), CONNECTION, ACCEPT], &[]), malformed);
    assert_eq!(judged(101, &[UPGRADE, ACCEPT], &[]), malformed);
    assert_eq!(judged(101, &[UPGRADE, ("connection", "close"), ACCEPT], &[]), malformed);
    assert_eq!(judged(101, &[UPGRADE, CONNECTION], &[]), malformed);
    assert_eq!(judged(101, &[UPGRADE, CONNECTION, ACCEPT, ACCEPT], &[]), malformed);
    let other = ("sec-websocket-accept", "another key");
    assert_eq!(judged(101, &[UPGRADE, CONNECTION, other], &[]), malformed);
    let deflate = ("sec-websocket-extensions", "permessage-deflate");
    assert_eq!(judged(101, &[UPGRADE, CONNECTION, ACCEPT, deflate], &[]), malformed);
    let good = [UPGRADE, CONNECTION, ACCEPT];
    assert_eq!(judged(101, &good, &["talk"]), subprotocol);
    let chat = [UPGRADE, CONNECTION, ACCEPT, CHAT];
    assert_eq!(judged(101, &chat, &["talk"]), subprotocol);
    assert_eq!(judged(101, &chat, &[]), subprotocol);
    assert_eq!(judged(101, &chat, &["Chat"]), subprotocol);
    assert_eq!(judged(101, &[UPGRADE, CONNECTION, ACCEPT, CHAT, CHAT], &["chat"]), subprotocol);
}
