//! Undoes a body's compression as it comes, in bounded memory: what counts against the limit is
//! what a body becomes, so that a small one which becomes endless ends at the limit as well.

use std::io::{self, Write};

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use flate2::write::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// What is asked for: all that can be undone.
pub(in crate::check) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// How much longer than its limit a body may be while it is compressed: what cannot be compressed
/// becomes a little longer by it.
const OVERHEAD: u64 = 4096;

/// The largest window, as a power of two, that is kept for zstd; what the web may use (RFC 9659).
/// Brotli's is as large at most, but for its extension for large windows, which nobody asked for.
const ZSTD_WINDOW: u32 = 23;

/// Why a body cannot be read.
#[derive(Debug)]
pub(super) enum Undecodable {
    /// It becomes longer than the limit.
    TooLarge,
    /// It is not what its `Content-Encoding` says.
    Broken(String),
}

/// A body on its way through its decoder.
pub(super) struct Body {
    /// How much more may come.
    left: u64,
    /// Whether anything has come: what has no body needs no decoder, whatever its headers say.
    begun: bool,
    decoder: Decoder,
}

enum Decoder {
    Plain(Sink),
    Gzip(MultiGzDecoder<Sink>),
    /// Whether it is wrapped as RFC 9110 wants it, or bare as some servers send it, its first byte
    /// will tell.
    Deflate(Option<Sink>),
    Inflate(Box<Inflate>),
    Brotli(Box<Brotli>),
    Zstd(zstd::stream::write::Decoder<'static, Sink>),
}

impl Body {
    /// A body with `headers` that may become `limit` bytes; they are returned if `keep`.
    pub(super) fn new(headers: &HeaderMap, limit: u64, keep: bool) -> Result<Self, Undecodable> {
        let sink = Sink { left: limit, full: false, kept: keep.then(Vec::new) };
        let mut names = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or("?").split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .filter(|name| !matches!(name.as_str(), "" | "identity"));
        let name = names.next();
        if names.next().is_some() {
            return Err(Undecodable::Broken("encoded more than once".to_owned()));
        }
        let decoder = match name.as_deref() {
            None => Decoder::Plain(sink),
            Some("gzip" | "x-gzip") => Decoder::Gzip(MultiGzDecoder::new(sink)),
            Some("deflate") => Decoder::Deflate(Some(sink)),
            Some("br") => Decoder::Brotli(Box::new(Brotli::new(sink))),
            Some("zstd") => {
                let decoder = zstd_decoder(sink).map_err(|error| broken("zstd", &error))?;
                Decoder::Zstd(decoder)
            }
            Some(other) => {
                return Err(Undecodable::Broken(format!("in an unknown encoding: {other}")));
            }
        };
        let overhead = if matches!(decoder, Decoder::Plain(_)) { 0 } else { OVERHEAD };
        Ok(Self { left: limit.saturating_add(overhead), begun: false, decoder })
    }

    /// How many bytes may still come.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// Takes what comes next.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Undecodable> {
        let Some(first) = bytes.first() else { return Ok(()) };
        self.begun = true;
        self.left = u64::try_from(bytes.len())
            .ok()
            .and_then(|length| self.left.checked_sub(length))
            .ok_or(Undecodable::TooLarge)?;
        if let Decoder::Deflate(sink) = &mut self.decoder
            && let Some(sink) = sink.take()
        {
            // The method is deflate (8), the window one that there is: such a beginning no bare
            // stream of any known compressor has.
            let wrapped = first & 0x0f == 8 && first >> 4 <= 7;
            let stream = Decompress::new(wrapped);
            self.decoder = Decoder::Inflate(Box::new(Inflate { stream, sink, done: false }));
        }
        let taken = match &mut self.decoder {
            Decoder::Plain(sink) => sink.write_all(bytes),
            Decoder::Gzip(decoder) => decoder.write_all(bytes),
            Decoder::Inflate(decoder) => decoder.write_all(bytes),
            Decoder::Brotli(decoder) => decoder.write_all(bytes),
            Decoder::Zstd(decoder) => decoder.write_all(bytes),
            Decoder::Deflate(_) => Ok(()),
        };
        taken.map_err(|error| self.trouble(&error))
    }

    /// The whole body, if it was to be kept.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, Undecodable> {
        if self.begun {
            let ended = match &mut self.decoder {
                Decoder::Plain(_) | Decoder::Deflate(_) => Ok(()),
                Decoder::Gzip(decoder) => decoder.try_finish(),
                Decoder::Inflate(decoder) => ended(decoder.done),
                Decoder::Brotli(decoder) => ended(decoder.done),
                Decoder::Zstd(decoder) => decoder.do_finish(),
            };
            ended.map_err(|error| self.trouble(&error))?;
        }
        Ok(self.sink().and_then(|sink| sink.kept.take()).unwrap_or_default())
    }

    fn sink(&mut self) -> Option<&mut Sink> {
        Some(match &mut self.decoder {
            Decoder::Plain(sink) => sink,
            Decoder::Deflate(sink) => return sink.as_mut(),
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Inflate(decoder) => &mut decoder.sink,
            Decoder::Brotli(decoder) => &mut decoder.sink,
            Decoder::Zstd(decoder) => decoder.get_mut(),
        })
    }

    fn trouble(&mut self, error: &io::Error) -> Undecodable {
        if self.sink().is_some_and(|sink| sink.full) {
            return Undecodable::TooLarge;
        }
        let name = match &self.decoder {
            Decoder::Plain(_) => "identity",
            Decoder::Gzip(_) => "gzip",
            Decoder::Deflate(_) | Decoder::Inflate(_) => "deflate",
            Decoder::Brotli(_) => "br",
            Decoder::Zstd(_) => "zstd",
        };
        broken(name, error)
    }
}

fn broken(name: &str, error: &io::Error) -> Undecodable {
    Undecodable::Broken(format!("not what {name} makes: {error}"))
}

fn zstd_decoder(sink: Sink) -> io::Result<zstd::stream::write::Decoder<'static, Sink>> {
    let mut decoder = zstd::stream::raw::Decoder::new()?;
    decoder.set_parameter(zstd::stream::raw::DParameter::WindowLogMax(ZSTD_WINDOW))?;
    Ok(zstd::stream::write::Decoder::with_decoder(sink, decoder))
}

/// What the body becomes.
struct Sink {
    left: u64,
    full: bool,
    kept: Option<Vec<u8>>,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = u64::try_from(bytes.len()).ok().and_then(|got| self.left.checked_sub(got));
        let Some(left) = left else {
            self.full = true;
            return Err(io::ErrorKind::WriteZero.into());
        };
        self.left = left;
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Deflate by hand, since its writer does not say whether the stream came to its end.
struct Inflate {
    stream: Decompress,
    sink: Sink,
    done: bool,
}

impl Inflate {
    fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        let mut part = [0; 4096];
        loop {
            if self.done {
                return nothing_more(bytes);
            }
            let (taken, given) = (self.stream.total_in(), self.stream.total_out());
            let none = FlushDecompress::None;
            let status = self.stream.decompress(bytes, &mut part, none)?;
            let count = |from: u64, to: u64| usize::try_from(to - from).unwrap_or(usize::MAX);
            let given = count(given, self.stream.total_out());
            let taken = count(taken, self.stream.total_in());
            bytes = bytes.get(taken..).unwrap_or_default();
            self.sink.write_all(part.get(..given).unwrap_or_default())?;
            self.done = status == Status::StreamEnd;
            // With room left over, all that could be made of what has come has been made.
            if !self.done && bytes.is_empty() && given < part.len() {
                return Ok(());
            }
            if !self.done && taken == 0 && given == 0 {
                return Err(invalid("invalid data"));
            }
        }
    }
}

/// Brotli by hand, since its writer would make room for any window that a stream asks for.
struct Brotli {
    state: BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    sink: Sink,
    done: bool,
}

impl Brotli {
    fn new(sink: Sink) -> Self {
        let alloc = StandardAlloc::default;
        Self { state: BrotliState::new_strict(alloc(), alloc(), alloc()), sink, done: false }
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (mut left, mut at) = (bytes.len(), 0);
        let mut part = [0; 4096];
        let mut total = 0;
        loop {
            if self.done {
                return nothing_more(bytes.get(at..).unwrap_or_default());
            }
            let (mut room, mut end) = (part.len(), 0);
            let outcome = BrotliDecompressStream(
                &mut left,
                &mut at,
                bytes,
                &mut room,
                &mut end,
                &mut part,
                &mut total,
                &mut self.state,
            );
            self.sink.write_all(part.get(..end).unwrap_or_default())?;
            match outcome {
                BrotliResult::ResultSuccess => self.done = true,
                BrotliResult::NeedsMoreInput => return Ok(()),
                BrotliResult::NeedsMoreOutput => {}
                BrotliResult::ResultFailure => return Err(invalid("invalid data")),
            }
        }
    }
}

fn nothing_more(rest: &[u8]) -> io::Result<()> {
    if rest.is_empty() { Ok(()) } else { Err(invalid("more comes after its end")) }
}

fn ended(done: bool) -> io::Result<()> {
    if done { Ok(()) } else { Err(invalid("it ends early")) }
}

fn invalid(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests;
