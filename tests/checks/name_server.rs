//! A name server on the loopback, over UDP and TCP, that answers every name in a way of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, MX, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

/// The addresses of `three.test`.
pub(crate) const THREE: [&str; 3] = ["127.0.1.1", "127.0.1.2", "127.0.1.3"];

/// A name server that stops when it is dropped.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl NameServer {
    pub(crate) async fn start() -> Self {
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
            // Somebody else may have the port in the other protocol.
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = tcp.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let mut serving = JoinSet::new();
        serving.spawn(serve_udp(udp, asked.clone()));
        serving.spawn(serve_tcp(tcp));
        Self { address, asked, _serving: serving }
    }

    /// How many questions came over UDP.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn serve_udp(socket: UdpSocket, asked: Arc<AtomicUsize>) {
    let mut packet = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut packet).await.unwrap();
        asked.fetch_add(1, Ordering::Relaxed);
        for answer in answers(&Message::from_vec(&packet[..length]).unwrap(), Some(512)) {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener) {
    let mut answering = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        answering.spawn(async move {
            // Whoever asks may leave whenever they like.
            let _ = serve_stream(stream).await;
        });
    }
}

async fn serve_stream(mut stream: TcpStream) -> std::io::Result<()> {
    loop {
        let mut question = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut question).await?;
        for answer in answers(&Message::from_vec(&question).unwrap(), None) {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await?;
            stream.write_all(&answer).await?;
        }
    }
}

/// The packets that answer `question`; over UDP no longer than `at_most`.
fn answers(question: &Message, at_most: Option<usize>) -> Vec<Vec<u8>> {
    let asked = question.queries[0].clone();
    let id = question.metadata.id;
    let mut answer = Message::response(id, OpCode::Query);
    answer.add_query(asked.clone());
    let name = asked.name.to_string().to_lowercase();
    match name.as_str() {
        "silent.test." => return Vec::new(),
        // The right id, and then nothing that could be read.
        "garbage.test." => return vec![[&id.to_be_bytes()[..], &[0xff; 40]].concat()],
        "short.test." => return vec![vec![7]],
        "missing.test." => answer.metadata.response_code = ResponseCode::NXDomain,
        "broken.test." => answer.metadata.response_code = ResponseCode::ServFail,
        "refused.test." => answer.metadata.response_code = ResponseCode::Refused,
        "other.test." => {
            answer.queries[0].name = "another.test.".parse().unwrap();
        }
        _ => records(&name, asked.query_type).into_iter().for_each(|data| {
            answer.add_answer(Record::from_rdata(asked.name.clone(), 300, data));
        }),
    }
    let whole = answer.to_vec().unwrap();
    if at_most.is_some_and(|most| whole.len() > most) {
        let mut cut = answer.truncate();
        cut.metadata.truncation = true;
        return vec![cut.to_vec().unwrap()];
    }
    if name == "forged.test." {
        // Guesses at the id come first.
        let mut forged = whole.clone();
        forged[0] ^= 0x55;
        return vec![forged, vec![1], whole];
    }
    vec![whole]
}

fn records(name: &str, record_type: RecordType) -> Vec<RData> {
    let addresses = |all: &[&str]| -> Vec<RData> {
        let all = all.iter().map(|text| text.parse::<IpAddr>().unwrap());
        let wanted = all.filter(|ip| ip.is_ipv4() == (record_type == RecordType::A));
        wanted.map(RData::from).collect()
    };
    let host = |text: &str| -> Name { text.parse().unwrap() };
    match (name, record_type) {
        ("one.test." | "forged.test.", RecordType::A) => addresses(&["127.0.0.1"]),
        ("three.test.", RecordType::A) => addresses(&THREE),
        // Reserved for documentation: public, and nobody is there.
        ("public.test.", RecordType::A) => addresses(&["203.0.113.7"]),
        ("both.test.", RecordType::A | RecordType::AAAA) => addresses(&["127.0.0.1", "::1"]),
        ("six.test.", RecordType::AAAA) => addresses(&["2001:db8::1"]),
        ("alias.test.", RecordType::A) => {
            let mut chain = vec![RData::CNAME(CNAME(host("one.test.")))];
            chain.extend(addresses(&["127.0.0.1"]));
            chain
        }
        ("large.test.", RecordType::A) => {
            (1..=100).map(|n| RData::from(IpAddr::from([127, 0, 2, n]))).collect()
        }
        ("mail.test.", RecordType::MX) => vec![RData::MX(MX::new(10, host("MX.mail.test.")))],
        ("text.test.", RecordType::TXT) => {
            vec![RData::TXT(TXT::new(vec!["v=spf1 -all".to_owned()]))]
        }
        _ => Vec::new(),
    }
}
