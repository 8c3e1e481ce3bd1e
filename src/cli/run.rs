//! `farol run`: the monitor itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::app::{self, App, Options};
use crate::config::{Secret, SecretRef};
use crate::model::Vantage;
use crate::runtime::{Command, Operator};
use crate::store;

use super::log::LogOptions;
use super::print::Complaints;
use super::{Ending, address, default_probes, probes, runtime};

/// Run the checks on schedule and keep the status page true, until stopped
///
/// Observations and decisions are kept in the state directory; after a crash farol goes on with
/// the same incidents. Stop it with Ctrl-C or SIGTERM.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Probe files, or folders of them
    #[arg(value_name = "PATH", env = "FAROL_PROBES", default_values_os_t = default_probes())]
    probes: Vec<PathBuf>,

    #[command(flatten)]
    values: probes::Values,

    /// Where the status page, its API and the metrics are served
    #[arg(long, default_value = "127.0.0.1:9321", env = "FAROL_LISTEN", value_name = "ADDRESS",
          value_parser = address)]
    listen: SocketAddr,

    /// Where the public reaches the status page, for links; what its reader asked for otherwise
    #[arg(long, env = "FAROL_PUBLIC_URL", value_name = "URL")]
    public_url: Option<url::Url>,

    /// Where everything that survives a restart is kept
    #[arg(long, default_value = "state", env = "FAROL_STATE_DIR", value_name = "FOLDER")]
    state_dir: PathBuf,

    /// The name of the place that farol looks from
    #[arg(long, default_value = "here", env = "FAROL_VANTAGE", value_name = "NAME")]
    vantage: String,

    /// A file with the token that writes to the embedded status API need; without it one is made
    /// and kept as "api-token" in the state directory
    #[arg(long, env = "FAROL_API_TOKEN_FILE", value_name = "FILE")]
    api_token_file: Option<PathBuf>,

    /// How long observations are kept
    #[arg(long, default_value = "30d", env = "FAROL_RETAIN", value_name = "TIME", value_parser = humantime::parse_duration)]
    retain: Duration,

    /// How large the journal of observations may get, in MiB
    #[arg(long, default_value_t = 2048, env = "FAROL_RETAIN_MIB", value_name = "MIB")]
    retain_mib: u64,

    /// How many checks may run at once
    #[arg(long, default_value_t = 256, env = "FAROL_MAX_IN_FLIGHT", value_name = "COUNT",
          value_parser = clap::value_parser!(u16).range(1..))]
    max_in_flight: u16,

    #[command(flatten)]
    log: LogOptions,
}

impl Run {
    pub(super) fn run(self) -> Ending {
        let complaints = self.log.start();
        let options = match self.options(complaints) {
            Ok(options) => options,
            Err(ending) => return ending,
        };
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(ending) => return ending,
        };
        let ending = runtime.block_on(serve(options, complaints));
        // Blocking work that hangs must not keep a process that was told to stop.
        runtime.shutdown_timeout(Duration::from_millis(200));
        ending
    }

    fn options(self, complaints: Complaints) -> Result<Options, Ending> {
        let config = probes::load(&self.probes, &self.values, complaints)?;
        let secrets = probes::secrets(config.secret_refs(), config.files(), complaints)?;
        let api_token = |file| api_token(file, complaints);
        Ok(Options {
            config,
            secrets,
            listen: self.listen,
            public_url: self.public_url,
            state_dir: self.state_dir,
            vantage: Vantage::new(self.vantage),
            api_token: self.api_token_file.map(api_token).transpose()?,
            retention: store::Options {
                retain_for: self.retain,
                retain_bytes: self.retain_mib.saturating_mul(1024 * 1024),
            },
            max_in_flight: usize::from(self.max_in_flight),
            clock: None,
        })
    }
}

fn api_token(file: PathBuf, complaints: Complaints) -> Result<Secret, Ending> {
    let reference = SecretRef::File(file);
    let secrets = probes::secrets([reference.clone()], [], complaints)?;
    secrets.get(&reference).cloned().ok_or(Ending::BadConfiguration)
}

async fn serve(options: Options, complaints: Complaints) -> Ending {
    let checks = options.config.checks().count();
    let public = options.public_url.clone();
    let ended = async {
        let app = App::start(options).await?;
        let page = public.map_or_else(|| app::own_url(app.address(), "/"), Ok)?;
        let version = env!("CARGO_PKG_VERSION");
        tracing::info!(version, checks, address = %app.address(), %page, "farol is running");
        let operator = app.operator();
        let hold = tokio::spawn(hold_on_signal(operator));
        let ended = app.run_until(told_to_stop()).await;
        hold.abort();
        ended
    };
    match ended.await {
        Ok(()) => {
            tracing::info!("stopped");
            Ending::Well
        }
        Err(error) => {
            complaints.error(&error.to_string());
            Ending::Failed
        }
    }
}

/// At every SIGUSR1 publishing is held, or goes on.
async fn hold_on_signal(operator: Operator) {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut signals) = signal(SignalKind::user_defined1()) else { return };
    while signals.recv().await.is_some() {
        if let Err(error) = operator.ask(Command::Toggle).await {
            tracing::error!(%error, "SIGUSR1 could not be obeyed");
        }
    }
}

/// Done at Ctrl-C or SIGTERM.
pub(super) async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        tracing::error!("signals cannot be heard; only SIGKILL will stop this process");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => tracing::info!("interrupted: stopping"),
        _ = terminate.recv() => tracing::info!("told to terminate: stopping"),
    }
}
