//! The `login` check against Django's admin, alone and behind nginx.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use farol::model::{Observation, Reason, Subject, Verdict};

use crate::asking::only;
use crate::certificates::{ALWAYS, Authority};
use crate::probing::{observe, told};
use crate::process::free_address;
use crate::servers::django::django;
use crate::servers::names::knot;
use crate::servers::web::{Nginx, nginx_with, secure_site};
use crate::servers::write_identity;

const USER: &str = "probe:known to us";
const OTHER: &str = "other:known as well";
const FORM: &str = "form_login = { page = '/admin/login/' }\n";
const LOGOUT: &str = "\"GET /admin/logout/ HTTP/1.1\" 200";

/// A user's name and the file with the password, as a probe file has them.
fn account(dir: &Path, user: &str, password: &str) -> String {
    let file = dir.join(format!("password of {user}"));
    fs::write(&file, password).unwrap();
    format!("{{ user = '{user}', password = {{ file = '{}' }} }}", file.display())
}

fn login(url: &str, accounts: &[String], more: &str) -> String {
    format!(
        "[component.check.login]\nurl = '{url}'\naccounts = [{}]\n{more}\n",
        accounts.join(", ")
    )
}

/// Past the login: who it is, something written, read back and removed; and out again.
const STEPS: &str = "steps = [
    { name = 'index', get = '/admin/', html = { select = '#user-tools strong', contains = '{user}' } },
    { name = 'new group', get = '/admin/auth/group/add/' },
    { name = 'write', submit = 'form#group_form', fields = { name = 'canary {{run}}', _save = 'Save' }, contains = 'was added successfully', extract = { group = { css = '#result_list th a', attribute = 'href' }, text = { css = '#result_list th a' } }, same = { text = 'canary {{run}}' } },
    { name = 'read', get = '{{group}}', extract = { text = { css = '#id_name', attribute = 'value' } }, same = { text = 'canary {{run}}' } },
    { name = 'removal page', get = '{{group}}../delete/', always = true, optional = true },
    { name = 'remove', submit = '#content form', contains = 'was deleted successfully', always = true, optional = true },
    { name = 'log out', get = '/admin/logout/', contains = 'Thanks for spending some quality time', always = true },
]";

#[tokio::test]
#[ignore = "needs python3-django"]
async fn an_admin_logs_in_does_something_and_logs_out() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let address = free_address();
    let server = django(dir, "django", address, &[USER, OTHER]);
    let url = format!("http://{address}/");
    let right = account(dir, "probe", "known to us");
    let steps = FORM.to_owned() + &STEPS.replace("{user}", "probe");
    let finding = only(observe("", &login(&url, std::slice::from_ref(&right), &steps), &[]).await);
    assert_eq!(finding.reason, None, "{:?}\n{}", finding.step, server.said());
    server.said_times(LOGOUT, 1);
    server.said_times("\"POST /admin/auth/group/1/delete/ HTTP/1.1\" 302", 1);

    // What fails past the login is told, and the session is ended all the same.
    let others = FORM.to_owned() + &STEPS.replace("{user}", "somebody");
    let finding = only(observe("", &login(&url, &[right], &others), &[]).await);
    assert_eq!(told("another's page", &finding), ("index".into(), "html".into()));
    server.said_times(LOGOUT, 2);

    let wrong = account(dir, "probe", "guessed");
    let second = account(dir, "other", "known as well");
    let steps = FORM.to_owned() + &STEPS.replace("{user}", "other");
    for (accounts, verdict) in
        [(vec![wrong.clone()], Verdict::Fail), (vec![wrong, second], Verdict::Degraded)]
    {
        let finding = only(observe("", &login(&url, &accounts, &steps), &[]).await);
        let (step, _) = told(&format!("wrong password, {} account(s)", accounts.len()), &finding);
        let rejected = Reason::CredentialsRejected { account: "probe".to_owned() };
        assert_eq!((finding.reason, &*step), (Some(rejected), "log in"));
        assert_eq!(finding.verdict, verdict);
    }
}

#[tokio::test]
#[ignore = "needs python3-django"]
async fn a_form_that_is_not_sent_as_its_page_has_it_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let address = free_address();
    let server = django(dir, "django", address, &[USER]);
    let url = format!("http://{address}/");
    let right = account(dir, "probe", "known to us");
    for (fault, steps, expected) in [
        (
            "no page visited before",
            "{ name = 'post', post = '/admin/login/', form = { username = '{{user}}', password = \
             '{{password}}' }, rejected = { html = '.errornote' } }",
            ("post", "status"),
        ),
        (
            "hidden field left out",
            "{ get = '/admin/login/' }, { name = 'post', post = '/admin/login/', form = { username \
             = '{{user}}', password = '{{password}}' }, rejected = { html = '.errornote' } }",
            ("post", "status"),
        ),
        (
            "a field of another name",
            "{ get = '/admin/login/' }, { name = 'log in', submit = '#login-form', fields = { email \
             = '{{user}}', password = '{{password}}' } }",
            ("log in", "form_not_found"),
        ),
    ] {
        let steps = format!("steps = [{steps}]");
        let finding =
            only(observe("", &login(&url, std::slice::from_ref(&right), &steps), &[]).await);
        let (step, reason) = told(fault, &finding);
        assert_eq!((&*step, &*reason, finding.verdict), (expected.0, expected.1, Verdict::Fail));
        if reason == "status" {
            let words = finding.reason.unwrap().to_string();
            assert!(words.contains("403"), "{words}");
        }
    }

    drop(server);
    let finding = only(observe("", &login(&url, &[right], FORM), &[]).await);
    assert_eq!(told("server down", &finding), ("login page".into(), "connect_refused".into()));
}

/// Every page says how it must be: which cookies it gives, and whom it greets.
const WRITTEN_OUT: &str = "steps = [
    { name = 'login page', get = '/admin/login/', cookies = { csrftoken = {} } },
    { name = 'log in', submit = '#login-form', fields = { username = '{{user}}', password = '{{password}}' }, cookies = { sessionid = { http_only = true } }, rejected = { html = '.errornote' }, html = { select = '#user-tools strong', contains = 'probe' } },
    { name = 'log out', get = '/admin/logout/', always = true, optional = true },
]";

/// The form again, or 403, is no word about the password: only the form's own is.
const SHORT: &str = "form_login = { page = '/admin/login/', rejected = { html = '.errornote' } }
steps = [
    { name = 'index', get = '/admin/', html = { select = '#user-tools strong', contains = 'probe' } },
    { name = 'log out', get = '/admin/logout/', always = true, optional = true },
]";

/// Two addresses of one name, each an nginx before Django.
struct Site<'a> {
    dir: &'a Path,
    authority: Authority,
    at: [SocketAddr; 2],
}

impl Site<'_> {
    /// nginx of this number, with `more` to say of what it hands to `upstreams` in turns.
    fn proxy(&self, number: usize, upstreams: &[SocketAddr], more: &str) -> Nginx {
        let address = self.at[number];
        let papers = write_identity(
            self.dir,
            &format!("papers-{number}"),
            &self.authority.identify("www.farol.test", ALWAYS),
        );
        let servers: String =
            upstreams.iter().map(|address| format!("server {address}; ")).collect();
        let location = format!(
            "location / {{ proxy_pass http://django; proxy_set_header Host $http_host; \
             proxy_set_header X-Forwarded-Proto https; {more} }}"
        );
        let sites = format!("upstream django {{ {servers} }}\n")
            + &secure_site(address, &papers, &location);
        nginx_with(self.dir, &format!("nginx-{number}"), address, "", &sites)
    }

    async fn observe(&self, dns: SocketAddr, steps: &str) -> Observation {
        let right = account(self.dir, "probe", "known to us");
        let url = format!("https://www.farol.test:{}/", self.at[0].port());
        let platform = format!("resolvers = ['{dns}']");
        observe(
            &platform,
            &login(&url, &[right], &format!("addresses = 'all'\n{steps}")),
            &[self.authority.root()],
        )
        .await
    }
}

#[tokio::test]
#[ignore = "needs python3-django, nginx and knot"]
async fn the_proxy_that_breaks_the_login_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let port = free_address().port();
    let at = [1, 2].map(|last| format!("127.88.0.{last}:{port}").parse().unwrap());
    let site = Site { dir, authority: Authority::new(), at };
    let [dns, first, second] = [(); 3].map(|()| free_address());
    let _knot = knot(dir, dns, &at.map(|address: SocketAddr| address.ip()));
    let _django = [("first", first), ("second", second)]
        .map(|(name, address)| django(dir, name, address, &[USER]));
    let _nginx = site.proxy(0, &[first], "");
    for (fault, upstreams, more, expected) in [
        ("none", vec![second], "", [("", "pass"); 2]),
        (
            "cookies dropped",
            vec![second],
            "proxy_hide_header Set-Cookie;",
            [("login page", "cookie"), ("log in", "status")],
        ),
        // Each keeps the sessions of its own.
        ("two servers in turns", vec![second, first], "", [("log in", "html"), ("index", "html")]),
        (
            "forms cut short",
            vec![second],
            "proxy_pass_request_body off; proxy_set_header Content-Length '';",
            [("log in", "status"); 2],
        ),
        ("server down", vec![free_address()], "", [("login page", "status"); 2]),
    ] {
        let _nginx = site.proxy(1, &upstreams, more);
        for (steps, expected) in [WRITTEN_OUT, SHORT].into_iter().zip(expected) {
            let findings = site.observe(dns, steps).await.findings;
            let subjects: Vec<Subject> = findings.iter().map(|one| one.subject).collect();
            assert_eq!(subjects, at.map(|address| Subject::Address(address.ip())));
            assert_eq!(findings[0].reason, None, "{fault}: {:?}", findings[0].step);
            let (step, reason) = told(fault, &findings[1]);
            assert_eq!((&*step, &*reason), expected, "{fault}");
        }
    }
}
