//! Frames of HTTP/2, right and wrong.

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// A frame on `stream` with what is in it.
pub(crate) fn frame(kind: u8, flags: u8, stream: u8, body: &[u8]) -> Vec<u8> {
    let [.., a, b, c] = body.len().to_be_bytes();
    [&[a, b, c, kind, flags, 0, 0, 0, stream], body].concat()
}

/// Settings that say nothing.
pub(crate) fn settings() -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[])
}

/// `:status: 200`, and nothing else.
pub(crate) fn head(flags: u8) -> Vec<u8> {
    frame(HEADERS, flags, 1, &[0x88])
}

/// Whether a client has opened its first stream: before, nothing may be said on it.
pub(crate) fn is_asked(heard: &[u8]) -> bool {
    let Some(mut rest) = heard.get(24..) else { return false };
    while let [a, b, c, kind, _, _, _, _, _, after @ ..] = rest {
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let Some(next) = after.get(length..) else { return false };
        if *kind == HEADERS {
            return true;
        }
        rest = next;
    }
    false
}
