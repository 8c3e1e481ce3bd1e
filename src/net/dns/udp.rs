//! DNS in datagrams.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hickory_proto::op::Message;
use tokio::net::UdpSocket;
use tokio::time::timeout;

use super::message::{Question, stray};
use crate::model::Reason;
use crate::net::connect::{has_route, refusal};

/// Most packets that are looked at while waiting for the one that answers: whoever floods us with
/// others must not keep us busy.
const MOST_PACKETS: usize = 256;

/// How long an answer is waited for before the same packet is sent again, each time: networks lose
/// packets, and a name is not gone because of one (RFC 1035 section 4.2.1). These are the times at
/// which TCP would send it again (RFC 6298 section 2).
const SENT_AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

/// Asks, and waits for the packet that answers. The socket is connected, so the system drops what
/// comes from elsewhere; what comes with another id is a forgery or an echo of old times, and the
/// answer may still come.
pub(super) async fn ask(server: SocketAddr, question: &Question) -> Result<Message, Reason> {
    let unreachable = |error| refusal(&error, has_route(server));
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await.map_err(unreachable)?;
    socket.connect(server).await.map_err(unreachable)?;
    for patience in SENT_AGAIN_AFTER {
        socket.send(question.packet()).await.map_err(unreachable)?;
        if let Ok(answer) = timeout(patience, hear(&socket, server, question)).await {
            return answer;
        }
    }
    socket.send(question.packet()).await.map_err(unreachable)?;
    hear(&socket, server, question).await
}

async fn hear(
    socket: &UdpSocket,
    server: SocketAddr,
    question: &Question,
) -> Result<Message, Reason> {
    let mut packet = vec![0; 4096];
    for _ in 0..MOST_PACKETS {
        let length = socket.recv(&mut packet).await;
        let length = length.map_err(|error| refusal(&error, has_route(server)))?;
        if let Some(answer) = question.answered_by(packet.get(..length).unwrap_or_default()) {
            return answer;
        }
    }
    Err(stray(MOST_PACKETS))
}
