//! Answers that belong to a question, and judging alone.

use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
use hickory_proto::rr::RecordType;

use super::{Facts, Question, Record, judge};
use crate::check::judgement::Judgement;
use crate::config::DnsCheck;
use crate::model::{Phase, Reason, Span};

fn check(expect: &[&str]) -> DnsCheck {
    DnsCheck {
        name: "desk.example.".parse().unwrap(),
        record_type: RecordType::A,
        server: None,
        expect: expect.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn answered(code: ResponseCode, records: &[&str]) -> Result<Facts, Reason> {
    Ok(Facts { code, records: records.iter().map(|text| (*text).to_owned()).collect() })
}

#[test]
fn what_comes_first_in_the_rules_is_the_reason() {
    let took = Span::from_secs(2);
    let judged =
        |facts: &_, expect: &[&str]| judge(facts, &check(expect), took, Some(Span::from_secs(1)));
    let timeout = Reason::Timeout { phase: Phase::FirstByte };
    assert_eq!(judged(&Err(timeout.clone()), &[]), Judgement::fail(timeout));
    let facts = answered(ResponseCode::ServFail, &["10.0.0.1"]);
    let got = String::from("SERVFAIL");
    assert_eq!(judged(&facts, &[]), Judgement::fail(Reason::DnsRcode { got }));
    let facts = answered(ResponseCode::NoError, &[]);
    let got = String::from("no A record");
    assert_eq!(judged(&facts, &[]), Judgement::fail(Reason::DnsAnswer { got }));
    let facts = answered(ResponseCode::NoError, &["10.0.0.1", "10.0.0.2"]);
    let got = String::from("10.0.0.1, 10.0.0.2");
    assert_eq!(judged(&facts, &["10.0.0.3"]), Judgement::fail(Reason::DnsAnswer { got }));
    assert_eq!(judged(&facts, &["10.0.0.2"]), Judgement::degraded(Reason::Slow { took }));
    assert_eq!(judge(&facts, &check(&["10.0.0.2"]), took, None), Judgement::PASS);
}

#[test]
fn two_spellings_of_a_record_are_one() {
    for (one, other) in [
        ("2001:DB8:0:0::1", "2001:db8::1"),
        ("10 Mail.Example", "10  mail.example."),
        ("\"v=spf1\" \"-all\"", "v=spf1 -all"),
    ] {
        assert_eq!(Record::read(one), Record::read(other));
    }
    for (one, other) in [("10.0.0.1", "10.0.0.10"), ("10 a.example", "20 a.example")] {
        assert_ne!(Record::read(one), Record::read(other));
    }
}

#[test]
fn only_an_answer_to_this_question_is_one() {
    let question = Question::new(&check(&[])).unwrap();
    let answer = |id, queries: &[_], kind, code| {
        let mut message = Message::new(id, kind, OpCode::Query);
        message.metadata.response_code = code;
        message.add_queries(queries.to_vec());
        question.answered_by(&message.to_vec().unwrap())
    };
    let own = [question.query.clone()];
    let mut shouted = own.clone();
    shouted[0].name = "DESK.example.".parse().unwrap();
    let mut other = own.clone();
    other[0].name = "www.example.".parse().unwrap();
    let response = MessageType::Response;
    let fine = ResponseCode::NoError;
    let id = question.id;
    assert!(answer(id, &own, response, fine).unwrap().is_ok());
    assert!(answer(id, &shouted, response, fine).unwrap().is_ok());
    assert!(answer(id, &[], response, ResponseCode::FormErr).unwrap().is_ok());
    assert!(answer(id, &[], response, fine).unwrap().is_err());
    assert!(answer(id, &other, response, fine).unwrap().is_err());
    assert!(answer(id, &own, MessageType::Query, fine).unwrap().is_err());
    assert!(answer(id ^ 1, &own, response, fine).is_none());
    assert!(question.answered_by(&[]).is_none());
    assert!(question.answered_by(&id.to_be_bytes()).unwrap().is_err());
}

proptest::proptest! {
    #[test]
    fn no_packet_can_break_it(packet: Vec<u8>) {
        let question = Question::new(&check(&[])).unwrap();
        let addressed = [&question.id.to_be_bytes()[..], &packet].concat();
        proptest::prop_assert!(question.answered_by(&addressed).is_some());
    }
}
