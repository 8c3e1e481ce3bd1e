//! A conversation in messages: what is sent, what is heard, and what it means when it breaks off.
//! Bounded in time by its run, and in size here.

#![expect(clippy::wildcard_enum_match_arm, reason = "the library's errors are an open set")]

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::super::bounded::is_too_much;
use super::super::script::{Kept, named};
use super::super::tcp::talk::words;
use super::upgrade::{Bound, Open, Unfit};
use crate::config::Step;
use crate::model::{Phase, Reason, Span};
use crate::net::connect::breakage;

/// How much is read at once. A message has room of its own.
const PART: usize = 4096;

/// Most pings and pongs in one conversation. Every ping is answered with a packet, and a few bytes
/// ask for one; in the longest of runs this is three a second.
const MOST_CONTROLS: usize = 1024;

/// The code of a close that says nothing (RFC 6455, 7.1.5).
const NO_CODE: u16 = 1005;

/// What the step that waits expects, and the last message that was not it.
#[derive(Debug, Default)]
pub(super) struct Heard {
    expected: String,
    got: Option<String>,
}

impl Heard {
    /// What to say instead of that it ended: what came tells more than that.
    pub(super) fn instead(self) -> Option<Reason> {
        let Self { expected, got } = self;
        got.map(|got| Reason::WebsocketExpect { expected, got })
    }
}

/// A conversation.
pub(super) struct Talk {
    socket: WebSocketStream<Bound>,
    /// How many pings and pongs have come.
    controls: usize,
}

impl Talk {
    /// A conversation in which no message has more than `most` bytes.
    pub(super) async fn new(open: Open, most: u64) -> Self {
        let most = usize::try_from(most).ok();
        let config = WebSocketConfig::default()
            .read_buffer_size(PART)
            .write_buffer_size(0)
            .max_message_size(most)
            .max_frame_size(most);
        let (wire, early) = (open.wire, open.early.to_vec());
        let socket =
            WebSocketStream::from_partially_read(wire, early, Role::Client, Some(config)).await;
        Self { socket, controls: 0 }
    }

    /// Goes through `script`; a step waits for what it expects no longer than `patience`.
    pub(super) async fn follow(
        &mut self,
        script: &[Step],
        patience: Option<Span>,
        heard: &mut Heard,
    ) -> Result<(), Unfit> {
        let mut kept = Kept::of(script);
        for (at, step) in script.iter().enumerate() {
            match step {
                Step::Send(pieces) => {
                    let text = String::from_utf8(kept.fill_in(pieces)?.into_owned());
                    let detail = || String::from("what was captured is no text to be sent");
                    let text = text.map_err(|_| Reason::MalformedAnswer { detail: detail() })?;
                    self.say(Message::text(text)).await?;
                }
                Step::SendBytes(bytes) => {
                    self.say(Message::binary(Bytes::copy_from_slice(bytes))).await?;
                }
                Step::Expect(pattern) => {
                    *heard = Heard { expected: named(script, at, pattern), got: None };
                    let find = |message: &[u8]| kept.find(at, pattern, message).is_some();
                    self.listen(find, patience, heard).await?;
                    heard.got = None;
                }
                // No file can have it: there is TLS before the first message, or none at all.
                Step::Starttls => {}
            }
        }
        Ok(())
    }

    async fn say(&mut self, message: Message) -> Result<(), Reason> {
        self.socket.send(message).await.map_err(|error| meaning(&error))
    }

    /// Waits for a message that `is_it`.
    async fn listen(
        &mut self,
        is_it: impl FnMut(&[u8]) -> bool,
        patience: Option<Span>,
        heard: &mut Heard,
    ) -> Result<(), Reason> {
        let waiting = self.wait_for(is_it, heard);
        let ending = match patience {
            None => waiting.await,
            Some(limit) => timeout(limit.to_duration(), waiting)
                .await
                .unwrap_or(Err(Reason::ExpectLimit { limit })),
        };
        match ending {
            Err(Reason::ExpectLimit { .. } | Reason::ConnectionClosed { .. })
                if heard.got.is_some() =>
            {
                std::mem::take(heard).instead().map_or(ending, Err)
            }
            ending => ending,
        }
    }

    async fn wait_for(
        &mut self,
        mut is_it: impl FnMut(&[u8]) -> bool,
        heard: &mut Heard,
    ) -> Result<(), Reason> {
        loop {
            let message = match self.socket.next().await {
                Some(Ok(message)) => message,
                None => return Err(Reason::ConnectionClosed { phase: Phase::Transfer }),
                Some(Err(Error::Io(io))) if is_too_much(&io) => return Err(flooded(heard)),
                Some(Err(error)) => return Err(meaning(&error)),
            };
            match message {
                Message::Close(frame) => return Err(closed(frame)),
                // A ping has been answered by the library.
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {
                    self.controls += 1;
                    if self.controls > MOST_CONTROLS {
                        return Err(flooded(heard));
                    }
                }
                message @ (Message::Text(_) | Message::Binary(_)) => {
                    let message = message.into_data();
                    if is_it(&message) {
                        return Ok(());
                    }
                    heard.got = Some(words(&message));
                }
            }
        }
    }

    /// Closes it as the protocol has it, and waits until the target has as well.
    pub(super) async fn close(mut self) {
        let goodbye = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        if self.socket.close(Some(goodbye)).await.is_ok() {
            while let Some(Ok(_)) = self.socket.next().await {}
        }
    }
}

/// More comes than is read. What came last, if any message did, tells more than that.
fn flooded(heard: &mut Heard) -> Reason {
    let detail = String::from("it goes on for longer than is read");
    std::mem::take(heard).instead().unwrap_or(Reason::MalformedAnswer { detail })
}

fn closed(frame: Option<CloseFrame>) -> Reason {
    frame.map_or(Reason::WebsocketClosed { code: NO_CODE, detail: String::new() }, |frame| {
        Reason::WebsocketClosed { code: frame.code.into(), detail: frame.reason.to_string() }
    })
}

/// The reason behind a conversation that broke off.
fn meaning(error: &Error) -> Reason {
    let phase = Phase::Transfer;
    match error {
        Error::Io(io) => breakage(io, phase),
        Error::Capacity(CapacityError::MessageTooLong { .. }) => Reason::WebsocketMessageTooLarge,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            Reason::ConnectionClosed { phase }
        }
        Error::Protocol(error) => Reason::MalformedAnswer { detail: error.to_string() },
        other => Reason::MalformedAnswer { detail: other.to_string() },
    }
}
