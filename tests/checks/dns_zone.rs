//! `servers = "all"`: the servers of a zone, each on its own.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

use farol::config::{DnsCheck, DnsServers};
use farol::model::{Finding, Phase, Reason, Subject, Verdict};
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, NS, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use crate::asking::{HASTY, ask, observe, query};
use crate::name_server::NameServer;

/// The servers of `zone.test`, whose names are `ns1.zone.test` and so on.
const SERVERS: [&str; 3] = ["127.0.3.1", "127.0.3.2", "127.0.3.3"];

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn soa(serial: u32) -> Record {
    let data = SOA::new(name("ns1.zone.test."), name("hostmaster.zone.test."), serial, 1, 1, 1, 1);
    Record::from_rdata(name("zone.test."), 300, RData::SOA(data))
}

/// How one server of the zone is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    /// Its copy has this serial.
    Serial(u32),
    /// It has no copy, and passes on what others say.
    Lame,
    Refuses,
    Silent,
    /// Its copy is right, but an address in it is not.
    Stray,
}

/// An authoritative server of the zone, which also knows the way to the others, `names` of them.
fn answer(question: &Message, health: Health, names: usize) -> Vec<Vec<u8>> {
    let asked = question.queries[0].clone();
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.add_query(asked.clone());
    answer.metadata.authoritative = health != Health::Lame;
    let serial = if let Health::Serial(serial) = health { serial } else { 7 };
    let text = asked.name.to_string();
    match (text.as_str(), asked.query_type) {
        _ if health == Health::Silent => return Vec::new(),
        _ if health == Health::Refuses => {
            answer.metadata.response_code = ResponseCode::Refused;
        }
        ("zone.test.", RecordType::SOA) => {
            answer.add_answer(soa(serial));
        }
        ("zone.test.", RecordType::NS) => (1..=names).for_each(|n| {
            let data = RData::NS(NS(name(&format!("ns{n}.zone.test."))));
            answer.add_answer(Record::from_rdata(name("zone.test."), 300, data));
        }),
        ("www.zone.test.", RecordType::A) => {
            let last = if health == Health::Stray { 9 } else { 1 };
            let data = RData::A(A::new(192, 0, 2, last));
            answer.add_answer(Record::from_rdata(asked.name, 300, data));
        }
        (server, RecordType::A) if server.starts_with("ns") => {
            let n: usize = server[2..3].parse().unwrap();
            match SERVERS.get(n - 1).map(|ip| ip.parse().unwrap()) {
                Some(IpAddr::V4(ip)) => {
                    answer.add_answer(Record::from_rdata(asked.name, 300, RData::A(A(ip))));
                }
                _ => answer.metadata.response_code = ResponseCode::NXDomain,
            }
        }
        (other, _) => {
            if !other.starts_with("ns") && other != "www.zone.test." {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            answer.add_authority(soa(serial));
        }
    }
    vec![answer.to_vec().unwrap()]
}

/// The three servers on one port, and a fourth that knows about them.
struct Zone {
    port: u16,
    guide: NameServer,
    _servers: Vec<NameServer>,
}

impl Zone {
    async fn start(healths: [Health; 3], names: usize) -> Self {
        let mut servers: Vec<NameServer> = Vec::new();
        let mut port = 0;
        for (ip, health) in SERVERS.iter().zip(healths) {
            let at = SocketAddr::new(ip.parse().unwrap(), port);
            let server =
                NameServer::start_with(at, move |question, _| answer(question, health, names))
                    .await;
            port = server.address.port();
            servers.push(server);
        }
        let at = "127.0.0.1:0".parse().unwrap();
        let guide = NameServer::start_with(at, move |question, _| {
            answer(question, Health::Serial(1), names)
        })
        .await;
        Self { port, guide, _servers: servers }
    }

    fn query(&self, name: &str, record_type: &str) -> DnsCheck {
        let mut dns = query(self.guide.address, name, record_type);
        dns.servers = DnsServers::All { port: self.port, max_serial_lag: 0 };
        dns
    }
}

async fn findings(dns: DnsCheck) -> Vec<Finding> {
    observe(&ask(dns)).await.findings
}

/// What is wrong with each.
fn faults(findings: &[Finding]) -> Vec<Option<Reason>> {
    findings.iter().map(|finding| finding.reason.clone()).collect()
}

#[tokio::test]
async fn every_server_is_a_finding_of_its_own() {
    let zone = Zone::start([Health::Serial(7); 3], 3).await;
    // The zone itself, a name in it, and one that is not there.
    let mut denied = zone.query("nobody.zone.test.", "A");
    denied.rcode = vec![ResponseCode::NXDomain];
    for dns in [zone.query("zone.test.", "SOA"), zone.query("www.zone.test.", "A"), denied] {
        let findings = findings(dns).await;
        assert_eq!(faults(&findings), [None, None, None]);
        let subjects: Vec<Subject> = findings.iter().map(|finding| finding.subject).collect();
        assert_eq!(subjects, SERVERS.map(|ip| Subject::Address(ip.parse().unwrap())));
        for finding in findings {
            let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
            assert_eq!(phases, [Phase::Resolve, Phase::FirstByte]);
        }
    }
}

#[tokio::test]
async fn an_old_copy_is_told_from_the_others() {
    let zone = Zone::start([Health::Serial(9), Health::Serial(6), Health::Serial(9)], 3).await;
    let old = Reason::DnsSerial { got: 6, newest: 9 };
    let mut dns = zone.query("www.zone.test.", "A");
    assert_eq!(faults(&findings(dns.clone()).await), [None, Some(old), None]);
    dns.servers = DnsServers::All { port: zone.port, max_serial_lag: 3 };
    assert_eq!(faults(&findings(dns).await), [None, None, None]);
}

#[tokio::test]
async fn servers_are_wrong_each_in_its_way() {
    let zone = Zone::start([Health::Lame, Health::Refuses, Health::Stray], 3).await;
    let mut dns = zone.query("www.zone.test.", "A");
    dns.expect.at_least = vec!["192.0.2.1".to_owned()];
    let faults = faults(&findings(dns).await);
    assert_eq!(
        faults,
        [
            Some(Reason::DnsFlag { missing: "AA".into() }),
            Some(Reason::DnsRcode { got: "REFUSED".into() }),
            Some(Reason::DnsAnswer { got: "192.0.2.9".into() }),
        ]
    );
    let zone = Zone::start([Health::Silent, Health::Serial(7), Health::Serial(7)], 3).await;
    let mut check = ask(zone.query("www.zone.test.", "A"));
    check.timeout = HASTY;
    let findings = observe(&check).await.findings;
    let silence = Reason::Timeout { phase: Phase::FirstByte };
    assert_eq!(self::faults(&findings), [Some(silence), None, None]);
}

#[tokio::test]
async fn a_server_without_an_address_degrades_the_whole() {
    let zone = Zone::start([Health::Serial(7); 3], 4).await;
    let findings = findings(zone.query("zone.test.", "SOA")).await;
    assert_eq!(findings.len(), 4);
    assert_eq!(findings[0].subject, Subject::Whole);
    assert_eq!(findings[0].verdict, Verdict::Degraded);
    let Some(Reason::DnsDelegation { detail }) = &findings[0].reason else { panic!() };
    assert!(detail.starts_with("ns4.zone.test.: "), "{detail}");
    assert_eq!(faults(&findings[1..]), [None, None, None]);
}

#[tokio::test]
async fn fewer_addresses_than_there_should_be_degrade_the_whole() {
    let zone = Zone::start([Health::Serial(7); 3], 2).await;
    let mut check = ask(zone.query("zone.test.", "SOA"));
    check.min_addresses = NonZeroU32::new(3);
    let findings = observe(&check).await.findings;
    assert_eq!(findings[0].subject, Subject::Whole);
    let few = Some(Reason::TooFewAddresses { found: 2, least: 3 });
    assert_eq!(faults(&findings), [few, None, None]);
}

#[tokio::test]
async fn a_zone_that_cannot_be_found_is_a_finding_about_the_whole() {
    let zone = Zone::start([Health::Serial(7); 3], 0).await;
    let nowhere = findings(zone.query("zone.test.", "SOA")).await;
    assert_eq!(nowhere.len(), 1);
    assert_eq!(nowhere[0].subject, Subject::Whole);
    assert_eq!(nowhere[0].reason.as_ref().unwrap().name(), "dns_delegation");
    // Who knows the way does not answer.
    let nobody = crate::servers::Nobody::new();
    let mut dns = zone.query("zone.test.", "SOA");
    dns.server = Some(nobody.address.into());
    let lost = findings(dns).await;
    assert_eq!(lost[0].reason.as_ref().unwrap().name(), "resolve_failed");
}
