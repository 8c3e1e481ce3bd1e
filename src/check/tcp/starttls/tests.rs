//! The parsers of what servers answer, on right and wrong bytes.

use proptest::prelude::{any, proptest};

use super::{Element, begins, element, ldap_result, tag};

#[test]
fn whole_words_in_any_case() {
    assert!(begins(b"* ok ready", b"* OK"));
    assert!(begins(b"+OK", b"+OK"));
    assert!(!begins(b"+OKAY", b"+OK"));
    assert!(!begins(b"+O", b"+OK"));
}

#[test]
fn tags_are_found_by_their_whole_name() {
    assert_eq!(tag(b"<proceed xmlns='x'/>", b"proceed"), Some((0, 20)));
    assert_eq!(tag(b" <proceed/>", b"proceed"), Some((1, 11)));
    assert_eq!(tag(b"<proceeds/>", b"proceed"), None);
    assert_eq!(tag(b"<proceed", b"proceed"), None);
    assert_eq!(tag(b"<proceed ", b"proceed"), None);
    assert_eq!(tag(b"<a><stream:features>", b"stream:features"), Some((3, 20)));
}

#[test]
fn results_of_ldap_are_read_with_short_and_long_lengths() {
    let short = b"\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00";
    assert_eq!(ldap_result(short), Some((&[0][..], &b""[..])));
    let long = b"\x02\x01\x01\x78\x84\x00\x00\x00\x09\x0a\x01\x34\x04\x00\x04\x02no";
    assert_eq!(ldap_result(long), Some((&[0x34][..], &b"no"[..])));
    assert_eq!(ldap_result(b"\x02\x01\x01\x65\x00"), None);
}

#[test]
fn elements_without_a_length_are_garbage_and_those_cut_short_are_not() {
    assert!(matches!(element(b"\x30\x80"), Element::Garbage));
    assert!(matches!(element(b"\x30\x88"), Element::Garbage));
    for cut in [&b""[..], b"\x30", b"\x30\x02\x01", b"\x30\x84\x00", b"\x30\x82\x01\x00x"] {
        assert!(matches!(element(cut), Element::Unfinished), "{cut:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = (ldap_result(&bytes), tag(&bytes, b"a"), begins(&bytes, b"+OK"));
        if let Element::Whole { contents, rest, .. } = element(&bytes) {
            assert!(contents.len() + rest.len() < bytes.len());
        }
    }
}
