//! Keeping things: the journal before the engine, the outboxes before a request, a snapshot now
//! and then so that a start has little to replay.
//!
//! A store that fails (a full disk, mostly) is counted and shouted about but stops nothing: a
//! monitor that goes blind because its disk is full is worse than one that forgets. Observations
//! that could not be written wait, bounded, and are written in order when it is possible again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::metrics::Metrics;
use crate::model::{Input, LaneId, Timestamp};
use crate::store::{Snapshot, Store, StoreError};

use super::Core;

/// How old the engine's snapshot may get: about what a start has to replay.
const SNAPSHOT_EVERY: Duration = Duration::from_secs(30);
/// How often old rows are looked for.
const PRUNE_EVERY: Duration = Duration::from_secs(60);
/// How long a store that failed is left alone.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// How many inputs wait for a store that fails; the oldest are given up beyond that.
const WAITING: usize = 20_000;

/// The store, and what it still has to be given.
#[derive(Debug)]
pub struct Durable {
    store: Store,
    /// What the store is spared is real time; what it holds is the journal's.
    clock: Clock,
    /// The last journal row that the engine has seen.
    seq: u64,
    waiting: Vec<(Timestamp, Input)>,
    retry_at: Timestamp,
    outboxes_changed: bool,
    failing: bool,
    /// Whether inputs were given up since the journal was written last.
    losing: bool,
    snapshot_at: Timestamp,
    prune_at: Timestamp,
}

impl Durable {
    /// Continues a store whose journal has been replayed up to `seq`.
    pub fn new(store: Store, seq: u64, clock: Clock) -> Self {
        let clock = clock.real();
        let now = clock.now();
        Self {
            store,
            clock,
            seq,
            waiting: Vec::new(),
            retry_at: now,
            outboxes_changed: false,
            failing: false,
            losing: false,
            // At once: what was replayed at this start need not be at the next.
            snapshot_at: now,
            prune_at: now + PRUNE_EVERY,
        }
    }

    /// Writes inputs to the journal in one commit, with those that wait in front.
    pub async fn append(&mut self, inputs: &[Input], at: Timestamp, metrics: &Metrics) {
        self.waiting.extend(inputs.iter().map(|input| (at, input.clone())));
        // A store that fails is not tried with all that waits at every single observation.
        if self.clock.now() >= self.retry_at {
            self.flush(metrics).await;
        }
        let lost = self.waiting.len().saturating_sub(WAITING);
        if lost > 0 && !self.losing {
            self.losing = true;
            tracing::error!("too many observations wait for the store; the oldest are given up");
        }
        self.waiting.drain(..lost);
        metrics.journal_lost(lost as u64);
    }

    /// Writes what waits.
    pub async fn flush(&mut self, metrics: &Metrics) {
        if self.waiting.is_empty() {
            return;
        }
        let rows = Arc::new(std::mem::take(&mut self.waiting));
        match self.store.append(Arc::clone(&rows)).await {
            Ok(seq) => {
                metrics.journal_written(rows.len() as u64);
                self.seq = seq;
                self.losing = false;
                self.recovered();
            }
            Err(error) => {
                self.waiting = Arc::try_unwrap(rows).unwrap_or_else(|rows| (*rows).clone());
                self.retry_at = self.clock.now() + RETRY_AFTER;
                metrics.journal_failed();
                self.failed("the journal could not be written", &error);
            }
        }
    }

    /// Notes that an outbox changed.
    pub fn touched(&mut self) {
        self.outboxes_changed = true;
    }

    /// Does what is due: saves outboxes that changed, takes a snapshot, drops old rows.
    pub async fn settle(&mut self, core: &Core, now: Timestamp) {
        let real = self.clock.now();
        if real >= self.snapshot_at {
            self.snapshot_at = real + SNAPSHOT_EVERY;
            self.save_all(core).await;
        } else if self.outboxes_changed {
            self.save_outboxes(core).await;
        }
        if real >= self.prune_at {
            match self.store.prune(now).await {
                // Goes on at the next turn, so that observations are not kept waiting.
                Ok(true) => {}
                Ok(false) => self.prune_at = real + PRUNE_EVERY,
                Err(error) => {
                    self.prune_at = real + PRUNE_EVERY;
                    self.failed("old rows could not be dropped", &error);
                }
            }
        }
    }

    /// Saves the outboxes: what is about to be sent must be known after a crash.
    pub async fn save_outboxes(&mut self, core: &Core) {
        self.save(Snapshot { engine: None, outboxes: outboxes(core) }).await;
    }

    /// Saves the engine and the outboxes in one commit: an engine that is ahead of its outboxes
    /// would never say again what they lack.
    pub async fn save_all(&mut self, core: &Core) {
        // With rows still waiting, the journal would not lead from an older snapshot to this one.
        let covers = self.waiting.is_empty().then_some(self.seq);
        let engine = covers
            .and_then(|seq| Some((seq, written(serde_json::to_string(core.engine().state()))?)));
        self.save(Snapshot { engine, outboxes: outboxes(core) }).await;
    }

    async fn save(&mut self, snapshot: Snapshot) {
        match self.store.save(snapshot).await {
            Ok(()) => {
                self.outboxes_changed = false;
                self.recovered();
            }
            Err(error) => self.failed("the state could not be saved", &error),
        }
    }

    /// Whether what is to be kept cannot be written.
    pub fn is_failing(&self) -> bool {
        self.failing
    }

    fn failed(&mut self, what: &'static str, error: &StoreError) {
        // Once per trouble: at hundreds of observations a second a full disk must not fill the log.
        if !self.failing {
            tracing::error!(%error, "{what}; farol checks and publishes all the same, and tries again");
        }
        self.failing = true;
    }

    /// What is small may find room where what waits does not: it is over when nothing waits.
    fn recovered(&mut self) {
        if self.failing && self.waiting.is_empty() {
            tracing::info!("the store can be written again");
            self.failing = false;
        }
    }
}

fn outboxes(core: &Core) -> BTreeMap<LaneId, String> {
    core.outboxes()
        .iter()
        .filter_map(|(lane, outbox)| Some((lane.clone(), written(outbox.state().to_json())?)))
        .collect()
}

fn written<E: std::fmt::Display>(json: Result<String, E>) -> Option<String> {
    json.inspect_err(|error| {
        tracing::error!(%error, "a state could not be written as JSON; this is a bug in farol");
    })
    .ok()
}
