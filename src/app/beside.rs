//! What goes on beside the owner loop for as long as the process lives: the watch over our own
//! load, and the heartbeat.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::check::Prober;
use crate::clock::Clock;
use crate::config::{Config, HeartbeatUrl, Secret, Secrets};
use crate::metrics::Metrics;
use crate::model::Span;
use crate::publish::Heart;
use crate::runtime::{Heartbeat, Progress, Pulse};

use super::AppError;

/// The heart that the configuration asks for, and how often it beats.
pub(super) fn heart(config: &Config, secrets: &Secrets) -> Result<Option<(Heart, Span)>, AppError> {
    let Some(heartbeat) = &config.prober.heartbeat else { return Ok(None) };
    let url = match &heartbeat.url {
        HeartbeatUrl::Plain(url) => Secret::new(url.as_str()),
        HeartbeatUrl::Secret(secret) => {
            secrets.get(secret).cloned().ok_or_else(|| AppError::Secret(secret.clone()))?
        }
    };
    Ok(Some((Heart::new(&url)?, heartbeat.interval)))
}

/// What it takes to know how we are.
pub(super) struct Beside<'a> {
    pub(super) clock: Clock,
    pub(super) prober: &'a Arc<Prober>,
    pub(super) health: &'a watch::Receiver<Pulse>,
    pub(super) progress: &'a Progress,
}

impl Beside<'_> {
    /// Starts all that. None of it ever ends.
    pub(super) fn start(
        self,
        heart: Option<(Heart, Span)>,
        config: &Config,
        metrics: &Arc<Metrics>,
    ) -> JoinSet<()> {
        let mut beside = JoinSet::new();
        let prober = Arc::clone(self.prober);
        beside.spawn(async move { prober.watch_load().await });
        if let Some((heart, interval)) = heart {
            let heartbeat = Heartbeat {
                // Whoever waits for it does so in real time.
                clock: self.clock.real(),
                heart,
                interval,
                pulse: self.health.clone(),
                progress: self.progress.clone(),
                longest_run: longest_run(config),
                longest_round: longest_round(config),
                board: self.prober.board().clone(),
                metrics: Arc::clone(metrics),
            };
            beside.spawn(heartbeat.run());
        }
        beside
    }
}

/// How long a run of the slowest check may take.
fn longest_run(config: &Config) -> Span {
    let checks = config.checks().map(|(_, _, check)| check).chain(config.prober.checks());
    checks.map(|check| check.timeout).max().unwrap_or(Span::ZERO)
}

/// How long it may take until each check has been run once.
fn longest_round(config: &Config) -> Span {
    let checks = config.checks().map(|(_, _, check)| check).chain(config.prober.checks());
    let rounds = checks.map(|check| check.interval.to_duration() + check.timeout.to_duration());
    rounds.max().map_or(Span::ZERO, Span::from)
}
