//! A target that sends back whatever it was told, in every place that an answer has, and the probe
//! file that plants a secret in every place that a request has.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::logins::{self, LOGINS, SEED};

/// What every secret begins and ends with; what is between is there to be spelt in odd ways.
pub(crate) const BEGIN: &str = "Zq7Hx9plw";
pub(crate) const END: &str = "Vk3Tail8m";

/// The secrets that are kept in the environment.
const PLANTED: [(&str, &str); 8] = [
    ("PASSWORD", "Zq7Hx9plw/\"&%+ é\\Vk3Tail8m"),
    // One that can be a host's name.
    ("API_KEY", "Zq7Hx9plw-key-Vk3Tail8m"),
    ("BEARER", "Zq7Hx9plw.~+/Vk3Tail8m=="),
    ("CLIENT_SECRET", "Zq7Hx9plw:cl&ient%Vk3Tail8m"),
    ("STATUS_KEY", "Zq7Hx9plw-status-Vk3Tail8m"),
    ("PROXY_PASSWORD", "Zq7Hx9plw@pro:xyVk3Tail8m"),
    ("USER_NAME", "Zq7Hx9plw.user+1@Vk3Tail8m"),
    ("SEED", SEED),
];

/// The same for a process.
pub(crate) fn environment() -> impl Iterator<Item = (&'static str, &'static str)> {
    PLANTED.into_iter()
}

/// What the server gives, which is as secret.
const TOKEN: &str = "Zq7Hx9plw-token-Vk3Tail8m";
const COOKIE: &str = "Zq7Hx9plw-cookie-Vk3Tail8m";
const CSRF: &str = "Zq7Hx9plw-csrf-Vk3Tail8m";

/// What farol has made up and sent: nobody knows it before.
static MADE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// All of that so far.
pub(crate) fn made() -> BTreeSet<String> {
    MADE.lock().unwrap().clone()
}

/// Secrets that are kept in files.
pub(crate) const BODY: &str = r#"{"user": "probe", "password": "Zq7Hx9plw \"body\" Vk3Tail8m"}"#;
pub(crate) const API_TOKEN: &str = "Zq7Hx9plw-api-token-Vk3Tail8m";

/// Checks whose reasons would tell a secret: what each is called, what it asks, and which reason it
/// has. A line each; `ADDRESS` is the server's.
const CHECKS: [(&str, &str, &str); 16] = [
    (
        "basic",
        "http = { url = 'http://ADDRESS/json', BASIC, json = { path = '$.head', equals = 1 } }",
        "json",
    ),
    (
        "bearer",
        "http = { url = 'http://ADDRESS/json', bearer = { env = 'BEARER' }, json = { path = '$.head', equals = 1 } }",
        "json",
    ),
    (
        "header",
        "http = { url = 'http://ADDRESS/head', KEY, expect_headers = { X-Echo = '1' } }",
        "header",
    ),
    (
        "key",
        "http = { url = 'http://ADDRESS/json', KEY, json = { path = '$.key', equals = '1' } }",
        "json",
    ),
    (
        "form",
        "http = { url = 'http://ADDRESS/form', BASIC, expect_headers = { X-Echo = '1' } }",
        "header",
    ),
    (
        "token",
        "http = { url = 'http://ADDRESS/json', OAUTH2, json = { path = '$.head', equals = '1' } }",
        "json",
    ),
    (
        "no-token",
        "http = { url = 'http://ADDRESS/json', oauth2 = { token_url = 'http://ADDRESS/encoding', client_id = 'probe', client_secret = { env = 'CLIENT_SECRET' } } }",
        "token_unavailable",
    ),
    (
        "cookie",
        "http = { url = 'http://ADDRESS/cookie', redirects = 5, json = { path = '$.head', equals = '1' } }",
        "json",
    ),
    (
        "path",
        "http = { url = 'http://ADDRESS/path', KEY, redirects = 5, final_url = 'http://x.example/' }",
        "final_url",
    ),
    ("away", "http = { url = 'http://ADDRESS/away', KEY, redirects = 5 }", "resolve_not_found"),
    ("page", "http = { url = 'http://ADDRESS/page', KEY, page = true }", "page_part"),
    ("type", "http = { url = 'http://ADDRESS/type', KEY, page = true }", "header"),
    ("encoding", "http = { url = 'http://ADDRESS/encoding', KEY }", "body_encoding"),
    (
        "record",
        "http = { url = 'http://ADDRESS/json', KEY, json = { path = '$.key', max_age = '1h' } }",
        "record_no_time",
    ),
    (
        "body",
        "http = { url = 'http://ADDRESS/json', method = 'POST', body = { file = 'DIR/body' }, json = { path = '$.body', equals = '1' } }",
        "json",
    ),
    (
        "proxy",
        "http = { url = 'https://x.example/', proxy = { url = 'http://ADDRESS', user = 'probe', password = { env = 'PROXY_PASSWORD' } } }",
        "proxy_denied",
    ),
];

/// The same of all checks, logins too.
pub(crate) fn checks() -> impl Iterator<Item = (&'static str, String, &'static str)> {
    let logins = LOGINS.iter().map(|(name, steps, reason)| (*name, logins::check(steps), *reason));
    CHECKS.iter().map(|(name, check, reason)| (*name, (*check).to_owned(), *reason)).chain(logins)
}

/// The probe file, in `dir` with the files that it needs.
pub(crate) fn write(dir: &Path, address: SocketAddr) {
    std::fs::write(dir.join("body"), BODY).unwrap();
    std::fs::write(dir.join("api-token"), API_TOKEN).unwrap();
    let mut text = "[platform]\nname = 'Hostile'\nresolvers = ['NAMES']\n\
                    [defaults]\ninterval = '1s'\ntimeout = '5s'\n"
        .to_owned();
    for (name, check, _) in checks() {
        text += &format!(
            "[[component]]\nname = '{name}'\n[[component.check]]\nname = '{name}'\n{check}\n"
        );
    }
    let text = text
        .replace("resolvers = ['NAMES']\n", "")
        .replace("BASIC", "basic = { user = 'probe', password = { env = 'PASSWORD' } }")
        .replace("KEY,", "headers = { X-Api-Key = { env = 'API_KEY' } },")
        .replace("KEY }", "headers = { X-Api-Key = { env = 'API_KEY' } } }")
        .replace("OAUTH2", "oauth2 = { token_url = 'http://ADDRESS/token', client_id = 'probe', client_secret = { env = 'CLIENT_SECRET' } }")
        .replace("ADDRESS", &address.to_string())
        .replace("DIR", &dir.display().to_string());
    std::fs::write(dir.join("p.toml"), text).unwrap();
}

/// A probe file whose incidents are published to the server, as if it were a status API; it answers
/// at `path`.
pub(crate) fn write_published(dir: &Path, address: SocketAddr, path: &str) {
    let text = format!(
        "[platform]\nname = 'Shop'\n[defaults]\ninterval = '1s'\n\
         [publish.statuspage]\npage = 'p'\ntoken = {{ env = 'STATUS_KEY' }}\n\
         url = 'http://{address}{path}'\nrequests_per_second = 100\n\
         [[component]]\nname = 'A'\nstatuspage_id = 'a'\n\
         [[component.check]]\nname = 'a'\ntcp = '127.0.0.1:1'\n"
    );
    std::fs::write(dir.join("s.toml"), text).unwrap();
}

/// Starts the server.
pub(crate) async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn answer(mut stream: TcpStream) {
    let mut read = Vec::new();
    while !is_whole(&read) && stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {}
    let request = String::from_utf8_lossy(&read).into_owned();
    // The client may have had enough.
    let _ = stream.write_all(answer_to(&request).as_bytes()).await;
}

fn is_whole(read: &[u8]) -> bool {
    let text = String::from_utf8_lossy(read);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    body.len() >= header(head, "content-length").parse().unwrap_or(0)
}

fn header<'h>(head: &'h str, name: &str) -> &'h str {
    let values = head.lines().filter_map(|line| line.split_once(": "));
    let mut named = values.filter(|(known, _)| known.eq_ignore_ascii_case(name));
    named.next().map_or("", |(_, value)| value)
}

/// Keeps what was made up for this request.
fn note_made(path: &str, body: &str) {
    let url: url::Url = format!("http://x{path}").parse().unwrap();
    let mut made: Vec<String> = url.query_pairs().map(|(_, value)| value.into_owned()).collect();
    let json: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    let fields = ["otp", "made"].into_iter().filter_map(|name| json[name].as_str());
    made.extend(fields.map(str::to_owned));
    let form = url::form_urlencoded::parse(body.as_bytes());
    made.extend(form.filter(|(name, _)| name == "otp").map(|(_, value)| value.into_owned()));
    MADE.lock().unwrap().extend(made.into_iter().filter(|text| text.len() >= 8));
}

/// A token whose claims are secret as they are encoded.
fn token() -> String {
    let part = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}.{TOKEN}", part("{\"alg\":\"RS256\"}"), part(&format!("{{\"sub\":\"{TOKEN}\"}}")))
}

fn answer_to(request: &str) -> String {
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((request, ""));
    let path = head.split(' ').nth(1).unwrap_or_default();
    if path.starts_with("/json") {
        note_made(path, body);
    }
    let key = header(head, "x-api-key");
    let all = head.replace("\r\n", " | ");
    let said = serde_json::json!({ "head": all, "key": key, "body": body }).to_string();
    // What comes first is all that is quoted.
    let shown = serde_json::json!({ "error": header(head, "authorization") }).to_string();
    let echo = format!("X-Echo: {all}\r\nSet-Cookie: sid={COOKIE}; Path=/; HttpOnly\r\n");
    let (status, more, body) = match path.split('?').next().unwrap_or_default() {
        _ if head.starts_with("CONNECT") => {
            return format!("HTTP/1.1 403 {}\r\n\r\n", header(head, "proxy-authorization"));
        }
        "/login" => (200, "Content-Type: text/html\r\n".to_owned(), login_page()),
        "/jwt" => (200, String::new(), format!("{{\"id\":\"{}\"}}", token())),
        "/token" => (200, String::new(), format!("{{\"access_token\":\"{TOKEN}\"}}")),
        "/form" => {
            // The password as a form, as a browser would have it in a URL.
            let user = header(head, "authorization").trim_start_matches("Basic ");
            let user = data_encoding::BASE64.decode(user.as_bytes()).unwrap_or_default();
            let form: String = url::form_urlencoded::byte_serialize(&user).collect();
            return format!("HTTP/1.1 200 OK\r\nX-Echo: {form}\r\nContent-Length: 0\r\n\r\n");
        }
        "/cookie" => (302, "Location: /json\r\n".to_owned(), String::new()),
        "/path" => (302, format!("Location: /to/{key}/?code={key}#{key}\r\n"), String::new()),
        "/away" => (302, format!("Location: http://{key}.invalid/{key}\r\n"), String::new()),
        "/page" => (200, "Content-Type: text/html\r\n".to_owned(), page(key)),
        "/type" => (200, format!("Content-Type: x/{key}\r\n"), page(key)),
        // Who asks for a token shows no key.
        "/encoding" => {
            let key = Some(key).filter(|key| !key.is_empty());
            let key = key.unwrap_or_else(|| header(head, "authorization"));
            (200, format!("Content-Encoding: {key}\r\n"), "x".to_owned())
        }
        // An API that is none, and one that does not want us, or what we ask for.
        path if path.starts_with("/odd/") => (200, String::new(), shown),
        path if path.starts_with("/not-us/") => (401, String::new(), shown),
        path if path.starts_with("/not-so/") => (422, String::new(), shown),
        path if path.starts_with("/js/") => (404, String::new(), String::new()),
        _ => (200, String::new(), said),
    };
    let length = body.len();
    format!("HTTP/1.1 {status} {key}\r\n{more}{echo}Content-Length: {length}\r\n\r\n{body}")
}

fn page(key: &str) -> String {
    format!(
        "<p>A page that shows enough to be one, {key}</p><script src='/js/{key}.js?{key}'></script>"
    )
}

fn login_page() -> String {
    let hidden = format!("<input type=hidden name=x value='{CSRF}'>");
    format!("<form method=post action=/json>{hidden}<input name=user><input name=otp></form>")
}
