//! Records as people write them, and two spellings of one record. Pure.

use std::fmt::Write as _;
use std::net::IpAddr;

use hickory_proto::rr::RData;

/// The data of a record in presentation form; of a type that nobody here knows in the form of RFC
/// 3597, `\# 4 0a000001`.
pub(super) fn presentation(data: &RData) -> String {
    let RData::Unknown { rdata, .. } = data else {
        let mut text = String::new();
        // What only travels beside answers has no words, and a hostile server may put it into one.
        return match write!(text, "{data}") {
            Ok(()) => text,
            Err(std::fmt::Error) => data.record_type().to_string(),
        };
    };
    let mut text = format!(r"\# {}", rdata.anything.len());
    for (at, byte) in rdata.anything.iter().enumerate() {
        // Writing into a string cannot fail.
        let _ = write!(text, "{}{byte:02x}", if at == 0 { " " } else { "" });
    }
    text
}

/// A record in a form that two spellings of the same have in common.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Spelled {
    Address(IpAddr),
    Words(Vec<String>),
}

impl Spelled {
    pub(super) fn read(text: &str) -> Self {
        if let Ok(address) = text.trim().parse() {
            return Self::Address(address);
        }
        let plain = text.replace('"', "").to_lowercase();
        let words = plain.split_whitespace();
        Self::Words(words.map(|word| word.trim_end_matches('.').to_owned()).collect())
    }
}

#[cfg(test)]
mod tests {
    use hickory_proto::rr::rdata::{A, NULL, OPT};
    use hickory_proto::rr::{RData, RecordType};

    use super::{Spelled, presentation};

    #[test]
    fn two_spellings_of_a_record_are_one() {
        for (one, other) in [
            ("2001:DB8:0:0::1", "2001:db8::1"),
            ("10 Mail.Example", "10  mail.example."),
            ("\"v=spf1\" \"-all\"", "v=spf1 -all"),
        ] {
            assert_eq!(Spelled::read(one), Spelled::read(other));
        }
        for (one, other) in [("10.0.0.1", "10.0.0.10"), ("10 a.example", "20 a.example")] {
            assert_ne!(Spelled::read(one), Spelled::read(other));
        }
    }

    #[test]
    fn what_has_no_form_of_its_own_has_the_general_one() {
        let unknown = |bytes: &[u8]| RData::Unknown {
            code: RecordType::from(256),
            rdata: if bytes.is_empty() { NULL::new() } else { NULL::with(bytes.to_vec()) },
        };
        assert_eq!(presentation(&unknown(&[10, 0, 0, 0xff])), r"\# 4 0a0000ff");
        assert_eq!(presentation(&unknown(&[])), r"\# 0");
        assert_eq!(presentation(&RData::OPT(OPT::new(Vec::new()))), "OPT");
        assert_eq!(presentation(&RData::A(A::new(10, 0, 0, 1))), "10.0.0.1");
    }
}
