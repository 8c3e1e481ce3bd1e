//! A login by single sign-on: that it works, and that what it cannot do in time, through one
//! backend or for one account is told as that.

use std::net::IpAddr;

use farol::config::{Addresses, LoginStep, Rejection, SameSite, StatusSet};
use farol::model::{Reason, Span, Subject, Verdict};

use crate::asking::observe_by;
use crate::login_world::{
    Asked, Reply, World, account, answer, cookie, expect, found, found_by, get, gist, json, page,
    password, post, prober, submit, tell, to,
};
use crate::name_server::THREE;

pub(crate) const FORM: &str = "<title>Sign in</title><form id=login method=post action=/authorize>\
    <input type=hidden name=csrf value=token><input type=hidden name=state value=STATE>\
    <input name=user><input type=password name=password><button>Sign in</button></form>";

/// The platform as it is when nothing is wrong.
pub(crate) fn well(asked: &Asked) -> Reply {
    let lost = || answer("403 Forbidden", "", "");
    match &*asked.what() {
        "GET desk.test/login" | "GET three.test/login" => {
            let back = asked.host.clone();
            let authorize = asked.url("idp.test", &format!("/authorize?state=s1&back={back}"));
            to(&authorize, "Set-Cookie: state=s1; HttpOnly; SameSite=Lax\r\n")
        }
        "GET idp.test/authorize" => {
            let state = format!(
                "{} {}",
                asked.field("state").unwrap_or_default(),
                asked.field("back").unwrap_or_default()
            );
            answer(
                "200 OK",
                "Content-Type: text/html\r\nSet-Cookie: visit=v1; HttpOnly; SameSite=Strict\r\n",
                &FORM.replace("STATE", &format!("'{state}'")),
            )
        }
        "POST idp.test/authorize" => {
            let is_own = asked.header("origin") == asked.url("idp.test", "")
                && asked.header("referer").starts_with(&asked.url("idp.test", "/authorize?"));
            let is_known = asked
                .field("user")
                .is_some_and(|user| asked.field("password") == Some(password(&user)));
            let csrf = asked.field("csrf").as_deref() == Some("token");
            match () {
                () if !is_own || !csrf || asked.cookie("visit") != Some("v1") => lost(),
                () if !is_known => page("<p class=error>Wrong password"),
                () => {
                    let state = asked.field("state").unwrap();
                    let (state, back) = state.split_once(' ').unwrap();
                    to(&asked.url(back, &format!("/callback?code=c1&state={state}")), "")
                }
            }
        }
        "GET desk.test/callback" | "GET three.test/callback" => {
            if asked.cookie("state") != asked.field("state").as_deref() {
                return answer("400 Bad Request", "", "");
            }
            to("/home", "Set-Cookie: sid=x1; HttpOnly; SameSite=Lax\r\n")
        }
        "GET desk.test/home" | "GET three.test/home" => match asked.cookie("sid") {
            Some("x1") => page("<p>Welcome, Ana"),
            _ => to("/login", ""),
        },
        "GET desk.test/conversation" | "GET three.test/conversation" => {
            if asked.cookie("sid") == Some("x1") { json("{\"text\":\"hello\"}") } else { lost() }
        }
        "POST desk.test/logout" | "POST three.test/logout" => answer("204 Gone", "", ""),
        _ => answer("404 Not Found", "", ""),
    }
}

pub(crate) fn steps() -> Vec<LoginStep> {
    let mut open = get("open", "/login");
    open.via = vec!["idp.test".to_owned()];
    open.expect = expect("html = [{ select = 'form' }]");
    let mut sign_in =
        submit("sign in", "form", &[("user", "{{user}}"), ("password", "{{password}}")]);
    sign_in.via = vec!["desk.test".to_owned()];
    sign_in.expect = expect("page = true, contains = ['Welcome']");
    sign_in.rejected = Some(Rejection {
        status: StatusSet(Vec::new()),
        contains: vec!["Wrong password".to_owned(), "is locked".to_owned()],
        html: Vec::new(),
    });
    let mut sid = cookie("sid");
    sid.http_only = Some(true);
    sid.same_site = Some(SameSite::Lax);
    sign_in.cookies = vec![sid];
    let mut read = get("read", "/conversation");
    read.expect = expect("json = [{ path = '$.text', equals = 'hello' }]");
    let mut log_out = post("log out", "/logout", &[]);
    log_out.always = true;
    vec![open, sign_in, read, log_out]
}

#[tokio::test]
async fn a_login_that_works() {
    let world = World::start(well).await;
    let finding = found("nothing", &world.check(world.login(steps()))).await;
    assert_eq!(gist(&finding), (Verdict::Pass, "", ""));
    let hops: Vec<String> = finding
        .hops
        .iter()
        .map(|hop| format!("{} {} {}", hop.step.as_deref().unwrap(), hop.host, hop.status.unwrap()))
        .collect();
    let expected = [
        "open desk.test 302",
        "open idp.test 200",
        "sign in idp.test 302",
        "sign in desk.test 302",
        "sign in desk.test 200",
        "read desk.test 200",
        "log out desk.test 204",
    ];
    assert_eq!(hops, expected);
    assert!(finding.hops.iter().all(|hop| hop.phases.total() > Span::ZERO));
    // Each name is looked up once in a run, for IPv4 and IPv6.
    assert_eq!(world.names.asked(), 4);
}

#[tokio::test]
async fn an_identity_provider_that_is_slow() {
    let world = World::start(|asked| match asked.host.as_str() {
        "idp.test" => Reply::Never,
        _ => well(asked),
    })
    .await;
    let mut check = world.check(world.login(steps()));
    check.timeout = Span::from_secs(4);
    let finding = found("the identity provider is slow", &check).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "open", "first_byte_timeout"));
    // Even then somebody logs out, in the time that is kept for it.
    assert_eq!(world.what().last().unwrap(), "POST desk.test/logout");
    let last = finding.hops.last().unwrap();
    assert_eq!((last.step.as_deref(), last.status), (Some("log out"), Some(204)));
}

#[tokio::test]
async fn a_flow_that_exceeds_its_time_in_its_third_step() {
    let world = World::start(|asked| match asked.path.as_str() {
        "/conversation" => Reply::Never,
        _ => well(asked),
    })
    .await;
    let mut check = world.check(world.login(steps()));
    check.timeout = Span::from_secs(4);
    let finding = found("the flow exceeds its time in step 3", &check).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "read", "first_byte_timeout"));
    assert_eq!(world.what().last().unwrap(), "POST desk.test/logout");
}

#[tokio::test]
async fn one_backend_of_three() {
    let world = World::start(|asked| {
        let is_second = asked.at == THREE[1].parse::<IpAddr>().unwrap();
        if is_second && asked.path == "/callback" {
            return answer("500 No", "", "");
        }
        well(asked)
    })
    .await;
    let mut login = world.login(steps());
    login.url = world.url("three.test", "/").parse().unwrap();
    login.addresses = Addresses::All;
    login.steps[1].via = vec!["three.test".to_owned()];
    let findings = observe_by(&prober(), &world.check(login)).await.findings;
    let expected =
        [(Verdict::Pass, "", ""), (Verdict::Fail, "sign in", "status"), (Verdict::Pass, "", "")];
    for ((finding, expected), address) in findings.iter().zip(expected).zip(THREE) {
        tell("only one of three backends fails", finding);
        assert_eq!(finding.subject, Subject::Address(address.parse().unwrap()));
        assert_eq!(gist(finding), expected);
    }
    // Each flow is all of one backend.
    for (at, logouts) in [(THREE[0], 1), (THREE[1], 1), (THREE[2], 1)] {
        let at: IpAddr = at.parse().unwrap();
        let there = world.asked().into_iter().filter(|it| it.at == at && it.path == "/logout");
        assert_eq!(there.count(), logouts, "{at}");
    }
}

#[tokio::test]
async fn a_locked_account_is_an_outage_only_if_all_are() {
    let world = World::start(|asked| {
        let locked = asked.field("user").is_some_and(|user| user != "bia");
        if asked.what() == "POST idp.test/authorize" && locked {
            return page("<p>Your account is locked");
        }
        well(asked)
    })
    .await;
    let mut login = world.login(steps());
    let finding = found("the account is locked, the only one", &world.check(login.clone())).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "sign in", "credentials_rejected"));
    login.accounts = vec![account("ana"), account("caio")];
    let finding = found("all accounts are locked", &world.check(login.clone())).await;
    let both = "account of ana, account of caio".to_owned();
    assert_eq!(finding.reason, Some(Reason::CredentialsRejected { account: both }));
    assert_eq!(finding.verdict, Verdict::Fail);
    login.accounts = vec![account("ana"), account("bia")];
    let (prober, check) = (prober(), world.check(login));
    let finding = found_by(&prober, "one account of two is locked", &check).await;
    assert_eq!(gist(&finding), (Verdict::Degraded, "sign in", "credentials_rejected"));
    let ana = "account of ana".to_owned();
    assert_eq!(finding.reason, Some(Reason::CredentialsRejected { account: ana }));
    // The next run begins with the next account.
    let finding = found_by(&prober, "the other account of the two", &check).await;
    assert_eq!(gist(&finding), (Verdict::Pass, "", ""));
}

#[tokio::test]
async fn nobody_is_rejected_where_nobody_logs_in() {
    let world = World::start(|_| page("<p>Wrong password")).await;
    let mut look = get("look", "/");
    look.rejected = steps()[1].rejected.clone();
    let mut login = world.login(vec![look]);
    login.accounts.clear();
    assert_eq!(found("no account", &world.check(login)).await.verdict, Verdict::Pass);
}

#[tokio::test]
async fn a_host_that_is_not_to_be_asked_is_not_asked() {
    let world = World::start(|asked| match &*asked.what() {
        "POST idp.test/authorize" => {
            let evil = asked.url("evil.test", "/authorize");
            answer("307 Go", &format!("Location: {evil}\r\n"), "")
        }
        _ => well(asked),
    })
    .await;
    let mut login = world.login(steps());
    login.steps[1].stay_on = vec!["idp.test".to_owned(), "desk.test".to_owned()];
    let finding = found("the redirect takes the password elsewhere", &world.check(login)).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "sign in", "redirect_host"));
    assert!(world.asked().iter().all(|asked| asked.host != "evil.test"));
}

#[tokio::test]
async fn the_login_page_is_not_there_at_all() {
    let world = World::start(well).await;
    let mut login = world.login(steps());
    login.url = world.url("down.test", "/").parse().unwrap();
    let finding = found("the application is down", &world.check(login)).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "open", "connect_refused"));
}
