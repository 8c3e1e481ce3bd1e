//! `farol run` on a host whose wall clock is set a year ahead in the middle of it: nobody is blamed
//! for that, and a server that jumps at the same moment is found all the same.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use farol::clock::Clock;

use crate::process::{Farol, component, free_address};
use crate::servers::Server;
use crate::servers::names::knot;
use crate::servers::time::by_file;
use crate::servers::web::{Nginx, nginx_by_file};

const YEAR: &str = "+365d";
const LONG: Duration = Duration::from_secs(20);
/// The checks here run once in a second.
const TWO_INTERVALS: Duration = Duration::from_secs(2);

/// A platform of three servers, and the prober that watches them; each reads its clock from a file.
struct World {
    farol: Farol,
    own: PathBuf,
    second: PathBuf,
    _names: Server,
    _servers: Vec<Nginx>,
}

impl World {
    /// All clocks are right, and all checks have passed.
    async fn start(dir: &Path, number: u8) -> Self {
        let (dns, port) = (free_address(), free_address().port());
        let addresses = [1, 2, 3].map(|last| IpAddr::from([127, 78, number, last]));
        let names = knot(dir, dns, &addresses);
        let [own, second, others] = ["own", "second", "others"].map(|name| dir.join(name));
        for file in [&own, &second, &others] {
            fs::write(file, "+0").unwrap();
        }
        let servers = addresses.iter().enumerate().map(|(number, address)| {
            let file = if number == 1 { &second } else { &others };
            nginx_by_file(dir, SocketAddr::new(*address, port), file)
        });
        let servers = servers.collect();
        let probes = dir.join("shop.toml");
        let url = format!("http://www.farol.test:{port}/");
        let text = format!(
            "[platform]\nname = 'Shop'\nresolvers = ['{dns}']\nresolve_after = '2s'\n\
             [defaults]\ninterval = '1s'\ntimeout = '900ms'\nconfirm_interval = '500ms'\n\
             [[component]]\nname = 'Storefront'\n\
             [[component.check]]\nname = 'Every server answers'\n\
             http = {{ url = '{url}', addresses = 'all' }}\n\
             [[component]]\nname = 'Times'\n\
             [[component.check]]\nname = 'Every clock is right'\n\
             clock = {{ url = '{url}', addresses = 'all', samples = 1, failed = '10s' }}\n"
        );
        fs::write(&probes, text).unwrap();
        let env = by_file(&own);
        let env: Vec<(&str, &str)> =
            env.iter().map(|(key, value)| (*key, value.as_str())).collect();
        let farol = Farol::start(dir, &probes, &env);
        let world = Self { farol, own, second, _names: names, _servers: servers };
        for check in ["every-server-answers", "every-clock-is-right"] {
            let state = world.until(LONG, |metrics| {
                lines(metrics, "farol_check_state").any(|(labels, value)| {
                    let passes = labels.contains("state=\"passing\"");
                    labels.contains(check) && passes && value > 0.0
                })
            });
            state.await;
        }
        world
    }

    /// Waits until the metrics are as `is` says; how long that took.
    async fn until(&self, within: Duration, is: impl Fn(&str) -> bool) -> Duration {
        let waited = Clock::start().stopwatch();
        while waited.elapsed().to_duration() < within {
            if self.farol.get("/metrics").await.is_some_and(|text| is(&text)) {
                return waited.elapsed().to_duration();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let metrics = self.farol.get("/metrics").await.unwrap_or_default();
        let shown: Vec<&str> = metrics.lines().filter(|line| line.contains("clock")).collect();
        panic!("never came: {shown:#?}\n{}", self.farol.read_log());
    }

    /// The step is told within two intervals, by the metric and in the log.
    async fn is_told(&self) -> Duration {
        let year = 365.0 * 24.0 * 3600.0;
        let is_year = |(_, value): (&str, f64)| (value - year).abs() < 10.0;
        // A busy machine's own slowness is not what is measured here.
        let took = self.until(TWO_INTERVALS + Duration::from_secs(1), |metrics| {
            lines(metrics, "farol_clock_step_seconds").any(is_year)
        });
        let took = took.await;
        assert!(self.farol.read_log().contains("the host's clock was set"));
        took
    }
}

/// The lines of one metric: labels and value.
fn lines<'a>(metrics: &'a str, name: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
    metrics.lines().filter_map(move |line| {
        let rest = line.strip_prefix(name)?;
        let (labels, value) = rest.rsplit_once(' ')?;
        Some((labels, value.parse().ok()?))
    })
}

#[tokio::test]
#[ignore = "needs nginx, knot and faketime"]
async fn a_jump_of_our_own_clock_blames_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(dir.path(), 1).await;
    fs::write(&world.own, YEAR).unwrap();
    println!("the jump was told after {:?}", world.is_told().await);
    // Through many runs more, and back again.
    for clock in [YEAR, "+0"] {
        fs::write(&world.own, clock).unwrap();
        let watched = Clock::start().stopwatch();
        while watched.elapsed().to_duration() < Duration::from_secs(6) {
            let summary = world.farol.json("/api/v2/summary.json").await.unwrap();
            assert_eq!(component(&summary, "Storefront"), "operational", "{summary:#}");
            assert_eq!(component(&summary, "Times"), "operational", "{summary:#}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    let all = world.farol.json("/api/v2/incidents.json").await.unwrap();
    assert_eq!(all["incidents"].as_array().unwrap().len(), 0, "{all:#}");
    let (code, _) = world.farol.terminate();
    assert_eq!(code, Some(0), "{}", world.farol.read_log());
}

#[tokio::test]
#[ignore = "needs nginx, knot and faketime"]
async fn a_server_that_jumps_as_we_do_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = World::start(dir.path(), 2).await;
    let jumped = Clock::start().stopwatch();
    fs::write(&world.own, YEAR).unwrap();
    fs::write(&world.second, YEAR).unwrap();
    for name in ["Storefront", "Times"] {
        let summary = world.farol.summary_until(LONG, |summary| {
            let status = component(summary, name);
            assert_ne!(status, "major_outage", "the others were blamed: {summary:#}");
            status == "partial_outage"
        });
        summary.await;
        println!("{name} was a partial outage after {}", jumped.elapsed());
    }
    world.is_told().await;
    let log = world.farol.read_log();
    let blamed: Vec<&str> = log.lines().filter(|line| line.contains("clock_skew")).collect();
    let is_second = |line: &&str| line.contains("127.78.2.2") || !line.contains("127.78.2.");
    assert!(blamed.iter().any(|line| line.contains("127.78.2.2")), "{log}");
    assert!(blamed.iter().all(is_second), "{blamed:#?}");
    // It is set right again while ours stays wrong, and the incident comes to its end.
    fs::write(&world.second, "+0").unwrap();
    let resolved = world.farol.summary_until(LONG + LONG, |summary| {
        summary["incidents"].as_array().is_some_and(Vec::is_empty)
            && component(summary, "Storefront") == "operational"
            && component(summary, "Times") == "operational"
    });
    resolved.await;
    let (code, _) = world.farol.terminate();
    assert_eq!(code, Some(0), "{}", world.farol.read_log());
}
