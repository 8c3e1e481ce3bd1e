//! A login with OpenID Connect, as a client with PKCE does it, and what its tokens can say wrongly.

use data_encoding::BASE64URL_NOPAD;
use farol::config::{
    Action, ExtractFrom, LoginCheck, LoginStep, SourceFile, TemplateHeader, TokenExpect, parse,
};
use farol::model::{Span, Verdict};
use serde_json::{Value, json};
use serde_json_path::JsonPath;
use sha2::{Digest, Sha256};

use crate::login_world::{
    Asked, Reply, World, answer, expect, found, get, gist, json, page, post, step, submit, take,
    text, to,
};

const YEAR: i64 = 365 * 24 * 3600;

fn now() -> i64 {
    farol::clock::Clock::start().now().as_micros() / 1_000_000
}

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(claims))
}

/// The identity provider, whose tokens say what `change` makes of what they should.
fn provider(asked: &Asked, change: Change) -> Reply {
    let field = |name| asked.field(name).unwrap_or_default();
    match &*asked.what() {
        "GET idp.test/.well-known/openid-configuration" => json(
            &json!({
                "issuer": asked.url("idp.test", ""),
                "authorization_endpoint": asked.url("idp.test", "/auth"),
                "token_endpoint": asked.url("idp.test", "/token"),
            })
            .to_string(),
        ),
        "GET idp.test/auth" => {
            // A code that remembers by itself what it was asked with.
            let code = format!("{}.{}", field("nonce"), field("code_challenge"));
            page(&format!(
                "<form method=post action=/auth><input type=hidden name=code value={code}>\
                 <input type=hidden name=state value={}><input type=hidden name=back value='{}'>\
                 <input name=login><input name=password type=password></form>",
                field("state"),
                field("redirect_uri")
            ))
        }
        "POST idp.test/auth" => {
            let back = url::Url::parse_with_params(
                &field("back"),
                [("code", field("code")), ("state", field("state"))],
            );
            to(back.unwrap().as_str(), "")
        }
        "POST idp.test/token" => {
            let code = field("code");
            let (nonce, challenge) = code.split_once('.').unwrap();
            let verifier = Sha256::digest(field("code_verifier").as_bytes());
            if BASE64URL_NOPAD.encode(&verifier) != challenge || !asked.header("origin").is_empty()
            {
                return answer("400 Bad Request", "", "");
            }
            let mut claims = json!({
                "iss": asked.url("idp.test", ""), "aud": ["farol"], "nonce": nonce,
                "iat": now(), "exp": now() + 300,
            });
            change(&mut claims);
            json(&json!({ "id_token": jwt(&claims), "access_token": "hush" }).to_string())
        }
        "GET desk.test/me" => match asked.header("authorization") {
            "Bearer hush" => json("{\"name\":\"Ana\"}"),
            _ => answer("401 Unauthorized", "", ""),
        },
        _ => answer("404 Not Found", "", ""),
    }
}

fn path(path: &str) -> ExtractFrom {
    ExtractFrom::Json(path.to_owned(), JsonPath::parse(path).unwrap())
}

fn flow(world: &World) -> LoginCheck {
    let back = world.url("desk.test", "/callback");
    let discovery = world.url("idp.test", "/.well-known/openid-configuration");
    let mut discover = get("discover", &discovery);
    discover.extract = ["issuer", "authorization_endpoint", "token_endpoint"]
        .map(|name| take(name, path(&format!("$.{name}"))))
        .into();
    let open = get(
        "authorize",
        &format!(
            "{{{{authorization_endpoint}}}}?response_type=code&client_id=farol&redirect_uri={back}\
             &scope=openid&state={{{{random state}}}}&nonce={{{{random nonce}}}}\
             &code_challenge={{{{challenge verifier}}}}&code_challenge_method=S256"
        ),
    );
    let fields = [("login", "{{user}}"), ("password", "{{password}}")];
    let mut sign_in = submit("sign in", "form", &fields);
    sign_in.until = Some(text(&back));
    sign_in.extract =
        ["code", "state"].map(|name| take(name, ExtractFrom::UrlParam(name.to_owned()))).into();
    sign_in.same = vec![("state".into(), text("{{random state}}"))];
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", "{{code}}"),
        ("redirect_uri", &back),
        ("code_verifier", "{{random verifier}}"),
    ];
    let mut token = post("token", "{{token_endpoint}}", &fields);
    token.extract =
        ["id_token", "access_token"].map(|name| take(name, path(&format!("$.{name}")))).into();
    token.tokens = vec![TokenExpect {
        token: text("{{id_token}}"),
        issuer: Some(text("{{issuer}}")),
        audience: Some(text("farol")),
        nonce: Some(text("{{random nonce}}")),
        leeway: Span::from_secs(60),
    }];
    world.login(vec![discover, open, sign_in, token, me()])
}

fn me() -> LoginStep {
    let bearer = TemplateHeader::Template(text("Bearer {{access_token}}"));
    let mut me = step(
        "me",
        Action::Get {
            url: text("/me"),
            query: Vec::new(),
            headers: vec![(http::header::AUTHORIZATION, bearer)],
        },
    );
    me.expect = expect("json = [{ path = '$.name', equals = 'Ana' }]");
    me
}

#[tokio::test]
async fn a_login_with_a_token_tells_the_time() {
    let world = World::start(|asked| provider(asked, |_| {})).await;
    let finding = found("nothing", &world.check(flow(&world))).await;
    assert_eq!(gist(&finding), (Verdict::Pass, "", ""));
    // No answer had a date: what is known of a clock, the token has said.
    assert!(finding.clock.unwrap().certain() == Span::ZERO, "{:?}", finding.clock);
    // The callback is where the flow stops: it is the application's, and was not asked.
    assert!(world.what().iter().all(|what| what != "GET desk.test/callback"));
    let world =
        World::start(|asked| provider(asked, |claims| claims["iat"] = json!(now() + 40))).await;
    let finding = found("a token within its leeway", &world.check(flow(&world))).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    let ahead = finding.clock.unwrap();
    assert!(ahead.certain() > Span::ZERO && ahead.at_least < 41_000_000, "{ahead:?}");
}

/// What a token says instead of what it should, and the reason to be found.
type Change = fn(&mut Value);

const TOKENS: [(&str, Change, &str); 9] = [
    ("a token of another issuer", |it| it["iss"] = json!("http://evil.test"), "token_claim"),
    ("a token for another audience", |it| it["aud"] = json!("crm"), "token_claim"),
    ("a token of another login", |it| it["nonce"] = json!("n"), "token_claim"),
    (
        "a token whose times are a year ahead",
        |it| {
            it["iat"] = json!(now() + YEAR);
            it["exp"] = json!(now() + YEAR + 300);
        },
        "token_time",
    ),
    (
        "a token whose times are a year behind",
        |it| {
            it["iat"] = json!(now() - YEAR);
            it["exp"] = json!(now() - YEAR + 300);
        },
        "token_time",
    ),
    ("a token that is good only later", |it| it["nbf"] = json!(now() + 600), "token_time"),
    ("a token that has just expired", |it| it["exp"] = json!(now() - 120), "token_time"),
    ("a token with a time that is none", |it| it["exp"] = json!("soon"), "token_time"),
    ("a token that is none", |it| *it = json!([]), "token_claim"),
];
#[tokio::test]
async fn what_tokens_can_say_wrongly() {
    for (fault, change, reason) in TOKENS {
        let world = World::start(move |asked| provider(asked, change)).await;
        let finding = found(fault, &world.check(flow(&world))).await;
        assert_eq!(gist(&finding), (Verdict::Fail, "token", reason), "{fault}");
    }
}

/// What is answered instead of what should be; then the step and reason to be found.
type Broken = fn(&Asked) -> Option<Reply>;

const ON_THE_WAY: [(&str, Broken, &str, &str); 7] = [
    (
        "the discovery says less than it should",
        |it| it.path.starts_with("/.well-known").then(|| json("{}")),
        "discover",
        "extract_missing",
    ),
    (
        "the discovery leads nowhere",
        |it| {
            let said = json!({
                "issuer": "x", "authorization_endpoint": "mailto:x", "token_endpoint": "x"
            });
            it.path.starts_with("/.well-known").then(|| json(&said.to_string()))
        },
        "authorize",
        "malformed_answer",
    ),
    (
        "the state is dropped",
        |it| {
            let back = it.field("back")? + "?code=c.1";
            (it.what() == "POST idp.test/auth").then(|| to(&back, ""))
        },
        "sign in",
        "extract_missing",
    ),
    (
        "the state is another",
        |it| {
            let back = it.field("back")? + "?code=c.1&state=other";
            (it.what() == "POST idp.test/auth").then(|| to(&back, ""))
        },
        "sign in",
        "extract_differs",
    ),
    (
        "the provider shows its form again",
        |it| (it.what() == "POST idp.test/auth").then(|| page("<form>Once more</form>")),
        "sign in",
        "final_url",
    ),
    (
        "the code is of another challenge",
        |it| {
            let state = it.field("state")?;
            let back = it.field("back")? + "?code=c.1&state=" + &state;
            (it.what() == "POST idp.test/auth").then(|| to(&back, ""))
        },
        "token",
        "status",
    ),
    (
        "there is no token in the answer",
        |it| (it.path == "/token").then(|| json("{\"access_token\":\"hush\"}")),
        "token",
        "extract_missing",
    ),
];
#[tokio::test]
async fn what_can_go_wrong_on_the_way_to_a_token() {
    for (fault, broken, step, reason) in ON_THE_WAY {
        let world =
            World::start(move |asked| broken(asked).unwrap_or_else(|| provider(asked, |_| {})))
                .await;
        let finding = found(fault, &world.check(flow(&world))).await;
        assert_eq!(gist(&finding), (Verdict::Fail, step, reason), "{fault}");
    }
}

#[tokio::test]
async fn the_entry_host_is_a_better_witness_than_a_token() {
    let date = || {
        let since = std::time::Duration::from_secs(u64::try_from(now() + 120).unwrap());
        httpdate::fmt_http_date(std::time::UNIX_EPOCH + since)
    };
    let world = World::start(move |asked| match asked.path.as_str() {
        "/me" => answer("200 OK", &format!("Date: {}\r\n", date()), "{\"name\":\"Ana\"}"),
        _ => provider(asked, |_| {}),
    })
    .await;
    let finding = found("a clock that is two minutes fast", &world.check(flow(&world))).await;
    assert_eq!(finding.verdict, Verdict::Pass);
    assert!(finding.clock.unwrap().certain() > Span::from_secs(60), "{:?}", finding.clock);
}

/// The short form of this flow, as a probe file has it, through the whole program.
#[tokio::test]
async fn the_short_form_of_it() {
    let world = World::start(|asked| provider(asked, |_| {})).await;
    let (desk, idp) = (world.url("desk.test", ""), world.url("idp.test", ""));
    let text = format!(
        "[platform]\nname = 'Test'\n[[component]]\nname = 'Test'\n[[component.check]]\n\
         name = 'A login'\ntimeout = '20s'\n[component.check.login]\nurl = '{desk}'\n\
         account = {{ user = 'ana', password = {{ env = 'PASSWORD_OF_ana' }} }}\n\
         oidc = {{ issuer = '{idp}', client_id = 'farol', redirect_uri = '{desk}/callback', \
         form = {{ user_field = 'login' }} }}\nsteps = [{{ name = 'me', get = '/me', \
         headers = {{ Authorization = 'Bearer {{{{access_token}}}}' }}, contains = 'Ana' }}]\n"
    );
    let file = SourceFile { name: "test.toml".into(), text };
    let config = parse(&[file]).unwrap_or_else(|error| panic!("{}", error.render(false, 100)));
    let mut check = config.checks().next().unwrap().2.clone();
    check.resolvers = [world.names.address.into()].into();
    let finding = found("nothing, as a probe file has it", &check).await;
    assert_eq!(gist(&finding), (Verdict::Pass, "", ""));
    assert_eq!(world.what().last().unwrap(), "GET desk.test/me");
}
