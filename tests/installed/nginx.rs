//! One of two nginx servers behind a name in a real DNS server stops, and comes back.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use crate::process::{Farol, component, free_address};
use crate::servers::names::knot;
use crate::servers::web::nginx;

#[tokio::test]
#[ignore = "needs nginx and knot"]
async fn one_of_two_addresses_down_is_a_partial_outage() {
    let dir = tempfile::tempdir().unwrap();
    let port = free_address().port();
    let first: SocketAddr = format!("127.88.0.1:{port}").parse().unwrap();
    let second: SocketAddr = format!("127.88.0.2:{port}").parse().unwrap();
    let dns = free_address();
    let _knot = knot(dir.path(), dns, &[first.ip(), second.ip()]);
    let _nginx = nginx(dir.path(), first);
    let stopped = nginx(dir.path(), second);

    let probes = dir.path().join("shop.toml");
    let text = format!(
        r#"
        [platform]
        name = "Shop"
        resolvers = ["{dns}"]
        resolve_after = "2s"
        [defaults]
        interval = "1s"
        timeout = "900ms"
        confirm_interval = "500ms"
        [[component]]
        name = "Storefront"
        [[component.check]]
        name = "Every server answers"
        http = {{ url = "http://www.farol.test:{port}/", addresses = "all", contains = "this is 127.88" }}
        [[component]]
        name = "Names"
        [[component.check]]
        name = "The name has both addresses"
        dns = {{ name = "www.farol.test", server = "{dns}", expect = ["127.88.0.1", "127.88.0.2"] }}
        "#
    );
    fs::write(&probes, text).unwrap();
    let mut farol = Farol::start(dir.path(), &probes, &[]);
    let long = Duration::from_secs(20);
    farol.summary_until(long, |summary| component(summary, "Storefront") == "operational").await;
    // Decided by an observation, not by nobody having looked yet.
    let metric = r#"farol_check_state{check="every-server-answers",component="storefront",platform="shop",state="passing"} 1"#;
    wait_for_metric(&farol, metric).await;

    drop(stopped);
    let during = farol
        .summary_until(long, |summary| component(summary, "Storefront") == "partial_outage")
        .await;
    assert_eq!(component(&during, "Names"), "operational");
    let incidents = during["incidents"].as_array().unwrap();
    assert_eq!(incidents.len(), 1, "{during:#?}");
    assert_eq!(incidents[0]["status"], "investigating");
    assert!(!during.to_string().contains("127.88"), "an address reached the public: {during}");

    let _nginx_again = nginx(dir.path(), second);
    let after = farol
        .summary_until(long, |summary| {
            summary["incidents"].as_array().is_some_and(Vec::is_empty)
                && component(summary, "Storefront") == "operational"
        })
        .await;
    assert_eq!(after["status"]["indicator"], "none");
    let all = farol.json("/api/v2/incidents.json").await.unwrap();
    assert_eq!(all["incidents"].as_array().unwrap().len(), 1);

    let (code, took) = farol.terminate();
    assert_eq!(code, Some(0), "{}", farol.read_log());
    assert!(took < Duration::from_secs(5), "it took {took:?} to stop");
}

async fn wait_for_metric(farol: &Farol, metric: &str) {
    for _ in 0..200 {
        if farol.get("/metrics").await.is_some_and(|text| text.contains(metric)) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{metric} never came:\n{}", farol.get("/metrics").await.unwrap_or_default());
}
