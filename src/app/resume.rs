//! Continuing where the last run ended: the saved state, the journal since, and a clock that does
//! not fall behind either.

use std::collections::BTreeMap;

use crate::clock::Clock;
use crate::config::Config;
use crate::engine::{self, Engine};
use crate::metrics::Metrics;
use crate::model::{Input, LaneId, Timestamp};
use crate::outbox::{self, Outbox};
use crate::runtime::{Core, Durable};
use crate::schedule::{Plan, Schedule};
use crate::store::{Entry, Restored, Store, StoreError};

use super::lanes::{self, timing};
use super::{AppError, DamageError};

/// What was decided before, read and understood.
pub(super) struct Saved {
    pub(super) install: String,
    /// The number of the last journal row that the engine has seen.
    seq: u64,
    engine: engine::State,
    outboxes: BTreeMap<LaneId, outbox::State>,
    /// Those that the configuration no longer names.
    unnamed: BTreeMap<LaneId, outbox::State>,
    tail: Vec<Entry>,
}

impl Saved {
    pub(super) fn read(config: &Config, restored: Restored) -> Result<Self, DamageError> {
        let (seq, engine) = match restored.engine {
            Some((seq, json)) => (seq, engine_state(&json)?),
            None => (0, engine::State::default()),
        };
        let mut outboxes = BTreeMap::new();
        for (lane, _, _) in lanes::of(config) {
            let state = match restored.outboxes.get(&lane) {
                Some(json) => outbox::State::from_json(json)?,
                None => outbox::State::default(),
            };
            outboxes.insert(lane, state);
        }
        let mut unnamed = BTreeMap::new();
        for (left, json) in &restored.outboxes {
            if outboxes.contains_key(left) {
                continue;
            }
            // One that cannot be read is in nobody's way, and is left as it is.
            unnamed.extend(outbox::State::from_json(json).ok().map(|state| (left.clone(), state)));
            tracing::warn!(
                platform = %left.platform(),
                lane = %left,
                "nothing is published on this lane any more, since it or its platform left the \
                 configuration; what it has open there stays"
            );
        }
        Ok(Self { install: restored.install, seq, engine, outboxes, unnamed, tail: restored.tail })
    }

    /// The latest time on record.
    pub(super) fn latest(&self) -> Timestamp {
        let journaled = self.tail.iter().map(|(_, at, _)| *at);
        let published = self.outboxes.values().filter_map(outbox::State::latest);
        journaled.chain(published).chain([self.engine.now()]).max().unwrap_or(Timestamp::EPOCH)
    }
}

pub(super) fn start_clock(floor: Timestamp) -> Clock {
    let clock = Clock::start_after(floor);
    let behind = clock.wall_step();
    if behind < -1_000_000 {
        tracing::error!(
            seconds = -behind / 1_000_000,
            "the host's clock is behind the latest time on record: it was set back, or was wrong \
             before; times go on from the latest on record, and are ahead by this much"
        );
    }
    clock
}

/// Brings the decisions to where they were: the last snapshot, and the journal since. Actions that
/// come up again are known to the outboxes by their sequence.
pub(super) async fn resume(
    config: &Config,
    store: Store,
    saved: Saved,
    clock: Clock,
    metrics: &Metrics,
) -> Result<(Core, Durable), AppError> {
    let mut seq = saved.seq;
    let engine = Engine::new(saved.engine);
    let now = clock.now();
    let mut outboxes = BTreeMap::new();
    for (lane, platform, publish) in lanes::of(config) {
        let state = saved.outboxes.get(&lane).cloned().unwrap_or_default();
        let mut outbox = Outbox::new(&*saved.install, state, timing(config, publish))
            .with_publishing(platform.publishing);
        if let Some(page) = lanes::page(publish) {
            outbox = outbox.leading_to(&page, now);
        }
        outboxes.insert(lane, outbox);
    }
    for (lane, state) in saved.unnamed {
        outboxes.insert(lane, Outbox::unnamed(&*saved.install, state));
    }
    outboxes.iter().for_each(|(lane, outbox)| warn_of_left(lane, outbox));
    let plans = config.every_check().map(|check| Plan {
        check: check.id.clone(),
        interval: check.interval,
        confirm_interval: check.confirm_interval,
    });
    let mut core = Core::new(Schedule::new(plans, now), engine, outboxes);
    let replayed = saved.tail.len();
    for (row, at, input) in saved.tail {
        core.replay(&input, at);
        seq = row;
    }
    let policy = config.policy();
    if *core.engine().state().policy() != policy {
        let input = Input::PolicyChanged(Box::new(policy));
        seq = store.append(vec![(now, input.clone())]).await?;
        core.replay(&input, now);
    }
    core.resume_outboxes(now);
    let open = core.engine().state().incidents().len();
    tracing::info!(replayed, open_incidents = open, "state restored");
    show(core.engine().state(), metrics);
    Ok((core, Durable::new(store, seq, clock)))
}

/// What nobody leads any more, each time until the operator has dealt with it.
fn warn_of_left(lane: &LaneId, outbox: &Outbox) {
    for view in outbox.left() {
        tracing::warn!(
            platform = %lane.platform(),
            %lane,
            incident = %view.incident,
            page = view.page,
            remote = view.remote.as_ref().map(outbox::RemoteId::as_str),
            title = view.title,
            "an incident stands open on a page that the configuration no longer names, and nobody \
             leads it: resolve it there, and say so with farol incidents forget"
        );
    }
}

fn engine_state(json: &str) -> Result<engine::State, StoreError> {
    serde_json::from_str(json)
        .map_err(|source| StoreError::Damaged { what: "state of the engine", source })
}

/// Shows in the metrics what was decided before the restart.
fn show(state: &engine::State, metrics: &Metrics) {
    for (check, tracks) in state.checks() {
        for (variant, subject, track) in tracks.subjects() {
            metrics.set_health(check, variant, subject, track.health());
            let flaps = track.unstable_since().is_some();
            metrics.set_flapping(check, variant, subject, flaps);
        }
    }
    for (component, is) in state.components() {
        metrics.set_component(component, is.status);
    }
    for (key, incident) in state.incidents() {
        metrics.set_incident(key, incident.platform(), incident.status(), incident.impact());
        metrics.set_waiting(key, incident.waits_for_people());
    }
}
