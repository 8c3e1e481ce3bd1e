//! `farol incidents`: what a running farol publishes, and a word in it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::health::cause;
use super::print::{self, Tone, colours, paint};
use super::{Ending, address, runtime};

/// See what a running farol publishes, and step in
///
/// Speaks to the process over HTTP. What a person changed on the status page is left to them until
/// `rejoin`.
#[derive(Debug, Args)]
pub(super) struct Incidents {
    /// Where it serves
    #[arg(long, global = true, default_value = "127.0.0.1:9321", env = "FAROL_LISTEN",
          value_name = "ADDRESS", value_parser = address)]
    listen: SocketAddr,

    /// Its state directory, where its API token is kept
    #[arg(
        long,
        global = true,
        default_value = "state",
        env = "FAROL_STATE_DIR",
        value_name = "FOLDER"
    )]
    state_dir: PathBuf,

    /// A file with its API token, if that is kept elsewhere
    #[arg(long, global = true, env = "FAROL_API_TOKEN_FILE", value_name = "FILE")]
    api_token_file: Option<PathBuf>,

    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List the incidents that are not done with
    List,
    /// Show all of one
    Show {
        /// The incident's key
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Publish a draft
    Approve {
        /// The incident's key
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Leave an incident to people; without ID, publish nothing at all until `lift`
    Hold {
        /// The incident's key
        #[arg(value_name = "ID")]
        id: Option<String>,
    },
    /// Publish again after `hold`
    Lift,
    /// Take up an incident that a person had
    Rejoin {
        /// The incident's key
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Do not speak any more of one that was left open on a page, once that is dealt with
    Forget {
        /// The incident's key
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Say that an incident is over, whatever its checks say
    ///
    /// What fails now opens no other incident until it was well once, and nothing opens on its
    /// components for an hour.
    Resolve {
        /// The incident's key
        #[arg(value_name = "ID")]
        id: String,
    },
    /// Publish an update in your words
    Note {
        /// The incident's key
        #[arg(value_name = "ID")]
        id: String,
        /// What the public should read
        #[arg(value_name = "TEXT")]
        text: String,
        /// The status from then on, which only people know: identified
        #[arg(long, value_name = "STATUS")]
        status: Option<String>,
    },
}

/// How it is, as the API tells it.
#[derive(Deserialize)]
struct Report {
    held: bool,
    incidents: Vec<Value>,
    #[serde(default)]
    respected: Vec<Value>,
}

impl Incidents {
    pub(super) fn run(self) -> Ending {
        let runtime = match runtime() {
            Ok(runtime) => runtime,
            Err(ending) => return ending,
        };
        let what = self.what.as_ref().unwrap_or(&What::List);
        let (method, path) = call(what);
        match runtime.block_on(self.ask(method, &path, body(what))) {
            Ok(report) => show(what, &report),
            Err(error) => {
                print::error(&error);
                Ending::Failed
            }
        }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Report, String> {
        let token = self.token()?;
        let url = crate::app::own_url(self.listen, path).map_err(|error| error.to_string())?;
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| error.to_string())?;
        let mut request = client.request(method, url).bearer_auth(token);
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let answer = request.send().await;
        let answer = answer
            .map_err(|error| format!("no farol answers at {}: {}", self.listen, cause(&error)))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| cause(&error))?;
        if !status.is_success() {
            let said = body["message"].as_str().unwrap_or("it does not say why");
            return Err(format!("refused ({}): {said}", status.as_u16()));
        }
        serde_json::from_value(body).map_err(|error| format!("not an answer of farol's: {error}"))
    }

    fn token(&self) -> Result<String, String> {
        let kept = || self.state_dir.join("api-token");
        let file = self.api_token_file.clone().unwrap_or_else(kept);
        let text = std::fs::read_to_string(&file);
        let text = text.map_err(|error| {
            format!("cannot read the API token in {}: {error}; see --state-dir", file.display())
        })?;
        Ok(text.trim().to_owned())
    }
}

fn call(what: &What) -> (Method, String) {
    let of = |id: &str, verb: &str| (Method::POST, format!("/v1/farol/incidents/{id}/{verb}"));
    match what {
        What::List | What::Show { .. } => (Method::GET, "/v1/farol/incidents".to_owned()),
        What::Approve { id } => of(id, "approve"),
        What::Hold { id: Some(id) } => of(id, "hold"),
        What::Hold { id: None } => (Method::POST, "/v1/farol/hold".to_owned()),
        What::Lift => (Method::DELETE, "/v1/farol/hold".to_owned()),
        What::Rejoin { id } => of(id, "rejoin"),
        What::Forget { id } => of(id, "forget"),
        What::Resolve { id } => of(id, "resolve"),
        What::Note { id, .. } => of(id, "note"),
    }
}

/// What is sent beside the path.
fn body(what: &What) -> Option<Value> {
    match what {
        What::Note { text, status, .. } => Some(json!({ "text": text, "status": status })),
        What::List
        | What::Show { .. }
        | What::Approve { .. }
        | What::Hold { .. }
        | What::Lift
        | What::Rejoin { .. }
        | What::Forget { .. }
        | What::Resolve { .. } => None,
    }
}

fn show(what: &What, report: &Report) -> Ending {
    let wanted = match what {
        What::Show { id } => Some(id),
        What::List
        | What::Approve { .. }
        | What::Hold { .. }
        | What::Lift
        | What::Rejoin { .. }
        | What::Forget { .. }
        | What::Resolve { .. }
        | What::Note { .. } => None,
    };
    if let Some(id) = wanted {
        return show_one(id, report);
    }
    if report.held {
        let held = "publishing is held: farol incidents lift";
        print::line(&paint(held, Tone::Warning, colours()));
    }
    if report.incidents.is_empty() {
        print::line("no incident is open");
    }
    for incident in &report.incidents {
        print::line(&row(incident));
    }
    for respected in &report.respected {
        print::line(&paint(&left(respected), Tone::Quiet, colours()));
    }
    Ending::Well
}

/// As it is on each lane.
fn show_one(id: &str, report: &Report) -> Ending {
    let all = report.incidents.iter().chain(&report.respected);
    let mut found = all.filter(|incident| incident["incident"] == id).peekable();
    if found.peek().is_none() {
        print::error(&format!("no incident {id} is open here"));
        return Ending::Failed;
    }
    while let Some(incident) = found.next() {
        for (name, value) in incident.as_object().into_iter().flatten() {
            print::line(&format!("{name:12} {}", plain(value)));
        }
        if found.peek().is_some() {
            print::line("");
        }
    }
    Ending::Well
}

fn row(incident: &Value) -> String {
    let text = |name: &str| plain(&incident[name]);
    let tone = match text("state").as_str() {
        "published" => Tone::Good,
        "detached" | "draft" | "left" => Tone::Warning,
        _ => Tone::Quiet,
    };
    let state = paint(&format!("{:13}", text("state")), tone, colours());
    let why = incident["why"].as_str().map(|why| format!(" ({why})")).unwrap_or_default();
    let (id, lane, status) = (text("incident"), text("lane"), text("status"));
    format!("{id:16} {lane:12} {state} {status:13} {}{why}", text("title"))
}

/// A component that the operator's word holds for.
fn left(respected: &Value) -> String {
    let text = |name: &str| plain(&respected[name]);
    let until = if respected["lasts"] == true {
        format!("{} and until it was well once", text("until"))
    } else {
        text("until")
    };
    format!(
        "{} is {}; incident {} was said to be over at {}: it opens nothing until {until}",
        text("component"),
        text("status"),
        text("incident"),
        text("since"),
    )
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(all) => all.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
