//! The real binary as a child process, and a reader of what it serves.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use farol::clock::Clock;
use serde_json::Value;

/// A running `farol run`, killed when dropped.
pub(crate) struct Farol {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) log: PathBuf,
    client: reqwest::Client,
}

impl Farol {
    /// Starts it on a probe file and a state folder, with further environment.
    pub(crate) fn start(dir: &Path, probes: &Path, env: &[(&str, &str)]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let address = free_address();
        let log = dir.join("farol.log");
        let file = fs::OpenOptions::new().create(true).append(true).open(&log).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_farol"))
            .arg("run")
            .arg(probes)
            .args(["--listen", &address.to_string(), "--state-dir"])
            .arg(dir.join("state"))
            .envs(env.iter().copied())
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .unwrap();
        Self { child, address, log, client: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// A page's text, or `None` while it cannot be had.
    pub(crate) async fn get(&self, path: &str) -> Option<String> {
        let url = format!("http://{}{path}", self.address);
        let answer = self.client.get(url).timeout(Duration::from_secs(2)).send().await.ok()?;
        answer.error_for_status().ok()?.text().await.ok()
    }

    /// A JSON answer, or `None` while it cannot be had.
    pub(crate) async fn json(&self, path: &str) -> Option<Value> {
        serde_json::from_str(&self.get(path).await?).ok()
    }

    /// Waits until the public summary is as `is` says; panics with the log after `within`.
    pub(crate) async fn summary_until(
        &self,
        within: Duration,
        is: impl Fn(&Value) -> bool,
    ) -> Value {
        let waited = Clock::start().stopwatch();
        let mut last = None;
        while waited.elapsed().to_duration() < within {
            last = self.json("/api/v2/summary.json").await.or(last);
            if let Some(summary) = last.as_ref().filter(|summary| is(summary)) {
                return summary.clone();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never came: the last summary was {last:#?}\nlog:\n{}", self.read_log());
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it is still running.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; returns the exit code and how long it took.
    pub(crate) fn terminate(&mut self) -> (Option<i32>, Duration) {
        let asked = Clock::start().stopwatch();
        Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        let code = self.child.wait().unwrap().code();
        (code, asked.elapsed().to_duration())
    }

    /// The most memory that it ever had, in KiB; zero where the system does not tell.
    pub(crate) fn most_memory_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn read_log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Farol {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address on the loopback that was free a moment ago.
pub(crate) fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// A component's status in a summary.
pub(crate) fn component<'a>(summary: &'a Value, name: &str) -> &'a str {
    let components = summary["components"].as_array().map_or(&[][..], Vec::as_slice);
    let found = components.iter().find(|component| component["name"] == name);
    found.and_then(|component| component["status"].as_str()).unwrap_or("absent")
}
