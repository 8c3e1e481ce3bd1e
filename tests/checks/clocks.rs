//! Clocks that are wrong, ours among them: what several runs together know of them, and who is
//! blamed.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Addresses, Check, ClockLimits, ProberPlan, Secrets};
use farol::model::{ClockReference, Finding, Reason, Span, Vantage, Verdict};
use tokio::io::AsyncWriteExt;

use crate::asking::{get, http, observe_by};
use crate::name_server::{NameServer, THREE};
use crate::servers::{Server, listeners, read_request, serve_on};

const MILLI: i64 = 1_000;
const SECOND: i64 = 1_000 * MILLI;
const HOUR: i64 = 3600 * SECOND;
const YEAR: i64 = 365 * 24 * HOUR;

/// Many more runs than it takes where nothing else runs.
const MANY: usize = 40;

/// Three servers at the addresses of `three.test`, and how far each one's clock is ahead.
struct Three {
    servers: Vec<Server>,
    ahead: Vec<Arc<AtomicI64>>,
    names: NameServer,
}

impl Three {
    async fn start(ahead: [i64; 3]) -> Self {
        let addresses: Vec<IpAddr> = THREE.iter().map(|text| text.parse().unwrap()).collect();
        let ahead: Vec<_> = ahead.into_iter().map(|by| Arc::new(AtomicI64::new(by))).collect();
        let bound = listeners(&addresses).await.into_iter().zip(&ahead);
        let serve = |(listener, ahead): (_, &Arc<AtomicI64>)| {
            let ahead = ahead.clone();
            serve_on(listener, move |mut stream| {
                let ahead = ahead.clone();
                async move {
                    read_request(&mut stream).await;
                    let date = date(ahead.load(Ordering::Relaxed));
                    let answer =
                        format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n");
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            })
        };
        Self { servers: bound.map(serve).collect(), ahead, names: NameServer::start().await }
    }

    fn check(&self, limits: ClockLimits) -> Check {
        let mut http = http(&format!("http://three.test:{}/", self.servers[0].port()));
        (http.addresses, http.max_clock_skew) = (Addresses::All, limits);
        Check { resolvers: Arc::from([self.names.address.into()]), ..get(http) }
    }
}

/// What a clock shows that is so far ahead: it counts whole seconds.
fn date(ahead: i64) -> String {
    let micros = Clock::start().now().as_micros() + ahead;
    let since = Duration::from_micros(u64::try_from(micros).unwrap());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

fn limits(degraded: u64) -> ClockLimits {
    let (degraded, failed) = (Span::from_millis(degraded), Span::from_secs(60));
    ClockLimits { degraded, failed, jump: None, drift: None }
}

/// A prober as a running farol has it, on a host whose clock is so far ahead.
fn prober(ahead: i64) -> Prober {
    let clock = Clock::start_ahead(ahead);
    let prober = Prober::new(clock, Vantage::new("here"), Secrets::default()).unwrap();
    prober.trust(&ProberPlan::default(), Span::ZERO);
    prober
}

fn against(finding: &Finding) -> Option<ClockReference> {
    match finding.reason {
        Some(Reason::ClockSkew { against, .. }) => Some(against),
        _ => None,
    }
}

/// The one in the middle is so far ahead: runs until that is found, and sees to it that no interval
/// excludes the truth and that nobody else is blamed.
async fn find_the_odd_one(ahead: i64) -> Verdict {
    let three = Three::start([0, ahead, 0]).await;
    let (check, prober) = (three.check(limits(150)), prober(0));
    for _ in 0..MANY {
        let findings = observe_by(&prober, &check).await.findings;
        for (finding, truth) in findings.iter().zip([0, ahead, 0]) {
            let known = finding.clock.unwrap();
            // Each reader of the time has a microsecond of its own.
            let contains = known.at_least - MILLI <= truth && truth <= known.at_most + MILLI;
            assert!(contains, "{known:?} lacks {truth}");
        }
        assert_eq!((&findings[0].reason, &findings[2].reason), (&None, &None));
        if let Some(Reason::ClockSkew { offset, against }) = findings[1].reason {
            assert_eq!(against, ClockReference::Agreement);
            assert!(offset.certain() <= Span::from_micros(ahead.unsigned_abs() + 1_000));
            return findings[1].verdict;
        }
    }
    panic!("that the clock is {ahead} ahead was not found");
}

#[tokio::test]
async fn the_one_clock_that_is_wrong_is_found() {
    let found = futures_util::future::join_all(
        [YEAR, HOUR, 30 * SECOND, -3 * SECOND, 400 * MILLI].map(find_the_odd_one),
    );
    let (fail, degraded) = (Verdict::Fail, Verdict::Degraded);
    assert_eq!(found.await, [fail, fail, degraded, degraded, degraded]);
}

#[tokio::test]
async fn what_is_unknown_becomes_small_and_the_waiting_is_not_counted() {
    let three = Three::start([0, 0, 0]).await;
    let (check, prober) = (three.check(limits(100)), prober(0));
    let (mut waited, mut narrow) = (Duration::ZERO, false);
    for _ in 0..MANY {
        let watch = Clock::start().stopwatch();
        let observation = observe_by(&prober, &check).await;
        waited += watch.elapsed().to_duration().saturating_sub(observation.took.to_duration());
        let clocks = observation.findings.iter().filter_map(|finding| finding.clock);
        if clocks.map(|clock| clock.width()).max().unwrap() < Span::from_millis(100) {
            narrow = true;
            break;
        }
    }
    assert!(narrow, "after {MANY} runs the clocks are still not known well");
    assert!(waited > Duration::from_millis(100), "{waited:?}");
}

#[tokio::test]
async fn clocks_that_are_right_are_never_blamed() {
    let three = Three::start([0, 0, 0]).await;
    let (check, prober) = (three.check(limits(100)), prober(0));
    for _ in 0..100 {
        for finding in observe_by(&prober, &check).await.findings {
            assert_eq!(finding.reason, None, "{finding:?}");
        }
    }
}

#[tokio::test]
async fn a_prober_whose_own_clock_is_wrong_blames_nobody_but_whoever_differs() {
    for ours in [YEAR, -HOUR] {
        let three = Three::start([0, 0, 0]).await;
        let (check, prober) = (three.check(limits(1_000)), prober(ours));
        assert_eq!(prober.own_clock(), None);
        // They are of one platform, and may well be wrong together.
        for finding in observe_by(&prober, &check).await.findings {
            assert_eq!(finding.verdict, Verdict::Inconclusive, "{finding:?}");
            assert_eq!(finding.reason, Some(Reason::ProberClockUnsure));
        }
        assert_eq!(prober.own_clock(), Some(Reason::ProberClockUnsure));
        // Of four that speak, ours among them, no more than two agree now.
        three.ahead[1].store(30 * SECOND, Ordering::Relaxed);
        let findings = observe_by(&prober, &check).await.findings;
        let blamed: Vec<_> = findings.iter().map(against).collect();
        assert_eq!(blamed, [None, Some(ClockReference::Siblings), None]);
    }
}

#[tokio::test]
async fn a_clock_that_is_set_within_its_limits_degrades_where_somebody_asks_for_it() {
    let three = Three::start([0, 0, 0]).await;
    let (jump, drift) = (Some(Span::from_secs(10)), NonZeroU32::new(500));
    let limits = ClockLimits { jump, drift, ..limits(59_000) };
    let (check, prober) = (three.check(limits), prober(0));
    for finding in observe_by(&prober, &check).await.findings {
        assert_eq!(finding.reason, None);
    }
    three.ahead[2].store(-30 * SECOND, Ordering::Relaxed);
    // It is told for a while, so that it can be confirmed.
    for _ in 0..2 {
        let findings = observe_by(&prober, &check).await.findings;
        let reasons: Vec<_> = findings.iter().map(|it| it.reason.as_ref()).collect();
        let [None, None, Some(Reason::ClockJump { by })] = reasons[..] else {
            panic!("{reasons:?}")
        };
        assert!((-30 * SECOND..-28 * SECOND).contains(by), "{by}");
        assert_eq!(findings[2].verdict, Verdict::Degraded);
    }
}
