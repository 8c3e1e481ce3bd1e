//! A question on its way, and the packets that answer it.

use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use crate::model::Reason;

/// The largest datagram that reaches everybody in one piece, as resolvers ask for it.
const DATAGRAM: u16 = 1232;

/// What a question asks for besides records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// That the server finds the answer elsewhere (RD).
    pub recursion: bool,
    /// To be told whether the server has validated the answer (AD).
    pub authentic: bool,
    /// Signatures (DO), even those that the server thinks are wrong (CD): we judge ourselves.
    pub signatures: bool,
}

/// What every stub asks for.
impl Default for Wants {
    fn default() -> Self {
        Self { recursion: true, authentic: false, signatures: false }
    }
}

/// A question on its way.
#[derive(Debug)]
pub struct Question {
    id: u16,
    query: Query,
    packet: Vec<u8>,
}

impl Question {
    /// With an id that a stranger cannot guess.
    pub fn new(name: Name, record_type: RecordType, wants: Wants) -> Result<Self, Reason> {
        let id = getrandom::u32()
            .map_err(|error| Reason::ProberExhausted { detail: error.to_string() })?;
        let [high, low, ..] = id.to_be_bytes();
        let id = u16::from_be_bytes([high, low]);
        let query = Query::query(name, record_type);
        let mut message = Message::new(id, MessageType::Query, OpCode::Query);
        message.metadata.recursion_desired = wants.recursion;
        message.metadata.authentic_data = wants.authentic;
        message.add_query(query.clone());
        if wants.signatures {
            message.metadata.checking_disabled = true;
            let mut edns = Edns::new();
            edns.set_max_payload(DATAGRAM);
            edns.enable_dnssec();
            message.set_edns(edns);
        }
        let packet = message
            .to_vec()
            .map_err(|error| Reason::ProberMisconfigured { detail: error.to_string() })?;
        Ok(Self { id, query, packet })
    }

    /// What is asked.
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// The packet.
    pub(super) fn packet(&self) -> &[u8] {
        &self.packet
    }

    /// The packet with its length in front, as streams need it.
    pub(super) fn framed(&self) -> Vec<u8> {
        let length = u16::try_from(self.packet.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes(), self.packet.as_slice()].concat()
    }

    /// What `packet` answers to this question; `None` if it is about something else.
    pub(super) fn answered_by(&self, packet: &[u8]) -> Option<Result<Message, Reason>> {
        if packet.get(..2)? != self.id.to_be_bytes() {
            return None;
        }
        let malformed = |detail: String| Some(Err(Reason::MalformedAnswer { detail }));
        // Whoever reads the packet makes room for as many as it says that there are.
        if packet.get(4..6).is_some_and(|count| count > [0, 1].as_slice()) {
            return malformed(String::from("it has more than one question"));
        }
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

    /// What `packet` answers, if it came where nothing is ever lost: there nobody else can have
    /// put it, and there is nothing to cut it for.
    pub(super) fn answered_whole_by(&self, packet: &[u8]) -> Result<Message, Reason> {
        let message = self.answered_by(packet).unwrap_or_else(|| Err(stray(1)))?;
        if message.metadata.truncation {
            let detail = String::from("it is truncated, although there was room for it");
            return Err(Reason::MalformedAnswer { detail });
        }
        Ok(message)
    }
}

/// What came is no answer to what was asked.
pub(super) fn stray(packets: usize) -> Reason {
    let detail = match packets {
        1 => String::from("it answers another question"),
        several => format!("{several} packets came that answer another question"),
    };
    Reason::MalformedAnswer { detail }
}

#[cfg(test)]
mod tests {
    use hickory_proto::op::{Message, MessageType, OpCode, ResponseCode};
    use hickory_proto::rr::RecordType;

    use super::{Question, Wants};

    fn question() -> Question {
        let name = "desk.example.".parse().unwrap();
        Question::new(name, RecordType::A, Wants::default()).unwrap()
    }

    #[test]
    fn only_an_answer_to_this_question_is_one() {
        let question = question();
        let answer = |id, queries: &[_], kind, code| {
            let mut message = Message::new(id, kind, OpCode::Query);
            message.metadata.response_code = code;
            message.add_queries(queries.to_vec());
            question.answered_by(&message.to_vec().unwrap())
        };
        let own = [question.query.clone()];
        let mut shouted = own.clone();
        shouted[0].name = "DESK.example.".parse().unwrap();
        let mut other = own.clone();
        other[0].name = "www.example.".parse().unwrap();
        let response = MessageType::Response;
        let fine = ResponseCode::NoError;
        let id = question.id;
        assert!(answer(id, &own, response, fine).unwrap().is_ok());
        assert!(answer(id, &shouted, response, fine).unwrap().is_ok());
        assert!(answer(id, &[], response, ResponseCode::FormErr).unwrap().is_ok());
        assert!(answer(id, &[], response, fine).unwrap().is_err());
        assert!(answer(id, &other, response, fine).unwrap().is_err());
        assert!(answer(id, &own, MessageType::Query, fine).unwrap().is_err());
        assert!(answer(id ^ 1, &own, response, fine).is_none());
        assert!(question.answered_by(&[]).is_none());
        assert!(question.answered_by(&id.to_be_bytes()).unwrap().is_err());
    }

    #[test]
    fn what_is_wanted_is_in_the_packet() {
        let packet = |wants| {
            let question = Question::new("a.".parse().unwrap(), RecordType::A, wants).unwrap();
            Message::from_vec(question.packet()).unwrap()
        };
        let plain = packet(Wants::default());
        assert!(plain.metadata.recursion_desired && plain.edns.is_none());
        let wants = Wants { recursion: false, authentic: true, signatures: true };
        let picky = packet(wants);
        assert!(!picky.metadata.recursion_desired);
        assert!(picky.metadata.authentic_data && picky.metadata.checking_disabled);
        let edns = picky.edns.unwrap();
        assert!(edns.flags().dnssec_ok);
        assert_eq!(edns.max_payload(), 1232);
    }

    /// A name that points to itself, forwards, or at another pointer that points back.
    #[test]
    fn a_compressed_name_that_leads_in_a_circle_is_malformed() {
        let question = question();
        let head = [question.packet().get(..12).unwrap()].concat();
        for name in [&[0xc0, 12][..], &[0xc0, 14], &[0xc0, 14, 0xc0, 12], &[0xff, 0xff]] {
            let mut packet = [&head, name, &[0, 1, 0, 1]].concat();
            packet[2] = 0x80;
            let answer = question.answered_by(&packet).unwrap();
            assert_eq!(answer.unwrap_err().name(), "malformed_answer", "{name:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_packet_can_break_it(packet: Vec<u8>) {
            let question = question();
            let addressed = [&question.id.to_be_bytes()[..], &packet].concat();
            proptest::prop_assert!(question.answered_by(&addressed).is_some());
        }
    }
}
