//! Judging alone: facts and configuration in, a verdict out.

use std::sync::Arc;

use ::http::HeaderMap;

use super::{Answer, Facts, judge};
use crate::check::judgement::Judgement;
use crate::config::{
    Addresses, ClockLimits, HttpCheck, HttpClient, HttpExpect, HttpVersion, StatusSet,
};
use crate::model::{ClockOffset, ClockSource, Phase, Reason, Span, Timestamp};

const MINUTE: i64 = 60_000_000;

fn check() -> HttpCheck {
    HttpCheck {
        certificate: None,
        url: "https://desk.example/".parse().unwrap(),
        method: http::Method::GET,
        headers: Vec::new(),
        body: None,
        max_redirects: 0,
        max_body: 1000,
        addresses: Addresses::Any,
        max_clock_skew: ClockLimits {
            degraded: Span::from_secs(5 * 60),
            failed: Span::from_secs(3600),
            jump: None,
            drift: None,
        },
        client: HttpClient::default(),
        expect: HttpExpect {
            status: StatusSet(vec![(200, 299), (418, 418)]),
            body_contains: vec!["well".into(), "done".into()],
            body_matches: vec![regex::bytes::Regex::new(r"^\d+ ").unwrap()],
            ..HttpExpect::default()
        },
    }
}

fn ahead(at_least: i64) -> Option<ClockOffset> {
    Some(ClockOffset { at_least, at_most: at_least + 1_000_000, source: ClockSource::Date })
}

fn answered(status: u16, body: &str, clock: Option<ClockOffset>) -> Facts {
    let answer = answer(status, body.as_bytes());
    let url = check().url;
    let unmet = super::expect::judge(&check().expect, &answer, &url, &|| true).err();
    Facts { answer: Ok(Arc::new(answer)), unmet, clock }
}

fn answer(status: u16, body: &[u8]) -> Answer {
    let now = Timestamp::from_secs(1_700_000_000);
    let version = HttpVersion::OneOne;
    Answer {
        status,
        version,
        headers: HeaderMap::new(),
        body: body.into(),
        sent: now,
        received: now,
    }
}

fn judged(facts: &Facts) -> Judgement {
    judge(facts, &check(), Span::from_millis(900), Some(Span::from_millis(800)))
}

#[test]
fn what_comes_first_in_the_rules_is_the_reason() {
    let year = 365 * 24 * 60 * MINUTE;
    let timeout = Reason::Timeout { phase: Phase::Transfer };
    let facts = Facts { answer: Err(timeout.clone()), unmet: None, clock: ahead(year) };
    assert_eq!(judged(&facts), Judgement::fail(timeout));

    let facts = answered(500, "nothing right", ahead(year));
    assert_eq!(judged(&facts), Judgement::fail(Reason::Status { got: 500 }));

    let facts = answered(418, "7 well", ahead(year));
    let expected = String::from("contains \"done\"");
    assert_eq!(judged(&facts), Judgement::fail(Reason::Body { expected }));

    let facts = answered(200, "well done", ahead(year));
    let expected = String::from(r"matches ^\d+ ");
    assert_eq!(judged(&facts), Judgement::fail(Reason::Body { expected }));

    let facts = answered(200, "7 well done", ahead(0));
    let took = Span::from_millis(900);
    assert_eq!(judged(&facts), Judgement::degraded(Reason::Slow { took }));
    assert_eq!(judge(&facts, &check(), took, None), Judgement::PASS);
}

#[test]
fn a_body_that_is_not_text_can_still_match() {
    let mut check = check();
    check.expect.body_contains.clear();
    check.expect.body_matches = vec![regex::bytes::Regex::new(r"(?-u)^\xff\x00").unwrap()];
    let answer = answer(200, &[255, 0, 7]);
    assert_eq!(super::expect::judge(&check.expect, &answer, &check.url, &|| true), Ok(Vec::new()));
}
