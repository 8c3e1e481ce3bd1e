//! The `prober` check: our own trouble, as that of a component which stands for the monitoring.
//!
//! It asks nobody but the board. What it finds is degraded on purpose, where every other kind of
//! check is inconclusive for the same trouble: there it is said of a target, and here of ourselves.

use super::judgement::Judgement;
use super::trouble::Board;
use crate::config::ProberCheck;
use crate::model::{Finding, OwnTrouble, Reason, Subject};

pub(super) fn probe(board: &Board, check: &ProberCheck) -> Vec<Finding> {
    let noted = board.now();
    let watched = noted.iter().filter(|(trouble, _)| check.watch.contains(trouble));
    vec![judge(watched.map(|(trouble, detail)| (*trouble, detail.as_str()))).about(Subject::Whole)]
}

fn judge<'a>(noted: impl Iterator<Item = (OwnTrouble, &'a str)>) -> Judgement {
    let told: Vec<String> = noted.map(|(trouble, detail)| format!("{trouble}: {detail}")).collect();
    if told.is_empty() {
        return Judgement::PASS;
    }
    Judgement::degraded(Reason::OwnTrouble { detail: told.join("; ") })
}

#[cfg(test)]
mod tests {
    use super::probe;
    use crate::check::Board;
    use crate::clock::Clock;
    use crate::config::ProberCheck;
    use crate::model::{OwnTrouble, Verdict};

    #[test]
    fn what_is_watched_degrades_and_nothing_else_does() {
        let board = Board::new(Clock::start());
        let watching = |watch: &[OwnTrouble]| {
            let check = ProberCheck { watch: watch.iter().copied().collect() };
            let [finding] = probe(&board, &check).try_into().unwrap();
            (finding.verdict, finding.reason.map(|reason| reason.to_string()))
        };
        assert_eq!(watching(&OwnTrouble::ALL), (Verdict::Pass, None));
        board.set(OwnTrouble::Store, Some("no space".into()));
        board.set(OwnTrouble::Network, Some("nobody answers".into()));
        assert_eq!(watching(&[OwnTrouble::Clock]), (Verdict::Pass, None));
        let told = "the prober's own trouble: network: nobody answers; store: no space";
        assert_eq!(watching(&OwnTrouble::ALL), (Verdict::Degraded, Some(told.into())));
    }
}
