//! Changing over to TLS in the words of each protocol, with servers that do as they should and
//! with those that do not.

use farol::config::{CheckKind, Secrets, Security, Starttls, Step, TcpCheck};
use farol::model::{Finding, Phase, Reason, Verdict};
use regex::bytes::Regex;

use crate::asking::{PATIENT, check, observe_with, only, tcp};
use crate::authority::{ALWAYS, Authority, FAR};
use crate::servers::Server;
use crate::starttls_servers::{HELLO, Manner, serve_starttls};
use crate::tls_check::tls;

const EVERY: [Starttls; 6] = [
    Starttls::Smtp,
    Starttls::Imap,
    Starttls::Pop3,
    Starttls::Ldap,
    Starttls::Xmpp,
    Starttls::Postgres,
];

/// A check that changes over, and then waits for what the servers say over TLS.
fn change_over(server: &Server, protocol: Starttls) -> TcpCheck {
    let mut tcp = tcp(server.address, "", &format!("^{HELLO}"));
    tcp.security = Security::Starttls(protocol);
    tcp
}

async fn ask(
    server: &Server,
    protocol: Starttls,
    authority: Option<&Authority>,
    timeout: farol::model::Span,
) -> Finding {
    let mut check = check(CheckKind::Tcp(change_over(server, protocol)));
    check.timeout = timeout;
    let roots: Vec<_> = authority.map(Authority::root).into_iter().collect();
    only(observe_with(&check, Secrets::default(), &roots).await)
}

#[tokio::test]
async fn every_protocol_changes_over() {
    let authority = Authority::new();
    for protocol in EVERY {
        let acceptor = authority.identify("127.0.0.1", ALWAYS).acceptor();
        let server = serve_starttls(protocol, Manner::Willing, acceptor).await;
        let finding = ask(&server, protocol, Some(&authority), PATIENT).await;
        assert_eq!(finding.reason, None, "{protocol:?}");
        assert_eq!(finding.certificate_expires_at, Some(FAR), "{protocol:?}");
        assert!(finding.phases.get(Phase::Tls).is_some());
        // The check of TLS alone goes the same way.
        let mut alone = tls(server.address);
        alone.starttls = Some(protocol);
        let check = check(CheckKind::Tls(alone));
        let finding = only(observe_with(&check, Secrets::default(), &[authority.root()]).await);
        assert_eq!(finding.reason, None, "{protocol:?}");
    }
}

#[tokio::test]
async fn certificates_are_verified_after_changing_over() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for protocol in EVERY {
        let acceptor = stranger.identify("127.0.0.1", ALWAYS).acceptor();
        let server = serve_starttls(protocol, Manner::Willing, acceptor).await;
        let finding = ask(&server, protocol, Some(&authority), PATIENT).await;
        assert_eq!(finding.reason.unwrap().name(), "tls_untrusted", "{protocol:?}");
    }
}

#[tokio::test]
async fn a_no_is_told_apart_from_everything_else() {
    let authority = Authority::new();
    for (manner, words) in [
        (
            Manner::Unwilling,
            ["454 4.7.0", "a1 NO", "-ERR unknown", "result 2: no TLS", "<failure", "N"],
        ),
        (
            Manner::Silent,
            ["SIZE 1000, HELP", "* PREAUTH", "-ERR unknown", "result 2: no TLS", "<bind", "N"],
        ),
    ] {
        for (protocol, words) in EVERY.into_iter().zip(words) {
            let acceptor = authority.identify("127.0.0.1", ALWAYS).acceptor();
            let server = serve_starttls(protocol, manner, acceptor).await;
            let finding = ask(&server, protocol, Some(&authority), PATIENT).await;
            assert_eq!(finding.verdict, Verdict::Fail);
            let Some(Reason::StarttlsRefused { got }) = finding.reason else {
                panic!("{protocol:?} {manner:?}: {:?}", finding.reason)
            };
            assert!(got.contains(words), "{protocol:?} {manner:?}: {got}");
            assert_eq!(finding.phases.get(Phase::Tls), None);
        }
    }
}

#[tokio::test]
async fn a_server_that_goes_on_in_plain_is_not_believed() {
    let authority = Authority::new();
    for protocol in EVERY {
        for manner in [Manner::Plain, Manner::Injecting] {
            let acceptor = authority.identify("127.0.0.1", ALWAYS).acceptor();
            let server = serve_starttls(protocol, manner, acceptor).await;
            let finding = ask(&server, protocol, Some(&authority), PATIENT).await;
            let name = finding.reason.unwrap().name();
            // Whether the words are there before we shake hands or after is up to the network.
            let expected: &[&str] = if manner == Manner::Injecting {
                &["malformed_answer"]
            } else {
                &["malformed_answer", "tls_handshake"]
            };
            assert!(expected.contains(&name), "{protocol:?} {manner:?}: {name}");
        }
    }
}

#[tokio::test]
async fn a_script_can_change_over_by_itself() {
    let authority = Authority::new();
    let acceptor = authority.identify("127.0.0.1", ALWAYS).acceptor();
    let server = serve_starttls(Starttls::Pop3, Manner::Willing, acceptor).await;
    let mut script = tcp(server.address, "", "^\\+OK .*\r\n");
    let stls = farol::config::Piece::Bytes(b"STLS\r\n"[..].into());
    script.script.extend([
        Step::Send(vec![stls]),
        Step::Expect(Regex::new("^\\+OK begin\r\n").unwrap()),
        Step::Starttls,
        Step::Expect(Regex::new(HELLO).unwrap()),
    ]);
    let check = check(CheckKind::Tcp(script));
    let finding = only(observe_with(&check, Secrets::default(), &[authority.root()]).await);
    assert_eq!(finding.reason, None);
    assert_eq!(finding.certificate_expires_at, Some(FAR));
}
