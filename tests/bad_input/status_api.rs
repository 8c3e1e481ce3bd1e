//! A status API that refuses, fails, talks nonsense, says nothing or is not there: each try is told
//! once and counted, and when the API is well the incident stands there once.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use farol::clock::Clock;
use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::process::Farol;
use crate::server::{self, Pages};

/// What is wrong with the API until it is well.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Answers(u16),
    Nonsense,
    Silence,
    Absence,
}

/// A status API that is in trouble until it is told to be well.
struct Api {
    address: SocketAddr,
    pages: Pages,
    well: Arc<AtomicBool>,
    /// Keeps the port from others while nobody listens.
    _place: Option<TcpSocket>,
}

impl Api {
    async fn start(trouble: Trouble) -> Self {
        let (pages, well) = (Pages::default(), Arc::new(AtomicBool::new(false)));
        let is_well = Arc::clone(&well);
        let spoilt = from_fn(move |request: Request, next: Next| {
            let trouble = (!is_well.load(Ordering::Relaxed)).then_some(trouble);
            async move {
                match trouble {
                    Some(trouble) => answer(trouble).await,
                    None => next.run(request).await,
                }
            }
        });
        if matches!(trouble, Trouble::Absence) {
            let place = TcpSocket::new_v4().unwrap();
            place.set_reuseport(true).unwrap();
            place.bind("127.0.0.1:0".parse().unwrap()).unwrap();
            return Self { address: place.local_addr().unwrap(), pages, well, _place: Some(place) };
        }
        let address = server::serve(pages.router().layer(spoilt)).await;
        Self { address, pages, well, _place: None }
    }

    async fn recover(&self) {
        self.well.store(true, Ordering::Relaxed);
        if self._place.is_some() {
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_reuseport(true).unwrap();
            socket.bind(self.address).unwrap();
            let (listener, router) = (socket.listen(64).unwrap(), self.pages.router());
            tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        }
    }
}

async fn answer(trouble: Trouble) -> Response {
    match trouble {
        Trouble::Answers(status) => {
            (StatusCode::from_u16(status).unwrap(), r#"{"error":"not today"}"#).into_response()
        }
        Trouble::Nonsense => "<html>welcome</html>".into_response(),
        Trouble::Silence | Trouble::Absence => std::future::pending().await,
    }
}

fn probes(dir: &Path, api: SocketAddr) -> PathBuf {
    let text = format!(
        r#"
        [platform]
        name = "Shop"
        [publish.statuspage]
        url = "http://{api}/v1"
        page = "page"
        token = {{ env = "TOKEN" }}
        requests_per_second = 10
        timeout = "1s"
        [defaults]
        interval = "1s"
        timeout = "500ms"
        confirm_interval = "200ms"
        [[component]]
        name = "Storefront"
        statuspage_id = "p31zjtct2jer"
        [[component.check]]
        name = "answers"
        tcp = "127.0.0.1:1"
        "#
    );
    let path = dir.join("shop.toml");
    fs::write(&path, text).unwrap();
    path
}

fn start(dir: &TempDir, api: &Api) -> Farol {
    Farol::start(dir.path(), &probes(dir.path(), api.address), &[("TOKEN", "secret")])
}

/// The sum of a metric's series.
async fn metric(farol: &Farol, name: &str) -> f64 {
    let text = farol.get("/metrics").await.unwrap_or_default();
    let series = text.lines().filter(|line| line.starts_with(name));
    series.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

async fn until(what: &str, farol: &Farol, mut is: impl AsyncFnMut() -> bool) {
    let waited = Clock::start().stopwatch();
    while !is().await {
        let late = waited.elapsed().to_duration() > Duration::from_secs(30);
        assert!(!late, "never came: {what}\n{}", farol.read_log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn retries(farol: &Farol) -> usize {
    let log = farol.read_log();
    log.lines().filter(|line| line.contains("WARN") && line.contains("the status API")).count()
}

/// Lives through the trouble, ends in time in the middle of it, and makes good for it afterwards.
async fn make_good_for(trouble: Trouble) {
    let (dir, api) = (tempfile::tempdir().unwrap(), Api::start(trouble).await);
    let mut farol = start(&dir, &api);
    until("a retry is told", &farol, async || retries(&farol) > 0).await;
    until("it is counted", &farol, async || {
        metric(&farol, "farol_outbox_attempts_total").await > 0.0
    })
    .await;
    // The first to meet the trouble may be the look at what is on the page.
    until("the incident waits", &farol, async || {
        metric(&farol, "farol_outbox_pending").await > 0.0
    })
    .await;
    assert!(farol.is_running());
    let attempts = metric(&farol, "farol_outbox_attempts_total").await;
    assert!(retries(&farol) as f64 <= attempts + 1.0, "a line a try:\n{}", farol.read_log());
    let (code, _) = farol.terminate();
    assert_eq!(code, Some(0), "{trouble:?}: {}", farol.read_log());

    // As after a key was mended: the next process need not wait for what made the last one wait.
    api.recover().await;
    let farol = start(&dir, &api);
    until("it is published", &farol, async || !api.pages.incidents().is_empty()).await;
    until("nothing waits", &farol, async || metric(&farol, "farol_outbox_pending").await == 0.0)
        .await;
    let incidents = api.pages.incidents();
    assert_eq!(incidents.len(), 1, "{trouble:?}: {incidents:#?}");
    assert_eq!(incidents[0]["components"]["p31zjtct2jer"], "major_outage", "{trouble:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_the_status_api_does_the_incident_arrives_once() {
    let troubles = [
        Trouble::Answers(401),
        Trouble::Answers(404),
        Trouble::Answers(422),
        Trouble::Answers(500),
        Trouble::Nonsense,
        Trouble::Silence,
        Trouble::Absence,
    ];
    futures_util::future::join_all(troubles.map(make_good_for)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_comes_back_gets_what_waits_without_a_restart() {
    for trouble in [Trouble::Absence, Trouble::Answers(500)] {
        let (dir, api) = (tempfile::tempdir().unwrap(), Api::start(trouble).await);
        let farol = start(&dir, &api);
        until("a retry is told", &farol, async || retries(&farol) > 0).await;
        api.recover().await;
        until("it is published", &farol, async || !api.pages.incidents().is_empty()).await;
        until("nothing waits", &farol, async || {
            metric(&farol, "farol_outbox_pending").await == 0.0
        })
        .await;
        assert_eq!(api.pages.incidents().len(), 1, "{trouble:?}");
    }
}
