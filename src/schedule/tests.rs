//! The schedule on a simulated clock: wake-ups that come late, runs that take longer than their
//! interval, states in doubt.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use proptest::prelude::*;

use super::{Due, FIRST_WITHIN, Occasion, Plan, SHORTEST, Schedule};
use crate::model::{CheckId, Span, Timestamp};

const START: Timestamp = Timestamp::from_secs(1_631_713_200);

fn plan(n: usize, interval: Span) -> Plan {
    let check = CheckId::new(format!("blip/portal/check-{n}"));
    Plan { check, interval, confirm_interval: Span::from_millis(500) }
}

fn plans(count: usize, interval: Span) -> Vec<Plan> {
    (0..count).map(|n| plan(n, interval)).collect()
}

/// What became of one run.
#[derive(Clone, Debug)]
struct Run {
    due: Due,
    began_at: Timestamp,
    missed: u32,
}

/// What the world does to the schedule, drawn from lists that are used round and round.
#[derive(Clone, Debug)]
struct World {
    /// How late the process wakes up.
    lateness: Vec<Span>,
    /// How long runs take, and whether they leave the state in doubt.
    runs: Vec<(Span, bool)>,
}

impl World {
    /// Wakes up in time, and every run is short and clear.
    fn without_trouble() -> Self {
        Self { lateness: vec![Span::ZERO], runs: vec![(Span::from_millis(30), false)] }
    }

    /// Lives through `events` wake-ups and ends of runs; the finished runs of each check.
    fn live(&self, plans: &[Plan], events: usize) -> BTreeMap<CheckId, Vec<Run>> {
        let mut schedule = Schedule::new(plans.to_vec(), START);
        let mut running: BTreeMap<CheckId, (Due, Timestamp)> = BTreeMap::new();
        let mut ends: BinaryHeap<Reverse<(Timestamp, CheckId, bool)>> = BinaryHeap::new();
        let mut finished: BTreeMap<CheckId, Vec<Run>> = BTreeMap::new();
        let mut lateness = self.lateness.iter().cycle();
        let mut runs = self.runs.iter().cycle();
        let mut now = START;
        for _ in 0..events {
            let wakeup = schedule.next_wakeup().map(|wakeup| wakeup.at);
            let end = ends.peek().map(|Reverse((at, _, _))| *at);
            assert!(wakeup.is_some() || end.is_some(), "a check got lost");
            if let Some(end) = end.filter(|end| wakeup.is_none_or(|wakeup| *end <= wakeup)) {
                // A late wake-up may have gone past the end of a run.
                now = now.max(end);
                let Reverse((_, check, unsettled)) = ends.pop().unwrap();
                let (due, began_at) = running.remove(&check).unwrap();
                let missed = schedule.finished(&check, now, unsettled);
                finished.entry(check).or_default().push(Run { due, began_at, missed });
                continue;
            }
            now = now.max(wakeup.unwrap() + *lateness.next().unwrap());
            for due in schedule.due(now) {
                assert!(due.scheduled_at <= now, "{due:?} is early at {now}");
                let (took, unsettled) = *runs.next().unwrap();
                ends.push(Reverse((now + took, due.check.clone(), unsettled)));
                let before = running.insert(due.check.clone(), (due.clone(), now));
                assert!(before.is_none(), "{due:?} overlaps {before:?}");
            }
            assert!(schedule.next_wakeup().is_none_or(|next| next.at > now), "a busy loop");
        }
        finished
    }
}

fn any_span(millis: std::ops::Range<u64>) -> impl Strategy<Value = Span> {
    millis.prop_map(Span::from_millis)
}

fn any_plans() -> impl Strategy<Value = Vec<Plan>> {
    let one = (any_span(0..40_000), any_span(0..10_000));
    prop::collection::vec(one, 1..8).prop_map(|spans| {
        let plan =
            |(n, (interval, confirm_interval))| Plan { confirm_interval, ..plan(n, interval) };
        spans.into_iter().enumerate().map(plan).collect()
    })
}

fn any_world() -> impl Strategy<Value = World> {
    let lateness =
        prop_oneof![4 => Just(Span::ZERO), 3 => any_span(0..50), 1 => any_span(0..90_000)];
    let took = prop_oneof![1 => Just(Span::ZERO), 6 => any_span(0..900), 1 => any_span(0..90_000)];
    let runs = prop::collection::vec((took, any::<bool>()), 1..20);
    (prop::collection::vec(lateness, 1..20), runs)
        .prop_map(|(lateness, runs)| World { lateness, runs })
}

proptest! {
    /// Never early, never overlapping, no busy loop (asserted on the way), and every tick of the
    /// grid is either run or counted as missed, exactly once.
    #[test]
    fn every_tick_is_run_or_missed(plans in any_plans(), world in any_world()) {
        let runs = world.live(&plans, 400);
        for plan in &plans {
            let interval = plan.interval.max(SHORTEST).as_micros();
            let mut last_tick: Option<Timestamp> = None;
            let mut missed = 0;
            for run in runs.get(&plan.check).into_iter().flatten() {
                if run.due.occasion == Occasion::Tick {
                    if let Some(last) = last_tick {
                        let between = Span::from(run.due.scheduled_at.since(last)).as_micros();
                        prop_assert_eq!(between % interval, 0, "off the grid");
                        prop_assert_eq!(between / interval, 1 + missed, "{:?}", run);
                    }
                    last_tick = Some(run.due.scheduled_at);
                    missed = 0;
                }
                missed += u64::from(run.missed);
            }
        }
    }

    #[test]
    fn in_a_world_without_trouble_every_check_runs_at_its_interval(
        intervals in prop::collection::vec(any_span(1_000..60_000), 1..20),
    ) {
        let plans: Vec<Plan> =
            intervals.into_iter().enumerate().map(|(n, interval)| plan(n, interval)).collect();
        let runs = World::without_trouble().live(&plans, 1_000);
        for plan in &plans {
            let Some(runs) = runs.get(&plan.check) else { continue };
            for (n, run) in runs.iter().enumerate() {
                prop_assert_eq!(run.began_at, run.due.scheduled_at);
                prop_assert_eq!(run.missed, 0);
                let expected = if n == 0 { Occasion::First } else { Occasion::Tick };
                prop_assert_eq!(run.due.occasion, expected);
            }
            for (n, pair) in runs.windows(2).enumerate() {
                let gap = pair[1].began_at.since(pair[0].began_at);
                let interval = plan.interval.to_duration();
                if n == 0 {
                    prop_assert!(gap >= interval / 2 && gap < interval * 3 / 2, "{:?}", gap);
                } else {
                    prop_assert_eq!(gap, interval);
                }
            }
        }
    }

    #[test]
    fn no_time_and_no_interval_overflows(
        now in any::<i64>(), interval in any::<u64>(), confirm in any::<u64>(), later in any::<i64>(),
    ) {
        let (interval, confirm_interval) = (Span::from_micros(interval), Span::from_micros(confirm));
        let plan = Plan { confirm_interval, ..plan(0, interval) };
        let mut schedule = Schedule::new([plan.clone()], Timestamp::from_micros(now));
        let later = Timestamp::from_micros(later);
        let _ = schedule.due(Timestamp::from_micros(i64::MAX));
        schedule.finished(&plan.check, later, true);
        let _ = schedule.due(later);
    }
}

/// How many of `times` fall into each of `slots` equal parts of `length`.
fn spread(times: impl Iterator<Item = Timestamp>, length: Span, slots: usize) -> Vec<usize> {
    let mut counts = vec![0; slots];
    let length = usize::try_from(length.as_micros()).unwrap();
    for at in times {
        let into = usize::try_from(at.since(START).as_micros()).unwrap() % length;
        counts[into * slots / length] += 1;
    }
    counts
}

#[test]
fn ten_thousand_checks_start_soon_and_spread_evenly() {
    let interval = Span::from_secs(30);
    let plans = plans(10_000, interval);
    // Every check's first run and two of its ticks: a wake-up and an end for each.
    let runs = World::without_trouble().live(&plans, 65_000);
    let first = runs.values().map(|runs| runs[0].began_at);
    assert_eq!(first.clone().count(), 10_000);
    assert!(first.clone().all(|at| at < START + FIRST_WITHIN));
    let ticks = runs.values().map(|runs| runs[1].began_at);
    for counts in [spread(first, FIRST_WITHIN, 50), spread(ticks, interval, 50)] {
        // 200 in each slot, with a standard deviation of 14.
        assert!(counts.iter().all(|count| (130..=270).contains(count)), "{counts:?}");
    }
}

#[test]
fn a_check_keeps_its_place_whatever_its_neighbours() {
    let interval = Span::from_secs(30);
    let alone = Schedule::new([plan(7, interval)], START).next_wakeup().unwrap();
    let among = Schedule::new(plans(20, interval), START)
        .due(START + FIRST_WITHIN)
        .into_iter()
        .find(|due| due.check == alone.check)
        .unwrap();
    assert_eq!(among.scheduled_at, alone.at);
    // The place of this very id: another version of farol must not move it.
    assert_eq!(alone.at.since(START), Duration::from_micros(1_318_606));
}

#[test]
fn a_wake_up_an_hour_late_runs_each_check_once() {
    let interval = Span::from_secs(10);
    let plans = plans(100, interval);
    let mut schedule = Schedule::new(plans.clone(), START);
    let late = START + Duration::from_secs(3_600);
    let due = schedule.due(late);
    assert_eq!(due.len(), 100);
    assert!(due.is_sorted_by_key(|due| due.scheduled_at), "the longest overdue goes first");
    assert_eq!(schedule.due(late), []);
    assert_eq!(schedule.next_wakeup(), None);
    for plan in &plans {
        let missed = schedule.finished(&plan.check, late, false);
        assert!((358..=360).contains(&missed), "{missed}");
    }
    let next = schedule.next_wakeup().unwrap().at;
    assert!(next > late && next <= late + interval);
}

#[test]
fn doubt_is_settled_sooner_than_the_next_tick_and_never_later() {
    let slow = Plan { confirm_interval: Span::from_secs(3), ..plan(0, Span::from_secs(30)) };
    let mut schedule = Schedule::new([slow.clone()], START);
    let first = schedule.due(START + FIRST_WITHIN).remove(0).scheduled_at;
    assert_eq!(schedule.finished(&slow.check, first, true), 0);
    let wakeup = schedule.next_wakeup().unwrap();
    assert_eq!((wakeup.at, wakeup.occasion), (first + Span::from_secs(3), Occasion::Confirmation));

    let confirmation = schedule.due(wakeup.at).remove(0);
    assert_eq!(confirmation.occasion, Occasion::Confirmation);
    assert_eq!(schedule.finished(&slow.check, wakeup.at, false), 0);
    let tick = schedule.next_wakeup().unwrap();
    assert_eq!(tick.occasion, Occasion::Tick);

    // A second before the tick, three seconds are too long to wait.
    let _ = schedule.due(tick.at);
    schedule.finished(&slow.check, tick.at, false);
    let next = schedule.next_wakeup().unwrap();
    assert_eq!(next.at.since(tick.at), Duration::from_secs(30));
    let _ = schedule.due(next.at);
    let ended = next.at + Duration::from_secs(29);
    assert_eq!(schedule.finished(&slow.check, ended, true), 0);
    let wakeup = schedule.next_wakeup().unwrap();
    assert_eq!((wakeup.at.since(ended), wakeup.occasion), (Duration::from_secs(1), Occasion::Tick));
}

#[test]
fn what_does_not_run_cannot_finish() {
    let plan = plan(0, Span::from_secs(30));
    let mut schedule = Schedule::new([plan.clone(), plan.clone()], START);
    let before = schedule.next_wakeup();
    let later = START + Duration::from_secs(600);
    assert_eq!(schedule.finished(&CheckId::new("nobody"), later, true), 0);
    assert_eq!(schedule.finished(&plan.check, later, true), 0);
    assert_eq!(schedule.next_wakeup(), before);
    assert_eq!(schedule.due(later).len(), 1, "named twice, planned once");
    assert!(schedule.finished(&plan.check, later, false) > 0);
    assert_eq!(schedule.finished(&plan.check, later, false), 0);
    assert_eq!(schedule.due(later + Duration::from_secs(30)).len(), 1);
}

#[test]
fn no_checks_need_no_waking() {
    let mut schedule = Schedule::new([], START);
    assert_eq!(schedule.due(START), []);
    assert_eq!(schedule.next_wakeup(), None);
}

#[test]
fn no_interval_is_too_short_to_keep() {
    let at_once = Plan { confirm_interval: Span::ZERO, ..plan(0, Span::ZERO) };
    let mut schedule = Schedule::new([at_once.clone()], START);
    let first = schedule.due(START + SHORTEST).remove(0).scheduled_at;
    schedule.finished(&at_once.check, first, false);
    let tick = schedule.next_wakeup().unwrap().at;
    let _ = schedule.due(tick);
    schedule.finished(&at_once.check, tick, false);
    assert_eq!(schedule.next_wakeup().unwrap().at, tick + SHORTEST);

    let in_doubt = Plan { interval: Span::from_secs(30), ..at_once };
    let mut schedule = Schedule::new([in_doubt.clone()], START);
    let first = schedule.due(START + FIRST_WITHIN).remove(0).scheduled_at;
    schedule.finished(&in_doubt.check, first, true);
    assert_eq!(schedule.next_wakeup().unwrap().at, first + SHORTEST);
}

#[test]
fn a_check_that_is_waited_for_runs_at_once_but_not_too_soon_after_it_ran() {
    let minute = Span::from_secs(60);
    let apart = Span::from_secs(1);
    let mut schedule = Schedule::new(plans(2, minute), START);
    let (check, other) = (plan(0, minute).check, plan(1, minute).check);
    schedule.hasten(&check, apart, START);
    let due = schedule.due(START);
    assert_eq!(due.iter().map(|due| &due.check).collect::<Vec<_>>(), [&check]);
    schedule.hasten(&check, apart, START);
    assert!(schedule.due(START).is_empty(), "it runs already");
    let end = START + Span::from_millis(200);
    schedule.finished(&check, end, false);
    schedule.hasten(&check, apart, end);
    schedule.hasten(&check, apart, end);
    assert!(schedule.due(START + Span::from_millis(999)).iter().all(|due| due.check == other));
    let due = schedule.due(START + apart);
    assert_eq!(due.iter().filter(|due| due.check == check).count(), 1);
    // Its grid goes on, and nothing is due twice.
    schedule.finished(&check, START + Span::from_secs(2), false);
    let later = schedule.due(START + Span::from_secs(200));
    assert_eq!(later.iter().filter(|due| due.check == check).count(), 1);
}
