//! Knot DNS, authoritative: transports, answers that do not fit, signatures, servers that disagree.

use std::net::SocketAddr;
use std::time::Duration;

use farol::clock::Clock;
use farol::model::{Phase, Reason, Subject};

use crate::probing::{ask, observe, why};
use crate::process::free_address;
use crate::servers::names::{knot_with, sign};

/// The zone with this serial and these records more.
pub(crate) fn zone(serial: u32, more: &str) -> String {
    format!(
        "$ORIGIN farol.test.\n$TTL 1\n@ SOA ns hostmaster {serial} 3600 600 86400 60\n@ NS ns\n\
         ns A 127.0.0.1\nwww A 127.88.0.1\nalias CNAME www\ndns A 127.0.0.1\n{more}"
    )
}

#[tokio::test]
#[ignore = "needs knot"]
async fn questions_go_over_udp_and_tcp() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let mut more = String::new();
    for number in 0..60 {
        more.push_str(&format!("long TXT \"{number:-<60}\"\n"));
    }
    let _knot = knot_with(dir.path(), "knot", address, &zone(1, &more), "");
    let dns = |server: &str, more: &str| {
        format!("dns = {{ name = 'alias.farol.test', server = '{server}{address}'{more} }}")
    };
    let wanted =
        ", expect = { exactly = ['127.88.0.1'] }, authoritative = true, ttl = { max = '1s' }";
    for (server, connects) in [("", false), ("udp://", false), ("tcp://", true)] {
        let finding = ask(&dns(server, wanted)).await;
        assert_eq!(finding.reason, None, "{server}");
        assert_eq!(finding.phases.get(Phase::Connect).is_some(), connects, "{server}");
    }
    let finding = ask(&dns("", ", expect = '127.88.0.2'")).await;
    assert_eq!(finding.reason, Some(Reason::DnsAnswer { got: "127.88.0.1".into() }));
    let flag = Some(Reason::DnsFlag { missing: "AD".into() });
    assert_eq!(ask(&dns("", ", authenticated = true")).await.reason, flag);

    // What does not fit into a datagram is asked for again.
    let long = |server: &str| {
        format!(
            "dns = {{ name = 'long.farol.test', type = 'TXT', server = '{server}{address}', \
             expect = '\"{:-<60}\"' }}",
            59
        )
    };
    for server in ["", "tcp://"] {
        let finding = ask(&long(server)).await;
        assert_eq!(finding.reason, None, "{server}");
        assert!(finding.phases.get(Phase::Connect).is_some(), "{server}");
    }
    let gone = format!("dns = {{ name = 'gone.farol.test', server = '{address}' }}");
    assert_eq!(ask(&gone).await.reason, Some(Reason::DnsRcode { got: "NXDOMAIN".into() }));
    let elsewhere = format!("dns = {{ name = 'example.com', server = '{address}' }}");
    assert_eq!(ask(&elsewhere).await.reason, Some(Reason::DnsRcode { got: "REFUSED".into() }));
}

#[tokio::test]
#[ignore = "needs knot"]
async fn signatures_lead_to_the_zones_key() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let signed = sign(dir.path(), address, &zone(1, ""), "default");
    let _knot = knot_with(dir.path(), "knot", address, &signed.zone, "");
    let key = signed.key.display();
    let dnssec = |name: &str, more: &str| {
        format!(
            "dns = {{ name = '{name}.farol.test', server = '{address}', \
             dnssec = {{ trust_anchors = '{key}' }}{more} }}"
        )
    };
    for name in ["www", "alias"] {
        assert_eq!(ask(&dnssec(name, ", expect = '127.88.0.1'")).await.reason, None, "{name}");
    }
    // That there is none is signed as well.
    assert_eq!(ask(&dnssec("gone", ", rcode = 'NXDOMAIN'")).await.reason, None);
    assert_eq!(ask(&dnssec("www", ", type = 'TXT', expect = { exactly = [] }")).await.reason, None);
    // Another zone's key, of the same name.
    let other = tempfile::tempdir().unwrap();
    let stranger = sign(other.path(), free_address(), &zone(1, ""), "default");
    std::fs::copy(&stranger.key, &signed.key).unwrap();
    assert_eq!(why(&ask(&dnssec("www", "")).await), "dnssec_bogus");
}

#[tokio::test]
#[ignore = "needs knot"]
async fn a_record_that_was_changed_behind_its_signature_is_bogus() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let signed = sign(dir.path(), address, &zone(1, ""), "default");
    let changed = signed.zone.replace("127.88.0.1", "127.88.0.66");
    assert_ne!(changed, signed.zone);
    let _knot = knot_with(dir.path(), "knot", address, &changed, "");
    let key = signed.key.display();
    for (name, dnssec, expected) in [
        ("www", format!("{{ trust_anchors = '{key}' }}"), "dnssec_bogus"),
        ("ns", format!("{{ trust_anchors = '{key}' }}"), "pass"),
        ("www", "false".to_owned(), "pass"),
    ] {
        let check = format!(
            "dns = {{ name = '{name}.farol.test', server = '{address}', dnssec = {dnssec} }}"
        );
        assert_eq!(why(&ask(&check).await), expected, "{check}");
    }
}

#[tokio::test]
#[ignore = "needs knot"]
async fn signatures_that_nobody_renewed_are_bogus() {
    let dir = tempfile::tempdir().unwrap();
    let address = free_address();
    let signed = sign(dir.path(), address, &zone(1, ""), "short");
    let _knot = knot_with(dir.path(), "knot", address, &signed.zone, "");
    past_expiry(&signed.zone).await;
    let check = format!(
        "dns = {{ name = 'www.farol.test', server = '{address}', \
         dnssec = {{ trust_anchors = '{}' }} }}",
        signed.key.display()
    );
    let finding = ask(&check).await;
    let Some(Reason::DnssecBogus { detail }) = finding.reason else { panic!("{finding:?}") };
    assert!(detail.contains("expired"), "{detail}");
}

/// Waits until the last of a zone's signatures has expired.
pub(crate) async fn past_expiry(zone: &str) {
    let signatures = zone.lines().filter_map(|line| line.split_once("\tRRSIG\t"));
    let until = signatures.filter_map(|(_, data)| data.split(' ').nth(4)).max().unwrap();
    let until = chrono::NaiveDateTime::parse_from_str(until, "%Y%m%d%H%M%S").unwrap();
    // The last second counts whole.
    while Clock::start().now().to_utc().naive_utc() < until + Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
#[ignore = "needs knot"]
async fn a_server_with_an_old_copy_of_the_zone_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_address().port();
    let [ahead, behind]: [SocketAddr; 2] =
        [1, 2].map(|last| format!("127.88.0.{last}:{port}").parse().unwrap());
    let text = |serial: u32| {
        zone(serial, "@ NS ns2\n").replace("ns A 127.0.0.1", "ns A 127.88.0.1\nns2 A 127.88.0.2")
    };
    let _first = knot_with(dir.path(), "first", ahead, &text(7), "");
    let second = knot_with(dir.path(), "second", behind, &text(5), "");
    let check = |more: &str| {
        format!(
            "dns = {{ name = 'farol.test', type = 'SOA', servers = 'all', port = {port}, \
             server = '{ahead}'{more} }}"
        )
    };
    let all = async |more: &str| observe("", &check(more), &[]).await.findings;
    let subjects = [ahead, behind].map(|address| Subject::Address(address.ip()));
    let found = all("").await;
    assert_eq!(found.iter().map(|one| one.subject).collect::<Vec<_>>(), subjects);
    let serial = Reason::DnsSerial { got: 5, newest: 7 };
    assert_eq!([&found[0].reason, &found[1].reason], [&None, &Some(serial)]);
    let found = all(", max_serial_lag = 2").await;
    assert!(found.iter().all(|one| one.reason.is_none()), "{found:?}");
    drop(second);
    let _second = knot_with(dir.path(), "second", behind, &text(7), "");
    let found = all("").await;
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|one| one.reason.is_none()), "{found:?}");
}
