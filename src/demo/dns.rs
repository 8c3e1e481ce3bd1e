//! The platform's own name server: authoritative for one small zone, over UDP and TCP.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::rdata::{A, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The longest query that is read, and the size offered to clients that speak EDNS: it fits every
/// path without fragments.
pub(super) const MAX_MESSAGE: u16 = 1_232;

/// How many questions one connection may ask.
const MAX_QUESTIONS: usize = 100;

/// In seconds. A second, so that a change of the zone shows as fast as the demo tells its story.
const TTL: u32 = 1;

/// The zone's last label; the other one is its own.
const TOP: &[u8] = b"test";
/// How many labels a zone's name has.
const DEPTH: usize = 2;

/// What the zone holds: hosts directly below its apex, with their addresses in the order of the
/// answer, which never changes: whoever takes the first gets the same one every time.
#[derive(Debug)]
pub(super) struct Zone {
    domain: &'static str,
    hosts: BTreeMap<&'static str, Vec<Ipv4Addr>>,
}

/// What the zone knows of a name.
enum Lookup<'a> {
    /// A host and its addresses.
    Host(&'a [Ipv4Addr]),
    /// The zone itself, which has no addresses.
    Apex,
    /// Nothing, and it would be here if it were anywhere.
    NoSuchName,
    /// Not a name of this zone.
    NotOurs,
}

impl Zone {
    /// An empty zone: `blip` is that of `blip.test`.
    pub(super) fn of(domain: &'static str) -> Self {
        Self { domain, hosts: BTreeMap::new() }
    }

    /// Adds a host.
    pub(super) fn with(mut self, host: &'static str, addresses: Vec<Ipv4Addr>) -> Self {
        self.hosts.insert(host, addresses);
        self
    }

    /// The answer to one message as it came from the network; `None` where silence is right.
    pub(super) fn answer(&self, message: &[u8]) -> Option<Vec<u8>> {
        let reply = match Message::from_vec(message) {
            // Two servers that answer each other's answers would never stop.
            Ok(query) if query.metadata.message_type == MessageType::Response => return None,
            Ok(query) => self.reply(&query),
            Err(_) => malformed(message)?,
        };
        // Every reply fits 512 bytes, so none is ever truncated: the question at most 271, six
        // addresses at 16 each or one SOA record at 41, and the OPT record at 11.
        reply.to_vec().ok()
    }

    /// 1. A message that is not a plain query is not implemented.
    /// 2. A query asks exactly one question.
    /// 3. What is not of this zone, or a transfer of it, is refused.
    /// 4. What does not exist is NXDOMAIN; what exists without such a record is an empty answer;
    ///    both carry the SOA record that lets resolvers remember them.
    fn reply(&self, query: &Message) -> Message {
        let mut reply = Message::response(query.metadata.id, query.metadata.op_code);
        reply.metadata.recursion_desired = query.metadata.recursion_desired;
        if query.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(MAX_MESSAGE);
            reply.set_edns(edns);
        }
        reply.metadata.response_code = match query.queries.as_slice() {
            _ if query.metadata.op_code != OpCode::Query => ResponseCode::NotImp,
            [question] => {
                reply.add_query(question.clone());
                self.fill(&mut reply, question)
            }
            _ => ResponseCode::FormErr,
        };
        reply
    }

    fn fill(&self, reply: &mut Message, question: &Query) -> ResponseCode {
        let is_transfer = matches!(question.query_type, RecordType::AXFR | RecordType::IXFR);
        if question.query_class != DNSClass::IN || is_transfer {
            return ResponseCode::Refused;
        }
        let found = self.look_up(&question.name);
        if matches!(found, Lookup::NotOurs) {
            return ResponseCode::Refused;
        }
        reply.metadata.authoritative = true;
        match found {
            Lookup::Host(addresses)
                if matches!(question.query_type, RecordType::A | RecordType::ANY) =>
            {
                reply.add_answers(addresses.iter().map(|address| {
                    Record::from_rdata(question.name.clone(), TTL, RData::A(A(*address)))
                }));
            }
            Lookup::Apex if matches!(question.query_type, RecordType::SOA | RecordType::ANY) => {
                reply.add_answer(start_of_authority(&question.name));
            }
            Lookup::Host(_) | Lookup::Apex | Lookup::NoSuchName | Lookup::NotOurs => {
                reply.add_authority(start_of_authority(&question.name));
            }
        }
        if matches!(found, Lookup::NoSuchName) {
            ResponseCode::NXDomain
        } else {
            ResponseCode::NoError
        }
    }

    fn look_up(&self, name: &Name) -> Lookup<'_> {
        let labels: Vec<Vec<u8>> = name.iter().rev().map(<[u8]>::to_ascii_lowercase).collect();
        let Some(below) =
            labels.strip_prefix([TOP.to_vec(), self.domain.as_bytes().to_vec()].as_slice())
        else {
            return Lookup::NotOurs;
        };
        match below {
            [] => Lookup::Apex,
            [host] => std::str::from_utf8(host)
                .ok()
                .and_then(|host| self.hosts.get(host))
                .map_or(Lookup::NoSuchName, |addresses| Lookup::Host(addresses)),
            _ => Lookup::NoSuchName,
        }
    }
}

/// The SOA record of the zone that `name` is in.
fn start_of_authority(name: &Name) -> Record {
    let apex = name.trim_to(DEPTH);
    let soa = SOA::new(apex.clone(), apex.clone(), 1, 60, 60, 60, TTL);
    Record::from_rdata(apex, TTL, RData::SOA(soa))
}

/// What cannot be read is told so if it at least has a header and is not itself an answer.
fn malformed(message: &[u8]) -> Option<Message> {
    let [first, second, flags, ..] = *message else { return None };
    let is_response = flags & 0b1000_0000 != 0;
    let id = u16::from_be_bytes([first, second]);
    (message.len() >= 12 && !is_response)
        .then(|| Message::error_msg(id, OpCode::Query, ResponseCode::FormErr))
}

/// Answers the questions of one connection, each with its length in front, by whatever answers at
/// that moment.
pub(super) async fn serve(answer: impl Fn(&[u8]) -> Option<Vec<u8>>, mut stream: TcpStream) {
    for _ in 0..MAX_QUESTIONS {
        // A client that leaves or says nonsense ends its connection; nobody else notices.
        let Some(message) = read(&mut stream).await else { return };
        let Some(answer) = answer(&message) else { return };
        if write(&mut stream, &answer).await.is_none() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let size = stream.read_u16().await.ok().filter(|size| *size <= MAX_MESSAGE)?;
    let mut message = vec![0; usize::from(size)];
    stream.read_exact(&mut message).await.ok()?;
    Some(message)
}

async fn write(stream: &mut TcpStream, answer: &[u8]) -> Option<()> {
    let size = u16::try_from(answer.len()).ok()?;
    let framed = [&size.to_be_bytes(), answer].concat();
    stream.write_all(&framed).await.ok()
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
    use hickory_proto::rr::{DNSClass, Name, RecordType};
    use proptest::prelude::*;

    use super::Zone;

    fn zone() -> Zone {
        Zone::of("blip").with("portal", vec![[127, 77, 0, 1].into(), [127, 77, 0, 2].into()])
    }

    fn query(name: &str, record_type: RecordType) -> Message {
        let mut query = Message::new(7, MessageType::Query, OpCode::Query);
        query.add_query(Query::query(Name::from_ascii(name).unwrap(), record_type));
        query
    }

    fn ask(query: &Message) -> Message {
        let answer = zone().answer(&query.to_vec().unwrap()).unwrap();
        Message::from_vec(&answer).unwrap()
    }

    #[test]
    fn answers_for_its_zone_and_nothing_else() {
        let cases = [
            ("portal.blip.test.", RecordType::A, ResponseCode::NoError, 2),
            ("PoRtAl.BLIP.test.", RecordType::A, ResponseCode::NoError, 2),
            ("portal.blip.test.", RecordType::ANY, ResponseCode::NoError, 2),
            ("portal.blip.test.", RecordType::AAAA, ResponseCode::NoError, 0),
            ("blip.test.", RecordType::A, ResponseCode::NoError, 0),
            ("blip.test.", RecordType::SOA, ResponseCode::NoError, 1),
            ("crm.blip.test.", RecordType::A, ResponseCode::NXDomain, 0),
            ("a.portal.blip.test.", RecordType::A, ResponseCode::NXDomain, 0),
            ("notblip.test.", RecordType::A, ResponseCode::Refused, 0),
            ("test.", RecordType::A, ResponseCode::Refused, 0),
            (".", RecordType::NS, ResponseCode::Refused, 0),
            ("blip.test.", RecordType::AXFR, ResponseCode::Refused, 0),
        ];
        for (name, record_type, code, answers) in cases {
            let reply = ask(&query(name, record_type));
            let got = (reply.metadata.response_code, reply.answers.len());
            assert_eq!(got, (code, answers), "{name} {record_type}");
            assert_eq!(reply.metadata.id, 7);
            let refused = code == ResponseCode::Refused;
            assert_eq!(reply.metadata.authoritative, !refused, "{name} {record_type}");
            let negative = !refused && answers == 0;
            assert_eq!(reply.authorities.len(), usize::from(negative), "{name} {record_type}");
        }
    }

    #[test]
    fn refuses_what_is_not_one_plain_question() {
        let mut update = query("portal.blip.test.", RecordType::A);
        update.metadata.op_code = OpCode::Update;
        assert_eq!(ask(&update).metadata.response_code, ResponseCode::NotImp);

        let mut two = query("portal.blip.test.", RecordType::A);
        two.queries.extend(two.queries.clone());
        assert_eq!(ask(&two).metadata.response_code, ResponseCode::FormErr);

        let mut chaos = query("portal.blip.test.", RecordType::A);
        chaos.queries[0].query_class = DNSClass::CH;
        assert_eq!(ask(&chaos).metadata.response_code, ResponseCode::Refused);
    }

    #[test]
    fn says_nothing_to_an_answer_and_form_error_to_a_header_without_a_body() {
        let mut answer = query("portal.blip.test.", RecordType::A);
        answer.metadata.message_type = MessageType::Response;
        assert_eq!(zone().answer(&answer.to_vec().unwrap()), None);

        let header = [0, 9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        let reply = Message::from_vec(&zone().answer(&header).unwrap()).unwrap();
        assert_eq!(reply.metadata.response_code, ResponseCode::FormErr);
        assert_eq!(reply.metadata.id, 9);
    }

    proptest! {
        #[test]
        fn no_bytes_bring_it_down_or_make_a_long_answer(
            bytes in prop::collection::vec(any::<u8>(), 0..600),
            flip in 0_usize..600,
        ) {
            let mut mutated = query("portal.blip.test.", RecordType::A).to_vec().unwrap();
            if let (Some(byte), Some(other)) = (mutated.get_mut(flip), bytes.first()) {
                *byte = *other;
            }
            for message in [bytes, mutated] {
                let answer = zone().answer(&message).unwrap_or_default();
                prop_assert!(answer.len() <= 512);
            }
        }

        #[test]
        fn even_the_longest_names_have_short_answers(
            labels in prop::collection::vec("[a-z]{1,63}", 0..5),
        ) {
            let name = labels.iter().fold(String::new(), |name, label| name + label + ".");
            prop_assume!(name.len() <= 240);
            let query = query(&format!("{name}blip.test."), RecordType::A);
            prop_assert!(zone().answer(&query.to_vec().unwrap()).unwrap().len() <= 512);
        }
    }
}
