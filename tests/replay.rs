//! `farol replay` over a journal, with the real binary: under the thresholds of then, of now, and
//! of a file that asks for less.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use farol::config::{SourceFile, parse};
use farol::model::{
    CheckId, ComponentId, Finding, Input, Observation, PlatformId, Reason, Span, Subject,
    Timestamp, Vantage, Verdict,
};
use farol::store::{Options, Store};
use serde_json::Value;

const START: i64 = 1_731_562_800;

fn at(secs: i64) -> Timestamp {
    Timestamp::from_secs(START + secs)
}

fn probe_file(fail_after: u32) -> String {
    format!(
        "[platform]\nid = \"blip\"\nname = \"Blip\"\nresolve_after = \"1m\"\n\
         [defaults]\nfail_after = {fail_after}\nrecover_after = 1\n\
         [[component]]\nname = \"Desk\"\n[[component.check]]\nname = \"answers\"\n\
         tcp = \"127.0.0.1:1\"\n"
    )
}

fn observed(secs: i64, passes: bool) -> (Timestamp, Input) {
    let finding = if passes {
        Finding::pass(Subject::Whole)
    } else {
        Finding::because(Subject::Whole, Verdict::Fail, Reason::ConnectRefused)
    };
    let desk = ComponentId::of(&PlatformId::new("blip"), "desk");
    let observation = Observation {
        check: CheckId::of(&desk, "answers"),
        vantage: Vantage::new("here"),
        started_at: at(secs),
        took: Span::from_millis(3),
        findings: vec![finding],
    };
    (at(secs), Input::Observed(observation))
}

/// An hour, with a failure of 30 seconds at minute 10 and one of 100 at minute 40, judged by the
/// policy of a file that asks for five in a row.
async fn keep_a_journal(dir: &Path) {
    let source = SourceFile { name: "blip.toml".to_owned(), text: probe_file(5) };
    let policy = parse(&[source]).unwrap().policy();
    let mut inputs = vec![(at(0), Input::PolicyChanged(Box::new(policy)))];
    inputs.extend((1..360).map(|tick| {
        let secs = tick * 10;
        let fails = (600..630).contains(&secs) || (2_400..2_500).contains(&secs);
        observed(secs, !fails)
    }));
    let (store, _) = Store::open(dir, Options::default()).unwrap();
    store.append(inputs).await.unwrap();
}

fn replay(dir: &Path, arguments: &[&str]) -> Output {
    let farol = env!("CARGO_BIN_EXE_farol");
    Command::new(farol).current_dir(dir).arg("replay").args(arguments).output().unwrap()
}

fn opened(report: &Value) -> Vec<&str> {
    let incidents = report["incidents"].as_array().unwrap();
    incidents.iter().map(|incident| incident["opened_at"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_was_what_is_and_what_could_be_stand_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    keep_a_journal(&dir.join("state")).await;
    fs::create_dir(dir.join("probes")).unwrap();
    fs::write(dir.join("probes/blip.toml"), probe_file(5)).unwrap();
    fs::write(dir.join("quick.toml"), probe_file(2)).unwrap();
    fs::write(dir.join("stranger.toml"), probe_file(2).replace("blip", "other")).unwrap();

    let (quick, picture) = (["--policy", "quick.toml"], ["--svg", "days.svg"]);
    let output = replay(dir, &[&quick[..], &picture[..], &["--json"]].concat());
    assert!(output.status.success(), "{output:?}");
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(opened(&reports[0]), ["2024-11-14T06:20:40.000Z"]);
    assert_eq!(opened(&reports[1]), opened(&reports[0]));
    assert_eq!(opened(&reports[2]), ["2024-11-14T05:50:10.000Z", "2024-11-14T06:20:10.000Z"]);
    assert_eq!(reports[2]["incidents"][0]["worst_status"]["blip/desk"], "major_outage");
    let svg = fs::read_to_string(dir.join("days.svg")).unwrap();
    assert!(svg.contains(">Desk</text>") && svg.ends_with("</svg>\n"), "{svg}");

    let since = ["--since", "2024-11-14T06:00:00Z", "--policy", "stranger.toml"];
    let told = replay(dir, &[&quick[..], &since[..]].concat());
    let told = String::from_utf8(told.stdout).unwrap();
    let lines = [
        "as it was      1 incidents, open for 2m",
        "quick.toml     1 incidents, open for 2m 30s",
        "it has none of the checks that were observed",
        "quick.toml     2024-11-14 06:20:10Z (30s sooner), open for 2m 30s, critical",
        "stranger.toml  not opened",
    ];
    for line in lines {
        assert!(told.contains(line), "{line:?} is missing in\n{told}");
    }
}

#[test]
fn without_a_journal_it_says_where_it_looked() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("probes")).unwrap();
    fs::write(dir.path().join("probes/blip.toml"), probe_file(2)).unwrap();
    let output = replay(dir.path(), &["--state-dir", "nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("nowhere"), "{said}");
    assert!(!dir.path().join("nowhere").exists());
}
