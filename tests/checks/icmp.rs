//! The `icmp` check against the loopback, which answers echoes by itself.
//!
//! Where this process may send none, each of these runs must say so instead.

use std::net::IpAddr;

use farol::config::{Addresses, Check, CheckKind, Family, IcmpCheck, LossLimits};
use farol::model::{Finding, Phase, Reason, Span, Verdict};
use socket2::{Domain, Protocol, Socket, Type};

use crate::asking::{HASTY, check, find};

fn icmp(host: &str) -> IcmpCheck {
    IcmpCheck {
        host: host.into(),
        addresses: Addresses::Any,
        family: None,
        source: None,
        count: 3,
        lost: LossLimits { degraded: 1, failed: 3 },
        size: 56,
        ttl: None,
    }
}

fn echo(icmp: IcmpCheck) -> Check {
    check(CheckKind::Icmp(icmp))
}

/// Whether this process may have a socket for echoes in this family, raw or not.
fn is_allowed(address: IpAddr) -> bool {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    [Type::DGRAM, Type::RAW].iter().any(|kind| Socket::new(domain, *kind, Some(protocol)).is_ok())
}

/// What must be so wherever echoes cannot be sent; otherwise whether they can.
fn is_told(finding: &Finding, address: &str) -> bool {
    let address = address.parse().unwrap();
    if is_allowed(address) {
        return true;
    }
    let name = finding.reason.as_ref().unwrap().name();
    assert!(["prober_misconfigured", "prober_offline"].contains(&name), "{finding:?}");
    assert_eq!(finding.verdict, Verdict::Inconclusive);
    assert_eq!(finding.phases.iter().count(), 0);
    false
}

fn has_ipv6() -> bool {
    std::net::UdpSocket::bind("[::1]:0").is_ok()
}

#[tokio::test]
async fn the_loopback_answers_in_both_families() {
    for address in ["127.0.0.1", "127.9.8.7", "::1"] {
        if address == "::1" && !has_ipv6() {
            let reason = find(&echo(icmp(address))).await.reason.unwrap();
            assert!(reason.is_ours(), "{reason}");
            continue;
        }
        let finding = find(&echo(icmp(address))).await;
        if is_told(&finding, address) {
            assert_eq!(finding.reason, None, "{address}");
            let phases: Vec<Phase> = finding.phases.iter().map(|(phase, _)| phase).collect();
            assert_eq!(phases, [Phase::FirstByte]);
            assert_eq!(finding.address, Some(address.parse().unwrap()));
        }
    }
}

#[tokio::test]
async fn sizes_and_sources_are_as_they_are_wanted() {
    for size in [16, 17, 9_000, 65_000] {
        let wanted = IcmpCheck { size, source: Some([127, 0, 0, 9].into()), ..icmp("127.0.0.1") };
        let finding = find(&echo(IcmpCheck { ttl: Some(1), count: 10, ..wanted })).await;
        if is_told(&finding, "127.0.0.1") {
            assert_eq!(finding.reason, None, "{size} bytes");
        }
    }
    let from = |source: &str, family| {
        let source = Some(source.parse().unwrap());
        echo(IcmpCheck { source, family, ..icmp("127.0.0.1") })
    };
    let nobody = find(&from("192.0.2.1", None)).await;
    if is_told(&nobody, "127.0.0.1") {
        let detail = "the source address 192.0.2.1".to_owned();
        assert_eq!(nobody.reason, Some(Reason::ProberMisconfigured { detail }));
    }
    for check in [from("::1", None), from("127.0.0.1", Some(Family::Ipv6))] {
        assert_eq!(find(&check).await.reason, Some(Reason::ResolveNoAddress));
    }
}

#[tokio::test]
async fn slow_is_one_round_trip_and_not_their_sum() {
    let mut check = echo(icmp("127.0.0.1"));
    check.degraded_over = Some(Span::ZERO);
    let finding = find(&check).await;
    if is_told(&finding, "127.0.0.1") {
        let took = finding.phases.get(Phase::FirstByte).unwrap();
        assert_eq!(finding.reason, Some(Reason::Slow { took }));
        assert_eq!(finding.verdict, Verdict::Degraded);
    }
}

/// Many at once, on sockets each of which may hear what is for the others.
#[tokio::test]
async fn what_others_are_answered_is_not_ours() {
    let checks: Vec<Check> = (1..=20)
        .map(|host| echo(IcmpCheck { count: 10, ..icmp(&format!("127.0.1.{host}")) }))
        .collect();
    for finding in futures_util::future::join_all(checks.iter().map(find)).await {
        if is_told(&finding, "127.0.0.1") {
            assert_eq!(finding.reason, None);
        }
    }
}

/// Linux answers no echo to a broadcast address, unless told to, and lets nobody ask there who has
/// not asked for leave to: nothing leaves this machine.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn where_nothing_may_be_sent_it_is_our_own_trouble() {
    let mut check = echo(icmp("127.255.255.255"));
    check.timeout = HASTY;
    let finding = find(&check).await;
    if is_told(&finding, "127.0.0.1") {
        assert_eq!(finding.verdict, Verdict::Inconclusive, "{finding:?}");
    }
}
