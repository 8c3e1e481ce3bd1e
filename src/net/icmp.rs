//! Echo requests as ICMP and ICMPv6 have them, and what comes back. Pure.
//!
//! Whoever can reach this host can send it whatever they like, and a raw socket hears what is for
//! others too. So an answer must come from the address that was asked, and carry our identifier and
//! all of our payload, which begins with a mark that nobody can guess.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The mark at the beginning of a payload.
pub const MARK: usize = 16;

/// ICMP's head: type, code, checksum and, of an echo, identifier and sequence.
const HEAD: usize = 8;
/// The longest head of an IPv4 packet.
const LONGEST_IP_HEAD: usize = 60;
const IPV6_HEAD: usize = 40;
/// What ICMP and ICMPv6 are called in the head of a packet.
const ICMP: u8 = 1;
const ICMPV6: u8 = 58;

/// What an echo asks with, over and over.
#[derive(Clone, Debug)]
pub struct Echo {
    to: IpAddr,
    id: u16,
    payload: Vec<u8>,
}

/// What came back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The answer to the request of this number.
    Answer(u16),
    /// Somebody on the way says that the request of this number cannot get there.
    Unreachable(u16),
}

/// The types of messages in one of the two protocols.
pub(super) struct Types {
    request: u8,
    pub(super) answer: u8,
    /// Destination unreachable, and time exceeded.
    pub(super) errors: [u8; 2],
}

const TYPES_V4: Types = Types { request: 8, answer: 0, errors: [3, 11] };
const TYPES_V6: Types = Types { request: 128, answer: 129, errors: [1, 3] };

impl Echo {
    /// Asks `to` with a payload of `size` bytes, at least those of `mark`.
    pub fn new(to: IpAddr, id: u16, mark: [u8; MARK], size: usize) -> Self {
        let filling = (0..=u8::MAX).cycle().take(size.saturating_sub(MARK));
        Self { to, id, payload: mark.into_iter().chain(filling).collect() }
    }

    /// The request of number `sequence`.
    pub fn request(&self, sequence: u16) -> Vec<u8> {
        let mut packet = vec![self.types().request, 0, 0, 0];
        packet.extend_from_slice(&self.id.to_be_bytes());
        packet.extend_from_slice(&sequence.to_be_bytes());
        packet.extend_from_slice(&self.payload);
        // ICMPv6's covers the addresses, and the system sees to it.
        if self.to.is_ipv4() {
            let sum = checksum(&packet).to_be_bytes();
            packet.splice(2..4, sum);
        }
        packet
    }

    /// How much room the longest answer needs: one byte more tells what is too long.
    pub fn room(&self) -> usize {
        LONGEST_IP_HEAD + HEAD + self.payload.len() + 1
    }

    /// What `packet` from `from` has to do with us, if anything.
    pub fn read(&self, from: IpAddr, packet: &[u8]) -> Option<Heard> {
        // Some systems give the head of the IPv4 packet too. No message of ours begins like one.
        let (_, message) = match packet.first()? >> 4 {
            4 if self.to.is_ipv4() => without_head_v4(packet)?,
            _ => (self.to, packet),
        };
        let kind = *message.first()?;
        if kind == self.types().answer && from == self.to {
            let (sequence, payload) = self.ours(message)?;
            return (payload == self.payload).then_some(Heard::Answer(sequence));
        }
        if self.types().errors.contains(&kind) {
            // Whoever is on the way says this, and quotes at least the head of what we sent.
            let (to, quoted) = match self.to {
                IpAddr::V4(_) => without_head_v4(message.get(HEAD..)?)?,
                IpAddr::V6(_) => without_head_v6(message.get(HEAD..)?)?,
            };
            if to != self.to || *quoted.first()? != self.types().request {
                return None;
            }
            let (sequence, payload) = self.ours(quoted)?;
            let same = payload.iter().zip(&self.payload).all(|(quoted, sent)| quoted == sent);
            return same.then_some(Heard::Unreachable(sequence));
        }
        None
    }

    /// The number and the payload of a message that has our identifier.
    fn ours<'m>(&self, message: &'m [u8]) -> Option<(u16, &'m [u8])> {
        let (head, payload) = message.split_first_chunk::<HEAD>()?;
        let [_, 0, _, _, id @ .., high, low] = *head else { return None };
        (id == self.id.to_be_bytes()).then_some((u16::from_be_bytes([high, low]), payload))
    }

    /// The identifier of every request, and of every answer.
    pub(super) fn id(&self) -> u16 {
        self.id
    }

    /// The types of messages that are ours.
    pub(super) fn types(&self) -> &'static Types {
        if self.to.is_ipv4() { &TYPES_V4 } else { &TYPES_V6 }
    }
}

/// Where an IPv4 packet of ICMP goes, and what is in it.
fn without_head_v4(packet: &[u8]) -> Option<(IpAddr, &[u8])> {
    let length = usize::from(packet.first()? & 0x0f) * 4;
    let to = packet.get(16..20)?.first_chunk::<4>()?;
    let is_icmp = packet.first()? >> 4 == 4 && *packet.get(9)? == ICMP && length >= 20;
    is_icmp.then_some((Ipv4Addr::from(*to).into(), packet.get(length..)?))
}

/// As above; with extensions in between it is nothing that we sent.
fn without_head_v6(packet: &[u8]) -> Option<(IpAddr, &[u8])> {
    let to = packet.get(24..IPV6_HEAD)?.first_chunk::<16>()?;
    let is_icmp = packet.first()? >> 4 == 6 && *packet.get(6)? == ICMPV6;
    is_icmp.then_some((Ipv6Addr::from(*to).into(), packet.get(IPV6_HEAD..)?))
}

/// RFC 1071.
fn checksum(packet: &[u8]) -> u16 {
    let words = packet.chunks(2).map(|pair| match *pair {
        [high, low] => u16::from_be_bytes([high, low]),
        [high] => u16::from_be_bytes([high, 0]),
        _ => 0,
    });
    let sum = words.fold(0_u32, |sum, word| {
        let sum = sum + u32::from(word);
        (sum & 0xffff) + (sum >> 16)
    });
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::{Echo, HEAD, Heard, IPV6_HEAD, MARK, checksum};

    const ID: u16 = 0x4567;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn echo(to: &str) -> Echo {
        Echo::new(address(to), ID, *b"nobody knows me!", 56)
    }

    /// The answer that a well-behaved host gives to the request of number 2.
    fn answer(echo: &Echo) -> Vec<u8> {
        let mut answer = echo.request(2);
        answer[0] = echo.types().answer;
        answer
    }

    /// A packet with the shortest of heads before `message`.
    fn packet(to: &str, message: &[u8]) -> Vec<u8> {
        let mut head = match address(to) {
            IpAddr::V4(to) => {
                let mut head = vec![0; 20];
                (head[0], head[9]) = (0x45, 1);
                head[16..].copy_from_slice(&to.octets());
                head
            }
            IpAddr::V6(to) => {
                let mut head = vec![0; IPV6_HEAD];
                (head[0], head[6]) = (0x60, 58);
                head[24..].copy_from_slice(&to.octets());
                head
            }
        };
        head.extend_from_slice(message);
        head
    }

    fn error(kind: u8, quoted: &[u8]) -> Vec<u8> {
        [&[kind, 1, 0, 0, 0, 0, 0, 0], quoted].concat()
    }

    #[test]
    fn a_request_is_as_the_protocol_has_it() {
        let request = echo("192.0.2.1").request(0x0102);
        assert_eq!((request.len(), checksum(&request)), (HEAD + 56, 0));
        assert_eq!((request[0], &request[4..8]), (8, &[0x45, 0x67, 1, 2][..]));
        assert_eq!(&request[HEAD..HEAD + MARK], b"nobody knows me!");
        assert_eq!(echo("2001:db8::1").request(1)[0], 128);
        // An odd number of bytes, and what RFC 1071 adds up by hand.
        assert_eq!(checksum(&[0, 1, 0xf2, 3, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[1]), !0x0100);
    }

    #[test]
    fn only_our_own_answer_from_whom_we_asked_counts() {
        for (to, other) in [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")] {
            let echo = echo(to);
            let good = answer(&echo);
            let read = |packet: &[u8]| echo.read(address(to), packet);
            assert_eq!(read(&good), Some(Heard::Answer(2)));
            assert_eq!(echo.read(address(other), &good), None);
            // Somebody else's identifier, an own request that came back, a code that is none.
            for at in [0, 1, 4, 5, HEAD, HEAD + MARK, good.len() - 1] {
                let mut bad = good.clone();
                bad[at] ^= 8;
                assert_eq!(read(&bad), None, "{to}: byte {at}");
            }
            for length in 0..good.len() {
                assert_eq!(read(&good[..length]), None, "{to}: {length} bytes");
            }
            let long = [good, vec![0; 65_536]].concat();
            assert_eq!(read(&long), None);
            assert_eq!(read(&long[..echo.room()]), None);
            assert_eq!(read(&vec![0; 65_536]), None);
        }
    }

    #[test]
    fn the_head_of_a_packet_may_stand_before_an_answer() {
        let echo = echo("192.0.2.1");
        let read = |packet: &[u8]| echo.read(address("192.0.2.1"), packet);
        let mut whole = packet("198.51.100.9", &answer(&echo));
        assert_eq!(read(&whole), Some(Heard::Answer(2)));
        for (at, byte) in [(0, 0x44), (0, 0x4f), (9, 17)] {
            let before = std::mem::replace(&mut whole[at], byte);
            assert_eq!(read(&whole), None, "byte {at}");
            whole[at] = before;
        }
    }

    #[test]
    fn an_error_must_quote_what_we_sent() {
        for (to, other, unreachable, exceeded) in
            [("192.0.2.1", "192.0.2.2", 3, 11), ("2001:db8::1", "2001:db8::2", 1, 3)]
        {
            let echo = echo(to);
            let read = |packet: &[u8]| echo.read(address("203.0.113.1"), packet);
            let request = echo.request(7);
            // At least the head is quoted, and as much of the rest as there is room for.
            for length in [HEAD, HEAD + 3, request.len()] {
                let quoted = packet(to, &request[..length]);
                let heard = Some(Heard::Unreachable(7));
                assert_eq!(read(&error(unreachable, &quoted)), heard);
                assert_eq!(read(&error(exceeded, &quoted)), heard);
                assert_eq!(read(&error(5, &quoted)), None);
            }
            assert_eq!(read(&error(unreachable, &packet(other, &request))), None);
            assert_eq!(read(&error(unreachable, &packet(to, &answer(&echo)))), None);
            let whole = error(unreachable, &packet(to, &request[..HEAD]));
            for length in 0..whole.len() {
                assert_eq!(read(&whole[..length]), None, "{to}: {length} bytes");
            }
            for at in [4, HEAD] {
                let mut theirs = request.clone();
                theirs[at] ^= 1;
                assert_eq!(read(&error(unreachable, &packet(to, &theirs))), None, "byte {at}");
            }
        }
    }

    proptest! {
        /// Whatever comes, nothing of it is taken for an answer.
        #[test]
        fn noise_is_no_answer(noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            for to in ["192.0.2.1", "2001:db8::1"] {
                prop_assert_eq!(echo(to).read(address(to), &noise), None);
            }
        }
    }
}
