//! What the operator may ask of a running farol: to see its incidents, to let drafts pass, to step
//! back and take up again, and to publish nothing at all for a while.

use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use crate::model::{
    ComponentId, ComponentStatus, IncidentKey, IncidentStatus, Input, LaneId, Order, PlatformId,
    Timestamp, Wish,
};
use crate::outbox::{self, Lead, Notice};

use super::{Core, News, Runtime};
use crate::engine;

/// How often the file that holds publishing is looked for when nothing is to be sent.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How many requests may wait.
const WAITING: usize = 16;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Nothing but the report.
    List,
    /// Publish a draft.
    Approve(IncidentKey),
    /// Leave an incident to people.
    Leave(IncidentKey),
    /// Take up an incident that a person has.
    Rejoin(IncidentKey),
    /// Do not speak of an incident any more that was left open on a page.
    Forget(IncidentKey),
    /// Tell the engine what a person says of an incident.
    Order(Order),
    /// Publish nothing (`true`), or go on (`false`).
    Hold(bool),
    /// Publish nothing if farol publishes, else go on.
    Toggle,
}

/// How it is after a command.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Whether nothing is published at present.
    pub held: bool,
    /// The incidents that are not done with.
    pub incidents: Vec<Line>,
    /// The components that the operator's word holds for, after an incident was said to be over.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub respected: Vec<Respected>,
}

/// A component of which the operator said that its incident is over.
#[derive(Clone, Debug, Serialize)]
pub struct Respected {
    /// The incident.
    pub incident: IncidentKey,
    /// The component.
    pub component: ComponentId,
    /// How its checks say that it is.
    pub status: ComponentStatus,
    /// When that was said.
    pub since: String,
    /// Until when it opens nothing.
    pub until: String,
    /// Whether it has been bad ever since, and opens nothing until it was well once.
    pub lasts: bool,
}

/// One incident of a platform, as it is on one lane.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// The platform.
    pub platform: PlatformId,
    /// The lane.
    pub lane: LaneId,
    /// How it is.
    #[serde(flatten)]
    pub view: outbox::View,
}

/// Why a command is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such incident, or it is done with.
    #[error("no incident {0} is open here")]
    Unknown(IncidentKey),
    /// The incident is not in a state where that means anything.
    #[error("incident {incident} is {state}: {wants}")]
    Pointless {
        /// The incident.
        incident: IncidentKey,
        /// How it is.
        state: &'static str,
        /// What the command is for.
        wants: &'static str,
    },
    /// A person has the incident on every page that it is on.
    #[error(
        "somebody leads incident {0} on the status page: write there, or take it up again with \
         rejoin"
    )]
    Led(IncidentKey),
    /// The cause is said of what is over.
    #[error("incident {0} is monitored: that its cause is known can only be said before that")]
    Monitored(IncidentKey),
    /// The file that holds publishing cannot be made or removed.
    #[error("cannot {what} {}: {source}", path.display())]
    File {
        /// What failed.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The owner loop has ended.
    #[error("farol is stopping")]
    Stopping,
}

type Answer = Result<Report, Refused>;

/// The file that holds publishing while it is there: so the operator can make it by hand, and a
/// restart changes nothing.
#[derive(Debug)]
pub struct HoldFile {
    path: PathBuf,
    /// When it was looked for last.
    looked_at: Option<Timestamp>,
}

impl HoldFile {
    /// The file at `path`.
    pub fn new(path: PathBuf) -> Self {
        Self { path, looked_at: None }
    }
}

/// A command on its way to the owner loop.
pub(super) type Request = (Command, oneshot::Sender<Answer>);

/// The operator's way to the owner loop.
#[derive(Clone, Debug)]
pub struct Operator(mpsc::Sender<Request>);

/// The owner loop's end of it.
#[derive(Debug)]
pub struct Requests(pub(super) mpsc::Receiver<Request>);

impl Operator {
    /// Both ends.
    pub fn new() -> (Self, Requests) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), Requests(receiver))
    }

    /// Has a command carried out.
    pub async fn ask(&self, command: Command) -> Answer {
        let (answer, answered) = oneshot::channel();
        self.0.send((command, answer)).await.map_err(|_| Refused::Stopping)?;
        answered.await.map_err(|_| Refused::Stopping)?
    }
}

impl Runtime {
    /// Carries out what was asked. What it changes is on the disk before it is answered.
    pub(super) async fn obey(&mut self, (command, answer): Request, now: Timestamp) {
        let done = match command {
            Command::List => Ok(()),
            Command::Hold(hold) => self.set_hold(hold).await,
            Command::Toggle => self.set_hold(!self.core.is_held()).await,
            Command::Order(order) => self.order(order, now).await,
            Command::Approve(key) => self.command(&key, now, |outbox, key, _| outbox.approve(key)),
            Command::Leave(key) => self.command(&key, now, outbox::Outbox::leave),
            Command::Forget(key) => self.command(&key, now, |outbox, key, _| outbox.forget(key)),
            Command::Rejoin(key) => self.command(&key, now, |outbox, key, _| outbox.rejoin(key)),
        };
        self.durable.settle(&self.core, now).await;
        // Who asked may have gone away.
        let _ = answer.send(done.map(|()| report(&self.core)));
    }

    /// Gives an order to the engine, the journal first. It is refused here if nothing would come of
    /// it, so that whoever gave it knows.
    async fn order(&mut self, order: Order, now: Timestamp) -> Result<(), Refused> {
        let key = &order.incident;
        let incidents = self.core.engine().state().incidents();
        let status = incidents.get(key).map(engine::Incident::status);
        let status = status.ok_or_else(|| Refused::Unknown(key.clone()))?;
        if let Wish::Note { identified, .. } = order.wish {
            let mut views = self.core.outboxes().values().filter_map(|outbox| outbox.view(key));
            let led = |view: outbox::View| view.state == Lead::Detached;
            if views.next().is_some_and(led) && views.all(led) {
                return Err(Refused::Led(key.clone()));
            }
            if identified && status == IncidentStatus::Monitoring {
                return Err(Refused::Monitored(key.clone()));
            }
        }
        let input = Input::Operator(order);
        self.durable.append(std::slice::from_ref(&input), now, &self.metrics).await;
        let heard = self.core.input(&input, now);
        self.durable.touched();
        self.tell(heard);
        Ok(())
    }

    /// On every lane that the incident is on; one where it means nothing is no trouble.
    fn command(
        &mut self,
        key: &IncidentKey,
        now: Timestamp,
        carry_out: impl Fn(&mut outbox::Outbox, &IncidentKey, Timestamp) -> Option<Notice>,
    ) -> Result<(), Refused> {
        let (mut state, mut notices) = (None, Vec::new());
        for (lane, outbox) in self.core.outboxes_of(key) {
            match carry_out(outbox, key, now) {
                Some(notice) => notices.push((lane.clone(), notice)),
                None => state = state.or(outbox.view(key).map(|view| view.state.as_str())),
            }
        }
        if notices.is_empty() {
            let Some(state) = state else { return Err(Refused::Unknown(key.clone())) };
            let wants = "approve is for drafts and components, rejoin for what people have, forget for what was \
                         left, hold for the rest";
            return Err(Refused::Pointless { incident: key.clone(), state, wants });
        }
        for (lane, notice) in notices {
            tracing::info!(platform = %lane.platform(), %lane, "{notice}");
            let _ = self.news.send(News::Outbox(lane, notice));
        }
        self.durable.touched();
        Ok(())
    }

    async fn set_hold(&mut self, hold: bool) -> Result<(), Refused> {
        let path = self.hold.path.clone();
        let (what, done) = if hold {
            (
                "make",
                tokio::fs::write(&path, "farol publishes nothing while this file is here\n").await,
            )
        } else {
            ("remove", tokio::fs::remove_file(&path).await)
        };
        match done {
            Err(error) if hold || error.kind() != std::io::ErrorKind::NotFound => {
                return Err(Refused::File { what, path, source: error });
            }
            Ok(()) | Err(_) => {}
        }
        self.look_at_hold(true).await;
        Ok(())
    }

    /// Looks whether the operator wants nothing to be published: before every request that would
    /// be sent, and every second. Where it cannot be told it is as it was.
    pub(super) async fn look_at_hold(&mut self, at_once: bool) {
        let now = self.clock.now();
        let due = self.hold.looked_at.is_none_or(|at| now.since(at) >= LOOK_EVERY);
        if !(at_once || due || self.core.is_sending_due(now)) {
            return;
        }
        self.hold.looked_at = Some(now);
        let Ok(held) = tokio::fs::try_exists(&self.hold.path).await else { return };
        if held == self.core.is_held() {
            return;
        }
        self.core.hold(held);
        self.metrics.held(held);
        if held {
            tracing::warn!(file = %self.hold.path.display(), "publishing is held: nothing is written to any status API");
        } else {
            tracing::info!("publishing goes on");
        }
    }
}

fn report(core: &Core) -> Report {
    let incidents = core.outboxes().iter().flat_map(|(lane, outbox)| {
        let views = outbox.views().into_iter();
        views.map(|view| Line { platform: lane.platform(), lane: lane.clone(), view })
    });
    let state = core.engine().state();
    let respected = state.respected().map(|(id, it)| Respected {
        incident: it.incident.clone(),
        component: id.clone(),
        status: state.components().get(id).map(|is| is.status).unwrap_or_default(),
        since: it.since.to_rfc3339(),
        until: it.until.to_rfc3339(),
        lasts: it.lasts,
    });
    Report { held: core.is_held(), incidents: incidents.collect(), respected: respected.collect() }
}
