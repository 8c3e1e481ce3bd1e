//! Metrics, health, and what a server must bear.

use std::time::Duration;

use farol::clock::Clock;
use farol::model::OwnTrouble;
use farol::runtime::Pulse;
use reqwest::{Method, StatusCode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::{Served, start};

#[tokio::test]
async fn metrics_are_served_in_the_text_format() {
    let site = start().await;
    let response = site.get("/metrics").await;
    assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4");
    assert!(response.text().await.unwrap().contains("farol_build_info{version="));
}

/// What `/healthz` and `/readyz` answer.
async fn codes(site: &Served) -> (StatusCode, StatusCode) {
    (site.get("/healthz").await.status(), site.get("/readyz").await.status())
}

#[tokio::test]
async fn own_trouble_shows_and_fails_nothing() {
    let site = start().await;
    site.pulse.send(Pulse::Ready { turned_at: Clock::start().now(), held: false }).unwrap();
    let told = async |path| site.get(path).await.text().await.unwrap();
    assert_eq!(told("/healthz").await, "ok\n");
    site.metrics.own_trouble(OwnTrouble::Network, true);
    site.metrics.own_trouble(OwnTrouble::Store, true);
    let (ok, text) = (StatusCode::OK, "ok\nown trouble: network\nown trouble: store\n");
    assert_eq!(codes(&site).await, (ok, ok));
    assert_eq!((told("/healthz").await, told("/readyz").await), (text.into(), text.into()));
    site.metrics.own_trouble(OwnTrouble::Network, false);
    assert_eq!(told("/healthz").await, "ok\nown trouble: store\n");
}

#[tokio::test]
async fn health_follows_the_owner_loop() {
    let mut site = start().await;

    let (ok, no) = (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(codes(&site).await, (ok, no), "starting");
    let now = Clock::start().now();
    site.pulse.send(Pulse::Ready { turned_at: now, held: false }).unwrap();
    assert_eq!(codes(&site).await, (ok, ok), "ready");
    let long_ago = now - Duration::from_secs(61);
    site.pulse.send(Pulse::Ready { turned_at: long_ago, held: false }).unwrap();
    assert_eq!(codes(&site).await, (no, no), "the loop hangs");
    site.pulse.send(Pulse::Stopping).unwrap();
    assert_eq!(codes(&site).await, (ok, no), "stopping");
    // The loop's end drops its side of the channel.
    let (ended, _) = tokio::sync::watch::channel(Pulse::Stopping);
    drop(std::mem::replace(&mut site.pulse, ended));
    assert_eq!(codes(&site).await, (no, no), "the loop has ended");
}

#[tokio::test]
async fn it_stops_in_spite_of_idle_and_half_sent_requests() {
    let site = start().await;
    assert_eq!(site.get("/").await.status(), StatusCode::OK, "leaves an idle connection");
    let mut half = TcpStream::connect(site.address).await.unwrap();
    half.write_all(b"POST /v1/pages HTTP/1.1\r\nhost: x\r\ncontent-le").await.unwrap();
    site.stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), site.task).await;
    ended.expect("must not wait for clients").unwrap().unwrap();
    let mut rest = Vec::new();
    // Closed or reset, but not left open.
    let _ = half.read_to_end(&mut rest).await;
}

#[tokio::test]
async fn endless_headers_are_cut_off() {
    let site = start().await;
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let line = format!("x-filler: {}\r\n", "a".repeat(1_000));
    let mut sent = 0;
    while sent < 10_000_000 && stream.write_all(line.as_bytes()).await.is_ok() {
        sent += line.len();
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(sent < 10_000_000, "it read {sent} bytes of headers");
    assert_eq!(site.get("/healthz").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn odd_requests_are_answered_and_nothing_breaks() {
    let site = start().await;
    let paths = ["/%ff", "/v1", "/v1/", "/v1//", "/v1/pages/%00", "/api/v2/", "/api/v2/%2e%2e"];
    for path in paths {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::TRACE] {
            let response = site.request(method, path).bearer_auth("x").send().await.unwrap();
            assert!(response.status().is_client_error(), "{path}: {}", response.status());
        }
    }
    let json = site.get("/v1").await;
    assert_eq!(json.headers()["content-type"], "application/json");
    assert_eq!(site.get("/healthz").await.status(), StatusCode::OK);
}
