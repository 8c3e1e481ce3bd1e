//! From the bytes of a stapled OCSP answer to what it says of a certificate. Pure.

use der::Decode;
use x509_ocsp::{BasicOcspResponse, CertStatus, OcspGeneralizedTime, OcspResponse};

use super::super::handshake::Staple;
use crate::model::Timestamp;

/// What `answer` says of the certificate with `serial`; `None` without an answer.
pub(super) fn read(answer: &[u8], serial: &[u8]) -> Option<Staple> {
    (!answer.is_empty()).then(|| of(answer, serial).unwrap_or(Staple::Unreadable))
}

fn of(answer: &[u8], serial: &[u8]) -> Option<Staple> {
    let outer = OcspResponse::from_der(answer).ok()?.response_bytes?;
    let inner = BasicOcspResponse::from_der(outer.response.as_bytes()).ok()?;
    let single = inner.tbs_response_data.responses.into_iter().find(|single| {
        without_sign(single.cert_id.serial_number.as_bytes()) == without_sign(serial)
    })?;
    Some(match single.cert_status {
        CertStatus::Good(_) => Staple::Good {
            from: moment(&single.this_update),
            until: single.next_update.as_ref().map(moment),
        },
        CertStatus::Revoked(_) => Staple::Revoked,
        CertStatus::Unknown(_) => Staple::Unknown,
    })
}

/// DER puts a zero before a number that would look negative; not everybody keeps it.
fn without_sign(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn moment(time: &OcspGeneralizedTime) -> Timestamp {
    Timestamp::EPOCH + time.0.to_unix_duration()
}

#[cfg(test)]
mod tests {
    use super::{Staple, read};

    #[test]
    fn whatever_it_is_it_is_answered() {
        assert_eq!(read(b"", b"\x01"), None);
        for bytes in
            [&b"garbage"[..], b"\x30\x03\x0a\x01\x06", b"\x30\x84\xff\xff\xff\xff", &[0x30; 60_000]]
        {
            assert_eq!(read(bytes, b"\x01"), Some(Staple::Unreadable));
        }
    }
}
