//! The `grpc` check: asks a gRPC server whether a service of its is serving, by the gRPC health
//! checking protocol.

mod call;
mod message;

use std::net::IpAddr;

use super::addresses::probe_each;
use super::certificate;
use super::judgement::{Judgement, Outcome, judge_speed};
use crate::config::{Check, GrpcCheck, Secrets};
use crate::model::{Finding, Reason, Span};
use crate::net::{Network, Run, To, Way};
use message::Health;

/// What is offered over TLS: gRPC is spoken over nothing else.
const ALPN: &[&str] = &["h2"];

/// Runs the check against the addresses that it asks.
pub(super) async fn probe(
    network: &Network,
    secrets: &Secrets,
    check: &Check,
    grpc: &GrpcCheck,
    run: Run,
) -> Vec<Finding> {
    let host = grpc.url.host_str().unwrap_or_default();
    probe_each(network, check, host, grpc.addresses, run, |address, mut run| async move {
        let path = Path { network, secrets, check, grpc, address };
        // Boxed, as all that speaks HTTP/2 is large: every run would carry room for it.
        let answer = Box::pin(exchange(path, &mut run)).await;
        let judgement = match judge(answer, run.phases.total(), check.degraded_over) {
            good if good.worked() => {
                let limits = grpc.certificate.as_ref();
                certificate::judge(run.tls, limits, run.clock().now()).unwrap_or(good)
            }
            bad => bad,
        };
        Outcome::of(run, judgement)
    })
    .await
}

/// Whom a call goes to.
#[derive(Clone, Copy)]
struct Path<'a> {
    network: &'a Network,
    secrets: &'a Secrets,
    check: &'a Check,
    grpc: &'a GrpcCheck,
    address: IpAddr,
}

/// How a call ended: with an answer, or with a status that is not `OK`.
type Answer = Result<Health, Status>;

/// A status of gRPC other than `OK`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Status {
    code: u32,
    /// What was said with it.
    message: String,
}

async fn exchange(path: Path<'_>, run: &mut Run) -> Result<Answer, Reason> {
    let url = &path.grpc.url;
    let alpn = (url.scheme() == "https").then_some(ALPN);
    let to = To {
        host: url.host_str().unwrap_or_default(),
        address: Some(path.address),
        port: url.port_or_known_default().unwrap_or_default(),
        alpn,
    };
    let way = Way {
        source: path.grpc.source,
        proxy: None,
        resolvers: &path.check.resolvers,
        tls: &path.grpc.tls,
        secrets: path.secrets,
    };
    // Whatever we lack ourselves is known before the target hears of us.
    let request = call::request(path.grpc, path.secrets)?;
    let opened = path.network.reach(run, to, way).await?;
    if alpn.is_some() && opened.alpn.as_deref() != Some(b"h2") {
        return Err(Reason::HttpVersion { got: "not 2, by what TLS agreed on".to_owned() });
    }
    call::talk(run, opened.wire, request).await
}

/// Judges how a call ended.
///
/// 1. Without a whole answer nothing else counts.
/// 2. That the service is not found is the same whether the status says it, as `Check` does, or
///    the answer, as `Watch` does.
/// 3. Any other status but `OK` fails,
/// 4. and so does a service that is anything but serving.
/// 5. Last it must have been quick enough.
fn judge(answer: Result<Answer, Reason>, took: Span, degraded_over: Option<Span>) -> Judgement {
    const NOT_FOUND: u32 = 5;
    let health = match answer {
        Err(reason) => return Judgement::fail(reason),
        Ok(Err(Status { code: NOT_FOUND, .. })) => Health::ServiceUnknown,
        Ok(Err(status)) => return Judgement::fail(Reason::GrpcStatus { got: status.to_string() }),
        Ok(Ok(health)) => health,
    };
    match health {
        Health::Serving => judge_speed(took, degraded_over),
        Health::Unknown | Health::NotServing | Health::ServiceUnknown | Health::Other(_) => {
            Judgement::fail(Reason::GrpcHealth { got: health.to_string() })
        }
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        const NAMES: [&str; 17] = [
            "OK",
            "CANCELLED",
            "UNKNOWN",
            "INVALID_ARGUMENT",
            "DEADLINE_EXCEEDED",
            "NOT_FOUND",
            "ALREADY_EXISTS",
            "PERMISSION_DENIED",
            "RESOURCE_EXHAUSTED",
            "FAILED_PRECONDITION",
            "ABORTED",
            "OUT_OF_RANGE",
            "UNIMPLEMENTED",
            "INTERNAL",
            "UNAVAILABLE",
            "DATA_LOSS",
            "UNAUTHENTICATED",
        ];
        match usize::try_from(self.code).ok().and_then(|code| NAMES.get(code)) {
            Some(name) => f.write_str(name)?,
            None => write!(f, "status {}", self.code)?,
        }
        if self.message.is_empty() { Ok(()) } else { write!(f, ": {}", self.message) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Health, Judgement, Status, judge};
    use crate::model::{Reason, Span};

    #[test]
    fn only_serving_passes_and_only_in_time() {
        let took = Span::from_millis(5);
        let judged = |answer| judge(answer, took, Some(Span::from_millis(4)));
        let failed = |got: &str| Judgement::fail(Reason::GrpcHealth { got: got.into() });
        assert_eq!(judged(Ok(Ok(Health::Serving))), Judgement::degraded(Reason::Slow { took }));
        assert_eq!(judge(Ok(Ok(Health::Serving)), took, None), Judgement::PASS);
        assert_eq!(judged(Ok(Ok(Health::NotServing))), failed("NOT_SERVING"));
        assert_eq!(judged(Ok(Ok(Health::Unknown))), failed("UNKNOWN"));
        assert_eq!(judged(Ok(Ok(Health::ServiceUnknown))), failed("SERVICE_UNKNOWN"));
        assert_eq!(judged(Ok(Ok(Health::Other(9)))), failed("in state 9, which nobody knows"));
        let refused = Reason::ConnectRefused;
        assert_eq!(judged(Err(refused.clone())), Judgement::fail(refused));
    }

    #[test]
    fn a_status_has_its_name_and_its_words() {
        let judged = |code, message: &str| {
            judge(Ok(Err(Status { code, message: message.into() })), Span::ZERO, None)
        };
        let failed = |got: &str| Judgement::fail(Reason::GrpcStatus { got: got.into() });
        assert_eq!(judged(14, "draining"), failed("UNAVAILABLE: draining"));
        assert_eq!(judged(16, ""), failed("UNAUTHENTICATED"));
        assert_eq!(judged(17, ""), failed("status 17"));
        let unknown = Reason::GrpcHealth { got: "SERVICE_UNKNOWN".into() };
        assert_eq!(judged(5, "unknown service"), Judgement::fail(unknown));
    }
}
