//! A site with two platforms on a port of loopback.

use std::net::SocketAddr;
use std::sync::Arc;

use farol::clock::Clock;
use farol::config::Secret;
use farol::metrics::Metrics;
use farol::model::{ComponentId, PlatformId};
use farol::runtime::{Operator, Pulse};
use farol::serve::{Site, component_page_id, page_id, serve};
use farol::store::page::{ComponentInfo, PageInfo, PageStore};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

pub(crate) const TOKEN: &str = "correct-horse";

/// A site that is being served.
pub(crate) struct Served {
    pub(crate) address: SocketAddr,
    pub(crate) client: Client,
    pub(crate) pulse: watch::Sender<Pulse>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) stop: oneshot::Sender<()>,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
    _dir: tempfile::TempDir,
}

pub(crate) fn platform(id: &str, components: &[(&str, &str, Option<&str>)]) -> PageInfo {
    let platform = PlatformId::new(id);
    let info = |&(id, name, group): &(&str, &str, Option<&str>)| ComponentInfo {
        id: ComponentId::of(&platform, id),
        name: name.to_owned(),
        group: group.map(str::to_owned),
        description: None,
    };
    PageInfo {
        name: id.to_uppercase(),
        time_zone: chrono_tz::America::Sao_Paulo,
        components: components.iter().map(info).collect(),
        platform,
    }
}

pub(crate) fn blip() -> PageInfo {
    platform(
        "blip",
        &[("desk", "Desk", Some("Apps")), ("crm", "CRM", Some("Apps")), ("api", "API", None)],
    )
}

/// The path of a page of the management API.
pub(crate) fn page_path() -> String {
    format!("/v1/pages/{}", page_id(&PlatformId::new("blip")))
}

pub(crate) fn component(name: &str) -> String {
    component_page_id(&ComponentId::of(&PlatformId::new("blip"), name))
}

pub(crate) async fn start() -> Served {
    start_with(&[blip(), platform("take", &[("api", "Take API", None)])]).await
}

pub(crate) async fn start_with(pages: &[PageInfo]) -> Served {
    start_at("127.0.0.1:0", pages).await
}

pub(crate) async fn start_at(address: &str, pages: &[PageInfo]) -> Served {
    // Already installed by another test of this process, perhaps.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let mut store = PageStore::open(&dir.path().join("status.db")).unwrap();
    let clock = Clock::start();
    store.sync(pages, clock.now()).unwrap();
    let (pulse, receiver) = watch::channel(Pulse::Starting);
    let metrics = Arc::new(Metrics::new().unwrap());
    let site = Site {
        store,
        token: Secret::new(TOKEN),
        metrics: Arc::clone(&metrics),
        clock,
        operator: Operator::new().0,
        pulse: receiver,
        base_url: None,
    };
    let listener = TcpListener::bind(address).await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let shutdown = async {
        let _ = stopped.await;
    };
    let task = tokio::spawn(serve(listener, site, shutdown));
    Served { address, client: Client::new(), pulse, metrics, stop, task, _dir: dir }
}

impl Served {
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    /// Calls the management API and returns what it answered.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> (StatusCode, Value) {
        let path = format!("{}{path}", page_path());
        let mut request =
            self.request(method, &path).header("authorization", format!("OAuth {TOKEN}"));
        if !body.is_null() {
            request = request.json(body);
        }
        answer(request).await
    }

    pub(crate) async fn public(&self, path: &str) -> Value {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }
}

/// Sends a request and reads its answer as JSON.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap())
}
