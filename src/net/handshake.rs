//! What a TLS handshake showed: plain facts, there even when the handshake failed. Pure.

use rustls::{CipherSuite, ProtocolVersion};

use crate::model::{Timestamp, TlsSeen};

/// What a handshake showed, as far as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handshake {
    /// The validity of the target's own certificate.
    pub leaf: Option<Validity>,
    /// The validity of the certificate that expires first among all that were shown, needed or not.
    pub shown: Option<Validity>,
    /// The validity of the certificate that expires first among those by which the target was
    /// verified, itself included; absent if it was not. What a root says of itself is not looked
    /// at: it is trusted for being known.
    pub chain: Option<Validity>,
    /// What the stapled OCSP answer says, if there was one.
    pub staple: Option<Staple>,
    /// What was agreed on; absent if nothing was.
    pub version: Option<ProtocolVersion>,
    /// What was agreed on; absent if nothing was.
    pub cipher: Option<CipherSuite>,
}

/// From when to when a certificate is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// The first moment.
    pub from: Timestamp,
    /// The last.
    pub until: Timestamp,
}

impl Validity {
    /// Whether it is valid at `at`.
    pub fn contains(self, at: Timestamp) -> bool {
        (self.from..=self.until).contains(&at)
    }
}

/// What a stapled OCSP answer says. Its signature is not verified: the target shows it of itself,
/// so what it says against the target can be believed, and what it says for it decides nothing
/// that clients do not find out alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Staple {
    /// The certificate is good, as of the first moment and until the second.
    Good {
        /// When this was so.
        from: Timestamp,
        /// Until when it may be believed, if that is limited.
        until: Option<Timestamp>,
    },
    /// The certificate has been revoked.
    Revoked,
    /// Whoever answered does not know the certificate.
    Unknown,
    /// It speaks of other certificates only, is no OCSP answer, or says that there is none.
    Unreadable,
}

impl Handshake {
    /// This handshake and a later one of the same run, which a redirect led to: what expires first
    /// counts, and otherwise what was seen last.
    #[must_use]
    pub fn then(self, later: Self) -> Self {
        Self {
            leaf: later.leaf.or(self.leaf),
            shown: first(self.shown, later.shown),
            chain: first(self.chain, later.chain),
            staple: match self.staple {
                Some(Staple::Revoked) => self.staple,
                Some(_) | None => later.staple.or(self.staple),
            },
            version: later.version,
            cipher: later.cipher,
        }
    }

    /// The part of it that a finding keeps, of a run that ended at `now`.
    pub fn seen(self, now: Timestamp) -> TlsSeen {
        TlsSeen {
            version: self.version.map(version_name),
            cipher: self.cipher.map(cipher_name),
            chain_expires_at: self.chain.map(|chain| chain.until),
            valid_from: self.leaf.map(|leaf| leaf.from).filter(|from| *from > now),
        }
    }
}

/// The one that ends first.
pub(super) fn first(one: Option<Validity>, other: Option<Validity>) -> Option<Validity> {
    one.into_iter().chain(other).min_by_key(|validity| validity.until)
}

/// As people write it: `TLS 1.3`.
pub fn version_name(version: ProtocolVersion) -> String {
    // TLSv1_3
    let name = format!("{version:?}");
    let number = name.strip_prefix("TLSv").map(|number| number.replace('_', "."));
    number.map_or(name, |number| format!("TLS {number}"))
}

/// As it is registered: rustls adds the version to the names of those that TLS 1.3 has.
pub fn cipher_name(cipher: CipherSuite) -> String {
    let name = format!("{cipher:?}");
    name.strip_prefix("TLS13_").map_or(name.clone(), |rest| format!("TLS_{rest}"))
}

#[cfg(test)]
mod tests {
    use rustls::{CipherSuite, ProtocolVersion};

    use super::{Handshake, Staple, Validity, cipher_name, version_name};
    use crate::model::Timestamp;

    fn validity(from: i64, until: i64) -> Option<Validity> {
        let secs = Timestamp::from_secs;
        Some(Validity { from: secs(from), until: secs(until) })
    }

    #[test]
    fn of_two_handshakes_what_expires_first_counts() {
        let early = Handshake {
            leaf: validity(1, 10),
            shown: validity(1, 10),
            chain: validity(1, 10),
            staple: Some(Staple::Revoked),
            ..Handshake::default()
        };
        let late = Handshake {
            leaf: validity(2, 20),
            shown: validity(0, 5),
            chain: validity(2, 20),
            ..Handshake::default()
        };
        let both = early.then(late);
        assert_eq!(both.leaf, late.leaf);
        assert_eq!(both.shown, late.shown);
        assert_eq!(both.chain, early.chain);
        assert_eq!(both.staple, Some(Staple::Revoked));
        assert_eq!(early.then(Handshake::default()).chain, early.chain);
    }

    #[test]
    fn names_are_those_that_people_use() {
        assert_eq!(version_name(ProtocolVersion::TLSv1_3), "TLS 1.3");
        assert_eq!(version_name(ProtocolVersion::SSLv3), "SSLv3");
        assert_eq!(cipher_name(CipherSuite::TLS13_AES_128_GCM_SHA256), "TLS_AES_128_GCM_SHA256");
    }

    #[test]
    fn only_a_validity_that_is_yet_to_come_bears_witness() {
        let shown = Handshake { leaf: validity(10, 20), ..Handshake::default() };
        let witness = |now| shown.seen(Timestamp::from_secs(now)).valid_from;
        assert_eq!(witness(9), Some(Timestamp::from_secs(10)));
        assert_eq!(witness(10), None);
        assert_eq!(witness(30), None);
    }
}
