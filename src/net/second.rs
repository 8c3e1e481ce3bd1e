//! Whose trouble it is that a name is not found: when the host's own resolver fails, others are
//! asked whether they know it.
//!
//! Only a failure is doubted, and no answer: that a name does not exist may well be true for this
//! host alone, where names mean something else inside than outside.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use futures_util::future::join;

use super::resolve::absolute;
use super::{Network, Run};
use crate::config::NameServer;
use crate::model::{Phase, Reason, Span};

/// How long after the end of a run the others may still be asked. It delays only what has failed.
const EXTRA: Span = Span::from_secs(2);

/// Who is asked when the host's own resolver fails.
#[derive(Debug, Default)]
pub(super) struct Second {
    servers: OnceLock<Arc<[NameServer]>>,
}

impl Network {
    /// Has `servers` asked for the names that this host's resolver fails to find.
    pub fn doubt_resolver(&self, servers: Arc<[NameServer]>) {
        // Who is asked does not change while there are runs.
        let _ = self.second.servers.set(servers);
    }

    /// What this host's resolver `found` in `run`, unless it failed and others do not: then the
    /// trouble is ours, if it fails for the root as well, asked at the same time. Otherwise it is
    /// of one zone, and others may only remember what that zone no longer says. The phase is over,
    /// so that the time of the others is nobody's.
    pub(super) async fn doubt(
        &self,
        run: Run,
        host: &str,
        found: Result<Vec<IpAddr>, Reason>,
    ) -> Result<Vec<IpAddr>, Reason> {
        let reason = match found {
            Err(
                reason @ (Reason::ResolveFailed { .. } | Reason::Timeout { phase: Phase::Resolve }),
            ) => reason,
            Ok(_) | Err(_) => return found,
        };
        let servers = self.second.servers.get().filter(|servers| !servers.is_empty());
        let (Some(servers), Ok(name)) = (servers, absolute(host)) else { return Err(reason) };
        let time = Span::from_micros(run.left().as_micros().saturating_add(EXTRA.as_micros()));
        let again = Run::start(run.clock(), time);
        // Boxed, as it is seldom needed and large: every run would carry room for it.
        let search = Box::pin(self.addresses_by(again, servers, &name));
        let root = again.within_deadline(self.resolvers.knows_root());
        match join(again.within_deadline(search), root).await {
            (Some(Ok(_)), Some(false) | None) => {
                Err(Reason::ProberResolver { detail: reason.to_string() })
            }
            // They do not know either, or ours answers all else: it may well be the target's.
            _ => Err(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use hickory_proto::op::{Message, OpCode, ResponseCode};
    use hickory_proto::rr::rdata::{A, NS};
    use hickory_proto::rr::{Name, RData, Record, RecordType};
    use tokio::net::UdpSocket;

    use super::super::resolve::Resolvers;
    use super::super::{Network, Run};
    use crate::clock::Clock;
    use crate::config::NameServer;
    use crate::model::{Reason, Span};

    /// A name server that answers every question for an address with this code, or as one that
    /// knows every name while it is well.
    async fn name_server(otherwise: ResponseCode) -> (SocketAddr, Arc<AtomicBool>) {
        name_server_of(otherwise, false).await
    }

    /// The same; one that has trouble with `of_one_zone` alone knows the root.
    async fn name_server_of(
        otherwise: ResponseCode,
        of_one_zone: bool,
    ) -> (SocketAddr, Arc<AtomicBool>) {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (address, well) = (socket.local_addr().unwrap(), Arc::new(AtomicBool::new(false)));
        let is_well = Arc::clone(&well);
        tokio::spawn(async move {
            let mut packet = [0; 4096];
            loop {
                let (length, from) = socket.recv_from(&mut packet).await.unwrap();
                let asked = Message::from_vec(&packet[..length]).unwrap();
                let question = asked.queries[0].clone();
                let mut answer = Message::response(asked.metadata.id, OpCode::Query);
                answer.metadata.response_code = otherwise;
                if of_one_zone && question.name().is_root() {
                    answer.metadata.response_code = ResponseCode::NoError;
                    let server = NS(Name::from_ascii("a.root.test.").unwrap());
                    answer.answers = vec![Record::from_rdata(Name::root(), 1, RData::NS(server))];
                }
                if is_well.load(Ordering::Relaxed) {
                    answer.metadata.response_code = ResponseCode::NoError;
                    if question.query_type() == RecordType::A {
                        let data = RData::A(A(Ipv4Addr::LOCALHOST));
                        answer.answers = vec![Record::from_rdata(question.name().clone(), 1, data)];
                    }
                }
                answer.queries = vec![question];
                socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
            }
        });
        (address, well)
    }

    /// What `host` is found to be by this resolver, with that one to ask when it fails.
    async fn find(own: SocketAddr, second: SocketAddr) -> (Network, Result<usize, Reason>) {
        let clock = Clock::start();
        let mut network = Network::new(clock, &[]).unwrap();
        network.resolvers = Resolvers::asking(own);
        network.doubt_resolver(Arc::from([NameServer::from(second)]));
        let found = look(&network).await;
        (network, found)
    }

    async fn look(network: &Network) -> Result<usize, Reason> {
        let mut run = Run::start(network.clock(), Span::from_secs(20));
        network.resolve(&mut run, "shop.test.", &[]).await.map(|found| found.len())
    }

    #[tokio::test]
    async fn what_only_our_own_resolver_does_not_find_is_our_trouble() {
        let (own, well) = name_server(ResponseCode::ServFail).await;
        let (second, is_known) = name_server(ResponseCode::ServFail).await;
        let (network, neither) = find(own, second).await;
        assert_eq!(neither.unwrap_err().name(), "resolve_failed");

        is_known.store(true, Ordering::Relaxed);
        assert_eq!(look(&network).await.unwrap_err().name(), "prober_resolver");

        well.store(true, Ordering::Relaxed);
        assert_eq!(look(&network).await, Ok(1));
    }

    #[tokio::test]
    async fn a_zone_that_fails_for_a_resolver_that_answers_else_is_not_our_trouble() {
        let (own, _) = name_server_of(ResponseCode::ServFail, true).await;
        let (second, is_known) = name_server(ResponseCode::ServFail).await;
        is_known.store(true, Ordering::Relaxed);
        let (_, found) = find(own, second).await;
        assert_eq!(found.unwrap_err().name(), "resolve_failed");
    }

    #[tokio::test]
    async fn a_name_that_does_not_exist_for_us_does_not_exist() {
        let (own, _) = name_server(ResponseCode::NXDomain).await;
        let (second, is_known) = name_server(ResponseCode::NXDomain).await;
        is_known.store(true, Ordering::Relaxed);
        let (_, found) = find(own, second).await;
        assert_eq!(found.unwrap_err(), Reason::ResolveNotFound);
    }
}
