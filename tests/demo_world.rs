//! The simulated platforms, looked at as their users' probes do: by the checks of the worked
//! examples, over real sockets. Well, all of them pass; and each fault is seen by those checks, and
//! for those reasons, that it should be seen by.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]
#![expect(clippy::print_stdout, reason = "the table is what the test shows")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Check, Config, Secret, SecretRef, Secrets, parse_with};
use farol::demo::fault::Fault;
use farol::demo::world::{Kind, World};
use farol::model::{Finding, Vantage, Verdict};
use serde::Deserialize;
use tokio::task::JoinSet;

#[path = "demo_world/sockets.rs"]
mod sockets;

/// As long as nothing is wrong, a run takes a hundredth of it; what never answers takes all of it.
const TIMEOUT: &str = "4s";

struct Watched {
    world: World,
    prober: Prober,
    checks: Vec<Check>,
}

impl Watched {
    async fn start(kind: Kind) -> Self {
        let clock = Clock::start();
        let world = World::start(kind, clock).await.unwrap();
        let mut overrides = world.overrides();
        overrides.set("timeout", TIMEOUT);
        overrides.set("login_timeout", TIMEOUT);
        let config: Config = parse_with(&world.files(), &overrides)
            .unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
        let secrets = config.secret_refs().into_iter();
        let secrets = secrets.map(|it: SecretRef| (it, Secret::new(World::password())));
        let prober = Prober::new(clock, Vantage::new("here"), Secrets::new(secrets)).unwrap();
        let checks = config.every_check().cloned().collect();
        Self { world, prober, checks }
    }

    /// What is not well, check by check: each verdict with its reason, and how often.
    async fn look(&self) -> BTreeMap<String, String> {
        let mut runs = JoinSet::new();
        for check in &self.checks {
            let (prober, check) = (self.prober.clone(), check.clone());
            runs.spawn(async move { prober.run(&check).await });
        }
        let mut seen = BTreeMap::new();
        while let Some(observation) = runs.join_next().await {
            let observation = observation.unwrap();
            let all = observation.findings.len();
            let mut told: BTreeMap<String, usize> = BTreeMap::new();
            for finding in observation.findings.iter().filter(|it| it.verdict != Verdict::Pass) {
                *told.entry(words(finding)).or_default() += 1;
            }
            if !told.is_empty() {
                let told = told.iter().map(|(words, n)| format!("{n} of {all} {words}"));
                let told = told.collect::<Vec<_>>().join(", ");
                seen.insert(observation.check.as_str().to_owned(), told);
            }
        }
        seen
    }
}

fn words(finding: &Finding) -> String {
    let reason = finding.reason.as_ref().map_or("", |reason| reason.name());
    let step = finding.reason.as_ref().and_then(|reason| {
        let told = reason.to_string();
        let step = told.strip_prefix("step ")?.split(':').next()?.to_owned();
        Some(format!(" at {step}"))
    });
    format!("{:?} {reason}{}", finding.verdict, step.unwrap_or_default())
}

#[derive(Deserialize)]
struct Faults {
    it: Vec<Fault>,
}

fn read(text: &str) -> Vec<Fault> {
    toml::from_str::<Faults>(&format!("it = [{text}]")).unwrap().it
}

/// What is seen of each of these faults, one after the other, and that nothing is left of it.
async fn table(kind: Kind, faults: &[&str]) -> String {
    let mut watched = Watched::start(kind).await;
    let mut table = String::new();
    for text in faults {
        let faults = read(text);
        assert_eq!(faults.iter().find_map(|fault| kind.misses(fault)), None, "{text}");
        watched.world.set(&faults).await.unwrap();
        writeln!(table, "{text}").unwrap();
        for (check, told) in watched.look().await {
            writeln!(table, "    {check}: {told}").unwrap();
        }
        watched.world.set(&[]).await.unwrap();
        let left = watched.look().await;
        assert!(left.is_empty(), "{text} leaves {left:#?}");
    }
    println!("{table}");
    table
}

#[tokio::test(flavor = "multi_thread")]
async fn a_healthy_platform_passes_every_check() {
    for kind in [Kind::Blip, Kind::Iadvize] {
        let watched = Watched::start(kind).await;
        for round in 0..10 {
            let seen = watched.look().await;
            assert!(seen.is_empty(), "{kind:?}, round {round}: {seen:#?}");
        }
        println!("{kind:?}: 10 runs of {} checks passed", watched.checks.len());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_of_blip_is_seen_where_it_is_and_mended() {
    let seen = table(
        Kind::Blip,
        &[
            "{ fault = 'clock', backends = [2], ahead = '365d' }",
            "{ fault = 'clock', service = 'portal', behind = '1h' }",
            "{ fault = 'slow', service = 'crm', delay = '1200ms' }",
            "{ fault = 'slow', service = 'portal', backends = [3], delay = '1200ms' }",
            "{ fault = 'error', service = 'crm', paths = ['/contacts'], status = 500 }",
            "{ fault = 'error', service = ['core', 'ai'], backends = [1] }",
            "{ fault = 'stall', service = 'desk' }",
            "{ fault = 'blank', service = 'portal', tenants = ['acme'] }",
            "{ fault = 'scripts', service = 'portal', tenants = ['acme', 'globex'] }",
            "{ fault = 'scripts', service = 'desk' }",
            "{ fault = 'error_page', service = 'crm' }",
            "{ fault = 'redirect', tenants = ['acme'] }",
            "{ fault = 'redirect', tenants = ['globex'], how = 'loop' }",
            "{ fault = 'redirect', how = 'dead' }",
            "{ fault = 'history', how = 'wrong' }",
            "{ fault = 'history', how = 'missing', tenants = ['initech'] }",
            "{ fault = 'history', how = 'error' }",
            "{ fault = 'records_ahead', ahead = '365d' }",
            "{ fault = 'refuse', service = 'desk', backends = [1] }",
            "{ fault = 'refuse', service = 'chat' }",
            "{ fault = 'pile_up', service = 'chat', wait = '1s' }",
            "{ fault = 'addresses', service = 'portal', are = [1, 2, 4] }",
            "{ fault = 'addresses', service = 'portal', are = [1] }",
        ],
    )
    .await;
    insta::assert_snapshot!("blip", seen);
}

#[tokio::test(flavor = "multi_thread")]
async fn white_screens_and_errors_inside_a_200_are_seen_in_both_groups() {
    let seen = table(
        Kind::Iadvize,
        &[
            "{ fault = 'blank', service = 'panel' }",
            "{ fault = 'error_page', service = 'admin', paths = ['/statistics'] }",
            "{ fault = 'error_page', service = 'api' }",
            "{ fault = 'scripts', service = 'visitor' }",
            "{ fault = 'history', how = 'missing', service = 'panel' }",
        ],
    )
    .await;
    insta::assert_snapshot!("iadvize", seen);
}
