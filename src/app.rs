//! The composition root: from a configuration to running tasks. It reads as the dependency graph;
//! nothing is decided here. The demo and the tests embed it on port 0.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{broadcast, watch};
use tokio::task::JoinHandle;

use crate::check::Prober;
use crate::clock::Clock;
use crate::config::{Component, Config, Platform, Publish, Secret, Secrets, Statuspage};
use crate::engine::{self, Engine};
use crate::metrics::Metrics;
use crate::model::{Input, PlatformId, Vantage};
use crate::outbox::{self, Outbox, Timing};
use crate::publish::{Patience, Publisher, StatuspageTarget};
use crate::runtime::{Core, Durable, News, Runtime};
use crate::schedule::{Plan, Schedule};
use crate::serve::{self, Pulse, Site};
use crate::store::page::{ComponentInfo, PageInfo, PageStore};
use crate::store::{self, Restored, Store, StoreError};

mod error;
mod token;

pub use error::AppError;

/// How many happenings a slow listener may fall behind before it misses some.
const NEWS: usize = 4096;

/// What it takes to start.
#[derive(Debug)]
pub struct Options {
    /// What to check and where to publish.
    pub config: Config,
    /// The secrets that the configuration names.
    pub secrets: Secrets,
    /// Where the page, the API and the metrics are served.
    pub listen: SocketAddr,
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
}

/// A running farol.
#[derive(Debug)]
pub struct App {
    address: SocketAddr,
    news: broadcast::Sender<News>,
    stop: watch::Sender<bool>,
    runtime: JoinHandle<()>,
    server: JoinHandle<std::io::Result<()>>,
}

impl App {
    /// Opens everything, continues where the last run ended, and starts the tasks.
    pub async fn start(options: Options) -> Result<Self, AppError> {
        let clock = Clock::start();
        let listener = bind(options.listen).await?;
        let address = listener
            .local_addr()
            .map_err(|source| AppError::Listen { address: options.listen, source })?;
        let (store, restored) = Store::open(&options.state_dir, options.retention)?;
        let mut pages = PageStore::open(&options.state_dir.join("status.db"))?;
        pages.sync(&page_infos(&options.config), clock.now())?;
        let api_token = match options.api_token {
            Some(token) => token,
            None => token::load_or_make(&options.state_dir)?,
        };
        let metrics = Arc::new(Metrics::new()?);
        metrics.process_started(clock.now());
        metrics.register_policy(&options.config.policy());

        let own = own_url(address, "/v1")?;
        let lanes = Lanes {
            secrets: &options.secrets,
            install: &restored.install,
            own,
            api_token: &api_token,
        };
        let publishers = lanes.publishers(&options.config)?;
        let prober = Arc::new(Prober::new(clock, options.vantage, options.secrets)?);
        let (core, durable) = resume(&options.config, store, restored, clock, &metrics).await?;

        let (news, _) = broadcast::channel(NEWS);
        let (pulse, health) = watch::channel(Pulse::Starting);
        let (stop, stopped) = watch::channel(false);
        let checks = options.config.checks().map(|(_, _, check)| check);
        let runtime = Runtime {
            clock,
            core,
            durable,
            prober,
            checks: checks.map(|check| (check.id.clone(), Arc::new(check.clone()))).collect(),
            publishers,
            metrics: Arc::clone(&metrics),
            news: news.clone(),
            pulse,
            max_in_flight: options.max_in_flight,
            wall_stepped: false,
        };
        let site =
            Site { store: pages, token: api_token, metrics, clock, pulse: health, base_url: None };
        Ok(Self {
            address,
            news,
            stop,
            server: tokio::spawn(serve::serve(listener, site, told(stopped.clone()))),
            runtime: tokio::spawn(runtime.run(told(stopped))),
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

    /// Runs until `stop` is done, then ends everything within five seconds. A task that ends by
    /// itself ends all: a monitor must not live on as a ghost.
    pub async fn run_until(mut self, stop: impl Future<Output = ()>) -> Result<(), AppError> {
        let ended = tokio::select! {
            () = stop => None,
            runtime = &mut self.runtime => Some(runtime.map_err(AppError::Task)),
            server = &mut self.server => Some(flatten(server)),
        };
        self.stop.send_replace(true);
        if let Some(ended) = ended {
            return ended.and(Err(AppError::Ended));
        }
        let both = async {
            let (runtime, server) = tokio::join!(&mut self.runtime, &mut self.server);
            runtime.map_err(AppError::Task).and(flatten(server))
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

async fn bind(address: SocketAddr) -> Result<TcpListener, AppError> {
    TcpListener::bind(address).await.map_err(|source| AppError::Listen { address, source })
}

/// Brings the decisions to where they were: the last snapshot, and the journal since. Actions that
/// come up again are known to the outboxes by their sequence.
async fn resume(
    config: &Config,
    store: Store,
    restored: Restored,
    clock: Clock,
    metrics: &Metrics,
) -> Result<(Core, Durable), AppError> {
    let (mut seq, state) = match restored.engine {
        Some((seq, json)) => (seq, engine_state(&json)?),
        None => (0, engine::State::default()),
    };
    let mut engine = Engine::new(state);
    let mut outboxes = BTreeMap::new();
    for platform in &config.platforms {
        let state = match restored.outboxes.get(&platform.id) {
            Some(json) => outbox::State::from_json(json)?,
            None => outbox::State::default(),
        };
        let outbox = Outbox::new(&*restored.install, state, timing(&platform.publish));
        outboxes.insert(platform.id.clone(), outbox);
    }
    let replayed = restored.tail.len();
    let mut push = |decision: engine::Decision| {
        for action in decision.actions {
            if let Some(outbox) = outboxes.get_mut(&action.platform) {
                outbox.push(action);
            }
        }
    };
    for (row, at, input) in restored.tail {
        push(engine.handle(&input, at));
        seq = row;
    }
    let now = clock.now();
    let policy = config.policy();
    if *engine.state().policy() != policy {
        let input = Input::PolicyChanged(Box::new(policy));
        seq = store.append(vec![(now, input.clone())]).await?;
        push(engine.handle(&input, now));
    }
    for outbox in outboxes.values_mut() {
        outbox.resume(now);
    }
    let open = engine.state().incidents().len();
    tracing::info!(replayed, open_incidents = open, "state restored");
    show(engine.state(), metrics);
    let plans = config.checks().map(|(_, _, check)| Plan {
        check: check.id.clone(),
        interval: check.interval,
        confirm_interval: check.confirm_interval,
    });
    let core = Core::new(Schedule::new(plans, now), engine, outboxes);
    Ok((core, Durable::new(store, seq, now)))
}

/// The waits of a lane to a status API.
fn timing(publish: &Publish) -> Timing {
    match publish {
        Publish::Embedded => Timing::embedded(),
        Publish::Statuspage(page) => Timing::remote(page.requests_per_second, page.timeout),
    }
}

fn engine_state(json: &str) -> Result<engine::State, StoreError> {
    serde_json::from_str(json)
        .map_err(|source| StoreError::Damaged { what: "state of the engine", source })
}

/// Shows in the metrics what was decided before the restart.
fn show(state: &engine::State, metrics: &Metrics) {
    for (check, tracks) in state.checks() {
        for (subject, track) in tracks.subjects() {
            metrics.set_health(check, subject, track.health());
        }
    }
    for (component, is) in state.components() {
        metrics.set_component(component, is.status);
    }
    for (key, incident) in state.incidents() {
        metrics.set_incident(key, incident.platform(), incident.status(), incident.impact());
    }
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

/// What it takes to speak to the platforms' status APIs.
struct Lanes<'a> {
    secrets: &'a Secrets,
    install: &'a str,
    /// The status API that we serve ourselves.
    own: url::Url,
    api_token: &'a Secret,
}

impl Lanes<'_> {
    fn publishers(
        &self,
        config: &Config,
    ) -> Result<BTreeMap<PlatformId, Arc<Publisher>>, AppError> {
        let lane = |platform: &Platform| {
            let (target, patience) = match &platform.publish {
                Publish::Embedded => (self.embedded(platform), Patience::embedded()),
                Publish::Statuspage(page) => {
                    let spacing = timing(&platform.publish).spacing.to_duration();
                    let patience = Patience::remote(page.timeout.to_duration(), spacing);
                    (self.vendor(platform, page)?, patience)
                }
            };
            let publisher = Publisher::new(target, patience)?;
            Ok((platform.id.clone(), Arc::new(publisher)))
        };
        config.platforms.iter().map(lane).collect()
    }

    /// The embedded status API is spoken to as the vendor's is: over HTTP, in the same dialect.
    fn embedded(&self, platform: &Platform) -> StatuspageTarget {
        let id =
            |component: &Component| (component.id.clone(), serve::component_page_id(&component.id));
        StatuspageTarget {
            url: self.own.clone(),
            page: serve::page_id(&platform.id),
            token: self.api_token.clone(),
            notify: true,
            components: platform.components.iter().map(id).collect(),
            install: self.install.to_owned(),
        }
    }

    fn vendor(&self, platform: &Platform, page: &Statuspage) -> Result<StatuspageTarget, AppError> {
        let token = self.secrets.get(&page.token).cloned();
        let id =
            |component: &Component| Some((component.id.clone(), component.statuspage_id.clone()?));
        Ok(StatuspageTarget {
            url: page.url.clone(),
            page: page.page.clone(),
            token: token.ok_or_else(|| AppError::Secret(page.token.clone()))?,
            notify: page.notify,
            components: platform.components.iter().filter_map(id).collect(),
            install: self.install.to_owned(),
        })
    }
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
