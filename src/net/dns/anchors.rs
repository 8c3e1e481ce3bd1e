//! The keys that are trusted from the start, and those that they vouch for.

use std::str::FromStr;
use std::sync::Arc;

use hickory_proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_proto::dnssec::{TrustAnchors, Verifier};
use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, LowerName, Name, RData, Record, RecordType};
use hickory_proto::serialize::txt::ParseError;
use hickory_proto::serialize::txt::trust_anchor::{Entry, Parser};

/// Keys that proofs start from.
#[derive(Clone, Default)]
pub struct Anchors {
    keys: Arc<TrustAnchors>,
    /// The zones that they are of; the root need not be named.
    zones: Vec<Name>,
}

impl FromStr for Anchors {
    type Err = ParseError;

    /// A DNSKEY record on each line.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        let lines: Vec<String> = text.lines().map(with_class).collect();
        let mut keys = TrustAnchors::empty();
        let mut zones = Vec::new();
        for entry in Parser::new(lines.join("\n")).parse()? {
            let Entry::DNSKEY(record) = entry else { continue };
            let name = record.name();
            keys.insert_with_name(record.data().public_key(), LowerName::new(name));
            if !name.is_root() && !zones.contains(name) {
                zones.push(name.clone());
            }
        }
        Ok(Self { keys: Arc::new(keys), zones })
    }
}

impl Anchors {
    /// The keys alone.
    pub(super) fn keys(&self) -> Arc<TrustAnchors> {
        Arc::clone(&self.keys)
    }

    /// Whether `name` is in a zone that has a trusted key.
    pub(super) fn cover(&self, name: &Name) -> bool {
        !self.keys.is_empty() || self.zones.iter().any(|zone| zone.zone_of(name))
    }

    /// The zones with keys in here that one of `names` is in.
    pub(super) fn zones_of(&self, names: &[&Name]) -> Vec<Name> {
        let asked = |zone: &&Name| names.iter().any(|name| zone.zone_of(name));
        self.zones.iter().filter(asked).cloned().collect()
    }

    /// Trusts all keys of `zone` in `message` if one that is trusted has signed them, now. Most
    /// zones have a key that signs keys, which is made known, and others for everything else. The
    /// validator would ask the parent zone for those, and a private zone has none that knows of it.
    pub(super) fn extend(
        &mut self,
        zone: &Name,
        message: &Message,
        timely: impl Fn(&Record) -> bool,
    ) {
        let all = || message.answers.iter().filter(|record| record.name == *zone);
        let keys: Vec<&Record> = all().filter(|record| key(record).is_some()).collect();
        let lower = LowerName::new(zone);
        let trusted = || {
            let found = keys.iter().filter_map(|record| key(record));
            found.filter(|key| self.keys.contains_with_name(key.public_key(), &lower))
        };
        let vouched =
            all().filter(|record| timely(record)).filter_map(signature).any(|signature| {
                signature.input().signer_name == *zone
                    && trusted().any(|key| signs(key, zone, signature, &keys))
            });
        if vouched {
            let mut known = TrustAnchors::clone(&self.keys);
            for key in keys.iter().filter_map(|record| key(record)).filter(|key| usable(key)) {
                known.insert_with_name(key.public_key(), lower.clone());
            }
            self.keys = Arc::new(known);
        }
    }
}

fn key(record: &Record) -> Option<&DNSKEY> {
    let RData::DNSSEC(DNSSECRData::DNSKEY(key)) = &record.data else { return None };
    Some(key)
}

/// A signature over keys.
fn signature(record: &Record) -> Option<&RRSIG> {
    let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { return None };
    (signature.input().type_covered == RecordType::DNSKEY).then_some(signature)
}

fn usable(key: &DNSKEY) -> bool {
    key.zone_key() && !key.revoke()
}

fn signs(key: &DNSKEY, zone: &Name, signature: &RRSIG, keys: &[&Record]) -> bool {
    usable(key)
        && key.algorithm() == signature.input().algorithm
        && key.verify_rrsig(zone, DNSClass::IN, signature, keys.iter().copied()).is_ok()
}

/// The class of a record may be left out, and knot's `keymgr dnskey` does; what reads the keys
/// insists on it.
fn with_class(line: &str) -> String {
    let mut words: Vec<&str> = line.split_whitespace().collect();
    if let Some(at) = words.iter().position(|word| word.eq_ignore_ascii_case("DNSKEY")) {
        let before = at.checked_sub(1).and_then(|before| words.get(before));
        if before.is_none_or(|word| !word.eq_ignore_ascii_case("IN")) {
            words.insert(at, "IN");
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::with_class;

    #[test]
    fn keys_get_the_class_that_was_left_out() {
        for (line, read) in [
            ("desk.example. DNSKEY 257 3 13 aGk=", "desk.example. IN DNSKEY 257 3 13 aGk="),
            ("desk.example. 60 dnskey 257 3 13 aGk=", "desk.example. 60 IN dnskey 257 3 13 aGk="),
            ("desk.example. in DNSKEY 257 3 13 aGk=", "desk.example. in DNSKEY 257 3 13 aGk="),
            ("; a comment", "; a comment"),
            ("", ""),
        ] {
            assert_eq!(with_class(line), read);
        }
    }
}
