//! A platform on which one customer of three cannot log in, with the real binary: what operators
//! are told of it, and what the public reads until it is over.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

#[expect(dead_code, reason = "other tests look at more of what is served")]
#[path = "support/process.rs"]
mod process;

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use process::{Farol, component};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PASSWORDS: [(&str, &str); 3] =
    [("PASSWORD_acme", "hush-a"), ("PASSWORD_globex", "hush-g"), ("PASSWORD_initech", "hush-i")];

/// The answer to `request`: a login of each tenant, of which one's can be broken.
fn answer_to(request: &str, is_broken: bool) -> String {
    let line = request.lines().next().unwrap_or_default();
    let path = line.split(' ').nth(1).unwrap_or_default();
    let tenant = path.split('/').nth(1).unwrap_or_default();
    let form = "<form method=post><input name=user><input name=password type=password></form>";
    let password = format!("password=hush-{}", tenant.get(..1).unwrap_or_default());
    let well = (200, String::new());
    let ((status, more), body) = match line.split(' ').next().unwrap_or_default() {
        "POST" if is_broken && tenant == "globex" => ((503, String::new()), "no directory"),
        "POST" if request.contains(&password) => {
            let headers =
                format!("Location: /{tenant}/inbox\r\nSet-Cookie: sid={tenant}; Path=/\r\n");
            ((303, headers), "")
        }
        _ if path.ends_with("/login") => (well, form),
        _ if request.contains(&format!("sid={tenant}")) => (well, "Conversations"),
        _ => ((403, String::new()), ""),
    };
    let length = body.len();
    format!(
        "HTTP/1.1 {status} X\r\nContent-Type: text/html\r\n{more}Content-Length: {length}\r\n\r\n{body}"
    )
}

async fn serve(is_broken: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, is_broken.load(Ordering::SeqCst)));
        }
    });
    address
}

async fn answer(mut stream: TcpStream, is_broken: bool) {
    let mut read = Vec::new();
    let is_whole = |read: &[u8]| {
        let text = String::from_utf8_lossy(read);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let lower = head.to_lowercase();
        let length = lower.split_once("content-length: ").map_or("0", |(_, rest)| rest);
        let length: usize = length.lines().next()?.parse().ok()?;
        (body.len() >= length).then_some(())
    };
    while is_whole(&read).is_none() && stream.read_buf(&mut read).await.is_ok_and(|it| it > 0) {}
    let request = String::from_utf8_lossy(&read).into_owned();
    // The client may have had enough.
    let _ = stream.write_all(answer_to(&request, is_broken).as_bytes()).await;
}

fn write(dir: &Path, address: SocketAddr) {
    let text = format!(
        r#"
[platform]
name = "Blip"
resolve_after = "1s"
[defaults]
interval = "1s"
confirm_interval = "200ms"
[[component]]
name = "Desk"
[[component.check]]
name = "Every tenant's agents can log in"
matrix = {{ tenant = ["acme", "globex", "initech"] }}
[component.check.login]
url = "http://{address}/"
account = {{ user = "probe", password = {{ env = "PASSWORD_{{{{matrix.tenant}}}}" }} }}
steps = [
    {{ name = "login page", get = "/{{{{matrix.tenant}}}}/login" }},
    {{ name = "credentials", submit = "form", fields = {{ user = "{{{{user}}}}", password = "{{{{password}}}}" }} }},
    {{ name = "inbox", get = "/{{{{matrix.tenant}}}}/inbox", contains = "Conversations" }},
]
"#
    );
    fs::write(dir.join("blip.toml"), text).unwrap();
}

/// What one run finds, as `farol check --json` tells it.
async fn found(dir: &Path) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_farol"));
    command.current_dir(dir).args(["check", "--json", "blip.toml"]).envs(PASSWORDS);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    told["findings"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_tenant_of_three_is_found_and_never_named() {
    let dir = tempfile::tempdir().unwrap();
    let is_broken = Arc::new(AtomicBool::new(false));
    let address = serve(is_broken.clone()).await;
    write(dir.path(), address);
    let verdicts = |findings: &[Value]| -> Vec<String> {
        findings.iter().map(|one| one["verdict"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(verdicts(&found(dir.path()).await), ["pass", "pass", "pass"]);

    is_broken.store(true, Ordering::SeqCst);
    let findings = found(dir.path()).await;
    assert_eq!(verdicts(&findings), ["pass", "fail", "pass"]);
    assert_eq!(findings[1]["variant"], "tenant=globex", "{findings:?}");
    assert_eq!(findings[1]["step"], "credentials");
    assert_eq!(findings[1]["reason"]["status"]["got"], 503, "{findings:?}");

    is_broken.store(false, Ordering::SeqCst);
    let farol = Farol::start(dir.path(), &dir.path().join("blip.toml"), &PASSWORDS);
    let within = Duration::from_secs(60);
    farol.summary_until(within, |now| component(now, "Desk") == "operational").await;
    is_broken.store(true, Ordering::SeqCst);
    let open = |now: &Value| now["incidents"].as_array().is_some_and(|all| !all.is_empty());
    let summary = farol.summary_until(within, open).await;
    assert_eq!(component(&summary, "Desk"), "partial_outage");
    let incident = &summary["incidents"][0];
    assert_eq!(incident["name"], "Desk: some customers cannot log in");
    let body = incident["incident_updates"][0]["body"].as_str().unwrap();
    assert!(body.contains("some customers cannot log in. One of our three tests fails."), "{body}");

    is_broken.store(false, Ordering::SeqCst);
    let over = |now: &Value| !open(now) && component(now, "Desk") == "operational";
    farol.summary_until(within, over).await;
    let incidents = farol.json("/api/v2/incidents.json").await.unwrap();
    assert_eq!(incidents["incidents"][0]["status"], "resolved", "{incidents:#}");
    let host = address.to_string();
    for path in ["/", "/api/v2/incidents.json", "/api/v2/summary.json"] {
        let text = farol.get(path).await.unwrap().to_lowercase();
        for private in ["globex", "initech", "tenant", "credentials", "directory", &host] {
            assert!(!text.contains(private), "{path} tells {private}: {text}");
        }
    }
    let log = farol.read_log();
    let told =
        log.lines().any(|line| line.contains("tenant=globex") && line.contains("credentials"));
    assert!(told, "operators are told which: {log}");
    let metrics = farol.get("/metrics").await.unwrap();
    assert!(metrics.contains("tenant=globex"), "and their metrics: {metrics}");
}
