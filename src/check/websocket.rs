//! The `websocket` check: connect, ask HTTP to make way for a WebSocket, and go through a script of
//! messages.

mod talk;
mod upgrade;

use std::net::IpAddr;

use tokio::time::timeout;

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, Secrets, WebsocketCheck};
use crate::model::{Finding, Reason, Span};
use crate::net::wire::{Speaks, Watched};
use crate::net::{Network, Run, To, Way};
use talk::{Heard, Talk};
use upgrade::{Unfit, Upgrade};

/// How long the target has to say goodbye. What there is to know is known by then.
const FAREWELL: Span = Span::from_millis(100);

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    check: &Check,
    socket: &WebsocketCheck,
    run: Run,
) -> Vec<Finding> {
    let host = socket.url.host_str().unwrap_or_default();
    probe_each(network, check, host, socket.addresses, run, |address, mut run| async move {
        let ending = exchange(network, secrets, check, socket, address, &mut run).await;
        let judgement = judge(ending, &run, socket, check.degraded_over);
        Outcome::of(run, judgement)
    })
    .await
}

/// The time from the upgrade's first byte to the script's end is that of the transfer.
async fn exchange(
    network: &Network,
    secrets: &Secrets,
    check: &Check,
    socket: &WebsocketCheck,
    address: IpAddr,
    run: &mut Run,
) -> Result<(), Reason> {
    let url = &socket.url;
    let upgrade = Upgrade::new(socket, secrets)?;
    // There is no WebSocket over HTTP/2 without asking for one in another way (RFC 8441).
    let alpn: Option<&[&str]> = (url.scheme() == "wss").then_some(&["http/1.1"]);
    let port = url.port_or_known_default().unwrap_or_default();
    let to = To { host: url.host_str().unwrap_or_default(), address: Some(address), port, alpn };
    let way = Way {
        source: socket.source,
        proxy: None,
        resolvers: &check.resolvers,
        tls: &socket.tls,
        secrets,
    };
    let opened = network.reach(run, to, way).await?;
    let wire = Watched::new(opened.wire, run.clock().stopwatch(), Speaks::Http1);
    let marks = wire.marks();
    let mut heard = Heard::default();
    let outcome = run
        .within_deadline(async {
            let open = upgrade.ask(wire).await?;
            let mut talk = Talk::new(open, socket.max_message).await;
            talk.follow(&socket.script, socket.expect_timeout, &mut heard).await?;
            Ok::<_, Unfit>(talk)
        })
        .await;
    let phase = marks.settle(&mut run.phases);
    match outcome {
        Some(Ok(talk)) => {
            let farewell = timeout(FAREWELL.to_duration(), talk.close());
            let _ = run.within_deadline(farewell).await;
            Ok(())
        }
        Some(Err(unfit)) => Err(unfit.reason(phase)),
        None => Err(heard.instead().unwrap_or(Reason::Timeout { phase })),
    }
}

/// Judges what was seen of one address.
///
/// 1. The script must come to its end; whatever kept it from that is the reason.
/// 2. Then the certificates must be valid for long enough,
/// 3. and last it must have been quick enough.
fn judge(
    ending: Result<(), Reason>,
    run: &Run,
    socket: &WebsocketCheck,
    degraded_over: Option<Span>,
) -> Judgement {
    if let Err(reason) = ending {
        return Judgement::fail(reason);
    }
    certificate::judge(run.tls, socket.certificate.as_ref(), run.clock().now())
        .unwrap_or_else(|| judge_speed(run.phases.total(), degraded_over))
}
