//! Every way in which a login by single sign-on is known to break: each has a reason of its own and
//! names its step.

use farol::model::Verdict;

use crate::login_sso::{FORM, steps, well};
use crate::login_world::{Asked, Reply, World, answer, found, gist, json, page, to};

/// Runs the flow against a platform on which `broken` answers before what works does.
async fn with_fault(fault: &str, broken: fn(&Asked) -> Option<Reply>) -> (Verdict, String, String) {
    let world = World::start(move |asked| broken(asked).unwrap_or_else(|| well(asked))).await;
    let finding = found(fault, &world.check(world.login(steps()))).await;
    let (verdict, step, reason) = gist(&finding);
    (verdict, step.to_owned(), reason.to_owned())
}

/// One fault: what it is, how the platform answers then, and the step and reason to be found.
type Fault = (&'static str, fn(&Asked) -> Option<Reply>, &'static str, &'static str);

const WRONG: &str = "<p>Something went wrong";

const FAULTS: [Fault; 20] = [
    (
        "the login page is down",
        |it| (it.path == "/login").then(|| answer("503 Down", "", "")),
        "open",
        "status",
    ),
    (
        "the identity provider is down",
        |it| (it.path == "/login").then(|| to(&it.url("down.test", "/authorize"), "")),
        "open",
        "connect_refused",
    ),
    (
        "the identity provider is no more",
        |it| (it.path == "/login").then(|| to(&it.url("gone.test", "/authorize"), "")),
        "open",
        "resolve_not_found",
    ),
    (
        "the identity provider answers 200 with an error page",
        |it| (it.what() == "GET idp.test/authorize").then(|| page(WRONG)),
        "open",
        "html",
    ),
    (
        "the identity provider answers a login so",
        |it| (it.what() == "POST idp.test/authorize").then(|| page(WRONG)),
        "sign in",
        "body",
    ),
    (
        "the identity provider answers a login with 500",
        |it| (it.what() == "POST idp.test/authorize").then(|| answer("500 No", "", "")),
        "sign in",
        "status",
    ),
    (
        "the redirect goes to a wrong host",
        |it| match &*it.what() {
            "POST idp.test/authorize" => Some(to(&it.url("evil.test", "/home"), "")),
            "GET evil.test/home" => Some(page("<p>Welcome, Ana")),
            _ => None,
        },
        "sign in",
        "redirect_host",
    ),
    (
        "the redirect stays on its own host",
        |it| (it.path == "/login").then(|| page(FORM)),
        "open",
        "redirect_host",
    ),
    (
        "the redirects go in circles",
        |it| match &*it.what() {
            "GET desk.test/callback" => Some(to("/home", "")),
            "GET desk.test/home" => Some(to(&format!("/callback?{}", "code=c1&state=s1"), "")),
            _ => None,
        },
        "sign in",
        "redirect_loop",
    ),
    (
        "the redirects never end",
        |it| {
            (it.path == "/home" || it.path == "/callback")
                .then(|| to(&format!("/home?{}x", it.query), ""))
        },
        "sign in",
        "redirect_limit",
    ),
    (
        "the redirect is none",
        |it| (it.what() == "POST idp.test/authorize").then(|| answer("302 Found", "", "")),
        "sign in",
        "redirect_invalid",
    ),
    (
        "the redirect drops the state",
        |it| {
            (it.what() == "POST idp.test/authorize")
                .then(|| to(&it.url("desk.test", "/callback?code=c1"), ""))
        },
        "sign in",
        "status",
    ),
    (
        "the cookie is not set",
        |it| (it.path == "/callback").then(|| to("/home", "")),
        "sign in",
        "cookie",
    ),
    (
        "the cookie lacks an attribute",
        |it| {
            let line = "Set-Cookie: sid=x1; SameSite=Lax\r\n";
            (it.path == "/callback").then(|| to("/home", line))
        },
        "sign in",
        "cookie",
    ),
    (
        "the cookie is lost by the next hop",
        |it| {
            let line = "Set-Cookie: sid=x1; HttpOnly; SameSite=Lax; Path=/callback\r\n";
            (it.path == "/callback").then(|| to("/home", line))
        },
        "sign in",
        "body",
    ),
    (
        "the state's cookie is Strict and lost on the way back",
        |it| {
            let authorize = it.url("idp.test", "/authorize?state=s1&back=desk.test");
            let line = "Set-Cookie: state=s1; SameSite=Strict\r\n";
            (it.path == "/login").then(|| to(&authorize, line))
        },
        "sign in",
        "status",
    ),
    (
        "the form has changed",
        |it| {
            let changed = FORM.replace("name=user", "name=email");
            (it.what() == "GET idp.test/authorize").then(|| page(&changed))
        },
        "sign in",
        "form_not_found",
    ),
    (
        "the page after it is blank",
        |it| (it.path == "/home").then(|| page("<title>Welcome</title><div id=root></div>")),
        "sign in",
        "page_blank",
    ),
    (
        "the page after it says that something went wrong",
        |it| (it.path == "/home").then(|| page(WRONG)),
        "sign in",
        "body",
    ),
    (
        "what is behind the login is broken",
        |it| (it.path == "/conversation").then(|| json("{\"text\":\"\"}")),
        "read",
        "json",
    ),
];

#[tokio::test]
async fn every_fault_has_its_step_and_reason() {
    for (fault, broken, step, reason) in FAULTS {
        let found = with_fault(fault, broken).await;
        assert_eq!(found, (Verdict::Fail, step.to_owned(), reason.to_owned()), "{fault}");
    }
}
