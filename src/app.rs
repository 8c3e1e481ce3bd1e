//! The composition root: from a configuration to running tasks. It reads as the dependency graph;
//! nothing is decided here. The demo and the tests embed it on port 0.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::check::Prober;
use crate::clock::Clock;
use crate::config::{Check, Component, Config, Platform, ProberPlan, Secret, Secrets};
use crate::metrics::Metrics;
use crate::model::{CheckId, Span, Vantage};
use crate::runtime::{HoldFile, News, Operator, Progress, Pulse, Runtime, Told};
use crate::serve::{self, Site};
use crate::store::page::{ComponentInfo, PageInfo, PageStore};
use crate::store::{self, Store};

mod beside;
mod error;
mod lanes;
mod references;
mod resume;
mod token;

use beside::Beside;
use lanes::Lanes;
use resume::{Saved, resume, start_clock};

pub use error::{AppError, DamageError};

/// How many happenings a slow listener may fall behind before it misses some.
const NEWS: usize = 4096;

/// How long after the start other clocks may speak before our host's alone is believed.
const SETTLE: Span = Span::from_secs(15);

/// What it takes to start.
#[derive(Debug)]
pub struct Options {
    /// What to check and where to publish.
    pub config: Config,
    /// The secrets that the configuration names.
    pub secrets: Secrets,
    /// Where the page, the API and the metrics are served.
    pub listen: SocketAddr,
    /// Where the public reaches the page, if it is known.
    pub public_url: Option<url::Url>,
    /// Where everything that survives a restart is kept.
    pub state_dir: PathBuf,
    /// The name of this place.
    pub vantage: Vantage,
    /// The token that writes to the embedded status API need; made and kept if absent.
    pub api_token: Option<Secret>,
    /// How long and how much of the journal is kept.
    pub retention: store::Options,
    /// How many checks run at once.
    pub max_in_flight: usize,
    /// The time to live in; the host's, if there is no story to play.
    pub clock: Option<Clock>,
}

/// A running farol.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    news: broadcast::Sender<News>,
    operator: Operator,
    stop_runtime: watch::Sender<bool>,
    stop_server: watch::Sender<bool>,
    runtime: JoinHandle<()>,
    server: JoinHandle<std::io::Result<()>>,
    /// What goes on beside for as long as the process lives.
    beside: JoinSet<()>,
}

impl App {
    /// Opens everything, continues where the last run ended, and starts the tasks.
    pub async fn start(mut options: Options) -> Result<Self, AppError> {
        references::find(&mut options.config);
        let (listener, address) = bind(options.listen).await?;
        let dir = options.state_dir.as_path();
        let (store, saved) = open(dir, options.retention, &options.config)?;
        let clock = options.clock.unwrap_or_else(|| start_clock(saved.latest()));
        let pages = open_pages(dir, &options.config, clock)?;
        let api_token = token::given_or_kept(options.api_token, dir)?;
        let metrics = measuring(&options.config, clock)?;
        let (install, own) = (&saved.install, own_url(address, "/v1")?);
        let (secrets, public) = (&options.secrets, options.public_url.as_ref());
        let lanes = Lanes { secrets, install, own, api_token: &api_token, public, clock };
        let publishers = lanes.publishers(&options.config)?;
        let heart = beside::heart(&options.config, &options.secrets)?;
        let prober = probing(clock, options.vantage, options.secrets, &options.config.prober)?;
        let (core, durable) = resume(&options.config, store, saved, clock, &metrics).await?;

        let (news, _) = broadcast::channel(NEWS);
        let (operator, requests) = Operator::new();
        let (pulse, health) = watch::channel(Pulse::Starting);
        let (stop_runtime, runtime_stop) = watch::channel(false);
        let (stop_server, server_stop) = watch::channel(false);
        let progress = Progress::default();
        let beside = Beside { clock, prober: &prober, health: &health, progress: &progress };
        let beside = beside.start(heart, &options.config, &metrics);
        let runtime = Runtime {
            clock,
            core,
            durable,
            prober,
            checks: checks(&options.config),
            publishers,
            metrics: Arc::clone(&metrics),
            news: news.clone(),
            pulse,
            requests,
            hold: HoldFile::new(options.state_dir.join("hold")),
            max_in_flight: options.max_in_flight,
            progress,
            told: Told::default(),
        };
        let site = Site {
            store: pages,
            token: api_token,
            metrics,
            clock,
            operator: operator.clone(),
            pulse: health,
            base_url: options.public_url,
        };
        Ok(Self {
            address,
            news,
            operator,
            stop_runtime,
            stop_server,
            beside,
            server: tokio::spawn(serve::serve(listener, site, told(server_stop))),
            runtime: tokio::spawn(runtime.run(told(runtime_stop))),
        })
    }

    /// Where the page, the API and the metrics are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Everything that happens from now on.
    pub fn news(&self) -> broadcast::Receiver<News> {
        self.news.subscribe()
    }

    /// The operator's way in.
    pub fn operator(&self) -> Operator {
        self.operator.clone()
    }

    /// Runs until `stop` is done, then ends everything within five seconds. A task that ends by
    /// itself ends all: a monitor must not live on as a ghost.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        let ended = tokio::select! {
            () = stop => None,
            runtime = &mut self.runtime => Some(runtime.map_err(AppError::Task)),
            server = &mut self.server => Some(flatten(server)),
            // An error is that a task failed, and without one it ended, which none should.
            Some(ended) = self.beside.join_next() => Some(ended.map_err(AppError::Task)),
        };
        self.stop_runtime.send_replace(true);
        if let Some(ended) = ended {
            self.stop_server.send_replace(true);
            return ended.and(Err(AppError::Ended));
        }
        // The server ends last: what is being published may go to it.
        let both = async {
            let runtime = (&mut self.runtime).await;
            self.stop_server.send_replace(true);
            runtime.map_err(AppError::Task).and(flatten((&mut self.server).await))
        };
        match tokio::time::timeout(Duration::from_secs(5), both).await {
            Ok(result) => result,
            Err(_) => Err(AppError::StopTimeout),
        }
    }
}

fn flatten(ended: Result<std::io::Result<()>, tokio::task::JoinError>) -> Result<(), AppError> {
    ended.map_err(AppError::Task)?.map_err(AppError::Serve)
}

async fn told(mut stopped: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is as good a reason to stop.
    let _ = stopped.wait_for(|stop| *stop).await;
}

/// Listens, and tells where: the port may be one that the system chose.
/// What runs the checks, by what it is told of itself.
fn probing(
    clock: Clock,
    vantage: Vantage,
    secrets: Secrets,
    plan: &ProberPlan,
) -> Result<Arc<Prober>, AppError> {
    let prober = Prober::new(clock, vantage, secrets)?;
    prober.trust(plan, SETTLE);
    Ok(Arc::new(prober))
}

async fn bind(address: SocketAddr) -> Result<(TcpListener, SocketAddr), AppError> {
    let failed = |source| AppError::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// The metrics of what the configuration names.
fn measuring(config: &Config, clock: Clock) -> Result<Arc<Metrics>, AppError> {
    let metrics = Metrics::new()?;
    metrics.process_started(clock.now());
    metrics.register_policy(&config.policy());
    metrics.register_lanes(lanes::of(config).iter().map(|(lane, _, _)| lane));
    Ok(Arc::new(metrics))
}

/// What was decided before, and the store that has it.
fn open(
    dir: &Path,
    retention: store::Options,
    config: &Config,
) -> Result<(Store, Saved), AppError> {
    let (store, restored) =
        Store::open(dir, retention).map_err(|error| AppError::of_store(dir, error))?;
    let saved = Saved::read(config, restored)
        .map_err(|source| AppError::Damaged { dir: dir.to_owned(), source })?;
    Ok((store, saved))
}

/// Every check that runs, by its id.
fn checks(config: &Config) -> BTreeMap<CheckId, Arc<Check>> {
    config.every_check().map(|check| (check.id.clone(), Arc::new(check.clone()))).collect()
}

/// The status pages' data, with what the configuration says of them.
fn open_pages(dir: &Path, config: &Config, clock: Clock) -> Result<PageStore, AppError> {
    let failed = |error| AppError::of_store(dir, error);
    let mut pages = PageStore::open(&dir.join("status.db")).map_err(failed)?;
    pages.sync(&page_infos(config), clock.now()).map_err(failed)?;
    Ok(pages)
}

fn page_infos(config: &Config) -> Vec<PageInfo> {
    let component = |component: &Component| ComponentInfo {
        id: component.id.clone(),
        name: component.name.clone(),
        group: component.group.clone(),
        description: component.description.clone(),
    };
    let page = |platform: &Platform| PageInfo {
        platform: platform.id.clone(),
        name: platform.name.clone(),
        time_zone: platform.time_zone,
        components: platform.components.iter().map(component).collect(),
    };
    config.platforms.iter().map(page).collect()
}

/// Where we reach ourselves: a server that listens on every address is also on the loopback.
pub fn own_url(address: SocketAddr, path: &str) -> Result<url::Url, AppError> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    let text = format!("http://{}{path}", SocketAddr::new(ip, address.port()));
    url::Url::parse(&text).map_err(|source| AppError::OwnUrl { text, source })
}
