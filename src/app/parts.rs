//! All that a farol is made of, opened and put together, before anything runs.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::beside;
use super::lanes::Lanes;
use super::resume::{resume, start_clock};
use super::{
    AppError, Options, bind, checks, measuring, open, open_pages, own_url, probing, references,
    token, told,
};
use crate::check::Prober;
use crate::clock::Clock;
use crate::config::{Check, Config, Secret};
use crate::metrics::Metrics;
use crate::model::{CheckId, LaneId, Span};
use crate::publish::{Heart, Publisher};
use crate::runtime::{Core, Durable, Operator, Pulse};
use crate::serve::{self, Site};
use crate::store::page::PageStore;

/// What [`super::App::start`] sets going.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) clock: Clock,
    pub(super) listener: TcpListener,
    pub(super) address: SocketAddr,
    pub(super) public_url: Option<url::Url>,
    pub(super) state_dir: PathBuf,
    pub(super) max_in_flight: usize,
    pub(super) pages: PageStore,
    pub(super) api_token: Secret,
    pub(super) metrics: Arc<Metrics>,
    pub(super) publishers: BTreeMap<LaneId, Arc<Publisher>>,
    pub(super) heart: Option<(Heart, Span)>,
    pub(super) prober: Arc<Prober>,
    pub(super) core: Core,
    pub(super) durable: Durable,
}

impl Parts {
    /// Opens everything, and continues where the last run ended.
    pub(super) async fn open(mut options: Options) -> Result<Self, AppError> {
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
        Ok(Self {
            config: options.config,
            clock,
            listener,
            address,
            public_url: options.public_url,
            state_dir: options.state_dir,
            max_in_flight: options.max_in_flight,
            pages,
            api_token,
            metrics,
            publishers,
            heart,
            prober,
            core,
            durable,
        })
    }
}

/// A farol without its loop, for whoever turns the time by hand: what decides, what asks and what
/// publishes, and the status pages, which are served as long as this lives. What is decided is not
/// kept.
#[derive(Debug)]
pub struct ByHand {
    /// What decides.
    pub core: Core,
    /// What runs checks.
    pub prober: Arc<Prober>,
    /// The checks.
    pub checks: BTreeMap<CheckId, Arc<Check>>,
    /// The ways to the status APIs.
    pub publishers: BTreeMap<LaneId, Arc<Publisher>>,
    address: SocketAddr,
    server: JoinHandle<std::io::Result<()>>,
    _stop: watch::Sender<bool>,
    _pulse: watch::Sender<Pulse>,
}

impl ByHand {
    /// Opens everything, and serves the pages.
    pub async fn open(options: Options) -> Result<Self, AppError> {
        let parts = Parts::open(options).await?;
        let (stop, stopped) = watch::channel(false);
        let (pulse, health) = watch::channel(Pulse::Starting);
        // Nobody hears what an operator asks here.
        let (operator, _) = Operator::new();
        let site = Site {
            store: parts.pages,
            token: parts.api_token,
            metrics: parts.metrics,
            clock: parts.clock,
            operator,
            pulse: health,
            base_url: parts.public_url,
        };
        Ok(Self {
            core: parts.core,
            prober: parts.prober,
            checks: checks(&parts.config),
            publishers: parts.publishers,
            address: parts.address,
            server: tokio::spawn(serve::serve(parts.listener, site, told(stopped))),
            _stop: stop,
            _pulse: pulse,
        })
    }

    /// Where the pages are served.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ByHand {
    fn drop(&mut self) {
        self.server.abort();
    }
}
