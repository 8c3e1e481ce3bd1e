//! Follows the frames of HTTP/2 in a stream of bytes, as far as timing needs it: a settings frame
//! is no answer, and a request is sent when the frame that ends it is. Pure.

/// What a client says first, before any frame (RFC 9113, 3.4).
const PREFACE: usize = 24;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// One direction of a connection.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frames {
    /// How many bytes come before the next frame's head.
    skip: usize,
    head: [u8; 9],
    /// How much of the head has come.
    have: usize,
    /// Whether the frame that is being skipped is of a message.
    within: Option<Frame>,
    ending: bool,
    /// How many heads have begun, of answers and of what comes before and after one.
    heads: usize,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    /// Whether it is the last of a message's frames.
    last: bool,
}

/// What some bytes were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Whether a part of a message was among them.
    pub(super) message: bool,
    /// Whether the end of one was.
    pub(super) end: bool,
}

impl Frames {
    /// What a client writes.
    pub(super) fn of_client() -> Self {
        Self { skip: PREFACE, ..Self::default() }
    }

    /// How many heads have begun so far.
    pub(super) fn heads(&self) -> usize {
        self.heads
    }

    /// Follows `bytes`, which come next.
    pub(super) fn follow(&mut self, mut bytes: &[u8]) -> Seen {
        let mut seen = Seen::default();
        loop {
            let passed = self.skip.min(bytes.len());
            bytes = bytes.get(passed..).unwrap_or_default();
            self.skip -= passed;
            if let Some(frame) = self.within {
                seen.message |= passed > 0;
                if self.skip == 0 {
                    seen.end |= frame.last;
                    self.within = None;
                }
            }
            let Some((byte, rest)) = bytes.split_first() else { return seen };
            bytes = rest;
            if let Some(place) = self.head.get_mut(self.have) {
                *place = *byte;
                self.have += 1;
            }
            if self.have == self.head.len() {
                self.have = 0;
                self.begin();
                seen.message |= self.within.is_some();
            }
        }
    }

    /// Begins the frame whose head has come.
    fn begin(&mut self) {
        let [a, b, c, kind, flags, stream @ ..] = self.head;
        self.skip = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        // The highest bit of a stream's number is reserved.
        let on_stream = u32::from_be_bytes(stream) & 0x7fff_ffff != 0;
        if !on_stream || !matches!(kind, DATA | HEADERS | RST_STREAM | CONTINUATION) {
            return;
        }
        self.heads = self.heads.saturating_add(usize::from(kind == HEADERS));
        self.ending |= matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        let whole = kind == DATA || flags & END_HEADERS != 0;
        self.within = Some(Frame { last: self.ending && whole });
    }
}

#[cfg(test)]
mod tests {
    use super::{CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, Seen};

    const SETTINGS: u8 = 4;

    fn frame(kind: u8, flags: u8, stream: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, flags, 0, 0, 0, stream];
        frame.extend(std::iter::repeat_n(0x55, length.into()));
        frame
    }

    /// What the pieces were, fed whole and byte by byte.
    fn followed(mut frames: Frames, pieces: &[Vec<u8>]) -> Vec<Seen> {
        let mut slow = frames;
        let whole: Vec<Seen> = pieces.iter().map(|piece| frames.follow(piece)).collect();
        for (piece, whole) in pieces.iter().zip(&whole) {
            let mut seen = Seen::default();
            for byte in piece {
                let one = slow.follow(&[*byte]);
                seen = Seen { message: seen.message | one.message, end: seen.end | one.end };
            }
            assert_eq!(seen, *whole);
        }
        whole
    }

    #[test]
    fn heads_are_counted_and_what_they_are_continued_with_is_not() {
        let mut frames = Frames::default();
        frames.follow(&[frame(HEADERS, 0, 1, 3), frame(CONTINUATION, END_HEADERS, 1, 3)].concat());
        frames.follow(&frame(DATA, 0, 1, 3));
        assert_eq!(frames.heads(), 1);
        frames.follow(&frame(HEADERS, END_STREAM | END_HEADERS, 1, 3));
        assert_eq!(frames.heads(), 2);
    }

    #[test]
    fn a_request_ends_with_the_frame_that_says_so() {
        let nothing = Seen::default();
        let part = Seen { message: true, end: false };
        let end = Seen { message: true, end: true };
        let pieces = [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            frame(SETTINGS, 0, 0, 18),
            frame(HEADERS, END_HEADERS, 1, 40),
            frame(DATA, 0, 1, 100),
            frame(SETTINGS, END_STREAM, 0, 0),
            frame(DATA, END_STREAM, 1, 0),
        ];
        let seen = [nothing, nothing, part, part, nothing, end];
        assert_eq!(followed(Frames::of_client(), &pieces), seen);
        let pieces = [frame(HEADERS, END_STREAM, 1, 9), frame(CONTINUATION, END_HEADERS, 1, 9)];
        assert_eq!(followed(Frames::default(), &pieces), [part, end]);
    }
}
