//! Plants secrets in every place that a secret can be, lets a target send them back, and looks for
//! them in everything that farol writes, shows and keeps.

use std::fs;
use std::path::Path;
use std::time::Duration;

use data_encoding::BASE64_NOPAD;
use serde_json::Value;

use crate::farol_beside;
use crate::hostile::{self, API_TOKEN, BEGIN, END};
use crate::logins;
use crate::process::Farol;

/// What would tell a secret: its ends, and what these are in the middle of a text in Base64.
fn traces() -> Vec<String> {
    let encoded = [BEGIN, END, logins::SEED].into_iter().flat_map(|part| {
        (0..3).map(move |skip| {
            let padded = [&b"\0\0"[..skip], part.as_bytes()].concat();
            let code = BASE64_NOPAD.encode(&padded);
            // Without the letters in which what stands around has a part.
            code[(skip * 8).div_ceil(6)..padded.len() * 8 / 6].to_owned()
        })
    });
    let plain = [BEGIN, END, logins::SEED].into_iter().map(str::to_owned);
    plain.chain(encoded).chain(hostile::made()).collect()
}

/// The places in `written` where something secret is.
fn leaks(what: &str, written: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(written).to_lowercase();
    let found = traces().into_iter().filter_map(|trace| {
        let trace = trace.to_lowercase();
        let mut places = text.match_indices(&trace).map(|(at, _)| at);
        // A one-time password is not found within a larger number.
        let at = places.find(|at| {
            !trace.bytes().all(|byte| byte.is_ascii_digit()) || {
                let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
                let bytes = text.as_bytes();
                !is_digit(at.checked_sub(1).and_then(|at| bytes.get(at)))
                    && !is_digit(bytes.get(at + trace.len()))
            }
        })?;
        let around: String = text[..at].chars().rev().take(80).collect();
        let around: String = around.chars().rev().collect();
        Some(format!("{what}: ...{around}[{trace}]"))
    });
    found.collect()
}

#[test]
fn the_search_finds_what_is_there() {
    for (name, secret) in hostile::environment() {
        let encoded = data_encoding::BASE64.encode(format!("probe:{secret}").as_bytes());
        let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
        for text in [secret, &encoded, &form] {
            let parts = if secret == logins::SEED { 1 } else { 2 };
            assert_eq!(leaks(name, text.as_bytes()).len(), parts, "{text}");
        }
    }
    assert!(leaks("nothing", b"an ordinary text").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_tell_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let address = hostile::serve().await;
    hostile::write(dir.path(), address);
    let mut found = Vec::new();

    for arguments in [&["validate", "p.toml"][..], &["check", "p.toml"]] {
        let output = farol_beside(dir.path(), arguments).await;
        found.extend(leaks(&arguments.join(" "), &[output.stdout, output.stderr].concat()));
    }
    let output = farol_beside(dir.path(), &["check", "--json", "p.toml"]).await;
    found.extend(leaks("check --json", &[output.stdout.as_slice(), &output.stderr].concat()));
    let lines = String::from_utf8(output.stdout).unwrap();
    let seen: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(seen.len(), hostile::checks().count());
    for ((name, _, reason), seen) in hostile::checks().zip(&seen) {
        let finding = &seen["findings"][0];
        let kind = finding["reason"].as_object().and_then(|reason| reason.keys().next());
        let kind = kind.map(String::as_str).or(finding["reason"].as_str());
        assert_eq!(kind, Some(reason), "{name}: {finding}");
        // Otherwise the target told nothing, and nothing is proved.
        let told = finding.to_string().contains("[redacted]");
        assert!(told || logins::tells_nothing(reason), "{name}: {finding}");
    }
    for (name, _, _) in hostile::checks() {
        let output =
            farol_beside(dir.path(), &["check", "--trace", name, "--har", "one.har", "p.toml"])
                .await;
        let har = fs::read(dir.path().join("one.har")).unwrap();
        fs::remove_file(dir.path().join("one.har")).unwrap();
        let all = [output.stdout, output.stderr, har].concat();
        assert!(String::from_utf8_lossy(&all).contains("[redacted]"), "{name}");
        found.extend(leaks(&format!("trace of {name}"), &all));
    }
    assert!(hostile::made().len() >= 4, "{:?}", hostile::made());
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_a_probe_file_tells_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let secret = format!("{BEGIN}{END}");
    let places = [
        format!("bearer = '{secret}'"),
        format!("basic = {{ user = 'a', password = '{secret}' }}"),
        format!("headers = {{ Authorization = '{secret}' }}"),
        format!("headers = {{ X-Api-Key = '{secret}' }}"),
        format!(
            "oauth2 = {{ token_url = 'http://x/', client_id = 'a', client_secret = '{secret}' }}"
        ),
        format!("proxy = {{ url = 'http://a:{secret}@x/' }}"),
    ];
    let mut text = "[platform]\nname = 'Shop'\n[[component]]\nname = 'A'\n".to_owned();
    for (number, place) in places.iter().enumerate() {
        text += &format!(
            "[[component.check]]\nname = 'c{number}'\nhttp = {{ url = 'http://x/', {place} }}\n"
        );
    }
    text += &format!("[[component.check]]\nname = 'u'\nhttp = 'http://a:{secret}@x/'\n");
    fs::write(dir.path().join("p.toml"), text).unwrap();
    let mut found = Vec::new();
    for command in ["validate", "check"] {
        let output = farol_beside(dir.path(), &[command, "p.toml"]).await;
        assert_eq!(output.status.code(), Some(78));
        found.extend(leaks(command, &[output.stdout, output.stderr].concat()));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_farol_keeps_and_tells_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let address = hostile::serve().await;
    hostile::write(dir.path(), address);
    let token = dir.path().join("api-token").display().to_string();
    let mut environment: Vec<(&str, &str)> = hostile::environment().collect();
    environment.extend([("FAROL_API_TOKEN_FILE", token.as_str()), ("FAROL_LOG", "trace")]);
    let mut farol = Farol::start(dir.path(), &dir.path().join("p.toml"), &environment);
    let published = |summary: &Value| {
        let components = summary["components"].as_array().unwrap();
        let well = components.iter().filter(|component| component["status"] == "operational");
        // What is refused by its proxy is nobody's outage.
        well.count() <= 1 && summary["incidents"].as_array().is_some_and(|all| !all.is_empty())
    };
    farol.summary_until(Duration::from_secs(60), published).await;
    let mut found = Vec::new();
    let paths = [
        "/",
        "/metrics",
        "/api/v2/summary.json",
        "/api/v2/incidents.json",
        "/api/v2/components.json",
        "/api/v2/incidents/unresolved.json",
    ];
    for path in paths {
        let text = farol.get(path).await.unwrap_or_else(|| panic!("{path} is not served"));
        found.extend(leaks(path, text.as_bytes()));
    }
    let kept = read_kept(&mut farol, &mut found);
    let told =
        |(_, bytes): &(String, Vec<u8>)| String::from_utf8_lossy(bytes).contains("[redacted]");
    assert!(kept.iter().any(told), "the journal keeps reasons");
    assert!(!API_TOKEN.is_empty() && found.is_empty(), "{}", found.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_status_api_that_sends_its_key_back_is_not_quoted() {
    let address = hostile::serve().await;
    for path in ["/odd/", "/not-us/", "/not-so/"] {
        let dir = tempfile::tempdir().unwrap();
        hostile::write_published(dir.path(), address, path);
        let mut environment: Vec<(&str, &str)> = hostile::environment().collect();
        environment.push(("FAROL_LOG", "trace"));
        let mut farol = Farol::start(dir.path(), &dir.path().join("s.toml"), &environment);
        let waited = farol::clock::Clock::start().stopwatch();
        while !farol.read_log().contains("OAuth [redacted]") {
            let log = farol.read_log();
            assert!(waited.elapsed().as_secs_f64() < 60.0, "{path} is not told of: {log}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let mut found = Vec::new();
        let metrics = farol.get("/metrics").await.unwrap_or_default();
        found.extend(leaks("/metrics", metrics.as_bytes()));
        read_kept(&mut farol, &mut found);
        assert!(found.is_empty(), "{}", found.join("\n"));
    }
}

/// What is left of a farol that is killed, and the secrets that are in that and in its log.
fn read_kept(farol: &mut Farol, found: &mut Vec<String>) -> Vec<(String, Vec<u8>)> {
    farol.kill();
    found.extend(leaks("the log", farol.read_log().as_bytes()));
    assert!(farol.read_log().contains("[redacted]"), "the log tells reasons");
    let mut kept = Vec::new();
    read_all(&farol.log.parent().unwrap().join("state"), &mut kept);
    assert!(kept.len() >= 2, "the state is kept in files");
    for (name, bytes) in &kept {
        found.extend(leaks(name, bytes));
    }
    kept
}

fn read_all(folder: &Path, kept: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, kept);
        } else {
            kept.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}
