//! Runs the table, line by line, and prints what came of each.

use std::fs;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use data_encoding::HEXLOWER;
use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Check, Secret, SecretRef, Secrets};
use farol::model::{Reason, Span, Vantage, Verdict};
use futures_util::future::join_all;
use rustls::pki_types::CertificateDer;
use tokio::runtime::Runtime;

use crate::MEMORY;
use crate::line::Line;
use crate::process::Other;

/// How long after its timeout a run may end: a machine may be busy, but not for ever.
const GRACE: Duration = Duration::from_secs(5);

/// What the whole process may take, with all that the allocator does not count, in KiB.
const MOST_KIB: usize = 512 * 1024;

/// So many of those that only wait, wait at once.
const AT_ONCE: usize = 12;

/// What came of a line.
struct Outcome {
    /// The name of the reason; "none" for a pass.
    reason: &'static str,
    took: Span,
    wrong: Vec<String>,
}

/// A line whose target is somewhere.
type Placed<'a> = (&'a Line, String);

/// Runs those of `lines` that `named` names, or all.
pub(crate) fn run(lines: &[Line], named: &[String]) -> ExitCode {
    let mut targets = Other::start("targets");
    let root = CertificateDer::from(HEXLOWER.decode(targets.line().as_bytes()).unwrap());
    let secrets = Secrets::new([(SecretRef::Env("WORD".into()), Secret::new("sesame"))]);
    let vantage = Vantage::new("here");
    let prober = Prober::with_roots(Clock::start(), vantage, secrets, &[root]).unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let watch = Clock::start().stopwatch();
    let placed = lines.iter().map(|line| (line, targets.line()));
    let wanted = |line: &Line| {
        named.is_empty() || named.iter().any(|name| title(line).contains(name.as_str()))
    };
    let (waiting, busy): (Vec<Placed<'_>>, Vec<Placed<'_>>) =
        placed.filter(|(line, _)| wanted(line)).partition(|(line, _)| line.waits);
    let mut wrong = Vec::new();
    for together in waiting.chunks(AT_ONCE).chain(busy.chunks(1)) {
        wrong.extend(ask(&runtime, &prober, together));
    }
    let (ran, most) = (waiting.len() + busy.len(), most_memory_kib());
    println!("\n{ran} lines in {}; the whole process took {most} KiB at most", watch.elapsed());
    if most > MOST_KIB {
        wrong.push(format!("the whole process took {most} KiB, more than {MOST_KIB}"));
    }
    for line in &wrong {
        println!("WRONG: {line}");
    }
    if wrong.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn title(line: &Line) -> String {
    format!("{:<10} {}", line.kind, line.name)
}

/// Asks the targets of `together` at the same time, prints what came of it, and gives what is
/// wrong with it. Each must be content with the memory that all of them take.
fn ask(runtime: &Runtime, prober: &Prober, together: &[Placed<'_>]) -> Vec<String> {
    let [(first, _), others @ ..] = together else { return Vec::new() };
    // Who overflows the stack has said before who it was.
    print!("{:<58} ", title(first));
    std::io::stdout().flush().unwrap();
    let checks: Vec<Check> = together.iter().map(|(line, at)| line.check(at)).collect();
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let runs = together.iter().zip(&checks).map(|((line, _), check)| observe(prober, line, check));
    let outcomes = runtime.block_on(join_all(runs));
    let peak = MEMORY.peak_usage().saturating_sub(before).div_ceil(1024);
    let mut wrong = Vec::new();
    let others = std::iter::once(String::new())
        .chain(others.iter().map(|(line, _)| format!("{:<58} ", title(line))));
    for (((line, _), outcome), title_again) in together.iter().zip(outcomes).zip(others) {
        let Outcome { reason, took, wrong: what } = outcome;
        let took = took.to_duration().as_secs_f64();
        let of = if together.len() > 1 { " with others" } else { "" };
        println!(
            "{title_again}reason={reason:<20} took={took:>5.2}s peak={peak:>6} KiB \
             bound={:>6} KiB{of}",
            line.bound
        );
        let large = (peak > line.bound).then(|| format!("took {peak} KiB of {}", line.bound));
        wrong.extend(what.into_iter().chain(large).map(|what| format!("{}: {what}", title(line))));
    }
    wrong
}

async fn observe(prober: &Prober, line: &Line, check: &Check) -> Outcome {
    let latest = line.timeout.to_duration() + GRACE;
    // Twice, so that a run which never ends is told and not waited for.
    let Ok(observation) = tokio::time::timeout(latest * 2, prober.run(check)).await else {
        let wrong = vec![String::from("never ended")];
        return Outcome { reason: "endless", took: Span::ZERO, wrong };
    };
    let mut wrong = Vec::new();
    let took = observation.took;
    if took.to_duration() > latest {
        wrong.push(format!("ended after {took}, with a timeout of {}", line.timeout));
    }
    let name = |reason: &Option<Reason>| reason.as_ref().map_or("none", Reason::name);
    for finding in &observation.findings {
        let verdict = match &finding.reason {
            None => Verdict::Pass,
            Some(reason) if reason.is_ours() => Verdict::Inconclusive,
            Some(_) => Verdict::Fail,
        };
        if finding.verdict != verdict {
            wrong.push(format!("{} for {:?}", finding.verdict, finding.reason));
        }
        if !line.reasons.contains(&name(&finding.reason)) {
            wrong.push(format!("{:?}, not {}", finding.reason, line.reasons.join(" or ")));
        }
    }
    let reason = observation.findings.first().map_or("no finding", |first| name(&first.reason));
    Outcome { reason, took, wrong }
}

/// The most memory that this process ever had; zero where the system does not tell.
fn most_memory_kib() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}
