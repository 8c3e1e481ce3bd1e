//! Whose turn it is to log in: another account from run to run, so that none is used more than the
//! others and one that is locked is no outage.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::model::CheckId;

/// How many runs each check has had. Grows with the configuration and not with time.
#[derive(Debug, Default)]
pub(in crate::check) struct Turns(Mutex<BTreeMap<CheckId, usize>>);

impl Turns {
    /// The number of this run of `check`.
    pub(in crate::check) fn next(&self, check: &CheckId) -> usize {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let turn = turns.entry(check.clone()).or_default();
        let now = *turn;
        *turn = turn.wrapping_add(1);
        now
    }
}

/// All of `accounts`, in the order in which the run of number `turn` tries them; nobody once if
/// there are none.
pub(super) fn in_turn<T>(accounts: &[T], turn: usize) -> Vec<Option<&T>> {
    if accounts.is_empty() {
        return vec![None];
    }
    let (later, first) = accounts.split_at(turn % accounts.len());
    first.iter().chain(later).map(Some).collect()
}

#[cfg(test)]
mod tests {
    use super::{Turns, in_turn};
    use crate::model::CheckId;

    #[test]
    fn everybody_has_a_turn() {
        let turns = Turns::default();
        let check = CheckId::new("a/b/c");
        let firsts: Vec<_> =
            (0..4).map(|_| in_turn(&["x", "y", "z"], turns.next(&check))).collect();
        assert_eq!(firsts[0], [Some(&"x"), Some(&"y"), Some(&"z")]);
        assert_eq!(firsts[1], [Some(&"y"), Some(&"z"), Some(&"x")]);
        assert_eq!(firsts[2], [Some(&"z"), Some(&"x"), Some(&"y")]);
        assert_eq!(firsts[3], firsts[0]);
        assert_eq!(turns.next(&CheckId::new("another")), 0);
        assert_eq!(in_turn::<u8>(&[], 7), [None]);
    }
}
