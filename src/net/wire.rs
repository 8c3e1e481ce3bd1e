//! An open connection, and one that notes when bytes went out and came in: an HTTP library does
//! not say when it had sent a request, so its connection must.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::sleep;

use super::frames::{Frames, Seen};
use crate::clock::Stopwatch;
use crate::model::{Phase, Phases, Span};

/// Most heads that are heard in HTTP/2 on one connection: interim answers, of which the library
/// keeps every one, the answer's own, and its trailers.
const MOST_HEADS: usize = 64;

/// Bytes both ways, with or without TLS underneath.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub type Wire = Box<dyn Stream>;

/// What is spoken over a watched connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// Every byte is a part of a request or its answer.
    Http1,
    /// Only some frames are.
    Http2,
}

/// What a watched connection has noted, shared with whoever asks afterwards.
#[derive(Clone, Debug)]
pub struct Marks {
    watch: Stopwatch,
    noted: Arc<Mutex<Noted>>,
}

/// Times since the watch was started.
#[derive(Clone, Copy, Debug, Default)]
struct Noted {
    /// When the last byte of the request was taken, if all that was offered has been.
    sent: Option<Span>,
    /// Whether bytes are waiting to be taken.
    stuck: bool,
    /// When the first byte of the answer came.
    first_byte: Option<Span>,
    /// When the last one came.
    last_byte: Option<Span>,
}

/// Which limit a silence has broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// So much before the answer began.
    FirstByte(Span),
    /// So much in its middle.
    Idle(Span),
}

impl Marks {
    /// Settles the exchange, which ends now: adds its phases to `phases`, and says which of them
    /// it ended in.
    pub fn settle(&self, phases: &mut Phases) -> Phase {
        let noted = *self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.settle(self.watch.elapsed(), phases)
    }

    /// Waits until it has been silent for longer than `first_byte` or, once the answer has begun,
    /// than `idle`; for ever without a limit.
    pub async fn silence(&self, first_byte: Option<Span>, idle: Option<Span>) -> Silence {
        loop {
            let noted = *self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            let now = self.watch.elapsed();
            let Some((since, silence)) = noted.silence(now, first_byte, idle) else {
                // There is no limit yet, and none is sooner met than it would take to notice.
                let soonest = first_byte.into_iter().chain(idle).min();
                match soonest {
                    Some(soonest) => sleep(soonest.to_duration()).await,
                    None => std::future::pending().await,
                }
                continue;
            };
            let (Silence::FirstByte(limit) | Silence::Idle(limit)) = silence;
            let silent = now.as_micros().saturating_sub(since.as_micros());
            match limit.as_micros().checked_sub(silent) {
                None | Some(0) => return silence,
                // The other limit may be shorter, and begin to count at any moment.
                Some(left) => {
                    let left = idle.map_or(left, |idle| left.min(idle.as_micros()));
                    sleep(Span::from_micros(left).to_duration()).await;
                }
            }
        }
    }

    fn note(&self, change: impl FnOnce(&mut Noted, Span)) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut noted, self.watch.elapsed());
    }
}

impl Noted {
    /// Since when it is silent, and what would break which limit; `None` where there is none.
    fn silence(
        self,
        now: Span,
        first_byte: Option<Span>,
        idle: Option<Span>,
    ) -> Option<(Span, Silence)> {
        match (self.last_byte, self.sent) {
            (Some(last), _) => Some((last, Silence::Idle(idle?))),
            (None, Some(sent)) if !self.stuck => Some((sent, Silence::FirstByte(first_byte?))),
            // While the request is being sent, no answer is late.
            (None, _) => Some((now, Silence::FirstByte(first_byte?))),
        }
    }

    /// 1. Until all of the request is taken it is being sent; an answer ends that too, since a
    ///    target may answer before it has read everything.
    /// 2. From then on the first byte is waited for.
    /// 3. From the first byte on the answer is being transferred.
    fn settle(self, end: Span, phases: &mut Phases) -> Phase {
        let between = |from: Span, to: Span| {
            Span::from_micros(to.as_micros().saturating_sub(from.as_micros()))
        };
        let sent = match (self.sent, self.first_byte) {
            (Some(sent), None) if !self.stuck => sent,
            (sent, Some(first_byte)) => sent.unwrap_or(first_byte).min(first_byte),
            (_, None) => {
                phases.add(Phase::Send, end);
                return Phase::Send;
            }
        };
        phases.add(Phase::Send, sent);
        let Some(first_byte) = self.first_byte else {
            phases.add(Phase::FirstByte, between(sent, end));
            return Phase::FirstByte;
        };
        phases.add(Phase::FirstByte, between(sent, first_byte));
        phases.add(Phase::Transfer, between(first_byte, end));
        Phase::Transfer
    }

    fn wrote(&mut self, at: Span, stuck: bool) {
        self.stuck = stuck;
        if self.first_byte.is_none() && !stuck {
            self.sent = Some(at);
        }
    }
}

/// A connection that notes when bytes went out and came in.
pub struct Watched {
    wire: Wire,
    marks: Marks,
    /// What went out and what came in, in frames where there are any.
    frames: Option<(Frames, Frames)>,
    /// Whether the whole request has been offered; without frames only its taking tells.
    offered: bool,
}

impl Watched {
    /// Watches `wire`, over which `speaks` is spoken, in times since `watch` was started.
    pub fn new(wire: Wire, watch: Stopwatch, speaks: Speaks) -> Self {
        let frames = (speaks == Speaks::Http2).then(|| (Frames::of_client(), Frames::default()));
        let marks = Marks { watch, noted: Arc::default() };
        Self { wire, marks, offered: frames.is_none(), frames }
    }

    /// What will have been noted.
    pub fn marks(&self) -> Marks {
        self.marks.clone()
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let outcome = ready!(Pin::new(&mut self.wire).poll_read(cx, buf));
        let came = buf.filled().get(before..).unwrap_or_default();
        let of_the_answer = match &mut self.frames {
            None => !came.is_empty(),
            Some((_, incoming)) => {
                let seen = incoming.follow(came);
                if incoming.heads() > MOST_HEADS {
                    let error = io::Error::new(io::ErrorKind::InvalidData, "heads without end");
                    return Poll::Ready(Err(error));
                }
                seen.message
            }
        };
        if of_the_answer {
            self.marks.note(|noted, at| {
                noted.first_byte.get_or_insert(at);
                noted.last_byte = Some(at);
            });
        }
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.wire).poll_write(cx, bytes);
        let taken = if let Poll::Ready(Ok(taken)) = outcome { taken } else { 0 };
        // Part of a write is not the request's end.
        let stuck = taken < bytes.len();
        match &mut self.frames {
            None => self.marks.note(|noted, at| noted.wrote(at, stuck)),
            Some((outgoing, _)) => {
                let Seen { end, .. } = outgoing.follow(bytes.get(..taken).unwrap_or_default());
                self.offered |= end;
                // What else is written afterwards is about the connection, not the request.
                if end {
                    self.marks.note(|noted, at| noted.wrote(at, false));
                }
            }
        }
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.wire).poll_flush(cx);
        // Flushing counts only where bytes were held back, as TLS can.
        let stuck = outcome.is_pending();
        if !self.offered {
            return outcome;
        }
        self.marks.note(|noted, at| {
            if stuck || noted.stuck {
                noted.wrote(at, stuck);
            }
        });
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::Noted;
    use crate::model::{Phase, Phases, Span};

    /// The phase it ended in, and all that were reached, in milliseconds.
    fn settled(sent: Option<u64>, stuck: bool, first: Option<u64>) -> (Phase, Vec<(Phase, u64)>) {
        let noted = Noted {
            sent: sent.map(Span::from_millis),
            stuck,
            first_byte: first.map(Span::from_millis),
            last_byte: None,
        };
        let mut phases = Phases::default();
        let last = noted.settle(Span::from_millis(100), &mut phases);
        (last, phases.iter().map(|(phase, took)| (phase, took.as_micros() / 1000)).collect())
    }

    #[test]
    fn an_exchange_ends_in_the_phase_that_it_reached() {
        use Phase::{FirstByte, Send, Transfer};
        assert_eq!(settled(None, false, None), (Send, vec![(Send, 100)]));
        assert_eq!(settled(Some(10), true, None), (Send, vec![(Send, 100)]));
        assert_eq!(settled(Some(10), false, None), (FirstByte, vec![(Send, 10), (FirstByte, 90)]));
        let whole = (Transfer, vec![(Send, 10), (FirstByte, 30), (Transfer, 60)]);
        assert_eq!(settled(Some(10), false, Some(40)), whole);
    }

    #[test]
    fn an_answer_ends_the_sending_even_of_a_request_that_is_not_out() {
        use Phase::{FirstByte, Send, Transfer};
        let early = (Transfer, vec![(Send, 40), (FirstByte, 0), (Transfer, 60)]);
        assert_eq!(settled(None, true, Some(40)), early);
    }
}
