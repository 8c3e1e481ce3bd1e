//! DNSSEC in a zone that no other one knows of: the keys in a file are all that vouches for it.

use farol::config::{DnsCheck, Dnssec};
use farol::model::Reason;
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use tempfile::TempDir;

use crate::asking::{ask, find, query};
use crate::dnssec::{Key, VALID};
use crate::name_server::NameServer;

/// The server of `inner.test.`, where one key signs the keys and another all else, and the file
/// with the first.
struct Private {
    server: NameServer,
    directory: TempDir,
}

/// From when until when a key's signature over the keys is valid, in days.
type Days = (i64, i64);

impl Private {
    /// A server whose keys are signed by the trusted one, or by another.
    async fn start(trusted: bool, days: Days) -> Self {
        let [keys, rest, other] =
            [257, 256, 257].map(|flags| Key::with_flags("inner.test.", flags));
        let directory = tempfile::tempdir().unwrap();
        let line = format!("inner.test. DNSKEY {}\n", keys.signer.dnskey());
        std::fs::write(directory.path().join("keys"), line).unwrap();
        let at = "127.0.0.1:0".parse().unwrap();
        let server = NameServer::start_with(at, move |question, _| {
            let asked = &question.queries[0];
            let mut answer = Message::response(question.metadata.id, OpCode::Query);
            answer.add_query(asked.clone());
            let record =
                Record::from_rdata(asked.name.clone(), 300, RData::A(A::new(127, 0, 0, 1)));
            match (asked.name.to_string().as_str(), asked.query_type) {
                ("inner.test.", RecordType::DNSKEY) => {
                    let signs = if trusted { &keys } else { &other };
                    answer.add_answers(signs.sign(&[keys.dnskey(), rest.dnskey()], days));
                }
                ("www.inner.test.", RecordType::A) => {
                    answer.add_answers(rest.sign(&[record], VALID));
                }
                ("forged.inner.test.", RecordType::A) => {
                    answer.add_answers(other.sign(&[record], VALID));
                }
                // As a server does that has this zone alone.
                _ => answer.metadata.response_code = ResponseCode::Refused,
            }
            vec![answer.to_vec().unwrap()]
        })
        .await;
        Self { server, directory }
    }

    async fn reason(&self, name: &str) -> Option<Reason> {
        let mut dns: DnsCheck = query(self.server.address, name, "A");
        dns.dnssec = Dnssec::From(self.directory.path().join("keys"));
        find(&ask(dns)).await.reason
    }
}

fn bogus(words: &str) -> Option<Reason> {
    Some(Reason::DnssecBogus { detail: words.into() })
}

#[tokio::test]
async fn a_key_that_is_trusted_vouches_for_the_zones_others() {
    let zone = Private::start(true, VALID).await;
    assert_eq!(zone.reason("www.inner.test.").await, None);
    let reason = zone.reason("forged.inner.test.").await;
    assert_eq!(reason, bogus("no signature leads to a trusted key"));
}

#[tokio::test]
async fn keys_that_nobody_trusted_has_signed_are_of_no_use() {
    let zone = Private::start(false, VALID).await;
    assert!(matches!(zone.reason("www.inner.test.").await, Some(Reason::DnssecBogus { .. })));
    let zone = Private::start(true, (-30, -2)).await;
    let words = "the signature over inner.test. DNSKEY expired 2d ago";
    assert_eq!(zone.reason("www.inner.test.").await, bogus(words));
}
