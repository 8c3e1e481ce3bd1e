//! `http`: compressed bodies that are tiny on the wire and become gigabytes.

use std::io::Write;

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};

use crate::line::Line;
use crate::words::{Words, answers};

fn line(name: &'static str, words: Words, reasons: &'static [&'static str]) -> Line {
    let check = "http = { url = 'http://{at}/', contains = 'never', max_body = '1MiB' }";
    // Beside the body: brotli's window of 16 MiB at most.
    Line::new("http", name, words, check, reasons).within(24 * 1024)
}

fn encoded(encoding: &str, body: impl AsRef<[u8]>) -> Words {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\n\r\n");
    answers([head.as_bytes(), body.as_ref()].concat())
}

pub(crate) fn lines() -> Vec<Line> {
    let large = &["body_too_large"];
    let broken = &["body_encoding"];
    let gzip = gzip();
    let (head, block) = deflated();
    // Bytes on the wire; what they become is up to the target's patience.
    vec![
        line("gzip of gigabytes", encoded("gzip", "").without_end(&gzip), large),
        line("deflate of gigabytes", encoded("deflate", head).without_end(block), large),
        line("zstd of a gigabyte in 32 KiB", encoded("zstd", zstd(8192)), large),
        line("brotli of gigabytes", encoded("br", brotli()), large),
        line(
            "gzip of nothing, again and again",
            encoded("gzip", "").without_end(empty_gzip()),
            large,
        )
        .asking("http = { url = 'http://{at}/', contains = 'never', max_body = '16KiB' }"),
        line("gzip in gzip", encoded("gzip, gzip", &gzip), broken),
        line("gzip in brotli in zstd", encoded("zstd, br, gzip", &gzip), broken),
        line("an unknown encoding", encoded("rot13", "").without_end("x"), broken),
        line(
            "a window of 2 GiB in zstd",
            encoded("zstd", [0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0]),
            broken,
        ),
        line("a window of 1 GiB in brotli", encoded("br", [0x11, 30, 3]), broken),
        line("endless skipping in zstd", encoded("zstd", "").without_end(SKIPPED), large),
        line("plain words for gzip", encoded("gzip", "plain words"), broken),
        line(
            "an endless name in gzip",
            encoded("gzip", [31, 139, 8, 8, 0, 0, 0, 0, 0, 3]).without_end("x"),
            broken,
        ),
        line("half a gzip", encoded("gzip", &gzip[..gzip.len() / 2]).closes(), broken),
    ]
}

/// A member that becomes a mebibyte of zeros; any number of them is one body.
pub(crate) fn gzip() -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![0; 1 << 20]).unwrap();
    encoder.finish().unwrap()
}

fn empty_gzip() -> Vec<u8> {
    GzEncoder::new(Vec::new(), Compression::best()).finish().unwrap().repeat(100)
}

/// The beginning of a stream that becomes a mebibyte of zeros, and what becomes one more.
fn deflated() -> (Vec<u8>, Vec<u8>) {
    let mut stream = Compress::new(Compression::best(), true);
    let mut more = || {
        let mut made = Vec::with_capacity(16 << 10);
        stream.compress_vec(&vec![0; 1 << 20], &mut made, FlushCompress::Full).unwrap();
        made
    };
    (more(), more())
}

/// A frame of so many blocks, each of which says in four bytes: 128 KiB of zeros.
fn zstd(blocks: usize) -> Vec<u8> {
    let head = [0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3];
    let block = [&((128_u32 << 10) << 3 | 1 << 1).to_le_bytes()[..3], &[0]].concat();
    [&head[..], &block.repeat(blocks)].concat()
}

/// A frame that says: skip it.
const SKIPPED: [u8; 9] = [0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0];

/// So many blocks of 16 MiB, each in 13 bytes: a letter, and then the same again and again
/// (RFC 7932, 9.2; each pair is a number and how many bits it has).
fn brotli() -> Vec<u8> {
    // A window of 16 MiB.
    let head = [(15, 4)];
    let block = [
        // Not the last, 2^24 bytes, compressed.
        (0, 1),
        (2, 2),
        ((1 << 24) - 1, 24),
        (0, 1),
        // One type of each block, nothing special about distances, one context, one tree of each.
        (0, 3),
        (0, 2),
        (0, 4),
        (0, 2),
        (0, 2),
        // Trees of one symbol: the letter; "one letter, and a copy with 24 bits of length"; "a
        // distance with one bit".
        (1, 2),
        (0, 2),
        (b'x'.into(), 8),
        (1, 2),
        (0, 2),
        (384 + 15, 10),
        (1, 2),
        (0, 2),
        (16, 6),
        // The rest of the length, and the distance of 1.
        ((1 << 24) - 1 - 2118, 24),
        (0, 1),
    ];
    let (mut bytes, mut at) = (Vec::new(), 0);
    for (number, bits) in head.into_iter().chain(std::iter::repeat_n(block, 256).flatten()) {
        for bit in 0..bits {
            if at % 8 == 0 {
                bytes.push(0);
            }
            let set = u8::try_from(number >> bit & 1_u32).unwrap();
            *bytes.last_mut().unwrap() |= set << (at % 8);
            at += 1;
        }
    }
    bytes
}
