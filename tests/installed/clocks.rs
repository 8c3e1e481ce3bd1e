//! Real servers whose clock is faked: nginx behind one name and chrony, one of them wrong at a time.
//! `--nocapture` shows each truth beside what is found.

use std::net::SocketAddr;
use std::path::Path;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Check, Secrets};
use farol::model::{Finding, Observation, Reason, Span, Subject, Vantage, Verdict};

use crate::asking::{kind, observe_by};
use crate::probing::{ask, observe};
use crate::process::free_address;
use crate::servers::names::knot;
use crate::servers::time::{chrony, shifted};
use crate::servers::web::{Nginx, nginx_ahead};

const SECOND: i64 = 1_000_000;
const YEAR: i64 = 365 * 24 * 3600 * SECOND;

/// What faketime is told, how many microseconds that is, and what the checks here make of it: they
/// are degraded beyond 200 ms and fail beyond 5 s.
const WRONG: [(&str, i64, Verdict); 5] = [
    ("+365d", YEAR, Verdict::Fail),
    ("+1h", 3_600 * SECOND, Verdict::Fail),
    ("+30s", 30 * SECOND, Verdict::Fail),
    ("-3s", -3 * SECOND, Verdict::Degraded),
    ("+0.4s", 400_000, Verdict::Degraded),
];

const LIMITS: &str = "degraded = '200ms', failed = '5s'";

/// Prints what was found of one clock; its interval must have the truth in it.
#[expect(clippy::print_stdout, reason = "`--nocapture` shows the table")]
fn tell(what: &str, truth: i64, finding: &Finding) {
    let offset = finding.clock.unwrap_or_else(|| panic!("{what}: {finding:?}"));
    #[expect(clippy::cast_precision_loss, reason = "for a person's eye")]
    let seconds = |micros: i64| micros as f64 / 1e6;
    println!(
        "{what:<28} truth {:>16.6} s   [{:>16.6}, {:>16.6}] s, {:>8.3} ms wide   {}",
        seconds(truth),
        seconds(offset.at_least),
        seconds(offset.at_most),
        seconds(offset.at_most - offset.at_least) * 1e3,
        finding.verdict,
    );
    assert!(offset.at_least <= truth && truth <= offset.at_most, "{what}: {offset:?}");
}

fn is_skew(finding: &Finding) -> bool {
    matches!(finding.reason, Some(Reason::ClockSkew { .. }))
}

/// Three addresses of one port, behind `www.farol.test` in a DNS server of their own.
fn three(number: u8) -> [SocketAddr; 3] {
    let port = free_address().port();
    [1, 2, 3].map(|last| format!("127.77.{number}.{last}:{port}").parse().unwrap())
}

/// nginx on each of the three, the second with a wrong clock.
fn one_wrong(dir: &Path, addresses: [SocketAddr; 3], ahead: &str) -> [Nginx; 3] {
    let clocks = ["+0", ahead, "+0"];
    let mut clocks = clocks.into_iter();
    addresses.map(|address| nginx_ahead(dir, address, clocks.next().unwrap()))
}

/// The findings of the three, of which the second alone must be what it is expected to be.
fn judge(what: &str, run: &Observation, three: [SocketAddr; 3], truth: i64, expected: Verdict) {
    let subjects: Vec<Subject> = run.findings.iter().map(|finding| finding.subject).collect();
    assert_eq!(subjects, three.map(|address| Subject::Address(address.ip())));
    for (number, finding) in run.findings.iter().enumerate() {
        let (truth, expected) = if number == 1 { (truth, expected) } else { (0, Verdict::Pass) };
        tell(&format!("{what} {}", three[number].ip()), truth, finding);
        assert_eq!(finding.verdict, expected, "{what}: {finding:?}");
        assert_eq!(is_skew(finding), expected != Verdict::Pass, "{what}: {finding:?}");
    }
}

#[tokio::test]
#[ignore = "needs nginx, knot and faketime"]
async fn of_three_servers_the_one_with_a_wrong_clock_is_found() {
    for (number, (ahead, truth, expected)) in (0..).zip(WRONG) {
        let dir = tempfile::tempdir().unwrap();
        let (dns, three) = (free_address(), three(number));
        let _knot = knot(dir.path(), dns, &three.map(|address| address.ip()));
        let _nginx = one_wrong(dir.path(), three, ahead);
        let platform = format!("resolvers = ['{dns}']");
        let url = format!("http://www.farol.test:{}/", three[0].port());
        let check =
            format!("clock = {{ url = '{url}', addresses = 'all', samples = 5, {LIMITS} }}");
        let run = observe(&platform, &check, &[]).await;
        judge(&format!("date {ahead}"), &run, three, truth, expected);
        if truth == YEAR {
            // A check that is not about clocks sees it as well.
            let check = format!("http = {{ url = '{url}', addresses = 'all' }}");
            let run = observe(&platform, &check, &[]).await;
            judge(&format!("http {ahead}"), &run, three, truth, expected);
        }
    }
}

/// Whatever the moments and however busy the machine.
#[tokio::test]
#[ignore = "needs nginx and faketime"]
async fn of_a_right_clock_nothing_is_reported_in_a_thousand_runs() {
    let dir = tempfile::tempdir().unwrap();
    let [address, time, _] = three(9);
    let _nginx = nginx_ahead(dir.path(), address, "+0");
    let _chrony = chrony(dir.path(), time, Some(1), "+0");
    let limits = "degraded = '20ms', failed = '1s'";
    for (what, check) in [
        ("date", format!("clock = {{ url = 'http://{address}/', samples = 1, {limits} }}")),
        ("ntp", format!("clock = {{ url = 'ntp://{time}', samples = 1, {limits} }}")),
    ] {
        let (prober, check) = (prober(), kind(&check));
        for _ in 0..500 {
            let run = observe_by(&prober, &check).await;
            let finding = &run.findings[0];
            assert_eq!(finding.reason, None, "{what}: {finding:?}");
            let offset = finding.clock.unwrap();
            assert!(offset.at_least <= 0 && 0 <= offset.at_most, "{what}: {offset:?}");
        }
        tell(
            &format!("the last of 500, {what}"),
            0,
            &observe_by(&prober, &check).await.findings[0],
        );
    }
}

fn prober() -> Prober {
    Prober::new(Clock::start(), Vantage::new("here"), Secrets::default()).unwrap()
}

#[tokio::test]
#[ignore = "needs chrony and faketime"]
async fn an_ntp_server_that_is_shifted_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let honest = ("+0", 0, Verdict::Pass);
    for (number, (ahead, truth, expected)) in (0..).zip(WRONG.into_iter().chain([honest])) {
        let [address, ..] = three(20 + number);
        for stratum in [1, 10] {
            let less = truth != 0 && truth.abs() < SECOND;
            let own = free_address();
            let _chrony = chrony(dir.path(), own, Some(stratum), if less { "+0" } else { ahead });
            let address = if less { SocketAddr::new(address.ip(), own.port()) } else { own };
            if less {
                shifted(address, own, truth);
            }
            let check = format!("clock = {{ url = 'ntp://{address}', samples = 2, {LIMITS} }}");
            let check = Check { timeout: Span::from_secs(2), ..kind(&check) };
            let run = observe_by(&prober(), &check).await;
            let finding = &run.findings[0];
            tell(&format!("ntp {ahead}, stratum {stratum}"), truth, finding);
            assert_eq!(finding.verdict, expected, "{finding:?}");
            assert_eq!(is_skew(finding), expected != Verdict::Pass, "{finding:?}");
        }
    }
}

/// Without a source and without `local`, chrony says that it does not know the time.
#[tokio::test]
#[ignore = "needs chrony and faketime"]
async fn an_ntp_server_without_a_source_is_not_synchronised() {
    let dir = tempfile::tempdir().unwrap();
    let [address, ..] = three(40);
    let _chrony = chrony(dir.path(), address, None, "+0");
    let finding = ask(&format!("clock = {{ url = 'ntp://{address}', samples = 1 }}")).await;
    assert!(matches!(finding.reason, Some(Reason::NtpUnsynchronized { .. })), "{finding:?}");
    assert_eq!(finding.verdict, Verdict::Fail);
}
