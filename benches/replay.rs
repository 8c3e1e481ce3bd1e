//! How many observations a second go through the engine again, on one core: from memory, and from
//! a journal on disk as `farol replay` reads it. How many there are is an argument:
//! `cargo bench --bench replay -- 10000000`.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a panic ends a benchmark, which prints"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::path::Path;
use std::time::Duration;

use chrono_tz::Tz;
use farol::clock::Clock;
use farol::model::{
    CheckId, CheckPolicy, ComponentId, ComponentPolicy, ComponentStatus, Finding, Input, Language,
    MajorWhen, Observation, Phase, PlatformId, PlatformPolicy, Policy, Purpose, Reason, Span,
    Subject, Threshold, Timestamp, Vantage, Verdict, Wording,
};
use farol::replay::{Replay, Report, Rules};
use farol::store::{Journal, Options, Snapshot, Store};

const COMPONENTS: u64 = 50;
const CHECKS: u64 = 100;
/// Seconds between two runs of a check.
const INTERVAL: u64 = 30;

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let rows = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let rows: u64 = rows.unwrap_or(if is_bench { 1_000_000 } else { 2_000 });
    let policy = policy();
    let inputs: Vec<(Timestamp, Input)> = (0..rows.min(1_000_000)).map(observed).collect();
    let (report, took) = timed(|| {
        let mut replay = Replay::new("memory", Rules::Fixed(policy.clone()));
        inputs.iter().for_each(|(at, input)| replay.take(input, *at));
        replay.finish()
    });
    tell("engine alone, from memory", inputs.len() as u64, took, Some(&report));
    drop(inputs);

    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("replay-{}", std::process::id()));
    let ((), took) = timed(|| write(&dir, rows, &policy));
    tell("journal written", rows, took, None);
    let (read, took) = timed(|| Journal::read(&dir, 0).unwrap().map(Result::unwrap).count());
    tell("journal read and decoded", read as u64, took, None);
    let (report, took) = timed(|| {
        let mut replay = Replay::new("journal", Rules::Fixed(policy));
        for entry in Journal::read(&dir, 0).unwrap() {
            let (_, at, input) = entry.unwrap();
            replay.take(&input, at);
        }
        replay.finish()
    });
    tell("journal replayed", rows, took, Some(&report));
    assert_eq!(report.observations, rows);
    std::fs::remove_dir_all(dir).unwrap();
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let watch = Clock::start().stopwatch();
    let done = work();
    (done, watch.elapsed().to_duration())
}

fn tell(what: &str, rows: u64, took: Duration, report: Option<&Report>) {
    let rate = rows as f64 / took.as_secs_f64();
    let incidents = report.map(|report| format!(", {} incidents", report.incidents.len()));
    println!(
        "{what:28} {rows:>10} observations in {:>7.2} s: {rate:>9.0} a second{}",
        took.as_secs_f64(),
        incidents.unwrap_or_default(),
    );
}

fn component(check: u64) -> ComponentId {
    ComponentId::of(&PlatformId::new("bench"), &format!("component-{}", check % COMPONENTS))
}

fn check(number: u64) -> CheckId {
    CheckId::of(&component(number), &format!("check-{number}"))
}

fn policy() -> Policy {
    let platform = PlatformId::new("bench");
    let mut policy = Policy::default();
    let told = PlatformPolicy {
        name: "Bench".to_owned(),
        time_zone: Tz::UTC,
        language: Language::English,
        words: Wording::default(),
        group_within: Span::from_secs(600),
        group_interval: Span::ZERO,
        dependency_wait: Span::ZERO,
        resolve_after: Span::from_secs(300),
        maintenance_grace: Span::ZERO,
        reopen_within: Span::ZERO,
        update_every: Span::from_secs(1_800),
        update_by_impact: BTreeMap::new(),
        max_unattended_updates: None,
    };
    policy.platforms.insert(platform.clone(), told);
    for number in 0..CHECKS {
        let (id, name) = (component(number), format!("Component {}", number % COMPONENTS));
        policy.components.insert(
            id.clone(),
            ComponentPolicy {
                platform: platform.clone(),
                name,
                group: None,
                depends_on: BTreeSet::new(),
                major_when: None,
            },
        );
        let rules = CheckPolicy {
            component: id,
            name: format!("check {number}"),
            fail_after: Threshold::in_a_row(NonZeroU32::new(2).unwrap()),
            degrade_after: None,
            recover_after: Threshold::in_a_row(NonZeroU32::new(2).unwrap()),
            slow_quantile: None,
            at_worst: ComponentStatus::MajorOutage,
            major_when: MajorWhen::All,
            makes: None,
            flapping: None,
            variants: BTreeSet::new(),
            purpose: Purpose::Use,
            steps_of_use: BTreeSet::new(),
        };
        policy.checks.insert(check(number), rules);
    }
    policy
}

/// One run in two hundred fails, and every check is out for ten runs once a day.
fn observed(row: u64) -> (Timestamp, Input) {
    let (number, tick) = (row % CHECKS, row / CHECKS);
    let micros = tick * INTERVAL * 1_000_000 + number * (INTERVAL * 1_000_000 / CHECKS);
    let at = Timestamp::from_micros(1_731_562_800_000_000 + i64::try_from(micros).unwrap());
    let is_noise = row.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40 & 0xff == 0;
    let is_out = (tick + number * 28) % 2_880 < 10;
    let mut finding = if is_noise || is_out {
        Finding::because(Subject::Whole, Verdict::Fail, Reason::Timeout { phase: Phase::Connect })
    } else {
        Finding::pass(Subject::Whole)
    };
    for (phase, micros) in [(Phase::Resolve, 900), (Phase::Connect, 11_000), (Phase::Tls, 23_000)] {
        finding.phases.add(phase, Span::from_micros(micros + row % 700));
    }
    let observation = Observation {
        check: check(number),
        vantage: Vantage::new("here"),
        started_at: at,
        took: Span::from_millis(48),
        findings: vec![finding],
    };
    (at, Input::Observed(observation))
}

fn write(dir: &Path, rows: u64, policy: &Policy) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (store, _) = Store::open(dir, Options::default()).unwrap();
        let begin = (observed(0).0, Input::PolicyChanged(Box::new(policy.clone())));
        store.append(vec![begin]).await.unwrap();
        let mut row = 0;
        while row < rows {
            let end = rows.min(row + 20_000);
            store.append((row..end).map(observed).collect::<Vec<_>>()).await.unwrap();
            row = end;
        }
        store.save(Snapshot::default()).await.unwrap();
    });
}
