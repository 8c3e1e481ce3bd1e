//! What a script keeps and sends.

use regex::bytes::Regex;

use super::Kept;
use crate::config::{Piece, Step};

#[test]
fn only_what_will_be_sent_is_kept() {
    let pattern = Regex::new("id=([0-9]+)(x)?;").unwrap();
    let (id, missing) =
        (Piece::Captured { step: 1, group: 1 }, Piece::Captured { step: 1, group: 2 });
    let script = [
        Step::Expect(pattern.clone()),
        Step::Expect(pattern.clone()),
        Step::Send(vec![Piece::Bytes(b"got "[..].into()), id, missing]),
    ];
    let mut kept = Kept::of(&script);
    assert_eq!(kept.find(0, &pattern, b"id=1;"), Some((5, ())));
    assert_eq!(kept.find(1, &pattern, b"nothing"), None);
    assert_eq!(kept.find(1, &pattern, b"  id=27; and"), Some((8, ())));
    assert_eq!(kept.groups[0], None);
    let Step::Send(pieces) = &script[2] else { unreachable!() };
    assert_eq!(kept.fill_in(pieces).unwrap().as_ref(), b"got 27");
}

#[test]
fn what_a_target_says_is_not_said_back_without_end() {
    let pattern = Regex::new("(?s).*").unwrap();
    let piece = Piece::Captured { step: 0, group: 0 };
    let script =
        [Step::Expect(pattern.clone()), Step::Send(vec![piece.clone(), piece.clone(), piece])];
    let mut kept = Kept::of(&script);
    kept.find(0, &pattern, &[b'x'; 30_000]);
    let Step::Send(pieces) = &script[1] else { unreachable!() };
    assert_eq!(kept.fill_in(pieces).unwrap_err().name(), "malformed_answer");
    assert_eq!(kept.fill_in(&pieces[..2]).unwrap().len(), 60_000);
}
