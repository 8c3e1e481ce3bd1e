//! A name server on the loopback, over UDP and TCP, that answers every name in a way of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{CNAME, MX, NULL, TXT};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::JoinSet;

/// The addresses of `three.test`.
pub(crate) const THREE: [&str; 3] = ["127.0.1.1", "127.0.1.2", "127.0.1.3"];

/// What a name server answers.
pub(crate) type Answers = dyn Fn(&Message, Option<usize>) -> Vec<Vec<u8>> + Send + Sync;

/// A name server that stops when it is dropped.
pub(crate) struct NameServer {
    pub(crate) address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _serving: JoinSet<()>,
}

impl NameServer {
    pub(crate) async fn start() -> Self {
        Self::start_with("127.0.0.1:0".parse().unwrap(), answers).await
    }

    /// One that answers with `answers`, the packets for a question; over UDP no longer than the
    /// second argument.
    pub(crate) async fn start_with(
        at: SocketAddr,
        answers: impl Fn(&Message, Option<usize>) -> Vec<Vec<u8>> + Send + Sync + 'static,
    ) -> Self {
        let answers: Arc<Answers> = Arc::new(answers);
        let (udp, tcp) = loop {
            let tcp = TcpListener::bind(at).await.unwrap();
            // Somebody else may have the port in the other protocol.
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()).await {
                break (udp, tcp);
            }
        };
        let address = tcp.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let mut serving = JoinSet::new();
        serving.spawn(serve_udp(udp, asked.clone(), answers.clone()));
        serving.spawn(serve_tcp(tcp, answers));
        Self { address, asked, _serving: serving }
    }

    /// How many questions came over UDP.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

async fn serve_udp(socket: UdpSocket, asked: Arc<AtomicUsize>, answers: Arc<Answers>) {
    let mut packet = [0; 4096];
    loop {
        let (length, from) = socket.recv_from(&mut packet).await.unwrap();
        asked.fetch_add(1, Ordering::Relaxed);
        for answer in answers(&Message::from_vec(&packet[..length]).unwrap(), Some(512)) {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

async fn serve_tcp(listener: TcpListener, answers: Arc<Answers>) {
    let mut answering = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let answers = answers.clone();
        answering.spawn(async move {
            // Whoever asks may leave whenever they like.
            let _ = serve_stream(stream, &*answers).await;
        });
    }
}

/// Answers what is asked over a stream, with or without TLS.
pub(crate) async fn serve_stream(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answers: &Answers,
) -> std::io::Result<()> {
    loop {
        let mut question = vec![0; usize::from(stream.read_u16().await?)];
        stream.read_exact(&mut question).await?;
        for answer in answers(&Message::from_vec(&question).unwrap(), None) {
            stream.write_u16(u16::try_from(answer.len()).unwrap()).await?;
            stream.write_all(&answer).await?;
            stream.flush().await?;
        }
    }
}

/// The packets that answer `question`; over UDP no longer than `at_most`.
pub(crate) fn answers(question: &Message, at_most: Option<usize>) -> Vec<Vec<u8>> {
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
        // Over TCP nothing, or the same once more.
        "datagrams.test." if at_most.is_none() => return vec![vec![0; 2]],
        "datagrams.test." | "cut.test." => answer.metadata.truncation = true,
        "flags.test." => {
            let flags = question.metadata;
            let sum = 2 * u8::from(flags.recursion_desired) + u8::from(flags.authentic_data);
            answer.metadata.authentic_data = flags.authentic_data;
            let data = RData::from(IpAddr::from([127, 0, 9, sum]));
            answer.add_answer(Record::from_rdata(asked.name, 300, data));
        }
        "refused.test." => answer.metadata.response_code = ResponseCode::Refused,
        "other.test." => {
            answer.queries[0].name = "another.test.".parse().unwrap();
        }
        _ => {
            let aliases = aliases(&name);
            let owner = if name == "alias.test." { aliases[0].1.clone() } else { asked.name };
            for (from, to) in aliases {
                answer.add_answer(Record::from_rdata(from, 300, RData::CNAME(CNAME(to))));
            }
            for data in records(&owner.to_string().to_lowercase(), asked.query_type) {
                answer.add_answer(Record::from_rdata(owner.clone(), 300, data));
            }
        }
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

/// The aliases in the answer about `name`.
fn aliases(name: &str) -> Vec<(Name, Name)> {
    let aliases = match name {
        // Its target's own records come with the first, and must be asked for after the second.
        "alias.test." | "step.test." => vec![(name.to_owned(), "one.test.".to_owned())],
        "circle.test." => [("circle.test.", "round.test."), ("round.test.", "circle.test.")]
            .map(|(from, to)| (from.to_owned(), to.to_owned()))
            .into(),
        // To a name that has another, and so on.
        _ if name.starts_with("further") => vec![(name.to_owned(), format!("further{name}"))],
        _ => Vec::new(),
    };
    aliases.iter().map(|(from, to)| (from.parse().unwrap(), to.parse().unwrap())).collect()
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
        ("large.test.", RecordType::A) => {
            (1..=100).map(|n| RData::from(IpAddr::from([127, 0, 2, n]))).collect()
        }
        // As much as a message can hold.
        ("huge.test.", RecordType::TXT) => {
            (100..338).map(|n| RData::TXT(TXT::new(vec![n.to_string().repeat(83)]))).collect()
        }
        ("unknown.test.", _) => {
            vec![RData::Unknown { code: record_type, rdata: NULL::with(vec![10, 11]) }]
        }
        ("mail.test.", RecordType::MX) => vec![RData::MX(MX::new(10, host("MX.mail.test.")))],
        ("text.test.", RecordType::TXT) => {
            vec![RData::TXT(TXT::new(vec!["v=spf1 -all".to_owned()]))]
        }
        _ => Vec::new(),
    }
}
