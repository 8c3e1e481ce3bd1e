//! Judges what a name server answered. Pure.

use hickory_proto::op::ResponseCode;

use super::presentation::Spelled;
use super::{Facts, Seen};
use crate::check::judgement::{Judgement, judge_speed};
use crate::config::{DnsCheck, TtlLimits};
use crate::model::{Reason, Span};
use crate::net::resolve::rcode_name;

/// The judgement of an answer, which must be right and then quick enough.
pub(super) fn judge(
    facts: &Result<Facts, Reason>,
    dns: &DnsCheck,
    took: Span,
    degraded_over: Option<Span>,
) -> Judgement {
    match fault(facts, dns) {
        Some(reason) => Judgement::fail(reason),
        None => judge_speed(took, degraded_over),
    }
}

/// What is wrong with an answer.
///
/// 1. Without an answer nothing else counts.
/// 2. Then its code must be one of those expected,
/// 3. its signatures must be right, if they were to be looked at,
/// 4. and it must have the flags that are expected.
/// 5. If the code says that there is an answer, the records must be those expected,
/// 6. look as expected,
/// 7. and live as long as expected.
pub(super) fn fault(facts: &Result<Facts, Reason>, dns: &DnsCheck) -> Option<Reason> {
    let facts = match facts {
        Ok(facts) => facts,
        Err(reason) => return Some(reason.clone()),
    };
    if !dns.rcode.contains(&facts.code) {
        return Some(Reason::DnsRcode { got: rcode_name(facts.code) });
    }
    if let Some(Err(reason)) = &facts.proof {
        return Some(reason.clone());
    }
    for (wanted, there, flag) in [
        (dns.authoritative, facts.authoritative, "AA"),
        (dns.authenticated, facts.authenticated, "AD"),
    ] {
        if wanted && !there {
            return Some(Reason::DnsFlag { missing: flag.to_owned() });
        }
    }
    if facts.code != ResponseCode::NoError {
        return None;
    }
    if !are_expected(&facts.records, dns) || !match_patterns(&facts.records, dns) {
        return Some(Reason::DnsAnswer { got: listed(&facts.records, dns) });
    }
    out_of_bounds(&facts.records, dns.ttl)
}

/// 1. With `exactly` the two sets are equal, and both may be empty.
/// 2. Without it there must be a record.
/// 3. All of `at_least` are there,
/// 4. and nothing of `none_of`.
fn are_expected(records: &[Seen], dns: &DnsCheck) -> bool {
    let came: Vec<Spelled> = records.iter().map(|record| Spelled::read(&record.text)).collect();
    let read = |texts: &[String]| texts.iter().map(|text| Spelled::read(text)).collect::<Vec<_>>();
    let exactly = match dns.expect.exactly.as_deref().map(read) {
        Some(wanted) => {
            came.iter().all(|record| wanted.contains(record))
                && wanted.iter().all(|record| came.contains(record))
        }
        None => !came.is_empty(),
    };
    exactly
        && read(&dns.expect.at_least).iter().all(|record| came.contains(record))
        && !read(&dns.expect.none_of).iter().any(|record| came.contains(record))
}

fn match_patterns(records: &[Seen], dns: &DnsCheck) -> bool {
    let matches =
        |pattern: &regex::bytes::Regex, record: &Seen| pattern.is_match(record.text.as_bytes());
    dns.matches.any.iter().all(|pattern| records.iter().any(|record| matches(pattern, record)))
        && dns
            .matches
            .all
            .iter()
            .all(|pattern| records.iter().all(|record| matches(pattern, record)))
}

/// The first record that may be remembered for too long, or not for long enough.
fn out_of_bounds(records: &[Seen], limits: TtlLimits) -> Option<Reason> {
    let lives = |record: &Seen| Span::from_secs(record.ttl.into());
    let outside = |record: &&Seen| {
        limits.min.is_some_and(|least| lives(record) < least)
            || limits.max.is_some_and(|most| lives(record) > most)
    };
    let record = records.iter().find(outside)?;
    Some(Reason::DnsTtl { got: format!("{} of {}", lives(record), record.text) })
}

fn listed(records: &[Seen], dns: &DnsCheck) -> String {
    if records.is_empty() {
        return format!("no {} record", dns.record_type);
    }
    records.iter().map(|record| record.text.as_str()).collect::<Vec<_>>().join(", ")
}
