//! The stepped player: a scenario at real intervals and on its real dates, in seconds.
//!
//! It is all of farol but its loop: the schedule, the engine and the outboxes decide, real checks ask
//! the simulated platform over real sockets, and what is to be published goes over HTTP to the status
//! API that farol embeds. Only the time is set by hand: from one moment at which something is due to
//! the next. So a check that runs every 30 seconds runs every 30 seconds of the story, and how long
//! the page takes to tell is told by the story's clock, and not by how busy this machine is.
//!
//! Rounds differ by their seed: when farol was started, and with it when each check is due before or
//! after a fault; the order of what comes at the same time; and how long quick runs take.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::fault::What;
use super::judge::{Judge, Look, Outcome, Remark, SLACK};
use super::page::PageReader;
use super::person::Person;
use super::play::{PlayError, TOKEN, backstage};
use super::scenario::{Event, Scenario, Tempo};
use super::world::World;
use crate::app::{self, ByHand, Options};
use crate::check::Prober;
use crate::clock::{Clock, Hand};
use crate::config::{self, Config, Secret, Secrets};
use crate::model::{ComponentStatus, Input, LaneId, Observation, Span, Timestamp, Vantage};
use crate::outbox::{AttemptId, Outcome as Delivery};
use crate::store;

mod answers;
mod deliveries;
mod seed;

use answers::{Answers, counted};
pub use answers::{Memory, OFTEN};
use deliveries::Deliveries;
use seed::Seed;

/// Farol was there before the story: its checks have run, and know what is well.
const WARM_UP: Duration = Duration::from_secs(120);
/// The interval of most checks: the rounds' beginnings are spread over it.
const INTERVAL: Duration = Duration::from_secs(30);
/// How often the page is looked at while nothing happens.
const LOOK_EVERY: Duration = Duration::from_secs(300);
/// What is due without being done is looked at again so much later: the story never stands still.
const LEAST_STEP: Duration = Duration::from_millis(1);

/// One round of a scenario, played.
#[derive(Clone, Debug)]
pub struct Played {
    /// Which round it was.
    pub round: u32,
    /// What the judge says.
    pub outcome: Outcome,
    /// What the page showed, whenever it showed something else than before.
    pub looks: Vec<Look>,
    /// The page that customers read when most was wrong, and at the end.
    pub pages: Pages,
    /// How many runs of checks were made for real.
    pub real: u64,
    /// How many were answered from one of those.
    pub retold: u64,
}

/// The page as HTML.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// When most was wrong.
    pub worst: String,
    /// When the story was over.
    pub end: String,
    worst_is: u32,
}

/// What comes later of something that was begun.
enum Coming {
    Observed(Observation),
    Delivered { lane: LaneId, attempt: AttemptId, wrote: bool, outcome: Delivery },
}

/// A scenario that is being played.
struct Stepped<'a> {
    scenario: Arc<Scenario>,
    hand: &'static Hand,
    world: World,
    farol: ByHand,
    page: PageReader,
    person: Person,
    answers: Answers,
    deliveries: Deliveries,
    memory: &'a mut Memory,
    seed: Seed,
    judge: Judge,
    now: Timestamp,
    /// How many of the scenario's events have happened.
    happened: usize,
    /// By when it comes, and in which order of those that come then.
    coming: BTreeMap<(Timestamp, u64), Coming>,
    /// When the page is looked at in any case.
    looks: Vec<Timestamp>,
    looks_at: Timestamp,
    shown: Vec<Look>,
    pages: Pages,
}

/// Plays `round` of `rounds` of a scenario. What is found in the states of its world is kept in
/// `memory`, which is one for each scenario. `state_dir` must be empty.
pub async fn play(
    scenario: Arc<Scenario>,
    (round, rounds): (u32, u32),
    memory: &mut Memory,
    state_dir: PathBuf,
) -> Result<Played, PlayError> {
    let mut stepped = Stepped::start(scenario, (round, rounds), memory, state_dir).await?;
    stepped.run().await?;
    let Stepped { judge, shown: looks, pages, answers, .. } = stepped;
    let (real, retold) = (answers.real, answers.retold);
    let (outcome, _) = judge.finish();
    Ok(Played { round, outcome, looks, pages, real, retold })
}

impl<'a> Stepped<'a> {
    async fn start(
        scenario: Arc<Scenario>,
        (round, rounds): (u32, u32),
        memory: &'a mut Memory,
        state_dir: PathBuf,
    ) -> Result<Self, PlayError> {
        let now = scenario.begins - WARM_UP - INTERVAL * round / rounds.max(1);
        // As every copy of the clock may, the hand lives as long as the process: a few bytes for
        // each round.
        let hand: &'static Hand = Box::leak(Box::new(Hand::new(now, scenario.wall_steps())));
        let clock = Clock::stepped(hand);
        let world = World::start(scenario.platform, clock).await?;
        let mut config = config::parse_with(&world.files(), &world.overrides())?;
        // The simulated platform is on the loopback, and a demo asks nobody else anything.
        config.prober.find_references = false;
        let platform = config.platforms.first().cloned().ok_or(PlayError::NoPlatform)?;
        let backstage = backstage(&config, &platform, scenario.platform, &world.variables());
        let password = |reference| (reference, Secret::new(World::password()));
        let secrets = Secrets::new(config.secret_refs().into_iter().map(password));
        let scout = scout(clock, &config, secrets.clone())?;
        let farol = ByHand::open(Options {
            config,
            secrets,
            listen: ([127, 0, 0, 1], 0).into(),
            public_url: None,
            state_dir,
            vantage: Vantage::new("demo"),
            api_token: Some(Secret::new(TOKEN)),
            retention: store::Options::default(),
            max_in_flight: 1,
            clock: Some(clock),
        })
        .await?;
        let base = app::own_url(farol.address(), "/")?;
        let page = PageReader::new(base.clone(), &platform, clock)?;
        let person = Person::new(base, Secret::new(TOKEN))?;
        let answers = Answers::new(Arc::clone(&farol.prober), scout);
        let deliveries = Deliveries::new(farol.publishers.clone());
        let judge = Judge::new(Arc::clone(&scenario), Tempo::real(), backstage);
        Ok(Self {
            hand,
            world,
            farol,
            page,
            person,
            answers,
            deliveries,
            memory,
            seed: Seed::new(round.into()),
            judge,
            now,
            happened: 0,
            coming: BTreeMap::new(),
            looks: looks(&scenario),
            looks_at: scenario.begins,
            scenario,
            shown: Vec::new(),
            pages: Pages::default(),
        })
    }

    /// From one moment to the next, until the story is over.
    async fn run(&mut self) -> Result<(), PlayError> {
        self.answers.changed(self.memory, &self.farol.checks, false).await;
        while self.now <= self.scenario.ends {
            self.hand.set(self.now);
            self.happen().await?;
            let written = self.hear();
            let _ = self.farol.core.tick(self.now);
            self.ask().await;
            self.deliver().await;
            if written || self.now >= self.looks_at {
                self.look().await?;
            }
            self.now = self.next();
        }
        self.now = self.scenario.ends;
        self.hand.set(self.now);
        self.agree().await;
        self.pages.end = self.page.html().await?;
        Ok(())
    }

    /// The next moment at which something is due; at least a step on.
    fn next(&self) -> Timestamp {
        let event = self.scenario.events.get(self.happened).map(|event| event.at);
        let coming = self.coming.keys().next().map(|(at, _)| *at);
        let due = self.farol.core.next_wakeup();
        let next = [event, coming, due].into_iter().flatten().fold(self.looks_at, Timestamp::min);
        next.max(self.now + LEAST_STEP)
    }

    /// The story goes on.
    async fn happen(&mut self) -> Result<(), PlayError> {
        let scenario = Arc::clone(&self.scenario);
        let due = |event: &&Event| event.at <= self.now;
        let events: Vec<&Event> =
            scenario.events.iter().skip(self.happened).take_while(due).collect();
        if events.is_empty() {
            return Ok(());
        }
        // What the page said until then, it said in time.
        self.look().await?;
        self.happened += events.len();
        let faults = scenario.faults_at(self.now);
        self.world.set(&faults).await?;
        for work in events.iter().filter_map(|event| event.announce.as_ref()) {
            self.person.announce(work, &self.page).await?;
        }
        let is_random = faults
            .iter()
            .any(|fault| matches!(fault.what, What::Loss { .. } | What::Spikes { .. }));
        self.answers.changed(self.memory, &self.farol.checks, is_random).await;
        self.deliveries.changed();
        Ok(())
    }

    /// Takes what has come; tells whether the page may show something else than before.
    fn hear(&mut self) -> bool {
        let later = self.coming.split_off(&(self.now + Duration::from_micros(1), 0));
        let come = std::mem::replace(&mut self.coming, later);
        let mut written = false;
        for coming in come.into_values() {
            match coming {
                Coming::Observed(observation) => {
                    let input = Input::Observed(observation);
                    let _ = self.farol.core.input(&input, self.now);
                }
                Coming::Delivered { lane, attempt, wrote, outcome } => {
                    written |= wrote;
                    if let Delivery::Announced(read) = &outcome
                        && let Some(input) = self.farol.core.announced(&lane, read)
                    {
                        let _ = self.farol.core.input(&input, self.now);
                    }
                    let _ = self.farol.core.outcome(&lane, attempt, outcome, self.now);
                }
            }
        }
        written
    }

    async fn ask(&mut self) {
        let due = self.farol.core.due(self.now);
        for due in self.seed.shuffled(due) {
            let Some(check) = self.farol.checks.get(&due.check).cloned() else { continue };
            let found = self.answers.of(&check, self.now, self.memory, &mut self.seed).await;
            self.comes_after(found.took, Coming::Observed(found));
        }
    }

    async fn deliver(&mut self) {
        for (lane, attempt) in self.farol.core.attempts(self.now) {
            let watch = Clock::stepped(self.hand).stopwatch();
            let outcome = self.deliveries.of(&lane, &attempt, self.now).await;
            let (took, wrote) = (watch.elapsed(), attempt.request.is_write());
            if let Some(outcome) = outcome {
                let attempt = attempt.id;
                self.comes_after(took, Coming::Delivered { lane, attempt, wrote, outcome });
            }
        }
    }

    fn comes_after(&mut self, took: Span, coming: Coming) {
        let at = self.now + counted(took, &mut self.seed);
        let mut order = self.seed.next();
        while self.coming.contains_key(&(at, order)) {
            order = self.seed.next();
        }
        self.coming.insert((at, order), coming);
    }

    /// Looks at the page as the public does.
    async fn look(&mut self) -> Result<(), PlayError> {
        self.looks_at = self
            .looks
            .iter()
            .copied()
            .filter(|at| *at > self.now)
            .fold(self.now + LOOK_EVERY, Timestamp::min);
        let look = self.page.view().await?.look;
        let remarks = self.judge.look(look.clone());
        if remarks.iter().any(|remark| matches!(remark, Remark::Met { .. })) {
            self.agree().await;
        }
        let differs = |last: &Look| {
            (&last.components, &last.incidents) != (&look.components, &look.incidents)
        };
        if self.shown.last().is_none_or(differs) {
            let badness = badness(&look);
            if badness > self.pages.worst_is {
                self.pages.worst_is = badness;
                self.pages.worst = self.page.html().await?;
            }
            self.shown.push(look);
        }
        Ok(())
    }

    /// What people read must be what the API says.
    async fn agree(&mut self) {
        if let Some(found) = self.page.disagreement().await {
            self.judge.object(self.now, found);
        }
    }
}

/// Whoever looks around in the world beside the prober, and learns nothing for it.
fn scout(clock: Clock, config: &Config, secrets: Secrets) -> Result<Prober, PlayError> {
    let scout = Prober::new(clock, Vantage::new("demo"), secrets);
    let scout = scout.map_err(app::AppError::from)?;
    scout.heed(&config.prober);
    Ok(scout)
}

/// When the page must be looked at: where something may begin or must be shown, and a moment after
/// announced work begins and ends.
fn looks(scenario: &Scenario) -> Vec<Timestamp> {
    let moment = Duration::from_secs(1);
    let tempo = Tempo::real();
    let expects = scenario.expects.iter().flat_map(|expect| {
        let deadline = tempo.after(expect.from + expect.within, SLACK);
        [expect.from, deadline, deadline + moment]
    });
    let works = scenario.events.iter().filter_map(|event| event.announce.as_ref());
    let works = works.flat_map(|work| [work.from + moment, work.until + moment]);
    expects.chain(works).chain([scenario.begins, scenario.ends]).collect()
}

/// How much is wrong on the page.
fn badness(look: &Look) -> u32 {
    let weight = |status: &ComponentStatus| match status {
        ComponentStatus::Operational => 0,
        ComponentStatus::UnderMaintenance => 1,
        ComponentStatus::DegradedPerformance => 2,
        ComponentStatus::PartialOutage => 3,
        ComponentStatus::MajorOutage => 4,
    };
    look.components.values().map(weight).sum()
}
