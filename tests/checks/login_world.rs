//! A platform with single sign-on, in one process: an application at `desk.test` and an identity
//! provider at `idp.test`, which is another site. It can be broken in every way that is known.

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use farol::check::Prober;
use farol::clock::Clock;
use farol::config::{
    Account, Action, Addresses, Check, CheckKind, Chosen, ClockLimits, CookieExpect, Extract,
    ExtractFrom, HttpClient, HttpExpect, LoginCheck, LoginStep, PostBody, Secret, SecretRef,
    Secrets, Template, TemplatePart, UserName, Variable,
};
use farol::model::{Finding, Span, Vantage, Verdict};
use hickory_proto::op::{Message, OpCode, ResponseCode};
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::io::AsyncWriteExt;

use crate::asking::{check, observe_by, written};
use crate::name_server::{NameServer, THREE};
use crate::servers::{Server, listeners, read_request, serve_on};

/// What is answered to a request.
pub(crate) enum Reply {
    Text(String),
    Never,
}

pub(crate) fn page(body: &str) -> Reply {
    answer("200 OK", "Content-Type: text/html\r\n", body)
}

pub(crate) fn json(body: &str) -> Reply {
    answer("200 OK", "Content-Type: application/json\r\n", body)
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Reply {
    let length = body.len();
    Reply::Text(format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"))
}

pub(crate) fn to(location: &str, headers: &str) -> Reply {
    answer("302 Found", &format!("Location: {location}\r\n{headers}"), "")
}

/// One request, as a server sees it.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) query: String,
    /// The name of each is in small letters.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// The address that was asked.
    pub(crate) at: IpAddr,
    pub(crate) port: u16,
}

impl Asked {
    fn read(text: &str, at: std::net::SocketAddr) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap().split(' ');
        let (method, target) = (first.next().unwrap(), first.next().unwrap());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let host = headers.iter().find(|(name, _)| name == "host").unwrap().1.clone();
        Self {
            method: method.to_owned(),
            host: host.split(':').next().unwrap().to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body: body.to_owned(),
            at: at.ip(),
            port: at.port(),
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.header(name).is_empty()
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        let mut all = self.header("cookie").split("; ").filter_map(|pair| pair.split_once('='));
        all.find(|(own, _)| *own == name).map(|(_, value)| value)
    }

    /// A parameter of the query or a field of the form.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let text = format!("{}&{}", self.query, self.body);
        let mut all = url::form_urlencoded::parse(text.as_bytes());
        all.find(|(own, _)| own == name).map(|(_, value)| value.into_owned())
    }

    /// `METHOD host/path`, as a short word for it.
    pub(crate) fn what(&self) -> String {
        format!("{} {}{}", self.method, self.host, self.path)
    }

    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }
}

/// The whole of it, on the loopback.
pub(crate) struct World {
    pub(crate) port: u16,
    pub(crate) names: NameServer,
    asked: Arc<Mutex<Vec<Asked>>>,
    _servers: Vec<Server>,
}

impl World {
    /// `desk.test`, `idp.test` and `evil.test`, all answered by `answers`. `down.test` has an
    /// address that nobody listens on.
    pub(crate) async fn start(
        answers: impl Fn(&Asked) -> Reply + Clone + Send + Sync + 'static,
    ) -> Self {
        let mut addresses: Vec<IpAddr> = vec!["127.0.0.1".parse().unwrap()];
        addresses.extend(THREE.iter().map(|text| text.parse::<IpAddr>().unwrap()));
        let asked: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let servers: Vec<Server> = listeners(&addresses)
            .await
            .into_iter()
            .map(|listener| {
                let (answers, asked) = (answers.clone(), asked.clone());
                serve_on(listener, move |mut stream| {
                    let (answers, asked) = (answers.clone(), asked.clone());
                    async move {
                        let text = read_request(&mut stream).await;
                        let one = Asked::read(&text, stream.local_addr().unwrap());
                        let reply = answers(&one);
                        asked.lock().unwrap().push(one);
                        match reply {
                            // A prober that has its reason does not wait for the rest.
                            Reply::Text(text) => drop(stream.write_all(text.as_bytes()).await),
                            Reply::Never => std::future::pending().await,
                        }
                    }
                })
            })
            .collect();
        let names = NameServer::start_with("127.0.0.1:0".parse().unwrap(), resolve).await;
        Self { port: servers[0].port(), names, asked, _servers: servers }
    }

    /// What was asked, in the order in which it came.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    pub(crate) fn what(&self) -> Vec<String> {
        self.asked().iter().map(Asked::what).collect()
    }

    pub(crate) fn url(&self, host: &str, path: &str) -> String {
        format!("http://{host}:{}{path}", self.port)
    }

    /// A flow that begins at `desk.test`, of one account.
    pub(crate) fn login(&self, steps: Vec<LoginStep>) -> LoginCheck {
        LoginCheck {
            url: self.url("desk.test", "/").parse().unwrap(),
            steps,
            accounts: vec![account("ana")],
            max_body: 1 << 20,
            addresses: Addresses::Any,
            max_clock_skew: ClockLimits {
                degraded: Span::from_secs(300),
                failed: Span::from_secs(3600),
                jump: None,
                drift: None,
            },
            certificate: None,
            client: HttpClient::default(),
        }
    }

    pub(crate) fn check(&self, login: LoginCheck) -> Check {
        let mut check = check(CheckKind::Login(Box::new(login)));
        check.resolvers = Arc::from([self.names.address.into()]);
        check
    }
}

fn resolve(question: &Message, _: Option<usize>) -> Vec<Vec<u8>> {
    let asked = question.queries[0].clone();
    let mut answer = Message::response(question.metadata.id, OpCode::Query);
    answer.add_query(asked.clone());
    let addresses: &[&str] = match asked.name.to_string().to_lowercase().as_str() {
        "desk.test." | "idp.test." | "evil.test." => &["127.0.0.1"],
        "three.test." => &THREE,
        "down.test." => &["127.0.3.3"],
        "public.test." => &["203.0.113.7"],
        _ => &[],
    };
    if addresses.is_empty() {
        answer.metadata.response_code = ResponseCode::NXDomain;
    }
    for address in addresses.iter().filter(|_| asked.query_type == RecordType::A) {
        let data = RData::from(address.parse::<IpAddr>().unwrap());
        answer.add_answer(Record::from_rdata(asked.name.clone(), 300, data));
    }
    vec![answer.to_vec().unwrap()]
}

pub(crate) fn account(name: &str) -> Account {
    Account {
        label: format!("account of {name}").into(),
        user: UserName::Plain(name.into()),
        password: password_of(name),
        totp: None,
    }
}

fn password_of(name: &str) -> SecretRef {
    SecretRef::Env(format!("PASSWORD_OF_{name}"))
}

/// What `name` logs in with.
pub(crate) fn password(name: &str) -> String {
    format!("hush {name}!")
}

pub(crate) fn prober() -> Prober {
    let names = ["ana", "bia", "caio"];
    let mut secrets: Vec<(SecretRef, Secret)> =
        names.iter().map(|name| (password_of(name), Secret::new(password(name)))).collect();
    let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    secrets.push((SecretRef::Env("SEED".to_owned()), Secret::new(seed)));
    let secrets = Secrets::new(secrets);
    Prober::with_roots(Clock::start(), Vantage::new("here"), secrets, &[]).unwrap()
}

/// Runs `check` once; says what was found of `fault`.
pub(crate) async fn found(fault: &str, check: &Check) -> Finding {
    found_by(&prober(), fault, check).await
}

pub(crate) async fn found_by(prober: &Prober, fault: &str, check: &Check) -> Finding {
    let observation = observe_by(prober, check).await;
    for finding in &observation.findings {
        tell(fault, finding);
    }
    assert_eq!(observation.findings.len(), 1, "{observation:?}");
    observation.findings.into_iter().next().unwrap()
}

/// A line of the table of faults. Whatever was found, no secret is in it.
pub(crate) fn tell(fault: &str, finding: &Finding) {
    let reason =
        finding.reason.as_ref().map_or("none".to_owned(), |it| format!("{}: {it}", it.name()));
    let step = finding.step.as_deref().unwrap_or("-");
    #[expect(clippy::print_stdout, reason = "`--nocapture` shows the table")]
    {
        println!("{fault:<55} → {:<8} {step:<14} {reason}", finding.verdict);
    }
    assert!(!format!("{finding:?}").contains("hush"), "{finding:?}");
}

/// What `finding` says, as (verdict, step, reason's name).
pub(crate) fn gist(finding: &Finding) -> (Verdict, &str, &str) {
    let reason = finding.reason.as_ref().map_or("", |reason| reason.name());
    (finding.verdict, finding.step.as_deref().unwrap_or(""), reason)
}

/// A text with variables in it.
pub(crate) fn text(written: &str) -> Template {
    let mut parts = Vec::new();
    let mut rest = written;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap();
        parts.push(TemplatePart::Text(before.into()));
        parts.push(TemplatePart::Variable(match name.split_once(' ').unwrap_or((name, "")) {
            ("user", _) => Variable::User,
            ("password", _) => Variable::Password,
            ("totp", _) => Variable::Totp,
            ("run", _) => Variable::Run,
            ("random", name) => Variable::Random(name.into()),
            ("challenge", name) => Variable::Challenge(name.into()),
            (name, _) => Variable::Extracted(name.into()),
        }));
        rest = after;
    }
    parts.push(TemplatePart::Text(rest.into()));
    Template(parts)
}

pub(crate) fn step(name: &str, action: Action) -> LoginStep {
    LoginStep {
        name: name.into(),
        action,
        expect: HttpExpect::default(),
        max_redirects: 10,
        via: Vec::new(),
        stay_on: Vec::new(),
        until: None,
        cookies: Vec::new(),
        extract: Vec::new(),
        same: Vec::new(),
        tokens: Vec::new(),
        rejected: None,
        degraded_over: None,
        optional: false,
        always: false,
    }
}

pub(crate) fn get(name: &str, url: &str) -> LoginStep {
    step(name, Action::Get { url: text(url), query: Vec::new(), headers: Vec::new() })
}

pub(crate) fn post(name: &str, url: &str, fields: &[(&str, &str)]) -> LoginStep {
    let body = PostBody::Form(filled(fields));
    step(name, Action::Post { url: text(url), headers: Vec::new(), body })
}

pub(crate) fn submit(name: &str, form: &str, fields: &[(&str, &str)]) -> LoginStep {
    step(name, Action::Submit { form: chosen(form), fields: filled(fields) })
}

fn filled(fields: &[(&str, &str)]) -> Vec<(String, Template)> {
    fields.iter().map(|(name, value)| ((*name).to_owned(), text(value))).collect()
}

pub(crate) fn chosen(select: &str) -> Chosen {
    Chosen { written: select.into(), select: scraper::Selector::parse(select).unwrap() }
}

pub(crate) fn take(name: &str, from: ExtractFrom) -> Extract {
    Extract { name: name.into(), from }
}

pub(crate) fn cookie(name: &str) -> CookieExpect {
    CookieExpect {
        name: name.to_owned(),
        secure: None,
        http_only: None,
        same_site: None,
        value: None,
    }
}

/// What an answer must be like, as a probe file says it.
pub(crate) fn expect(settings: &str) -> HttpExpect {
    let CheckKind::Http(http) = written("http://desk.test/", settings, "").kind else {
        panic!("a check of another kind");
    };
    http.expect
}
