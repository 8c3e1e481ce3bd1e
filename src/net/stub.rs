//! Looking names up with the name servers that a configuration names: these and nothing else, so
//! neither the hosts file nor a search list, and nothing is remembered between runs.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::join;
use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::{Name, RecordType};

use super::dns::{Question, Wants, follow};
use super::resolve::rcode_name;
use super::{Network, Run};
use crate::config::NameServer;
use crate::model::{Phase, Reason, Span};

/// How long one server may take before the next is asked, or the same once more: a datagram may be
/// lost, and a run has several names to look up. Unbound begins with about as much. Two that are lost
/// still cost less than a second, so that what is called slow is not our way to the name server.
const PATIENCE: [Span; 2] = [Span::from_millis(400), Span::from_millis(500)];

/// How long it may take the last time.
const LAST_PATIENCE: Span = Span::from_secs(4);

/// How many answers in a row may end in an alias whose own records they do not hold.
const MOST_STEPS: usize = 8;

impl Network {
    /// The addresses of `name` as `servers` know it, IPv4 first; never empty.
    pub async fn addresses_by(
        &self,
        run: Run,
        servers: &[NameServer],
        name: &Name,
    ) -> Result<Vec<IpAddr>, Reason> {
        let of_type = |record_type| self.addresses_of_type(run, servers, name, record_type);
        match join(of_type(RecordType::A), of_type(RecordType::AAAA)).await {
            (Ok(four), Ok(six)) if four.is_empty() && six.is_empty() => {
                Err(Reason::ResolveNoAddress)
            }
            (Ok(four), Ok(six)) => Ok([four, six].concat()),
            // Half of an answer is better than none, if there is something in it.
            (Ok(some), Err(_)) | (Err(_), Ok(some)) if !some.is_empty() => Ok(some),
            (Err(reason), _) | (_, Err(reason)) => Err(reason),
        }
    }

    async fn addresses_of_type(
        &self,
        run: Run,
        servers: &[NameServer],
        name: &Name,
        record_type: RecordType,
    ) -> Result<Vec<IpAddr>, Reason> {
        let mut at = name.clone();
        for _ in 0..MOST_STEPS {
            let asked = at.clone();
            let answer =
                self.look_up(run, servers, asked.clone(), record_type, Wants::default()).await?;
            at = follow(&answer.answers, &asked).map_err(resolving)?;
            let found: Vec<IpAddr> = answer
                .answers
                .iter()
                .filter(|record| record.name == at && record.record_type() == record_type)
                .filter_map(|record| record.data.ip_addr())
                .collect();
            if !found.is_empty() || at == asked {
                return missing(&answer, found);
            }
            if answer.metadata.response_code == ResponseCode::NXDomain {
                return Err(Reason::ResolveNotFound);
            }
        }
        let detail = format!("the aliases of {name} have no end");
        Err(Reason::ResolveFailed { detail })
    }

    /// What `servers` answer:
    ///
    /// 1. They are asked one after the other, in the order given, and each has its time.
    /// 2. The first that has an answer, or knows that there is none, has the word.
    /// 3. If no answer comes from one of them, all are asked again, for a packet may be lost.
    /// 4. If none has an answer, the reason is what the first said.
    pub async fn look_up(
        &self,
        run: Run,
        servers: &[NameServer],
        name: Name,
        record_type: RecordType,
        wants: Wants,
    ) -> Result<Message, Reason> {
        let mut first = None;
        for patience in PATIENCE.into_iter().chain([LAST_PATIENCE]) {
            let mut lost = false;
            for server in servers {
                let question = Question::new(name.clone(), record_type, wants)?;
                match self.attempt(run.at_most(patience), server, &question).await {
                    Ok(answer) => return Ok(answer),
                    Err(reason) => {
                        lost |= matches!(reason, Reason::Timeout { .. });
                        first.get_or_insert(reason);
                    }
                }
            }
            if !lost {
                break;
            }
        }
        let detail = || String::from("no name server is named");
        Err(first.unwrap_or_else(|| Reason::ProberMisconfigured { detail: detail() }))
    }

    async fn attempt(
        &self,
        mut run: Run,
        server: &NameServer,
        question: &Question,
    ) -> Result<Message, Reason> {
        let address = self.locate(run, server).await.map_err(resolving)?;
        let asking = Box::pin(self.ask(&mut run, server, address, question));
        let answer = asking.await.map_err(resolving)?;
        let code = answer.message.metadata.response_code;
        if matches!(code, ResponseCode::NoError | ResponseCode::NXDomain) {
            Ok(answer.message)
        } else {
            Err(Reason::ResolveFailed { detail: rcode_name(code) })
        }
    }

    /// Where `server` is; if it was given by name, as this host knows it, for somebody must be
    /// asked first.
    async fn locate(&self, run: Run, server: &NameServer) -> Result<SocketAddr, Reason> {
        if let Some(address) = server.address() {
            return Ok(address);
        }
        let search = Box::pin(self.resolvers.addresses(&server.host));
        let found = run.within_deadline(search).await;
        let found = found.unwrap_or(Err(Reason::Timeout { phase: Phase::Resolve }))?;
        let ip = found.first().copied().ok_or(Reason::ResolveNoAddress)?;
        Ok(SocketAddr::new(ip, server.port))
    }
}

fn missing(answer: &Message, found: Vec<IpAddr>) -> Result<Vec<IpAddr>, Reason> {
    if found.is_empty() && answer.metadata.response_code == ResponseCode::NXDomain {
        return Err(Reason::ResolveNotFound);
    }
    Ok(found)
}

/// What went wrong with a name server, said of the name that it was asked for.
#[expect(clippy::wildcard_enum_match_arm, reason = "all other reasons are said the same way")]
fn resolving(reason: Reason) -> Reason {
    match reason {
        ours if ours.is_ours() => ours,
        Reason::Timeout { .. } => Reason::Timeout { phase: Phase::Resolve },
        Reason::ConnectionClosed { .. } => Reason::ConnectionClosed { phase: Phase::Resolve },
        Reason::ResolveFailed { detail } => Reason::ResolveFailed { detail },
        other => Reason::ResolveFailed { detail: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::resolving;
    use crate::model::{Phase, Reason};

    #[test]
    fn whatever_a_resolver_does_is_about_resolving() {
        let named = |reason: Reason| resolving(reason).name();
        assert_eq!(named(Reason::Timeout { phase: Phase::Tls }), "resolve_timeout");
        assert_eq!(named(Reason::ConnectionClosed { phase: Phase::FirstByte }), "resolve_closed");
        assert_eq!(named(Reason::ConnectRefused), "resolve_failed");
        let detail = String::from("too many open files");
        assert_eq!(named(Reason::ProberExhausted { detail }), "prober_exhausted");
    }
}
