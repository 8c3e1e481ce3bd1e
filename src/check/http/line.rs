//! A connection over which HTTP is spoken, in either version: driven by whoever waits for its
//! answer and by nobody else, so that nothing of it outlives the run.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::rt::Executor;
use hyper_util::rt::TokioIo;

use super::super::bounded::{Bounded, Head, is_too_much};
use crate::model::{Phase, Reason};
use crate::net::connect::breakage;
use crate::net::wire::{Speaks, Watched};

/// Longest head of an answer, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// Most bytes before the end of an answer's head, with all interim answers: more than the library
/// buffers for a head alone, and than what may come with it of the body.
pub(in super::super) const LONGEST_PRELUDE: usize = 4 * LONGEST_HEAD + WINDOW as usize;

/// Most headers of an answer.
pub(in super::super) const MOST_HEADERS: usize = 256;

/// How much of a body may be under way; what comes of it is taken at once.
const WINDOW: u32 = 256 * 1024;

/// One connection, good for one request.
pub(in super::super) struct Line {
    sender: Sender,
    driver: Driver,
    head: Head,
}

enum Sender {
    One(http1::SendRequest<Full<Bytes>>),
    Two(http2::SendRequest<Full<Bytes>>),
}

impl Line {
    /// Says what HTTP says before a request.
    pub(in super::super) async fn open(wire: Watched, speaks: Speaks) -> hyper::Result<Self> {
        let driver = Driver::default();
        let wire = Bounded::new(wire, LONGEST_PRELUDE);
        let head = wire.head();
        let wire = TokioIo::new(wire);
        let sender = match speaks {
            Speaks::Http1 => {
                let (sender, connection) = one().handshake(wire).await?;
                driver.spawned.add(connection);
                Sender::One(sender)
            }
            Speaks::Http2 => {
                let (sender, connection) = http2::Builder::new(driver.spawned.clone())
                    .max_header_list_size(u32::try_from(LONGEST_HEAD).unwrap_or(u32::MAX))
                    .max_frame_size(16 * 1024)
                    .initial_stream_window_size(WINDOW)
                    .initial_connection_window_size(WINDOW)
                    .handshake(wire)
                    .await?;
                driver.spawned.add(connection);
                Sender::Two(sender)
            }
        };
        Ok(Self { sender, driver, head })
    }

    /// Sends `request` and waits for the head of the answer.
    pub(in super::super) async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> hyper::Result<Response<Incoming>> {
        let answer = match &mut self.sender {
            Sender::One(sender) => self.driver.alongside(sender.send_request(request)).await,
            Sender::Two(sender) => self.driver.alongside(sender.send_request(request)).await,
        };
        self.head.came();
        answer
    }

    /// Whether more came before the answer's head than is read.
    pub(in super::super) fn is_flooded(&self) -> bool {
        self.head.is_too_late()
    }

    /// Does `work`, which needs the connection to be driven, and drives it.
    pub(in super::super) async fn alongside<T>(&mut self, work: impl Future<Output = T>) -> T {
        self.driver.alongside(work).await
    }
}

/// HTTP/1.1, with heads of bounded size.
pub(in super::super) fn one() -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder.max_headers(MOST_HEADERS).max_header_size(LONGEST_HEAD).max_buf_size(LONGEST_HEAD);
    builder
}

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a connection consists of beside its sender.
#[derive(Default)]
struct Driver {
    running: Vec<Task>,
    spawned: Spawned,
}

impl Driver {
    async fn alongside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            self.poll(cx);
            match work.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(done),
                Poll::Pending => {
                    // The work may have brought up another task, which nobody has woken yet.
                    self.poll(cx);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Their own outcomes are of no interest: the sender learns of them, since dropping a task
    /// closes its channels.
    fn poll(&mut self, cx: &mut Context<'_>) {
        self.running.extend(self.spawned.take());
        self.running.retain_mut(|task| task.as_mut().poll(cx).is_pending());
    }
}

/// Takes the tasks that a connection starts, for its driver.
#[derive(Clone, Default)]
struct Spawned(Arc<Mutex<Vec<Task>>>);

impl Spawned {
    fn add<T>(&self, task: impl Future<Output = T> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.push(Box::pin(async move { drop(task.await) }));
    }

    fn take(&self) -> Vec<Task> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<T: Future<Output = ()> + Send + 'static> Executor<T> for Spawned {
    fn execute(&self, task: T) {
        self.add(task);
    }
}

/// The reason behind a connection that broke in `phase`.
pub(in super::super) fn broken(error: &hyper::Error, phase: Phase) -> Reason {
    if error.is_parse_too_large() {
        return Reason::HeadersTooLarge;
    }
    let source = std::error::Error::source(error);
    if let Some(two) = source.and_then(|source| source.downcast_ref::<h2::Error>()) {
        return two_broken(two, phase);
    }
    // A library that has got an answer before it has sent a request gives up the request.
    if error.is_canceled() && phase == Phase::Transfer {
        let detail = String::from("it came before it was asked for");
        return Reason::MalformedAnswer { detail };
    }
    if error.is_incomplete_message() || error.is_canceled() || error.is_closed() {
        return Reason::ConnectionClosed { phase };
    }
    match source.and_then(|source| source.downcast_ref::<std::io::Error>()) {
        Some(io) if is_too_much(io) => Reason::HeadersTooLarge,
        Some(io) => breakage(io, phase),
        None => Reason::MalformedAnswer { detail: error.to_string() },
    }
}

/// The same of a connection in HTTP/2.
fn two_broken(error: &h2::Error, phase: Phase) -> Reason {
    use h2::Reason as Code;
    if let Some(io) = error.get_io() {
        return if is_too_much(io) { Reason::HeadersTooLarge } else { breakage(io, phase) };
    }
    let malformed = || Reason::MalformedAnswer { detail: error.to_string() };
    match error.reason() {
        Some(Code::ENHANCE_YOUR_CALM) if error.to_string().contains("too_many_data_frames") => {
            malformed()
        }
        // This library refuses a head that is too large in these ways, and nothing else so.
        Some(Code::REFUSED_STREAM | Code::ENHANCE_YOUR_CALM | Code::COMPRESSION_ERROR)
            if error.is_library() =>
        {
            Reason::HeadersTooLarge
        }
        Some(_) if error.is_library() => malformed(),
        // The target hung up in as many words.
        Some(_) if error.is_remote() => Reason::ConnectionClosed { phase },
        _ => malformed(),
    }
}
