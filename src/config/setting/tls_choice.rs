//! Words from fixed lists that are about TLS: versions, cipher suites, protocols that change over.

use rustls::{CipherSuite, ProtocolVersion};
use serde_json::Value;

use super::super::plan::tcp::{StapleWanted, Starttls};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::choice::{choose, word_schema};

const STARTTLS: [(&str, Starttls); 6] = [
    ("smtp", Starttls::Smtp),
    ("imap", Starttls::Imap),
    ("pop3", Starttls::Pop3),
    ("ldap", Starttls::Ldap),
    ("xmpp", Starttls::Xmpp),
    ("postgres", Starttls::Postgres),
];

impl Setting for Starttls {
    const EXPECTED: &'static str = "a protocol such as \"smtp\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a protocol that changes over to TLS", &STARTTLS, problems)
    }

    fn schema() -> Value {
        word_schema(&STARTTLS)
    }
}

/// Older versions are spoken by none of ours: a server that has only these fails the handshake.
const VERSIONS: [(&str, ProtocolVersion); 2] =
    [("1.2", ProtocolVersion::TLSv1_2), ("1.3", ProtocolVersion::TLSv1_3)];

impl Setting for ProtocolVersion {
    const EXPECTED: &'static str = "\"1.2\" or \"1.3\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a version of TLS that farol speaks", &VERSIONS, problems)
    }

    fn schema() -> Value {
        word_schema(&VERSIONS)
    }
}

/// What we offer.
const CIPHERS: [(&str, CipherSuite); 9] = [
    ("TLS_AES_256_GCM_SHA384", CipherSuite::TLS13_AES_256_GCM_SHA384),
    ("TLS_AES_128_GCM_SHA256", CipherSuite::TLS13_AES_128_GCM_SHA256),
    ("TLS_CHACHA20_POLY1305_SHA256", CipherSuite::TLS13_CHACHA20_POLY1305_SHA256),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    ),
    (
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
    ("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384),
    ("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256),
    (
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        CipherSuite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ),
];

impl Setting for CipherSuite {
    const EXPECTED: &'static str = "a cipher suite such as \"TLS_AES_256_GCM_SHA384\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a cipher suite that farol offers", &CIPHERS, problems)
    }

    fn schema() -> Value {
        word_schema(&CIPHERS)
    }
}

const STAPLE: [(&str, StapleWanted); 2] =
    [("present", StapleWanted::Present), ("absent", StapleWanted::Absent)];

impl Setting for StapleWanted {
    const EXPECTED: &'static str = "\"present\" or \"absent\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "an expectation of the OCSP staple", &STAPLE, problems)
    }

    fn schema() -> Value {
        word_schema(&STAPLE)
    }
}

#[cfg(test)]
mod tests {
    use rustls::ProtocolVersion;

    use super::super::tests::read;
    use super::{CIPHERS, Starttls};

    #[test]
    fn exactly_what_we_offer_can_be_expected() {
        let offered = rustls::crypto::ring::default_provider().cipher_suites;
        let offered: Vec<_> = offered.iter().map(|suite| suite.suite()).collect();
        assert_eq!(offered, CIPHERS.map(|(_, suite)| suite));
    }

    #[test]
    fn takes_the_words_and_no_others() {
        assert_eq!(read::<Starttls>("'smtp'"), Ok(Starttls::Smtp));
        assert_eq!(read::<ProtocolVersion>("'1.3'"), Ok(ProtocolVersion::TLSv1_3));
        assert!(read::<ProtocolVersion>("1.3").unwrap_err().starts_with("wrong_type"));
        assert!(read::<ProtocolVersion>("'1.1'").unwrap_err().starts_with("unknown_word"));
        assert!(read::<Starttls>("'ftp'").is_err());
    }
}
