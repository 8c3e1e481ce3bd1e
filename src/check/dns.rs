//! The `dns` check: one question to one name server, and what the answer must hold.
//!
//! It asks with messages of its own and not through a resolver: what one server says is the point,
//! and a resolver exists to hide that.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::RecordType;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UdpSocket;

use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, DnsCheck};
use crate::model::{Finding, Phase, Reason, Span, Subject};
use crate::net::connect::{breakage, has_route, refusal};
use crate::net::resolve::rcode_name;
use crate::net::{Network, Run};

/// Most packets that are looked at while waiting for the one that answers: whoever floods us with
/// others must not keep us busy.
const MOST_PACKETS: usize = 256;

/// Runs the check.
pub(super) async fn probe(
    network: &Network,
    check: &Check,
    dns: &DnsCheck,
    mut run: Run,
) -> Vec<Finding> {
    let server = match dns.server.map_or_else(|| network.name_server(&check.resolvers), Ok) {
        Ok(server) => server,
        Err(reason) => return vec![Outcome::failed(run, reason).finding(Subject::Whole, None)],
    };
    let facts = exchange(network, dns, server, &mut run).await;
    let judgement = judge(&facts, dns, run.phases.total(), check.degraded_over);
    vec![Outcome { run, clock: None, judgement }.finding(Subject::Whole, Some(server.ip()))]
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Facts {
    code: ResponseCode,
    /// The records of the type that was asked for, in presentation form.
    records: Vec<String>,
}

/// Asks over UDP, and over TCP if the answer is truncated, as every client must. The time from
/// question to answer is that to the first byte.
async fn exchange(
    network: &Network,
    dns: &DnsCheck,
    server: SocketAddr,
    run: &mut Run,
) -> Result<Facts, Reason> {
    let question = Question::new(dns)?;
    let mut answer = run.phase(Phase::FirstByte, question.ask_udp(server)).await?;
    if answer.metadata.truncation {
        let mut wire = network.open(run, server, None).await?;
        answer = run
            .phase(Phase::FirstByte, async {
                wire.write_all(&question.framed()).await.map_err(|error| broke(&error))?;
                wire.flush().await.map_err(|error| broke(&error))?;
                let length = wire.read_u16().await.map_err(|error| broke(&error))?;
                let mut packet = vec![0; usize::from(length)];
                wire.read_exact(&mut packet).await.map_err(|error| broke(&error))?;
                question.answered_by(&packet).unwrap_or_else(|| Err(stray(1)))
            })
            .await?;
    }
    let wanted = answer.answers.iter().filter(|record| {
        dns.record_type == RecordType::ANY || record.record_type() == dns.record_type
    });
    let records = wanted.map(|record| record.data.to_string()).collect();
    Ok(Facts { code: answer.metadata.response_code, records })
}

fn broke(error: &std::io::Error) -> Reason {
    breakage(error, Phase::FirstByte)
}

fn stray(packets: usize) -> Reason {
    let detail = format!("{packets} packets came that answer another question");
    Reason::MalformedAnswer { detail }
}

/// A question on its way.
struct Question {
    id: u16,
    query: Query,
    packet: Vec<u8>,
}

impl Question {
    /// With an id that a stranger cannot guess.
    fn new(dns: &DnsCheck) -> Result<Self, Reason> {
        let id = getrandom::u32()
            .map_err(|error| Reason::ProberExhausted { detail: error.to_string() })?;
        let [high, low, ..] = id.to_be_bytes();
        let id = u16::from_be_bytes([high, low]);
        let query = Query::query(dns.name.clone(), dns.record_type);
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = true;
        message.add_query(query.clone());
        let packet = message
            .to_vec()
            .map_err(|error| Reason::ProberMisconfigured { detail: error.to_string() })?;
        Ok(Self { id, query, packet })
    }

    /// The packet with its length in front, as TCP needs it.
    fn framed(&self) -> Vec<u8> {
        let length = u16::try_from(self.packet.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes(), self.packet.as_slice()].concat()
    }

    /// Waits for the packet that answers. The socket is connected, so the system drops what comes
    /// from elsewhere; what comes with another id is a forgery or an echo of old times, and the
    /// answer may still come.
    async fn ask_udp(&self, server: SocketAddr) -> Result<Message, Reason> {
        let unreachable = |error| refusal(&error, has_route(server));
        let any: IpAddr = match server {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = UdpSocket::bind((any, 0)).await.map_err(unreachable)?;
        socket.connect(server).await.map_err(unreachable)?;
        socket.send(&self.packet).await.map_err(unreachable)?;
        let mut packet = vec![0; 4096];
        for _ in 0..MOST_PACKETS {
            let length = socket.recv(&mut packet).await.map_err(unreachable)?;
            if let Some(answer) = self.answered_by(packet.get(..length).unwrap_or_default()) {
                return answer;
            }
        }
        Err(stray(MOST_PACKETS))
    }

    /// What `packet` answers to this question; `None` if it is about something else.
    fn answered_by(&self, packet: &[u8]) -> Option<Result<Message, Reason>> {
        if packet.get(..2)? != self.id.to_be_bytes() {
            return None;
        }
        let malformed = |detail: String| Some(Err(Reason::MalformedAnswer { detail }));
        let message = match Message::from_vec(packet) {
            Ok(message) => message,
            Err(error) => return malformed(error.to_string()),
        };
        if message.metadata.message_type != MessageType::Response {
            return malformed(String::from("it is no answer"));
        }
        // A server that could not read the question need not repeat it.
        let repeats = message.queries.first().map(|query| *query == self.query);
        let refuses = message.metadata.response_code != ResponseCode::NoError;
        if repeats == Some(true) || (repeats.is_none() && refuses) {
            return Some(Ok(message));
        }
        malformed(String::from("it answers another question"))
    }
}

/// Judges what a server answered.
///
/// 1. Without an answer nothing else counts.
/// 2. Then its code must be NOERROR,
/// 3. then there must be a record of the type, and every one that is expected,
/// 4. and last it must have been quick enough.
fn judge(
    facts: &Result<Facts, Reason>,
    dns: &DnsCheck,
    took: Span,
    degraded_over: Option<Span>,
) -> Judgement {
    let facts = match facts {
        Ok(facts) => facts,
        Err(reason) => return Judgement::fail(reason.clone()),
    };
    if facts.code != ResponseCode::NoError {
        return Judgement::fail(Reason::DnsRcode { got: rcode_name(facts.code) });
    }
    if facts.records.is_empty() {
        return Judgement::fail(Reason::DnsAnswer {
            got: format!("no {} record", dns.record_type),
        });
    }
    let came: Vec<Record> = facts.records.iter().map(|text| Record::read(text)).collect();
    if !dns.expect.iter().all(|text| came.contains(&Record::read(text))) {
        return Judgement::fail(Reason::DnsAnswer { got: facts.records.join(", ") });
    }
    judge_speed(took, degraded_over)
}

/// A record in a form that two spellings of the same have in common.
#[derive(Debug, PartialEq, Eq)]
enum Record {
    Address(IpAddr),
    Words(Vec<String>),
}

impl Record {
    fn read(text: &str) -> Self {
        if let Ok(address) = text.trim().parse() {
            return Self::Address(address);
        }
        let plain = text.replace('"', "").to_lowercase();
        let words = plain.split_whitespace();
        Self::Words(words.map(|word| word.trim_end_matches('.').to_owned()).collect())
    }
}

#[cfg(test)]
mod tests;
