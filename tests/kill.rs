//! `kill -9` at random moments of an outage: on the status page stands one incident, with every
//! step once and in order, as if nothing had happened.
//!
//! The moments follow from a seed, which is printed and set with `FAROL_KILL_SEED`; what they hit
//! depends on the machine as well.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a panic is how a test fails, and what was hit is worth knowing"
)]

#[path = "kill/chance.rs"]
mod chance;
#[path = "kill/ledger.rs"]
mod ledger;
#[expect(dead_code, reason = "other tests look at more of what is served")]
#[path = "support/process.rs"]
mod process;
#[path = "statuspage/server.rs"]
mod server;
#[path = "kill/target.rs"]
mod target;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request;
use axum::http::Method;
use axum::middleware::{Next, from_fn};
use farol::model::{ActionKind, IncidentStatus};
use tempfile::TempDir;

use chance::{Chance, seed};
use ledger::{Replay, Shown, outbox};
use process::Farol;
use server::Pages;
use target::Target;

/// How often the process is killed at least, and how often of these before the target recovers.
const KILLS: usize = 28;
const BEFORE_RECOVERY: usize = 18;
/// No life is waited for longer than this many looks, of 10 ms each.
const PATIENCE: usize = 3_000;

/// A page elsewhere, which outlives the process and knows nothing of doing things once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_published_once_to_a_page_elsewhere() {
    let pages = Pages::default();
    let url = format!("http://{}/v1", slow(&pages).await);
    let publish = format!(
        "[publish.statuspage]\nurl = \"{url}\"\npage = \"page\"\ntoken = {{ env = \"TOKEN\" }}\n\
         requests_per_second = 20\ntimeout = \"1s\"\n"
    );
    Story::new(&publish, Some(pages)).tell().await;
}

/// The page that farol serves itself, which dies with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_published_once_to_the_page_that_is_killed_as_well() {
    Story::new("", None).tell().await;
}

/// A status API that takes its time before and after a write. If the client has gone meanwhile, it
/// carries the write out all the same or forgets it: what is in flight at a kill may be applied
/// before the next start, after it, or never.
async fn slow(pages: &Pages) -> std::net::SocketAddr {
    let chance = Arc::new(Mutex::new(Chance::new(seed(), 3)));
    let delayed = from_fn(move |request: Request, next: Next| {
        let mut chance = chance.lock().unwrap();
        // Now and then longer than it takes to start again and look for it; a look is answered at
        // once.
        let most = match (request.method() == Method::GET, chance.below(3)) {
            (true, _) => 1,
            (false, 0) => 800,
            (false, _) => 100,
        };
        let (before, after) = (chance.millis(most), chance.millis(most.min(100)));
        let stubborn = chance.below(3) > 0;
        let work = async move {
            tokio::time::sleep(before).await;
            let answer = next.run(request).await;
            tokio::time::sleep(after).await;
            answer
        };
        async move { if stubborn { tokio::spawn(work).await.unwrap() } else { work.await } }
    });
    server::serve(pages.router().layer(delayed)).await
}

struct Story {
    name: &'static str,
    dir: TempDir,
    probes: PathBuf,
    pages: Option<Pages>,
    target: Target,
    chance: Chance,
    seed: u64,
    starts: usize,
    kills: usize,
    stages: BTreeMap<String, usize>,
}

impl Story {
    fn new(publish: &str, pages: Option<Pages>) -> Self {
        let (name, salt) = if pages.is_some() { ("elsewhere", 1) } else { ("embedded", 2) };
        let (dir, target, seed) = (tempfile::tempdir().unwrap(), Target::closed(), seed());
        println!("{name}: FAROL_KILL_SEED={seed}");
        let probes = dir.path().join("blip.toml");
        let text = format!(
            r#"
            [platform]
            name = "Blip"
            group_interval = "0s"
            resolve_after = "2s"
            update_every = "1s"
            {publish}
            [defaults]
            interval = "500ms"
            confirm_interval = "200ms"
            [[component]]
            name = "Desk"
            statuspage_id = "p31zjtct2jer"
            [[component.check]]
            name = "Desk answers"
            tcp = "{}"
            "#,
            target.address
        );
        std::fs::write(&probes, text).unwrap();
        let (chance, stages) = (Chance::new(seed, salt), BTreeMap::new());
        Self { name, dir, probes, pages, target, chance, seed, starts: 0, kills: 0, stages }
    }

    async fn tell(mut self) {
        self.target.open();
        let mut farol = self.start();
        self.until("all is well", || farol.read_log().contains("to=passing")).await;
        // Leaves the first snapshot.
        assert_eq!(farol.terminate().0, Some(0), "{}", farol.read_log());

        self.target.close().await;
        while self.kills < BEFORE_RECOVERY || self.replay().actions.is_empty() {
            self.life().await;
        }
        // From here on a resolution may take the place of updates that wait with it.
        let farol = self.start();
        let caught_up =
            || outbox(&self.state()).filter(|left| left.pending == 0 && left.applied > 0);
        self.until("all is published", || caught_up().is_some()).await;
        let strict = caught_up().map_or(0, |left| left.applied);
        drop(farol);
        self.target.open();
        let mut lives_after = 0;
        while self.kills < KILLS || lives_after < 2 {
            self.life().await;
            lives_after += usize::from(self.is_over());
        }
        let mut farol = self.start();
        self.until("everything is published", || self.is_over()).await;
        let shown = self.shown(&farol).await;
        assert!(farol.is_running());
        farol.kill();
        self.check(&shown, strict, &farol.read_log());
    }

    /// One life of the process, to a moment of which nobody knows what it interrupts; now and then
    /// one that ends in order, and leaves a snapshot.
    async fn life(&mut self) {
        let (aimed, most) = self.kind_of_life();
        let mut farol = self.start();
        if aimed {
            self.until_a_decision(&farol).await;
        } else {
            tokio::time::sleep(self.chance.millis(most)).await;
        }
        if !farol.is_running() {
            // Its port was free a moment before.
            let log = farol.read_log();
            assert!(log.lines().last().unwrap().contains("cannot listen"), "{log}");
            return;
        }
        if self.chance.below(8) == 0 {
            farol.terminate();
            return;
        }
        farol.kill();
        self.kills += 1;
        *self.stages.entry(self.stage()).or_default() += 1;
        tokio::time::sleep(self.chance.millis(200)).await;
    }

    fn start(&mut self) -> Farol {
        self.starts += 1;
        let env = [("TOKEN", "secret"), ("FAROL_LOG", "info,farol::runtime=debug")];
        Farol::start(self.dir.path(), &self.probes, &env)
    }

    fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    fn replay(&self) -> Replay {
        Replay::of(&self.state())
    }

    /// What the kill interrupted.
    fn stage(&self) -> String {
        let left = outbox(&self.state());
        let last = self.replay().actions.pop();
        let known = left.as_ref().map_or(0, |left| left.applied);
        let stage = match (&last, self.target.is_open()) {
            (None, _) => "detecting",
            (Some(_), _) if known == 0 && !self.is_over() => "opening",
            (Some(last), false) if u64::from(last.sequence) > known => "updating",
            (Some(_), false) => "waiting for the next update",
            (Some(last), true) => match last.status {
                IncidentStatus::Investigating | IncidentStatus::Identified => "recovering",
                IncidentStatus::Monitoring => "monitoring",
                IncidentStatus::Resolved if self.is_over() => "over",
                IncidentStatus::Resolved => "resolving",
            },
        };
        let in_flight = left.is_some_and(|left| left.in_flight);
        format!("{stage}{}", if in_flight { ", a request in flight" } else { "" })
    }

    /// Whether a life should end just after a decision, and how many milliseconds it lasts at most
    /// if not: short ones while the incident is about to be opened or resolved, so that these
    /// moments are met as often as the long ones between them.
    fn kind_of_life(&mut self) -> (bool, u64) {
        let third = self.chance.below(3);
        if self.replay().actions.is_empty() {
            (false, 500)
        } else if self.target.is_open() && !self.is_over() {
            (third == 0, 500)
        } else {
            (third > 0, 1_500)
        }
    }

    /// Waits for the moment after a decision: there is most to lose while it is being published.
    async fn until_a_decision(&mut self, farol: &Farol) {
        let log = farol.read_log().len();
        for _ in 0..750 {
            if farol.read_log()[log..].contains("cause=") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let publishing = if self.pages.is_some() { 250 } else { 40 };
        tokio::time::sleep(self.chance.millis(publishing)).await;
    }

    /// Whether the incident was resolved, and everything published.
    fn is_over(&self) -> bool {
        let resolved = self.replay().actions.last().is_some_and(|a| a.kind == ActionKind::Resolve);
        resolved && outbox(&self.state()).is_some_and(|left| left.pending == 0)
    }

    async fn until(&self, what: &str, mut is: impl FnMut() -> bool) {
        for _ in 0..PATIENCE {
            if is() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let log = std::fs::read_to_string(self.dir.path().join("farol.log")).unwrap();
        panic!("{} {}: never came to where {what}; log:\n{log}", self.name, self.seed);
    }

    /// The incidents that the status page shows.
    async fn shown(&self, farol: &Farol) -> Vec<Shown> {
        if let Some(pages) = &self.pages {
            return pages.incidents().iter().map(Shown::elsewhere).collect();
        }
        let incidents = farol.json("/api/v2/incidents.json").await.unwrap();
        let summary = farol.json("/api/v2/summary.json").await.unwrap();
        let all = incidents["incidents"].as_array().unwrap();
        all.iter().map(|incident| Shown::embedded(incident, &summary)).collect()
    }

    fn check(&self, shown: &[Shown], strict: u64, log: &str) {
        let (once, again) = (self.replay(), self.replay());
        assert_eq!(once.json(), again.json(), "the same journal, the same decisions");
        let [incident] = shown else { panic!("not one incident: {shown:#?}\n{log}") };
        let left_out = incident.assert_tells(&once.actions, strict);
        assert_eq!(incident.status, "resolved");
        assert_eq!(incident.components, ["operational"]);

        let words = |words: &str| log.matches(words).count();
        println!(
            "{}: {} kills, {} starts; {} steps, of which the resolution replaced {left_out}; \
             1 create, {} updates; {} writes had arrived, {} had not; killed while {:#?}",
            self.name,
            self.kills,
            self.starts,
            once.actions.len(),
            incident.texts.len() - 1,
            words("had arrived after all"),
            words("had not arrived"),
            self.stages,
        );
        once.assert_resumes(&self.state());
    }
}
