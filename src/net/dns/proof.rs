//! Whether an answer's signatures lead to a key that is trusted (DNSSEC).
//!
//! The cryptography and its rules are hickory's; every message that it asks for on the way to the
//! trusted key goes through our own exchange, so that it obeys the run's deadline.

use std::collections::BTreeMap;
use std::pin::{Pin, pin};

use futures_util::stream::{self, Stream, StreamExt};
use hickory_proto::dnssec::Proof;
use hickory_proto::dnssec::rdata::{DNSSECRData, RRSIG};
use hickory_proto::op::{DnsRequest, DnsRequestOptions, DnsResponse, Message, Query};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use hickory_resolver::net::dnssec::DnssecDnsHandle;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::xfer::DnsHandle;
use hickory_resolver::net::{DnsError, NetError};
use tokio::sync::{mpsc, oneshot};

use super::aliases::follow;
use super::anchors::Anchors;
use super::message::{Question, Wants};
use crate::config::NameServer;
use crate::model::{Phase, Reason, Timestamp};
use crate::net::{Network, Run};

/// Most messages that are asked for to prove one answer: whoever signs it must not keep us busy.
const MOST_MESSAGES: usize = 64;

/// With every question of a proof: signatures, and an answer from wherever it is known.
const WANTS: Wants = Wants { recursion: true, authentic: false, signatures: true };

impl Network {
    /// Proves `answer` to `question` from the keys in `anchors` on, with what `servers` know of
    /// the zones between. It counts as transfer: only then the answer can be used.
    pub async fn prove(
        &self,
        run: &mut Run,
        servers: &[NameServer],
        mut anchors: Anchors,
        question: &Question,
        answer: &Message,
    ) -> Result<(), Reason> {
        let now = run.clock().now();
        let mut library = Library { network: self, run: *run, servers, known: BTreeMap::new() };
        library.known.insert(key(question.query()), Ok(answer.clone()));
        let query = question.query().clone();
        let proving = Box::pin(async {
            library.extend(&mut anchors, answer, &query, now).await;
            Ok(library.prove(&anchors, query).await)
        });
        match run.phase(Phase::Transfer, proving).await? {
            Proof::Secure => Ok(()),
            Proof::Insecure => Err(Reason::DnssecInsecure),
            Proof::Bogus | Proof::Indeterminate => Err(library.why(&anchors, now)),
        }
    }
}

/// What a message is known by.
type Key = (Name, u16);

fn key(query: &Query) -> Key {
    (query.name.clone(), query.query_type.into())
}

/// The messages of one proof, each asked for once.
struct Library<'a> {
    network: &'a Network,
    run: Run,
    servers: &'a [NameServer],
    known: BTreeMap<Key, Result<Message, Reason>>,
}

impl Library<'_> {
    /// Adds to the trusted keys those that they vouch for, in the zones that the proof is about.
    async fn extend(
        &mut self,
        anchors: &mut Anchors,
        answer: &Message,
        query: &Query,
        now: Timestamp,
    ) {
        let names = answer.answers.iter().map(|record| &record.name).chain([&query.name]);
        let names: Vec<&Name> = names.collect();
        for zone in anchors.zones_of(&names) {
            if let Some(keys) = self.fetch(Query::query(zone.clone(), RecordType::DNSKEY)).await {
                anchors.extend(&zone, &keys, |record| untimely(record, now).is_none());
            }
        }
    }

    async fn prove(&mut self, anchors: &Anchors, query: Query) -> Proof {
        let (orders, mut inbox) = mpsc::unbounded_channel();
        let validator = DnssecDnsHandle::with_trust_anchor(Courier { orders }, anchors.keys());
        let mut answers = validator.lookup(query.clone(), DnsRequestOptions::default());
        let mut validated = pin!(answers.next());
        loop {
            tokio::select! {
                biased;
                answer = &mut validated => return judged(answer, &query),
                Some(order) = inbox.recv() => {
                    let answer = self.fetch(order.query).await;
                    // Whoever has asked may have heard enough from others.
                    let _ = order.reply.send(answer);
                }
            }
        }
    }

    async fn fetch(&mut self, query: Query) -> Option<Message> {
        let key = key(&query);
        if !self.known.contains_key(&key) {
            if self.known.len() >= MOST_MESSAGES {
                return None;
            }
            let Query { name, query_type, .. } = query;
            let found = self.network.look_up(self.run, self.servers, name, query_type, WANTS);
            let found = found.await;
            self.known.insert(key.clone(), found);
        }
        self.known.get(&key)?.as_ref().ok().cloned()
    }

    /// Why there is no proof, as far as can be told:
    ///
    /// 1. what could not be asked for in the run's time, or not by us,
    /// 2. a signature that is out of its time, which is how most zones break,
    /// 3. what was not to be had, below a key that is trusted,
    /// 4. or nothing in particular.
    fn why(&self, anchors: &Anchors, now: Timestamp) -> Reason {
        let failed =
            || self.known.iter().filter_map(|(key, found)| Some((key, found.as_ref().err()?)));
        for (_, reason) in failed() {
            if reason.is_ours() {
                return reason.clone();
            }
            if matches!(reason, Reason::Timeout { .. }) {
                return Reason::Timeout { phase: Phase::Transfer };
            }
        }
        let records = self.known.values().flatten().flat_map(|message| message.all_sections());
        let untimely = records.filter_map(|record| untimely(record, now)).next();
        let lacking = || {
            let ((name, record_type), reason) =
                failed().find(|((name, _), _)| anchors.cover(name))?;
            Some(format!("{name} {}: {reason}", RecordType::from(*record_type)))
        };
        let detail = untimely.or_else(lacking).unwrap_or_else(|| {
            if self.known.len() >= MOST_MESSAGES {
                format!("there is no end to it after {MOST_MESSAGES} messages")
            } else {
                String::from("no signature leads to a trusted key")
            }
        });
        Reason::DnssecBogus { detail }
    }
}

/// What is wrong with the time of the signature in `record`, if it is one and that is wrong.
fn untimely(record: &Record, now: Timestamp) -> Option<String> {
    let RData::DNSSEC(DNSSECRData::RRSIG(signature)) = &record.data else { return None };
    let (covered, until) = (signature.input().type_covered, times(signature).1);
    // Serial numbers: they count seconds and start anew every 136 years.
    let now = u32::try_from((now.as_micros() / 1_000_000) & i64::from(u32::MAX)).ok()?;
    let later = |one: u32, other: u32| one != other && one.wrapping_sub(other) < 1 << 31;
    if later(now, until) {
        let ago = crate::model::Span::from_secs(now.wrapping_sub(until).into());
        return Some(format!("the signature over {} {covered} expired {ago} ago", record.name));
    }
    later(times(signature).0, now)
        .then(|| format!("the signature over {} {covered} is not valid yet", record.name))
}

/// From when until when a signature is valid.
fn times(signature: &RRSIG) -> (u32, u32) {
    let input = signature.input();
    (input.sig_inception.get(), input.sig_expiration.get())
}

/// What the validator's answer comes to:
///
/// 1. every record that was answered counts, and the worst of them decides;
/// 2. if what was asked for is not among them, a signed denial must be;
/// 3. an answer that was refused says itself why.
fn judged(answer: Option<Result<DnsResponse, NetError>>, query: &Query) -> Proof {
    let answer = match answer {
        Some(Ok(answer)) => answer,
        Some(Err(NetError::Dns(DnsError::Nsec { proof: Proof::Insecure, .. }))) => {
            return Proof::Insecure;
        }
        Some(Err(_)) | None => return Proof::Bogus,
    };
    let signature = |record: &&Record| record.record_type() == RecordType::RRSIG;
    let records = || answer.answers.iter().filter(|record| !signature(record));
    let worst = records().map(|record| record.proof).min();
    let Ok(end) = follow(&answer.answers, &query.name) else { return Proof::Bogus };
    let wanted = |record: &Record| {
        record.name == end
            && (record.record_type() == query.query_type || query.query_type == RecordType::ANY)
    };
    if records().any(wanted) {
        return worst.unwrap_or(Proof::Bogus);
    }
    let denies = |record: &Record| {
        matches!(record.record_type(), RecordType::NSEC | RecordType::NSEC3)
            && record.proof == Proof::Secure
    };
    let denied = answer.authorities.iter().any(denies);
    let denial = if denied { Proof::Secure } else { Proof::Insecure };
    worst.map_or(denial, |worst| worst.min(denial))
}

/// A message that the validator needs.
struct Order {
    query: Query,
    reply: oneshot::Sender<Option<Message>>,
}

/// Takes the validator's orders to the one who does the asking, since the validator must own what
/// it asks through.
#[derive(Clone)]
struct Courier {
    orders: mpsc::UnboundedSender<Order>,
}

impl DnsHandle for Courier {
    type Response = Pin<Box<dyn Stream<Item = Result<DnsResponse, NetError>> + Send>>;
    type Runtime = TokioRuntimeProvider;

    fn send(&self, request: DnsRequest) -> Self::Response {
        let (reply, answer) = oneshot::channel();
        if let Some(query) = request.queries.first().cloned() {
            // Nobody listens any more only when nobody waits for the answer either.
            let _ = self.orders.send(Order { query, reply });
        }
        Box::pin(stream::once(async {
            match answer.await {
                Ok(Some(message)) => Ok(DnsResponse::from_message(message)?),
                Ok(None) | Err(_) => Err(NetError::from("not to be had")),
            }
        }))
    }
}
