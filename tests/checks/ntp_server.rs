//! Small NTP servers on the loopback, each question answered by a function.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farol::clock::Clock;
use farol::model::Timestamp;
use farol::net::ntp::{Moment, Packet};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// A server that stops when it is dropped.
pub(crate) struct NtpServer {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _answering: JoinSet<()>,
}

impl NtpServer {
    /// Answers each question with the packets that `answer` makes of it, whatever they are.
    pub(crate) async fn start(
        answer: impl Fn(&[u8], usize) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let (mut answering, count) = (JoinSet::new(), asked.clone());
        answering.spawn(async move {
            let mut bytes = [0; 1500];
            loop {
                let (length, from) = socket.recv_from(&mut bytes).await.unwrap();
                let number = count.fetch_add(1, Ordering::SeqCst);
                for packet in answer(&bytes[..length], number) {
                    // Whoever asked may have had enough.
                    let _ = socket.send_to(&packet, from).await;
                }
            }
        });
        Self { address, asked, _answering: answering }
    }

    /// A server that says what `change` makes of an honest answer.
    pub(crate) async fn saying(change: impl Fn(Packet) -> Packet + Send + 'static) -> Self {
        Self::start(move |question, _| vec![change(honest(question)).encode().to_vec()]).await
    }

    /// How often it was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A check of its clock, as a probe file has it.
    pub(crate) fn check(&self, more: &str) -> String {
        format!("clock = {{ url = 'ntp://{}', samples = 1{more} }}", self.address)
    }
}

/// What a server says that knows the time.
pub(crate) fn honest(question: &[u8]) -> Packet {
    let now = Moment::of(Clock::start().now());
    Packet {
        leap: 0,
        version: 4,
        mode: 4,
        stratum: 2,
        precision: -20,
        root_delay: 655,
        root_dispersion: 655,
        reference_id: [192, 0, 2, 1],
        origin: Packet::decode(question).unwrap().transmit,
        reference: now,
        receive: now,
        transmit: now,
        ..Packet::default()
    }
}

/// The same by a clock that is so many microseconds ahead.
pub(crate) fn ahead(packet: Packet, micros: i64) -> Packet {
    let now = Clock::start().now().as_micros() + micros;
    let now = Moment::of(Timestamp::from_micros(now));
    Packet { receive: now, transmit: now, ..packet }
}
