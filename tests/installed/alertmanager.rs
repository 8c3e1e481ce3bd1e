//! Alertmanager as users have it, between a farol that runs and a receiver that is woken; and the
//! documents' own example of a webhook's receiver.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use serde_json::Value;

use crate::process::{Farol, component, free_address};
use crate::servers::alerts::alertmanager;

/// What is given for an alert to come through on a busy machine.
const AT_LAST: Duration = Duration::from_secs(40);

/// What receivers were sent: each call's headers and body.
type Calls = Arc<Mutex<Vec<(HeaderMap, Vec<u8>)>>>;

async fn serve(router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    address
}

/// A platform's server, well or not as `well` says.
async fn target(well: &Arc<AtomicBool>) -> SocketAddr {
    let well = Arc::clone(well);
    let answer = move || async move {
        if well.load(Ordering::SeqCst) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
    };
    serve(Router::new().route("/", get(answer))).await
}

/// Somebody who is called.
async fn receiver() -> (SocketAddr, Calls) {
    let calls = Calls::default();
    let heard = Arc::clone(&calls);
    let answer = move |headers: HeaderMap, body: Bytes| async move {
        heard.lock().unwrap().push((headers, body.to_vec()));
    };
    (serve(Router::new().route("/", post(answer))).await, calls)
}

/// Waits until one of the calls is as `is` says, and gives it.
async fn call_until(calls: &Calls, mut is: impl FnMut(&Value) -> bool) -> (HeaderMap, Vec<u8>) {
    let deadline = Instant::now() + AT_LAST;
    loop {
        let known = calls.lock().unwrap().clone();
        let body = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap();
        if let Some(call) = known.iter().find(|(_, bytes)| is(&body(bytes))) {
            return call.clone();
        }
        assert!(Instant::now() < deadline, "never called so; calls: {}", known.len());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn probe(target: SocketAddr, publish: &str) -> String {
    format!(
        r#"
        [platform]
        name = "Shop"
        resolve_after = "1s"
        [defaults]
        interval = "500ms"
        confirm_interval = "500ms"
        timeout = "400ms"
        [[component]]
        name = "Checkout"
        [[component.check]]
        name = "Checkout answers"
        http = "http://{target}/"
        {publish}
        "#
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs prometheus-alertmanager"]
async fn an_alert_fires_while_it_is_repeated_and_is_resolved_in_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let well = Arc::new(AtomicBool::new(false));
    let (target, (receiver, calls)) = (target(&well).await, receiver().await);
    let address = free_address();
    // What is not repeated ends by itself after five seconds.
    let _server = alertmanager(dir.path(), address, receiver, "5s");
    let probes = dir.path().join("shop.toml");
    let publish =
        format!("[publish.alertmanager]\nurl = \"http://{address}\"\nrepeat_every = \"1s\"\n");
    fs::write(&probes, probe(target, &publish)).unwrap();
    let farol = Farol::start(dir.path(), &probes, &[]);

    let (_, bytes) = call_until(&calls, |body| body["status"] == "firing").await;
    let notified: Value = serde_json::from_slice(&bytes).unwrap();
    let labels = &notified["alerts"][0]["labels"];
    assert_eq!(labels["alertname"], "FarolIncident");
    assert_eq!(labels["platform"], "shop");
    assert_eq!(labels["component"], "checkout");
    assert_eq!(labels["severity"], "critical");
    assert_eq!(notified["alerts"].as_array().unwrap().len(), 1, "{notified:#}");
    // With only one who is woken, the page stays.
    farol.summary_until(AT_LAST, |s| component(s, "Checkout") == "major_outage").await;

    // Longer than what is not repeated lasts.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let resolved = |(_, bytes): &(HeaderMap, Vec<u8>)| {
        let body: Value = serde_json::from_slice(bytes).unwrap();
        body["status"] == "resolved"
    };
    assert!(!calls.lock().unwrap().iter().any(resolved), "it ended while it still failed");

    well.store(true, Ordering::SeqCst);
    let (_, bytes) = call_until(&calls, |body| body["status"] == "resolved").await;
    let notified: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(notified["alerts"][0]["labels"]["incident"], labels["incident"]);
    let metrics = farol.get("/metrics").await.unwrap();
    let done = "farol_outbox_attempts_total{lane=\"shop:alertmanager\",outcome=\"done\"";
    assert!(metrics.contains(done), "{metrics}");
    assert!(metrics.contains("farol_outbox_pending{lane=\"shop\""), "{metrics}");
}

/// The example in the documents, as it stands there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs python3"]
async fn the_documents_receiver_knows_a_call_of_ours_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (target, (receiver, calls)) =
        (target(&Arc::new(AtomicBool::new(false))).await, receiver().await);
    let probes = dir.path().join("shop.toml");
    let publish = format!(
        "[publish.webhook]\nurl = \"http://{receiver}/\"\nsecret = {{ env = \"HOOK_SECRET\" }}\n"
    );
    fs::write(&probes, probe(target, &publish)).unwrap();
    let _farol = Farol::start(dir.path(), &probes, &[("HOOK_SECRET", "hush")]);
    let (headers, body) = call_until(&calls, |body| body["event"] == "open").await;

    let document = fs::read_to_string("docs/status-apis.md").unwrap();
    let example = document.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let judge = |body: &[u8], secret: &str| {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        let program = format!(
            "{example}\nimport sys\nheaders = {{'X-Farol-Timestamp': {:?}, \
             'X-Farol-Signature': {:?}}}\n\
             print(is_from_farol({secret:?}.encode(), headers, sys.stdin.buffer.read()))\n",
            header("x-farol-timestamp"),
            header("x-farol-signature"),
        );
        let mut python = Command::new("python3")
            .args(["-c", &program])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(body).unwrap();
        String::from_utf8(python.wait_with_output().unwrap().stdout).unwrap()
    };
    assert_eq!(judge(&body, "hush"), "True\n");
    assert_eq!(judge(&body, "other"), "False\n");
    let mut changed = body;
    changed.push(b' ');
    assert_eq!(judge(&changed, "hush"), "False\n");
}
