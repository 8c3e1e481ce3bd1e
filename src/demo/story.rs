//! The story that the demo plays, and what must come of it.
//!
//! 15 September 2021: the clock of one server of a cluster jumped ahead, logins failed on it, and
//! it took people an hour and three quarters to find the one. Here it is one backend of three.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::broadcast::{self, error::RecvError};

use crate::app::{self, App, AppError, Options};
use crate::clock::Clock;
use crate::config::{self, ConfigError, Secrets, SourceFile};
use crate::model::{CheckId, EventKind, Health, Vantage};
use crate::runtime::News;
use crate::store;

use super::page::{PageReader, PageView};
use super::platform::{Platform, StartError};
use super::timeline::{Timeline, Voice};

/// How far the clock jumps: to the next year.
const JUMP_MICROS: i64 = 365 * 24 * 3600 * 1_000_000;
/// Which backend it is, of those counted from zero.
const JUMPED: usize = 1;
/// How soon after the fault the incident must be on the page.
const OPEN_WITHIN: Duration = Duration::from_secs(5);
/// How long any other step may take: generous, since only the first is a promise.
const STEP_WITHIN: Duration = Duration::from_secs(20);

/// Why the demo could not be played.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The simulated platform could not be started.
    #[error(transparent)]
    Platform(#[from] StartError),
    /// The probe file of the platform is not understood: a bug.
    #[error("the demo's own probe file is wrong: {0}")]
    Config(#[from] ConfigError),
    /// Farol could not be started.
    #[error(transparent)]
    App(#[from] AppError),
    /// The page could not be read.
    #[error("the status page could not be read: {0}")]
    Page(#[from] reqwest::Error),
}

/// A started demo.
#[derive(Debug)]
pub struct Demo {
    checks: BTreeSet<CheckId>,
    clock: Clock,
    platform: Platform,
    app: App,
    page: PageReader,
    timeline: Timeline,
}

impl Demo {
    /// Starts the platform, and farol watching it.
    pub async fn start(
        listen: SocketAddr,
        state_dir: PathBuf,
        timeline: Timeline,
    ) -> Result<Self, DemoError> {
        let clock = Clock::start();
        let platform = Platform::start(clock).await?;
        let file = SourceFile { name: "demo.toml".to_owned(), text: platform.probe_file() };
        let mut config = config::parse(&[file])?;
        // The simulated platform is on the loopback, and a demo asks nobody else anything.
        config.prober.find_references = false;
        let checks = config.checks().map(|(_, _, check)| check.id.clone()).collect();
        let app = App::start(Options {
            config,
            secrets: Secrets::default(),
            listen,
            public_url: None,
            state_dir,
            vantage: Vantage::new("demo"),
            api_token: None,
            retention: store::Options::default(),
            max_in_flight: 64,
            clock: None,
        })
        .await?;
        let page = PageReader::new(app::own_url(app.address(), "/")?)?;
        let servers: Vec<String> = platform.backends().iter().map(ToString::to_string).collect();
        timeline.say(
            Voice::Platform,
            clock.now(),
            format!("three servers of portal.blip.test answer: {}", servers.join(", ")),
        );
        timeline.say(
            Voice::Page,
            clock.now(),
            format!("is served at {}", app::own_url(app.address(), "/")?),
        );
        tokio::spawn(tell(app.news(), timeline.clone()));
        Ok(Self { checks, clock, platform, app, page, timeline })
    }

    /// Plays the story to its end, and tells whether everything came as it should.
    pub async fn play(&self) -> bool {
        let mut watch = Watch { demo: self, said: PageView::default(), all_met: true };
        self.every_check_has_run().await;
        watch.expect("everything is operational before the fault", STEP_WITHIN, calm).await;

        let backend = self.platform.backends()[JUMPED];
        let fault = self.clock.now();
        self.timeline.fault_at(fault);
        self.platform.set_clock(JUMPED, JUMP_MICROS);
        self.platform_says(format!("the clock of {backend} jumps a year ahead; its logins fail"));
        watch
            .expect(
                "one incident, Portal partial_outage and nothing else, at most 5 s after the jump",
                OPEN_WITHIN,
                opened,
            )
            .await;
        watch.expect("an update says that it goes on", STEP_WITHIN, updated).await;

        self.platform.set_clock(JUMPED, 0);
        self.platform_says(format!("the clock of {backend} is mended; its logins work"));
        watch.expect("the incident is monitored", STEP_WITHIN, monitored).await;
        watch.expect("the incident is resolved, and was the only one", STEP_WITHIN, resolved).await;
        watch.all_met
    }

    /// Keeps everything up until `stop` is done.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> Result<(), DemoError> {
        Ok(self.app.run_until(stop).await?)
    }

    /// A page is green before anybody has looked; the fault must wait until somebody has.
    async fn every_check_has_run(&self) {
        let mut news = self.app.news();
        let mut unseen = self.checks.clone();
        let all_seen = async {
            while !unseen.is_empty() {
                match news.recv().await {
                    Ok(News::Observed(observation)) => {
                        unseen.remove(&observation.check);
                    }
                    Ok(News::Event(_) | News::Outbox(..)) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        };
        // A check that never runs shows by what follows.
        let _ = tokio::time::timeout(STEP_WITHIN, all_seen).await;
    }

    fn platform_says(&self, text: String) {
        self.timeline.say(Voice::Platform, self.clock.now(), text);
    }
}

fn portal_is_the_only_bad_one(view: &PageView, status: &str) -> bool {
    view.components.iter().all(|(name, is)| {
        let should = if name == "Portal" { status } else { "operational" };
        is == should
    })
}

fn calm(view: &PageView) -> bool {
    !view.components.is_empty()
        && portal_is_the_only_bad_one(view, "operational")
        && view.incidents == 0
}

fn one_open(view: &PageView, status: &str) -> bool {
    view.incidents == 1 && view.open.len() == 1 && view.open[0].status == status
}

fn opened(view: &PageView) -> bool {
    one_open(view, "investigating")
        && view.open[0].name.contains("Portal")
        && portal_is_the_only_bad_one(view, "partial_outage")
}

fn updated(view: &PageView) -> bool {
    opened(view) && view.open[0].incident_updates.len() > 1
}

fn monitored(view: &PageView) -> bool {
    one_open(view, "monitoring") && portal_is_the_only_bad_one(view, "operational")
}

fn resolved(view: &PageView) -> bool {
    view.incidents == 1
        && view.open.is_empty()
        && view.newest.as_ref().is_some_and(|incident| incident.status == "resolved")
        && portal_is_the_only_bad_one(view, "operational")
}

/// Watches the page, and holds it against what should be.
struct Watch<'a> {
    demo: &'a Demo,
    said: PageView,
    all_met: bool,
}

impl Watch<'_> {
    /// Waits until the API says what it should, and then holds the page against it.
    async fn expect(&mut self, what: &str, within: Duration, is: fn(&PageView) -> bool) {
        let clock = self.demo.clock;
        let deadline = clock.now() + within;
        loop {
            let looked_at = clock.now();
            let view = self.look().await;
            if looked_at > deadline {
                return self.unmet(what);
            }
            if view.as_ref().is_some_and(is) && self.page_agrees().await {
                return self.demo.timeline.say(Voice::Met, looked_at, what);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    fn unmet(&mut self, what: &str) {
        self.all_met = false;
        self.demo.timeline.say(Voice::Unmet, self.demo.clock.now(), what);
    }

    /// Reads the API, and says what changed.
    async fn look(&mut self) -> Option<PageView> {
        // A read that fails is tried again until the step's deadline, and shows by it.
        let view = self.demo.page.view().await.ok()?;
        for line in news_of(&self.said, &view) {
            self.demo.timeline.say(Voice::Page, self.demo.clock.now(), line);
        }
        self.said = view.clone();
        Some(view)
    }

    /// Whether the page for people says what the API said.
    async fn page_agrees(&self) -> bool {
        let Ok(text) = self.demo.page.text().await else { return false };
        let incident = self.said.newest.as_ref();
        let last_words = incident.and_then(|incident| incident.incident_updates.first());
        text.contains(&self.said.banner)
            && self.said.components.keys().all(|name| text.contains(name))
            && incident.is_none_or(|incident| text.contains(&incident.name))
            && last_words.is_none_or(|update| text.contains(&fold(&update.body)))
    }
}

fn fold(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a reader of the page would notice between two looks.
fn news_of(before: &PageView, now: &PageView) -> Vec<String> {
    let mut lines = Vec::new();
    if before.banner != now.banner {
        lines.push(now.banner.clone());
    }
    for (name, status) in &now.components {
        if before.components.get(name).is_some_and(|was| was != status) {
            lines.push(format!("{name}: {status}"));
        }
    }
    let seen = before.newest.as_ref().map_or(0, |incident| incident.incident_updates.len());
    if let Some(incident) = &now.newest {
        let new = incident.incident_updates.len().saturating_sub(seen);
        for update in incident.incident_updates.iter().take(new).rev() {
            let title = &incident.name;
            lines.push(format!("{} \"{title}\": {}", update.status, fold(&update.body)));
        }
    }
    lines
}

/// Tells what farol sees and decides.
async fn tell(mut news: broadcast::Receiver<News>, timeline: Timeline) {
    loop {
        match news.recv().await {
            Ok(News::Event(event)) => {
                if let Some(text) = words(&event.kind) {
                    timeline.say(Voice::Farol, event.at, text);
                }
            }
            Ok(News::Observed(_) | News::Outbox(..)) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn words(event: &EventKind) -> Option<String> {
    match event {
        EventKind::HealthChanged { from: Health::Unknown, to: Health::Passing, .. }
        | EventKind::AddressAppeared { .. }
        | EventKind::AddressVanished { .. }
        | EventKind::MaintenanceChanged { .. }
        | EventKind::TroubleInMaintenance { .. } => None,
        EventKind::HealthChanged { check, variant, subject, to, reason, .. } => {
            let variant = variant.as_ref().map_or_else(String::new, |it| format!(" for {it}"));
            let address = subject.address().map_or_else(String::new, |it| format!(" on {it}"));
            let whom = format!("{variant}{address}");
            let why = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            Some(format!("{check}{whom} is {to}{why}"))
        }
        EventKind::ComponentChanged { component, to, .. } => Some(format!("{component} is {to}")),
        EventKind::IncidentChanged { incident, status, cause, sequence, .. } => {
            Some(format!("incident {incident}, step {sequence}: {status}, because {cause}"))
        }
        EventKind::NetworkLost { .. } => Some("our own network is lost".to_owned()),
        EventKind::NetworkRegained { .. } => Some("our own network is well again".to_owned()),
    }
}
