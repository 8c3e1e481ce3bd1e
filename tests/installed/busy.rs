//! The prober beside processes that keep every core busy: what it adds itself to the time that a
//! target takes must never be held against the target, and a target that is slow must be found.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Check, Secrets};
use farol::model::{Finding, Span, Vantage, Verdict};
use futures_util::{StreamExt, stream};

use crate::asking::{get, http, only};

/// How slow a target may be.
const LIMIT: Span = Span::from_millis(200);
const RUNS: usize = 1_000;
const AT_ONCE: usize = 20;
/// What nobody ended is over by then, in seconds.
const AT_LAST: &str = "120";

/// A process that is over when it is dropped.
struct Ended(Child);

impl Ended {
    fn start(command: &[&str]) -> Self {
        let mut limited = Command::new("timeout");
        limited.arg(AT_LAST).args(command).stdout(Stdio::piped());
        Self(limited.spawn().unwrap())
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        // `timeout` passes this on, which it could not if it were killed at once.
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Processes that do nothing but keep the cores busy: two for each.
fn spinning() -> Vec<Ended> {
    let cores = std::thread::available_parallelism().unwrap().get();
    (0..2 * cores).map(|_| Ended::start(&["sh", "-c", "while :; do :; done"])).collect()
}

/// A target that takes as long as it is told to, and says how long it truly took.
struct Target {
    process: Ended,
    said: BufReader<ChildStdout>,
    port: u16,
}

impl Target {
    fn taking(delay: Span) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/installed/slow_target.py");
        let seconds = delay.as_secs_f64().to_string();
        let mut process = Ended::start(&["python3", script, &seconds]);
        let mut said = BufReader::new(process.0.stdout.take().unwrap());
        let mut port = String::new();
        said.read_line(&mut port).unwrap();
        Self { process, said, port: port.trim().parse().unwrap() }
    }

    /// How long each request truly took.
    fn truth(self) -> BTreeMap<usize, Span> {
        drop(self.process);
        let lines = self.said.lines().map(Result::unwrap);
        let read = lines.map(|line| {
            let (path, micros) = line.split_once(' ').unwrap();
            (path.trim_start_matches('/').parse().unwrap(), micros.parse().unwrap())
        });
        read.map(|(run, micros)| (run, Span::from_micros(micros))).collect()
    }
}

/// What came of many runs, with how long the target truly took.
struct Seen(Vec<(Finding, Span)>);

impl Seen {
    async fn of(prober: &Prober, delay: Span) -> Self {
        let target = Target::taking(delay);
        let runs = (0..RUNS).map(|run| {
            let check = Check {
                degraded_over: Some(LIMIT),
                ..get(http(&format!("http://127.0.0.1:{}/{run}", target.port)))
            };
            async move { (run, only(prober.run(&check).await)) }
        });
        let found: Vec<_> = stream::iter(runs).buffer_unordered(AT_ONCE).collect().await;
        let truth = target.truth();
        Self(found.into_iter().map(|(run, finding)| (finding, truth[&run])).collect())
    }

    /// The verdicts of the runs of which the target truly took so long that `is_meant`, which it
    /// prints.
    #[expect(clippy::print_stdout, reason = "`--nocapture` shows the figures")]
    fn told(&self, case: &str, is_meant: impl Fn(Span) -> bool) -> BTreeMap<Verdict, usize> {
        let mut count = BTreeMap::new();
        let mut slowest = Span::ZERO;
        for (finding, _) in self.0.iter().filter(|(_, truth)| is_meant(*truth)) {
            *count.entry(finding.verdict).or_default() += 1;
            slowest = slowest.max(finding.phases.total());
        }
        println!("{case}: {count:?}; the slowest took {slowest}");
        count
    }
}

fn prober() -> Arc<Prober> {
    let vantage = Vantage::new("here");
    Arc::new(Prober::new(Clock::start(), vantage, Secrets::default()).unwrap())
}

/// Makes this process one that the others come before: what is nice waits.
fn be_nice() {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let threads = threads.map(|thread| thread.unwrap().file_name().into_string().unwrap());
    let reniced = Command::new("renice").args(["-n", "5", "-p"]).args(threads).output().unwrap();
    assert!(reniced.status.success(), "{reniced:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "keeps every core busy for two minutes, and needs python3"]
async fn what_the_prober_adds_is_not_the_targets() {
    let prober = prober();
    let watched = Arc::clone(&prober);
    let watching = tokio::spawn(async move { watched.watch_load().await });
    let half = Span::from_micros(LIMIT.as_micros() / 2);
    let more = Span::from_micros(LIMIT.as_micros() * 3 / 2);
    let of = |verdicts: &BTreeMap<Verdict, usize>, verdict| {
        verdicts.get(&verdict).copied().unwrap_or_default()
    };
    let slow = Seen::of(&prober, more).await.told("slow, and nothing else runs", |_| true);
    assert_eq!(of(&slow, Verdict::Pass), 0, "{slow:?}");
    assert!(of(&slow, Verdict::Degraded) > RUNS / 2, "{slow:?}");

    let busy = spinning();
    for case in ["beside busy processes", "beside busy processes that come first"] {
        let is_meant = |truth| truth < LIMIT;
        let quick = Seen::of(&prober, half).await.told(&format!("quick, {case}"), is_meant);
        assert_eq!(of(&quick, Verdict::Degraded), 0, "{quick:?}");
        assert!(quick.values().sum::<usize>() > RUNS / 2, "the target itself was slow: {quick:?}");
        let slow = Seen::of(&prober, more).await.told(&format!("slow, {case}"), |_| true);
        assert_eq!(of(&slow, Verdict::Pass), 0, "{slow:?}");
        be_nice();
    }
    drop(busy);
    watching.abort();
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes ten seconds"]
async fn to_watch_ourselves_costs_next_to_nothing() {
    const SECONDS: u64 = 10;
    let prober = prober();
    let before = running();
    let watching = prober.watch_load();
    let _ = tokio::time::timeout(std::time::Duration::from_secs(SECONDS), watching).await;
    let took = Span::from_micros((running() - before) / 1_000);
    println!("the sampler ran for {took} of {SECONDS}s");
    assert!(took < Span::from_millis(SECONDS * 20), "{took}");
}

/// How long the threads of this process have run, in nanoseconds.
fn running() -> u64 {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let times = threads.map(|thread| {
        let text = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).unwrap();
        text.split_whitespace().next().unwrap().parse::<u64>().unwrap()
    });
    times.sum()
}
