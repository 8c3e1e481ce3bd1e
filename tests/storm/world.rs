//! What there is to be published, and where to: platforms whose targets come and go by themselves,
//! and their pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use farol::model::{ComponentId, IncidentKey, PlatformId};
use farol::outbox::{Outbox, State, Timing};
use farol::serve::{component_page_id, page_id};
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;

use crate::chance::Chance;
use crate::ledger::{Replay, Shown};
use crate::process::Farol;
use crate::server::{self, Pages};
use crate::target::Target;
use crate::weather::Weather;

/// How many platforms are published to the other farol, to the server that knows nothing of doing
/// things once, and to the page that the process serves itself.
const ELSEWHERE: usize = 10;
const NAIVE: usize = 6;
const OWN: usize = 4;
/// The components of each, all of which fail by themselves.
const COMPONENTS: usize = 5;
/// What the status APIs' answers are waited for, in looks of a quarter of a second each.
const PATIENCE: usize = 1_200;

pub(crate) struct World {
    pub(crate) weather: Weather,
    dir: TempDir,
    other: Farol,
    other_token: String,
    naive: Vec<Pages>,
    clear: Arc<AtomicBool>,
    _targets: Vec<JoinHandle<()>>,
}

/// The three kinds of page.
#[derive(Clone, Copy)]
enum Page {
    Elsewhere,
    Naive(usize),
    Own,
}

fn platforms() -> impl Iterator<Item = (String, Page)> {
    let elsewhere = (0..ELSEWHERE).map(|n| (format!("else{n:02}"), Page::Elsewhere));
    let naive = (0..NAIVE).map(|n| (format!("naive{n:02}"), Page::Naive(n)));
    let own = (0..OWN).map(|n| (format!("own{n:02}"), Page::Own));
    elsewhere.chain(naive).chain(own)
}

/// A probe file; its components do not join each other's incidents, and no number of them is too
/// many to be believed.
fn probe(name: &str, publish: &str, interval: &str, targets: &[SocketAddr]) -> String {
    let mut text = format!(
        "[platform]\nname = \"{name}\"\ngroup_within = \"1ms\"\ngroup_interval = \"0s\"\nresolve_after = \"1s\"\n\
         update_every = \"3s\"\n{publish}\n\
         [defaults]\ninterval = \"500ms\"\nconfirm_interval = \"200ms\"\n\
         flapping = \"off\"\n"
    );
    for (n, target) in targets.iter().enumerate() {
        let id = component_page_id(&ComponentId::of(&PlatformId::new(name), &format!("c{n}")));
        writeln!(text, "[[component]]\nname = \"C{n}\"").unwrap();
        if !publish.is_empty() {
            writeln!(text, "statuspage_id = \"{id}\"").unwrap();
        }
        write!(text, "[[component.check]]\nname = \"answers\"\ntcp = \"{target}\"\n").unwrap();
        writeln!(text, "interval = \"{interval}\"").unwrap();
    }
    text
}

impl Drop for World {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // The log and the databases say how it came to that.
            self.dir.disable_cleanup(true);
            println!("what is left is in {}", self.dir.path().display());
        }
    }
}

impl World {
    pub(crate) async fn make(seed: u64) -> Self {
        let (dir, weather) = (tempfile::tempdir().unwrap(), Weather::new(seed));
        let clear = Arc::new(AtomicBool::new(false));
        let (other, other_token) = other(&dir.path().join("other")).await;
        let behind = weather.over(other.address, true).await;
        let naive: Vec<Pages> = (0..NAIVE).map(|_| Pages::default()).collect();
        let routes = naive.iter().enumerate().fold(Router::new(), |router, (n, pages)| {
            router.nest(&format!("/{n}"), pages.router())
        });
        let beside = weather.over(server::serve(routes).await, false).await;
        let probes = dir.path().join("probes");
        std::fs::create_dir_all(&probes).unwrap();
        let mut targets = Vec::new();
        for (n, (name, page)) in platforms().enumerate() {
            let publish = match page {
                Page::Own => String::new(),
                Page::Elsewhere => {
                    statuspage(behind, "", &page_id(&PlatformId::new(&*name)), "ELSEWHERE")
                }
                Page::Naive(n) => statuspage(beside, &format!("/{n}"), "page", "NAIVE"),
            };
            let here: Vec<Target> = (0..COMPONENTS).map(|_| Target::closed()).collect();
            let addresses: Vec<SocketAddr> = here.iter().map(|target| target.address).collect();
            let text = probe(&name, &publish, "500ms", &addresses);
            std::fs::write(probes.join(format!("{name}.toml")), text).unwrap();
            for (m, target) in here.into_iter().enumerate() {
                let salt = u64::try_from(100 + n * COMPONENTS + m).unwrap();
                let chance = Chance::new(seed, salt);
                targets.push(tokio::spawn(come_and_go(target, chance, Arc::clone(&clear))));
            }
        }
        Self { weather, dir, other, other_token, naive, clear, _targets: targets }
    }

    /// Starts it, and waits until it runs, or has ended.
    pub(crate) async fn start_up(&self) -> Farol {
        let before = self.log().len();
        let mut farol = self.start();
        while farol.is_running() && !self.log()[before..].contains("farol is running") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        farol
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("farol.log")).unwrap_or_default()
    }

    /// Starts it.
    pub(crate) fn start(&self) -> Farol {
        let env = [
            ("ELSEWHERE", self.other_token.as_str()),
            ("NAIVE", "secret"),
            ("FAROL_LOG", "warn,farol::runtime=info,farol::cli=info"),
        ];
        Farol::start(self.dir.path(), &self.dir.path().join("probes"), &env)
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// From now on every target stays up.
    pub(crate) fn clear_up(&self) {
        self.clear.store(true, Ordering::SeqCst);
    }

    /// Waits until no incident is open and nothing is left to be published.
    pub(crate) async fn until_all_is_published(&self, farol: &Farol) {
        for _ in 0..PATIENCE {
            tokio::time::sleep(Duration::from_millis(250)).await;
            if self.pending() == 0 {
                let replay = Replay::of(&self.state());
                if replay.engine.state().incidents().is_empty() && self.pending() == 0 {
                    return;
                }
            }
        }
        panic!("{} steps are never published:\n{}", self.pending(), farol.read_log());
    }

    fn pending(&self) -> usize {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let db = Connection::open_with_flags(self.state().join("farol.db"), flags).unwrap();
        let mut read = db.prepare("SELECT body FROM outbox").unwrap();
        let bodies = read.query_map([], |row| row.get::<_, String>(0)).unwrap();
        bodies
            .map(|body| {
                let state = State::from_json(&body.unwrap()).unwrap();
                Outbox::new("", state, Timing::default()).pending()
            })
            .sum()
    }

    /// Every incident on every page, by the key that it carries.
    pub(crate) async fn shown(
        &self,
        farol: &Farol,
    ) -> BTreeMap<IncidentKey, Vec<(&'static str, Shown)>> {
        let own_token = api_token(&self.state());
        let mut shown: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, page) in platforms() {
            let (kind, incidents) = match page {
                Page::Naive(n) => ("naive", self.naive[n].incidents()),
                Page::Elsewhere => {
                    ("elsewhere", listed(self.other.address, &self.other_token, &name).await)
                }
                Page::Own => ("own", listed(farol.address, &own_token, &name).await),
            };
            for incident in incidents {
                let key = incident["metadata"]["farol"]["k"].as_str().unwrap();
                let as_shown = if let Page::Naive(_) = page {
                    Shown::elsewhere(&incident)
                } else {
                    managed(&incident)
                };
                shown.entry(IncidentKey::new(key)).or_default().push((kind, as_shown));
            }
        }
        shown
    }
}

fn statuspage(proxy: SocketAddr, path: &str, page: &str, token: &str) -> String {
    format!(
        "[publish.statuspage]\nurl = \"http://{proxy}{path}/v1\"\npage = \"{page}\"\n\
         token = {{ env = \"{token}\" }}\nrequests_per_second = 100\ntimeout = \"2s\"\n"
    )
}

/// Another farol, which serves the pages and finds nothing to say on them itself.
async fn other(dir: &Path) -> (Farol, String) {
    let probes = dir.join("probes");
    std::fs::create_dir_all(&probes).unwrap();
    let mut up = Target::closed();
    up.open();
    for (name, page) in platforms() {
        if let Page::Elsewhere = page {
            let text = probe(&name, "", "1h", &[up.address; COMPONENTS]);
            std::fs::write(probes.join(format!("{name}.toml")), text).unwrap();
        }
    }
    let farol = Farol::start(dir, &probes, &[("FAROL_LOG", "warn")]);
    farol.summary_until(Duration::from_secs(60), |_| true).await;
    (farol, api_token(&dir.join("state")))
}

fn api_token(state: &Path) -> String {
    std::fs::read_to_string(state.join("api-token")).unwrap().trim().to_owned()
}

/// Good times are long enough for an incident to be over, more often than not.
async fn come_and_go(mut target: Target, mut chance: Chance, clear: Arc<AtomicBool>) {
    target.open();
    tokio::time::sleep(chance.millis(4_000)).await;
    while !clear.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(5_000) + chance.millis(4_000)).await;
        target.close().await;
        tokio::time::sleep(Duration::from_millis(2_000) + chance.millis(3_500)).await;
        target.open();
    }
    std::future::pending::<()>().await;
}

/// What a farol serves of a platform's page.
async fn listed(address: SocketAddr, token: &str, platform: &str) -> Vec<Value> {
    let page = page_id(&PlatformId::new(platform));
    let url = format!("http://{address}/v1/pages/{page}/incidents?limit=100");
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.get(url).header("authorization", format!("OAuth {token}"));
    let all: Value = request.send().await.unwrap().json().await.unwrap();
    all.as_array().unwrap().clone()
}

/// An incident as the management API of a farol shows it.
fn managed(incident: &Value) -> Shown {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let list = |value: &Value| value.as_array().unwrap().clone();
    Shown {
        status: text(&incident["status"]),
        texts: list(&incident["incident_updates"])
            .iter()
            .rev()
            .map(|update| (None, text(&update["body"])))
            .collect(),
        components: list(&incident["components"]).iter().map(|c| text(&c["status"])).collect(),
    }
}

/// The steps of an incident that farol said stand on its page.
pub(crate) fn said_to_stand<'a>(
    log: &'a str,
    key: &IncidentKey,
) -> impl Iterator<Item = u64> + use<'a> {
    let mut words = String::new();
    write!(words, "incident {key}: step ").unwrap();
    log.lines().filter_map(move |line| {
        let (_, rest) = line.split_once(words.as_str())?;
        let (step, rest) = rest.split_once(' ')?;
        rest.starts_with("stands on").then(|| step.parse().unwrap())
    })
}
