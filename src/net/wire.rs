//! An open connection, and one that notes when bytes went out and came in: an HTTP library does
//! not say when it had sent a request, so its connection must.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock::Stopwatch;
use crate::model::{Phase, Phases, Span};

/// Bytes both ways, with or without TLS underneath.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An open connection.
pub type Wire = Box<dyn Stream>;

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
}

impl Marks {
    /// Settles the exchange, which ends now: adds its phases to `phases`, and says which of them
    /// it ended in.
    pub fn settle(&self, phases: &mut Phases) -> Phase {
        let noted = *self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.settle(self.watch.elapsed(), phases)
    }

    fn note(&self, change: impl FnOnce(&mut Noted, Span)) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut noted, self.watch.elapsed());
    }
}

impl Noted {
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
}

impl Watched {
    /// Watches `wire`, in times since `watch` was started.
    pub fn new(wire: Wire, watch: Stopwatch) -> Self {
        Self { wire, marks: Marks { watch, noted: Arc::default() } }
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
        if buf.filled().len() > before {
            self.marks.note(|noted, at| {
                noted.first_byte.get_or_insert(at);
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
        // Part of a write is not the request's end.
        let stuck = !matches!(outcome, Poll::Ready(Ok(taken)) if taken == bytes.len());
        self.marks.note(|noted, at| noted.wrote(at, stuck));
        outcome
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.wire).poll_flush(cx);
        // Flushing counts only where bytes were held back, as TLS can.
        let stuck = outcome.is_pending();
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
