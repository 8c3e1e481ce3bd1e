//! The `http` check and names: resolving, every address on its own, and clocks that are wrong.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Addresses, Check, Secrets};
use farol::model::{ClockReference, Phase, Reason, Span, Subject, Vantage, Verdict};
use tokio::io::AsyncWriteExt;

use crate::asking::{HASTY, find, get, http, observe, observe_by};
use crate::name_server::{NameServer, THREE};
use crate::servers::{Server, listeners, ok, read_request, serve, serve_answer, serve_on};

/// An HTTP date that is `ahead` of now.
fn date(ahead: Duration) -> String {
    let now = Clock::start().now() + ahead;
    let since = Duration::from_micros(u64::try_from(now.as_micros()).unwrap());
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
}

/// A server on each of the three addresses, all at one port, which answers with what `answer`
/// makes of its number.
async fn serve_three(answer: impl Fn(usize) -> String) -> Vec<Server> {
    let addresses: Vec<IpAddr> = THREE.iter().map(|text| text.parse().unwrap()).collect();
    let bound = listeners(&addresses).await.into_iter().enumerate();
    bound
        .map(|(number, listener)| {
            let answer = answer(number);
            serve_on(listener, move |mut stream| {
                let answer = answer.clone();
                async move {
                    read_request(&mut stream).await;
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            })
        })
        .collect()
}

fn named(name: &str, port: u16, addresses: Addresses, names: &NameServer) -> Check {
    let mut http = http(&format!("http://{name}:{port}/"));
    http.addresses = addresses;
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
    check
}

#[tokio::test]
async fn one_of_three_clocks_is_a_year_ahead() {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    let names = NameServer::start().await;
    let servers = serve_three(|number| {
        let date = date(if number == 1 { YEAR } else { Duration::ZERO });
        format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: 0\r\n\r\n")
    })
    .await;
    let check = named("three.test", servers[0].port(), Addresses::All, &names);
    let findings = observe(&check).await.findings;
    let subjects: Vec<Subject> = findings.iter().map(|finding| finding.subject).collect();
    assert_eq!(subjects, THREE.map(|text| Subject::Address(text.parse().unwrap())));
    for (finding, server) in findings.iter().zip(&servers) {
        assert_eq!(finding.address, Some(server.address.ip()));
        assert!(finding.phases.get(Phase::Resolve).is_some());
    }
    assert_eq!(findings[0].verdict, Verdict::Pass);
    assert_eq!(findings[2].verdict, Verdict::Pass);
    assert!(findings[0].clock.unwrap().certain() < Span::from_secs(300));
    let offset = findings[1].clock.unwrap();
    assert_eq!(findings[1].verdict, Verdict::Fail);
    assert_eq!(
        findings[1].reason,
        Some(Reason::ClockSkew { offset, against: ClockReference::Agreement })
    );
    assert!(offset.certain() > Span::from_secs(364 * 24 * 3600), "{offset:?}");
}

#[tokio::test]
async fn a_clock_that_is_ten_minutes_slow_degrades() {
    let late = date(Duration::ZERO);
    let slow = httpdate::parse_http_date(&late).unwrap() - Duration::from_secs(600);
    let slow = httpdate::fmt_http_date(slow);
    let answer =
        |more: &str| format!("HTTP/1.1 200 OK\r\nDate: {slow}\r\n{more}Content-Length: 0\r\n\r\n");
    let server = serve_answer(answer("")).await;
    let finding = find(&get(http(&server.url("/")))).await;
    assert_eq!(finding.verdict, Verdict::Degraded);
    let (offset, against) = (finding.clock.unwrap(), ClockReference::Host);
    assert_eq!(finding.reason, Some(Reason::ClockSkew { offset, against }));
    // Unless it comes out of a cache, which says nothing of anybody's clock.
    let server = serve_answer(answer("Age: 600\r\n")).await;
    let finding = find(&get(http(&server.url("/")))).await;
    assert_eq!((finding.verdict, finding.clock), (Verdict::Pass, None));
}

#[tokio::test]
async fn the_clock_is_that_of_the_pinned_address_and_not_of_where_it_redirects() {
    let ahead = date(Duration::from_secs(30 * 24 * 3600));
    let there = serve_answer(ok("")).await;
    let here = serve_answer(format!(
        "HTTP/1.1 302 Found\r\nDate: {ahead}\r\nLocation: {}\r\n\r\n",
        there.url("/")
    ))
    .await;
    let mut http = http(&here.url("/"));
    http.max_redirects = 1;
    let reason = find(&get(http)).await.reason.unwrap();
    assert_eq!(reason.name(), "clock_skew");
}

#[tokio::test]
async fn each_address_has_a_finding_of_its_own() {
    let names = NameServer::start().await;
    let mut servers =
        serve_three(|number| ok("").replace("200", ["200", "503", "200"][number])).await;
    let port = servers[0].port();
    servers.truncate(2);
    let findings = observe(&named("three.test", port, Addresses::All, &names)).await.findings;
    let reasons: Vec<Option<Reason>> = findings.into_iter().map(|f| f.reason).collect();
    assert_eq!(reasons, [None, Some(Reason::Status { got: 503 }), Some(Reason::ConnectRefused)]);
}

#[tokio::test]
async fn any_asks_one_address_and_not_the_next() {
    let names = NameServer::start().await;
    let mut servers = serve_three(|_| ok("")).await;
    let port = servers[0].port();
    drop(servers.remove(0));
    let finding = find(&named("three.test", port, Addresses::Any, &names)).await;
    assert_eq!(finding.subject, Subject::Whole);
    assert_eq!(finding.address, Some(THREE[0].parse().unwrap()));
    assert_eq!(finding.reason, Some(Reason::ConnectRefused));
}

#[tokio::test]
async fn both_families_are_asked() {
    let names = NameServer::start().await;
    let server = serve_answer(ok("")).await;
    let findings =
        observe(&named("both.test", server.port(), Addresses::All, &names)).await.findings;
    let subjects: Vec<Subject> = findings.iter().map(|finding| finding.subject).collect();
    let address = |text: &str| Subject::Address(text.parse().unwrap());
    assert_eq!(subjects, [address("127.0.0.1"), address("::1")]);
    assert_eq!(findings[0].reason, None);
    // Nobody listens there; or this host has no IPv6, and then nothing may be held against it.
    let reason = findings[1].reason.clone().unwrap();
    assert!(reason == Reason::ConnectRefused || reason.is_ours(), "{reason}");
}

#[tokio::test]
async fn at_most_so_many_addresses_are_asked() {
    let names = NameServer::start().await;
    let server = serve_answer(ok("")).await;
    let mut check = named("large.test", server.port(), Addresses::All, &names);
    check.timeout = Span::from_secs(5);
    assert_eq!(observe(&check).await.findings.len(), 64);
}

#[tokio::test]
async fn names_that_do_not_resolve_are_findings_about_the_whole() {
    let names = NameServer::start().await;
    let failed = |detail: &str| Reason::ResolveFailed { detail: detail.into() };
    for (name, reason) in [
        ("missing.test", Reason::ResolveNotFound),
        ("empty.test", Reason::ResolveNoAddress),
        ("broken.test", failed("SERVFAIL")),
        ("refused.test", failed("REFUSED")),
    ] {
        for addresses in [Addresses::Any, Addresses::All] {
            let finding = find(&named(name, 80, addresses, &names)).await;
            assert_eq!((finding.subject, finding.address), (Subject::Whole, None), "{name}");
            assert_eq!(finding.reason, Some(reason.clone()), "{name}");
            assert_eq!(finding.verdict, Verdict::Fail);
            let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
            assert_eq!(phases, [Phase::Resolve], "{name}");
        }
    }
    let mut check = named("silent.test", 80, Addresses::All, &names);
    check.timeout = HASTY;
    let reason = find(&check).await.reason;
    assert_eq!(reason, Some(Reason::Timeout { phase: Phase::Resolve }));
    let finding = find(&named("garbage.test", 80, Addresses::All, &names)).await;
    assert_eq!(finding.reason.unwrap().name(), "resolve_failed");
}

#[tokio::test]
async fn every_run_resolves_anew() {
    let names = NameServer::start().await;
    let server = serve_answer(ok("")).await;
    let check = named("one.test", server.port(), Addresses::Any, &names);
    let vantage = Vantage::new("here");
    let prober = Prober::new(Clock::start(), vantage, Secrets::default()).unwrap();
    for _ in 0..3 {
        let before = names.asked();
        let observation = observe_by(&prober, &check).await;
        assert_eq!(observation.findings[0].reason, None);
        // More than one for each family if the machine is so busy that one was repeated.
        assert!(names.asked() >= before + 2, "asked {before} times, then {}", names.asked());
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_goes_wherever_that_name_leads() {
    let names = NameServer::start().await;
    let there = serve_answer(ok("there")).await;
    let location = format!("http://one.test:{}/", there.port());
    let servers = serve_three(|_| format!("HTTP/1.1 302 F\r\nLocation: {location}\r\n\r\n")).await;
    let mut http = http(&format!("http://three.test:{}/", servers[0].port()));
    http.addresses = Addresses::All;
    http.max_redirects = 1;
    http.expect.body_contains.push("there".into());
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
    for finding in observe(&check).await.findings {
        assert_eq!(finding.reason, None);
    }
}

#[tokio::test]
async fn the_same_host_stays_pinned() {
    let names = NameServer::start().await;
    let addresses: Vec<IpAddr> = THREE.iter().map(|text| text.parse().unwrap()).collect();
    let pinned: Vec<Server> = listeners(&addresses)
        .await
        .into_iter()
        .map(|listener| {
            let own = listener.local_addr().unwrap().ip();
            serve_on(listener, move |mut stream| async move {
                let request = read_request(&mut stream).await;
                let answer = if request.starts_with("GET /next ") {
                    ok(&own.to_string())
                } else {
                    "HTTP/1.1 302 Found\r\nLocation: /next\r\n\r\n".to_owned()
                };
                stream.write_all(answer.as_bytes()).await.unwrap();
            })
        })
        .collect();
    let mut http = http(&format!("http://three.test:{}/", pinned[0].port()));
    http.addresses = Addresses::All;
    http.max_redirects = 1;
    // Only the second address says this, and only to whoever is redirected to it by itself.
    http.expect.body_contains.push(THREE[1].into());
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
    let findings = observe(&check).await.findings;
    let passes: Vec<bool> = findings.iter().map(|f| f.verdict == Verdict::Pass).collect();
    assert_eq!(passes, [false, true, false]);
}

#[tokio::test]
async fn the_host_header_is_the_name_and_not_the_address() {
    let names = NameServer::start().await;
    let server = serve(|mut stream| async move {
        let request = read_request(&mut stream).await;
        stream.write_all(ok(&request).as_bytes()).await.unwrap();
    })
    .await;
    let mut check = named("one.test", server.port(), Addresses::All, &names);
    if let farol::config::CheckKind::Http(http) = &mut check.kind {
        http.expect.body_contains.push(format!("host: one.test:{}\r\n", server.port()));
    }
    assert_eq!(find(&check).await.reason, None);
}

#[tokio::test]
async fn fewer_addresses_than_there_should_be_degrade_whatever_they_answer() {
    let names = NameServer::start().await;
    let servers = serve_three(|number| ok("").replace("200", ["200", "503", "200"][number])).await;
    let found = async |addresses, least| {
        let mut check = named("three.test", servers[0].port(), addresses, &names);
        check.min_addresses = NonZeroU32::new(least);
        let findings = observe(&check).await.findings.into_iter();
        let told = findings.map(|found| (found.subject.address().is_some(), found.reason));
        told.collect::<Vec<_>>()
    };
    let few = Some(Reason::TooFewAddresses { found: 3, least: 4 });
    let each = [(true, None), (true, Some(Reason::Status { got: 503 })), (true, None)];
    assert_eq!(found(Addresses::All, 3).await, each);
    let with_whole: Vec<_> = std::iter::once((false, few.clone())).chain(each).collect();
    assert_eq!(found(Addresses::All, 4).await, with_whole);
    assert_eq!(found(Addresses::Any, 3).await, [(false, None)]);
    assert_eq!(found(Addresses::Any, 4).await, [(false, few)]);
}

#[tokio::test]
async fn too_few_addresses_do_not_hide_that_the_one_asked_fails() {
    let names = NameServer::start().await;
    let servers = serve_three(|_| ok("").replace("200", "503")).await;
    let mut check = named("three.test", servers[0].port(), Addresses::Any, &names);
    check.min_addresses = NonZeroU32::new(4);
    let finding = find(&check).await;
    assert_eq!(
        (finding.verdict, finding.reason),
        (Verdict::Fail, Some(Reason::Status { got: 503 }))
    );
}
