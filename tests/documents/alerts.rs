//! The alert rules are about metrics that there are.

use std::fs;

use regex::Regex;

use crate::root;

/// A rule about a metric that nobody exposes would never say anything.
#[test]
fn the_alerts_ask_for_metrics_that_there_are() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let rules = read("deploy/prometheus-alerts.yml");
    let series = ["src/metrics/series.rs", "src/metrics/prober.rs"];
    let exposed: String = series.iter().map(|path| read(path)).collect();
    let names = Regex::new("(farol|process)_[a-z_]+[a-z]").unwrap();
    let asked: Vec<&str> = names.find_iter(&rules).map(|name| name.as_str()).collect();
    assert!(asked.len() > 10, "{asked:?}");
    for name in asked {
        assert!(exposed.contains(&format!("\"{name}\"")), "{name} is no metric");
    }
}
