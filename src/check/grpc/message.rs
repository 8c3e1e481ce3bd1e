//! The two messages of the health checking protocol, and how gRPC frames them. Pure.
//!
//! They have one field each, so they are written and read here: a library for Protocol Buffers
//! would bring more code than there is below, and its answer to what is wrong says less.

use std::fmt;

/// Longest answer that is read: one with a health needs 7 bytes.
pub(super) const LONGEST: usize = 4096;

/// Length and flag before a message.
const PREFIX: usize = 5;

/// What a service says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// It does not know.
    Unknown,
    /// It is well.
    Serving,
    /// It is not.
    NotServing,
    /// There is none of this name.
    ServiceUnknown,
    /// Something that this protocol has no word for.
    Other(u64),
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("UNKNOWN"),
            Self::Serving => f.write_str("SERVING"),
            Self::NotServing => f.write_str("NOT_SERVING"),
            Self::ServiceUnknown => f.write_str("SERVICE_UNKNOWN"),
            Self::Other(number) => write!(f, "in state {number}, which nobody knows"),
        }
    }
}

/// What an answer is instead of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Malformed {
    /// There is no message at all.
    #[error("an answer without a message")]
    Nothing,
    /// It is compressed, though nobody asked for that.
    #[error("a compressed message, which was not asked for")]
    Compressed,
    /// The flag is none.
    #[error("a message with the flag {0}")]
    Flag(u8),
    /// The length is not that of what came.
    #[error("a message of {said} bytes by its prefix, and {came} came")]
    Length {
        /// What the prefix says.
        said: u32,
        /// What came.
        came: usize,
    },
    /// More than is read came.
    #[error("an answer of more than {LONGEST} bytes")]
    TooLong,
    /// Its fields are broken.
    #[error("a message that is no HealthCheckResponse")]
    Fields,
}

/// The question about `service`, framed.
pub(super) fn question(service: &str) -> Vec<u8> {
    let mut message = Vec::new();
    // A field that is empty is left out.
    if !service.is_empty() {
        message.push(0x0a);
        put_varint(&mut message, service.len());
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut framed = vec![0];
    framed.extend_from_slice(&length.to_be_bytes());
    framed.append(&mut message);
    framed
}

/// What the framed `answer` says.
pub(super) fn answer(answer: &[u8]) -> Result<Health, Malformed> {
    if answer.is_empty() {
        return Err(Malformed::Nothing);
    }
    let Some((&[flag, length @ ..], message)) = answer.split_first_chunk::<PREFIX>() else {
        return Err(Malformed::Length { said: 0, came: answer.len() });
    };
    match flag {
        0 => {}
        1 => return Err(Malformed::Compressed),
        other => return Err(Malformed::Flag(other)),
    }
    let said = u32::from_be_bytes(length);
    // A second message after it is as wrong as the half of one.
    if usize::try_from(said) != Ok(message.len()) {
        return Err(Malformed::Length { said, came: message.len() });
    }
    health(message).ok_or(Malformed::Fields)
}

/// Reads the fields; those that a later version may have are skipped, as the protocol wants it.
fn health(mut message: &[u8]) -> Option<Health> {
    let mut status = 0;
    while !message.is_empty() {
        let tag = take_varint(&mut message)?;
        let (field, kind) = (tag >> 3, tag & 7);
        let skip = match kind {
            0 => {
                let value = take_varint(&mut message)?;
                if field == 1 {
                    status = value;
                }
                0
            }
            1 => 8,
            2 => usize::try_from(take_varint(&mut message)?).ok()?,
            5 => 4,
            _ => return None,
        };
        if field == 0 || field == 1 && kind != 0 {
            return None;
        }
        message = message.get(skip..)?;
    }
    Some(match status {
        0 => Health::Unknown,
        1 => Health::Serving,
        2 => Health::NotServing,
        3 => Health::ServiceUnknown,
        other => Health::Other(other),
    })
}

fn put_varint(message: &mut Vec<u8>, mut number: usize) {
    while number > 0x7f {
        message.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    message.push(u8::try_from(number).unwrap_or_default());
}

/// A number of at most 64 bits, which takes at most ten bytes.
fn take_varint(message: &mut &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for place in 0..10 {
        let (byte, rest) = message.split_first()?;
        *message = rest;
        let bits = u64::from(byte & 0x7f);
        // The tenth has room for one bit.
        if place == 9 && bits > 1 {
            return None;
        }
        number |= bits << (7 * place);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{Health, Malformed, answer, question, take_varint};

    fn framed(message: &[u8]) -> Vec<u8> {
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[0], &length[..], message].concat()
    }

    #[test]
    fn a_question_is_as_the_protocol_has_it() {
        assert_eq!(question(""), [0, 0, 0, 0, 0]);
        assert_eq!(question("ab"), [0, 0, 0, 0, 4, 0x0a, 2, b'a', b'b']);
        let long = question(&"x".repeat(300));
        assert_eq!(&long[..8], [0, 0, 0, 1, 47, 0x0a, 0xac, 2]);
        assert_eq!(long.len(), 5 + 303);
    }

    #[test]
    fn an_answer_is_read_whatever_else_stands_in_it() {
        let read = |message: &[u8]| answer(&framed(message));
        assert_eq!(read(&[]), Ok(Health::Unknown));
        assert_eq!(read(&[8, 1]), Ok(Health::Serving));
        assert_eq!(read(&[8, 2]), Ok(Health::NotServing));
        assert_eq!(read(&[8, 3]), Ok(Health::ServiceUnknown));
        assert_eq!(read(&[8, 0xff, 1]), Ok(Health::Other(255)));
        // The last one counts, and unknown fields of every kind are passed over.
        assert_eq!(read(&[8, 2, 8, 1]), Ok(Health::Serving));
        let others = [16, 5, 25, 1, 2, 3, 4, 5, 6, 7, 8, 34, 2, 1, 1, 45, 1, 2, 3, 4];
        assert_eq!(read(&[&others[..], &[8, 1]].concat()), Ok(Health::Serving));
    }

    #[test]
    fn what_is_broken_is_said() {
        assert_eq!(answer(&[]), Err(Malformed::Nothing));
        assert_eq!(answer(&[0, 0, 0]), Err(Malformed::Length { said: 0, came: 3 }));
        assert_eq!(answer(&[1, 0, 0, 0, 2, 8, 1]), Err(Malformed::Compressed));
        assert_eq!(answer(&[9, 0, 0, 0, 2, 8, 1]), Err(Malformed::Flag(9)));
        assert_eq!(answer(&[0, 0, 0, 0, 3, 8, 1]), Err(Malformed::Length { said: 3, came: 2 }));
        let two = [framed(&[8, 1]), framed(&[8, 1])].concat();
        assert_eq!(answer(&two), Err(Malformed::Length { said: 2, came: 9 }));
        let lie = [0, 0xff, 0xff, 0xff, 0xff, 8, 1];
        assert_eq!(answer(&lie), Err(Malformed::Length { said: u32::MAX, came: 2 }));
        for message in [
            &[8][..],
            &[8, 0x80],
            &[10, 1, 1],
            &[0, 1],
            &[11],
            &[34, 9, 1],
            &[25, 1],
            &[34, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
            &[8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
            &[8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
        ] {
            assert_eq!(answer(&framed(message)), Err(Malformed::Fields), "{message:?}");
        }
    }

    #[test]
    fn numbers_have_at_most_64_bits() {
        let mut most = &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1][..];
        assert_eq!(take_varint(&mut most), Some(u64::MAX));
        assert!(most.is_empty());
    }

    proptest! {
        #[test]
        fn noise_is_read_without_harm(noise in proptest::collection::vec(any::<u8>(), 0..64)) {
            // Serving takes at least a prefix and a field that says so.
            let serves = answer(&noise) == Ok(Health::Serving);
            prop_assert!(!serves || noise.len() >= 7);
            let _ = answer(&framed(&noise));
        }
    }
}
