//! The board of our own trouble: whoever notices some writes it here, and the `prober` check, the
//! metrics, the health pages and the heartbeat read it. Nothing on it decides about a target.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Clock;
use crate::model::{OwnTrouble, Span, Timestamp};

/// What is wrong with ourselves now. Copies are the same board.
#[derive(Clone, Debug)]
pub struct Board {
    clock: Clock,
    noted: Arc<Mutex<BTreeMap<OwnTrouble, Noted>>>,
}

/// What is known of one kind of trouble. The two are kept apart, as somebody who measures that it
/// is over does not know what somebody else has just run into.
#[derive(Debug, Default)]
struct Noted {
    /// Until it is taken back.
    lasting: Option<String>,
    /// Until then.
    passing: Option<(String, Timestamp)>,
}

impl Board {
    /// A board without trouble, whose passing trouble passes by `clock`.
    pub fn new(clock: Clock) -> Self {
        Self { clock, noted: Arc::default() }
    }

    /// Notes what is wrong until it is set again; `None` is that nothing is.
    pub fn set(&self, trouble: OwnTrouble, detail: Option<String>) {
        self.noted().entry(trouble).or_default().lasting = detail;
    }

    /// Notes trouble of which nobody will hear that it is over: it is when it was not noted again
    /// for as long as this.
    pub fn note(&self, trouble: OwnTrouble, detail: String, lasts: Span) {
        let until = self.clock.now() + lasts;
        self.noted().entry(trouble).or_default().passing = Some((detail, until));
    }

    /// All that is wrong now, each with what is known of it.
    pub fn now(&self) -> BTreeMap<OwnTrouble, String> {
        let now = self.clock.now();
        let noted = self.noted();
        noted.iter().filter_map(|(trouble, noted)| Some((*trouble, noted.at(now)?))).collect()
    }

    fn noted(&self) -> MutexGuard<'_, BTreeMap<OwnTrouble, Noted>> {
        // What a panicking thread left half done is at worst an old detail.
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Noted {
    fn at(&self, now: Timestamp) -> Option<String> {
        let passing = || self.passing.as_ref().filter(|(_, until)| now < *until);
        self.lasting.clone().or_else(|| Some(passing()?.0.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Noted};
    use crate::clock::Clock;
    use crate::model::{OwnTrouble, Span, Timestamp};

    #[test]
    fn what_is_set_stays_until_it_is_taken_back() {
        let board = Board::new(Clock::start());
        assert!(board.now().is_empty());
        let copy = board.clone();
        copy.set(OwnTrouble::Network, Some("nobody answers".into()));
        let noted = [(OwnTrouble::Network, String::from("nobody answers"))];
        assert_eq!(board.now(), noted.into());
        board.set(OwnTrouble::Network, None);
        assert!(copy.now().is_empty());
    }

    #[test]
    fn whoever_measures_that_it_is_over_takes_back_its_own_only() {
        let board = Board::new(Clock::start());
        board.note(OwnTrouble::Exhausted, "no port".into(), Span::from_secs(60));
        board.set(OwnTrouble::Exhausted, Some("no descriptor".into()));
        assert_eq!(board.now()[&OwnTrouble::Exhausted], "no descriptor");
        board.set(OwnTrouble::Exhausted, None);
        assert_eq!(board.now()[&OwnTrouble::Exhausted], "no port");
    }

    #[test]
    fn what_passes_passes() {
        let until = Timestamp::from_secs(60);
        let noted = Noted { lasting: None, passing: Some(("no port".into(), until)) };
        assert_eq!(noted.at(Timestamp::from_secs(59)).as_deref(), Some("no port"));
        assert_eq!(noted.at(until), None);
    }
}
