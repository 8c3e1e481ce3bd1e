//! Words from a fixed list: statuses, methods, types of records.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use http::Method;
use serde_json::{Value, json};

use super::super::mistake::{Mistake, list, shorten};
use super::super::plan::expect::TimeFormat;
use super::super::plan::{Addresses, Family, HttpVersion};
use super::super::problem::Problems;
use super::super::reader::{Node, Setting};
use super::super::suggest::nearest;
use crate::model::{ComponentStatus, Language};

/// Reads one of `words`, each with its meaning, for the setting `S`.
pub(in super::super) fn choose<S: Setting, T: Clone>(
    node: &Node<'_>,
    what: &'static str,
    words: &[(&'static str, T)],
    problems: &mut Problems<'_>,
) -> Option<T> {
    let got = S::text(node, problems)?;
    let found = words.iter().find(|(word, _)| *word == got);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let help = match nearest(&got, known.iter().copied()) {
            Some(near) => format!("did you mean \"{near}\"? Known here: {}", list(&known)),
            None => format!("known here: {}", list(&known)),
        };
        let mistake = Mistake::UnknownWord { got: shorten(&got), what, help };
        problems.report(node.span(), mistake);
    }
    found.map(|(_, meaning)| meaning.clone())
}

pub(in super::super) fn word_schema<T>(words: &[(&'static str, T)]) -> Value {
    json!({ "enum": words.iter().map(|(word, _)| *word).collect::<Vec<_>>() })
}

const ADDRESSES: [(&str, Addresses); 2] = [("any", Addresses::Any), ("all", Addresses::All)];

impl Setting for Addresses {
    const EXPECTED: &'static str = "\"any\" or \"all\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a choice of addresses", &ADDRESSES, problems)
    }

    fn schema() -> Value {
        word_schema(&ADDRESSES)
    }
}

const VERSIONS: [(&str, HttpVersion); 3] = [
    (HttpVersion::OneZero.as_str(), HttpVersion::OneZero),
    (HttpVersion::OneOne.as_str(), HttpVersion::OneOne),
    (HttpVersion::Two.as_str(), HttpVersion::Two),
];

impl Setting for HttpVersion {
    const EXPECTED: &'static str = "a version such as \"1.1\" or \"2\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a version of HTTP", &VERSIONS, problems)
    }

    fn schema() -> Value {
        word_schema(&VERSIONS)
    }
}

const LANGUAGES: [(&str, Language); 4] = [
    (Language::English.as_str(), Language::English),
    (Language::Portuguese.as_str(), Language::Portuguese),
    (Language::Spanish.as_str(), Language::Spanish),
    (Language::French.as_str(), Language::French),
];

impl Setting for Language {
    const EXPECTED: &'static str = "a language such as \"en\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a language that is spoken here", &LANGUAGES, problems)
    }

    fn schema() -> Value {
        word_schema(&LANGUAGES)
    }
}

const FAMILIES: [(&str, Family); 2] = [("ipv4", Family::Ipv4), ("ipv6", Family::Ipv6)];

impl Setting for Family {
    const EXPECTED: &'static str = "\"ipv4\" or \"ipv6\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a family of addresses", &FAMILIES, problems)
    }

    fn schema() -> Value {
        word_schema(&FAMILIES)
    }
}

/// The oldest version of TLS that will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum MinVersion {
    Tls12,
    Tls13,
}

const MIN_VERSIONS: [(&str, MinVersion); 2] =
    [("1.2", MinVersion::Tls12), ("1.3", MinVersion::Tls13)];

impl Setting for MinVersion {
    const EXPECTED: &'static str = "\"1.2\" or \"1.3\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a version of TLS that is spoken here", &MIN_VERSIONS, problems)
    }

    fn schema() -> Value {
        word_schema(&MIN_VERSIONS)
    }
}

const TIME_FORMATS: [(&str, TimeFormat); 6] = [
    ("rfc3339", TimeFormat::Rfc3339),
    ("rfc2822", TimeFormat::Rfc2822),
    ("epoch_s", TimeFormat::EpochSeconds),
    ("epoch_ms", TimeFormat::EpochMillis),
    ("epoch_us", TimeFormat::EpochMicros),
    ("epoch_ns", TimeFormat::EpochNanos),
];

impl Setting for TimeFormat {
    const EXPECTED: &'static str = "a format of times such as \"rfc3339\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a format of times", &TIME_FORMATS, problems)
    }

    fn schema() -> Value {
        word_schema(&TIME_FORMATS)
    }
}

/// The worst that a check may make of its component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct AtWorst(pub(in super::super) ComponentStatus);

const STATUSES: [(&str, ComponentStatus); 3] = [
    (ComponentStatus::DegradedPerformance.as_str(), ComponentStatus::DegradedPerformance),
    (ComponentStatus::PartialOutage.as_str(), ComponentStatus::PartialOutage),
    (ComponentStatus::MajorOutage.as_str(), ComponentStatus::MajorOutage),
];

impl Setting for AtWorst {
    const EXPECTED: &'static str = "a status such as \"partial_outage\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a status that a check can cause", &STATUSES, problems).map(Self)
    }

    fn schema() -> Value {
        word_schema(&STATUSES)
    }
}

/// CONNECT and TRACE are left out: the one makes a tunnel, the other no server answers.
const METHODS: [(&str, Method); 7] = [
    ("GET", Method::GET),
    ("HEAD", Method::HEAD),
    ("POST", Method::POST),
    ("PUT", Method::PUT),
    ("PATCH", Method::PATCH),
    ("DELETE", Method::DELETE),
    ("OPTIONS", Method::OPTIONS),
];

impl Setting for Method {
    const EXPECTED: &'static str = "a method such as \"GET\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a method", &METHODS, problems)
    }

    fn schema() -> Value {
        word_schema(&METHODS)
    }
}

/// The types that a query can ask for and an answer can hold. Left out are zone transfers, which
/// are no queries, and what only travels inside of messages (OPT, TSIG).
const RECORD_TYPES: [(&str, RecordType); 32] = [
    ("A", RecordType::A),
    ("AAAA", RecordType::AAAA),
    ("ANAME", RecordType::ANAME),
    ("ANY", RecordType::ANY),
    ("CAA", RecordType::CAA),
    ("CDNSKEY", RecordType::CDNSKEY),
    ("CDS", RecordType::CDS),
    ("CERT", RecordType::CERT),
    ("CNAME", RecordType::CNAME),
    ("CSYNC", RecordType::CSYNC),
    ("DNAME", RecordType::DNAME),
    ("DNSKEY", RecordType::DNSKEY),
    ("DS", RecordType::DS),
    ("HINFO", RecordType::HINFO),
    ("HTTPS", RecordType::HTTPS),
    ("KEY", RecordType::KEY),
    ("MX", RecordType::MX),
    ("NAPTR", RecordType::NAPTR),
    ("NS", RecordType::NS),
    ("NSEC", RecordType::NSEC),
    ("NSEC3", RecordType::NSEC3),
    ("NSEC3PARAM", RecordType::NSEC3PARAM),
    ("OPENPGPKEY", RecordType::OPENPGPKEY),
    ("PTR", RecordType::PTR),
    ("RRSIG", RecordType::RRSIG),
    ("SMIMEA", RecordType::SMIMEA),
    ("SOA", RecordType::SOA),
    ("SRV", RecordType::SRV),
    ("SSHFP", RecordType::SSHFP),
    ("SVCB", RecordType::SVCB),
    ("TLSA", RecordType::TLSA),
    ("TXT", RecordType::TXT),
];

/// Those that have a number in place of a name (RFC 3597): `TYPE256`. Left out are the same as
/// above, and all from 128 to 254, which mean something else in questions than in answers.
fn numbered_type(text: &str) -> Option<RecordType> {
    let digits = text.strip_prefix("TYPE").filter(|digits| !digits.starts_with(['0', '+']))?;
    let number: u16 = digits.parse().ok()?;
    (number != 41 && !(128..=254).contains(&number)).then(|| RecordType::from(number))
}

impl Setting for RecordType {
    const EXPECTED: &'static str = "a type of record such as \"A\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        let numbered = node.get_ref().as_str().and_then(numbered_type);
        numbered.or_else(|| choose::<Self, _>(node, "a type of record", &RECORD_TYPES, problems))
    }

    fn schema() -> Value {
        let number = json!({ "type": "string", "pattern": "^TYPE[1-9][0-9]{0,4}$" });
        json!({ "anyOf": [word_schema(&RECORD_TYPES), number] })
    }
}

const RESPONSE_CODES: [(&str, ResponseCode); 11] = [
    ("NOERROR", ResponseCode::NoError),
    ("FORMERR", ResponseCode::FormErr),
    ("SERVFAIL", ResponseCode::ServFail),
    ("NXDOMAIN", ResponseCode::NXDomain),
    ("NOTIMP", ResponseCode::NotImp),
    ("REFUSED", ResponseCode::Refused),
    ("YXDOMAIN", ResponseCode::YXDomain),
    ("YXRRSET", ResponseCode::YXRRSet),
    ("NXRRSET", ResponseCode::NXRRSet),
    ("NOTAUTH", ResponseCode::NotAuth),
    ("NOTZONE", ResponseCode::NotZone),
];

impl Setting for ResponseCode {
    const EXPECTED: &'static str = "a response code such as \"NXDOMAIN\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a response code", &RESPONSE_CODES, problems)
    }

    fn schema() -> Value {
        word_schema(&RESPONSE_CODES)
    }
}

/// Which name servers are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum WhichServers {
    /// One that is named.
    One,
    /// All of the zone.
    All,
}

const WHICH_SERVERS: [(&str, WhichServers); 2] =
    [("one", WhichServers::One), ("all", WhichServers::All)];

impl Setting for WhichServers {
    const EXPECTED: &'static str = "\"one\" or \"all\"";

    fn read(node: &Node<'_>, problems: &mut Problems<'_>) -> Option<Self> {
        choose::<Self, _>(node, "a choice of servers", &WHICH_SERVERS, problems)
    }

    fn schema() -> Value {
        word_schema(&WHICH_SERVERS)
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use hickory_proto::op::ResponseCode;
    use hickory_proto::rr::RecordType;
    use http::Method;

    use super::super::tests::read;
    use super::{AtWorst, RECORD_TYPES};
    use crate::config::Addresses;

    #[test]
    fn every_record_type_has_its_own_name() {
        for (word, record_type) in RECORD_TYPES {
            assert_eq!(RecordType::from_str(word).unwrap(), record_type);
        }
    }

    #[test]
    fn takes_the_words_and_no_others() {
        assert_eq!(read::<Addresses>("'all'"), Ok(Addresses::All));
        assert_eq!(read::<Method>("'PATCH'"), Ok(Method::PATCH));
        assert!(read::<Method>("'get'").is_err());
        assert!(read::<Method>("'CONNECT'").is_err());
        assert!(read::<AtWorst>("'partial_outage'").is_ok());
        assert!(read::<AtWorst>("'operational'").is_err());
        for text in ["AXFR", "TYPE", "TYPE0", "TYPE01", "TYPE41", "TYPE252", "TYPE65536"] {
            assert!(read::<RecordType>(&format!("'{text}'")).is_err(), "{text}");
        }
        assert_eq!(read::<RecordType>("'TYPE1'"), Ok(RecordType::A));
        assert_eq!(read::<RecordType>("'TYPE256'"), Ok(RecordType::from(256)));
        assert_eq!(read::<ResponseCode>("'NXDOMAIN'"), Ok(ResponseCode::NXDomain));
        assert!(read::<ResponseCode>("'nxdomain'").is_err());
    }
}
