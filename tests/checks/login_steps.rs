//! What the steps of a flow can do, beside logging in: each by itself, against a small application.

use farol::config::{
    Action, Auth, ExtractFrom, JsonTemplate, LoginStep, PostBody, SecretRef, Template,
    TemplateHeader, TemplatePart, Totp, TotpAlgorithm, Variable,
};
use farol::model::{Reason, Span, Verdict};

use http::header::AUTHORIZATION;

use crate::login_world::{
    Asked, Reply, World, account, answer, chosen, expect, found, get, gist, json, page, post, step,
    submit, take, text, to,
};

/// Runs `steps` against an application that answers with `answers`.
async fn run(
    about: &str,
    steps: Vec<LoginStep>,
    answers: fn(&Asked) -> Reply,
) -> (farol::model::Finding, Vec<Asked>) {
    let world = World::start(answers).await;
    let finding = found(about, &world.check(world.login(steps))).await;
    (finding, world.asked())
}

fn paths(asked: &[Asked]) -> Vec<&str> {
    asked.iter().map(|asked| asked.path.as_str()).collect()
}

fn broken(asked: &Asked) -> Reply {
    if asked.path.ends_with("broken") { answer("500 No", "", "") } else { page("<p>Hello") }
}

#[tokio::test]
async fn a_step_may_fail_if_it_is_optional() {
    let mut hint = get("hint", "/broken");
    hint.optional = true;
    hint.extract = vec![take("hint", ExtractFrom::Header("x-hint".parse().unwrap()))];
    let steps = vec![hint, get("next", "/next?hint={{hint}}")];
    let (finding, asked) = run("an optional step fails", steps, broken).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    assert_eq!((paths(&asked), &*asked[1].query), (vec!["/broken", "/next"], "hint="));
}

#[tokio::test]
async fn some_steps_are_done_in_any_case() {
    let mut clean = get("clean", "/clean/broken");
    clean.always = true;
    let mut log_out = get("log out", "/out");
    log_out.always = true;
    let steps = vec![get("one", "/broken"), get("two", "/two"), clean.clone(), log_out];
    let (finding, asked) = run("the first step fails, and a later one", steps, broken).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "one", "status"));
    assert_eq!(paths(&asked), ["/broken", "/clean/broken", "/out"]);
    let (finding, _) = run("cleaning up fails", vec![get("one", "/one"), clean], broken).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "clean", "status"));
}

#[tokio::test]
async fn a_step_that_is_slow_degrades() {
    let mut slow = get("slow", "/slow");
    slow.degraded_over = Some(Span::ZERO);
    let steps = vec![get("quick", "/"), slow.clone()];
    let (finding, _) = run("a step is slow", steps, broken).await;
    assert_eq!(gist(&finding), (Verdict::Degraded, "slow", "slow"));
    let took = finding.reason.clone();
    assert!(matches!(took, Some(Reason::Slow { took }) if took < finding.phases.total()));
    slow.optional = true;
    let (finding, _) = run("an optional step is slow", vec![slow], broken).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    let world = World::start(broken).await;
    let mut check = world.check(world.login(vec![get("quick", "/")]));
    check.degraded_over = Some(Span::ZERO);
    let finding = found("the whole flow is slow", &check).await;
    assert_eq!(gist(&finding), (Verdict::Degraded, "", "slow"));
}

#[tokio::test]
async fn a_flow_waits_no_longer_than_it_may() {
    let world = World::start(broken).await;
    let wait = |span| step("wait", Action::Sleep(span));
    let short = world.login(vec![wait(Span::from_millis(1)), get("then", "/then")]);
    assert_eq!(found("a short rest", &world.check(short)).await.verdict, Verdict::Pass);
    let mut check = world.check(world.login(vec![wait(Span::from_secs(3600)), get("then", "/")]));
    check.timeout = Span::from_millis(300);
    let finding = found("a long rest", &check).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "wait", "transfer_timeout"));
}

#[tokio::test]
async fn an_answer_can_be_looked_at_again() {
    let mut look = step("look", Action::Look);
    look.expect = expect("html = [{ select = 'b', contains = 'token' }]");
    look.extract = vec![take("token", ExtractFrom::Css(chosen("b"), None))];
    let answers = |_: &Asked| page("<p>The <b>token</b>");
    let steps = vec![get("open", "/"), look, get("next", "/{{token}}")];
    let (finding, asked) = run("looking again", steps, answers).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    assert_eq!(paths(&asked), ["/", "/token"]);
}

fn totp() -> Totp {
    Totp {
        seed: SecretRef::Env("SEED".to_owned()),
        digits: 8.try_into().unwrap(),
        period: Span::from_secs(30),
        algorithm: TotpAlgorithm::Sha1,
    }
}

#[tokio::test]
async fn one_time_passwords() {
    let is_one = |asked: &Asked| {
        let code = asked.field("code").unwrap();
        code.len() == 8 && code.bytes().all(|byte| byte.is_ascii_digit())
    };
    let send = || post("send", "/code", &[("code", "{{totp}}")]);
    let world = World::start(broken).await;
    let mut login = world.login(vec![send()]);
    login.accounts = vec![farol::config::Account { totp: Some(totp()), ..account("ana") }];
    assert_eq!(found("an account's own", &world.check(login)).await.verdict, Verdict::Pass);
    let login = world.login(vec![step("make", Action::Totp(totp())), send()]);
    assert_eq!(found("one that a step makes", &world.check(login)).await.verdict, Verdict::Pass);
    assert_eq!(world.asked().len(), 2);
    assert!(world.asked().iter().all(is_one), "{:?}", world.asked());
    let finding = found("no seed", &world.check(world.login(vec![send()]))).await;
    assert_eq!(gist(&finding), (Verdict::Inconclusive, "send", "prober_misconfigured"));
}

#[tokio::test]
async fn what_is_written_can_be_read_back_and_cleaned_up() {
    let note = JsonTemplate::Object(vec![
        ("text".to_owned(), JsonTemplate::Text(text("canary {{run}}"))),
        ("pinned".to_owned(), JsonTemplate::Plain(true.into())),
    ]);
    let write = |name| {
        let body = PostBody::Json(note.clone());
        step(name, Action::Post { url: text("/notes"), headers: Vec::new(), body })
    };
    let mut read = get("read", "/notes/{{id}}?run={{run}}");
    read.extract = vec![take("note", ExtractFrom::Regex(regex::Regex::new("canary .*").unwrap()))];
    read.same = vec![("note".into(), text("canary {{run}}"))];
    let mut write = write("write");
    let id = serde_json_path::JsonPath::parse("$.id").unwrap();
    write.extract = vec![take("id", ExtractFrom::Json("$.id".to_owned(), id))];
    let mut clean = post("clean", "/notes/{{id}}/delete", &[]);
    clean.always = true;
    let steps = vec![write, read, clean];
    let answers = |asked: &Asked| match asked.method.as_str() {
        "POST" if asked.path == "/notes" => json("{\"id\":7}"),
        "POST" => answer("204 Gone", "", ""),
        _ => page(&format!("canary {}", asked.field("run").unwrap())),
    };
    let (finding, asked) = run("a canary", steps.clone(), answers).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    assert_eq!(paths(&asked), ["/notes", "/notes/7", "/notes/7/delete"]);
    let sent: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    let run_of = asked[1].field("run").unwrap();
    assert_eq!(sent, serde_json::json!({ "text": format!("canary {run_of}"), "pinned": true }));
    assert_eq!(asked[0].header("content-type"), "application/json");
    let lost = |asked: &Asked| match asked.path.as_str() {
        "/notes" => json("{\"id\":7}"),
        _ => page("canary of yesterday"),
    };
    let (finding, _) = run("a canary of another run", steps.clone(), lost).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "read", "extract_differs"));
    // What is not known is not removed: its address would be that of something else.
    let refused = |_: &Asked| answer("500 No", "", "");
    let (finding, asked) = run("no canary is written", steps, refused).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "write", "status"));
    assert_eq!(paths(&asked), ["/notes"]);
}

#[tokio::test]
async fn what_is_secret_goes_to_its_own_origin_only() {
    let world = World::start(|asked| match &*asked.what() {
        "GET desk.test/me" => to(&asked.url("evil.test", "/me"), ""),
        _ => page("<p>Hello"),
    })
    .await;
    let key = TemplateHeader::Template(text("{{password}}"));
    let action = Action::Get {
        url: text("/me"),
        query: Vec::new(),
        headers: vec![("x-key".parse().unwrap(), key)],
    };
    let elsewhere = world.url("idp.test", "/");
    let mut login = world.login(vec![step("me", action), get("elsewhere", &elsewhere)]);
    let password = SecretRef::Env("PASSWORD_OF_ana".to_owned());
    login.client.auth = Some(Auth::Basic { user: "farol".to_owned(), password });
    assert_eq!(found("who hears secrets", &world.check(login)).await.verdict, Verdict::Pass);
    let heard: Vec<_> = world
        .asked()
        .iter()
        .map(|it| (it.host.clone(), it.has("x-key"), it.has("authorization")))
        .collect();
    let of = |host: &str, heard| (host.to_owned(), heard, heard);
    assert_eq!(heard, [of("desk.test", true), of("evil.test", false), of("idp.test", false)]);
}

#[tokio::test]
async fn what_a_step_sends() {
    let seed = Variable::Secret(SecretRef::Env("SEED".to_owned()));
    let query = vec![
        ("to".to_owned(), text("a b&c")),
        ("key".to_owned(), Template(vec![TemplatePart::Variable(seed)])),
    ];
    let basic = |of_client| TemplateHeader::Basic {
        user: text("{{user}}:é"),
        password: text("{{password}}"),
        of_client,
    };
    let step = |query, of_client| {
        let headers = vec![(AUTHORIZATION, basic(of_client))];
        step("ask", Action::Get { url: text("/a?b=1"), query, headers })
    };
    let steps = vec![step(query, true), step(Vec::new(), false)];
    let (finding, asked) = run("a query, a name and a password", steps, broken).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    assert_eq!(asked[0].query, "b=1&to=a+b%26c&key=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    assert_eq!(asked[1].query, "b=1");
    let sent = |at: usize| {
        let encoded = asked[at].header("authorization").strip_prefix("Basic ").unwrap();
        String::from_utf8(data_encoding::BASE64.decode(encoded.as_bytes()).unwrap()).unwrap()
    };
    assert_eq!(sent(0), "ana%3A%C3%A9:hush+ana%21");
    assert_eq!(sent(1), "ana:é:hush ana!");
}

#[tokio::test]
async fn a_form_that_another_site_sends() {
    // As an identity provider does that answers with a form: only some cookies come along.
    let world = World::start(|asked| match &*asked.what() {
        "GET desk.test/login" => {
            let cookies = "Set-Cookie: lax=1; SameSite=Lax\r\nSet-Cookie: plain=2\r\n\
                           Set-Cookie: strict=3; SameSite=Strict\r\n";
            to(&asked.url("idp.test", "/"), cookies)
        }
        "GET idp.test/" => {
            let back = asked.url("desk.test", "/callback");
            page(&format!("<form method=post action={back}><input name=code value=c1></form>"))
        }
        "POST desk.test/callback" => to("/home", ""),
        _ => page("<p>Hello"),
    })
    .await;
    let steps = vec![get("open", "/login"), submit("back", "form", &[]), get("home", "/home")];
    let finding = found("cookies and sites", &world.check(world.login(steps))).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    let sent: Vec<_> =
        world.asked().iter().map(|it| (it.what(), it.header("cookie").to_owned())).collect();
    let of = |what: &str, cookies: &str| (what.to_owned(), cookies.to_owned());
    let expected = [
        of("GET desk.test/login", ""),
        of("GET idp.test/", ""),
        of("POST desk.test/callback", "plain=2"),
        of("GET desk.test/home", "lax=1; plain=2"),
        // Whoever types the address comes from no other site.
        of("GET desk.test/home", "lax=1; plain=2; strict=3"),
    ];
    assert_eq!(sent, expected);
    let origin = world.url("idp.test", "");
    assert_eq!(world.asked()[2].header("origin"), origin);
    assert_eq!(world.asked()[2].header("referer"), format!("{origin}/"));
}

#[tokio::test]
async fn a_large_page_is_a_page() {
    let answers = |asked: &Asked| match asked.method.as_str() {
        "GET" => page(&format!(
            "{}<form method=post action=/in><input type=hidden name=csrf value=t></form>",
            "<p>Hello</p>".repeat(20_000)
        )),
        _ => page(&asked.field("csrf").unwrap()),
    };
    let mut open = get("open", "/");
    let csrf = ExtractFrom::Css(chosen("[name=csrf]"), Some("value".to_owned()));
    open.extract = vec![take("csrf", csrf)];
    let mut send = submit("send", "form", &[]);
    send.expect = expect("contains = ['t']");
    let (finding, asked) = run("a large page", vec![open, send], answers).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    assert_eq!(asked[1].body, "csrf=t");
}

#[tokio::test]
async fn a_page_whose_parts_do_not_load() {
    let answers = |asked: &Asked| match asked.path.as_str() {
        "/home" => page("<p>Hello<script src=/app.js></script>"),
        _ => answer("404 Not Found", "", ""),
    };
    let mut home = get("home", "/home");
    home.expect = expect("page = true");
    let (finding, _) = run("a script does not load", vec![home], answers).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "home", "page_part"));
}

#[tokio::test]
async fn the_clock_of_the_entry_host() {
    let dated = |asked: &Asked| match asked.host.as_str() {
        "desk.test" => answer("200 OK", "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ""),
        _ => answer("200 OK", "", ""),
    };
    let world = World::start(dated).await;
    let elsewhere = get("elsewhere", &world.url("idp.test", "/"));
    let login = world.login(vec![elsewhere, get("home", "/")]);
    let finding = found("the clock is years behind", &world.check(login)).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "", "clock_skew"));
}

#[tokio::test]
async fn a_form_of_no_page() {
    let mut open = get("open", "/broken");
    open.optional = true;
    let steps = vec![open, submit("send", "#login", &[])];
    let (finding, _) =
        run("the page of the form did not come", steps, |_| Reply::Text(String::new())).await;
    assert_eq!(gist(&finding), (Verdict::Fail, "send", "form_not_found"));
}
