//! Bodies that decode, in whatever pieces they come, and those that do not.

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

use super::{Body, Undecodable};

const TEXT: &[u8] = b"all is well, all is well, all is well, and all manner of thing shall be well";

/// A stream of brotli that stores `text` and repeats nothing.
fn stored(text: &[u8]) -> Vec<u8> {
    // From the lowest bit on: a small window, not the last block, a length of 16 bits, stored.
    let head = (text.len() - 1) << 4 | 1 << 20;
    [&head.to_le_bytes()[..3], text, &[0x03]].concat()
}

fn encoded(name: &str) -> Vec<u8> {
    fn made<W: Write>(
        mut encoder: W,
        finish: impl FnOnce(W) -> std::io::Result<Vec<u8>>,
    ) -> Vec<u8> {
        encoder.write_all(TEXT).unwrap();
        finish(encoder).unwrap()
    }
    let level = Compression::best();
    match name {
        "gzip" => made(GzEncoder::new(Vec::new(), level), GzEncoder::finish),
        "deflate" => made(ZlibEncoder::new(Vec::new(), level), ZlibEncoder::finish),
        "bare" => made(DeflateEncoder::new(Vec::new(), level), DeflateEncoder::finish),
        "zstd" => zstd::encode_all(TEXT, 19).unwrap(),
        "br" => stored(TEXT),
        _ => TEXT.to_vec(),
    }
}

fn headers(name: &str) -> HeaderMap {
    let name = if name == "bare" { "deflate" } else { name };
    [(CONTENT_ENCODING, name.parse().unwrap())].into_iter().collect()
}

const NAMES: [&str; 6] = ["identity", "gzip", "deflate", "bare", "br", "zstd"];

fn decode(name: &str, bytes: &[u8], step: usize, limit: u64) -> Result<Vec<u8>, Undecodable> {
    let mut body = Body::new(&headers(name), limit, true)?;
    bytes.chunks(step).try_for_each(|piece| body.take(piece))?;
    body.finish()
}

#[test]
fn every_encoding_is_undone_in_whatever_pieces_it_comes() {
    let whole = u64::try_from(TEXT.len()).unwrap();
    for name in NAMES {
        for step in [1, 2, 7, 1000] {
            let text = decode(name, &encoded(name), step, whole).unwrap();
            assert_eq!(text, TEXT, "{name} in steps of {step}");
        }
        let outcome = decode(name, &encoded(name), 1000, whole - 1);
        assert!(matches!(outcome, Err(Undecodable::TooLarge)), "{name}: {outcome:?}");
        assert!(decode(name, &[], 1, 0).unwrap().is_empty(), "{name} of nothing");
    }
}

#[test]
fn brotli_that_repeats_is_undone() {
    let bytes = [0x1b, 0x13, 0, 0, 0xa4, 0xb0, 0xb2, 0xea, 0x81, 0x47, 0x02, 0x8a];
    assert_eq!(decode("br", &bytes, 5, 20).unwrap(), b"XXXXXXXXXXYYYYYYYYYY");
}

#[test]
fn what_is_cut_short_garbled_or_followed_by_more_is_broken() {
    for name in NAMES.into_iter().filter(|name| *name != "identity") {
        let whole = encoded(name);
        for end in 1..whole.len() {
            let outcome = decode(name, &whole[..end], 1000, 1000);
            assert!(matches!(outcome, Err(Undecodable::Broken(_))), "{name} to {end}: {outcome:?}");
        }
        let more = [&whole[..], b"more of it"].concat();
        let outcome = decode(name, &more, 1000, 1000);
        assert!(matches!(outcome, Err(Undecodable::Broken(_))), "{name} and more: {outcome:?}");
        let outcome = decode(name, b"<html>plain text</html>", 1000, 1000);
        assert!(matches!(outcome, Err(Undecodable::Broken(_))), "{name} of text: {outcome:?}");
    }
}

#[test]
fn an_encoding_that_nobody_knows_or_that_is_not_the_only_one_is_broken() {
    for name in ["compress", "gzip, br", "gzip,gzip"] {
        let outcome = Body::new(&headers(name), 1000, true).err();
        assert!(matches!(outcome, Some(Undecodable::Broken(_))), "{name}");
    }
}

#[test]
fn a_window_that_needs_too_much_memory_is_broken() {
    // A frame with a window of 2 GiB, and a stream of brotli's extension with one of 1 GiB.
    let zstd = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 0x01, 0x00, 0x00];
    let brotli = [0x11, 30, 0x03];
    for (name, bytes) in [("zstd", &zstd[..]), ("br", &brotli)] {
        let outcome = decode(name, bytes, 1000, 1000);
        assert!(matches!(outcome, Err(Undecodable::Broken(_))), "{name}: {outcome:?}");
    }
}

proptest! {
    /// Whatever comes, no more than the limit is made of it.
    #[test]
    fn garbage_is_bounded(at in 0..NAMES.len(), bytes: Vec<u8>, step in 1..50_usize, keep in any::<bool>()) {
        let mut body = Body::new(&headers(NAMES[at]), 100, keep).unwrap();
        if bytes.chunks(step).all(|piece| body.take(piece).is_ok()) && let Ok(text) = body.finish() {
            prop_assert!(text.len() <= 100);
            if !keep {
                prop_assert_eq!(text.len(), 0);
            }
        }
    }
}
