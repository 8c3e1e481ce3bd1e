//! What NTP packets say (RFC 5905), and how points in time are written in them. Pure.

use crate::model::Timestamp;

/// How long a packet is, without the extensions and signatures that may follow.
pub const LENGTH: usize = 48;

/// From NTP's epoch, the year 1900, to ours, in seconds.
const SINCE_1900: i128 = 2_208_988_800;

/// A point in time as NTP writes it: seconds since 1900 and a fraction of 2^32, of an era of 136
/// years that nobody writes down. The first one ends in 2036.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moment(pub u64);

impl Moment {
    /// `at`, of whichever era it is in.
    pub fn of(at: Timestamp) -> Self {
        let micros = i128::from(at.as_micros()) + SINCE_1900 * 1_000_000;
        let units = (micros << 32).div_euclid(1_000_000);
        // The era is cut off, as everybody does.
        Self(u64::try_from(units.rem_euclid(1 << 64)).unwrap_or_default())
    }

    /// How far it is after `at`, between two whole microseconds. Of all the eras that it may be
    /// of, the one counts that brings it the nearest to `at`: a clock that is off by more than 68
    /// years looks as if it were off by less.
    pub fn since(self, at: Timestamp) -> (i64, i64) {
        let units = i128::from(self.0.wrapping_sub(Self::of(at).0).cast_signed());
        let micros = |units: i128| i64::try_from(units).unwrap_or(i64::MAX);
        // What `of` has cut off makes the distance too long by less than one unit.
        let least = (units - 1) * 1_000_000;
        let most = units * 1_000_000;
        (micros(least.div_euclid(1 << 32)), micros(-(-most).div_euclid(1 << 32)))
    }
}

/// A packet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Packet {
    /// Whether a second is to be left out or added, two bits; 3 for a clock that is not
    /// synchronised.
    pub leap: u8,
    /// The version, three bits.
    pub version: u8,
    /// Who sends it to whom, three bits: 3 for a client, 4 for a server.
    pub mode: u8,
    /// How many servers are between this one and a clock; 0 for a kiss of death.
    pub stratum: u8,
    /// How often the sender asks its own server, as a power of two of seconds.
    pub poll: i8,
    /// How finely its clock is read, likewise.
    pub precision: i8,
    /// How long the way to the clock and back takes, in 2^-16 seconds.
    pub root_delay: u32,
    /// How much the errors on that way can come to, in 2^-16 seconds.
    pub root_dispersion: u32,
    /// Which clock it is; the code of a kiss of death.
    pub reference_id: [u8; 4],
    /// When the clock was last set.
    pub reference: Moment,
    /// When the question left, by the clock of whoever asked: given back as it came.
    pub origin: Moment,
    /// When the question came.
    pub receive: Moment,
    /// When this packet left.
    pub transmit: Moment,
}

impl Packet {
    /// A question that tells nothing about who asks: `mark` is random, and stands where others
    /// write their time, so that nobody who has not seen the question can answer it.
    pub fn question(mark: u64) -> Self {
        Self { version: 4, mode: 3, transmit: Moment(mark), ..Self::default() }
    }

    /// The packet as it is sent.
    pub fn encode(&self) -> [u8; LENGTH] {
        let first = (self.leap & 3) << 6 | (self.version & 7) << 3 | self.mode & 7;
        let [poll] = self.poll.to_be_bytes();
        let [precision] = self.precision.to_be_bytes();
        let mut bytes = [0; LENGTH];
        let parts: [&[u8]; 8] = [
            &[first, self.stratum, poll, precision],
            &self.root_delay.to_be_bytes(),
            &self.root_dispersion.to_be_bytes(),
            &self.reference_id,
            &self.reference.0.to_be_bytes(),
            &self.origin.0.to_be_bytes(),
            &self.receive.0.to_be_bytes(),
            &self.transmit.0.to_be_bytes(),
        ];
        for (place, byte) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *place = *byte;
        }
        bytes
    }

    /// What `bytes` say; `None` if they are too few. What may follow is passed over.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let ([first, stratum, poll, precision], rest) = bytes.split_first_chunk::<4>()?;
        let (root_delay, rest) = rest.split_first_chunk::<4>()?;
        let (root_dispersion, rest) = rest.split_first_chunk::<4>()?;
        let (reference_id, rest) = rest.split_first_chunk::<4>()?;
        let (reference, rest) = rest.split_first_chunk::<8>()?;
        let (origin, rest) = rest.split_first_chunk::<8>()?;
        let (receive, rest) = rest.split_first_chunk::<8>()?;
        let (transmit, _) = rest.split_first_chunk::<8>()?;
        let moment = |bytes: &[u8; 8]| Moment(u64::from_be_bytes(*bytes));
        Some(Self {
            leap: first >> 6,
            version: first >> 3 & 7,
            mode: first & 7,
            stratum: *stratum,
            poll: i8::from_be_bytes([*poll]),
            precision: i8::from_be_bytes([*precision]),
            root_delay: u32::from_be_bytes(*root_delay),
            root_dispersion: u32::from_be_bytes(*root_dispersion),
            reference_id: *reference_id,
            reference: moment(reference),
            origin: moment(origin),
            receive: moment(receive),
            transmit: moment(transmit),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::{LENGTH, Moment, Packet};
    use crate::model::Timestamp;

    const SECOND: i64 = 1_000_000;
    const YEAR: i64 = 366 * 24 * 3600 * SECOND;

    proptest! {
        #[test]
        fn what_was_encoded_is_decoded(
            head in any::<(u8, u8, u8, u8, i8, i8)>(),
            root in any::<(u32, u32, [u8; 4])>(),
            moments in any::<[u64; 4]>(),
            more in proptest::collection::vec(any::<u8>(), 0..100),
        ) {
            let [reference, origin, receive, transmit] = moments.map(Moment);
            let packet = Packet {
                leap: head.0 & 3,
                version: head.1 & 7,
                mode: head.2 & 7,
                stratum: head.3,
                poll: head.4,
                precision: head.5,
                root_delay: root.0,
                root_dispersion: root.1,
                reference_id: root.2,
                reference,
                origin,
                receive,
                transmit,
            };
            let bytes = [&packet.encode()[..], &more].concat();
            prop_assert_eq!(Packet::decode(&bytes), Some(packet));
        }

        /// Nor does a byte get lost on the way.
        #[test]
        fn whatever_comes_is_read_or_too_short(bytes in proptest::collection::vec(any::<u8>(), 0..128)) {
            match Packet::decode(&bytes) {
                Some(packet) => prop_assert_eq!(&packet.encode()[..], &bytes[..LENGTH]),
                None => prop_assert!(bytes.len() < LENGTH),
            }
        }

        /// In this era and in the next, and from one to the other.
        #[test]
        fn distances_are_told_to_the_microsecond(
            at in 0..200 * YEAR,
            away in -67 * YEAR..67 * YEAR,
        ) {
            let moment = Moment::of(Timestamp::from_micros(at + away));
            let (least, most) = moment.since(Timestamp::from_micros(at));
            prop_assert!(least <= away && away <= most, "{least} {most} {away}");
            prop_assert!(most - least <= 2, "{least} {most}");
        }
    }

    #[test]
    fn the_second_era_begins_in_2036() {
        let begin = Timestamp::from_secs(2_085_978_496);
        assert_eq!(Moment::of(begin), Moment(0));
        assert_eq!(Moment::of(Timestamp::EPOCH), Moment(2_208_988_800 << 32));
        let before = Timestamp::from_secs(2_085_978_495);
        assert_eq!(Moment::of(before), Moment(u64::from(u32::MAX) << 32));
        let (least, most) = Moment::of(begin).since(before);
        assert!(least <= SECOND && SECOND <= most);
    }

    #[test]
    fn a_question_tells_nothing_of_who_asks() {
        let bytes = Packet::question(0x0102_0304_0506_0708).encode();
        assert_eq!(bytes[0], 0x23);
        assert!(bytes[1..40].iter().all(|byte| *byte == 0));
        assert_eq!(bytes[40..], [1, 2, 3, 4, 5, 6, 7, 8]);
    }
}
