//! The page as a real browser renders it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::process::{Farol, component, free_address};

#[tokio::test]
#[ignore = "needs Chromium"]
async fn a_browser_shows_the_outage() {
    let dir = tempfile::tempdir().unwrap();
    let probes = dir.path().join("shop.toml");
    let text = format!(
        r#"
        [platform]
        name = "Corner Shop"
        [defaults]
        interval = "500ms"
        confirm_interval = "500ms"
        timeout = "400ms"
        [[component]]
        name = "Till"
        group = "Counter"
        [[component.check]]
        name = "Nobody is there"
        tcp = "{}"
        "#,
        free_address()
    );
    fs::write(&probes, text).unwrap();
    let farol = Farol::start(dir.path(), &probes, &[]);
    farol.summary_until(Duration::from_secs(20), |s| component(s, "Till") == "major_outage").await;
    let profile = dir.path().join("profile");
    let rendered = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--dump-dom")
        .arg(format!("http://{}/", farol.address))
        .output()
        .unwrap();
    let dom = String::from_utf8_lossy(&rendered.stdout);
    for expected in ["Corner Shop", "Counter", "Till", "Major outage", "Investigating"] {
        assert!(dom.contains(expected), "{expected:?} is not on the page:\n{dom}");
    }
}
