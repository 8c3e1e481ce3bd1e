//! One question to one name server, measured like every other exchange: over UDP, TCP, TLS (DoT)
//! or HTTPS (DoH).
//!
//! It asks with messages of its own and not through a resolver: what one server says is the point,
//! and a resolver exists to hide that.

mod aliases;
mod anchors;
mod https;
mod message;
mod proof;
mod udp;

use std::io::Error;
use std::net::SocketAddr;

use hickory_proto::op::Message;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::connect::breakage;
use super::tls::Hello;
use super::wire::{Speaks, Watched};
use super::{Network, Run, TlsFor, Wire};
use crate::config::{DnsTransport, NameServer};
use crate::model::{Phase, Reason};

pub use aliases::follow;
pub use anchors::Anchors;
pub use message::{Question, Wants};

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The message.
    pub message: Message,
    /// Whether it did not fit into a datagram and had to be asked for again over TCP.
    pub truncated: bool,
}

impl Network {
    /// Asks `server`, which is at `address`. The time from question to answer is that to the first
    /// byte.
    pub async fn ask(
        &self,
        run: &mut Run,
        server: &NameServer,
        address: SocketAddr,
        question: &Question,
    ) -> Result<Answer, Reason> {
        let message = match &server.over {
            DnsTransport::Udp => return self.ask_by_datagram(run, address, question).await,
            DnsTransport::Tcp => self.ask_by_stream(run, address, None, question).await?,
            DnsTransport::Tls { name } => {
                let tls = TlsFor { host: name, alpn: Some("dot") };
                self.ask_by_stream(run, address, Some(tls), question).await?
            }
            DnsTransport::Https { name, path } => {
                let wire = self.connect(run, address, None).await?;
                let hello = Hello { host: name, alpn: &https::ALPN, with: None };
                let wire = self.tls.secure(run, wire, hello).await?;
                let alpn = wire.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
                let two = alpn.as_deref() == Some(b"h2");
                let speaks = if two { Speaks::Http2 } else { Speaks::Http1 };
                // Nobody asks it when what came; it bounds what may come before an answer.
                let watch = run.clock().stopwatch();
                let wire: Wire = Box::new(Watched::new(Box::new(wire), watch, speaks));
                let request = https::request(name, address.port(), path)?;
                let exchange = Box::pin(https::post(wire, alpn, request, question));
                run.phase(Phase::FirstByte, exchange).await?
            }
        };
        Ok(Answer { message, truncated: false })
    }

    /// Asks over UDP, and over TCP if the answer is truncated, as every client must.
    async fn ask_by_datagram(
        &self,
        run: &mut Run,
        address: SocketAddr,
        question: &Question,
    ) -> Result<Answer, Reason> {
        let message = run.phase(Phase::FirstByte, udp::ask(address, question)).await?;
        if !message.metadata.truncation {
            return Ok(Answer { message, truncated: false });
        }
        match self.ask_by_stream(run, address, None, question).await {
            Ok(message) => Ok(Answer { message, truncated: true }),
            Err(ours) if ours.is_ours() => Err(ours),
            Err(reason) => Err(Reason::DnsTruncated { detail: reason.to_string() }),
        }
    }

    async fn ask_by_stream(
        &self,
        run: &mut Run,
        address: SocketAddr,
        tls: Option<TlsFor<'_>>,
        question: &Question,
    ) -> Result<Message, Reason> {
        let wire = self.open(run, address, tls).await?;
        run.phase(Phase::FirstByte, converse(wire, question)).await
    }
}

/// Asks over a stream, where every message has its length in front and so cannot be longer than
/// 64 KiB.
async fn converse(mut wire: Wire, question: &Question) -> Result<Message, Reason> {
    let broke = |error: Error| breakage(&error, Phase::FirstByte);
    wire.write_all(&question.framed()).await.map_err(broke)?;
    wire.flush().await.map_err(broke)?;
    let length = wire.read_u16().await.map_err(broke)?;
    let mut packet = vec![0; usize::from(length)];
    wire.read_exact(&mut packet).await.map_err(broke)?;
    question.answered_whole_by(&packet)
}
