//! What goes on beside the owner loop for as long as the process lives: the watch over our own
//! load, and the heartbeat.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::check::Prober;
use crate::config::{Config, HeartbeatUrl, Secret, Secrets};
use crate::model::Span;
use crate::publish::Heart;
use crate::runtime::Heartbeat;

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

/// How long a run of the slowest check may take.
pub(super) fn longest_run(config: &Config) -> Span {
    let checks = config.checks().map(|(_, _, check)| check).chain(config.prober.checks());
    checks.map(|check| check.timeout).max().unwrap_or(Span::ZERO)
}

/// Starts all that. None of it ever ends.
pub(super) fn start(prober: Arc<Prober>, heartbeat: Option<Heartbeat>) -> JoinSet<()> {
    let mut beside = JoinSet::new();
    beside.spawn(async move { prober.watch_load().await });
    if let Some(heartbeat) = heartbeat {
        beside.spawn(heartbeat.run());
    }
    beside
}
