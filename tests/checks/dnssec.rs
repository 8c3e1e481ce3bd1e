//! DNSSEC: zones that are signed in here, and all that can be wrong with them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use farol::clock::Clock;
use farol::config::{DnsCheck, DnsTransport, Dnssec, NameServer as Named};
use farol::model::{Phase, Reason};
use hickory_proto::dnssec::crypto::Ed25519SigningKey;
use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, DS, NSEC, RRSIG, SigInput};
use hickory_proto::dnssec::{Algorithm, DigestType, DnssecSigner, SigningKey, TBS};
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME, NS, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType, SerialNumber};
use tempfile::TempDir;

use crate::asking::{HASTY, ask, find, query};
use crate::name_server::NameServer;

const DAY: u32 = 24 * 3600;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

/// A zone's key.
pub(crate) struct Key {
    zone: Name,
    pub(crate) signer: DnssecSigner,
}

impl Key {
    pub(crate) fn new(zone: &str) -> Self {
        // A zone's key that signs its keys as well.
        Self::with_flags(zone, 257)
    }

    pub(crate) fn with_flags(zone: &str, flags: u16) -> Self {
        let pkcs8 = Ed25519SigningKey::generate_pkcs8().unwrap();
        let key = Ed25519SigningKey::from_pkcs8(&pkcs8).unwrap();
        let dnskey = DNSKEY::with_flags(flags, key.to_public_key().unwrap());
        let signer = DnssecSigner::new(dnskey, Box::new(key), name(zone), Duration::from_secs(60));
        Self { zone: name(zone), signer }
    }

    pub(crate) fn dnskey(&self) -> Record {
        let data = RData::DNSSEC(DNSSECRData::DNSKEY(self.signer.to_dnskey()));
        Record::from_rdata(self.zone.clone(), 300, data)
    }

    fn ds(&self) -> Record {
        let dnskey = self.signer.dnskey();
        let digest = dnskey.to_digest(&self.zone, DigestType::SHA256).unwrap();
        let tag = self.signer.calculate_key_tag().unwrap();
        let ds = DS::new(tag, Algorithm::ED25519, DigestType::SHA256, digest.as_ref().to_vec());
        Record::from_rdata(self.zone.clone(), 300, RData::DNSSEC(DNSSECRData::DS(ds)))
    }

    /// `records`, which are one set, and their signature, which is valid from and until so many
    /// days from now.
    pub(crate) fn sign(&self, records: &[Record], days: (i64, i64)) -> Vec<Record> {
        let first = &records[0];
        let now = Clock::start().now().as_micros() / 1_000_000;
        let at = |days: i64| {
            let secs = now + days * i64::from(DAY);
            SerialNumber::new(u32::try_from(secs & i64::from(u32::MAX)).unwrap())
        };
        let input = SigInput {
            type_covered: first.record_type(),
            algorithm: Algorithm::ED25519,
            num_labels: first.name.num_labels(),
            original_ttl: first.ttl,
            sig_expiration: at(days.1),
            sig_inception: at(days.0),
            key_tag: self.signer.calculate_key_tag().unwrap(),
            signer_name: self.zone.clone(),
        };
        let bytes = TBS::from_input(&first.name, DNSClass::IN, &input, records.iter()).unwrap();
        let signature = RRSIG::from_sig(input, self.signer.sign(&bytes).unwrap());
        let data = RData::DNSSEC(DNSSECRData::RRSIG(signature));
        let rrsig = Record::from_rdata(first.name.clone(), first.ttl, data);
        [records, &[rrsig]].concat()
    }
}

pub(crate) const VALID: (i64, i64) = (-1, 30);

/// A server of `signed.test`, of its signed child `child.signed.test` and of its unsigned child
/// `plain.signed.test`.
struct Zones {
    parent: Key,
    child: Key,
}

impl Zones {
    fn answer(&self, question: &Message) -> Message {
        let asked = question.queries[0].clone();
        let mut answer = Message::response(question.metadata.id, OpCode::Query);
        answer.add_query(asked.clone());
        let text = asked.name.to_string();
        let a = |name: &Name, last| {
            Record::from_rdata(name.clone(), 300, RData::A(A::new(192, 0, 2, last)))
        };
        let one = || vec![a(&asked.name, 1)];
        let key_of = |name: &Name| {
            if self.child.zone.zone_of(name) { &self.child } else { &self.parent }
        };
        let key = key_of(&asked.name);
        match (text.as_str(), asked.query_type) {
            ("signed.test." | "child.signed.test.", RecordType::DNSKEY) => {
                answer.add_answers(key.sign(&[key.dnskey()], VALID));
            }
            ("signed.test." | "child.signed.test." | "plain.signed.test.", RecordType::NS) => {
                let data = RData::NS(NS(name("ns.signed.test.")));
                answer.add_answer(Record::from_rdata(asked.name.clone(), 300, data));
            }
            ("child.signed.test.", RecordType::DS) => {
                answer.add_answers(self.parent.sign(&[self.child.ds()], VALID));
            }
            ("www.signed.test." | "www.child.signed.test.", RecordType::A) => {
                answer.add_answers(key.sign(&one(), VALID));
            }
            ("alias.signed.test.", RecordType::A) => {
                let target = name("www.child.signed.test.");
                let data = RData::CNAME(CNAME(target.clone()));
                let alias = Record::from_rdata(asked.name.clone(), 300, data);
                answer.add_answers(self.parent.sign(&[alias], VALID));
                answer.add_answers(self.child.sign(&[a(&target, 1)], VALID));
            }
            ("expired.signed.test.", RecordType::A) => {
                answer.add_answers(key.sign(&one(), (-30, -2)));
            }
            ("early.signed.test.", RecordType::A) => {
                answer.add_answers(key.sign(&one(), (2, 30)));
            }
            ("changed.signed.test.", RecordType::A) => {
                let mut signed = key.sign(&one(), VALID);
                signed[0] = a(&asked.name, 2);
                answer.add_answers(signed);
            }
            ("stripped.signed.test.", RecordType::A) => {
                answer.add_answers(one());
            }
            ("www.plain.signed.test.", RecordType::A) => {
                answer.add_answers(one());
            }
            ("silent.signed.test.", RecordType::A) => {
                // Signed by a zone whose keys nobody answers for.
                let other = Key::new("silent.signed.test.");
                answer.add_answers(other.sign(&one(), VALID));
            }
            _ => self.deny(&mut answer, &asked.name),
        }
        answer
    }

    /// There is no such record, or no such name.
    fn deny(&self, answer: &mut Message, asked: &Name) {
        let (parent, apex) = (&self.parent, &self.parent.zone);
        let data = SOA::new(apex.clone(), apex.clone(), 1, 1, 1, 1, 1);
        let soa = Record::from_rdata(apex.clone(), 300, RData::SOA(data));
        answer.add_authorities(parent.sign(&[soa], VALID));
        let nsec = |owner: &Name, next: &str, types: &[RecordType]| {
            let nsec = NSEC::new(name(next), types.iter().copied());
            let data = RData::DNSSEC(DNSSECRData::NSEC(nsec));
            Record::from_rdata(owner.clone(), 300, data)
        };
        let text = asked.to_string();
        if text == "nothing.plain.signed.test." {
            answer.authorities.clear();
            let data = SOA::new(apex.clone(), apex.clone(), 1, 1, 1, 1, 1);
            let unsigned = name("plain.signed.test.");
            answer.add_authority(Record::from_rdata(unsigned, 300, RData::SOA(data)));
            answer.metadata.response_code = ResponseCode::NXDomain;
            return;
        }
        let denial = if text == "plain.signed.test." {
            nsec(asked, "z.signed.test.", &[RecordType::NS, RecordType::NSEC, RecordType::RRSIG])
        } else {
            answer.metadata.response_code = ResponseCode::NXDomain;
            if text.starts_with("unproven") {
                return;
            }
            // Between the zone itself and its last name there is nothing.
            nsec(apex, "z.signed.test.", &[RecordType::SOA, RecordType::NS])
        };
        answer.add_authorities(parent.sign(&[denial], VALID));
    }
}

/// The server, and the file of the key that is trusted.
struct Rig {
    server: NameServer,
    directory: TempDir,
}

impl Rig {
    async fn start() -> Self {
        let zones =
            Zones { parent: Key::new("signed.test."), child: Key::new("child.signed.test.") };
        let directory = tempfile::tempdir().unwrap();
        let key = zones.parent.signer.dnskey();
        let line = format!("; who is trusted\nsigned.test. 300 IN DNSKEY {key}\n");
        std::fs::write(directory.path().join("keys"), line).unwrap();
        let terse = format!("signed.test. DNSKEY {key}\n");
        std::fs::write(directory.path().join("terse"), terse).unwrap();
        std::fs::write(directory.path().join("nonsense"), "signed.test. IN A\n").unwrap();
        let at = "127.0.0.1:0".parse().unwrap();
        let server = NameServer::start_with(at, move |question, at_most| {
            let text = question.queries[0].name.to_string();
            if text == "silent.signed.test." && question.queries[0].query_type != RecordType::A {
                return Vec::new();
            }
            // Signatures are only for who asks for them.
            assert!(question.edns.as_ref().is_some_and(|edns| edns.flags().dnssec_ok));
            assert!(question.metadata.checking_disabled);
            let whole = zones.answer(question).to_vec().unwrap();
            assert!(at_most.is_none() || whole.len() < 1232);
            vec![whole]
        })
        .await;
        Self { server, directory }
    }

    fn keys(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn query(&self, name: &str) -> DnsCheck {
        let mut dns = query(self.server.address, name, "A");
        dns.dnssec = Dnssec::From(self.keys("keys"));
        dns
    }

    async fn reason(&self, name: &str) -> Option<Reason> {
        find(&ask(self.query(name))).await.reason
    }
}

#[tokio::test]
async fn signatures_that_lead_to_a_trusted_key_pass() {
    let rig = Rig::start().await;
    for name in ["www.signed.test.", "www.child.signed.test.", "alias.signed.test."] {
        let finding = find(&ask(rig.query(name))).await;
        assert_eq!(finding.reason, None, "{name}");
        let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
        assert_eq!(phases, [Phase::FirstByte, Phase::Transfer]);
    }
    // Over TCP the same.
    let mut dns = rig.query("www.child.signed.test.");
    let tcp = Named { over: DnsTransport::Tcp, ..SocketAddr::into(rig.server.address) };
    dns.server = Some(tcp);
    assert_eq!(find(&ask(dns)).await.reason, None);
}

#[tokio::test]
async fn a_denial_must_be_proven_as_well() {
    let rig = Rig::start().await;
    let mut dns = rig.query("missing.signed.test.");
    dns.rcode = vec![ResponseCode::NXDomain];
    assert_eq!(find(&ask(dns)).await.reason, None);
    let mut dns = rig.query("unproven.signed.test.");
    dns.rcode = vec![ResponseCode::NXDomain];
    assert_eq!(find(&ask(dns)).await.reason.unwrap().name(), "dnssec_bogus");
    // An unsigned zone can prove nothing.
    let mut dns = rig.query("nothing.plain.signed.test.");
    dns.rcode = vec![ResponseCode::NXDomain];
    assert_eq!(find(&ask(dns)).await.reason, Some(Reason::DnssecInsecure));
}

#[tokio::test]
async fn what_is_wrong_with_signatures_is_told() {
    let rig = Rig::start().await;
    for (name, words) in [
        ("expired.signed.test.", "the signature over expired.signed.test. A expired 2d ago"),
        ("early.signed.test.", "the signature over early.signed.test. A is not valid yet"),
        ("changed.signed.test.", "no signature leads to a trusted key"),
        ("stripped.signed.test.", "no signature leads to a trusted key"),
    ] {
        let reason = rig.reason(name).await;
        assert_eq!(reason, Some(Reason::DnssecBogus { detail: words.into() }), "{name}");
    }
    assert_eq!(rig.reason("www.plain.signed.test.").await, Some(Reason::DnssecInsecure));
}

#[tokio::test]
async fn a_key_may_be_written_as_knot_prints_it() {
    let rig = Rig::start().await;
    let mut dns = rig.query("www.signed.test.");
    dns.dnssec = Dnssec::From(rig.keys("terse"));
    assert_eq!(find(&ask(dns)).await.reason, None);
}

#[tokio::test]
async fn a_key_that_is_not_trusted_is_of_no_use() {
    let rig = Rig::start().await;
    let mut dns = rig.query("www.signed.test.");
    dns.dnssec = Dnssec::FromRoot;
    assert_eq!(find(&ask(dns)).await.reason.unwrap().name(), "dnssec_bogus");
    for file in ["nowhere", "nonsense"] {
        let mut dns = rig.query("www.signed.test.");
        dns.dnssec = Dnssec::From(rig.keys(file));
        let reason = find(&ask(dns)).await.reason.unwrap();
        assert_eq!(reason.name(), "prober_misconfigured", "{reason}");
    }
}

#[tokio::test]
async fn a_proof_ends_with_the_run() {
    let rig = Rig::start().await;
    let mut check = ask(rig.query("silent.signed.test."));
    check.timeout = HASTY;
    let reason = find(&check).await.reason;
    assert_eq!(reason, Some(Reason::Timeout { phase: Phase::Transfer }));
}
