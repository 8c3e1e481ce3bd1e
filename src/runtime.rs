//! The owner loop: one select, one event, one synchronous handler.
//!
//! The loop alone owns the [`Core`]; checks and deliveries run as tasks beside it and tell it what
//! came of them. The order that everything rests on is kept here: the journal has an observation
//! before the engine sees it, and the store has an outbox's intent before the request is sent.

pub mod core;
mod durable;
mod heartbeat;
mod operator;
mod own;
mod pulse;
mod tell;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast, mpsc, watch};
use tokio::task::{JoinError, JoinSet};

use crate::check::Prober;
use crate::clock::Clock;
use crate::config::Check;
use crate::metrics::Metrics;
use crate::model::{CheckId, Event, Input, LaneId, Observation, Timestamp, Verdict};
use crate::outbox::{self, Attempt, AttemptId, Outcome};
use crate::publish::Publisher;
use crate::schedule::Due;

pub use self::core::{Core, Heard};
pub use self::durable::Durable;
pub use self::heartbeat::{Heartbeat, Progress};
pub use self::operator::{Command, HoldFile, Line, Operator, Refused, Report, Requests, Respected};
pub use self::pulse::Pulse;
pub use self::tell::Told;

/// How many observations one turn of the loop takes at most: one commit's worth.
const BATCH: usize = 512;
/// How often the loop turns when nothing else wakes it: the health page counts on it.
const IDLE_TURN: Duration = Duration::from_secs(5);
/// How long deliveries in flight may take to end when the process stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the loop works with.
#[derive(Debug)]
pub struct Runtime {
    /// Tells the time.
    pub clock: Clock,
    /// All that decides.
    pub core: Core,
    /// Journal and snapshots.
    pub durable: Durable,
    /// Runs checks.
    pub prober: Arc<Prober>,
    /// The checks by their ids.
    pub checks: BTreeMap<CheckId, Arc<Check>>,
    /// Sends what outboxes want sent.
    pub publishers: BTreeMap<LaneId, Arc<Publisher>>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Told of everything that happens; nobody has to listen.
    pub news: broadcast::Sender<News>,
    /// Told of every turn of the loop.
    pub pulse: watch::Sender<Pulse>,
    /// What the operator asks.
    pub requests: Requests,
    /// What the operator holds publishing with.
    pub hold: HoldFile,
    /// How many checks run at once.
    pub max_in_flight: usize,
    /// Whether observations come back.
    pub progress: Progress,
    /// What was told last.
    pub told: Told,
}

/// Something that happened, for whoever watches.
#[derive(Clone, Debug)]
pub enum News {
    /// A check ran.
    Observed(Arc<Observation>),
    /// The engine noticed or decided something.
    Event(Event),
    /// An outbox has something to say.
    Outbox(LaneId, outbox::Notice),
}

/// One event of the loop.
enum Turn {
    Observations(Vec<Observation>),
    Delivered(LaneId, AttemptId, Outcome),
    Asked(operator::Request),
    Woken,
    Stop,
}

/// The tasks beside the loop, and what they send it.
struct Tasks {
    checks: JoinSet<()>,
    deliveries: JoinSet<()>,
    slots: Arc<Semaphore>,
    observed: mpsc::Sender<Observation>,
    delivered: mpsc::Sender<(LaneId, AttemptId, Outcome)>,
}

impl Runtime {
    /// Runs until `stop` is done, or until a task panicked: a check that is not there any more
    /// would never run again, and a delivery block its lane for ever. Whoever started the loop
    /// takes its end for the end of all.
    pub async fn run(mut self, stop: impl Future<Output = ()>) {
        let (observed, mut observations) = mpsc::channel(BATCH);
        let (delivered, mut deliveries) = mpsc::channel(BATCH);
        let slots = Arc::new(Semaphore::new(self.max_in_flight));
        let (checks, running) = (JoinSet::new(), JoinSet::new());
        let mut tasks = Tasks { checks, deliveries: running, slots, observed, delivered };
        tokio::pin!(stop);
        loop {
            self.look_at_hold(false).await;
            let (turned_at, held) = (self.clock.real().now(), self.core.is_held());
            self.pulse.send_replace(Pulse::Ready { turned_at, held });
            self.start_what_is_due(&mut tasks).await;
            let wake = self.sleep_until_next();
            let mut batch = Vec::new();
            let turn = tokio::select! {
                biased;
                () = &mut stop => Turn::Stop,
                Some((lane, attempt, outcome)) = deliveries.recv() => {
                    Turn::Delivered(lane, attempt, outcome)
                }
                Some(request) = self.requests.0.recv() => Turn::Asked(request),
                _ = observations.recv_many(&mut batch, BATCH) => Turn::Observations(batch),
                () = wake => Turn::Woken,
            };
            match turn {
                Turn::Stop => break,
                turn @ (Turn::Observations(_)
                | Turn::Delivered(..)
                | Turn::Asked(_)
                | Turn::Woken) => {
                    self.handle(turn).await;
                }
            }
            if let Err(error) = sweep(&mut tasks.checks).and(sweep(&mut tasks.deliveries)) {
                tracing::error!(%error, "a task ended that never should; stopping");
                break;
            }
        }
        self.pulse.send_replace(Pulse::Stopping);
        tasks.checks.shutdown().await;
        let mut seen = Vec::new();
        while let Ok(observation) = observations.try_recv() {
            seen.push(observation);
        }
        self.handle(Turn::Observations(seen)).await;
        self.say_farewell(tasks, deliveries).await;
    }

    async fn handle(&mut self, turn: Turn) {
        let now = self.clock.now();
        match turn {
            Turn::Observations(batch) => self.observed(batch, now).await,
            Turn::Delivered(lane, attempt, outcome) => {
                self.metrics.outbox_attempt(&lane, word(&outcome));
                self.announced(&lane, &outcome, now).await;
                let heard = self.core.outcome(&lane, attempt, outcome, now);
                self.durable.touched();
                self.tell(heard);
            }
            Turn::Asked(request) => self.obey(request, now).await,
            Turn::Woken | Turn::Stop => {}
        }
        let heard = self.core.tick(now);
        if !heard.notices.is_empty() {
            self.durable.touched();
        }
        self.tell(heard);
        self.durable.settle(&self.core, now).await;
        self.gauge(now);
    }

    /// Journal first, then the engine.
    async fn observed(&mut self, batch: Vec<Observation>, now: Timestamp) {
        for observation in &batch {
            self.metrics.observed(observation);
            // Nobody watching is fine.
            let _ = self.news.send(News::Observed(Arc::new(observation.clone())));
        }
        let tells = |it: &&Observation| {
            it.findings.iter().any(|finding| finding.verdict != Verdict::Inconclusive)
        };
        let conclusive = batch.iter().filter(tells).count();
        self.progress.came_back(batch.len(), conclusive, self.clock.real().now());
        let inputs: Vec<Input> = batch.into_iter().map(Input::Observed).collect();
        self.durable.append(&inputs, now, &self.metrics).await;
        for input in inputs {
            let heard = self.core.input(&input, now);
            self.tell(heard);
        }
    }

    /// What a page announces is an input of the engine: journal first, and only what is news.
    async fn announced(&mut self, lane: &LaneId, outcome: &Outcome, now: Timestamp) {
        let Outcome::Announced(read) = outcome else { return };
        let Some(input) = self.core.announced(lane, read) else { return };
        self.durable.append(std::slice::from_ref(&input), now, &self.metrics).await;
        let heard = self.core.input(&input, now);
        self.tell(heard);
    }

    async fn start_what_is_due(&mut self, tasks: &mut Tasks) {
        let now = self.clock.now();
        for due in self.core.due(now) {
            self.start_check(tasks, &due);
        }
        let attempts = self.core.attempts(now);
        if attempts.is_empty() {
            return;
        }
        self.durable.save_outboxes(&self.core).await;
        for (lane, attempt) in attempts {
            self.start_delivery(tasks, lane, attempt);
        }
    }

    fn start_check(&self, tasks: &mut Tasks, due: &Due) {
        let Some(check) = self.checks.get(&due.check).cloned() else { return };
        let (prober, slots) = (Arc::clone(&self.prober), Arc::clone(&tasks.slots));
        let (observed, metrics) = (tasks.observed.clone(), Arc::clone(&self.metrics));
        let (clock, scheduled_at) = (self.clock, due.scheduled_at);
        self.progress.started(clock.real().now());
        tasks.checks.spawn(async move {
            // The semaphore is never closed, and a closed channel means that the loop has ended.
            let Ok(_slot) = slots.acquire().await else { return };
            metrics.scheduler_lag(clock.now().since(scheduled_at).into());
            let _ = observed.send(prober.run(&check).await).await;
        });
    }

    fn start_delivery(&self, tasks: &mut Tasks, lane: LaneId, attempt: Attempt) {
        let Some(publisher) = self.publishers.get(&lane).cloned() else { return };
        let delivered = tasks.delivered.clone();
        tasks.deliveries.spawn(async move {
            let outcome = publisher.deliver(&attempt.request).await;
            let _ = delivered.send((lane, attempt.id, outcome)).await;
        });
    }

    fn sleep_until_next(&self) -> impl Future<Output = ()> + use<> {
        let idle = self.clock.now() + IDLE_TURN;
        let at = self.core.next_wakeup().map_or(idle, |at| at.min(idle));
        tokio::time::sleep_until(self.clock.instant_of(at).into())
    }

    /// Lets deliveries in flight end, so that as little as possible has to be found out by asking
    /// at the next start, and saves the last state.
    async fn say_farewell(
        &mut self,
        mut tasks: Tasks,
        mut deliveries: mpsc::Receiver<(LaneId, AttemptId, Outcome)>,
    ) {
        let farewell = async { while tasks.deliveries.join_next().await.is_some() {} };
        if tokio::time::timeout(FAREWELL, farewell).await.is_err() {
            tracing::warn!(
                "stopping with a delivery in flight; it is looked for at the next start"
            );
        }
        drop(tasks);
        while let Ok((lane, attempt, outcome)) = deliveries.try_recv() {
            self.handle(Turn::Delivered(lane, attempt, outcome)).await;
        }
        self.durable.flush(&self.metrics).await;
        self.durable.save_all(&self.core).await;
    }
}

/// Takes finished tasks out of the set, which would otherwise grow for ever; none may have panicked.
fn sweep(tasks: &mut JoinSet<()>) -> Result<(), JoinError> {
    while let Some(ended) = tasks.try_join_next() {
        ended?;
    }
    Ok(())
}

/// The word for an outcome in the metrics.
fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done { .. } => "done",
        Outcome::NotSent { .. } => "not_sent",
        Outcome::Uncertain { .. } => "uncertain",
        Outcome::RateLimited { .. } => "rate_limited",
        Outcome::Rejected { .. } => "rejected",
        Outcome::Unauthorized { .. } => "unauthorized",
        Outcome::Gone => "gone",
        Outcome::Found(_) => "found",
        Outcome::Listed(_) => "listed",
        Outcome::Surveyed(_) => "surveyed",
        Outcome::Announced(_) => "announced",
        Outcome::Component(_) => "component",
        Outcome::Differs(_) => "differs",
    }
}

#[cfg(test)]
mod tests {
    use tokio::task::JoinSet;

    use super::sweep;

    #[tokio::test]
    async fn a_task_that_panicked_is_not_overlooked_among_those_that_ended_well() {
        let mut tasks = JoinSet::new();
        tasks.spawn(async {});
        tasks.spawn(std::future::pending());
        let panicking = tasks.spawn(async { panic!("on purpose") });
        tasks.spawn(async {});
        while !panicking.is_finished() {
            tokio::task::yield_now().await;
        }
        assert!(sweep(&mut tasks).is_err_and(|error| error.is_panic()));
        assert!(sweep(&mut tasks).is_ok(), "one that still runs is no trouble");
    }
}
