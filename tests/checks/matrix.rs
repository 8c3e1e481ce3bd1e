//! Checks that run once for each of several values, from the probe file to what is decided: some
//! customers, all customers, and each of them on every address.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use farol::config::{Check, Config, SourceFile, parse};
use farol::engine::{Engine, State};
use farol::model::{Action, ComponentStatus, Finding, Input, Observation, Subject, Verdict};
use tokio::io::AsyncWriteExt;

use crate::asking::observe;
use crate::name_server::{NameServer, THREE};
use crate::servers::{Server, listeners, ok, read_request, serve, serve_on, serve_silence};

/// A probe file with one check of a component, told to open an incident at once.
fn written(platform: &str, check: &str) -> Config {
    let text = format!(
        "[platform]\nname = 'Blip'\n{platform}\n[[component]]\nname = 'Desk'\n\
         [[component.check]]\nname = 'Every customer can log in'\n\
         fail_after = 1\nrecover_after = 1\ntimeout = '20s'\n{check}\n"
    );
    let file = SourceFile { name: "blip.toml".into(), text };
    parse(&[file]).unwrap_or_else(|error| panic!("{}", error.render(false, 100)))
}

fn check(config: &Config) -> &Check {
    config.checks().next().unwrap().2
}

/// A server that fails those requests whose first line contains one of `bad`.
async fn failing(bad: &'static [&'static str]) -> Server {
    serve(move |mut stream| async move {
        let request = read_request(&mut stream).await;
        let line = request.lines().next().unwrap_or_default().to_owned();
        let _ = stream.write_all(answer(&line, bad).as_bytes()).await;
    })
    .await
}

fn answer(line: &str, bad: &[&str]) -> String {
    match bad.iter().any(|bad| line.contains(bad)) {
        true => "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n".to_owned(),
        false => ok("welcome"),
    }
}

/// What becomes of the component, and what the public reads of it, after one observation.
fn decide(config: &Config, observation: Observation) -> (ComponentStatus, Option<Action>) {
    let mut engine = Engine::new(State::default());
    let at = observation.started_at;
    let _ = engine.handle(&Input::PolicyChanged(Box::new(config.policy())), at);
    let decision = engine.handle(&Input::Observed(observation), at);
    let status = engine.state().components().values().next().unwrap().status;
    (status, decision.actions.into_iter().next())
}

fn name(finding: &Finding) -> String {
    finding.variant.as_ref().map(ToString::to_string).unwrap_or_default()
}

#[tokio::test]
async fn one_of_three_tenants_is_some_customers_and_all_of_them_are_everybody() {
    let tenants = "matrix = { tenant = ['acme', 'globex', 'initech'] }";
    for (bad, expected, told) in [
        (&[][..], ComponentStatus::Operational, None),
        (&["globex"], ComponentStatus::PartialOutage, Some("Desk is unavailable for some users")),
        (&["tenant"], ComponentStatus::MajorOutage, Some("Desk is unavailable")),
    ] {
        let server = failing(bad).await;
        let url = server.url("/?tenant={{matrix.tenant}}");
        let config = written("", &format!("{tenants}\nhttp = '{url}'"));
        let observation = observe(check(&config)).await;
        let names: Vec<String> = observation.findings.iter().map(name).collect();
        assert_eq!(names, ["tenant=acme", "tenant=globex", "tenant=initech"]);
        let (status, action) = decide(&config, observation);
        assert_eq!(status, expected);
        assert_eq!(action.as_ref().map(|action| action.title.as_str()), told);
        if expected == ComponentStatus::PartialOutage {
            let body = action.unwrap().body;
            assert!(body.contains("for some customers. One of our three tests fails."), "{body}");
            assert!(!body.contains("globex") && !body.contains("tenant"), "{body}");
        }
    }
}

#[tokio::test]
async fn every_tenant_is_asked_on_every_address() {
    let names = NameServer::start().await;
    let addresses: Vec<IpAddr> = THREE.iter().map(|text| text.parse().unwrap()).collect();
    let bound = listeners(&addresses).await.into_iter().enumerate();
    // The second server knows nothing of one tenant.
    let servers: Vec<Server> = bound
        .map(|(number, listener)| {
            serve_on(listener, move |mut stream| async move {
                let request = read_request(&mut stream).await;
                let bad: &[&str] = if number == 1 { &["globex"] } else { &[] };
                let _ = stream.write_all(answer(&request, bad).as_bytes()).await;
            })
        })
        .collect();
    let url = format!("http://three.test:{}/{{{{matrix.tenant}}}}", servers[0].port());
    let config = written(
        &format!("resolvers = ['{}']", names.address),
        &format!(
            "matrix.tenant = ['acme', 'globex']\nhttp = {{ url = '{url}', addresses = 'all' }}"
        ),
    );
    let observation = observe(check(&config)).await;
    let found: BTreeSet<(String, Subject, Verdict)> = observation
        .findings
        .iter()
        .map(|finding| (name(finding), finding.subject, finding.verdict))
        .collect();
    assert_eq!(found.len(), 6, "{found:?}");
    let failing = found.iter().filter(|(_, _, verdict)| *verdict == Verdict::Fail);
    let failing: Vec<_> = failing.map(|(name, subject, _)| (name.as_str(), *subject)).collect();
    assert_eq!(failing, [("tenant=globex", Subject::Address(addresses[1]))]);
    let (status, action) = decide(&config, observation);
    assert_eq!(status, ComponentStatus::PartialOutage);
    let body = action.unwrap().body;
    assert!(body.contains("One of our two tests fails."), "{body}");
}

#[tokio::test]
async fn scripts_and_addresses_are_filled_in_as_well() {
    let server = failing(&["c"]).await;
    let address = server.address;
    let http = serve_silence().await;
    for check_of in [
        format!(
            "matrix.path = ['a', 'c']\ntcp = {{ address = '{address}', script = [\n\
             {{ send = \"GET /{{{{matrix.path}}}} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n\" }},\n\
             {{ expect = '^HTTP/1.1 200' }} ] }}"
        ),
        format!("matrix.host = ['{}', '127.0.0.1:1']\ntcp = '{{{{matrix.host}}}}'", http.address),
    ] {
        let config = written("", &check_of);
        let verdicts: Vec<Verdict> =
            observe(check(&config)).await.findings.iter().map(|one| one.verdict).collect();
        assert_eq!(verdicts, [Verdict::Pass, Verdict::Fail], "{check_of}");
    }
}

/// As many as there can be, of which those that are asked first never answer.
#[tokio::test]
async fn those_that_hang_keep_no_others_from_being_asked() {
    let most = Arc::new(AtomicUsize::new(0));
    let open = Arc::new(AtomicUsize::new(0));
    let (seen, now) = (Arc::clone(&most), Arc::clone(&open));
    let server = serve(move |mut stream| {
        let (seen, now) = (Arc::clone(&seen), Arc::clone(&now));
        async move {
            let request = read_request(&mut stream).await;
            let line = request.lines().next().unwrap_or_default().to_owned();
            seen.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            if line.contains("hangs") {
                std::future::pending::<()>().await;
            }
            // Long enough for others to come, if they did not wait.
            tokio::time::sleep(Duration::from_millis(5)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            let _ = stream.write_all(ok("welcome").as_bytes()).await;
        }
    })
    .await;
    let matrix = |start: usize| {
        let values =
            (0..64).map(|n| if n < start { format!("'hangs{n}'") } else { format!("'{n}'") });
        format!("matrix.path = [{}]", values.collect::<Vec<_>>().join(", "))
    };
    let http = format!("http = '{}'", server.url("/{{matrix.path}}"));
    let config = written("", &format!("{}\n{http}", matrix(0)));
    let findings = observe(check(&config)).await.findings;
    assert_eq!(findings.iter().filter(|one| one.verdict == Verdict::Pass).count(), 64);
    assert!(most.load(Ordering::SeqCst) <= 16, "at once: {most:?}");

    let mut hanging = written("", &format!("{}\n{http}", matrix(16)));
    let component = &mut hanging.platforms[0].components[0];
    component.checks[0].timeout = farol::model::Span::from_secs(4);
    for (_, variant) in &mut component.checks[0].variants {
        variant.timeout = farol::model::Span::from_secs(4);
    }
    let findings = observe(check(&hanging)).await.findings;
    let passed = findings.iter().filter(|one| one.verdict == Verdict::Pass).count();
    let failed = findings.iter().filter(|one| one.verdict == Verdict::Fail).count();
    assert_eq!((passed, failed), (48, 16));
}
