//! A bound on what may come before an answer's head: the HTTP library skips interim answers (1xx)
//! without counting them, and a target may send them without end, faster than they are skipped.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// More came before the end of the head than is read.
#[derive(Debug, thiserror::Error)]
#[error("more came before the answer than is read")]
pub(super) struct TooMuch;

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

/// A connection that fails when more than `left` bytes come before the head's end.
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
