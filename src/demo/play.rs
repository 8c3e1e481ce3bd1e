//! The live player: a scenario on a simulated platform, with the whole of farol watching it on
//! real sockets, the story's time running faster than real time, and the judge reading the page.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use url::Url;

use super::StartError;
use super::judge::{Backstage, Judge, Outcome, Remark};
use super::page::{PageReader, PageView, own_id};
use super::person::Person;
use super::scenario::{Event, Scenario, Tempo};
use super::telling;
use super::timeline::{Timeline, Voice};
use super::world::{Kind, World};
use crate::app::{self, App, AppError, Options};
use crate::clock::{Clock, Plan};
use crate::config::{self, Config, ConfigError, Platform, Secret, Secrets};
use crate::model::{Timestamp, Vantage};
use crate::store;

/// How often the page is looked at, in real time.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How many checks run at once: at a pace at which nothing has time to rest, more would only
/// starve each other.
const MAX_IN_FLIGHT: usize = 32;

/// What writes to the page; it protects nothing, and is the same in every demo.
pub(super) const TOKEN: &str = "the demo's own token";

/// Why a scenario could not be played.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The simulated platform could not be started, or not be made to fail.
    #[error(transparent)]
    World(#[from] StartError),
    /// The probe file of the platform is not understood: a bug.
    #[error("the demo's own probe file is wrong:\n{}", .0.render(false, 100))]
    Config(#[from] ConfigError),
    /// The probe file has no platform: a bug.
    #[error("the demo's own probe file has no platform")]
    NoPlatform,
    /// It was played to its end before.
    #[error("the scenario has been played already: start it anew to play it again")]
    Over,
    /// Farol could not be started, or ended.
    #[error(transparent)]
    App(#[from] AppError),
    /// The page could not be read.
    #[error("the status page could not be read: {0}")]
    Page(#[from] reqwest::Error),
}

/// A scenario that is being played.
#[derive(Debug)]
pub struct Play {
    scenario: Arc<Scenario>,
    clock: Clock,
    world: World,
    app: App,
    page: PageReader,
    person: Person,
    backstage: Backstage,
    judge: Option<Judge>,
    shown: Option<PageView>,
    timeline: Timeline,
}

impl Play {
    /// Starts the platform, and farol watching it. The story's time runs from here on.
    pub async fn start(
        scenario: Arc<Scenario>,
        tempo: Tempo,
        listen: SocketAddr,
        state_dir: PathBuf,
        timeline: Timeline,
    ) -> Result<Self, PlayError> {
        let clock = Clock::paced(plan(&scenario, &tempo));
        let world = World::start(scenario.platform, clock).await?;
        let mut config = config::parse_with(&world.files(), &world.overrides())?;
        // The simulated platform is on the loopback, and a demo asks nobody else anything.
        config.prober.find_references = false;
        let password = |reference| (reference, Secret::new(World::password()));
        let secrets = Secrets::new(config.secret_refs().into_iter().map(password));
        let platform = config.platforms.first().cloned().ok_or(PlayError::NoPlatform)?;
        let backstage = backstage(&config, &platform, scenario.platform, &world.variables());
        let app = App::start(Options {
            config,
            secrets,
            listen,
            public_url: None,
            state_dir,
            vantage: Vantage::new("demo"),
            api_token: Some(Secret::new(TOKEN)),
            retention: store::Options::default(),
            max_in_flight: MAX_IN_FLIGHT,
            clock: Some(clock),
        })
        .await?;
        let base = app::own_url(app.address(), "/")?;
        let page = PageReader::new(base.clone(), &platform, clock)?;
        let person = Person::new(base, Secret::new(TOKEN))?;
        tokio::spawn(telling::tell(app.news(), timeline.clone()));
        let judge = Some(Judge::new(Arc::clone(&scenario), tempo, backstage.clone()));
        let shown = None;
        Ok(Self { scenario, clock, world, app, page, person, backstage, judge, shown, timeline })
    }

    /// Where the status page is.
    pub fn address(&self) -> SocketAddr {
        self.app.address()
    }

    /// Plays the story to its end, once: its time does not come again.
    pub async fn play(&mut self) -> Result<Outcome, PlayError> {
        if self.judge.is_none() {
            return Err(PlayError::Over);
        }
        let scenario = Arc::clone(&self.scenario);
        for event in &scenario.events {
            self.look_until(event.at).await;
            self.happen(event).await?;
        }
        self.look_until(scenario.ends).await;
        self.agree().await;
        let Some(judge) = self.judge.take() else { return Err(PlayError::Over) };
        let (outcome, remarks) = judge.finish();
        self.tell(&remarks);
        Ok(outcome)
    }

    /// Keeps everything up until `stop` is done.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), PlayError> {
        Ok(self.app.run_until(stop).await?)
    }

    /// Looks at the page again and again.
    async fn look_until(&mut self, at: Timestamp) {
        let until = tokio::time::Instant::from_std(self.clock.instant_of(at));
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let end = tokio::time::sleep_until(until);
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                _ = ticks.tick() => self.look().await,
            }
        }
    }

    async fn happen(&mut self, event: &Event) -> Result<(), PlayError> {
        self.timeline.say(Voice::Platform, self.clock.now(), event.says.clone());
        self.world.set(&self.scenario.faults_at(event.at)).await?;
        if let Some(work) = &event.announce {
            self.person.announce(work, &self.page).await?;
        }
        Ok(())
    }

    async fn look(&mut self) {
        // A look that fails shows by what is not seen in time.
        let Ok(view) = self.page.view().await else { return };
        telling::show(self.shown.as_ref(), &view, &self.backstage, &self.timeline);
        let remarks = self.judge.as_mut().map(|judge| judge.look(view.look.clone()));
        let remarks = remarks.unwrap_or_default();
        self.shown = Some(view);
        self.tell(&remarks);
        if remarks.iter().any(|remark| matches!(remark, Remark::Met { .. })) {
            self.agree().await;
        }
    }

    /// What people read must be what the API says.
    async fn agree(&mut self) {
        let Some(found) = self.page.disagreement().await else { return };
        let at = self.clock.now();
        let remarks = self.judge.as_mut().map(|judge| judge.object(at, found));
        self.tell(&remarks.unwrap_or_default());
    }

    fn tell(&self, remarks: &[Remark]) {
        for remark in remarks {
            telling::remark(remark, self.clock.now(), &self.timeline);
        }
    }
}

/// How the clock of a play runs. It lives as long as the process, as every copy of the clock may:
/// a few bytes for each play.
fn plan(scenario: &Scenario, tempo: &Tempo) -> &'static Plan {
    Box::leak(Box::new(Plan {
        begins: scenario.begins,
        segments: tempo.stretches().to_vec(),
        wall_steps: scenario.wall_steps(),
    }))
}

/// The names that the public may know, and those that it may not: of checks, and of hosts.
pub fn backstage(
    config: &Config,
    platform: &Platform,
    kind: Kind,
    variables: &BTreeMap<String, String>,
) -> Backstage {
    let named = platform.components.iter();
    let components = named.map(|it| (own_id(platform, it), it.name.clone())).collect();
    let checks = config.every_check().map(|check| check.name.clone());
    Backstage { components, hidden: checks.chain(hosts(kind, variables)).collect() }
}

/// The hosts that stand in the variables, and those of all services in the same domain: one that
/// is found by redirects alone stands in none.
fn hosts(kind: Kind, variables: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut hosts: BTreeSet<String> = variables.values().filter_map(|value| host(value)).collect();
    let of_service = |host: &String| {
        let (service, domain) = host.split_once('.')?;
        kind.services().any(|known| known == service).then(|| domain.to_owned())
    };
    if let Some(domain) = hosts.iter().find_map(of_service) {
        hosts.extend(kind.services().map(|service| format!("{service}.{domain}")));
    }
    hosts
}

/// The host in a variable's value, if there is one: it is a URL, or a host with or without a port.
fn host(value: &str) -> Option<String> {
    let of_url = Url::parse(value).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host =
        of_url.unwrap_or_else(|| value.rsplit_once(':').map_or(value, |(host, _)| host).to_owned());
    host.contains('.').then_some(host)
}

#[cfg(test)]
mod tests {
    use super::{Kind, hosts};

    #[test]
    fn no_host_of_the_platform_is_for_the_public() {
        let variables = [
            ("resolver", "127.77.250.53:4700"),
            ("timeout", "2s"),
            ("crm", "http://crm.blip.test:4711"),
            ("chat", "chat.blip.test:4712"),
            ("name", "portal.blip.test"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let hosts: Vec<String> = hosts(Kind::Blip, &variables).into_iter().collect();
        let expected = [
            "127.77.250.53",
            "ai.blip.test",
            "analytics.blip.test",
            "chat.blip.test",
            "core.blip.test",
            "crm.blip.test",
            "desk.blip.test",
            "id.blip.test",
            "portal.blip.test",
        ];
        assert_eq!(hosts, expected);
    }
}
