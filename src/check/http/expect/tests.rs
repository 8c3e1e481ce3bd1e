//! Expectations as a probe file writes them, held against answers.

use ::http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::{GoOn, Part, judge};
use crate::check::http::Answer;
use crate::config::{CheckKind, HttpCheck, SourceFile, parse};
use crate::model::{Phase, Reason, Timestamp};

/// A check that expects `settings`.
fn check(settings: &str) -> HttpCheck {
    let text = format!(
        "[platform]\nname = 'Blip'\n[[component]]\nname = 'Desk'\n[[component.check]]\n\
         name = 'Desk answers'\nhttp = {{ url = 'https://desk.example/a/b?c', {settings} }}\n"
    );
    let config = parse(&[SourceFile { name: "blip.toml".into(), text }]);
    let config = config.unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let (_, _, check) = config.checks().next().unwrap();
    let CheckKind::Http(http) = &check.kind else { panic!("an http check") };
    (**http).clone()
}

fn answer(headers: &[(&'static str, &'static str)], body: &[u8]) -> Answer {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
        .collect();
    let (sent, received) =
        (Timestamp::from_secs(1_700_000_000), Timestamp::from_secs(1_700_000_001));
    Answer {
        status: 200,
        version: crate::config::HttpVersion::OneOne,
        headers,
        body: body.into(),
        sent,
        received,
    }
}

fn judged_while(settings: &str, answer: &Answer, go_on: GoOn<'_>) -> Result<Vec<Part>, Reason> {
    let check = check(settings);
    judge(&check.expect, answer, &check.url, go_on)
}

/// The reason in words, empty for none.
fn of_body(settings: &str, body: &str) -> String {
    let judged = judged_while(settings, &answer(&[], body.as_bytes()), &|| true);
    judged.err().map(|reason| format!("{}: {reason}", reason.name())).unwrap_or_default()
}

fn of_json(expect: &str, body: &str) -> String {
    of_body(&format!("json = {{ {expect} }}"), body)
}

fn of_page(body: &str) -> Result<Vec<Part>, Reason> {
    judged_while("page = true", &answer(&[("content-type", "text/html")], body.as_bytes()), &|| {
        true
    })
}

#[test]
fn headers() {
    let came = [("server", "nginx/1.27"), ("vary", "a"), ("vary", "b"), ("set-cookie", "s=hush")];
    let words = |expect: &str| {
        let settings = format!("expect_headers = {{ {expect} }}");
        let judged = judged_while(&settings, &answer(&came, b""), &|| true);
        judged.err().map(|reason| reason.to_string()).unwrap_or_default()
    };
    for met in [
        "Server = { matches = '^nginx' }",
        "Vary = 'b'",
        "Vary = { exists = true }",
        "X-Powered-By = { exists = false }",
    ] {
        assert_eq!(words(met), "", "{met}");
    }
    for (unmet, reason) in [
        ("Server = 'nginx'", "expected header server equals \"nginx\", got \"nginx/1.27\""),
        ("X-A = { matches = 'a' }", "expected header x-a matches a, got none"),
        ("X-A = { exists = true }", "expected header x-a exists, got none"),
        ("Vary = { exists = false }", "expected header vary does not exist, got \"a\""),
        ("Set-Cookie = 'a'", "expected header set-cookie equals \"a\", got another"),
    ] {
        assert_eq!(words(unmet), reason, "{unmet}");
    }
}

#[test]
fn the_final_url_is_told_without_what_may_be_secret_in_it() {
    let judged = |settings: &str, url: &str| {
        let url: Url = url.parse().unwrap();
        judge(&check(settings).expect, &answer(&[], b""), &url, &|| true).err()
    };
    let here = "final_url = 'https://desk.example/home'";
    assert_eq!(judged(here, "https://desk.example/home"), None);
    let got = |got: &str| Some(Reason::FinalUrl { got: got.into() });
    let there = "https://me:hush@login.example/?token=hush#hush";
    assert_eq!(judged(here, there), got("https://login.example/?..."));
    assert_eq!(judged("final_url = { matches = '/home$' }", "https://a.example/home"), None);
    let elsewhere = judged("final_url = { matches = '/home$' }", "https://a.example/login");
    assert_eq!(elsewhere, got("https://a.example/login"));
}

#[test]
fn texts_and_sizes() {
    for (settings, reason) in [
        ("excludes = 'error'", ""),
        ("excludes = 'well'", "body: the body does not satisfy: excludes \"well\""),
        ("not_matches = '(?i)ERROR'", ""),
        ("not_matches = 'w.ll'", "body: the body does not satisfy: does not match w.ll"),
        ("size = { at_least = '11B', at_most = '11B' }", ""),
        ("size = { at_least = '12B' }", "body_size: the body has 11 bytes"),
        ("size = { at_most = '10B' }", "body_size: the body has 11 bytes"),
    ] {
        assert_eq!(of_body(settings, "all is well"), reason, "{settings}");
    }
}

const DESK: &str = r#"{"status":"ok","n":5,"big":9007199254740993,"agents":[{"id":1,"up":true},
    {"id":2,"up":false}],"none":null,"empty":[]}"#;

#[test]
fn values_that_are_as_they_should_be() {
    for met in [
        "path = '$.status', equals = 'ok'",
        "path = '$.n', equals = 5.0, above = 4, below = 5.5, at_least = 5, at_most = 5",
        "path = '$.big', equals = 9007199254740993, above = 9007199254740992",
        "path = '$.agents[*].id', below = 3, count = 2",
        "path = '$.agents[0]', equals = { id = 1, up = true }",
        "path = '$.agents[?@.up == true].id', equals = 1",
        "path = '$.agents[*].up', matches = '^(true|false)$'",
        "path = '$.n', matches = '^5$'",
        "path = '$.none'",
        "path = '$.empty', equals = []",
        "path = '$.error', exists = false",
        "path = '$.empty[*]', count = 0",
        "path = '$.empty[*]', equals = 1, count = { at_most = 9 }",
    ] {
        assert_eq!(of_json(met, DESK), "", "{met}");
    }
}

#[test]
fn values_that_are_not() {
    for (unmet, reason) in [
        ("path = '$.missing'", "expected $.missing exists, got nothing"),
        ("path = '$.missing', equals = 0", "expected $.missing exists, got nothing"),
        ("path = '$.missing', at_least = 0", "expected $.missing exists, got nothing"),
        ("path = '$.missing', max_age = '1h'", "expected $.missing exists, got nothing"),
        ("path = '$.empty[*]', max_age = '1h'", "expected $.empty[*] exists, got nothing"),
        ("path = '$.n', exists = false", "expected $.n does not exist, got 1 value"),
        ("path = '$.agents[*]', count = 3", "expected $.agents[*] exists 3 times, got 2 values"),
        ("path = '$.status', equals = 'OK'", "expected $.status equals \"OK\", got \"ok\""),
        ("path = '$.n', equals = '5'", "expected $.n equals \"5\", got 5"),
        ("path = '$.n', below = 5", "expected $.n below 5, got 5"),
        ("path = '$.n', above = 5", "expected $.n above 5, got 5"),
        ("path = '$.status', above = 5", "expected $.status above 5, got \"ok\""),
        (
            "path = '$.agents[*].id', at_most = 1",
            "expected $.agents[*].id (2 of 2) at_most 1, got 2",
        ),
        ("path = '$.none', matches = '.'", "expected $.none matches ., got null"),
        ("path = '$.agents', matches = '.'", "expected $.agents matches ., got a list of 2"),
        ("path = '$', equals = 1", "expected $ equals 1, got an object of 6"),
        (
            "path = '$.big', equals = 9007199254740992",
            "expected $.big equals 9007199254740992, got 9007199254740993",
        ),
    ] {
        assert_eq!(of_json(unmet, DESK), format!("json: {reason}"), "{unmet}");
    }
    let words = of_json("path = '$'", "<html>");
    assert!(words.starts_with("malformed_answer: malformed answer: not JSON: "), "{words}");
}

#[test]
fn records_are_judged_by_the_time_of_the_answer() {
    let fresh = "path = '$.at', max_age = '10m', max_ahead = '30s'";
    for (at, reason) in [
        ("1700000000", ""),
        ("\"2023-11-14T22:13:20Z\"", ""),
        ("1699999000", "record_stale: the record at $.at is 16m 39s old"),
        ("1731536000", "record_ahead: the record at $.at is dated 364d 23h in the future"),
        ("\"soon\"", "record_no_time: the record at $.at has no time but \"soon\""),
    ] {
        assert_eq!(of_json(fresh, &format!("{{\"at\":{at}}}")), reason, "{at}");
    }
}

const LOGIN: &str = "<!doctype html><title>Desk</title><form id=login><p>User<p>Pass \n word\
    <button type=submit>Log <b>in</b></button><script>'Trace'</script></form>";

#[test]
fn elements() {
    for (expect, reason) in [
        ("select = '#login'", ""),
        ("select = 'form > p', count = 2", ""),
        ("select = 'p', contains = ['User', 'Pass word']", ""),
        ("select = 'button[type=submit]', matches = '^Log in$'", ""),
        ("select = '.error', exists = false", ""),
        ("select = 'title', contains = 'Desk'", ""),
        ("select = '#logout'", "#logout exists"),
        ("select = '#login', exists = false", "#login does not exist, got 1"),
        ("select = 'p', count = { at_least = 3 }", "p exists at least 3 times, got 2"),
        ("select = 'p', contains = ['User', 'Mail']", "p contains \"Mail\""),
        ("select = 'p', matches = '^in$'", "p matches ^in$"),
        ("select = '#login', contains = 'Trace'", "#login contains \"Trace\""),
    ] {
        let words = of_body(&format!("html = [{{ {expect} }}]"), LOGIN);
        let reason = match reason {
            "" => String::new(),
            reason => format!("html: the HTML does not satisfy: {reason}"),
        };
        assert_eq!(words, reason, "{expect}");
    }
}

#[test]
fn html_that_is_made_to_cost_much_costs_little() {
    let any = "html = { select = 'div div div b' }";
    let deep = of_body(any, &"<div>".repeat(800_000));
    assert!(deep.contains("nests deeper than 512"), "{deep}");
    let fostered = of_body(any, &format!("<table>{}", "<b>".repeat(800_000)));
    assert!(fostered.contains("nests deeper than 512"), "{fostered}");
    let many = of_body(any, &"<b></b>".repeat(500_000));
    assert!(many.contains("more than 200000"), "{many}");
    // As many attributes in one element take time that grows with their square.
    let attributes: String = (0..500_000).map(|n| format!("a{n} ")).collect();
    let pieces = std::cell::Cell::new(10);
    let go_on = || {
        pieces.set(pieces.get() - 1);
        pieces.get() > 0
    };
    let answer = answer(&[], format!("<b {attributes}>").as_bytes());
    let judged = judged_while(any, &answer, &go_on);
    assert_eq!(judged, Err(Reason::Timeout { phase: Phase::Transfer }));
}

#[test]
fn a_page_shows_something_or_will() {
    let app = "<script src=app.js></script>";
    for shows in [
        "<p>Hello".to_owned(),
        "<img src=a.png>".to_owned(),
        "<form><input></form>".to_owned(),
        "<svg></svg>".to_owned(),
        format!("<div id=root></div>{app}"),
        format!("<app-root></app-root>{app}"),
        format!("<head>{app}</head><body><main id=app><!-- soon --></main>"),
        "<div id=root></div><script>draw()</script>".to_owned(),
        format!("<body style='display: none'><p>Hello</p>{app}"),
        "<meta http-equiv=refresh content='0; url=/home'>".to_owned(),
    ] {
        assert!(of_page(&shows).is_ok(), "{shows}");
    }
    for blank in [
        "".to_owned(),
        "<!doctype html><title>Desk</title><body></body>".to_owned(),
        "<body> \n &nbsp; <!-- Hello --></body>".to_owned(),
        app.to_owned(),
        format!("<div></div>{app}"),
        "<div id=root></div>".to_owned(),
        "<div id=root></div><script type=application/json>{}</script>".to_owned(),
        "<div id=root></div><script nomodule src=old.js></script>".to_owned(),
        format!("<noscript>You need scripts</noscript>{app}"),
        format!("<template><div id=root>Hello</div></template>{app}"),
        "<style>body::before { content: 'Hello' }</style>".to_owned(),
        "<p hidden>Hello</p>".to_owned(),
        "<input type=hidden>".to_owned(),
    ] {
        assert_eq!(of_page(&blank), Err(Reason::PageBlank), "{blank}");
    }
}

#[test]
fn what_a_page_names_is_what_a_browser_would_load() {
    let page = "<head><base href='/base/'><base href='/other/'>
        <link rel='stylesheet preload' href=' one.css '><link rel=preload as=script href=not.js>
        <link rel='alternate stylesheet' href=not.css><link rel=stylesheet media=print href=not.css>
        <link rel=STYLESHEET href='//cdn.example:8080/two.css?v=1' integrity=x><link rel=icon href=i>
        <link rel=stylesheet disabled href=not.css><link rel=stylesheet href='data:text/css,a'>
        <script src=one.js></script><script src='one.js#again' async></script>
        <script type=module src=https://desk.example/app.mjs></script>
        <script type=text/template src=not.js></script><script nomodule src=not.js></script>
        <template><script src=not.js></script></template><noscript><link rel=stylesheet
        href=not.css></noscript><script src></script></head><body>Hello";
    let named: Vec<String> = of_page(page)
        .unwrap()
        .into_iter()
        .map(|part| format!("{:?} {}", part.kind, part.url))
        .collect();
    let expected = [
        "Stylesheet https://desk.example/base/one.css",
        "Stylesheet https://cdn.example:8080/two.css?v=1",
        "Script https://desk.example/base/one.js",
        "Module https://desk.example/app.mjs",
    ];
    assert_eq!(named, expected);
    let many: String = (0..99).map(|n| format!("<script src={n}.js></script>")).collect();
    assert_eq!(of_page(&format!("Hello{many}")).unwrap().len(), 50);
    let reason = of_page("Hello<script src='http://['></script>").unwrap_err();
    assert_eq!(reason.name(), "page_part");
}

#[test]
fn a_page_is_html() {
    let reason =
        judged_while("page = true", &answer(&[("content-type", "text/plain")], b"Hi"), &|| true);
    assert_eq!(reason.unwrap_err().name(), "header");
    assert_eq!(judged_while("page = true", &answer(&[], b"Hi"), &|| true), Ok(Vec::new()));
}

#[test]
fn what_stands_in_for_a_script_is_none() {
    use super::page::Kind::{Module, Script, Stylesheet};
    for (kind, headers, suits) in [
        (Script, vec![("content-type", "text/javascript; charset=utf-8")], true),
        (Script, vec![("content-type", "Application/X-JavaScript")], true),
        (Script, vec![], true),
        (Script, vec![("content-type", "text/plain")], true),
        (
            Script,
            vec![("content-type", "text/plain"), ("x-content-type-options", "NoSniff")],
            false,
        ),
        (Script, vec![("content-type", "text/html")], false),
        (Script, vec![("content-type", "application/json")], false),
        (Module, vec![("content-type", "text/javascript")], true),
        (Module, vec![("content-type", "text/plain")], false),
        (Module, vec![], false),
        (Stylesheet, vec![("content-type", "text/css")], true),
        (Stylesheet, vec![], true),
        (Stylesheet, vec![("content-type", "text/html")], false),
    ] {
        let result = kind.suits(&answer(&headers, b"").headers);
        assert_eq!(result.is_ok(), suits, "{kind:?} {headers:?}");
    }
}
