//! A client of NTP (RFC 5905) that asks one server a few times, and sets no clock.
//!
//! What it learns is an interval that holds the offset of the server's clock for certain, whatever
//! the way there was like: the usual estimate, which takes both ways to be equally long, is off
//! whenever they are not.

mod packet;
mod reading;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::UdpSocket;

use super::connect::{has_route, refusal};
use super::{Network, Run};
use crate::clock::Clock;
use crate::model::{Phase, Reason, Span};

pub use packet::{LENGTH, Moment, Packet};
pub use reading::Reading;

/// The port that NTP servers have.
pub const PORT: u16 = 123;

/// Most packets that are looked at while waiting for the one that answers: whoever floods us with
/// others must not keep us busy.
const MOST_PACKETS: usize = 256;

/// The time between two questions. Servers that guard themselves take those who ask more often for
/// a flood.
const BETWEEN: Span = Span::from_secs(2);

/// A server, and how it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking {
    /// Where it is.
    pub server: SocketAddr,
    /// The address of this host to ask from, if it matters.
    pub source: Option<IpAddr>,
    /// How often it is asked.
    pub samples: u32,
}

impl Network {
    /// Asks an NTP server a few times, one after the other, in the time that the run has left. The
    /// time to the first byte is that of the best answer.
    ///
    /// A packet that is lost is no more than a sample less; without any answer the last thing that
    /// went wrong is the reason. A server that refuses is not asked again.
    pub async fn read_clock(&self, run: &mut Run, asking: Asking) -> Result<Reading, Reason> {
        let Asking { server, source, samples } = asking;
        let socket = open(server, source).await?;
        let mut readings = Vec::new();
        let mut trouble = Reason::Timeout { phase: Phase::FirstByte };
        let watch = run.clock().stopwatch();
        for sample in 0..samples.max(1) {
            let share = run.time_left().as_micros() / u64::from(samples.max(1) - sample);
            let attempt = run.at_most(Span::from_micros(share));
            match attempt.within_deadline(ask(&socket, server, run.clock())).await {
                Some(Ok(reading)) => readings.push(reading),
                Some(Err(ours)) if ours.is_ours() => return Err(ours),
                Some(Err(reason)) => {
                    let refused = matches!(reason, Reason::NtpRefused { .. });
                    trouble = reason;
                    if refused {
                        break;
                    }
                }
                None => {}
            }
            if sample + 1 < samples {
                let pause = BETWEEN.min(Span::from_micros(share / 2));
                let _ = run.within_deadline(tokio::time::sleep(pause.to_duration())).await;
            }
        }
        let best = Reading::best(readings);
        let took = best.map_or_else(|| watch.elapsed(), |best| best.delay);
        run.phases.add(Phase::FirstByte, took);
        best.ok_or(trouble)
    }
}

/// A socket that hears `server` alone.
async fn open(server: SocketAddr, source: Option<IpAddr>) -> Result<UdpSocket, Reason> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let unreachable = |error| refusal(&error, has_route(server));
    let socket =
        UdpSocket::bind((source.unwrap_or(any), 0)).await.map_err(|error| match source {
            Some(source) if error.kind() == std::io::ErrorKind::AddrNotAvailable => {
                Reason::ProberMisconfigured { detail: format!("the source address {source}") }
            }
            _ => unreachable(error),
        })?;
    socket.connect(server).await.map_err(unreachable)?;
    Ok(socket)
}

/// Asks once, and waits for the packet that answers: what does not give our mark back is of old
/// times or a forgery, and the answer may still come.
async fn ask(socket: &UdpSocket, server: SocketAddr, clock: Clock) -> Result<Reading, Reason> {
    let unreachable = |error| refusal(&error, has_route(server));
    let mut mark = [0; 8];
    getrandom::fill(&mut mark)
        .map_err(|error| Reason::ProberExhausted { detail: error.to_string() })?;
    let question = Packet::question(u64::from_be_bytes(mark));
    // More than the head may come, and what does not fit is cut off by the system.
    let mut bytes = [0; LENGTH];
    let sent = clock.now();
    socket.send(&question.encode()).await.map_err(unreachable)?;
    for _ in 0..MOST_PACKETS {
        let length = socket.recv(&mut bytes).await.map_err(unreachable)?;
        let received = clock.now();
        let answer = Packet::decode(bytes.get(..length).unwrap_or_default());
        let ours = |answer: &Packet| answer.mode == 4 && answer.origin == question.transmit;
        if let Some(answer) = answer.filter(ours) {
            return Reading::of(&answer, sent, received);
        }
    }
    let detail = format!("{MOST_PACKETS} packets that answer nothing we asked");
    Err(Reason::MalformedAnswer { detail })
}
