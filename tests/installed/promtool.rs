//! Prometheus's own judgement of the metrics.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{Farol, component, free_address};

#[tokio::test]
#[ignore = "needs promtool"]
async fn promtool_finds_the_metrics_clean() {
    let dir = tempfile::tempdir().unwrap();
    let probes = dir.path().join("shop.toml");
    let refused = free_address();
    let text = format!(
        r#"
        [platform]
        name = "Shop"
        [defaults]
        interval = "500ms"
        confirm_interval = "500ms"
        timeout = "400ms"
        [[component]]
        name = "Gone"
        [[component.check]]
        name = "Nobody is there"
        tcp = "{refused}"
        [[component.check]]
        name = "Nobody is there in any way"
        matrix = {{ path = ["a", 'b "or" c\d'] }}
        http = "http://{refused}/{{{{matrix.path}}}}"
        "#
    );
    fs::write(&probes, text).unwrap();
    let farol = Farol::start(dir.path(), &probes, &[]);
    farol.summary_until(Duration::from_secs(20), |s| component(s, "Gone") == "major_outage").await;
    let metrics = farol.get("/metrics").await.unwrap();
    assert!(metrics.contains("farol_build_info"), "{metrics}");
    assert!(metrics.contains(r#"farol_check_variant_state{"#), "{metrics}");

    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let judged = promtool.wait_with_output().unwrap();
    let said = [judged.stdout, judged.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(judged.status.success() && said.trim().is_empty(), "promtool says:\n{said}");
}

#[test]
#[ignore = "needs promtool"]
fn promtool_finds_the_alerts_right_and_they_do_what_they_should() {
    let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy");
    for (what, file) in [("check", "prometheus-alerts.yml"), ("test", "prometheus-alerts.test.yml")]
    {
        let mut promtool = Command::new("promtool");
        let judged = promtool.args([what, "rules", file]).current_dir(deploy).output().unwrap();
        let said = [judged.stdout, judged.stderr].concat();
        assert!(judged.status.success(), "promtool says:\n{}", String::from_utf8_lossy(&said));
    }
}
