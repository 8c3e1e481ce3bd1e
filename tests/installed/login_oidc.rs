//! The `oidc` short form of the `login` check against the OpenID provider of npm's
//! `oidc-provider`, whose clock once goes wrong.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use farol::model::{Finding, Reason, Verdict};

use crate::asking::only;
use crate::probing::{observe, told};
use crate::process::free_address;
use crate::servers::oidc::oidc_provider;

const BACK: &str = "https://desk.farol.test/callback";

/// What is past the login, and the way out of it: the provider's own form.
const STEPS: &str = "steps = [
    { name = 'who am I', get = '/me', headers = { Authorization = 'Bearer {{access_token}}' }, json = { path = '$.sub', equals = 'probe' } },
    { name = 'logout page', get = '/session/end', always = true },
    { name = 'log out', submit = 'form', contains = 'Sign-out Success', always = true },
]";

/// Logs in at `provider` by the short form with these keys.
async fn log_in(dir: &Path, provider: SocketAddr, login: &str, oidc: &str) -> Finding {
    let password = dir.join("password");
    fs::write(&password, "any will do").unwrap();
    let check = format!(
        "[component.check.login]\nurl = 'http://{provider}/'\n\
         account = {{ user = 'probe', password = {{ file = '{}' }} }}\n{login}\n{STEPS}\n\
         [component.check.login.oidc]\nform = {{ user_field = 'login' }}\n{oidc}\n",
        password.display()
    );
    only(observe("", &check, &[]).await)
}

/// The keys of a provider that is this issuer, and of the client that it knows.
fn known(issuer: &str) -> String {
    client(issuer, "public", BACK) + "consent = 'form:not(:has(input[type=password]))'\n"
}

fn client(issuer: &str, id: &str, back: &str) -> String {
    format!("issuer = '{issuer}'\nclient_id = '{id}'\nredirect_uri = '{back}'\n")
}

#[tokio::test]
#[ignore = "needs oidc-provider and node"]
async fn a_user_of_a_provider_gets_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let address = free_address();
    let server = oidc_provider(dir, address, BACK, "between us: & +", None);
    let issuer = format!("http://{address}");
    let finding = log_in(dir, address, "", &known(&issuer)).await;
    assert_eq!(finding.reason, None, "{:?}\n{}", finding.step, server.said());
    let clock = finding.clock.unwrap();
    assert!(clock.at_least <= 0 && clock.at_most >= 0, "{clock:?}");

    let secret = dir.join("secret");
    let consent = "consent = 'form'\n";
    for (text, auth, expected) in [
        ("between us: & +", "basic", ("", "pass")),
        ("between us: & +", "post", ("", "pass")),
        ("open", "basic", ("token", "status")),
    ] {
        fs::write(&secret, text).unwrap();
        let keys = client(&issuer, "desk", BACK)
            + consent
            + &format!(
                "client_auth = '{auth}'\nclient_secret = {{ file = '{}' }}",
                secret.display()
            );
        let finding = log_in(dir, address, "", &keys).await;
        let (step, reason) = told(&format!("client's secret {text:?} by {auth}"), &finding);
        assert_eq!((&*step, &*reason), expected);
    }

    let other_issuer = format!("http://{address}/");
    for (fault, keys, expected) in [
        ("issuer with a slash more", known(&other_issuer), ("discovery", "json")),
        ("unknown client", client(&issuer, "stranger", BACK), ("authorize", "status")),
        (
            "redirect that is not registered",
            client(&issuer, "public", "https://evil.farol.test/"),
            ("authorize", "status"),
        ),
        ("consent that nobody gives", client(&issuer, "public", BACK), ("log in", "final_url")),
    ] {
        let finding = log_in(dir, address, "", &keys).await;
        let (step, reason) = told(fault, &finding);
        assert_eq!((&*step, &*reason, finding.verdict), (expected.0, expected.1, Verdict::Fail));
    }

    drop(server);
    let finding = log_in(dir, address, "", &known(&issuer)).await;
    let (step, reason) = told("provider down", &finding);
    assert_eq!((&*step, &*reason), ("discovery", "connect_refused"));
}

#[tokio::test]
#[ignore = "needs oidc-provider, node and faketime"]
async fn a_provider_whose_clock_is_a_year_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let address = free_address();
    let server = oidc_provider(dir, address, BACK, "", Some("+365d"));
    let keys = known(&format!("http://{address}"));
    let finding = log_in(dir, address, "", &keys).await;
    let (step, _) = told("provider's clock a year ahead", &finding);
    let detail = "its `iat` is 365d ahead".to_owned();
    assert_eq!((&*step, &finding.reason), ("token", &Some(Reason::TokenTime { detail })));
    assert_eq!(finding.verdict, Verdict::Fail, "{}", server.said());
    // The `Date` of its answers says so as well: evidence to judge our own clock by.
    let hour = 3_600_000_000;
    let clock = finding.clock.unwrap();
    let year = 365 * 24 * hour;
    assert!(clock.at_least > year - hour && clock.at_most < year + hour, "{clock:?}");

    // Who lets a token's times be off by so much still has the clock of whom they ask.
    let finding = log_in(dir, address, "", &(keys.clone() + "leeway = '400d'\n")).await;
    let (step, reason) = told("the same, with leeway", &finding);
    assert_eq!((&*step, &*reason), ("", "clock_skew"));
}
