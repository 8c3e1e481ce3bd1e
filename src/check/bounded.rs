//! A bound on what may come over a connection, before an answer's head or at all: libraries skip
//! what they need not show (interim answers of HTTP, empty fragments of a message) without counting
//! it, and a target may send that without end, faster than it is skipped.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More came than is read.
#[derive(Debug, thiserror::Error)]
#[error("more came than is read")]
struct TooMuch;

/// What is known of an answer's head.
#[derive(Clone, Debug, Default)]
pub(super) struct Head(Arc<Known>);

#[derive(Debug, Default)]
struct Known {
    came: AtomicBool,
    too_late: AtomicBool,
}

impl Head {
    /// The head has come, from when on the body's own bound holds.
    pub(super) fn came(&self) {
        self.0.came.store(true, Ordering::Relaxed);
    }

    /// Whether too much came before it. The library does not always pass on what it was told.
    pub(super) fn is_too_late(&self) -> bool {
        self.0.too_late.load(Ordering::Relaxed)
    }
}

/// A connection that fails when more than `left` bytes come before the head's end, if it is ever
/// told of that.
pub(super) struct Bounded<W> {
    wire: W,
    left: usize,
    head: Head,
}

impl<W> Bounded<W> {
    /// Lets `most` bytes through until the head has come.
    pub(super) fn new(wire: W, most: usize) -> Self {
        Self { wire, left: most, head: Head::default() }
    }

    /// To be told when the head has come, and to tell when it did not.
    pub(super) fn head(&self) -> Head {
        self.head.clone()
    }
}

/// Whether it failed for that.
pub(super) fn is_too_much(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<TooMuch>())
}

impl<W: AsyncRead + Unpin> AsyncRead for Bounded<W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.wire).poll_read(cx, buf))?;
        if !self.head.0.came.load(Ordering::Relaxed) {
            let came = buf.filled().len() - before;
            let Some(left) = self.left.checked_sub(came) else {
                self.head.0.too_late.store(true, Ordering::Relaxed);
                return Poll::Ready(Err(io::Error::other(TooMuch)));
            };
            self.left = left;
        }
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for Bounded<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.wire).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.wire).poll_shutdown(cx)
    }
}
