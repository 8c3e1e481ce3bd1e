//! Servers that change over to TLS: Exim, Dovecot, PostgreSQL.

use std::net::SocketAddr;
use std::path::Path;

use farol::model::{Finding, Phase, Reason, Verdict};

use crate::asking::only;
use crate::certificates::{ALWAYS, Authority, Dates, for_days};
use crate::probing::{observe, why};
use crate::process::free_address;
use crate::servers::mail::{dovecot, exim};
use crate::servers::stores::postgres;
use crate::servers::{Papers, write_identity};

const LONG_AGO: Dates = ((2020, 1, 1), (2021, 1, 1));

/// An authority that is trusted, and a certificate for `mail.farol.test`.
struct Trust(Authority);

impl Trust {
    fn papers(&self, dir: &Path, dates: Dates) -> Papers {
        write_identity(dir, "mail", &self.0.identify("mail.farol.test", dates))
    }

    async fn ask(&self, check: &str) -> Finding {
        only(observe("", check, &[self.0.root()]).await)
    }
}

/// The two kinds of check that change over, for the right name and with the same limits.
fn both(address: SocketAddr, protocol: &str, limits: &str) -> [String; 2] {
    let start =
        format!("address = '{address}', starttls = '{protocol}', server_name = 'mail.farol.test'");
    [
        format!("tcp = {{ {start}, certificate = {limits} }}"),
        format!("tls = {{ {start}, expires_within = {limits} }}"),
    ]
}

const LIMITS: &str = "{ degraded = '21d', failed = '3d' }";

#[tokio::test]
#[ignore = "needs exim"]
async fn mail_is_sent_over_tls() {
    let trust = Trust(Authority::new());
    for (dates, reason, verdict) in [
        (ALWAYS, "pass", Verdict::Pass),
        (for_days(10), "tls_certificate_expiring", Verdict::Degraded),
        (for_days(2), "tls_certificate_expiring", Verdict::Fail),
        (LONG_AGO, "tls_certificate_expired", Verdict::Fail),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let address = free_address();
        let papers = trust.papers(dir.path(), dates);
        let exim = exim(dir.path(), address, Some(&papers));
        for check in both(address, "smtp", LIMITS) {
            let finding = trust.ask(&check).await;
            assert_eq!((&*why(&finding), finding.verdict), (reason, verdict), "{check}");
            assert!(
                finding.phases.get(Phase::Tls).is_some() || reason == "tls_certificate_expired"
            );
            assert!(finding.certificate_expires_at.is_some());
        }
        if reason != "tls_certificate_expired" {
            exim.said_until(" X=TLS1.3:");
        }
    }
}

#[tokio::test]
#[ignore = "needs exim"]
async fn a_mail_servers_words_are_read_before_and_after() {
    let trust = Trust(Authority::new());
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let papers = trust.papers(dir.path(), ALWAYS);
    let _exim = exim(dir.path(), address, Some(&papers));
    let start = format!("address = '{address}', starttls = 'smtp'");
    let words = |start: &str, send: &str, expect: &str| {
        format!("tcp = {{ {start}, send = \"{send}\\r\\n\", expect = '{expect}' }}")
    };
    let secure = format!("{start}, server_name = 'mail.farol.test'");
    let plain = format!("address = '{address}'");
    let ehlo = "EHLO probe.farol.test";
    for (start, send, expect, reason) in [
        (&secure, ehlo, "250-mail.farol.test Hello probe[\\s\\S]*250 HELP", "pass"),
        (&secure, "QUIT", "^221 mail.farol.test closing", "pass"),
        (&secure, "QUIT", "^250 ", "tcp_expect"),
        (&plain, ehlo, "250-STARTTLS", "pass"),
    ] {
        assert_eq!(why(&trust.ask(&words(start, send, expect)).await), reason, "{send} {expect}");
    }
    let mismatch = Some(Reason::TlsNameMismatch);
    assert_eq!(trust.ask(&format!("tls = {{ {start} }}")).await.reason, mismatch);
    let greets = |expect: &str| format!("tcp = {{ address = '{address}', expect = '{expect}' }}");
    assert_eq!(trust.ask(&greets("^220 mail.farol.test ESMTP Exim")).await.reason, None);
    // TLS that comes at once is another port's.
    let finding = trust.ask(&format!("tls = '{address}'")).await;
    assert_eq!(why(&finding), "tls_handshake", "{:?}", finding.reason);
}

#[tokio::test]
#[ignore = "needs exim"]
async fn a_mail_server_that_offers_no_tls_fails() {
    let trust = Trust(Authority::new());
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let exim = exim(dir.path(), address, None);
    for check in both(address, "smtp", LIMITS) {
        let finding = trust.ask(&check).await;
        assert_eq!((&*why(&finding), finding.verdict), ("starttls_refused", Verdict::Fail));
    }
    exim.said_until("SMTP connection from [127.0.0.1]");
}

#[tokio::test]
#[ignore = "needs dovecot"]
async fn mail_is_read_over_tls() {
    let trust = Trust(Authority::new());
    for (dates, reason) in [(ALWAYS, "pass"), (for_days(2), "tls_certificate_expiring")] {
        let dir = tempfile::tempdir().unwrap();
        let address = free_address();
        let papers = trust.papers(dir.path(), dates);
        let dovecot = dovecot(dir.path(), address, &papers);
        for check in both(address, "imap", LIMITS) {
            assert_eq!(why(&trust.ask(&check).await), reason, "{check}\n{}", dovecot.said());
        }
        let words = format!(
            "tcp = {{ address = '{address}', starttls = 'imap', server_name = 'mail.farol.test', \
             send = \"a CAPABILITY\\r\\n\", expect = 'IMAP4rev1[\\s\\S]*a OK' }}"
        );
        assert_eq!(trust.ask(&words).await.reason, None);
        dovecot.said_until("TLS: Connection closed");
    }
}

#[tokio::test]
#[ignore = "needs postgresql"]
async fn a_database_is_asked_over_tls_or_refuses() {
    let trust = Trust(Authority::new());
    for (dates, reason) in [
        (Some(ALWAYS), "pass"),
        (Some(for_days(2)), "tls_certificate_expiring"),
        (None, "starttls_refused"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let address = free_address();
        let papers = dates.map(|dates| trust.papers(dir.path(), dates));
        let postgres = postgres(dir.path(), address, papers.as_ref());
        for check in both(address, "postgres", LIMITS) {
            assert_eq!(why(&trust.ask(&check).await), reason, "{check}\n{}", postgres.said());
        }
        postgres.said_until("connection received: host=127.0.0.1");
    }
}
