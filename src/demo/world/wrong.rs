//! What is wrong at this moment, as the servers ask for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::super::fault::{Fault, Place, What};
use crate::model::Timestamp;

/// A retransmission comes after so long at the earliest, and then after twice as long each time.
const RETRANSMISSION: Duration = Duration::from_millis(200);

/// All that is wrong.
#[derive(Clone, Debug, Default)]
pub(super) struct Wrong {
    active: Vec<Active>,
    /// How many answers and datagrams there have been, which says what becomes of the next.
    count: Arc<AtomicU64>,
}

/// A fault, and since when it is there.
#[derive(Clone, Debug)]
pub(super) struct Active {
    pub(super) fault: Fault,
    pub(super) since: Timestamp,
}

/// Who is asked for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    pub(super) service: &'a str,
    pub(super) backend: u8,
    pub(super) tenant: Option<&'a str>,
    pub(super) path: &'a str,
}

impl Wrong {
    pub(super) fn set(&mut self, faults: &[Fault], now: Timestamp) {
        let since = |fault: &Fault| {
            let before = self.active.iter().find(|active| active.fault == *fault);
            before.map_or(now, |active| active.since)
        };
        self.active = faults
            .iter()
            .map(|fault| Active { fault: fault.clone(), since: since(fault) })
            .collect();
    }

    /// What is wrong for this request.
    pub(super) fn of<'a>(&'a self, asked: Asked<'a>) -> impl Iterator<Item = &'a Active> {
        self.active.iter().filter(move |active| {
            let Place { tenants, paths, .. } = &active.fault.place;
            is_at(&active.fault.place, asked.service, asked.backend)
                && (tenants.is_empty()
                    || asked.tenant.is_some_and(|one| tenants.iter().any(|name| name == one)))
                && (paths.is_empty() || paths.iter().any(|path| asked.path.starts_with(path)))
        })
    }

    fn at(&self, service: &str, backend: u8) -> impl Iterator<Item = &What> {
        let here = self.active.iter().filter(move |it| is_at(&it.fault.place, service, backend));
        here.map(|it| &it.fault.what)
    }

    pub(super) fn refuses(&self, service: &str, backend: u8) -> bool {
        self.at(service, backend).any(|what| matches!(what, What::Refuse {}))
    }

    pub(super) fn is_cut(&self) -> bool {
        self.active.iter().any(|it| matches!(it.fault.what, What::Cut {}))
    }

    /// How far a backend's clock is ahead, in microseconds.
    pub(super) fn clock(&self, service: &str, backend: u8) -> i64 {
        let micros = |span: &Duration| i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
        self.at(service, backend)
            .map(|what| {
                let What::Clock { ahead, behind } = what else { return 0 };
                micros(ahead).saturating_sub(micros(behind))
            })
            .fold(0, i64::saturating_add)
    }

    /// How long a connection waits before it is served.
    pub(super) fn line(&self, service: &str, backend: u8) -> Duration {
        let wait =
            |what: &What| if let What::PileUp { wait } = what { *wait } else { Duration::ZERO };
        self.at(service, backend).map(wait).sum()
    }

    /// The backends that the name server has for a service, if not the usual ones.
    pub(super) fn addresses(&self, service: &str) -> Option<&[u8]> {
        self.active.iter().find_map(|it| {
            let What::Addresses { are } = &it.fault.what else { return None };
            is_at(&it.fault.place, service, 0).then_some(are.as_slice())
        })
    }

    /// How much later than usual the network brings an answer.
    pub(super) fn late(&self, service: &str) -> Duration {
        let late = |what: &What| {
            if let What::Loss { percent } = what
                && self.falls_on(*percent)
            {
                RETRANSMISSION * [1, 1, 3].get(self.draw(3)).copied().unwrap_or(1)
            } else if let What::Spikes { percent, delay } = what
                && self.falls_on(*percent)
            {
                *delay
            } else {
                Duration::ZERO
            }
        };
        self.at(service, 0).map(late).sum()
    }

    /// Whether a datagram is lost.
    pub(super) fn loses(&self, service: &str) -> bool {
        self.at(service, 0)
            .any(|what| matches!(what, What::Loss { percent } if self.falls_on(*percent)))
    }

    fn falls_on(&self, percent: u8) -> bool {
        self.draw(100) < usize::from(percent)
    }

    /// The next of a row of numbers below `most` that looks random and is the same in every run.
    fn draw(&self, most: u64) -> usize {
        // Knuth's multiplier of MMIX: the upper bits of the product are well mixed.
        let n = self.count.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let mixed = (n.wrapping_mul(6_364_136_223_846_793_005) ^ (n << 7))
            .wrapping_mul(6_364_136_223_846_793_005);
        usize::try_from((mixed >> 33).checked_rem(most).unwrap_or(0)).unwrap_or(0)
    }
}

/// Backend 0 is the service as such.
fn is_at(place: &Place, service: &str, backend: u8) -> bool {
    (place.service.is_empty() || place.service.iter().any(|name| name == service))
        && (backend == 0 || place.backends.is_empty() || place.backends.contains(&backend))
}

#[cfg(test)]
mod tests {
    use super::super::super::fault::{Fault, Place, What};
    use super::Wrong;
    use crate::model::Timestamp;

    #[test]
    fn two_in_a_hundred_are_late_and_the_same_ones_in_every_run() {
        let row = || {
            let mut wrong = Wrong::default();
            let what = What::Loss { percent: 2 };
            wrong.set(&[Fault { what, place: Place::default() }], Timestamp::EPOCH);
            (0..10_000).map(|_| wrong.loses("ns")).collect::<Vec<bool>>()
        };
        let lost = row().into_iter().filter(|lost| *lost).count();
        assert!((150..=250).contains(&lost), "{lost} of 10000");
        assert_eq!(row(), row());
    }
}
