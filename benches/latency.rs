//! How true a measured latency is: a server waits 50 ms before it answers, and what the probe says
//! is compared with what it was; while the machine is idle, and while another process keeps all of
//! its cores busy.
//!
//! On a busy machine the server itself wakes up late. So it tells how long it really waited, and
//! the error against that is the prober's and the kernel's own; a bare client, which reads the
//! clock right before and after it waits, shows how much of it is the kernel's.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails should stop")]
#![expect(clippy::print_stdout, reason = "this is what it is for")]

#[path = "other/process.rs"]
mod process;

use std::hint::spin_loop;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Check, Secrets, SourceFile, parse};
use farol::model::{Phase, Span, Vantage};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use process::Other;

const WAIT: Duration = Duration::from_millis(50);
/// So many are asked at once, each one time after the other.
const LANES: usize = 8;
const RUNS: usize = 40;

fn main() {
    match process::role().as_deref() {
        Some("spin") => return spin(),
        Some(_) => return serve(),
        None => {}
    }
    let mut server = Other::start("server");
    let addresses: Vec<SocketAddr> =
        server.line().split(' ').map(|address| address.parse().unwrap()).collect();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!(
        "Measured less true latency of a server that waits {WAIT:?}, in microseconds, \
         {} runs, {LANES} at once\n",
        LANES * RUNS
    );
    println!("{:<14} {:>21} {:>21}", "", "than it really waited", "than 50 ms");
    println!("{:<14} {:>10} {:>10} {:>10} {:>10}", "", "median", "p99", "median", "p99");
    for load in ["idle", "busy"] {
        let _spinning = (load == "busy").then(|| Other::start("spin"));
        for client in [Client::Bare, Client::Farol(prober())] {
            let samples = runtime.block_on(ask_all(&client, &addresses));
            report(&format!("{load}, {}", client.name()), &samples);
        }
    }
}

/// What a server says that it waited, and what a client measured.
#[derive(Clone, Copy)]
struct Sample {
    waited: i64,
    measured: i64,
}

#[derive(Clone)]
enum Client {
    Bare,
    Farol(Prober),
}

impl Client {
    const fn name(&self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Farol(_) => "farol",
        }
    }

    /// The time from the request written to the first byte of the answer.
    async fn ask(&self, address: SocketAddr, check: &Check) -> Span {
        match self {
            Self::Bare => {
                let mut stream = TcpStream::connect(address).await.unwrap();
                stream.write_all(b"GET / HTTP/1.1\r\nHost: target\r\n\r\n").await.unwrap();
                let watch = Clock::start().stopwatch();
                assert!(stream.read(&mut [0; 512]).await.unwrap() > 0);
                watch.elapsed()
            }
            Self::Farol(prober) => {
                let seen = prober.run(check).await;
                let phase = seen.findings[0].phases.get(Phase::FirstByte);
                assert!(phase.is_some(), "{seen:?}");
                phase.unwrap()
            }
        }
    }
}

fn prober() -> Prober {
    Prober::new(Clock::start(), Vantage::new("bench"), Secrets::default()).unwrap()
}

async fn ask_all(client: &Client, addresses: &[SocketAddr]) -> Vec<Sample> {
    let mut lanes = JoinSet::new();
    for address in addresses.iter().copied() {
        let client = client.clone();
        lanes.spawn(async move {
            let check = check(address);
            let mut samples = Vec::new();
            for _ in 0..RUNS {
                let measured = micros(client.ask(address, &check).await);
                samples.push(Sample { waited: waited(address).await, measured });
            }
            samples
        });
    }
    lanes.join_all().await.concat()
}

/// Asks the server how long it waited the last time.
async fn waited(address: SocketAddr) -> i64 {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"?\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.parse().unwrap()
}

fn micros(span: Span) -> i64 {
    i64::try_from(span.as_micros()).unwrap()
}

fn check(address: SocketAddr) -> Check {
    let text = format!(
        "[platform]\nname = 'Bench'\n[[component]]\nname = 'Target'\n\
         [[component.check]]\nname = 'Check'\nhttp = 'http://{address}/'\n"
    );
    let config = parse(&[SourceFile { name: "bench.toml".to_owned(), text }]).unwrap();
    config.checks().next().unwrap().2.clone()
}

fn report(name: &str, samples: &[Sample]) {
    let nominal = i64::try_from(WAIT.as_micros()).unwrap();
    let [median, p99] = quantiles(samples.iter().map(|s| s.measured - s.waited).collect());
    let [nominal_median, nominal_p99] =
        quantiles(samples.iter().map(|s| s.measured - nominal).collect());
    println!("{name:<14} {median:>10} {p99:>10} {nominal_median:>10} {nominal_p99:>10}");
}

/// The median and the 99th percentile.
fn quantiles(mut errors: Vec<i64>) -> [i64; 2] {
    errors.sort_unstable();
    [50, 99].map(|percent| errors[(errors.len() - 1) * percent / 100])
}

/// The server: a thread for each lane, which sleeps in the kernel and not in a runtime whose timer
/// counts in milliseconds.
fn serve() {
    let listeners: Vec<TcpListener> =
        (0..LANES).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<String> =
        listeners.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect();
    println!("{}", addresses.join(" "));
    for listener in listeners {
        thread::spawn(move || answer(&listener));
    }
    process::until_dismissed();
}

fn answer(listener: &TcpListener) {
    let clock = Clock::start();
    let mut waited = Span::ZERO;
    for stream in listener.incoming() {
        let mut stream = stream.unwrap();
        let mut request = Vec::new();
        let mut part = [0; 1024];
        while !request.ends_with(b"\r\n\r\n") {
            let length = stream.read(&mut part).unwrap();
            request.extend(&part[..length]);
        }
        if request.starts_with(b"?") {
            stream.write_all(waited.as_micros().to_string().as_bytes()).unwrap();
            continue;
        }
        let watch = clock.stopwatch();
        thread::sleep(WAIT);
        waited = watch.elapsed();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

/// Keeps every core busy until dismissed.
fn spin() {
    let over = Arc::new(AtomicBool::new(false));
    let cores = thread::available_parallelism().unwrap().get();
    let spinning: Vec<_> = (0..cores)
        .map(|_| {
            let over = over.clone();
            thread::spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    spin_loop();
                }
            })
        })
        .collect();
    process::until_dismissed();
    over.store(true, Ordering::Relaxed);
    spinning.into_iter().for_each(|thread| thread.join().unwrap());
}
