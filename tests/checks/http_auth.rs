//! The `http` check and its papers: names and passwords, tokens that are given and asked for.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{Addresses, Auth, Check, OAuth2, Secret, SecretRef, Secrets};
use farol::model::{Reason, Vantage, Verdict};
use tokio::io::AsyncWriteExt;

use crate::asking::{HASTY, get, http, observe_by, only};
use crate::name_server::{NameServer, THREE};
use crate::servers::{
    Nobody, Server, listeners, ok, read_request, serve, serve_answer, serve_on, serve_silence,
    serve_without_end,
};

fn prober() -> Prober {
    let secret = |name: &str, value| (SecretRef::Env(name.into()), Secret::new(value));
    let secrets = Secrets::new([secret("WORD", "open:sésame"), secret("TOKEN", "t0ken")]);
    Prober::with_roots(Clock::start(), Vantage::new("here"), secrets, &[]).unwrap()
}

fn authorized(server: &Server, auth: Auth) -> Check {
    let mut http = http(&server.url("/"));
    http.client.auth = Some(auth);
    get(http)
}

fn oauth2(url: &str, scopes: &[&str]) -> Auth {
    Auth::OAuth2(OAuth2 {
        token_url: url.parse().unwrap(),
        client_id: "probe one".into(),
        client_secret: SecretRef::Env("WORD".into()),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    })
}

/// Lets in whoever shows one of `good`, and nobody else.
async fn serve_guarded(good: &'static [&'static str]) -> Server {
    serve(move |mut stream| async move {
        let request = read_request(&mut stream).await;
        let shown = request.lines().find_map(|line| line.strip_prefix("authorization: "));
        let known = shown.is_some_and(|shown| good.contains(&shown));
        let refusal = "HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n".to_owned();
        let answer = if known { ok("") } else { refusal };
        stream.write_all(answer.as_bytes()).await.unwrap();
    })
    .await
}

type Asked = Arc<Mutex<Vec<String>>>;

/// Gives `token-1`, `token-2` and so on, each good for `lifetime`.
async fn serve_tokens(lifetime: &'static str) -> (Server, Asked) {
    let (asked, count) = (Asked::default(), Arc::new(AtomicUsize::new(0)));
    let kept = asked.clone();
    let server = serve(move |mut stream| {
        let (kept, count) = (kept.clone(), count.clone());
        async move {
            let request = read_request(&mut stream).await;
            kept.lock().unwrap().push(request);
            let number = count.fetch_add(1, Ordering::Relaxed) + 1;
            let more = "\"token_type\":\"Bearer\"";
            let body = format!("{{\"access_token\":\"token-{number}\",{more}{lifetime}}}");
            stream.write_all(ok(&body).as_bytes()).await.unwrap();
        }
    })
    .await;
    (server, asked)
}

const HOUR: &str = ",\"expires_in\":3600";

#[tokio::test]
async fn a_name_and_a_password_or_a_token_are_shown() {
    // `probe:open:sésame`, in UTF-8.
    let server = serve_guarded(&["Basic cHJvYmU6b3Blbjpzw6lzYW1l", "Bearer t0ken"]).await;
    let password = SecretRef::Env("WORD".into());
    let basic = Auth::Basic { user: "probe".into(), password };
    let prober = prober();
    for auth in [basic, Auth::Bearer(SecretRef::Env("TOKEN".into()))] {
        let finding = only(observe_by(&prober, &authorized(&server, auth)).await);
        assert_eq!(finding.reason, None);
    }
    let unknown = Auth::Bearer(SecretRef::Env("MISSING".into()));
    let finding = only(observe_by(&prober, &authorized(&server, unknown)).await);
    let detail = "the environment variable MISSING".into();
    assert_eq!(finding.reason, Some(Reason::ProberMisconfigured { detail }));
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_kept() {
    let (tokens, asked) = serve_tokens(HOUR).await;
    let target = serve_guarded(&["Bearer token-1"]).await;
    let check = authorized(&target, oauth2(&tokens.url("/token"), &["read", "write"]));
    let prober = prober();
    for _ in 0..3 {
        let finding = only(observe_by(&prober, &check).await);
        assert_eq!(finding.reason, None);
    }
    let asked = asked.lock().unwrap();
    let [request] = &asked[..] else { panic!("{asked:?}") };
    assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
    // `probe+one:open%3As%C3%A9same`
    let shown = "authorization: Basic cHJvYmUrb25lOm9wZW4lM0FzJUMzJUE5c2FtZQ==\r\n";
    assert!(request.contains(shown), "{request}");
    assert!(
        request.ends_with("\r\n\r\ngrant_type=client_credentials&scope=read+write"),
        "{request}"
    );
}

#[tokio::test]
async fn every_address_shows_the_one_token() {
    let names = NameServer::start().await;
    let (tokens, asked) = serve_tokens("").await;
    let addresses = THREE.map(|text| text.parse().unwrap());
    let servers: Vec<Server> = listeners(&addresses)
        .await
        .into_iter()
        .map(|listener| {
            serve_on(listener, |mut stream| async move {
                let request = read_request(&mut stream).await;
                assert!(request.contains("authorization: Bearer token-1\r\n"), "{request}");
                stream.write_all(ok("").as_bytes()).await.unwrap();
            })
        })
        .collect();
    let mut http = http(&format!("http://three.test:{}/", servers[0].port()));
    http.addresses = Addresses::All;
    http.client.auth = Some(oauth2(&tokens.url("/"), &[]));
    let mut check = get(http);
    check.resolvers = Arc::from([names.address.into()]);
    let observation = observe_by(&prober(), &check).await;
    assert_eq!(observation.findings.len(), 3);
    for finding in observation.findings {
        assert_eq!(finding.reason, None);
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_token_of_no_or_of_unknown_lifetime_is_for_once() {
    for lifetime in ["", ",\"expires_in\":0"] {
        let (tokens, asked) = serve_tokens(lifetime).await;
        let target = serve_guarded(&["Bearer token-1", "Bearer token-2"]).await;
        let check = authorized(&target, oauth2(&tokens.url("/"), &[]));
        let prober = prober();
        for _ in 0..2 {
            assert_eq!(only(observe_by(&prober, &check).await).reason, None);
        }
        assert_eq!(asked.lock().unwrap().len(), 2);
    }
}

/// The run that finds it out fails, since nothing is asked twice; the next has another.
#[tokio::test]
async fn a_token_that_is_refused_is_forgotten() {
    let (tokens, asked) = serve_tokens(HOUR).await;
    let target = serve_guarded(&["Bearer token-2"]).await;
    let check = authorized(&target, oauth2(&tokens.url("/"), &[]));
    let prober = prober();
    let first = only(observe_by(&prober, &check).await);
    assert_eq!(first.reason, Some(Reason::Status { got: 401 }));
    assert_eq!(asked.lock().unwrap().len(), 1);
    assert_eq!(only(observe_by(&prober, &check).await).reason, None);
    assert_eq!(only(observe_by(&prober, &check).await).reason, None);
    assert_eq!(asked.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn without_a_token_the_reason_says_so() {
    let nobody = Nobody::new();
    let target = serve_guarded(&[]).await;
    let redirect = "HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n";
    let refusal = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
    let endless = "HTTP/1.1 200 OK\r\n\r\n{\"access_token\":\"";
    let servers = [
        (serve_silence().await, "token_unavailable"),
        (serve_answer("").await, "token_unavailable"),
        (serve_answer("garbage\r\n\r\n").await, "token_unavailable"),
        (serve_without_end(endless, "x".repeat(0x8000)).await, "token_unavailable"),
        (serve_answer(refusal).await, "token_refused"),
        (serve_answer(redirect).await, "token_refused"),
        (serve_answer(ok("<html>hush</html>")).await, "token_malformed"),
        (serve_answer(ok("{\"access_token\":\"hu sh\"}")).await, "token_malformed"),
    ];
    let urls = servers.iter().map(|(server, name)| (server.url("/"), *name));
    let refused = (format!("http://{}/", nobody.address), "token_unavailable");
    let prober = prober();
    for (url, name) in urls.chain([refused]) {
        let mut check = authorized(&target, oauth2(&url, &[]));
        if name == "token_unavailable" {
            check.timeout = HASTY;
        }
        let finding = only(observe_by(&prober, &check).await);
        let reason = finding.reason.unwrap();
        assert_eq!(reason.name(), name, "{reason}");
        assert_eq!(finding.verdict, Verdict::Fail);
        assert_eq!(finding.phases.iter().count(), 0, "the target was not asked");
    }
}
