//! What an NTP server's answer tells about its clock, and about the time. Pure.

use super::packet::Packet;
use crate::model::{ClockOffset, ClockSource, Reason, Span, Timestamp};

/// Beyond this, in microseconds, what a server says is no time but a guess (RFC 5905, MAXDISP).
const FARTHEST: i64 = 16_000_000;

/// Nobody reads a clock more coarsely than to 2^4 seconds.
const COARSEST: i8 = 4;

/// What one answer tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The offset of the server's own clock.
    pub clock: ClockOffset,
    /// How wrong that clock may be, as the server itself says: half of the way to the clock that
    /// it has its time from, and all the errors on it.
    pub root_distance: Span,
    /// How long the question and its answer were on their way.
    pub delay: Span,
    /// How many servers are between it and a clock.
    pub stratum: u8,
}

impl Reading {
    /// What `answer` tells, which was asked for at `sent` and had come at `received`.
    ///
    /// 1. A server that does not want to be asked, or says that it does not know the time, is
    ///    taken at its word.
    /// 2. So is one that says nothing which could be true.
    /// 3. Its clock showed `receive` at some moment after `sent`, and `transmit` at some moment
    ///    before `received`: each is one bound.
    pub fn of(answer: &Packet, sent: Timestamp, received: Timestamp) -> Result<Self, Reason> {
        refused(answer)?;
        let unfit = |detail: String| Err(Reason::NtpUnsynchronized { detail });
        if answer.receive.0 == 0 || answer.transmit.0 == 0 {
            return unfit("it tells no time".to_owned());
        }
        if answer.precision > COARSEST {
            return unfit(format!("a precision of 2^{} seconds", answer.precision));
        }
        let root = micros(answer.root_delay) / 2 + micros(answer.root_dispersion);
        if root >= FARTHEST {
            return unfit(format!("it may be wrong by {}", span(root)));
        }
        let step = 1_000_000_i64.checked_shr(answer.precision.unsigned_abs().into()).unwrap_or(0);
        let step = if answer.precision > 0 { 1_000_000 << answer.precision } else { step + 1 };
        let (at_least, at_most) = (answer.transmit.since(received).0, answer.receive.since(sent).1);
        if at_least > at_most {
            return unfit("its clock was set while it answered".to_owned());
        }
        Ok(Self {
            clock: ClockOffset {
                at_least: at_least.saturating_sub(step),
                at_most: at_most.saturating_add(step),
                source: ClockSource::Ntp,
            },
            root_distance: span(root),
            delay: span(at_most.saturating_sub(at_least)),
            stratum: answer.stratum,
        })
    }

    /// The offset of the true time, if the server knows itself.
    pub fn truth(&self) -> ClockOffset {
        let root = i64::try_from(self.root_distance.as_micros()).unwrap_or(i64::MAX);
        ClockOffset {
            at_least: self.clock.at_least.saturating_sub(root),
            at_most: self.clock.at_most.saturating_add(root),
            source: ClockSource::Ntp,
        }
    }

    /// Which of several readings of one clock counts: the one that was the least on its way, made
    /// narrower by all the others that agree with it, the quickest first. One that does not was
    /// taken before the clock was set, or of another clock behind the same address.
    pub fn best(mut readings: Vec<Self>) -> Option<Self> {
        readings.sort_by_key(|reading| reading.delay);
        readings.into_iter().reduce(|best, other| {
            let at_least = best.clock.at_least.max(other.clock.at_least);
            let at_most = best.clock.at_most.min(other.clock.at_most);
            if at_least > at_most {
                return best;
            }
            Self { clock: ClockOffset { at_least, at_most, ..best.clock }, ..best }
        })
    }
}

/// Whether the server says that it will not tell the time, or cannot.
fn refused(answer: &Packet) -> Result<(), Reason> {
    let detail = match (answer.stratum, answer.leap) {
        (0, _) => {
            let code = kiss(answer.reference_id);
            if let "DENY" | "RSTR" | "RATE" = code.as_str() {
                return Err(Reason::NtpRefused { code });
            }
            format!("stratum 0, {code}")
        }
        (stratum @ 16.., _) => format!("stratum {stratum}"),
        (_, 3) => "by its leap indicator".to_owned(),
        _ => return Ok(()),
    };
    Err(Reason::NtpUnsynchronized { detail })
}

/// The code of a kiss of death: four letters, or fewer.
fn kiss(code: [u8; 4]) -> String {
    let letters: String = code.into_iter().take_while(|byte| *byte != 0).map(char::from).collect();
    let is_code = !letters.is_empty() && letters.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_code { letters } else { "without a code".to_owned() }
}

/// Of NTP's short format, the next microsecond above.
fn micros(short: u32) -> i64 {
    (i64::from(short) * 1_000_000 + 0xffff) >> 16
}

fn span(micros: i64) -> Span {
    Span::from_micros(u64::try_from(micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, proptest};

    use super::super::packet::{Moment, Packet};
    use super::Reading;
    use crate::model::{ClockOffset, ClockSource, Span, Timestamp};

    const SECOND: i64 = 1_000_000;
    const YEAR: i64 = 366 * 24 * 3600 * SECOND;
    const NOW: i64 = 57 * YEAR;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    fn answer() -> Packet {
        let now = Moment::of(at(NOW));
        Packet {
            mode: 4,
            version: 4,
            stratum: 2,
            precision: -24,
            root_delay: 1 << 16,
            root_dispersion: 1 << 15,
            receive: now,
            transmit: now,
            ..Packet::default()
        }
    }

    fn read(answer: Packet) -> Result<Reading, String> {
        Reading::of(&answer, at(NOW), at(NOW)).map_err(|reason| reason.to_string())
    }

    proptest! {
        /// Whatever the offset, however long the ways there and back, however long the server
        /// took and however coarsely it reads its clock: cut off, rounded or filled up.
        #[test]
        fn the_interval_contains_the_truth(
            sent in NOW..NOW + 50 * YEAR,
            truth in -67 * YEAR..67 * YEAR,
            there in 0..10 * SECOND,
            thinking in 0..10 * SECOND,
            back in 0..10 * SECOND,
            precision in -25..=2_i8,
            up in any::<[bool; 2]>(),
        ) {
            let step = 2_f64.powi(precision.into()) * 1e6;
            #[expect(clippy::cast_possible_truncation, reason = "at most a few seconds")]
            let step = (step as i64).max(1);
            let shown = |moment: i64, up: bool| {
                let theirs = moment + truth;
                let cut = theirs - theirs.rem_euclid(step);
                Moment::of(at(if up { cut + step } else { cut }))
            };
            let packet = Packet {
                precision,
                receive: shown(sent + there, up[0]),
                transmit: shown(sent + there + thinking, up[1]),
                ..answer()
            };
            let received = at(sent + there + thinking + back);
            if let Ok(reading) = Reading::of(&packet, at(sent), received) {
                let ClockOffset { at_least, at_most, .. } = reading.clock;
                prop_assert!(at_least <= truth && truth <= at_most, "{reading:?}");
                prop_assert!(reading.truth().at_least <= at_least - SECOND);
                prop_assert!(at_most - at_least <= there + back + 4 * step + 8);
            } else {
                // Only what was rounded by more than it was on its way looks set.
                prop_assert!(there + back <= 2 * step, "{packet:?}");
            }
        }

        #[test]
        fn whatever_is_said_is_read_or_refused(bytes in any::<[u8; 48]>(), took in any::<u32>()) {
            let packet = Packet::decode(&bytes).unwrap();
            let _ = Reading::of(&packet, at(NOW), at(NOW + i64::from(took)));
        }
    }

    #[test]
    fn a_server_that_does_not_know_the_time_is_taken_at_its_word() {
        let kiss = |code: &[u8; 4]| Packet { stratum: 0, reference_id: *code, ..answer() };
        for (packet, words) in [
            (kiss(b"DENY"), "the NTP server refuses to answer: DENY"),
            (kiss(b"RATE"), "the NTP server refuses to answer: RATE"),
            (kiss(b"RSTR"), "the NTP server refuses to answer: RSTR"),
            (kiss(b"INIT"), "stratum 0, INIT"),
            (kiss(b"\0\0\0\0"), "stratum 0, without a code"),
            (kiss(b"\x1b[2J"), "stratum 0, without a code"),
            (Packet { stratum: 16, ..answer() }, "stratum 16"),
            (Packet { leap: 3, ..answer() }, "by its leap indicator"),
            (Packet { transmit: Moment(0), ..answer() }, "it tells no time"),
            (Packet { precision: 5, ..answer() }, "a precision of 2^5 seconds"),
            (Packet { root_dispersion: 16 << 16, ..answer() }, "it may be wrong by 16"),
            (Packet { root_delay: 31 << 16, ..answer() }, "it may be wrong by 16"),
            (Packet { root_delay: u32::MAX, ..answer() }, "it may be wrong by"),
        ] {
            let found = read(packet).unwrap_err();
            assert!(found.contains(words), "{found}: {words}");
        }
        let set = Packet { transmit: Moment::of(at(NOW + SECOND)), ..answer() };
        assert!(read(set).unwrap_err().contains("set while it answered"));
        assert!(read(Packet { leap: 2, stratum: 15, ..answer() }).is_ok());
    }

    #[test]
    fn what_the_server_says_of_itself_widens_the_truth_alone() {
        let reading = read(answer()).unwrap();
        assert_eq!(reading.root_distance, Span::from_secs(1));
        assert!(reading.clock.at_most < 10 && reading.clock.at_least > -10, "{reading:?}");
        assert_eq!(reading.truth().at_most, reading.clock.at_most + SECOND);
    }

    #[test]
    fn the_quickest_counts_and_others_narrow_it() {
        let reading = |at_least, at_most| Reading {
            clock: ClockOffset { at_least, at_most, source: ClockSource::Ntp },
            delay: Span::from_micros(u64::try_from(at_most - at_least).unwrap()),
            ..read(answer()).unwrap()
        };
        let best = |all: Vec<Reading>| {
            let ClockOffset { at_least, at_most, .. } = Reading::best(all).unwrap().clock;
            (at_least, at_most)
        };
        assert_eq!(best(vec![reading(0, 100), reading(10, 50), reading(-500, 30)]), (10, 30));
        assert_eq!(best(vec![reading(0, 100), reading(200, 250)]), (200, 250));
        assert_eq!(Reading::best(Vec::new()), None);
    }
}
