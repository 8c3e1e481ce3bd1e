//! What a check costs: microseconds of CPU, user and system, for each run, beside a bare client
//! that does the least that the protocol allows, in the same process and at the same concurrency,
//! and beside blackbox_exporter (Debian's `prometheus-blackbox-exporter`) if it is installed.
//!
//! Some kinds alone: `cargo bench --bench checks -- http dns`.
//!
//! The servers run in another process. The numbers of one run compare; those of two machines, or
//! of two days, do not.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]
#![expect(clippy::print_stdout, reason = "this is what it is for")]

#[path = "other/bare.rs"]
mod bare;
#[path = "other/blackbox.rs"]
mod blackbox;
#[path = "other/process.rs"]
mod process;
#[path = "other/targets.rs"]
mod targets;

use std::sync::Arc;
use std::time::Duration;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Check, Secrets, SourceFile, parse};
use farol::model::{Vantage, Verdict};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

use bare::Bare;
use blackbox::Blackbox;
use process::Other;
use targets::Targets;

/// How many runs are under way at once.
const IN_FLIGHT: usize = 16;
/// The two clients take turns, so that a machine that slows down slows both.
const ROUNDS: usize = 4;

/// What is compared: the kind, how many runs a round has, how many times what the bare client
/// costs it may cost, and which part of what blackbox_exporter costs.
const KINDS: [(&str, usize, f64, f64); 4] = [
    ("http", 3_200, 2.0, 0.2),
    ("https", 1_200, 1.3, 0.5),
    ("dns", 4_800, 2.0, 0.2),
    ("tcp", 3_200, 2.0, 0.2),
];

fn main() {
    if process::role().is_some() {
        return targets::serve();
    }
    let mut servers = Other::start("targets");
    let targets = Targets::read(&servers.line());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let prober = Prober::with_roots(
        Clock::start(),
        Vantage::new("bench"),
        Secrets::default(),
        std::slice::from_ref(&targets.root),
    );
    let (prober, bare) = (prober.unwrap(), Arc::new(Bare::new(&targets)));
    let blackbox = Blackbox::start(&targets).map(Arc::new);
    println!("CPU for each run, user and system, at {IN_FLIGHT} in flight\n");
    println!(
        "{:<6} {:>11} {:>11} {:>7} {:>7} {:>11} {:>8} {:>7}",
        "", "bare", "farol", "ratio", "aim", "blackbox", "share", "aim"
    );
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|one| !one.starts_with('-')).collect();
    let is_wanted = |kind: &str| wanted.is_empty() || wanted.iter().any(|one| one == kind);
    for (kind, runs, aim, aimed_share) in KINDS.into_iter().filter(|it| is_wanted(it.0)) {
        let check = Arc::new(check(kind, &targets));
        let by_farol = |runs| {
            let (prober, check) = (prober.clone(), check.clone());
            measure(&runtime, runs, "self", move || {
                let (prober, check) = (prober.clone(), check.clone());
                async move {
                    let seen = prober.run(&check).await;
                    assert!(seen.findings.iter().all(|f| f.verdict == Verdict::Pass), "{seen:?}");
                }
            })
        };
        let by_bare = |runs| {
            let bare = bare.clone();
            measure(&runtime, runs, "self", move || {
                let bare = bare.clone();
                async move { bare.run(kind).await.unwrap() }
            })
        };
        let by_blackbox = |runs| {
            let Some(blackbox) = &blackbox else { return Duration::ZERO };
            let (asked, process) = (blackbox.clone(), blackbox.process().to_string());
            measure(&runtime, runs, &process, move || asked.run(kind))
        };
        let all = in_turns(runs, [&by_bare, &by_farol, &by_blackbox]);
        let each = |all: Duration| all.as_secs_f64() * 1e6 / (runs * ROUNDS) as f64;
        let [bare, farol, blackbox] = all.map(each);
        let (ratio, share) = (farol / bare, farol / blackbox);
        print!("{kind:<6} {bare:>8.1} us {farol:>8.1} us {ratio:>6.2}x {aim:>6.1}x");
        if blackbox > 0.0 {
            println!(" {blackbox:>8.1} us {share:>8.2} {aimed_share:>7.1}");
        } else {
            println!("  (not installed)");
        }
    }
}

/// The CPU time of all rounds of each.
fn in_turns<const N: usize>(
    runs: usize,
    clients: [&dyn Fn(usize) -> Duration; N],
) -> [Duration; N] {
    // What is made once is made before it is measured.
    for client in clients {
        client(IN_FLIGHT);
    }
    let mut sums = [Duration::ZERO; N];
    for _ in 0..ROUNDS {
        for (sum, client) in sums.iter_mut().zip(clients) {
            *sum += client(runs);
        }
    }
    sums
}

/// The check of this kind, as a probe file would have it.
fn check(kind: &str, targets: &Targets) -> Check {
    let what = match kind {
        "http" => format!("http = 'http://{}/'", targets.http),
        "https" => format!("http = 'https://{}/'", targets.https),
        "dns" => format!("dns = {{ name = 'one.test', server = '{}' }}", targets.dns),
        _ => format!("tcp = {{ address = '{}', expect = '^220 ' }}", targets.tcp),
    };
    let text = format!(
        "[platform]\nname = 'Bench'\n[[component]]\nname = 'Target'\n\
         [[component.check]]\nname = 'Check'\n{what}\n"
    );
    let config = parse(&[SourceFile { name: "bench.toml".to_owned(), text }]).unwrap();
    config.checks().next().unwrap().2.clone()
}

/// The CPU time that `runs` of `once` take `process`.
fn measure<Once: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    runs: usize,
    process: &str,
    once: impl Fn() -> Once + Clone + Send + 'static,
) -> Duration {
    let before = cpu(process);
    runtime.block_on(async {
        let mut lanes = JoinSet::new();
        for _ in 0..IN_FLIGHT {
            let once = once.clone();
            lanes.spawn(async move {
                for _ in 0..runs / IN_FLIGHT {
                    once().await;
                }
            });
        }
        lanes.join_all().await;
    });
    cpu(process) - before
}

/// The CPU time of `process` so far. Linux counts it in hundredths of a second, so a
/// measurement must take several tenths.
fn cpu(process: &str) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // The name, in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let ticks: u64 =
        fields.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
