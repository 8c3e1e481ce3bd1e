//! Targets that answer garbage, without end, or not at all, against the running process: each has its
//! reason, and memory stays bounded.

use std::fs;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::command::ends;
use crate::process::Farol;

/// More than the process takes with any of these targets, and far less than they would send.
const MOST_KIB: u64 = 128 * 1024;

/// What a target sends once it was asked: this, and then that for ever.
async fn target(start: impl Into<Vec<u8>>, then: Option<Vec<u8>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let start = start.into();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, start.clone(), then.clone()));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, start: Vec<u8>, then: Option<Vec<u8>>) {
    let _request = stream.read(&mut [0; 4096]).await;
    if stream.write_all(&start).await.is_err() {
        return;
    }
    match then {
        // Until the client has had enough.
        Some(then) => while stream.write_all(&then).await.is_ok() {},
        None => while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {},
    }
}

/// Takes connections and never says a word.
pub(crate) async fn stalling() -> SocketAddr {
    target(Vec::new(), None).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_targets_have_their_reasons_and_fill_no_memory() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let headers: String = (0..10_000).map(|n| format!("X-{n}: y\r\n")).collect();
    let targets = [
        ("garbage", target(vec![0x81; 1 << 16], None).await, "malformed_answer"),
        ("body", target(format!("{ok}\r\n"), Some(vec![b'x'; 1 << 16])).await, "body_too_large"),
        (
            "stall",
            target(format!("{ok}Content-Length: 9\r\n\r\nx"), None).await,
            "transfer_timeout",
        ),
        ("silence", stalling().await, "first_byte_timeout"),
        ("headers", target(format!("{ok}{headers}\r\n"), None).await, "headers_too_large"),
        (
            "interim",
            target("", Some(b"HTTP/1.1 100 Continue\r\n\r\n".repeat(1000))).await,
            "headers_too_large",
        ),
    ];
    let mut text =
        "[platform]\nname = 'Hostile'\n[defaults]\ninterval = '1s'\ntimeout = '900ms'\n".to_owned();
    for (name, address, _) in targets {
        text += &format!(
            "[[component]]\nname = '{name}'\n[[component.check]]\nname = 'c'\nhttp = 'http://{address}/'\n"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("p.toml"), text).unwrap();
    let table = {
        let dir = dir.path().to_owned();
        let run = move || farol_check(&dir);
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    for (name, _, reason) in targets {
        let line = table.lines().find(|line| line.contains(&format!("p/{name}/c"))).unwrap();
        assert!(line.starts_with("fail") && line.contains(reason), "{line}");
    }

    let farol = Farol::start(dir.path(), &dir.path().join("p.toml"), &[]);
    let all_out = |summary: &serde_json::Value| {
        let components = summary["components"].as_array().unwrap();
        components.iter().all(|component| component["status"] == "major_outage")
    };
    farol.summary_until(Duration::from_secs(30), all_out).await;
    let most = farol.most_memory_kib();
    println!("at most {most} KiB");
    assert!(most < MOST_KIB, "{most} KiB");
}

fn farol_check(dir: &std::path::Path) -> String {
    let output = crate::command::farol(dir, &["check", "p.toml"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", ends(dir, &["validate", "p.toml"]).1);
    String::from_utf8(output.stdout).unwrap()
}
