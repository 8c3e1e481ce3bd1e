//! Checks as a configuration would hold them, and the prober that runs them.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{
    Addresses, Check, CheckKind, ClockLimits, Config, DnsCheck, HttpCheck, HttpClient, HttpExpect,
    NameServer, Piece, Secrets, Security, SourceFile, Step, TcpCheck, parse,
};
use farol::model::{
    CheckId, ComponentStatus, Finding, Observation, Phases, Span, Threshold, Vantage, Verdict,
};
use rustls::pki_types::CertificateDer;

/// Long enough for whatever is to be answered, on any machine.
pub(crate) const PATIENT: Span = Span::from_secs(20);
/// Soon over, for whatever is never answered.
pub(crate) const HASTY: Span = Span::from_millis(300);
/// Every run is back by then, if it comes back at all.
const AT_LAST: Duration = Duration::from_secs(30);

pub(crate) fn check(kind: CheckKind) -> Check {
    let one = NonZeroU32::MIN;
    Check {
        id: CheckId::new("test/component/check"),
        name: "A check".into(),
        interval: Span::from_secs(30),
        timeout: PATIENT,
        confirm_interval: Span::from_secs(5),
        fail_after: Threshold::in_a_row(one),
        degrade_after: None,
        recover_after: Threshold::in_a_row(one),
        slow_quantile: None,
        at_worst: ComponentStatus::MajorOutage,
        major_when: farol::model::MajorWhen::All,
        makes: None,
        flapping: None,
        min_addresses: None,
        degraded_over: None,
        degraded_over_in: Phases::default(),
        resolvers: Arc::from([]),
        kind,
        variants: Vec::new(),
    }
}

pub(crate) fn http(url: &str) -> HttpCheck {
    HttpCheck {
        url: url.parse().unwrap(),
        method: http::Method::GET,
        headers: Vec::new(),
        body: None,
        max_redirects: 0,
        max_body: 1 << 20,
        addresses: Addresses::Any,
        max_clock_skew: ClockLimits {
            degraded: Span::from_secs(5 * 60),
            failed: Span::from_secs(3600),
            jump: None,
            drift: None,
        },
        certificate: None,
        client: HttpClient::default(),
        expect: HttpExpect::default(),
    }
}

pub(crate) fn get(http: HttpCheck) -> Check {
    check(CheckKind::Http(Box::new(http)))
}

/// A question of a plain kind to one server.
pub(crate) fn query(server: impl Into<NameServer>, name: &str, record_type: &str) -> DnsCheck {
    DnsCheck {
        record_type: record_type.parse().unwrap(),
        server: Some(server.into()),
        ..DnsCheck::of(name.parse().unwrap())
    }
}

pub(crate) fn ask(dns: DnsCheck) -> Check {
    check(CheckKind::Dns(Box::new(dns)))
}

pub(crate) fn dns(server: SocketAddr, name: &str, record_type: &str, expect: &[&str]) -> Check {
    let mut dns = query(server, name, record_type);
    dns.expect.at_least = expect.iter().map(|text| (*text).to_owned()).collect();
    ask(dns)
}

pub(crate) fn tcp(address: SocketAddr, send: &str, expect: &str) -> TcpCheck {
    TcpCheck {
        host: address.ip().to_string(),
        port: address.port(),
        security: Security::Plain,
        server_name: None,
        script: say(send).into_iter().chain(hear(expect)).collect(),
        addresses: Addresses::Any,
        source: None,
        certificate: None,
    }
}

fn say(words: &str) -> Option<Step> {
    (!words.is_empty()).then(|| Step::Send(vec![Piece::Bytes(Arc::from(words.as_bytes()))]))
}

fn hear(pattern: &str) -> Option<Step> {
    (!pattern.is_empty()).then(|| Step::Expect(regex::bytes::Regex::new(pattern).unwrap()))
}

/// Runs `check` with a prober of its own.
pub(crate) async fn observe(check: &Check) -> Observation {
    observe_with(check, Secrets::default(), &[]).await
}

pub(crate) async fn observe_with(
    check: &Check,
    secrets: Secrets,
    roots: &[CertificateDer<'static>],
) -> Observation {
    let vantage = Vantage::new("here");
    let prober = Prober::with_roots(Clock::start(), vantage, secrets, roots).unwrap();
    observe_by(&prober, check).await
}

pub(crate) async fn observe_by(prober: &Prober, check: &Check) -> Observation {
    let observation = tokio::time::timeout(AT_LAST, prober.run(check)).await;
    let observation = observation.expect("a run must end, whatever the target does");
    assert_eq!(observation.check, check.id);
    assert!(!observation.findings.is_empty());
    for finding in &observation.findings {
        assert_eq!(finding.reason.is_none(), finding.verdict == Verdict::Pass, "{finding:?}");
    }
    observation
}

/// The only finding of running `check` once.
pub(crate) async fn find(check: &Check) -> Finding {
    only(observe(check).await)
}

pub(crate) fn only(observation: Observation) -> Finding {
    assert_eq!(observation.findings.len(), 1, "{observation:?}");
    observation.findings.into_iter().next().unwrap()
}

/// The check that a probe file with `http = { url = "...", settings }` has, with more below it.
pub(crate) fn written(url: &str, settings: &str, more: &str) -> Check {
    kind(&format!("http = {{ url = '{url}', {settings} }}\n{more}"))
}

/// The check that a probe file with this kind has.
pub(crate) fn kind(kind: &str) -> Check {
    let config = probe_file("", kind);
    let (_, _, check) = config.checks().next().unwrap();
    check.clone()
}

/// The probe file of a platform with these keys, and of one check with those.
pub(crate) fn probe_file(platform: &str, check: &str) -> Config {
    let text = format!(
        "[platform]\nname = 'Test'\n{platform}\n[[component]]\nname = 'Test'\n\
         [[component.check]]\nname = 'A check'\ntimeout = '20s'\n{check}\n"
    );
    let file = SourceFile { name: "test.toml".into(), text };
    parse(&[file]).unwrap_or_else(|error| panic!("{}", error.render(false, 100)))
}
