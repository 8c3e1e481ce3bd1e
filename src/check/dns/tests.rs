//! Judging alone, and which records of a message count.

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, CNAME};
use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::judge::judge;
use super::{Facts, Seen, records};
use crate::check::judgement::Judgement;
use crate::config::{DnsCheck, DnsExpect, DnsMatches, DnsServers, Dnssec, TtlLimits};
use crate::model::{Phase, Reason, Span};

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn check(at_least: &[&str]) -> DnsCheck {
    DnsCheck {
        name: "desk.example.".parse().unwrap(),
        record_type: RecordType::A,
        server: None,
        servers: DnsServers::One,
        rcode: vec![ResponseCode::NoError],
        expect: DnsExpect { at_least: owned(at_least), ..DnsExpect::default() },
        matches: DnsMatches::default(),
        ttl: TtlLimits::default(),
        authoritative: false,
        authenticated: false,
        recursion_desired: true,
        dnssec: Dnssec::Off,
    }
}

fn facts(code: ResponseCode, records: &[&str]) -> Facts {
    let seen = |text: &String| Seen { text: text.clone(), ttl: 300 };
    Facts {
        code,
        authoritative: false,
        authenticated: false,
        records: owned(records).iter().map(seen).collect(),
        proof: None,
    }
}

fn answered(records: &[&str]) -> Facts {
    facts(ResponseCode::NoError, records)
}

/// The name of what is wrong with `facts`.
fn fault(facts: Facts, dns: &DnsCheck) -> Option<&'static str> {
    super::judge::fault(&Ok(facts), dns).map(|reason| reason.name())
}

#[test]
fn what_comes_first_in_the_rules_is_the_reason() {
    let took = Span::from_secs(2);
    let judged = |facts: Result<Facts, Reason>, expect: &[&str]| {
        judge(&facts, &check(expect), took, Some(Span::from_secs(1)))
    };
    let timeout = Reason::Timeout { phase: Phase::FirstByte };
    assert_eq!(judged(Err(timeout.clone()), &[]), Judgement::fail(timeout));
    let got = String::from("SERVFAIL");
    let broken = Ok(facts(ResponseCode::ServFail, &["10.0.0.1"]));
    assert_eq!(judged(broken, &[]), Judgement::fail(Reason::DnsRcode { got }));
    let got = String::from("no A record");
    assert_eq!(judged(Ok(answered(&[])), &[]), Judgement::fail(Reason::DnsAnswer { got }));
    let facts = Ok(answered(&["10.0.0.1", "10.0.0.2"]));
    let got = String::from("10.0.0.1, 10.0.0.2");
    let reason = Reason::DnsAnswer { got };
    assert_eq!(judged(facts.clone(), &["10.0.0.3"]), Judgement::fail(reason));
    assert_eq!(judged(facts.clone(), &["10.0.0.2"]), Judgement::degraded(Reason::Slow { took }));
    assert_eq!(judge(&facts, &check(&["10.0.0.2"]), took, None), Judgement::PASS);
}

#[test]
fn sets_of_records() {
    let mut dns = check(&[]);
    let three = || answered(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    dns.expect.exactly = Some(owned(&["10.0.0.3", "10.0.0.2", "10.0.0.1"]));
    assert_eq!(fault(three(), &dns), None);
    dns.expect.exactly = Some(owned(&["10.0.0.3", "10.0.0.2"]));
    assert_eq!(fault(three(), &dns), Some("dns_answer"));
    dns.expect.exactly = Some(owned(&["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"]));
    assert_eq!(fault(three(), &dns), Some("dns_answer"));
    // Nothing, and nothing else.
    dns.expect.exactly = Some(Vec::new());
    assert_eq!(fault(answered(&[]), &dns), None);
    assert_eq!(fault(three(), &dns), Some("dns_answer"));
    dns.expect.exactly = None;
    dns.expect.none_of = owned(&["10.0.0.9"]);
    assert_eq!(fault(three(), &dns), None);
    assert_eq!(fault(answered(&["10.0.0.9"]), &dns), Some("dns_answer"));
    assert_eq!(fault(answered(&[]), &dns), Some("dns_answer"));
}

#[test]
fn patterns_of_records() {
    let patterns = |texts: &[&str]| {
        texts.iter().map(|text| regex::bytes::Regex::new(text).unwrap()).collect::<Vec<_>>()
    };
    let mut dns = check(&[]);
    let two = || answered(&["10 mx1.example.", "20 mx2.example."]);
    for (any, all, passes) in [
        (&["^10 ", "^20 "][..], &[r"\.example\.$"][..], true),
        (&["^10 ", "^30 "], &[], false),
        (&[], &["^10 "], false),
    ] {
        dns.matches = DnsMatches { any: patterns(any), all: patterns(all) };
        assert_eq!(fault(two(), &dns).is_none(), passes, "{any:?} {all:?}");
    }
}

#[test]
fn lifetimes_and_flags() {
    let mut dns = check(&[]);
    let span = |secs| Some(Span::from_secs(secs));
    for (min, max, fault_of) in [
        (span(300), span(300), None),
        (span(301), None, Some("dns_ttl")),
        (None, span(299), Some("dns_ttl")),
    ] {
        dns.ttl = TtlLimits { min, max };
        assert_eq!(fault(answered(&["10.0.0.1"]), &dns), fault_of);
    }
    dns.ttl = TtlLimits::default();
    dns.authoritative = true;
    dns.authenticated = true;
    let mut facts = answered(&["10.0.0.1"]);
    let missing = |facts: &Facts, dns| super::judge::fault(&Ok(facts.clone()), dns);
    let flag = |flag: &str| Some(Reason::DnsFlag { missing: flag.to_owned() });
    assert_eq!(missing(&facts, &dns), flag("AA"));
    facts.authoritative = true;
    assert_eq!(missing(&facts, &dns), flag("AD"));
    facts.authenticated = true;
    assert_eq!(missing(&facts, &dns), None);
    facts.proof = Some(Err(Reason::DnssecInsecure));
    assert_eq!(missing(&facts, &dns), Some(Reason::DnssecInsecure));
}

#[test]
fn a_denial_that_is_expected_needs_no_records() {
    let mut dns = check(&["10.0.0.1"]);
    dns.rcode = vec![ResponseCode::NXDomain];
    assert_eq!(fault(facts(ResponseCode::NXDomain, &[]), &dns), None);
    assert_eq!(fault(answered(&["10.0.0.1"]), &dns), Some("dns_rcode"));
}

#[test]
fn only_records_at_the_end_of_the_aliases_count() {
    let name = |text: &str| -> Name { text.parse().unwrap() };
    let a = |owner, last| Record::from_rdata(name(owner), 60, RData::A(A::new(10, 0, 0, last)));
    let mut answer = Message::response(1, OpCode::Query);
    answer.add_answer(Record::from_rdata(name("a."), 60, RData::CNAME(CNAME(name("b.")))));
    answer.add_answers([a("b.", 1), a("c.", 2)]);
    let texts = |asked, record_type| -> Vec<String> {
        let found = records(&answer, &name(asked), record_type).unwrap();
        found.into_iter().map(|record| record.text).collect()
    };
    assert_eq!(texts("a.", RecordType::A), ["10.0.0.1"]);
    assert_eq!(texts("b.", RecordType::A), ["10.0.0.1"]);
    assert_eq!(texts("a.", RecordType::CNAME), ["b."]);
    assert_eq!(texts("a.", RecordType::ANY), ["b."]);
    assert_eq!(texts("d.", RecordType::A), Vec::<String>::new());
}
