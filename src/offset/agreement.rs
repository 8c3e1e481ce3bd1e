//! What most of several clocks agree on, whatever the others say.

use crate::model::ClockOffset;

/// What more than half of `clocks` admit: from the least to the greatest offset that so many of
/// them have in common (Marzullo's algorithm, in the form that NTP gave it). `None` if nothing is
/// admitted by so many.
///
/// 1. While more than half tell the truth, it is in there: they all admit it.
/// 2. So whoever has nothing in common with it lies.
/// 3. All of it counts, and not just where most overlap: some liar may overlap with some who are
///    honest, and so make a better intersection than the honest have among themselves.
/// 4. Of one clock alone it is that clock; of two what both admit.
pub fn agreement(clocks: &[ClockOffset]) -> Option<ClockOffset> {
    agreement_of(clocks.len(), clocks)
}

/// What more than half of `all` clocks admit, of which only `clocks` were heard: who is silent
/// agrees with nobody.
pub fn agreement_of(all: usize, clocks: &[ClockOffset]) -> Option<ClockOffset> {
    let most = all / 2 + 1;
    let mut starts: Vec<i64> = clocks.iter().map(|clock| clock.at_least).collect();
    let mut ends: Vec<i64> = clocks.iter().map(|clock| clock.at_most).collect();
    starts.sort_unstable();
    ends.sort_unstable();
    // Where so many have begun and have not ended: intervals that only touch have that point.
    let open_at = |point: i64| {
        starts.partition_point(|start| *start <= point) - ends.partition_point(|end| *end < point)
    };
    let at_least = starts.iter().copied().find(|start| open_at(*start) >= most)?;
    let at_most = ends.iter().rev().copied().find(|end| open_at(*end) >= most)?;
    let narrowest = clocks.iter().min_by_key(|clock| clock.width())?;
    Some(ClockOffset { at_least, at_most, source: narrowest.source })
}

/// Which of several addresses of one name have certainly another time than their siblings, and by
/// how much.
///
/// 1. With fewer than three addresses nothing is known: of two that differ either may be wrong.
/// 2. More than half of them must agree on something.
/// 3. Whoever has nothing in common with that is wrong, by what lies between at least. Our own
///    clock, which all of them are known against, does not matter.
pub fn strayed(siblings: &[ClockOffset]) -> Vec<Option<ClockOffset>> {
    let agreed = if siblings.len() < 3 { None } else { agreement(siblings) };
    let judged = |one: &ClockOffset| {
        agreed.filter(|agreed| !one.overlaps(*agreed)).map(|agreed| one.minus(agreed))
    };
    siblings.iter().map(judged).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::{prop_assert, proptest};

    use super::{agreement, strayed};
    use crate::model::{ClockOffset, ClockSource};

    fn offset(at_least: i64, at_most: i64) -> ClockOffset {
        ClockOffset { at_least, at_most, source: ClockSource::Date }
    }

    proptest! {
        /// However the liars lie, and wherever among the honest they stand.
        #[test]
        fn the_truth_is_in_it_while_fewer_than_half_lie(
            truth in -1_000..1_000_i64,
            honest in vec((0..300_i64, 0..300_i64), 1..8),
            liars in vec((-2_000..2_000_i64, 0..900_i64), 0..8),
            turn in 0..16_usize,
        ) {
            let liars = &liars[..liars.len().min(honest.len() - 1)];
            let mut all: Vec<ClockOffset> = honest
                .iter()
                .map(|(below, above)| offset(truth - below, truth + above))
                .chain(liars.iter().map(|(from, width)| offset(*from, from + width)))
                .collect();
            let count = all.len();
            all.rotate_left(turn % count);
            let found = agreement(&all).unwrap();
            prop_assert!(found.at_least <= truth && truth <= found.at_most, "{:?}", found);
        }

        #[test]
        fn no_honest_sibling_is_convicted_while_most_are_honest(
            truth in -1_000..1_000_i64,
            honest in vec((0..300_i64, 0..300_i64), 1..8),
            liars in vec((-2_000..2_000_i64, 0..900_i64), 0..8),
        ) {
            let liars = &liars[..liars.len().min(honest.len() - 1)];
            let honest: Vec<ClockOffset> =
                honest.iter().map(|(below, above)| offset(truth - below, truth + above)).collect();
            let liars = liars.iter().map(|(from, width)| offset(*from, from + width));
            let all: Vec<ClockOffset> = honest.iter().copied().chain(liars).collect();
            let found = strayed(&all);
            prop_assert!(found[..honest.len()].iter().all(Option::is_none), "{:?}", found);
            // And who is convicted is so by no more than what is wrong.
            for (one, strayed) in all.iter().zip(&found) {
                if let Some(by) = strayed {
                    let least = i64::try_from(by.certain().as_micros()).unwrap();
                    prop_assert!(one.beyond(offset(truth, truth)).abs() >= least);
                }
            }
        }
    }

    #[test]
    fn a_liar_that_overlaps_some_of_the_honest_convicts_none_of_them() {
        let all = [offset(0, 20), offset(0, 20), offset(0, 10), offset(15, 30)];
        assert_eq!(agreement(&all), Some(offset(0, 20)));
        assert_eq!(strayed(&all), [None; 4]);
    }

    #[test]
    fn of_two_that_differ_nobody_knows_which_is_wrong() {
        assert_eq!(agreement(&[]), None);
        assert_eq!(agreement(&[offset(1, 2)]), Some(offset(1, 2)));
        assert_eq!(agreement(&[offset(0, 1), offset(5, 6)]), None);
        assert_eq!(strayed(&[offset(0, 1), offset(5, 6)]), [None; 2]);
        assert_eq!(strayed(&[offset(0, 1), offset(5, 6), offset(10, 11)]), [None; 3]);
        let odd = strayed(&[offset(0, 1), offset(5, 6), offset(1, 2)]);
        assert_eq!(odd, [None, Some(offset(4, 5)), None]);
    }
}
