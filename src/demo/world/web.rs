//! The web servers: what each answers, and what is wrong with it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_TYPE, COOKIE, DATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::super::fault::{Break, Loss, What};
use super::answer::{Answer, Part};
use super::login::{self, Fields};
use super::site::{Site, Sort, TENANTS};
use super::wire::{form, http_date, server};
use super::wrong::{Active, Asked, Wrong};
use crate::clock::Clock;
use crate::model::Timestamp;

/// One backend of one service.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) site: &'static Site,
    /// Which one, counted from 1.
    pub(super) backend: u8,
    /// The true time.
    clock: Clock,
    origins: Arc<BTreeMap<&'static str, String>>,
    wrong: watch::Receiver<Wrong>,
}

/// A request, as far as it matters.
struct Heard {
    method: Method,
    path: String,
    fields: Fields,
    cookies: String,
    tenant: Option<&'static str>,
}

impl Node {
    pub(super) fn new(
        site: &'static Site,
        backend: u8,
        clock: Clock,
        origins: Arc<BTreeMap<&'static str, String>>,
        wrong: watch::Receiver<Wrong>,
    ) -> Self {
        Self { site, backend, clock, origins, wrong }
    }

    /// What this server takes for the time.
    fn now(&self) -> Timestamp {
        let off = self.wrong.borrow().clock(self.site.name, self.backend);
        Timestamp::from_micros(self.clock.now().as_micros().saturating_add(off))
    }

    /// Comes back when it is this connection's turn: never, where the network is cut.
    pub(super) async fn wait_in_line(&self) {
        let (cut, wait) = {
            let wrong = self.wrong.borrow();
            (wrong.is_cut(), wrong.line(self.site.name, self.backend))
        };
        if cut {
            std::future::pending::<()>().await;
        }
        hold(wait).await;
    }
}

/// Waits for `time`. A timer takes a millisecond even for no time at all, and a story has tens of
/// thousands of answers that are not late.
async fn hold(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}

/// Serves one connection until the client leaves.
pub(super) async fn serve(node: Arc<Node>, stream: TcpStream) {
    let service = service_fn(move |request| {
        let node = Arc::clone(&node);
        async move { Ok::<_, Infallible>(respond(&node, request).await) }
    });
    // A client that says nonsense or vanishes ends its own connection and nothing else.
    let _ = server().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(node: &Node, request: Request<Incoming>) -> Response<Part> {
    let heard = match hear(request).await {
        Ok(heard) => heard,
        Err(text) => return dress(node, Answer::text(StatusCode::BAD_REQUEST, text), false),
    };
    let asked = Asked {
        service: node.site.name,
        backend: node.backend,
        tenant: heard.tenant,
        path: &heard.path,
    };
    let (here, late) = {
        let wrong = node.wrong.borrow();
        let here: Vec<Active> = wrong.of(asked).cloned().collect();
        (here, wrong.late(node.site.name))
    };
    let held: Duration = here
        .iter()
        .map(|one| if let What::Slow { delay } = one.fault.what { delay } else { Duration::ZERO })
        .sum();
    hold(held + late).await;
    let answer = spoil(answer(node, &heard, &here), &heard, &here);
    let stalls = here.iter().any(|one| matches!(one.fault.what, What::Stall {}));
    dress(node, answer, stalls)
}

async fn hear(request: Request<Incoming>) -> Result<Heard, &'static str> {
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().as_bytes().to_vec();
    let cookies = request.headers().get_all(COOKIE).iter();
    let cookies: Vec<&str> = cookies.filter_map(|value| value.to_str().ok()).collect();
    let cookies = cookies.join("; ");
    let fields = if method == Method::POST {
        Fields::of(&form(request.into_body()).await.ok_or("the body did not come")?)
    } else {
        Fields::of(&query)
    };
    let below = path.strip_prefix("/t/").and_then(|rest| rest.split('/').next());
    let of_path = TENANTS.into_iter().find(|tenant| below == Some(*tenant));
    let tenant = of_path.or_else(|| fields.tenant());
    Ok(Heard { method, path, fields, cookies, tenant })
}

/// What the server answers, if it is asked for something that it has. Faults of what it *knows* are
/// in here; those of how it says it are [`spoil`]'s.
fn answer(node: &Node, heard: &Heard, here: &[Active]) -> Answer {
    let now = node.clock.now();
    let path = heard.path.as_str();
    let broken = here.iter().find_map(|one| {
        let What::Redirect { how } = one.fault.what else { return None };
        Some(how)
    });
    match (node.site.sort, path) {
        (_, "/health") => {
            let time = node.now().to_rfc3339();
            Answer::json(&json!({ "status": "ok", "server": node.backend, "time": time }))
        }
        (Sort::Pages(_) | Sort::Identity, path) if path.ends_with(".js") => Answer::script(),
        (Sort::Pages(_) | Sort::Identity, path) if path.ends_with(".css") => Answer::style(),
        (Sort::Pages(title), _) => product(node, heard, (title, here)),
        (Sort::Identity, _) => identity(node, heard, broken),
        (Sort::Interfaces, "/reports/newest") => {
            let stopped = here.iter().find(|one| matches!(one.fault.what, What::FeedStops {}));
            let newest = stopped.map_or(now, |one| one.since);
            Answer::json(&json!({ "status": "ok", "newest_record": newest.to_rfc3339() }))
        }
        (Sort::Interfaces, path) => Answer::json(&json!({ "status": "ok", "of": path })),
        (Sort::Chat, _) => Answer::text(StatusCode::NOT_FOUND, "nobody speaks HTTP here"),
    }
}

fn product(node: &Node, heard: &Heard, (title, here): (&str, &[Active])) -> Answer {
    let now = node.clock.now();
    let below = heard.path.strip_prefix("/t/").and_then(|rest| rest.split_once('/'));
    match (heard.path.as_str(), heard.tenant, below) {
        ("/login", Some(tenant), _) => match node.origins.get("id") {
            Some(identity) => login::leave(identity, node.site.name, tenant),
            None => Answer::text(StatusCode::NOT_FOUND, "nobody can log in here"),
        },
        ("/callback", ..) => login::callback(&heard.fields, node.now(), now),
        ("/agents", ..) => agents(now, here),
        (_, Some(tenant), Some(_)) if !login::is_known(&heard.cookies, now) => {
            Answer::redirect(format!("/login?tenant={tenant}"))
        }
        (_, Some(tenant), Some((_, "conversations/probe"))) => conversation(tenant, here),
        (_, Some(tenant), Some((_, page))) => {
            let content =
                format!("<p>Signed in as probe of {tenant}.</p><p>Conversations {page}</p>");
            Answer::page(title, &content, &format!("/t/{tenant}/"))
        }
        ("/login", None, _) | (_, None, Some(_)) => {
            Answer::text(StatusCode::NOT_FOUND, "there is no such customer")
        }
        (_, _, None) => Answer::page(title, "<p>Welcome to what you came for.</p>", "/"),
    }
}

fn identity(node: &Node, heard: &Heard, broken: Option<Break>) -> Answer {
    match heard.path.as_str() {
        "/authorize" => login::authorize(&heard.fields, broken),
        "/session" if heard.method == Method::POST => {
            let origin = node.origins.get(heard.fields.get("product")).map(String::as_str);
            login::session(&heard.fields, origin, broken, node.clock.now())
        }
        "/elsewhere" => Answer::page("Sign in", "<p>Please wait.</p>", "/"),
        _ => Answer::text(StatusCode::NOT_FOUND, "there is no such page"),
    }
}

/// Three agents, and since when each is what they are.
fn agents(now: Timestamp, here: &[Active]) -> Answer {
    let dated = here.iter().find_map(|one| {
        let What::RecordsAhead { ahead } = one.fault.what else { return None };
        Some(one.since + ahead)
    });
    let minute = Duration::from_secs(60);
    let agents: Vec<_> = (1_u32..=3)
        .map(|n| {
            let since = dated.unwrap_or(now - minute * n).to_rfc3339();
            json!({ "name": format!("agent {n}"), "status": "online", "since": since })
        })
        .collect();
    Answer::json(&json!({ "agents": agents }))
}

/// The conversation that every customer has, so that it can be read back.
fn conversation(tenant: &str, here: &[Active]) -> Answer {
    let loss = here.iter().find_map(|one| {
        let What::History { how } = one.fault.what else { return None };
        Some(how)
    });
    let (subject, messages) = match loss {
        None => (format!("canary of {tenant}"), vec!["hello", "how can we help?", "thank you"]),
        Some(Loss::Wrong) => ("another one".to_owned(), vec!["good evening"]),
        Some(Loss::Missing) => (format!("canary of {tenant}"), vec![]),
        Some(Loss::Error) => {
            let text = "the history cannot be read";
            return Answer::text(StatusCode::INTERNAL_SERVER_ERROR, text);
        }
    };
    let messages: Vec<_> = messages.into_iter().map(|text| json!({ "text": text })).collect();
    Answer::json(&json!({ "subject": subject, "messages": messages }))
}

/// What becomes of an answer under way.
fn spoil(answer: Answer, heard: &Heard, here: &[Active]) -> Answer {
    here.iter().fold(answer, |answer, one| {
        let what = &one.fault.what;
        if let What::Error { status } = what {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            Answer::text(status, "it does not work at the moment")
        } else if matches!(what, What::Blank {}) && answer.is_page() {
            Answer::blank()
        } else if matches!(what, What::Scripts {}) && heard.path.ends_with(".js") {
            Answer::text(StatusCode::NOT_FOUND, "there is no such script")
        } else if matches!(what, What::ErrorPage {}) && answer.is_page() {
            Answer::page("Error", "<p>Something went wrong. Please try again later.</p>", "/")
        } else if matches!(what, What::ErrorPage {}) && answer.content_type == "application/json" {
            let text = "Something went wrong";
            Answer::json(&json!({ "status": "error", "errors": [{ "message": text }] }))
        } else {
            answer
        }
    })
}

fn dress(node: &Node, answer: Answer, stalls: bool) -> Response<Part> {
    let mut response = Response::new(Part::of(answer.body, stalls));
    *response.status_mut() = answer.status;
    let own = [(CONTENT_TYPE, answer.content_type.to_owned()), (DATE, http_date(node.now()))];
    for (name, value) in own.into_iter().chain(answer.headers) {
        if let Ok(value) = HeaderValue::try_from(value) {
            response.headers_mut().append(name, value);
        }
    }
    response
}
